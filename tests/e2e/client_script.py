"""Works with a server as a user of kfp would, by nothing but the real `kfp` of the environment it runs in.

Usage: client_script.py URL FOLDER. Prints what it went through; fails at the first thing that is not right.
"""

import os
import sys
import time
import urllib.request
from typing import List, NamedTuple

import kfp
from kfp import compiler, dsl
from kfp.dsl import Dataset, Input, Metrics, Output

URL, FOLDER = sys.argv[1:]
DONE = "SUCCEEDED"


@dsl.component
def write_numbers(count: int, numbers: Output[Dataset]) -> int:
    with open(numbers.path, "w") as file:
        file.write("\n".join(str(number) for number in range(count)))
    numbers.metadata["count"] = count
    print(f"wrote {count} numbers")
    return count


@dsl.component
def add_numbers(numbers: Input[Dataset], factor: int, metrics: Output[Metrics]) -> int:
    with open(numbers.path) as file:
        total = sum(int(line) for line in file) * factor
    assert numbers.metadata["count"] > 0
    metrics.log_metric("total", total)
    print(f"total {total}")
    return total


@dsl.component
def double(number: int) -> int:
    return 2 * number


@dsl.component
def join(first: int, second: int) -> NamedTuple("Joined", text=str, both=List[int]):
    Joined = NamedTuple("Joined", text=str, both=List[int])
    return Joined(f"{first} and {second}", [first, second])


@dsl.pipeline(name="numbers")
def numbers(count: int = 4, factor: int = 10):
    written = write_numbers(count=count)
    added = add_numbers(numbers=written.outputs["numbers"], factor=factor)
    with dsl.ParallelFor([1, 2, 3]) as item:
        double(number=item)
    join(first=written.outputs["Output"], second=added.outputs["Output"])


@dsl.component
def sleep_long(marker: str):
    import time

    with open(marker, "w") as file:
        file.write("started")
    print("sleeping", flush=True)
    time.sleep(600)


@dsl.pipeline(name="sleeper")
def sleeper(marker: str):
    sleep_long(marker=marker)


@dsl.component
def need_file(path: str) -> str:
    with open(path) as file:
        return file.read()


@dsl.component
def echo(text: str) -> str:
    print(text)
    return text


@dsl.pipeline(name="second-chance")
def second_chance(path: str):
    first = echo(text="before")
    needed = need_file(path=path).after(first)
    needed.set_caching_options(False)
    echo(text=needed.output)


def step(text):
    print(f"- {text}", flush=True)


def method(api, name):
    """A method of the server's API whatever prefix its generator gave it."""
    return getattr(api, name, None) or getattr(api, f"run_service_{name}")


def wait_for(check, seconds=60):
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def task_states(run):
    return {task.display_name: task.state for task in run.run_details.task_details}


def log_of(run, name):
    task = next(task for task in run.run_details.task_details if task.display_name == name)
    texts = []
    for node in filter(None, (task.task_id, task.pod_name)):
        address = f"{URL}/apis/v1alpha1/runs/{run.run_id}/nodes/{node}/log"
        with urllib.request.urlopen(address, timeout=30) as answer:
            texts.append(answer.read().decode())
    assert len(set(texts)) == 1 and len(texts) == 2, texts
    return texts[0]


def pipelines(client, package):
    step("upload")
    uploaded = client.upload_pipeline(package, pipeline_name="numbers", description="adds numbers")
    assert client.get_pipeline_id("numbers") == uploaded.pipeline_id
    assert client.get_pipeline_id("none") is None
    assert client.get_pipeline(uploaded.pipeline_id).description == "adds numbers"
    version = client.upload_pipeline_version(
        package, pipeline_version_name="second", pipeline_id=uploaded.pipeline_id
    )
    listed = client.list_pipeline_versions(uploaded.pipeline_id, sort_by="created_at desc")
    assert {found.display_name for found in listed.pipeline_versions} >= {"second"} and listed.total_size == 2
    assert uploaded.pipeline_id in {found.pipeline_id for found in client.list_pipelines(page_size=100).pipelines}
    got = client.get_pipeline_version(uploaded.pipeline_id, version.pipeline_version_id)
    spec = got.pipeline_spec.get("pipeline_spec", got.pipeline_spec)
    assert spec["pipelineInfo"]["name"] == "numbers"
    try:
        client.upload_pipeline(package, pipeline_name="numbers")
    except Exception as error:
        assert "already exist" in str(error).lower() or "409" in str(error), error
    else:
        raise AssertionError("a name was given twice")
    return uploaded.pipeline_id, version.pipeline_version_id


def experiments(client):
    step("experiments")
    made = client.create_experiment("trials", description="all of them")
    assert client.create_experiment("trials").experiment_id == made.experiment_id
    assert client.get_experiment(experiment_name="trials").experiment_id == made.experiment_id
    listed = client.list_experiments(page_size=50).experiments
    assert {"Default", "trials"} <= {found.display_name for found in listed}
    return made.experiment_id


