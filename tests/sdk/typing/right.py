"""What users write, and no strict type checker minds."""

import functools
from typing import List, NamedTuple, Optional

from typing_extensions import assert_type

from ferroflow import compiler, dsl, kubernetes, local
from ferroflow.client import Client


@dsl.component
def bare(text: str) -> str:
    return text


ours = functools.partial(dsl.component, base_image='python:3.11', packages_to_install=['x'])


@ours
def measure(data: dsl.Input[dsl.Dataset]) -> int:
    return len(data.uri)


@dsl.component(base_image='python:3.11', packages_to_install=['x'])
def add(a: int, b: int = 2, c: Optional[int] = None) -> int:
    return a + b + (c or 0)


class Results(NamedTuple):
    length: int
    words: List[str]


@dsl.component(base_image='python:3.11')
def write(text: str, data: dsl.Output[dsl.Dataset], metrics: dsl.Output[dsl.Metrics]) -> Results:
    with open(data.path, 'w') as file:
        file.write(text)
    data.metadata['language'] = 'en'
    metrics.log_metric('length', len(text))
    return Results(len(text), text.split())


@dsl.component(base_image='python:3.11')
def merge(parts: dsl.Input[List[dsl.Dataset]]) -> int:
    return sum(len(part.uri) for part in parts)


@dsl.container_component
def shout(text: str) -> dsl.ContainerSpec:
    return dsl.ContainerSpec(image='alpine:3', command=['echo'], args=[text])


class Outputs(NamedTuple):
    total: int
    data: dsl.Dataset


@dsl.pipeline
def inner(numbers: List[int], scale: float = 1.0) -> int:
    with dsl.ParallelFor(numbers) as number:
        written = write(text=f'{number} {scale}')
    return merge(parts=dsl.Collected(written.outputs['data'])).output


@dsl.pipeline(name='outer', description='words')
def outer(start: int, text: str = 'x') -> Outputs:
    written = write(text=text).set_caching_options(False)
    assert_type(add(a=start).output, int)
    with dsl.If(start == 3, name='three'):
        first = add(a=start)
    with dsl.Elif(start > 3):
        second = add(a=start, b=written.outputs['length'])
    with dsl.Else():
        third = add(a=0, c=1)
    chosen = dsl.OneOf(first.output, second.output, third.output)
    total = inner(numbers=written.outputs['words'], scale=2.0)
    shout(text=f'{start} {text}').after(total).set_memory_limit('1G')
    kubernetes.set_timeout(written, 3)
    measure(data=dsl.importer(artifact_uri='x', artifact_class=dsl.Dataset).output).set_display_name('x')
    with dsl.ExitHandler(bare(text=text)):
        add(a=chosen)
    return Outputs(total.output, written.outputs['data'])


def use() -> None:
    compiler.Compiler().compile(outer, 'outer.yaml', pipeline_parameters={'start': 1})
    local.init(runner=local.SubprocessRunner())
    local.init(local.DebugRunner())
    print(add(a=1).state, outer(start=1, text='y').outputs['total'])
    assert_type(add.python_func(1, b=2), int)
    assert_type(add.execute(a=1), int)
    assert_type(write.component_spec.name, str)
    run = Client().create_run_from_pipeline_func(outer, arguments={'start': 1}).wait_for_run_completion()
    print(run.state, run.metrics['accuracy'], run.url.upper())
