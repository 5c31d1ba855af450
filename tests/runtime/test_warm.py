"""The waiting interpreter by itself: what it answers, also when the system gives it no process."""

import json
import os
import select
import socket
import subprocess
import sys
import time

import pytest

from task import RUNTIME

# Loaded by every interpreter that finds it; breaks the fork that FORK names: `first`, or `second` (made by its child).
FAILING_FORK = """
import errno, os
fork, waiting = os.fork, os.getpid()
def failing():
    if (os.getpid() == waiting) == (os.environ.get("FORK") == "first"):
        raise OSError(errno.EAGAIN, "no process")
    return fork()
if os.environ.get("FORK"):
    os.fork = failing
"""


class Waiting:
    def __init__(self, folder, hook=FAILING_FORK, **variables):
        (folder / "sitecustomize.py").write_text(hook)
        self.socket, theirs = socket.socketpair()
        self.socket.settimeout(60)
        self.process = subprocess.Popen(
            [sys.executable, RUNTIME / "kfp_warm.py"], stdin=theirs, env={"PYTHONPATH": str(folder), **variables}
        )
        theirs.close()
        self.lines = self.socket.makefile()

    def line(self):
        return self.lines.readline().strip()

    def ask(self, folder):
        source, executor_input = folder / "ephemeral_component.py", folder / "input.json"
        source.write_text("def say():\n    print('said')\n")
        executor_input.write_text(json.dumps({"outputs": {"outputFile": str(folder / "out.json")}}))
        argv = ["python3", "kfp_task.py", "--component_module_path", str(source), "--executor_input_file"]
        argv += [str(executor_input), "--function_to_execute", "say"]
        request = {"argv": argv, "cwd": str(folder), "env": {}, "log": str(folder / "log")}
        text = json.dumps(request).encode()
        self.socket.sendall(len(text).to_bytes(4, "little") + text)
        return int(self.line())

    def end(self):
        """Hangs up. A second process that served the socket as well would keep it open."""
        self.socket.shutdown(socket.SHUT_WR)
        rest = self.lines.read()
        assert self.process.wait(60) == 0
        return rest

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


def test_a_task_is_a_process_of_its_own(tmp_path):
    waiting = Waiting(tmp_path)
    assert waiting.line() == "ready"
    task = waiting.ask(tmp_path)
    assert task not in (0, waiting.process.pid)
    assert waiting.end() == ""
    wait_until_gone(task)
    # The real kfp, which these tests run beside, says more.
    assert "said" in (tmp_path / "log").read_text().splitlines()


def wait_until_gone(pid):
    try:
        watch = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    assert select.select([watch], [], [], 60)[0], "the task does not end"
    os.close(watch)


@pytest.mark.parametrize("fork", ["first", "second"])
def test_without_a_process_the_answer_is_none_and_one_interpreter_goes_on(fork, tmp_path):
    waiting = Waiting(tmp_path, FORK=fork)
    assert waiting.line() == "ready"
    assert waiting.ask(tmp_path) == 0
    before = waiting.descriptors()
    assert [waiting.ask(tmp_path) for _ in range(20)] == [0] * 20
    # It answers before it has tidied up.
    deadline = time.monotonic() + 60
    while waiting.descriptors() > before:
        assert time.monotonic() < deadline, "descriptors are left open"
        time.sleep(0.01)
    assert not (tmp_path / "log").exists()
    assert waiting.end() == ""


def test_it_does_not_fork_beside_threads(tmp_path):
    hook = "import threading, time\nthreading.Thread(target=time.sleep, args=(600,), daemon=True).start()\n"
    waiting = Waiting(tmp_path, hook=hook)
    assert waiting.line() == "threads"
    waiting.end()
