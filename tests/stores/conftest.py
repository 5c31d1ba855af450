"""A store that speaks S3, for all tests of this folder."""

import os
import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

import s3  # noqa: E402
from ferroflow import processes_with  # noqa: E402


@pytest.fixture(scope="session")
def store():
    with s3.serving() as store:
        yield store


@pytest.fixture
def data_dir(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    yield folder
    for process in processes_with(str(folder)):
        os.kill(process, signal.SIGKILL)
