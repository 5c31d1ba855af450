"""What bad things get: the cause in one sentence, the log kept, and nothing left running."""

import json
import signal
import subprocess
import time
import urllib.error
import urllib.request

import pytest

from ferroflow import ApiError, binary, processes_with, shell_pipeline, task, wait_until

MIB = 1 << 20


def run_one(server, script, timeout=120):
    """Runs one shell task called `work` to its end."""
    run_id = server.create_run(shell_pipeline("trouble", {"work": script}))
    results = server.wait(run_id, timeout)
    return run_id, results, task(results, "work")


def test_an_exit_code_is_told_and_the_log_is_kept(server):
    run_id, results, failed = run_one(server, "echo before; echo why >&2; exit 7")
    assert results["state"] == failed["state"] == "FAILED"
    assert failed["error"]["exit_code"] == 7 and "7" in failed["error"]["message"]
    assert "work" in results["error"]["message"]
    log = server.log(run_id, failed["log_node"])
    assert "before" in log and "why" in log


def test_a_signal_is_told(server):
    _, _, failed = run_one(server, "kill -SEGV $$")
    assert failed["state"] == "FAILED" and failed["error"]["signal"] == signal.SIGSEGV, failed


def test_a_missing_program_is_told(server):
    pipeline = shell_pipeline("trouble", {"work": "true"})
    pipeline["deploymentSpec"]["executors"]["exec-work"]["container"]["command"] = ["no-such-program"]
    results = server.wait(server.create_run(pipeline))
    failed = task(results, "work")
    assert failed["state"] == "FAILED" and "no-such-program" in failed["error"]["message"]


def test_missing_outputs_are_told(server):
    pipeline = shell_pipeline("trouble", {"work": "true"})
    pipeline["components"]["comp-work"]["outputDefinitions"] = {"parameters": {"size": {"parameterType": "NUMBER_INTEGER"}}}
    pipeline["components"]["comp-next"] = {
        "executorLabel": "exec-work",
        "inputDefinitions": {"parameters": {"size": {"parameterType": "NUMBER_INTEGER"}}},
    }
    pipeline["root"]["dag"]["tasks"]["next"] = {
        "taskInfo": {"name": "next"},
        "componentRef": {"name": "comp-next"},
        "dependentTasks": ["work"],
        "inputs": {"parameters": {"size": {
            "taskOutputParameter": {"producerTask": "work", "outputParameterKey": "size"},
        }}},
    }
    results = server.wait(server.create_run(pipeline))
    assert results["state"] == "FAILED"
    told = " ".join((task.get("error") or {}).get("message", "") for task in results["tasks"])
    assert "size" in told, results


def test_a_gigabyte_of_log_keeps_its_head_and_tail(server):
    script = "echo the first line; head -c 1073741824 /dev/zero | tr '\\0' 'x' | fold -w 1000; echo; echo the last line"
    run_id, _, done = run_one(server, script, timeout=300)
    assert done["state"] == "SUCCEEDED", done
    log = server.log(run_id, done["log_node"])
    assert "the first line" in log[:1000] and "the last line" in log[-1000:]
    assert len(log) < 200 * MIB
    size = sum(file.stat().st_size for file in server.data_dir.rglob("*") if file.is_file())
    assert size < 300 * MIB, f"{size // MIB} MiB lie in the data directory"


def test_children_do_not_outlive_their_task(server, tmp_path):
    marker = f"left-behind-{tmp_path.name}"
    script = f"sh -c 'sleep 600; : {marker}' & setsid sh -c 'sleep 600; : {marker}' & sleep 0.2; exit 0"
    _, _, done = run_one(server, script)
    assert done["state"] == "SUCCEEDED"
    wait_until(lambda: not processes_with(marker), 20, "children of the task are still there")


