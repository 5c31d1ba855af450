"""`ferroflow run` on reference pipelines of KFP, compiled by upstream: they end with the state and values they should.

The pipelines are not part of this repository: they are looked for in FERROFLOW_REFERENCE, else beside the checkout.
"""

import os
from pathlib import Path

import pytest

from ferroflow import ROOT, run_pipeline, task

FOLDER = Path(os.environ.get("FERROFLOW_REFERENCE", ROOT.parent / "shared")) / "upstream" / "valid"

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the reference pipelines are absent: no {FOLDER}")


def run_reference(name, data_dir, *words, code=0) -> dict:
    found, results = run_pipeline(FOLDER / f"{name}.yaml", data_dir, *words, timeout=400)
    assert found == code, results
    assert results["state"] == ("SUCCEEDED" if code == 0 else "FAILED"), results
    if code == 0:
        assert {task["state"] for task in results["tasks"]} <= {"SUCCEEDED", "CACHED"}, results["tasks"]
    return results


def outputs_of(results, name):
    return task(results, name)["outputs"]


def read(artifact) -> str:
    return Path(artifact["uri"].removeprefix("file://")).read_text()


def artifact(results, task_name, output):
    [found] = outputs_of(results, task_name)["artifacts"][output]
    return found


def test_add_numbers(data_dir):
    results = run_reference("critical/add_numbers", data_dir, "-p", "a=3", "-p", "b=4")
    assert results["outputs"]["parameters"] == {"Output": 7}


def test_artifact_cache(data_dir):
    first = run_reference("critical/artifact_cache", data_dir)
    assert read(artifact(first, "mantle/core/core-comp", "dataset")) == "foo"
    again = run_reference("critical/artifact_cache", data_dir)
    assert task(again, "mantle/core/core-comp")["state"] == "CACHED"
    assert artifact(again, "mantle/core/core-comp", "dataset") == artifact(first, "mantle/core/core-comp", "dataset")
    fresh = run_reference("critical/artifact_cache", data_dir, "--no-cache")
    assert {task["state"] for task in fresh["tasks"]} == {"SUCCEEDED"}


def test_collected_parameters(data_dir):
    results = run_reference("critical/collected_parameters", data_dir)
    collected = outputs_of(results, "collecting-parameters")["parameters"]
    assert list(collected.values()) == [["model_id_s1", "model_id_s2", "model_id_s3"]]
    assert outputs_of(results, "consume-ids")["parameters"]["Output"] == "completed"


def test_component_with_optional_inputs(data_dir):
    run_reference("critical/component_with_optional_inputs", data_dir)


def test_mixed_parameters(data_dir):
    results = run_reference("critical/mixed_parameters", data_dir)
    assert outputs_of(results, "mantle")["parameters"] == {"Output": 1}


def test_multiple_artifacts_namedtuple(data_dir):
    results = run_reference("critical/multiple_artifacts_namedtuple", data_dir)
    assert read(artifact(results, "mantle", "ds1")) == "foo"
    assert read(artifact(results, "mantle", "ds2")) == "bar"


def test_multiple_parameters_namedtuple(data_dir):
    results = run_reference("critical/multiple_parameters_namedtuple", data_dir)
    assert outputs_of(results, "mantle")["parameters"] == {"val1": "foo", "val2": "bar"}


def test_parallel_for_after_dependency(data_dir):
    results = run_reference("critical/parallel_for_after_dependency", data_dir)
    passes = [task for task in results["tasks"] if task["kind"] == "ITERATION"]
    assert len(passes) == 3
    assert outputs_of(results, "print-op-2")["parameters"]["Output"] == "bar"
    assert outputs_of(results, "print-op-3")["parameters"]["Output"] == "baz"


def test_pythonic_artifacts(data_dir):
    results = run_reference("critical/pythonic_artifacts_test_pipeline", data_dir)
    data = artifact(results, "gen-data", "Output")
    assert read(data) == "some data" and data["metadata"]["length"] == 9
    model = artifact(results, "train-model", "Output")
    assert model["type"] == "system.Model" and read(model) == "model trained"


def test_pipeline_with_placeholders(data_dir):
    run_reference("critical/pipeline_with_placeholders", data_dir)


def test_pipeline_with_metrics_outputs(data_dir):
    results = run_reference("essential/pipeline_with_metrics_outputs", data_dir)
    found = [task["outputs"]["artifacts"]["metrics"][0] for task in results["tasks"] if task["kind"] == "CONTAINER"]
    assert len(found) == 3
    for metrics in found:
        assert metrics["type"] == "system.Metrics" and 0 <= metrics["metadata"]["accuracy"] <= 100


def test_component_with_pip_install(data_dir):
    run_reference("essential/component_with_pip_install", data_dir, "--no-cache")
    # Once more, and nothing is fetched: the environment is reused where the index is out of reach.
    offline = {"PIP_NO_INDEX": "1", "UV_OFFLINE": "1"}
    found, results = run_pipeline(
        FOLDER / "essential/component_with_pip_install.yaml", data_dir, "--no-cache", env=offline
    )
    assert found == 0 and results["state"] == "SUCCEEDED", results


def test_nested_with_parameters(data_dir):
    results = run_reference("nested_with_parameters", data_dir)
    assert results["outputs"]["parameters"] == {"Output": [[4, 6, 8], [6, 8, 10], [8, 10, 12]]}
    assert outputs_of(results, "add")["parameters"] == {"Output": 72}


def test_parameters_complex(data_dir):
    results = run_reference("parameters_complex", data_dir)
    assert results["outputs"]["parameters"] == {"Output": 306}


def test_preprocess(data_dir):
    words = ["-p", "message=hello", "-p", 'input_dict_parameter={"a": 1, "b": 2}', "-p", 'input_list_parameter=["x"]']
    results = run_reference("preprocess", data_dir, *words)
    assert results["outputs"]["parameters"] == {
        "output_parameter_path": "hello",
        "output_bool_parameter_path": True,
        "output_dict_parameter_path": {"a": 1, "b": 2},
        "output_list_parameter_path": ["x"],
    }
    assert set(results["outputs"]["artifacts"]) == {"output_dataset_one", "output_dataset_two_path"}


def test_fail_v2(data_dir):
    results = run_reference("failing/fail_v2", data_dir, code=1)
    failed = task(results, "fail")
    assert failed["state"] == "FAILED" and failed["error"]["exit_code"] == 1
