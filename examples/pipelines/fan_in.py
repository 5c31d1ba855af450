"""A loop with a limit, a task with a retry, and a sub-pipeline: the shapes that larger pipelines are made of."""

from typing import List

from kfp import dsl


@dsl.component
def count_words(text: str) -> int:
    return len(text.split())


@dsl.component
def total(counts: List[int]) -> int:
    print(f"{len(counts)} texts, {sum(counts)} words")
    return sum(counts)


@dsl.pipeline(name="count-all")
def count_all(texts: List[str]) -> int:
    with dsl.ParallelFor(texts, parallelism=2) as text:
        counted = count_words(text=text).set_retry(num_retries=2, backoff_duration="1s")
    return total(counts=dsl.Collected(counted.output)).output


@dsl.pipeline(name="fan-in", description="Counts the words of some texts, two at a time.")
def fan_in(texts: List[str] = ["to be or not to be", "that is the question", "whether", "nobler in the mind"]) -> int:
    return count_all(texts=texts).output
