"""The same pipelines by the real kfp.local and by Ferroflow: the same outputs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from kfp import compiler

import local_pipelines
from ferroflow import run_pipeline


@pytest.fixture(scope="module")
def by_kfp(tmp_path_factory):
    folder = tmp_path_factory.mktemp("local")
    words = [sys.executable, Path(local_pipelines.__file__), folder]
    done = subprocess.run(words, capture_output=True, text=True, timeout=400, cwd=folder)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return json.loads((folder / "outputs.json").read_text())


@pytest.mark.parametrize("pipeline", local_pipelines.PIPELINES, ids=lambda pipeline: pipeline.name)
def test_outputs_are_those_of_kfp(pipeline, by_kfp, data_dir, tmp_path):
    path = tmp_path / "pipeline.yaml"
    compiler.Compiler().compile(pipeline, str(path))
    code, results = run_pipeline(path, data_dir)
    expected = by_kfp[pipeline.name]
    if expected is None:
        assert (code, results["state"]) == (1, "FAILED")
    else:
        assert (code, results["state"]) == (0, "SUCCEEDED"), results
        assert results["outputs"]["parameters"] == expected
