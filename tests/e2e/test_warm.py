"""Python components that are forked from waiting interpreters: `--warm`."""

import os
import signal

import pytest
import yaml
from kfp import compiler, dsl

from ferroflow import Server, processes_with, run_pipeline, supervisor_of, wait_until

MANY = 40


@dsl.component
def look(number: int) -> str:
    """Tells how its process was started, and leaves a trace that the next one must not see."""
    import json
    import os
    import sys

    assert not hasattr(json, "trace") and "TRACE" not in os.environ and os.getpid() == os.getpgrp()
    json.trace = os.environ["TRACE"] = "left by another task"
    print("number", number)
    sys.stderr.write("and errors\n")
    with open("/proc/self/cmdline") as words:
        return words.read()


@dsl.component
def end_the_waiting_one() -> str:
    import os
    import signal

    ended = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline") as words, open(f"/proc/{pid}/environ") as variables:
                ours = f"FERROFLOW_SUPERVISOR={os.environ['FERROFLOW_SUPERVISOR']}\0" in variables.read()
                waits = "kfp_warm.py" in words.read() and os.readlink(f"/proc/{pid}/fd/0").startswith("socket:")
        except OSError:
            continue
        if ours and waits:
            os.kill(int(pid), signal.SIGKILL)
            ended += 1
    return str(ended)


@dsl.component
def leave_open(folder: str):
    """The end of the process must close the file and call the hook."""
    import atexit
    import os

    globals()["left_open"] = open(os.path.join(folder, "global"), "w")
    globals()["left_open"].write("written")
    atexit.register(open(os.path.join(folder, "hook"), "w").write, "written")


@dsl.component
def fail():
    raise ValueError("on purpose")


@dsl.component
def use_processes() -> int:
    import multiprocessing
    import subprocess

    subprocess.run(["sleep", "0"], check=True)
    total = 0
    for method in ("fork", "spawn"):
        with multiprocessing.get_context(method).Pool(2) as pool:
            total += sum(pool.map(abs, [-1, -2, -3]))
    return total


@dsl.component(packages_to_install=["six"])
def use_packages() -> str:
    import six

    with open("/proc/self/cmdline") as words:
        return six.ensure_str(words.read())


@dsl.component
def wait_for(folder: str) -> str:
    """Waits, with a process beside it, until it is told to end."""
    import os
    import subprocess
    import time

    with subprocess.Popen(["sleep", "1000"]) as beside:
        open(os.path.join(folder, f"started-{os.getpid()}"), "w").close()
        while not os.path.exists(os.path.join(folder, "end")):
            time.sleep(0.01)
        beside.kill()
    with open("/proc/self/cmdline") as words:
        return words.read()


def in_a_row(*tasks):
    for before, after in zip(tasks, tasks[1:]):
        after.after(before)


@dsl.pipeline
def many():
    in_a_row(*(look(number=number) for number in range(MANY)))


@dsl.pipeline
def ended():
    first = [look(number=number) for number in range(MANY)]
    in_a_row(*first, end_the_waiting_one(), *(look(number=number) for number in range(MANY)))


@dsl.pipeline
def everything():
    in_a_row(*(look(number=number) for number in range(10)), use_processes(), *(use_packages() for _ in range(10)))


@dsl.pipeline
def careless(folder: str):
    in_a_row(*(look(number=number) for number in range(MANY)), leave_open(folder=folder))


@dsl.pipeline
def broken():
    in_a_row(*(look(number=number) for number in range(10)), fail())


@dsl.pipeline
def waiting(folder: str):
    in_a_row(*(look(number=number) for number in range(MANY)), wait_for(folder=folder))


def run(pipeline, data_dir, tmp_path, *words):
    path = tmp_path / "pipeline.yaml"
    compiler.Compiler().compile(pipeline, str(path))
    return run_pipeline(path, data_dir, "--warm", "--disable-cache", *words)


