"""The binary under test, and a server with whose interpreter notebooks share their packages."""

import importlib.util
import os
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[3]


def _helper():
    """By a path, because its name is that of our package."""
    spec = importlib.util.spec_from_file_location('binary_under_test', ROOT / 'tests' / 'e2e' / 'ferroflow.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


BINARY = _helper()
os.environ['FERROFLOW_BIN'] = BINARY.binary()


@pytest.fixture(scope='session')
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp('server')
    with BINARY.Server(folder / 'data', '--python', sys.executable) as server:
        yield server
