"""One server for all tests of this folder, which use types and names of their own, and clients of it."""

import sys
import uuid
from pathlib import Path

import pytest
from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as pb

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

from ferroflow import Server  # noqa: E402


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("metadata") / "data"
    folder.mkdir()
    with Server(folder) as running:
        yield running


def client_of(server) -> MetadataStore:
    """The client of the package, over gRPC."""
    host, port = server.url.removeprefix("http://").split(":")
    return MetadataStore(pb.MetadataStoreClientConfig(host=host, port=int(port)))


@pytest.fixture
def ours(server):
    return client_of(server)


@pytest.fixture
def theirs():
    """The package's own store in memory: the judge."""
    config = pb.ConnectionConfig()
    config.sqlite.SetInParent()
    return MetadataStore(config)


@pytest.fixture
def unique():
    """A word that no other test uses."""
    return uuid.uuid4().hex[:12]
