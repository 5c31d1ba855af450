"""Recurring runs in real time: with the real kfp client, and with a server that is killed in between."""

import datetime
import json
import time

import kfp
import kfp_server_api
import pytest
import yaml

from ferroflow import Server, shell_pipeline, wait_until

RUNS = "/apis/v2beta1/runs"
ENDED = {"SUCCEEDED", "FAILED"}


@pytest.fixture
def client(server):
    return kfp.Client(host=server.url)


@pytest.fixture
def package(tmp_path):
    """A pipeline that writes its parameter into a file."""
    pipeline = shell_pipeline("tell", {"say": f"printf '%s\\n' \"$0\" >> {tmp_path}/said"})
    pipeline["root"]["inputDefinitions"] = {"parameters": {"text": {"parameterType": "STRING"}}}
    executor = pipeline["deploymentSpec"]["executors"]["exec-say"]["container"]
    executor["command"].append("{{$.inputs.parameters['text']}}")
    inputs = {"parameters": {"text": {"parameterType": "STRING"}}}
    pipeline["components"]["comp-say"]["inputDefinitions"] = inputs
    pipeline["root"]["dag"]["tasks"]["say"]["inputs"] = {
        "parameters": {"text": {"componentInputParameter": "text"}}
    }
    path = tmp_path / "tell.yaml"
    path.write_text(yaml.safe_dump(pipeline))
    return path


def runs_of(server, recurring_run_id):
    """All runs of a recurring run, in the order of their slots."""
    equals = {"operation": "EQUALS", "key": "recurring_run_id", "string_value": recurring_run_id}
    query = {"page_size": 200, "sort_by": "scheduled_at", "filter": json.dumps({"predicates": [equals]})}
    return server.call("GET", RUNS + "?" + "&".join(f"{k}={quote(v)}" for k, v in query.items())).get("runs", [])


def quote(value):
    return kfp_server_api.api_client.quote(str(value), safe="")


def ended_runs(server, recurring_run_id, count, timeout=60):
    def check():
        runs = runs_of(server, recurring_run_id)
        return runs if len(runs) >= count and all(run["state"] in ENDED for run in runs) else None

    return wait_until(check, timeout, f"there are no {count} runs that have ended")


def test_the_real_client_makes_and_steers_them(server, client, package, tmp_path):
    experiment = client.create_experiment("nightly")
    made = client.create_recurring_run(
        experiment.experiment_id,
        "Every Second",
        description="often",
        interval_second=1,
        max_concurrency=2,
        params={"text": "no. [[Index]] at [[ScheduledTime]]"},
        pipeline_package_path=str(package),
    )
    assert (made.status, made.mode, made.max_concurrency) == ("ENABLED", "ENABLE", "2")
    assert made.trigger.periodic_schedule.interval_second == "1"
    ended_runs(server, made.recurring_run_id, 3)
    client.disable_recurring_run(made.recurring_run_id)
    assert client.get_recurring_run(made.recurring_run_id).status == "DISABLED"

    runs = ended_runs(server, made.recurring_run_id, 3)
    assert {run["state"] for run in runs} == {"SUCCEEDED"}
    assert all(run["experiment_id"] == experiment.experiment_id for run in runs)
    for index, run in enumerate(runs, start=1):
        assert run["display_name"].startswith("everysecond") and f"-{index}-" in run["display_name"]
    slots = [run["scheduled_at"] for run in runs]
    text = [slot.translate(str.maketrans("", "", "-:TZ")) for slot in slots]
    said = (tmp_path / "said").read_text().splitlines()
    assert sorted(said) == sorted(f"no. {index} at {slot}" for index, slot in enumerate(text, start=1))

    listed = client.list_recurring_runs(experiment_id=experiment.experiment_id)
    assert [item.recurring_run_id for item in listed.recurring_runs] == [made.recurring_run_id]
    assert client.list_recurring_runs(filter=json.dumps({"predicates": [
        {"operation": 1, "key": "display_name", "stringValue": "nobody"}
    ]})).recurring_runs is None
    client.enable_recurring_run(made.recurring_run_id)
    ended_runs(server, made.recurring_run_id, len(runs) + 1)
    client.delete_recurring_run(made.recurring_run_id)
    with pytest.raises(kfp_server_api.ApiException) as error:
        client.get_recurring_run(made.recurring_run_id)
    assert error.value.status == 404
    assert runs_of(server, made.recurring_run_id), "its runs stay"


