"""Artifacts in Google Cloud Storage, as far as its XML protocol is that of S3: objects, parts and lists. Nobody emulates
what else there is of it, so signatures and accounts of Google's are not tried."""

import json

import kfp

from blobs import blobs
from ferroflow import Server


def test_tasks_find_files_and_leave_objects(store, data_dir):
    bucket = store.bucket("googles")
    env = {"STORAGE_EMULATOR_HOST": store.url}
    with Server(data_dir, "--pipeline-root", f"gs://{bucket}/root", env=env) as server:
        made = kfp.Client(host=server.url).create_run_from_pipeline_func(blobs, arguments={})
        ended = made.wait_for_run_completion(timeout=60)
        found = server.results(made.run_id)
        assert ended.state == "SUCCEEDED", json.dumps(found)
        assert "large 20971520 small 10" in str(found)
        [artifact] = server.call("GET", f"/apis/ferroflow/v1/artifacts?run={made.run_id}&task=make")["artifacts"]
        address = f"/apis/ferroflow/v1/artifacts/{artifact['artifact_id']}"
        assert server.call("GET", address)["size_bytes"] == 20971520 + 10
        assert server.call("GET", f"{address}/content?path=small", raw=True) == "x" * 10
    assert [key.rsplit("/", 1)[1] for key in store.keys(bucket)] == ["large", "small"]
    assert all(key.startswith(f"root/blobs/{made.run_id}/") for key in store.keys(bucket))
