"""One server for all tests of this folder."""

import json
import sys
import urllib.request
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

from ferroflow import Server  # noqa: E402


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("api") / "data"
    folder.mkdir()
    with Server(folder) as running:
        yield running


@pytest.fixture(scope="session")
def document(server):
    """The OpenAPI document that the server shows."""
    with urllib.request.urlopen(f"{server.url}/apis/v2beta1/openapi.json") as answer:
        return json.load(answer)
