"""Artifacts in a store that speaks Azure's protocol."""

import shutil
import subprocess
from pathlib import Path

import kfp
import pytest
from azure.storage.blob import BlobServiceClient

from blobs import blobs
from ferroflow import Server
from s3 import free_port, until_open

# The account that every emulator has.
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
HERE = Path(__file__).resolve().parent


@pytest.fixture
def azurite(tmp_path):
    npm = shutil.which("npm")
    assert npm, "npm is missing: install Node 20 or newer"
    if not (HERE / "node_modules" / "azurite").exists():
        subprocess.run([npm, "install", "--silent"], cwd=HERE, check=True)
    port = free_port()
    program = HERE / "node_modules" / ".bin" / "azurite-blob"
    words = ["--blobPort", str(port), "--location", tmp_path / "blobs", "--silent", "--disableTelemetry"]
    server = subprocess.Popen([program, *words, "--skipApiVersionCheck"], stdout=subprocess.DEVNULL)
    until_open(server, port)
    yield f"http://127.0.0.1:{port}"
    server.kill()
    server.wait()


@pytest.mark.parametrize("scheme", ["az", "abfs"])
def test_tasks_find_files_and_leave_blobs(azurite, data_dir, scheme):
    service = BlobServiceClient(f"{azurite}/{ACCOUNT}", credential=KEY)
    container = service.create_container("lab")
    env = {"AZURE_STORAGE_USE_EMULATOR": "true", "AZURITE_BLOB_STORAGE_URL": azurite}
    with Server(data_dir, "--pipeline-root", f"{scheme}://lab/root", env=env) as server:
        made = kfp.Client(host=server.url).create_run_from_pipeline_func(blobs, arguments={})
        ended = made.wait_for_run_completion(timeout=60)
        found = server.call("GET", f"/apis/ferroflow/v1/runs/{made.run_id}")
        assert ended.state == "SUCCEEDED", found
        assert "large 20971520 small 10" in str(found)
    names = sorted(blob.name for blob in container.list_blobs())
    assert [name.rsplit("/", 1)[1] for name in names] == ["large", "small"]
    assert all(name.startswith(f"root/blobs/{made.run_id}/") for name in names)
