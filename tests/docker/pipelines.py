"""Pipelines for the tests with Docker, as kfp compiles them."""

import warnings

import yaml
from kfp import compiler, dsl, kubernetes

warnings.filterwarnings("ignore", category=FutureWarning)


def container_pipeline(name, script, image="alpine", args=(), **container) -> dict:
    """A pipeline of one task, which runs a shell script in a container."""
    return {
        "pipelineInfo": {"name": name},
        "schemaVersion": "2.1.0",
        "components": {"comp-work": {"executorLabel": "exec-work"}},
        "deploymentSpec": {"executors": {"exec-work": {"container": {
            "image": image, "command": ["sh", "-c", script], "args": list(args), **container,
        }}}},
        "root": {"dag": {"tasks": {"work": {"taskInfo": {"name": "work"}, "componentRef": {"name": "comp-work"}}}}},
    }


def compiled(pipeline, path) -> dict:
    """The documents of a pipeline as one, which the API takes."""
    compiler.Compiler().compile(pipeline, str(path))
    spec, *platform = yaml.safe_load_all(path.read_text())
    return {"pipeline_spec": spec, "platform_spec": platform[0]} if platform else spec


@dsl.container_component
def greet(name: str, greeting: dsl.OutputPath(str), card: dsl.Output[dsl.Artifact]):
    return dsl.ContainerSpec(
        image="alpine",
        command=["sh", "-ec", 'echo "for $0"; printf "hello %s" "$0" > "$1"; printf "%s" "$0" > "$2"'],
        args=[name, greeting, card.path],
    )


@dsl.container_component
def literal(text: dsl.OutputPath(str)):
    """Writes where KFP's launcher keeps output parameters, without being told."""
    return dsl.ContainerSpec(
        image="alpine", command=["sh", "-ec", "printf literal > /tmp/kfp/outputs/text; echo $0 > /dev/null"], args=[text]
    )


@dsl.component
def shout(card: dsl.Input[dsl.Artifact], loud: dsl.Output[dsl.Dataset]):
    import os

    assert os.environ["WORD"] == "from the component" and os.environ["TOKEN"] == "from the secret"
    with open(card.path) as read, open(loud.path, "w") as write:
        write.write(read.read().upper())
    loud.metadata["letters"] = 3


@dsl.component
def elsewhere(kept: dsl.Output[dsl.Dataset]):
    """Writes an artifact below a path that only its container has."""
    import os

    os.makedirs("/opt/made/deep")
    with open("/opt/made/deep/file", "w") as file:
        file.write("kept")
    kept.custom_path = "/opt/made"


@dsl.component(packages_to_install=["yapf"])
def with_packages(loud: dsl.Input[dsl.Dataset], kept: dsl.Input[dsl.Dataset]) -> str:
    import os

    import yapf

    assert yapf.__file__.startswith(os.environ["VIRTUAL_ENV"])
    return f"{open(loud.path).read()} {loud.metadata['letters']} {open(kept.path + '/deep/file').read()}"


@dsl.component
def where() -> str:
    """The id of the container, or the name of the machine."""
    import socket

    return socket.gethostname()


@dsl.component(base_image="ferroflow-tests/custom:1")
def where_in_own_image() -> str:
    import socket

    return socket.gethostname()


@dsl.container_component
def where_in_container(name: dsl.OutputPath(str)):
    return dsl.ContainerSpec(image="alpine", command=["sh", "-ec", 'printf "%s" "$(cat /etc/hostname)" > "$0"'], args=[name])


@dsl.pipeline(name="everything")
def everything(name: str = "ann") -> str:
    greeted = greet(name=name)
    literal()
    shouted = shout(card=greeted.outputs["card"]).set_env_variable("WORD", "from the component")
    kubernetes.use_secret_as_env(shouted, "vault", {"token": "TOKEN"})
    kept = elsewhere()
    return with_packages(loud=shouted.outputs["loud"], kept=kept.outputs["kept"]).output


@dsl.pipeline(name="places")
def places():
    where()
    where_in_own_image()
    where_in_container()
