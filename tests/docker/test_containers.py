"""Tasks in containers of a real daemon, through the real binary."""

import json
import os
import signal
import socket
import time

import pytest
from conftest import containers_of
from engine import docker
from ferroflow import Server, run_cli, run_pipeline, supervisor_of, task, wait_until
from pipelines import compiled, container_pipeline, everything, places
from registry import ACCOUNT, Registry


def output(results, path, name="Output"):
    return task(results, path)["outputs"]["parameters"][name]


def platform(**settings) -> dict:
    """Settings of Kubernetes for the one task of a container pipeline."""
    return {"platforms": {"kubernetes": {"deploymentSpec": {"executors": {"exec-work": settings}}}}}


def linking_pipeline(script) -> dict:
    """A pipeline of one task that has an output parameter."""
    pipeline = container_pipeline("link", script, args=["{{$.outputs.parameters['text'].output_file}}"])
    pipeline["components"]["comp-work"]["outputDefinitions"] = {"parameters": {"text": {"parameterType": "STRING"}}}
    return pipeline


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def message(results, path="work"):
    return task(results, path)["error"]["message"]


def wait_for(path, text=""):
    """The content of a file once it holds this text."""
    found = wait_until(lambda: path.exists() and text in path.read_text() and (path.read_text(),), 60, f"no {text!r} in {path}")
    return found[0]


def test_words_parameters_artifacts_packages_and_secrets(data_dir, tmp_path):
    path = tmp_path / "pipeline.yaml"
    compiled(everything, path)
    write(data_dir / "secrets/vault/token", "from the secret")
    code, results = run_pipeline(path, data_dir, "--executor", "docker")
    assert code == 0, results
    assert output(results, "greet", "greeting") == "hello ann"
    assert output(results, "literal", "text") == "literal"
    assert results["outputs"]["parameters"]["Output"] == "ANN 3 kept"
    assert (data_dir / "logs" / results["run_id"]).joinpath(
        f"{task(results, 'greet')['task_id']}-1.log"
    ).read_text() == "for ann\n"
    assert containers_of(data_dir) == []
    # The environment is made once for image and packages.
    code, results = run_pipeline(path, data_dir, "--executor", "docker", "--no-cache", "--param", "name=bob")
    assert results["outputs"]["parameters"]["Output"] == "BOB 3 kept"
    log = (data_dir / "logs" / results["run_id"]).joinpath(f"{task(results, 'with-packages')['task_id']}-1.log")
    assert "installing" not in log.read_text()


def test_each_way_to_fail_is_told(server, data_dir):
    hungry = "python3 -c 'x = bytearray(300 << 20)'; exit $?"
    deadline, secret = platform(activeDeadlineSeconds=1), platform(imagePullSecret=[{"secretName": "registry"}])
    with Registry() as registry, Registry(is_private=True) as private:
        write(data_dir / "secrets/registry/.dockerconfigjson", json.dumps({"auths": {private.host: {"auth": ACCOUNT}}}))
        cases = {
            "code": (container_pipeline("code", "echo doomed >&2; exit 3"), "exited with code 3"),
            "signal": (container_pipeline("signal", "kill -9 $$"), "exited with code 137 (SIGKILL)"),
            "memory": (
                container_pipeline("memory", hungry, resources={"resourceMemoryLimit": "64Mi"}),
                "used more memory than its limit",
            ),
            "time": (
                {"pipeline_spec": container_pipeline("time", "sleep 100"), "platform_spec": deadline},
                "longer than its timeout of 1 s",
            ),
            "program": (container_pipeline("program", "", image=registry.image), f"image `{registry.image}` has no program `sh`"),
            "private": (container_pipeline("private", "", image=private.image), "its registry does not give it"),
            "secret": (
                {"pipeline_spec": container_pipeline("secret", "", image=private.image), "platform_spec": secret},
                f"image `{private.image}` has no program `sh`",
            ),
            "link": (linking_pipeline("ln -s /etc/hostname $0"), "a link, which leads out of the container"),
            "image": (container_pipeline("image", "", image=f"{registry.host}/none"), "its registry does not give it"),
            "registry": (container_pipeline("registry", "", image="127.0.0.1:9/none"), "its registry cannot be reached"),
        }
        # The image would be there for the one without a password as well.
        last = cases.pop("secret")
        runs = {name: server.create_run(pipeline) for name, (pipeline, _) in cases.items()}
        found = {name: server.wait(run) for name, run in runs.items()}
        cases["secret"] = last
        found["secret"] = server.wait(server.create_run(last[0]))
        docker("rmi", registry.image, private.image, check=False)
    for name, (_, expected) in cases.items():
        assert found[name]["state"] == "FAILED", name
        assert expected in message(found[name]), name
    assert task(found["code"], "work")["error"]["exit_code"] == 3
    assert "doomed" in server.log(runs["code"], task(found["code"], "work")["task_id"])
    pulled = server.log(runs["program"], task(found["program"], "work")["task_id"])
    assert f"pulled image `{registry.image}`" in pulled
    wait_until(lambda: not containers_of(data_dir), 20, "containers are left")


