"""Runs one component by the real executor of kfp and by ours, each in a folder of its own."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

RUNTIME = Path(__file__).resolve().parents[2] / "crates/ferroflow-executor-local/kfp-runtime"

# What the SDK writes above each function.
HEADER = """
import kfp
from kfp import dsl
from kfp.dsl import *
from typing import *

"""


@dataclass
class Result:
    """What a task left behind; its folder is written as `ROOT` wherever it occurs."""

    exit_code: int
    output: object
    files: dict
    log: str = field(compare=False)


def parameter(name):
    return {name: {"outputFile": f"ROOT/parameters/{name}"}}


def artifact(name, title="", uri=None, **more):
    """One artifact as the launcher describes it: inputs come without a title."""
    schema = {"schemaTitle": title, "schemaVersion": "0.0.1"} if title else {"instanceSchema": ""}
    return {"name": name, "type": schema, "uri": uri or f"ROOT/task/{name}", "metadata": {}, **more}


def executor_input(parameters=None, artifacts=None, output_parameters=(), output_artifacts=()):
    """An executor input; artifacts are lists by name, output artifacts single ones."""
    inputs = {}
    if parameters is not None:
        inputs["parameterValues"] = parameters
    if artifacts is not None:
        inputs["artifacts"] = {name: {"artifacts": given} for name, given in artifacts.items()}
    outputs = {"outputFile": "ROOT/task/output_metadata.json"}
    if output_parameters:
        outputs["parameters"] = {key: value for name in output_parameters for key, value in parameter(name).items()}
    if output_artifacts:
        outputs["artifacts"] = {one["name"]: {"artifacts": [one]} for one in output_artifacts}
    return {"inputs": inputs, "outputs": outputs}


def run_real(root, source, given, **options):
    """As upstream's launcher does: the document is a word of the command."""
    command = [sys.executable, "-m", "kfp.dsl.executor_main"]
    return run(command, lambda text: ["--executor_input", text], {}, root, source, given, **options)


def run_ours(root, source, given, env=None, **options):
    """As the executor does: the document is a file."""

    def words(text):
        path = root / "executor_input.json"
        path.write_text(text, encoding="utf-8")
        return ["--executor_input_file", str(path)]

    command = [sys.executable, str(RUNTIME / "kfp_task.py")]
    own = {"PYTHONPATH": str(RUNTIME), **(env or {})}
    return run(command, words, own, root, source, given, **options)


def run_ours_as_module(root, source, given, **options):
    """As a command that runs as written, with our runtime in the place of kfp."""
    command = [sys.executable, "-m", "kfp.dsl.executor_main"]
    return run(command, lambda text: ["--executor_input", text], {"PYTHONPATH": str(RUNTIME)}, root, source, given, **options)


def run(command, input_words, env, root, source, given, function="task", files=(), more_env=(), containerised=False, more=()):
    root.mkdir(parents=True)
    for name, text in dict(files).items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("ROOT", str(root)), encoding="utf-8")
    words = [*command, *input_words(json.dumps(given).replace("ROOT", str(root))), "--function_to_execute", function, *more]
    env = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **env, **dict(more_env)}
    if containerised:
        (root / "kfp_config.ini").write_text(f"[Components]\n{function} = component.py\n")
        (root / "component.py").write_text(source, encoding="utf-8")
    else:
        (root / "source").mkdir()
        path = root / "source/ephemeral_component.py"
        path.write_text(HEADER + source, encoding="utf-8")
        words += ["--component_module_path", str(path)]
        env["_KFP_RUNTIME"] = "true"
    done = subprocess.run(words, cwd=root, env=env, capture_output=True, text=True, encoding="utf-8", check=False)
    return Result(done.returncode, *_left_in(root), done.stdout + done.stderr)


def _left_in(root):
    output, files = None, {}
    for folder in ("task", "parameters", "elsewhere"):
        for path in sorted((root / folder).rglob("*")):
            if path.is_file():
                text = path.read_text(encoding="utf-8").replace(str(root), "ROOT")
                if path.name == "output_metadata.json":
                    output = json.loads(text)
                else:
                    files[str(path.relative_to(root))] = text
    return output, files
