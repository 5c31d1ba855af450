"""Artifacts in Google Cloud Storage, as far as its XML protocol is that of S3: objects, parts and lists. Nobody emulates
what else there is of it, so signatures and accounts of Google's are not tried."""

import json

import kfp
from kfp import dsl

from ferroflow import Server


@dsl.component
def make(out: dsl.Output[dsl.Artifact]):
    import os

    os.makedirs(out.path)
    for name, size in (("small", 10), ("large", 20 << 20)):
        with open(os.path.join(out.path, name), "wb") as file:
            file.write(b"x" * size)


@dsl.component
def use(made: dsl.Input[dsl.Artifact]) -> str:
    import os

    assert made.path.startswith("/") and "/gcs/" in made.path, made.path
    return " ".join(f"{name} {os.path.getsize(os.path.join(made.path, name))}" for name in sorted(os.listdir(made.path)))


@dsl.pipeline(name="googles")
def googles() -> str:
    return use(made=make().outputs["out"]).output


def test_tasks_find_files_and_leave_objects(store, data_dir):
    bucket = store.bucket("googles")
    env = {"STORAGE_EMULATOR_HOST": store.url}
    with Server(data_dir, "--pipeline-root", f"gs://{bucket}/root", env=env) as server:
        made = kfp.Client(host=server.url).create_run_from_pipeline_func(googles, arguments={})
        ended = made.wait_for_run_completion(timeout=60)
        found = server.results(made.run_id)
        assert ended.state == "SUCCEEDED", json.dumps(found)
        assert "large 20971520 small 10" in str(found)
        [artifact] = server.call("GET", f"/apis/ferroflow/v1/artifacts?run={made.run_id}&task=make")["artifacts"]
        address = f"/apis/ferroflow/v1/artifacts/{artifact['artifact_id']}"
        assert server.call("GET", address)["size_bytes"] == 20971520 + 10
        assert server.call("GET", f"{address}/content?path=small", raw=True) == "x" * 10
    assert [key.rsplit("/", 1)[1] for key in store.keys(bucket)] == ["large", "small"]
    assert all(key.startswith(f"root/googles/{made.run_id}/") for key in store.keys(bucket))
