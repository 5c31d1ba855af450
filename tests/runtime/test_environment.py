"""Where packages come from, and what a task does whose environment has kfp itself."""

import importlib.util
import json
import sys

import pytest

from task import RUNTIME, artifact, executor_input, run

PUBLIC = "https://pypi.org/simple"
MIRROR = "https://mirror.example/simple"
OWN = "https://own.example/simple"


def load(name):
    spec = importlib.util.spec_from_file_location(name, RUNTIME / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


make_environment = load("make_environment")


def wanted(index_url=None, extra=(), hosts=()):
    return {"packages": ["a"], "no_deps": False, "index_url": index_url, "extra_index_urls": list(extra), "trusted_hosts": list(hosts)}


@pytest.fixture(name="host")
def _host(tmp_path, monkeypatch):
    """The settings of a machine whose pip knows a mirror from its file and one host from a variable."""
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_CERT", "UV_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX"):
        monkeypatch.delenv(name, raising=False)
    config = tmp_path / "pip.conf"
    config.write_text(f"[global]\nindex-url = {MIRROR}\ntrusted-host = from-file\n[install]\nextra-index-url =\n    {OWN}\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(config))
    monkeypatch.setenv("PIP_TRUSTED_HOST", "mirror.example")
    return make_environment.HostSettings([])


@pytest.mark.parametrize("given, index, extra, hosts", [
    (wanted(), None, None, []),
    (wanted(OWN), OWN, None, []),
    (wanted(PUBLIC), MIRROR, None, []),
    (wanted(PUBLIC + "/"), MIRROR, None, []),
    (wanted(OWN, [PUBLIC]), OWN, [MIRROR], []),
    # Whole URLs as hosts have no effect in pip; taking them at their word would switch verification off.
    (wanted(OWN, hosts=[OWN, "http://plain.example:80/simple", "named.example"]), OWN, None, ["plain.example:80", "named.example"]),
])
def test_index(host, given, index, extra, hosts):
    assert make_environment.index_options(given, host) == (index, extra, hosts)


def test_pip_and_uv_are_told_the_same(host):
    """pip reads its settings by itself; uv does not."""
    pip = make_environment.pip_arguments(wanted(), host)
    assert "--index-url" not in pip and pip[-2:] == ["--", "a"]
    uv = make_environment.uv_arguments(wanted(), host, "/env/bin/python3")
    assert uv[uv.index("--index-url") + 1] == MIRROR
    assert uv[uv.index("--extra-index-url") + 1] == OWN
    assert uv[uv.index("--allow-insecure-host") + 1] == "mirror.example"


def test_uv_settings_of_this_machine_stay(host, monkeypatch):
    monkeypatch.setenv("UV_DEFAULT_INDEX", OWN)
    assert "--index-url" not in make_environment.uv_arguments(wanted(), host, "/env/bin/python3")
    assert "--index-url" in make_environment.uv_arguments(wanted(PUBLIC), host, "/env/bin/python3")


def test_kfp_of_the_environment_goes_before_ours(tmp_path):
    """The interpreter of these tests is in such an environment."""
    source = """
def task(data: Input[Dataset], model: Output[Model]) -> list:
    import os
    with open(model.path, 'w') as target:
        target.write(open(data.path).read())
    return [kfp.__file__.endswith('site-packages/kfp/__init__.py'), data.uri, os.environ.get('PYTHONPATH')]
"""
    root = tmp_path / "task"
    given = executor_input(artifacts={"data": [artifact("1", uri="s3://lab/data")]}, output_parameters=["Output"],
                           output_artifacts=[artifact("model", "system.Model", uri="s3://lab/task/model")])
    given["outputs"]["outputFile"] = "ROOT/elsewhere/output_metadata.json"

    def words(text):
        (root / "input.json").write_text(text)
        return ["--executor_input_file", str(root / "input.json")]

    env = {"PYTHONPATH": str(RUNTIME), "FERROFLOW_LOCAL_ROOTS": json.dumps({"s3://lab/": f"{root}/elsewhere"})}
    command = [sys.executable, str(RUNTIME / "kfp_task_in_environment.py")]
    found = run(command, words, env, root, source, given, files={"elsewhere/data": "content"})
    assert found.exit_code == 0, found.log
    assert found.output["parameterValues"]["Output"] == [True, "ROOT/elsewhere/data", None]
    assert found.files["elsewhere/task/model"] == "content"
