"""The smallest pipeline: one task that greets."""

from kfp import dsl


@dsl.component
def greet(name: str) -> str:
    message = f"Hello, {name}!"
    print(message)
    return message


@dsl.pipeline(name="hello-world", description="One task that greets.")
def hello_world(name: str = "World") -> str:
    return greet(name=name).output