def test_limits_and_users_reach_the_container(server):
    script = (
        "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null; "
        "cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu.max 2>/dev/null; id -u; df -k /dev/shm | tail -n 1"
    )
    pipeline = container_pipeline(
        "limits", script, resources={
            "resourceMemoryLimit": "100Mi", "resourceCpuLimit": "500m",
            # Of which no machine has any.
            "accelerator": {"resourceType": "example.com/thing", "resourceCount": "1"},
        }
    )
    settings = {"securityContext": {"runAsUser": "1234"}, "enabledSharedMemory": {"volumeName": "shm", "size": "8Mi"}}
    run = server.create_run({"pipeline_spec": pipeline, "platform_spec": platform(**settings)})
    results = server.wait(run)
    assert results["state"] == "SUCCEEDED", results
    lines = server.log(run, task(results, "work")["task_id"]).splitlines()
    assert "has no such accelerators" in lines.pop(0)
    assert lines[0] == str(100 << 20)
    assert lines[1].split()[0] == "50000"
    assert lines[2] == "1234"
    assert lines[3].split()[1] == str(8 << 10)


def test_a_retry_is_another_container(server, shared):
    pipeline = container_pipeline("again", f"cat /etc/hostname >> {shared}/names; [ $(wc -l < {shared}/names) = 2 ]")
    pipeline["root"]["dag"]["tasks"]["work"]["retryPolicy"] = {"maxRetryCount": 2, "backoffDuration": "0s"}
    results = server.wait(server.create_run(pipeline))
    assert results["state"] == "SUCCEEDED" and task(results, "work")["attempt"] == 2
    first, second = (shared / "names").read_text().split()
    assert first != second


def test_a_terminated_run_gives_its_container_time(server, shared, data_dir):
    script = f"trap 'echo asked > {shared}/trace; exit 0' TERM; echo up > {shared}/trace; while :; do sleep 0.05; done"
    run = server.create_run(container_pipeline("stop", script))
    wait_for(shared / "trace", "up")
    [container] = containers_of(data_dir)
    labels = docker("inspect", "--format", "{{index .Config.Labels \"io.ferroflow.run\"}}", container).stdout.strip()
    assert labels == run
    server.call("POST", f"/apis/v2beta1/runs/{run}:terminate")
    assert task(server.wait(run), "work")["state"] == "CANCELED"
    assert wait_for(shared / "trace", "asked")
    wait_until(lambda: not containers_of(data_dir), 20, "the container is left")


def test_a_container_outlives_its_server(data_dir, shared):
    flags = ("--executor", "docker", "--mount", str(shared))
    script = f"echo begun >> {shared}/trace; echo early; until [ -e {shared}/go ]; do sleep 0.05; done; echo late"
    with Server(data_dir, *flags) as server:
        run = server.create_run(container_pipeline("survivor", script))
        wait_for(shared / "trace", "begun")
        before = containers_of(data_dir)
        server.kill()
    (shared / "go").touch()
    with Server(data_dir, *flags) as server:
        results = server.wait(run)
        assert results["state"] == "SUCCEEDED" and task(results, "work")["attempt"] == 1
        assert server.log(run, task(results, "work")["task_id"]) == "early\nlate\n"
    assert len(before) == 1 and (shared / "trace").read_text() == "begun\n"
    assert containers_of(data_dir) == []


@pytest.mark.parametrize("server_too", [False, True])
def test_what_a_killed_supervisor_leaves_is_removed(data_dir, shared, server_too):
    flags = ("--executor", "docker", "--mount", str(shared))
    script = f"cat /etc/hostname >> {shared}/names; while [ $(wc -l < {shared}/names) = 1 ]; do sleep 0.05; done"
    server = Server(data_dir, *flags).start()
    run = server.create_run(container_pipeline("orphan", script))
    names = wait_for(shared / "names", "\n")
    if server_too:
        server.kill()
    for process in supervisor_of(data_dir):
        os.kill(process, signal.SIGKILL)
    if server_too:
        server.start()
    with server:
        results = server.wait(run)
        # It ran again, and the container before was gone by then: it would have ended by itself otherwise.
        assert results["state"] == "SUCCEEDED", results
        assert (shared / "names").read_text().count("\n") == 2 and (shared / "names").read_text().startswith(names)
        wait_until(lambda: not containers_of(data_dir), 20, "containers are left")


def test_auto_keeps_plain_python_out_of_containers(data_dir, tmp_path):
    path = tmp_path / "pipeline.yaml"
    compiled(places, path)
    code, results = run_pipeline(path, data_dir, "--executor", "auto")
    assert code == 0, results
    assert output(results, "where") == socket.gethostname()
    assert output(results, "where-in-own-image") != socket.gethostname()
    assert output(results, "where-in-container", "name") != socket.gethostname()


def test_a_missing_daemon_is_told_before_anything_runs(data_dir, tmp_path):
    path = tmp_path / "pipeline.yaml"
    compiled(places, path)
    nowhere = {"DOCKER_HOST": f"unix://{tmp_path}/nobody.sock"}
    began = time.monotonic()
    done = run_cli("run", path, "--executor", "docker", data_dir=data_dir, env=nowhere)
    assert done.returncode == 1 and "no Docker daemon answers at `unix://" in done.stderr
    assert time.monotonic() - began < 10
    assert "no Docker daemon answers" in run_cli("doctor", data_dir=data_dir, env=nowhere).stdout
    done = run_cli("doctor", "--executor", "docker", data_dir=data_dir)
    assert "docker" in done.stdout and "runs tasks" in done.stdout
