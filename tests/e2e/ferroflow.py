"""Starts the real binary and talks to it, for the tests in this folder.

Everything happens in temporary folders and on ports that the system chooses.
"""

import json
import os
import re
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "examples" / "pipelines"
READY = re.compile(r"ready: (https?://\S+)")
ENDED = {"SUCCEEDED", "FAILED", "SKIPPED", "CANCELED"}


def binary() -> str:
    """The binary under test: FERROFLOW_BIN, else the newest build of this checkout."""
    chosen = os.environ.get("FERROFLOW_BIN")
    if chosen:
        return chosen
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    builds = [path for path in (target / "release" / "ferroflow", target / "debug" / "ferroflow") if path.exists()]
    assert builds, "there is no binary: run `cargo build`, or set FERROFLOW_BIN"
    return str(max(builds, key=lambda path: path.stat().st_mtime))


def run_cli(*words, data_dir=None, timeout=300, env=None, **options) -> subprocess.CompletedProcess:
    """Runs `ferroflow` with these words to its end."""
    command = [binary(), *map(str, words)]
    if data_dir is not None:
        command += ["--data-dir", str(data_dir)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=timeout, env={**os.environ, **(env or {})}, **options
    )


def run_pipeline(path, data_dir, *words, **options) -> tuple[int, dict]:
    """Runs a pipeline by `ferroflow run --json`; returns the exit code and the results."""
    done = run_cli("run", path, "--json", *words, data_dir=data_dir, **options)
    assert done.stdout, f"exit code {done.returncode}: {done.stderr}"
    return done.returncode, json.loads(done.stdout)


class ApiError(Exception):
    """An answer that is no success."""

    def __init__(self, status, body):
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body


class Server:
    """A server with a data directory; `with` stops it."""

    def __init__(self, data_dir, *flags, listen="127.0.0.1:0", env=None):
        self.data_dir = Path(data_dir)
        self.flags = flags
        self.listen = listen
        self.env = env or {}
        self.process = None
        self.url = None

    def start(self):
        command = [binary(), "up", "--listen", self.listen, "--data-dir", str(self.data_dir), *self.flags]
        log = open(self.data_dir.parent / f"{self.data_dir.name}.server.log", "a")
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, text=True, env={**os.environ, **self.env}
        )
        log.close()
        line = self.process.stdout.readline()
        found = READY.search(line)
        assert found, f"the server did not get ready: {line!r}, exit code {self.process.poll()}"
        self.url = found.group(1)
        # Nobody reads what comes after; the pipe must not fill up.
        threading.Thread(target=self.process.stdout.read, daemon=True).start()
        return self

    def kill(self):
        """Ends the server as a power cut would end it."""
        self.process.kill()
        self.process.wait()

    def stop(self, timeout=30) -> int:
        """Asks the server to end and returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def __enter__(self):
        return self if self.process and self.process.poll() is None else self.start()

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.stop()

    def call(self, method, path, body=None, raw=False, timeout=60):
        """One request; JSON in and out unless `raw`."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.url + path, method=method, data=data, headers={"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                content = answer.read()
        except urllib.error.HTTPError as error:
            raise ApiError(error.code, error.read().decode(errors="replace")) from None
        return content.decode(errors="replace") if raw else json.loads(content or b"{}")

    def create_run(self, pipeline: dict, name="run", parameters=None) -> str:
        body = {"display_name": name, "pipeline_spec": pipeline, "runtime_config": {"parameters": parameters or {}}}
        return self.call("POST", "/apis/v2beta1/runs", body)["run_id"]

    def results(self, run_id) -> dict:
        return self.call("GET", f"/apis/ferroflow/v1/runs/{run_id}")

    def wait(self, run_id, timeout=120) -> dict:
        """The results of a run once it has ended."""
        found = wait_until(lambda: ended(self.results(run_id)), timeout, f"run {run_id} does not end")
        return found

    def log(self, run_id, node) -> str:
        return self.call("GET", f"/apis/v2beta1/runs/{run_id}/nodes/{node}/log", raw=True)


def ended(results):
    return results if results["state"] in ENDED else None


def wait_until(check, timeout, what):
    """Asks again until the answer is true, and returns it."""
    deadline = time.monotonic() + timeout
    while True:
        found = check()
        if found:
            return found
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def task(results, name) -> dict:
    """The only task of this path or, if there is none, of this display name."""
    by_path = [task for task in results["tasks"] if task["path"] == name]
    found = by_path or [task for task in results["tasks"] if task["display_name"] == name]
    assert len(found) == 1, f"{len(found)} tasks are called {name}"
    return found[0]


def shell_pipeline(name, tasks: dict) -> dict:
    """A pipeline of shell tasks: name → script, or name → (script, names of the tasks before it)."""
    components, executors, dag = {}, {}, {}
    for key, value in tasks.items():
        script, before = value if isinstance(value, tuple) else (value, [])
        components[f"comp-{key}"] = {"executorLabel": f"exec-{key}"}
        executors[f"exec-{key}"] = {"container": {"image": "any", "command": ["sh", "-c", script]}}
        dag[key] = {"taskInfo": {"name": key}, "componentRef": {"name": f"comp-{key}"}, "dependentTasks": before}
    return {
        "pipelineInfo": {"name": name},
        "schemaVersion": "2.1.0",
        "sdkVersion": "kfp-2.17.0",
        "components": components,
        "deploymentSpec": {"executors": executors},
        "root": {"dag": {"tasks": dag}},
    }


def processes_with(marker: str) -> list[int]:
    """Ids of the processes with this text among their words or in their environment."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            text = (folder / "cmdline").read_bytes() + b"\0" + (folder / "environ").read_bytes()
            state = (folder / "stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            continue
        if marker.encode() in text and state != "Z":
            found.append(int(folder.name))
    return found


def supervisor_of(data_dir) -> list[int]:
    """Process ids of the supervisors of a data directory."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"supervisor" in words and str(data_dir).encode() in words:
            found.append(int(folder.name))
    return found
