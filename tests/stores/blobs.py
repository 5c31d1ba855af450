"""A pipeline that leaves a folder with a small and a large file in a store, and finds it there."""

from kfp import dsl


@dsl.component
def make(out: dsl.Output[dsl.Artifact]):
    import os

    os.makedirs(out.path)
    for name, size in (("small", 10), ("large", 20 << 20)):
        with open(os.path.join(out.path, name), "wb") as file:
            file.write(b"x" * size)


@dsl.component
def use(made: dsl.Input[dsl.Artifact]) -> str:
    import os

    return " ".join(f"{name} {os.path.getsize(os.path.join(made.path, name))}" for name in sorted(os.listdir(made.path)))


@dsl.pipeline(name="blobs")
def blobs() -> str:
    return use(made=make().outputs["out"]).output
