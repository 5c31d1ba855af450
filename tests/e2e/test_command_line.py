"""`ferroflow run`, `check` and `doctor` as a person or a script meets them."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from ferroflow import SAMPLES, binary, processes_with, run_cli, run_pipeline, shell_pipeline, task, wait_until

HELLO = SAMPLES / "hello_world.yaml"


def write(folder, pipeline, name="pipeline.json") -> Path:
    path = folder / name
    path.write_text(json.dumps(pipeline))
    return path


def test_hello_world_prints_its_outputs(data_dir):
    done = run_cli("run", HELLO, "-p", "name=Ada", data_dir=data_dir)
    assert done.returncode == 0, done.stderr
    assert "Hello, Ada!" in done.stdout
    assert "succeeded" in (done.stdout + done.stderr).lower()


def test_the_training_sample_chooses_the_best_setting(data_dir):
    code, results = run_pipeline(SAMPLES / "train_flowers.yaml", data_dir)
    assert code == 0 and results["state"] == "SUCCEEDED", results
    outputs = results["outputs"]
    assert outputs["parameters"]["best_learning_rate"] == 0.01
    assert outputs["parameters"]["best_accuracy"] > 0.9
    [model] = outputs["artifacts"]["final_model"]
    assert model["type"] == "system.Model" and model["metadata"]["learning_rate"] == 0.01
    weights = json.loads(Path(model["uri"].removeprefix("file://")).read_text())
    assert sorted(weights) == ["marsh", "meadow", "reed"]
    assert len([task for task in results["tasks"] if task["kind"] == "ITERATION"]) == 3


def test_parameters_come_from_a_file_and_words_win(data_dir, tmp_path):
    parameters = tmp_path / "parameters.json"
    parameters.write_text(json.dumps({"texts": ["one two", "three"]}))
    code, results = run_pipeline(SAMPLES / "fan_in.yaml", data_dir, "--params", parameters)
    assert (code, results["outputs"]["parameters"]) == (0, {"Output": 3})
    code, results = run_pipeline(
        SAMPLES / "fan_in.yaml", data_dir, "--params", parameters, "-p", 'texts=["a b c d"]'
    )
    assert (code, results["outputs"]["parameters"]) == (0, {"Output": 4})


@pytest.mark.parametrize(
    "words, told",
    [
        (["run", "no-such-file.yaml"], "no-such-file.yaml"),
        (["run", HELLO, "-p", "nmae=x"], "name"),
        (["run", HELLO, "-p", "name"], "="),
        (["run", SAMPLES / "train_flowers.yaml", "-p", "epochs=many"], "epochs"),
        (["run"], "FILE"),
        (["fly"], "fly"),
        (["up", "--listen", "0.0.0.0:0"], "--allow-unauthenticated"),
    ],
)
def test_bad_usage_is_told_with_code_2(data_dir, words, told):
    data = data_dir if words[0] in ("run", "up") and len(words) > 1 else None
    done = run_cli(*words, data_dir=data, timeout=20)
    assert done.returncode == 2, done
    assert told in done.stderr and "panicked" not in done.stderr


def test_check_tells_every_problem_with_its_line(tmp_path):
    pipeline = yaml.safe_load(HELLO.read_text())
    pipeline["root"]["dag"]["tasks"]["greet"]["componentRef"]["name"] = "comp-gret"
    pipeline["root"]["inputDefinitions"]["parameters"]["name"]["parameterType"] = "STRNG"
    bad = tmp_path / "bad.yaml"
    bad.write_text(yaml.safe_dump(pipeline))
    done = run_cli("check", HELLO, bad)
    assert done.returncode == 2
    problems = [line for line in done.stdout.splitlines() if line.startswith(f"{bad}:")]
    assert len(problems) >= 2 and "hint:" in done.stdout, done.stdout
    for problem in problems:
        assert int(problem.removeprefix(f"{bad}:").split(":")[0]) > 0
    assert run_cli("check", HELLO).returncode == 0


def test_a_failure_is_told_with_task_code_log_and_place(data_dir, tmp_path):
    script = "for i in $(seq 100); do echo line $i; done; exit 3"
    done = run_cli("run", write(tmp_path, shell_pipeline("failing", {"work": script})), data_dir=data_dir)
    assert done.returncode == 1
    text = done.stdout + done.stderr
    assert "work" in text and "3" in text and "line 100" in text and "line 1\n" not in text
    [log] = {word for word in text.split() if word.startswith("/") and Path(word).is_file()}
    assert "line 100" in Path(log).read_text()


def test_interrupt_terminates_the_run(data_dir, tmp_path):
    started = tmp_path / "started"
    marker = f"interrupted-{tmp_path.name}"
    path = write(tmp_path, shell_pipeline("long", {"work": f"touch {started}; sleep 600; : {marker}"}))
    process = subprocess.Popen(
        [binary(), "run", path, "--data-dir", data_dir], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    wait_until(started.exists, 30, "the task does not start")
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 1, process.stderr.read()
    wait_until(lambda: not processes_with(marker), 10, "the task is still there")


def test_run_goes_through_a_server_that_holds_the_data_directory(server):
    done = run_cli("run", HELLO, "-p", "name=Server", data_dir=server.data_dir)
    assert done.returncode == 0 and "Hello, Server!" in done.stdout, done
    [run] = server.call("GET", "/apis/v2beta1/runs")["runs"]
    assert run["state"] == "SUCCEEDED"


def test_a_failure_on_a_server_is_told_as_well(server, tmp_path):
    path = write(tmp_path, shell_pipeline("failing", {"work": "echo the reason; exit 4"}))
    done = run_cli("run", path, data_dir=server.data_dir)
    assert done.returncode == 1
    text = done.stdout + done.stderr
    assert "work" in text and "4" in text and "the reason" in text


def test_two_runs_in_one_directory_follow_each_other(data_dir, tmp_path):
    path = write(tmp_path, shell_pipeline("slow", {"work": "sleep 1"}))
    first = subprocess.Popen([binary(), "run", path, "--data-dir", data_dir], stderr=subprocess.DEVNULL)
    time.sleep(0.3)
    code, results = run_pipeline(HELLO, data_dir)
    assert code == 0 and results["outputs"]["parameters"]["Output"] == "Hello, World!"
    assert first.wait(30) == 0


def test_tasks_see_a_small_environment(data_dir, tmp_path):
    seen = tmp_path / "seen"
    path = write(tmp_path, shell_pipeline("environment", {"work": f"env > {seen}; pwd > {seen}.cwd"}))
    code, _ = run_pipeline(path, data_dir, env={"SECRET_OF_THE_SHELL": "x", "TZ": "Europe/Paris"})
    assert code == 0
    names = {line.split("=", 1)[0] for line in seen.read_text().splitlines() if "=" in line}
    assert "SECRET_OF_THE_SHELL" not in names and {"PATH", "TZ", "TMPDIR"} <= names
    assert Path(seen.with_suffix(".cwd").read_text().strip()) != Path.cwd()


def test_doctor_tells_what_it_finds(data_dir):
    done = run_cli("doctor", data_dir=data_dir)
    assert done.returncode == 0, done
    for word in ("python", "uv", "docker", "disk", "data", "supervisor"):
        assert word in done.stdout.lower()


def test_nothing_stays_behind(data_dir):
    code, results = run_pipeline(HELLO, data_dir)
    assert code == 0 and task(results, "greet")["state"] == "SUCCEEDED"
    wait_until(lambda: not processes_with(str(data_dir)), 20, "a process of the data directory is still there")
    assert os.path.exists(data_dir / "ferroflow.db")
