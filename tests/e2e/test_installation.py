"""A server set up as platform teams set up KFP's: samples, namespace, service account."""

import json

import pytest

from ferroflow import SAMPLES, Server, shell_pipeline

SAMPLE = (SAMPLES / "hello_world.yaml").read_text()


def pipelines(server):
    found = server.call("GET", "/apis/v2beta1/pipelines").get("pipelines", [])
    return {pipeline["name"]: pipeline for pipeline in found}


def versions(server, pipeline):
    found = server.call("GET", f"/apis/v2beta1/pipelines/{pipeline['pipeline_id']}/versions")
    return sorted(version["name"] for version in found.get("pipeline_versions", []))


def write(tmp_path, config):
    (tmp_path / "hello.yaml").write_text(SAMPLE)
    path = tmp_path / "samples.json"
    path.write_text(json.dumps(config))
    return str(path)


def test_samples_are_loaded_once(data_dir, tmp_path):
    entries = [
        {"name": "first", "file": "hello.yaml", "displayName": "The first", "description": "says hello"},
        {"name": "first", "file": "hello.yaml", "versionName": "v2"},
        {"name": "second", "file": str(tmp_path / "hello.yaml")},
    ]
    config = write(tmp_path, {"pipelines": entries})
    with Server(data_dir, "--sampleconfig", config) as server:
        found = pipelines(server)
        assert sorted(found) == ["first", "second"]
        assert (found["first"]["display_name"], found["first"]["description"]) == ("The first", "says hello")
        assert versions(server, found["first"]) == ["first", "v2"]
        number = found["second"]["pipeline_id"]
        server.call("DELETE", f"/apis/v2beta1/pipelines/{number}?cascade=true")
    # What people removed does not come back,
    with Server(data_dir, "--sampleconfig", config) as server:
        assert sorted(pipelines(server)) == ["first"]
    # unless that is wished for.
    config = write(tmp_path, {"loadSamplesOnRestart": True, "pipelines": entries})
    with Server(data_dir, "--sampleconfig", config) as server:
        found = pipelines(server)
        assert sorted(found) == ["first", "second"]
        assert versions(server, found["first"]) == ["first", "v2"]


def test_the_old_form_of_samples(data_dir, tmp_path):
    config = write(tmp_path, [{"name": "old", "description": "d", "file": "hello.yaml"}])
    with Server(data_dir, "--sampleconfig", config) as server:
        assert versions(server, pipelines(server)["old"]) == ["old"]


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"pipelines": [{"name": "x"}]}, "is not a sample configuration"),
        ({"pipelines": [{"name": "x", "file": "missing.yaml"}]}, "sample `x`: cannot read"),
        ({"pipelines": [{"name": "x", "file": "samples.json"}]}, "sample `x`: "),
    ],
)
def test_broken_samples_are_named(data_dir, tmp_path, config, text):
    server = Server(data_dir, "--sampleconfig", write(tmp_path, config))
    with pytest.raises(AssertionError):
        server.start()
    assert text in (data_dir.parent / f"{data_dir.name}.server.log").read_text()


def test_names_of_the_installation(data_dir):
    settings = {"POD_NAMESPACE": "ml", "DEFAULTPIPELINERUNNERSERVICEACCOUNT": "robot", "PLUGIN_MAX_KEYS": "1"}
    spec = shell_pipeline("named", {"say": "echo said"})
    with Server(data_dir, env=settings) as server:
        run = server.create_run(spec, "by default")
        assert server.call("GET", f"/apis/v2beta1/runs/{run}")["service_account"] == "robot"
        wanted = {"display_name": "nightly", "pipeline_spec": spec, "mode": "DISABLE", "max_concurrency": "1"}
        wanted["plugins_input"] = {"tracker": {"project": "p"}}
        made = server.call("POST", "/apis/v2beta1/recurringruns", wanted)
        assert (made["namespace"], made["service_account"]) == ("ml", "robot")
        assert made["plugins_input"] == wanted["plugins_input"]
