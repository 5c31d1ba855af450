"""Fixtures of the end-to-end tests."""

import os
import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from ferroflow import Server, processes_with  # noqa: E402


@pytest.fixture
def data_dir(tmp_path):
    """A folder that does not exist yet; whatever the test left running in it is ended."""
    folder = tmp_path / "data"
    folder.mkdir()
    yield folder
    for process in processes_with(str(folder)):
        os.kill(process, signal.SIGKILL)


@pytest.fixture
def server(data_dir):
    """A running server with an empty data directory."""
    with Server(data_dir) as running:
        yield running
