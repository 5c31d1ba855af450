"""What runs again and what does not: the cache, retries from a task, exit tasks of runs that are ended."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from ferroflow import ApiError, Server, binary, run_cli, run_pipeline, shell_pipeline, task, wait_until


def write(folder, pipeline, platform=None) -> Path:
    path = folder / "pipeline.yaml"
    path.write_text(json.dumps(pipeline) + (f"\n---\n{json.dumps(platform)}" if platform else ""))
    return path


def caching_pipeline(effects):
    """`make` writes what it is told into an artifact, `read` reads it; both write down that they ran."""
    data = {"artifactType": {"schemaTitle": "system.Dataset", "schemaVersion": "0.0.1"}}
    spec = shell_pipeline("twice", {
        "make": f'echo made {{{{$.inputs.parameters[\'n\']}}}}; echo make >> {effects}; '
                'mkdir -p "$(dirname "$0")"; echo {{$.inputs.parameters[\'n\']}} > "$0"',
        "read": f'echo read >> {effects}; cat "$0"',
    })
    root, components = spec["root"], spec["components"]
    containers = spec["deploymentSpec"]["executors"]
    number = {"parameters": {"n": {"parameterType": "NUMBER_INTEGER", "defaultValue": 1, "isOptional": True}}}
    root["inputDefinitions"] = components["comp-make"]["inputDefinitions"] = number
    components["comp-make"]["outputDefinitions"] = {"artifacts": {"data": data}}
    components["comp-read"]["inputDefinitions"] = {"artifacts": {"data": data}}
    containers["exec-make"]["container"]["args"] = ["{{$.outputs.artifacts['data'].path}}"]
    containers["exec-read"]["container"]["args"] = ["{{$.inputs.artifacts['data'].path}}"]
    tasks = root["dag"]["tasks"]
    tasks["make"]["inputs"] = {"parameters": {"n": {"componentInputParameter": "n"}}}
    source = {"producerTask": "make", "outputArtifactKey": "data"}
    tasks["read"]["inputs"] = {"artifacts": {"data": {"taskOutputArtifact": source}}}
    for one in tasks.values():
        one["cachingOptions"] = {"enableCache": True}
    return spec


def states(results):
    return {name: task(results, name)["state"] for name in ("make", "read")}


def test_results_are_taken_over_until_something_changes_and_the_reason_is_told(data_dir, tmp_path):
    effects = tmp_path / "effects"
    path = write(tmp_path, caching_pipeline(effects))

    def run(*words):
        effects.write_text("")
        code, results = run_pipeline(path, data_dir, *words)
        assert code == 0, results
        return results, effects.read_text().split()

    def explain(results, name):
        done = run_cli("explain-cache", results["run_id"], name, "--json", data_dir=data_dir)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    first, ran = run()
    assert ran == ["make", "read"] and explain(first, "make")["outcome"] == "miss"
    second, ran = run()
    assert (states(second), ran) == ({"make": "CACHED", "read": "CACHED"}, [])
    told = explain(second, "read")
    assert told["outcome"] == "hit" and told["compared_with"]["run"]["id"] == first["run_id"]
    assert run_cli("logs", second["run_id"], "make", data_dir=data_dir).stdout == "made 1\n"

    changed, ran = run("-p", "n=2")
    assert ran == ["make", "read"]
    told = explain(changed, "make")
    assert told["differences"] == [{"part": "input parameter n", "then": 1, "now": 2}]
    text = run_cli("explain-cache", changed["run_id"], "make", data_dir=data_dir).stdout
    assert "input parameter n: 1 before, 2 now" in text and second["run_id"] in text

    assert run("--cache-max-age", "3600")[1] == []
    aged, ran = run("--cache-max-age", "0")
    assert ran == ["make", "read"] and "older than 0 s" in explain(aged, "make")["reason"]
    assert run("--disable-cache")[1] == ["make", "read"]
    assert run("--cache-enabled", "False")[1] == ["make", "read"]
    assert run("--cache-scope", "mine")[1] == ["make", "read"]
    assert run("--cache-scope", "mine")[1] == []

    newest = run()[0]
    origin = explain(newest, "make")["compared_with"]["run"]["id"]
    shutil.rmtree(data_dir / "artifacts" / "twice" / origin)
    assert run("--compat", "unverified-hits")[0]["state"] == "SUCCEEDED"
    lost, ran = run()
    assert ran == ["make", "read"] and "is gone" in explain(lost, "make")["reason"]
    assert run()[1] == []


def test_a_run_goes_on_from_a_task(server, tmp_path):
    effects = tmp_path / "effects"
    step = f"echo $0 >> {effects}"
    spec = shell_pipeline("steps", {
        "first": "echo one", "second": (f"{step}; test -e {tmp_path}/good", ["first"]), "third": (step, ["second"]),
    })
    for executor in ("second", "third"):
        spec["deploymentSpec"]["executors"][f"exec-{executor}"]["container"]["args"] = [executor]
    run = server.create_run(spec)
    assert server.wait(run)["state"] == "FAILED" and effects.read_text().split() == ["second"]
    (tmp_path / "good").touch()
    done = run_cli("retry", run, data_dir=server.data_dir)
    assert done.returncode == 0, done.stderr
    assert effects.read_text().split() == ["second", "second", "third"]
    server.call("POST", f"/apis/ferroflow/v1/runs/{run}:retry", {"from_task": "third"})
    assert server.wait(run)["state"] == "SUCCEEDED"
    for word, code in (({"from_task": "fourth"}, 404), ({"from": "x"}, 400), ({}, 409)):
        with pytest.raises(ApiError) as refused:
            server.call("POST", f"/apis/ferroflow/v1/runs/{run}:retry", word)
        assert refused.value.status == code, refused.value
    assert run_cli("logs", run, "first", data_dir=server.data_dir).stdout == "one\n"
    assert run_cli("logs", run, "nothing", data_dir=server.data_dir).returncode == 2
    server.stop()
    # Without a server the command does the work itself.
    done = run_cli("retry", run, "--from", "second", "--json", data_dir=server.data_dir)
    results = json.loads(done.stdout)
    attempts = {name: task(results, name)["attempt"] for name in ("first", "second", "third")}
    assert (done.returncode, attempts) == (0, {"first": 1, "second": 3, "third": 3}), results
    assert run_cli("retry", run, data_dir=server.data_dir).returncode == 2


def test_a_log_is_followed(server, tmp_path):
    gate = tmp_path / "gate"
    run = server.create_run(
        shell_pipeline("talk", {"work": f"echo early; until test -e {gate}; do sleep 0.05; done; echo late"})
    )
    words = [binary(), "logs", "-f", run, "work", "--data-dir", str(server.data_dir)]
    wait_until(lambda: task_has_log(server, run), 30, "the task does not start")
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as follower:
        assert follower.stdout.readline() == "early\n"
        gate.touch()
        assert follower.stdout.read() == "late\n"
    assert follower.returncode == 0


def task_has_log(server, run):
    try:
        return server.call("GET", f"/apis/ferroflow/v1/runs/{run}/tasks/work/log/raw", raw=True)
    except ApiError:
        return None


def exit_pipeline(marker, started):
    spec = shell_pipeline("exits", {
        "work": f"touch {started}; sleep 600", "clean": (f'printf %s "$0" > {marker}', ["work"]),
    })
    spec["deploymentSpec"]["executors"]["exec-clean"]["container"]["args"] = ["{{$.inputs.parameters['status']}}"]
    status = {"parameters": {"status": {"parameterType": "TASK_FINAL_STATUS", "isOptional": True}}}
    spec["components"]["comp-clean"]["inputDefinitions"] = status
    clean = spec["root"]["dag"]["tasks"]["clean"]
    clean["triggerPolicy"] = {"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"}
    clean["inputs"] = {"parameters": {"status": {"taskFinalStatus": {"producerTask": "work"}}}}
    return spec


def test_exit_tasks_run_when_a_run_is_terminated(data_dir, tmp_path):
    marker, started = tmp_path / "marker", tmp_path / "started"
    with Server(data_dir) as server:
        run = server.create_run(exit_pipeline(marker, started))
        wait_until(started.exists, 30, "the task does not start")
        server.call("POST", f"/apis/v2beta1/runs/{run}:terminate")
        results = server.wait(run)
    assert results["state"] == "FAILED" and task(results, "clean")["state"] == "SUCCEEDED", results
    told = json.loads(marker.read_text())
    assert told["state"] == "CANCELED" and "terminated" in told["error"]["message"], told


def test_a_run_ends_at_its_deadline_but_exit_tasks_run(data_dir, tmp_path):
    marker, started = tmp_path / "marker", tmp_path / "started"
    platform = {"platforms": {"kubernetes": {"pipelineConfig": {"activeDeadlineSeconds": 1}}}}
    path = write(tmp_path, exit_pipeline(marker, started), platform)
    code, results = run_pipeline(path, data_dir)
    assert code == 1 and "deadline of 1 s" in results["error"]["message"], results
    assert json.loads(marker.read_text())["state"] == "CANCELED"