def outputs(results, name):
    return [
        task["outputs"]["parameters"]["Output"]
        for task in results["tasks"]
        if task["path"].startswith(name)
    ]


def test_tasks_are_forked_and_see_nothing_of_each_other(data_dir, tmp_path):
    code, results = run(many, data_dir, tmp_path)
    assert (code, results["state"]) == (0, "SUCCEEDED"), results
    seen = outputs(results, "look")
    assert len(seen) == MANY
    # The first ones do not wait for it.
    assert any("kfp_warm.py" in words for words in seen), seen
    logs = sorted((data_dir / "logs").rglob("*.log"), key=str)
    texts = [log.read_text() for log in logs if log.is_file()]
    assert len([text for text in texts if text.startswith("number ") and "and errors" in text]) == MANY


def test_a_task_does_not_need_the_waiting_one(data_dir, tmp_path):
    code, results = run(ended, data_dir, tmp_path)
    assert (code, results["state"]) == (0, "SUCCEEDED"), results
    assert outputs(results, "end-the-waiting-one") == ["1"]
    assert "kfp_warm.py" in outputs(results, "look")[-1]


def test_components_may_start_processes_and_have_packages(data_dir, tmp_path):
    code, results = run(everything, data_dir, tmp_path)
    assert (code, results["state"]) == (0, "SUCCEEDED"), results
    assert outputs(results, "use-processes") == [12]
    assert any("kfp_warm.py" in words for words in outputs(results, "use-packages"))


def test_what_is_left_open_is_written(data_dir, tmp_path):
    code, results = run(careless, data_dir, tmp_path, "--param", f"folder={tmp_path}")
    assert (code, results["state"]) == (0, "SUCCEEDED"), results
    assert [(tmp_path / name).read_text() for name in ("global", "hook")] == ["written", "written"]


def test_failures_are_told_as_ever(data_dir, tmp_path):
    code, results = run(broken, data_dir, tmp_path)
    assert (code, results["state"]) == (1, "FAILED")
    log = "".join(path.read_text() for path in (data_dir / "logs").rglob("*") if path.is_file())
    assert "ValueError: on purpose" in log


@pytest.fixture
def waits(data_dir, tmp_path):
    """A server with a run whose last task, a forked one, waits: server, run, process, folder."""
    path = tmp_path / "pipeline.yaml"
    compiler.Compiler().compile(waiting, str(path))
    folder = tmp_path / "signals"
    folder.mkdir()
    with Server(data_dir, "--warm") as server:
        run = server.create_run(yaml.safe_load(path.read_text()), parameters={"folder": str(folder)})
        [started] = wait_until(lambda: list(folder.glob("started-*")), 120, "the last task does not start")
        pid = int(started.name.partition("-")[2])
        with open(f"/proc/{pid}/cmdline") as words:
            assert "kfp_warm.py" in words.read()
        yield server, run, pid, folder


def test_the_next_server_adopts_them(waits):
    server, run, _, folder = waits
    server.kill()
    with server.start():
        (folder / "end").touch()
        results = server.wait(run)
        assert results["state"] == "SUCCEEDED"
        assert len(list(folder.glob("started-*"))) == 1


def test_they_end_when_the_run_does(waits):
    server, run, pid, _ = waits
    server.call("POST", f"/apis/v2beta1/runs/{run}:terminate")
    assert server.wait(run)["state"] == "FAILED"
    wait_until(lambda: pid not in processes_with(str(server.data_dir)), 60, "the task lives on")


def test_they_are_found_when_the_supervisor_was_killed(waits):
    server, run, pid, folder = waits
    [supervisor] = supervisor_of(server.data_dir)
    os.kill(supervisor, signal.SIGKILL)
    # A lost attempt is made again, after what was left of it was ended.
    wait_until(lambda: len(list(folder.glob("started-*"))) == 2, 60, "there is no other attempt")
    assert pid not in processes_with(str(server.data_dir))
    (folder / "end").touch()
    assert server.wait(run)["state"] == "SUCCEEDED"
