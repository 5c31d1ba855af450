"""Fixtures of the tests with a real Docker daemon. A machine on which containers cannot run fails them, and says why."""

import signal
import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "e2e")]

import engine  # noqa: E402
from ferroflow import Server, processes_with  # noqa: E402

import os  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def daemon():
    """A daemon that answers, with images under the names that the tests use."""
    engine.ensure_tags(["python:3.11", "alpine", "ferroflow-tests/custom:1"])


@pytest.fixture
def data_dir(tmp_path):
    """A data directory; whatever the test left running in it is ended."""
    folder = tmp_path / "data"
    folder.mkdir()
    yield folder
    for process in processes_with(str(folder)):
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            pass
    for container in containers_of(folder):
        engine.docker("rm", "--force", container, check=False)


@pytest.fixture
def shared(tmp_path):
    """A folder that tasks in containers see, too."""
    folder = tmp_path / "shared"
    folder.mkdir()
    return folder


@pytest.fixture
def server(data_dir, shared):
    """A server that runs all tasks in containers."""
    with Server(data_dir, "--executor", "docker", "--mount", str(shared), "--parallelism", "4") as running:
        yield running


def containers_of(data_dir, *words) -> list:
    """Ids of the containers of a data directory, also those that have ended."""
    found = engine.docker("ps", "--all", "--quiet", "--filter", f"label=io.ferroflow.data={data_dir}", *words)
    return found.stdout.split()