def test_cron_and_versions_and_none_of_them(server, client, package):
    uploaded = client.upload_pipeline(str(package), pipeline_name="tell")
    version = client.list_pipeline_versions(uploaded.pipeline_id).pipeline_versions[0]
    experiment = client.create_experiment("nightly")
    by_cron = client.create_recurring_run(
        experiment.experiment_id,
        "by cron",
        cron_expression="* * * * * ?",
        params={"text": "x"},
        pipeline_id=uploaded.pipeline_id,
        version_id=version.pipeline_version_id,
    )
    assert by_cron.trigger.cron_schedule.cron == "* * * * * ?"
    # Without a trigger there is one run at once; without a version the latest one is taken.
    body = {
        "display_name": "once",
        "pipeline_version_reference": {"pipeline_id": uploaded.pipeline_id},
        "runtime_config": {"parameters": {"text": "once"}},
        "max_concurrency": 1,
        "mode": "ENABLE",
    }
    once = client._recurring_run_api.recurring_run_service_create_recurring_run(recurring_run=body)
    for recurring_run, count in ((by_cron, 2), (once, 1)):
        runs = ended_runs(server, recurring_run.recurring_run_id, count)
        assert runs[0]["state"] == "SUCCEEDED"
        assert runs[0]["pipeline_version_reference"]["pipeline_version_id"] == version.pipeline_version_id
    assert len(runs_of(server, once.recurring_run_id)) == 1
    with pytest.raises(kfp_server_api.ApiException) as error:
        client.create_recurring_run(
            experiment.experiment_id, "bad", cron_expression="61 * * * * *", pipeline_package_path=str(package)
        )
    assert error.value.status == 400 and "values go from 0 to 59" in error.value.body


@pytest.mark.parametrize("cadence", ["periodic", "cron"])
@pytest.mark.parametrize("no_catchup", [False, True])
def test_a_window_long_ago(server, cadence, no_catchup):
    window = {"start_time": "1970-01-01T10:00:00Z", "end_time": "1970-01-01T10:02:00Z"}
    trigger = {
        "periodic": {"periodic_schedule": {"interval_second": 60, **window}},
        "cron": {"cron_schedule": {"cron": "0 * * * * ?", **window}},
    }[cadence]
    made = create(server, trigger, no_catchup=no_catchup)
    expected = 1 if no_catchup else 2
    runs = ended_runs(server, made, expected)
    assert len(runs) == expected
    assert runs[-1]["scheduled_at"] == "1970-01-01T10:02:00Z"


def create(server, trigger, **fields):
    body = {
        "display_name": "often",
        "pipeline_spec": shell_pipeline("often", {"work": "true"}),
        "max_concurrency": 10,
        "mode": "ENABLE",
        "trigger": trigger,
        **fields,
    }
    return server.call("POST", "/apis/v2beta1/recurringruns", body)["recurring_run_id"]


def test_a_run_every_second_for_a_minute_with_a_kill_in_between(data_dir):
    seconds = 60
    with Server(data_dir) as server:
        start = int(time.time())
        instant = lambda at: datetime.datetime.fromtimestamp(at, datetime.timezone.utc).isoformat()  # noqa: E731
        window = {"start_time": instant(start), "end_time": instant(start + seconds)}
        made = create(server, {"periodic_schedule": {"interval_second": 1, **window}})
        wait_until(lambda: time.time() > start + seconds / 3, seconds, "time stands still")
        server.kill()
        # What falls into these seconds is made up for.
        wait_until(lambda: time.time() > start + seconds / 2, seconds, "time stands still")
        server.start()
        wait_until(lambda: time.time() > start + seconds + 2, seconds, "time stands still")
        runs = ended_runs(server, made, seconds)
        assert [run["state"] for run in runs] == ["SUCCEEDED"] * seconds
        slots = [datetime.datetime.fromisoformat(run["scheduled_at"].replace("Z", "+00:00")) for run in runs]
        assert [int(slot.timestamp()) - start for slot in slots] == list(range(1, seconds + 1))
