"""Pipelines that the real kfp.local and Ferroflow both run. As a script: runs them with kfp.local and writes `outputs.json`.

    python local_pipelines.py FOLDER
"""

import json
import sys
from typing import Dict, List, NamedTuple, Optional

from kfp import dsl


@dsl.component
def add(a: int, b: int = 10) -> int:
    return a + b


@dsl.component
def say(text: str) -> str:
    return text


@dsl.component
def shapes(count: int) -> NamedTuple("Shapes", [("items", List[int]), ("table", Dict[str, float]), ("even", bool)]):
    from collections import namedtuple

    made = namedtuple("Shapes", ["items", "table", "even"])
    return made(list(range(count)), {"half": count / 2, "whole": float(count)}, count % 2 == 0)


@dsl.component
def describe(items: list, table: dict, even: bool, note: Optional[str] = None) -> str:
    # kfp.local makes floats of whole numbers inside lists, objects and metadata, Ferroflow does not.
    return f"{sum(items):.1f} {sorted(table)} {sum(table.values())} {even} {note}"


@dsl.component
def write(text: str, data: dsl.Output[dsl.Dataset]):
    with open(data.path, "w") as file:
        file.write(text)
    data.metadata["words"] = len(text.split())


@dsl.component
def count(data: dsl.Input[dsl.Dataset]) -> str:
    with open(data.path) as file:
        return f"{int(data.metadata['words'])} {file.read()}"


@dsl.component
def total(numbers: List[int]) -> int:
    return int(sum(numbers))


@dsl.component
def join(words: List[str]) -> str:
    return ", ".join(words)


@dsl.component
def fail(why: str):
    raise RuntimeError(why)




@dsl.pipeline
def inner(a: int, word: str = "inner") -> NamedTuple("Inner", [("sum", int), ("word", str)]):
    from collections import namedtuple

    return namedtuple("Inner", ["sum", "word"])(add(a=a).output, say(text=word).output)


@dsl.pipeline
def numbers(a: int = 1) -> int:
    return add(a=add(a=a).output, b=add(a=a, b=-3).output).output


@dsl.pipeline
def kinds(size: int = 3) -> str:
    made = shapes(count=size)
    return describe(items=made.outputs["items"], table=made.outputs["table"], even=made.outputs["even"]).output


@dsl.pipeline
def odd_texts(text: str = 'a "b" \'c\' \\ ü $HOME `d`') -> str:
    return say(text=say(text=text).output).output


@dsl.pipeline
def artifacts(text: str = "three small words") -> str:
    return count(data=write(text=text).outputs["data"]).output


@dsl.pipeline
def nested(a: int = 4) -> NamedTuple("Nested", [("sum", int), ("word", str)]):
    from collections import namedtuple

    one = inner(a=a)
    two = inner(a=one.outputs["sum"], word="outer")
    return namedtuple("Nested", ["sum", "word"])(two.outputs["sum"], one.outputs["word"])


@dsl.pipeline
def loops() -> int:
    with dsl.ParallelFor([1, 2, 3]) as number:
        added = add(a=number, b=100)
    return total(numbers=dsl.Collected(added.output)).output


@dsl.pipeline
def loops_over_inputs(words: List[str] = ["x", "y z"]) -> str:
    with dsl.ParallelFor(words, parallelism=1) as word:
        said = say(text=word)
    return join(words=dsl.Collected(said.output)).output


@dsl.pipeline
def ends_with_a_cleanup(a: int = 5) -> int:
    with dsl.ExitHandler(say(text="bye")):
        add(a=a)
    return add(a=a).output


@dsl.pipeline
def branches(a: int = 7) -> str:
    got = add(a=a)
    with dsl.If(got.output > 100):
        one = say(text="large")
    with dsl.Elif(got.output == 17):
        two = say(text="seventeen")
    with dsl.Else():
        three = say(text="other")
    return dsl.OneOf(one.output, two.output, three.output)


@dsl.pipeline
def skipped(flag: bool = False) -> str:
    with dsl.If(flag == True):  # noqa: E712
        say(text="never")
    return say(text="always").output


@dsl.pipeline
def failing():
    fail(why="on purpose")


PIPELINES = [
    numbers, kinds, odd_texts, artifacts, nested, loops, loops_over_inputs, branches,
    ends_with_a_cleanup, skipped, failing,
]  # fmt: skip


def main(folder):
    from kfp import local

    found = {}
    for pipeline in PIPELINES:
        local.init(local.SubprocessRunner(use_venv=False), pipeline_root=f"{folder}/{pipeline.name}", raise_on_error=True)
        try:
            found[pipeline.name] = {name: value for name, value in pipeline().outputs.items()}
        except Exception as error:
            found[pipeline.name] = None
            print(f"{pipeline.name}: {error}", file=sys.stderr)
    with open(f"{folder}/outputs.json", "w") as file:
        json.dump(found, file)


if __name__ == "__main__":
    main(sys.argv[1])
