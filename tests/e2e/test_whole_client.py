"""Every method of `kfp.Client`, every command of `kfp`, and every method of the generated `kfp_server_api`."""

import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import kfp
import kfp_server_api
import pytest
from kfp import dsl

from ferroflow import SAMPLES

HELLO = str(SAMPLES / "hello_world.yaml")


@dsl.component
def double(number: int) -> int:
    return 2 * number


@dsl.component
def rest():
    import time

    time.sleep(100)


@dsl.pipeline(name="resting")
def resting():
    rest()


@dsl.pipeline(name="doubled")
def doubled(number: int = 4) -> int:
    return double(number=number).output


class Recorder:
    """A client that notes which methods were called."""

    def __init__(self, client):
        self.client = client
        self.called = set()

    def __getattr__(self, name):
        found = getattr(self.client, name)
        if inspect.ismethod(found):
            self.called.add(name)
        return found


def public(owner):
    return {name for name, _ in inspect.getmembers(owner, inspect.isfunction) if not name.startswith("_")}


def test_every_method_of_the_client(server, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    client = Recorder(kfp.Client(host=server.url))

    assert client.get_kfp_healthz().multi_user is False
    client.set_user_namespace("")
    assert client.get_user_namespace() == ""

    experiment = client.create_experiment("all methods", description="of the client")
    assert client.get_experiment(experiment_name="all methods").experiment_id == experiment.experiment_id
    assert experiment.experiment_id in [one.experiment_id for one in client.list_experiments().experiments]

    pipeline = client.upload_pipeline(HELLO, pipeline_name="hello")
    second = client.upload_pipeline_version(HELLO, pipeline_version_name="second", pipeline_name="hello")
    other = client.upload_pipeline_from_pipeline_func(doubled, pipeline_name="doubled", description="from a function")
    third = client.upload_pipeline_version_from_pipeline_func(
        doubled, pipeline_version_name="again", pipeline_id=other.pipeline_id
    )
    assert client.get_pipeline_id("doubled") == other.pipeline_id
    assert client.get_pipeline(other.pipeline_id).description == "from a function"
    assert client.list_pipelines().total_size == 2
    versions = client.list_pipeline_versions(pipeline.pipeline_id, sort_by="created_at desc").pipeline_versions
    assert second.pipeline_version_id in [version.pipeline_version_id for version in versions]
    found = client.get_pipeline_version(other.pipeline_id, third.pipeline_version_id)
    assert found.pipeline_spec["pipelineInfo"]["name"] == "doubled"

    ids = {"experiment_id": experiment.experiment_id}
    started = client.run_pipeline(
        job_name="by version", pipeline_id=other.pipeline_id, version_id=third.pipeline_version_id,
        params={"number": 21}, **ids,
    )
    assert client.wait_for_run_completion(started.run_id, timeout=60, sleep_duration=1).state == "SUCCEEDED"
    package = client.create_run_from_pipeline_package(HELLO, experiment_id=experiment.experiment_id)
    function = client.create_run_from_pipeline_func(doubled, arguments={"number": 3}, experiment_name="all methods")
    for result in (package, function):
        assert result.wait_for_run_completion(timeout=60).state == "SUCCEEDED"
    assert client.list_runs(**ids).total_size == 3
    client.terminate_run(client.create_run_from_pipeline_func(resting, **ids).run_id)
    client.archive_run(started.run_id)
    assert client.get_run(started.run_id).storage_state == "ARCHIVED"
    client.unarchive_run(started.run_id)
    client.delete_run(started.run_id)

    schedule = client.create_recurring_run(
        job_name="nightly", cron_expression="0 0 3 * * *", pipeline_id=pipeline.pipeline_id,
        version_id=second.pipeline_version_id, enabled=False, **ids,
    )
    number = schedule.recurring_run_id
    for enable, disable in (
        (client.enable_recurring_run, client.disable_recurring_run),
        (client.enable_job, client.disable_job),
    ):
        enable(number)
        assert client.get_recurring_run(number).status == "ENABLED"
        disable(number)
        assert client.get_recurring_run(number).status == "DISABLED"
    assert len(client.list_recurring_runs(**ids).recurring_runs) == 1
    client.delete_recurring_run(number)
    again = client.create_recurring_run(
        job_name="hourly", interval_second=3600, pipeline_package_path=HELLO, enabled=False, **ids
    )
    client.delete_job(again.recurring_run_id)

    client.archive_experiment(experiment.experiment_id)
    client.unarchive_experiment(experiment.experiment_id)
    client.delete_experiment(experiment.experiment_id)
    for version in client.list_pipeline_versions(pipeline.pipeline_id).pipeline_versions:
        client.delete_pipeline_version(pipeline.pipeline_id, version.pipeline_version_id)
    client.delete_pipeline(pipeline.pipeline_id)

    # `__getattr__` sees all but what the methods call themselves.
    assert public(kfp.Client) - client.called == set()
    assert len(client.called) == 39


class CommandLine:
    """The `kfp` command against a server; notes which commands were used."""

    def __init__(self, server, home):
        self.server = server
        self.home = home
        self.used = set()

    def __call__(self, *words, output="json"):
        self.used.add(" ".join(words[:2]))
        command = [str(Path(sys.executable).with_name("kfp")), "--endpoint", self.server.url, "--output", output]
        environment = {**os.environ, "HOME": str(self.home), "PYTHONWARNINGS": "ignore"}
        done = subprocess.run(
            [*command, *map(str, words)], capture_output=True, text=True, timeout=120, env=environment, input="y\ny\n"
        )
        assert done.returncode == 0, f"kfp {' '.join(map(str, words))}: {done.stdout}{done.stderr}"
        return done.stdout

    def json(self, *words):
        text = self(*words)
        begin = min(place for place in (text.find("{"), text.find("[")) if place >= 0)
        return json.JSONDecoder().raw_decode(text[begin:])[0]


def known_commands():
    """All commands that talk to a server."""
    from kfp.cli import cli

    groups = {"run", "recurring-run", "experiment", "pipeline"}
    return {f"{group} {name}" for group in groups for name in cli.cli.commands[group].commands}


def test_every_command(server, tmp_path):
    kfp_command = CommandLine(server, tmp_path)
    experiment = kfp_command.json("experiment", "create", "by command")["experiment_id"]
    kfp_command("experiment", "get", experiment)
    assert "by command" in kfp_command("experiment", "list", output="table")

    pipeline = kfp_command.json("pipeline", "create", "-p", "hello", HELLO)["pipeline_id"]
    version = kfp_command.json("pipeline", "create-version", "-v", "second", "-p", pipeline, HELLO)
    version = version["pipeline_version_id"]
    kfp_command("pipeline", "get", pipeline)
    kfp_command("pipeline", "get-version", pipeline, version)
    assert "hello" in kfp_command("pipeline", "list", output="table")
    assert "second" in kfp_command("pipeline", "list-versions", pipeline)

    made = kfp_command.json("run", "create", "-e", "by command", "-r", "one", "-p", pipeline, "-v", version, "-w")
    run = made["run_id"]
    kfp_command("run", "get", run)
    assert "one" in kfp_command("run", "list", "-e", experiment, output="table")
    kfp_command("run", "archive", run)
    kfp_command("run", "unarchive", run)
    kfp_command("run", "delete", run)

    words = ["--cron-expression", "0 0 3 * * *", "--job-name", "nightly", "--experiment-name", "by command"]
    schedule = kfp_command.json("recurring-run", "create", *words, "--pipeline-id", pipeline, "--version-id", version)
    schedule = schedule["recurring_run_id"]
    kfp_command("recurring-run", "get", schedule)
    kfp_command("recurring-run", "list", "-e", experiment)
    kfp_command("recurring-run", "disable", schedule)
    kfp_command("recurring-run", "enable", schedule)
    kfp_command("recurring-run", "delete", schedule)

    kfp_command("experiment", "archive", "--experiment-id", experiment)
    kfp_command("experiment", "unarchive", "--experiment-id", experiment)
    kfp_command("experiment", "delete", experiment)
    kfp_command("pipeline", "delete-version", pipeline, version)
    first = kfp_command.json("pipeline", "list-versions", pipeline)
    first = first if isinstance(first, list) else [first]
    for one in first:
        kfp_command("pipeline", "delete-version", pipeline, one["pipeline_version_id"])
    kfp_command("pipeline", "delete", pipeline)
    assert known_commands() - kfp_command.used == set()


def api_methods():
    """Every method of the generated classes that makes a request, with its class."""
    for name, api in inspect.getmembers(kfp_server_api, inspect.isclass):
        if name.endswith("ServiceApi"):
            for method, _ in inspect.getmembers(api, inspect.isfunction):
                if not method.startswith("_") and not method.endswith("_with_http_info"):
                    yield pytest.param(api, method, id=f"{name}.{method}")


@pytest.mark.parametrize("api, method", api_methods())
def test_every_method_of_the_generated_api(api, method, server, tmp_path):
    """Each is asked about nothing in particular: an answer that its class can read, or a refusal with a reason."""
    configuration = kfp_server_api.Configuration(host=server.url)
    # What is sent is checked by the server, which is the point.
    configuration.client_side_validation = False
    call = getattr(api(kfp_server_api.ApiClient(configuration)), method)
    file = tmp_path / "pipeline.yaml"
    file.write_bytes(Path(HELLO).read_bytes())
    arguments = []
    for parameter in inspect.signature(call).parameters.values():
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            continue
        if parameter.default is not parameter.empty:
            continue
        name = parameter.name
        arguments.append(str(file) if "file" in name else {} if name.endswith(("_body", "body")) else "nothing")
    try:
        call(*arguments)
    except kfp_server_api.ApiException as refusal:
        assert refusal.status in (400, 404, 409, 501), refusal
        assert json.loads(refusal.body).get("message") or json.loads(refusal.body)["error_message"]
