"""The command line beside that of kfp, and against a server."""

import argparse
import importlib.metadata
import json
import pathlib
import re
import subprocess
import sys

import click
import kfp.cli.cli
import pytest
import yaml
from conftest import BINARY

from ferroflow.__main__ import _parser, main

PIPELINE = '''
from ferroflow import dsl


@dsl.component(base_image='python:3.11')
def double(number: int) -> int:
    return 2 * number


@dsl.pipeline
def twice(number: int = 3) -> int:
    return double(number=double(number=number).output).output
'''
# Shells' completion, and commands about machines that are not ours.
ABSENT = {('component',), ('component', 'build'), ('diagnose-me',)}
ABSENT_OPTIONS = {'--install-completion', '--show-completion'}


def commands_of_kfp(command, path=()):
    yield path, command
    for name, inner in getattr(command, 'commands', {}).items():
        yield from commands_of_kfp(inner, (*path, name))


def commands(parser, path=()):
    yield path, parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, inner in action.choices.items():
                yield from commands(inner, (*path, name))


def test_commands_and_options_are_those_of_kfp():
    ours = dict(commands(_parser()))
    theirs = dict(commands_of_kfp(kfp.cli.cli.cli))
    assert set(theirs) - set(ours) == ABSENT and len(theirs) > 30
    for path in set(theirs) - ABSENT:
        known = {word for action in ours[path]._actions for word in action.option_strings}
        parameters = theirs[path].params
        options = {word for one in parameters for word in [*one.opts, *one.secondary_opts] if word.startswith('-')}
        assert options - known <= ABSENT_OPTIONS, path
        places = [action for action in ours[path]._actions
                  if not action.option_strings and not isinstance(action, argparse._SubParsersAction)]
        assert len(places) == sum(isinstance(one, click.Argument) for one in parameters), path


def test_the_alias_brings_the_command():
    project = pathlib.Path(__file__).parents[2] / 'python' / 'kfp-alias' / 'pyproject.toml'
    [value] = re.findall(r'^kfp = "(.*)"$', project.read_text(), re.MULTILINE)
    assert importlib.metadata.EntryPoint('kfp', value, 'console_scripts').load() is main


@pytest.fixture(scope='module')
def server(tmp_path_factory):
    with BINARY.Server(tmp_path_factory.mktemp('server') / 'data') as server:
        yield server


@pytest.fixture
def call(server, tmp_path):
    (tmp_path / 'twice.py').write_text(PIPELINE)

    def call(*words, code=0):
        done = subprocess.run([sys.executable, '-m', 'ferroflow', '--endpoint', server.url, *map(str, words)],
                              capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout if code == 0 else done.stderr

    call('dsl', 'compile', '--py', 'twice.py', '--output', 'twice.yaml')
    return call


def test_runs(call):
    said = call('run', 'create', '-e', 'by words', '-r', 'first', '-f', 'twice.yaml', '--watch', 'number=5')
    head, row = said.splitlines()
    assert head.split() == ['ID', 'NAME', 'CREATED', 'AT', 'STATE']
    assert ' first ' in row and row.endswith('SUCCEEDED')
    run_id = row.split()[0]
    assert run_id in call('run', 'list') and run_id in call('run', 'get', run_id, '--watch')
    for words in (['--output', 'json', 'run', 'get', run_id], ['run', 'get', '--detail', run_id]):
        assert json.loads(call(*words))['runtime_config'] == {'parameters': {'number': 5}}
    assert call('run', 'delete', run_id).strip() == 'done'
    assert 'not' in call('run', 'get', run_id, code=1)
    assert 'existing_token' in call('--iap-client-id', 'x', 'run', 'list', code=1)


def test_pipelines_and_their_versions(call):
    pipeline_id = call('pipeline', 'create', '-p', 'doubling', '-d', 'words', 'twice.yaml').splitlines()[1].split()[0]
    call('pipeline', 'create-version', '-v', 'second', '-n', 'doubling', '-d', 'more words', 'twice.yaml')
    assert 'second' in call('pipeline', 'list-versions', '--max-size', '5', '--sort-by', 'created_at desc', pipeline_id)
    more = call('pipeline', 'list-versions', '-m', '1', pipeline_id).splitlines()
    assert len(more) == 3 and more[-1].startswith('more: --page-token ')
    said = call('run', 'create', '-e', 'by words', '-n', 'doubling', '-w')
    assert said.splitlines()[1].endswith('SUCCEEDED')


def test_experiments(call):
    experiment_id = call('experiment', 'create', 'of words').splitlines()[1].split()[0]
    call('experiment', 'archive', '--experiment-name', 'of words')
    assert call('experiment', 'get', experiment_id).splitlines()[1].endswith('ARCHIVED')
    call('experiment', 'unarchive', '--experiment-id', experiment_id)
    assert call('experiment', 'get', experiment_id).splitlines()[1].endswith('AVAILABLE')
    assert 'either' in call('experiment', 'archive', code=1)


def test_recurring_runs(call):
    words = ['--experiment-name', 'by words', '--job-name', 'nightly', '--pipeline-package-path', 'twice.yaml',
             '--description', 'at night', '--no-catchup', '--disabled']  # yapf: disable
    assert 'when' in call('recurring-run', 'create', *words, code=1)
    said = call('--output', 'json', 'recurring-run', 'create', *words, '--cron-expression', '0 0 3 * * *', 'number=7')
    made = json.loads(said)
    assert (made['status'], made['no_catchup'], made['description']) == ('DISABLED', True, 'at night')
    job = made['recurring_run_id']
    call('recurring-run', 'enable', job)
    assert 'nightly' in call('recurring-run', 'list', '-e', made['experiment_id'])
    assert call('recurring-run', 'get', job).splitlines()[1].endswith('ENABLED')
    call('recurring-run', 'delete', job)
    assert call('recurring-run', 'list').strip() == 'none'


def test_manifests(call, tmp_path):
    words = ['dsl', 'compile', '--py', 'twice.py', '--output', 'manifest.yaml', '--pipeline-name', 'doubling',
             '--namespace', 'team', '--include-pipeline-manifest']  # yapf: disable
    assert '--kubernetes-manifest-format' in call(*words, code=1)
    call(*words, '--kubernetes-manifest-format')
    pipeline, version = yaml.safe_load_all((tmp_path / 'manifest.yaml').read_text())
    assert pipeline['metadata'] == {'name': 'doubling', 'namespace': 'team'} and version['kind'] == 'PipelineVersion'
