"""Kills, at random instants, whatever should survive it. The seed is printed; FERROFLOW_SEED repeats a failure."""

import json
import os
import random
import signal
import subprocess
import time

import pytest

from ferroflow import Server, binary, processes_with, shell_pipeline, supervisor_of, wait_until

RUNS = 20
SERVER_KILLS = 50
SUPERVISOR_KILLS = 10
# Few enough that work is left at the last kill.
PARALLELISM = "4"


@pytest.fixture
def chance():
    seed = int(os.environ.get("FERROFLOW_SEED", "20261125"))
    print(f"FERROFLOW_SEED={seed}")
    return random.Random(seed)


def counting_task(effects, key, seconds):
    """Adds one to its input, and writes down each start and each end beside it."""
    script = (
        f'echo "start $$" >> {effects}/$2; sleep {seconds:.2f}; mkdir -p "$(dirname "$1")"; '
        f'printf %s $(($0 + 1)) > "$1"; echo "end $$" >> {effects}/$2'
    )
    return {
        "image": "any",
        "command": ["sh", "-c", script],
        "args": [
            "{{$.inputs.parameters['number']}}",
            "{{$.outputs.parameters['number'].output_file}}",
            "{{$.pipeline_job_name}}." + key,
        ],
    }


def counting_pipeline(effects, chance):
    """A diamond with a tail: count → left and right → sum (of the left one) → a chain of four."""
    before = {"count": None, "left": "count", "right": "count", "sum": "left"}
    before |= {f"tail-{index}": f"tail-{index - 1}" if index else "sum" for index in range(4)}
    number = {"parameters": {"number": {"parameterType": "NUMBER_INTEGER"}}}
    components, executors, tasks = {}, {}, {}
    for key, source in before.items():
        components[f"comp-{key}"] = {
            "executorLabel": f"exec-{key}", "inputDefinitions": number, "outputDefinitions": number,
        }
        executors[f"exec-{key}"] = {"container": counting_task(effects, key, chance.uniform(0.02, 0.9))}
        given = (
            {"taskOutputParameter": {"producerTask": source, "outputParameterKey": "number"}}
            if source else {"runtimeValue": {"constant": 0}}
        )
        tasks[key] = {
            "taskInfo": {"name": key},
            "componentRef": {"name": f"comp-{key}"},
            "dependentTasks": [source] if source else [],
            "inputs": {"parameters": {"number": given}},
        }
    tasks["sum"]["dependentTasks"].append("right")
    return {
        "pipelineInfo": {"name": "counting"},
        "schemaVersion": "2.1.0",
        "components": components,
        "deploymentSpec": {"executors": executors},
        "root": {
            "dag": {
                "tasks": tasks,
                "outputs": {"parameters": {"number": {"valueFromParameter": {
                    "producerSubtask": "tail-3", "outputParameterKey": "number",
                }}}},
            },
            "outputDefinitions": number,
        },
    }


def create_runs(server, effects, chance, count):
    return {f"run-{index}": server.create_run(counting_pipeline(effects, chance), f"run-{index}") for index in range(count)}


def check_ends(server, runs):
    """All runs end as if nothing had happened."""
    for name, run_id in runs.items():
        results = server.wait(run_id, 120)
        assert results["state"] == "SUCCEEDED", (name, results)
        assert results["outputs"]["parameters"] == {"number": 7}, (name, results["outputs"])


def effects_of(effects):
    return {file.name: file.read_text().splitlines() for file in effects.iterdir()}


def test_runs_end_as_if_the_server_had_never_been_killed(data_dir, tmp_path, chance):
    effects = tmp_path / "effects"
    effects.mkdir()
    server = Server(data_dir, "--parallelism", PARALLELISM).start()
    runs = create_runs(server, effects, chance, RUNS)
    server.kill()
    for _ in range(SERVER_KILLS):
        # Not even the ready line is waited for: the kill may hit the start as well.
        command = [binary(), "up", "--listen", "127.0.0.1:0", "--data-dir", data_dir, "--parallelism", PARALLELISM]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(0, 0.3))
        assert process.poll() is None, "the server ended by itself"
        process.kill()
        process.wait()
    with server:
        assert not all_ended(server, runs), "nothing was in flight at the last kill: it showed nothing"
        check_ends(server, runs)
        found = effects_of(effects)
        assert len(found) == RUNS * 8
        for name, lines in found.items():
            words = [line.split()[0] for line in lines]
            assert words == ["start", "end"], f"{name} did not run exactly once: {lines}"


def test_runs_end_right_though_the_supervisor_is_killed(data_dir, tmp_path, chance):
    effects = tmp_path / "effects"
    effects.mkdir()
    server = Server(data_dir, "--parallelism", PARALLELISM).start()
    runs = create_runs(server, effects, chance, RUNS // 2)
    for number in range(SUPERVISOR_KILLS):
        time.sleep(chance.uniform(0.05, 0.4))
        assert not all_ended(server, runs), "nothing is in flight: the kill would show nothing"
        before = finished_tasks(server, runs)
        counts = {name: len(lines) for name, lines in effects_of(effects).items()}
        # Every third time the server goes with it, as in a power cut.
        if number % 3 == 2:
            server.kill()
        for process in supervisor_of(data_dir):
            os.kill(process, signal.SIGKILL)
        if number % 3 == 2:
            server.start()
        else:
            wait_until(lambda: supervisor_of(data_dir) or all_ended(server, runs), 20, "no new supervisor comes")
        for name in before:
            assert len(effects_of(effects)[name]) == counts[name], f"{name} had finished and ran again"
    with server:
        check_ends(server, runs)
        for name, lines in effects_of(effects).items():
            check_attempts(name, [line.split() for line in lines])
    wait_until(lambda: not processes_with(str(effects)), 10, "something runs unseen")


def test_a_killed_command_line_run_is_finished_by_the_next_server(data_dir, tmp_path):
    effects, go_on = tmp_path / "effects", tmp_path / "go-on"
    script = f"echo start >> {effects}; until [ -e {go_on} ]; do sleep 0.05; done; echo end >> {effects}"
    pipeline = tmp_path / "pipeline.json"
    pipeline.write_text(json.dumps(shell_pipeline("orphan", {"first": script, "second": (script, ["first"])})))
    process = subprocess.Popen([binary(), "run", pipeline, "--data-dir", data_dir], stderr=subprocess.DEVNULL)
    wait_until(effects.exists, 30, "the run does not start")
    process.kill()
    process.wait()
    go_on.touch()
    with Server(data_dir) as server:
        [run] = server.call("GET", "/apis/v2beta1/runs")["runs"]
        results = server.wait(run["run_id"])
        assert results["state"] == "SUCCEEDED", results
    assert effects.read_text().split() == ["start", "end", "start", "end"]


def finished_tasks(server, runs):
    """Names of the files of tasks that have ended well, as the server tells."""
    found = set()
    for name, run_id in runs.items():
        results = server.results(run_id)
        found |= {f"{name}.{task['path']}" for task in results["tasks"] if task["state"] == "SUCCEEDED"}
    return found


def all_ended(server, runs):
    return all(server.results(run_id)["state"] in ("SUCCEEDED", "FAILED") for run_id in runs.values())


def check_attempts(name, lines):
    """Attempts come one after the other: what ends is what was started last."""
    running = None
    for word, process in lines:
        if word == "start":
            running = process
        else:
            assert process == running, f"two attempts of {name} ran at once: {lines}"
    assert lines[-1][0] == "end", f"{name} never ended: {lines}"