def test_a_timeout_ends_the_whole_group(server, tmp_path):
    marker = f"too-long-{tmp_path.name}"
    pipeline = shell_pipeline("trouble", {"work": f"trap '' TERM; sleep 600; : {marker}"})
    kubernetes = {"deploymentSpec": {"executors": {"exec-work": {"activeDeadlineSeconds": "1"}}}}
    wrapped = {"pipeline_spec": pipeline, "platform_spec": {"platforms": {"kubernetes": kubernetes}}}
    began = time.monotonic()
    results = server.wait(server.create_run(wrapped), 90)
    failed = task(results, "work")
    assert failed["state"] == "FAILED" and "1 s" in failed["error"]["message"], failed
    assert time.monotonic() - began < 60
    wait_until(lambda: not processes_with(marker), 10, "the task is still there")


def test_terminate_stops_the_task_and_what_it_started(server, tmp_path):
    marker = f"terminated-{tmp_path.name}"
    started = tmp_path / "started"
    script = f"sh -c 'sleep 600; : {marker}' & touch {started}; sleep 600; : {marker}"
    run_id = server.create_run(shell_pipeline("trouble", {"work": script}))
    wait_until(started.exists, 30, "the task does not start")
    server.call("POST", f"/apis/v2beta1/runs/{run_id}:terminate")
    asked = time.monotonic()
    assert server.results(run_id)["state"] == "CANCELING"
    results = server.wait(run_id, 60)
    assert results["state"] == "FAILED" and task(results, "work")["state"] == "CANCELED"
    assert time.monotonic() - asked >= 1.9, "clients had no time to see CANCELING"
    wait_until(lambda: not processes_with(marker), 10, "the task is still there")


@pytest.mark.parametrize(
    "pipeline, words",
    [
        ({"pipelineInfo": {"name": "p"}}, "root"),
        ("cycle", "circle"),
        ({}, "pipeline"),
    ],
)
def test_bad_pipelines_are_refused_at_once(server, pipeline, words):
    if pipeline == "cycle":
        pipeline = shell_pipeline("cycle", {"a": ("true", ["b"]), "b": ("true", ["a"])})
    began = time.monotonic()
    with pytest.raises(ApiError) as refused:
        server.create_run(pipeline)
    assert refused.value.status == 400 and words in refused.value.body, refused.value
    assert time.monotonic() - began < 1


def test_other_machines_and_pages_are_kept_out(server):
    for header, value in (("Host", "evil.example"), ("Origin", "http://evil.example")):
        request = urllib.request.Request(server.url + "/apis/v2beta1/runs", headers={header: value})
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=10)
        assert refused.value.code == 403


def test_a_stopped_server_leaves_running_tasks_alone_and_finds_them_again(server, tmp_path):
    started, go_on = tmp_path / "started", tmp_path / "go-on"
    script = f"echo once >> {started}; until [ -e {go_on} ]; do sleep 0.05; done; echo adopted"
    run_id = server.create_run(shell_pipeline("adopted", {"work": script}))
    wait_until(started.exists, 30, "the task does not start")
    assert server.stop() == 0
    go_on.touch()
    server.start()
    results = server.wait(run_id, 60)
    assert results["state"] == "SUCCEEDED"
    assert started.read_text() == "once\n", "the task was run again"
    assert "adopted" in server.log(run_id, task(results, "work")["log_node"])


def test_a_full_disk_ends_the_task_in_words_and_spares_the_database(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    fill = tmp_path / "fill.json"
    fill.write_text(json.dumps(shell_pipeline("fill", {"work": "head -c 1000000000 /dev/zero > big; exit $?"})))
    fine = tmp_path / "fine.json"
    fine.write_text(json.dumps(shell_pipeline("fine", {"work": "true"})))
    # A small disk of our own, in a mount namespace: neither root nor the machine's own disk is needed.
    script = f"""
        mount -t tmpfs -o size=40m none '{disk}' || exit 90
        run() {{ '{binary()}' run "$1" --json --data-dir '{disk}/data'; echo "exit code $?"; }}
        run '{fine}' && run '{fill}' && run '{fine}'
    """
    done = subprocess.run(["unshare", "--map-root-user", "--mount", "sh", "-c", script],
                          capture_output=True, text=True, timeout=120)
    codes = [line for line in done.stdout.splitlines() if line.startswith("exit code")]
    assert codes == ["exit code 0", "exit code 1", "exit code 0"], (done.stdout, done.stderr)
    assert "task `work` failed: the task exited with code 1" in done.stdout, done.stdout
