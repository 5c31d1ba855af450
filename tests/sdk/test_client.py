"""Our client against our server: what the real kfp client does in `tests/e2e`, under the same names."""

import datetime
import inspect
import json

import kfp
import pytest
from conftest import BINARY, OURS

import ferroflow
from ferroflow.client import ApiException


@pytest.fixture(scope='module')
def client(tmp_path_factory):
    with BINARY.Server(tmp_path_factory.mktemp('server') / 'data') as server:
        yield ferroflow.Client(host=server.url)


@pytest.fixture(scope='module')
def sums():
    dsl = OURS.dsl

    @dsl.component(base_image='python:3.11')
    def add(a: int, b: int) -> int:
        return a + b

    @dsl.component(base_image='python:3.11')
    def total(numbers: list) -> int:
        return sum(numbers)

    @dsl.pipeline
    def sums(start: int = 1) -> int:
        """Adds numbers."""
        with dsl.ParallelFor([1, 2, 3]) as item:
            added = add(a=start, b=item)
        with dsl.If(start == 1):
            add(a=0, b=0)
        return total(numbers=dsl.Collected(added.output)).output

    return sums


def test_methods_and_their_arguments_are_those_of_kfp():
    for name, method in inspect.getmembers(kfp.Client, inspect.isfunction):
        if name.startswith('_') and name != '__init__':
            continue
        ours = getattr(ferroflow.Client, name)
        expected, found = inspect.signature(method).parameters, inspect.signature(ours).parameters
        assert list(found) == list(expected), name


def test_a_compiled_pipeline_runs(client, sums):
    created = client.create_run_from_pipeline_func(sums, arguments={'start': 1}, experiment_name='sdk')
    run = created.wait_for_run_completion(timeout=120)
    assert run.state == 'SUCCEEDED', run
    assert isinstance(run.created_at, datetime.datetime) and run.created_at.tzinfo is not None
    assert run.runtime_config.parameters == {'start': 1}
    assert run.error is None and run.no_such_field is None
    names = {task.display_name for task in run.run_details.task_details}
    assert {'for-loop-2', 'condition-3', 'total'} <= names
    assert client.get_run(run.run_id).to_dict()['experiment_id'] == client.get_experiment(experiment_name='sdk').experiment_id


def test_the_end_is_told_not_asked_for(client, sums, monkeypatch):
    asked = []
    get_run = client.get_run
    monkeypatch.setattr(client, 'get_run', lambda run_id: asked.append(run_id) or get_run(run_id))
    created = client.create_run_from_pipeline_func(sums, arguments={'start': 5}, experiment_name='sdk')
    # Whoever asked again would wait for an hour.
    monkeypatch.setattr('time.sleep', lambda seconds: pytest.fail('it asks again and again'))
    assert client.wait_for_run_completion(created.run_id, sleep_duration=3600).state == 'SUCCEEDED'
    assert len(asked) < 12
    assert client.wait_for_run_completion(created.run_id).state == 'SUCCEEDED'


def test_servers_that_tell_nothing_are_asked(client, sums, monkeypatch):
    monkeypatch.setattr('ferroflow.client.connection._OWN', '/apis/unknown')
    created = client.create_run_from_pipeline_func(sums, arguments={'start': 6}, experiment_name='sdk')
    assert client.wait_for_run_completion(created.run_id, timeout=120).state == 'SUCCEEDED'


def test_patience_has_an_end(client):

    @OURS.dsl.component(base_image='python:3.11')
    def sleep():
        import time
        time.sleep(600)

    created = client.create_run_from_pipeline_func(sleep, experiment_name='sdk')
    with pytest.raises(TimeoutError, match='has not ended within 0.5 s; its state is'):
        created.wait_for_run_completion(timeout=0.5)
    client.terminate_run(created.run_id)
    assert client.wait_for_run_completion(created.run_id).state in ('FAILED', 'CANCELED')


def test_experiments(client):
    made = client.create_experiment('an experiment', description='words')
    assert client.create_experiment('an experiment').experiment_id == made.experiment_id
    assert client.get_experiment(made.experiment_id).description == 'words'
    client.archive_experiment(made.experiment_id)
    assert client.get_experiment(made.experiment_id).storage_state == 'ARCHIVED'
    client.unarchive_experiment(made.experiment_id)
    assert 'an experiment' in [found.display_name for found in client.list_experiments(page_size=50).experiments]
    client.delete_experiment(made.experiment_id)
    with pytest.raises(ValueError, match='no experiment named'):
        client.get_experiment(experiment_name='an experiment')


def test_pipelines_versions_and_recurring_runs(client, sums):
    pipeline = client.upload_pipeline_from_pipeline_func(sums, pipeline_name='sums')
    assert client.get_pipeline_id('sums') == pipeline.pipeline_id
    version = client.upload_pipeline_version_from_pipeline_func(sums, 'second', pipeline_name='sums')
    versions = client.list_pipeline_versions(pipeline.pipeline_id).pipeline_versions
    assert version.pipeline_version_id in [found.pipeline_version_id for found in versions]
    experiment = client.create_experiment('recurring')
    recurring = client.create_recurring_run(experiment.experiment_id, 'nightly', cron_expression='0 0 3 * * *',
                                            pipeline_id=pipeline.pipeline_id, params={'start': 2}, enabled=False)
    assert client.get_recurring_run(recurring.recurring_run_id).trigger.cron_schedule.cron == '0 0 3 * * *'
    client.enable_recurring_run(recurring.recurring_run_id)
    assert client.get_recurring_run(recurring.recurring_run_id).status == 'ENABLED'
    client.delete_recurring_run(recurring.recurring_run_id)
    for found in versions:
        client.delete_pipeline_version(pipeline.pipeline_id, found.pipeline_version_id)
    client.delete_pipeline(pipeline.pipeline_id)
    assert client.get_pipeline_id('sums') is None


def test_refusals_say_why(client):
    with pytest.raises(ApiException) as refused:
        client.get_run('no-such-run')
    assert refused.value.status == 404 and 'no-such-run' in str(refused.value)
    assert json.loads(refused.value.body)
    with pytest.raises(ConnectionError, match='ferroflow up'):
        ferroflow.Client(host='http://127.0.0.1:9').get_run('x')
