"""Mistakes that a type checker finds: each line that ends with a comment has the error of that kind."""

from typing import List

from ferroflow import dsl, local


@dsl.component(base_image='python:3.11')
def add(a: int, b: int = 2) -> int:
    return a + b


@dsl.component(base_images='python:3.11')  # call-overload, untyped-decorator
def misspelled(a: int) -> int:
    return a


@dsl.container_component  # arg-type
def no_container(a: int) -> int:
    return a


@dsl.pipeline
def inner(numbers: List[int], scale: float = 1.0) -> int:
    return add(a=numbers).outputs  # return-value


@dsl.pipeline(title='x')  # call-overload, untyped-decorator
def outer(start: int, text: str = 'x') -> None:
    add(a=start).set_memory_limits('1G')  # attr-defined
    add(a=start).set_retry('twice')  # arg-type
    inner(numbers=text)  # arg-type
    inner()  # call-arg
    inner(numbers=add(a=1).output)  # arg-type
    inner(numbers=[1], scales=2.0)  # call-arg
    dsl.ParallelFor()  # call-arg


add.execute(a='one')  # arg-type
add.python_func()  # call-arg
local.init(runner='subprocess')  # arg-type