def runs(client, experiment_id, pipeline_id, version_id):
    step("run by version")
    run = client.run_pipeline(
        experiment_id, "by version", params={"count": 5, "factor": 2}, pipeline_id=pipeline_id, version_id=version_id
    )
    done = client.wait_for_run_completion(run.run_id, timeout=120, sleep_duration=1)
    assert done.state == DONE, (done.state, done.error)
    states = task_states(done)
    assert states["add-numbers"] == states["write-numbers"] == states["join"] == DONE, states
    assert done.runtime_config.parameters["count"] == 5
    assert "total 20" in log_of(done, "add-numbers")
    step("run from a function")
    created = client.create_run_from_pipeline_func(
        numbers, arguments={"count": 3}, experiment_name="trials", run_name="from function"
    )
    done = created.wait_for_run_completion(timeout=120)
    assert done.state == DONE
    step("run from a package, without caching")
    package_run = client.create_run_from_pipeline_package(
        os.path.join(FOLDER, "numbers.yaml"), arguments={}, experiment_name="trials", enable_caching=False
    )
    assert package_run.wait_for_run_completion(timeout=120).state == DONE
    step("list and get")
    listed = client.list_runs(experiment_id=experiment_id, sort_by="created_at desc")
    assert listed.total_size == 3 and {found.state for found in listed.runs} == {DONE}
    first_page = client.list_runs(experiment_id=experiment_id, page_size=2, sort_by="created_at desc")
    second_page = client.list_runs(
        experiment_id=experiment_id, page_size=2, sort_by="created_at desc", page_token=first_page.next_page_token
    )
    ids = [found.run_id for found in first_page.runs + second_page.runs]
    assert ids == [found.run_id for found in listed.runs]
    assert client.get_run(run.run_id).display_name == "by version"
    step("wrong arguments")
    for arguments in ({"count": "many"}, {"nobody": 1}):
        try:
            client.run_pipeline(
                experiment_id, "bad", params=arguments, pipeline_id=pipeline_id, version_id=version_id
            )
        except Exception as error:
            assert getattr(error, "status", None) == 400, error
        else:
            raise AssertionError(f"{arguments} were taken")
    return run.run_id


def terminate(client, experiment_id):
    step("terminate")
    marker = os.path.join(FOLDER, "started")
    created = client.create_run_from_pipeline_func(
        sleeper, arguments={"marker": marker}, experiment_id=experiment_id, run_name="sleeper"
    )
    wait_for(lambda: os.path.exists(marker))
    client.terminate_run(created.run_id)
    assert client.get_run(created.run_id).state == "CANCELING"
    done = client.wait_for_run_completion(created.run_id, timeout=60, sleep_duration=1)
    assert done.state == "FAILED", done.state


def retry(client, experiment_id):
    step("retry")
    path = os.path.join(FOLDER, "needed")
    created = client.create_run_from_pipeline_func(
        second_chance, arguments={"path": path}, experiment_id=experiment_id, run_name="second chance"
    )
    done = created.wait_for_run_completion(timeout=60)
    assert done.state == "FAILED", done.state
    assert "FileNotFoundError" in log_of(done, "need-file")
    with open(path, "w") as file:
        file.write("after")
    method(client._run_api, "retry_run")(run_id=created.run_id)
    wait_for(lambda: client.get_run(created.run_id).state in (DONE, "RUNNING", "PENDING"))
    done = client.wait_for_run_completion(created.run_id, timeout=60, sleep_duration=1)
    assert done.state == DONE, (done.state, done.error)
    assert "after" in log_of(done, "echo-2")


def remove(client, experiment_id, pipeline_id, version_id, run_id):
    step("archive and delete")
    client.archive_run(run_id)
    assert client.get_run(run_id).storage_state == "ARCHIVED"
    client.unarchive_run(run_id)
    assert client.get_run(run_id).storage_state == "AVAILABLE"
    client.delete_run(run_id)
    client.archive_experiment(experiment_id)
    assert client.get_experiment(experiment_id=experiment_id).storage_state == "ARCHIVED"
    client.unarchive_experiment(experiment_id)
    client.delete_experiment(experiment_id)
    client.delete_pipeline_version(pipeline_id, version_id)
    versions = client.list_pipeline_versions(pipeline_id).pipeline_versions
    for version in versions:
        client.delete_pipeline_version(pipeline_id, version.pipeline_version_id)
    client.delete_pipeline(pipeline_id)
    assert client.get_pipeline_id("numbers") is None
    try:
        client.get_run(run_id)
    except Exception as error:
        assert getattr(error, "status", None) == 404, error
    else:
        raise AssertionError("the run is still there")


def main():
    print(f"kfp {kfp.__version__}")
    client = kfp.Client(host=URL)
    client.get_kfp_healthz()
    package = os.path.join(FOLDER, "numbers.yaml")
    compiler.Compiler().compile(numbers, package)
    pipeline_id, version_id = pipelines(client, package)
    experiment_id = experiments(client)
    run_id = runs(client, experiment_id, pipeline_id, version_id)
    terminate(client, experiment_id)
    retry(client, experiment_id)
    remove(client, experiment_id, pipeline_id, version_id, run_id)
    print("all is well")


main()
