"""The package as users meet it: names, types, what importing costs, the command line."""

import importlib
import json
import pathlib
import subprocess
import sys

import kfp.components
import kfp.dsl
import kfp.kubernetes
import kfp.registry
import yaml

import ferroflow

PACKAGE = pathlib.Path(ferroflow.__file__).parent
PIPELINE = '''
import ferroflow as kfp
from ferroflow import dsl


@dsl.component(base_image='python:3.11')
def double(number: int) -> int:
    return 2 * number


@dsl.pipeline
def twice(number: int = 3) -> int:
    return double(number=double(number=number).output).output
'''


def run(*words, **options):
    return subprocess.run([sys.executable, *map(str, words)], capture_output=True, text=True, **options)


def test_names_of_kfp_are_there():
    for name in ('dsl', 'kubernetes', 'components', 'registry'):
        ours = importlib.import_module(f'ferroflow.{name}')
        missing = [word for word in getattr(kfp, name).__all__ if not hasattr(ours, word)]
        assert missing == [], name
    assert set(kfp.dsl.__all__) <= set(ferroflow.dsl.__all__)
    assert ferroflow.__version__ == '2.17.0'


def test_importing_loads_nothing_but_the_standard_library():
    code = ('import sys; before = set(sys.modules); from ferroflow import dsl, compiler; '
            'print(*sorted({name.partition(".")[0] for name in set(sys.modules) - before}))')
    loaded = set(run('-c', code).stdout.split())
    assert loaded - set(sys.stdlib_module_names) == {'ferroflow'}
    # What makes KFP's import slow in the standard library, too.
    assert not loaded & {'asyncio', 'ssl', 'urllib', 'inspect', 'dataclasses', 'email'}


def test_types_are_complete():
    checked = run('-m', 'mypy', '--strict', '--no-incremental', '-p', 'ferroflow')
    assert checked.returncode == 0, checked.stdout


def test_command_line(tmp_path):
    source, output = tmp_path / 'twice.py', tmp_path / 'twice.yaml'
    source.write_text(PIPELINE)
    words = ('-m', 'ferroflow', 'dsl', 'compile', '--py', source, '--output', output)
    done = run(*words, '--pipeline-parameters', json.dumps({'number': 4}), '--disable-execution-caching-by-default')
    assert done.returncode == 0 and done.stdout.strip() == str(output), done.stderr
    pipeline = yaml.safe_load(output.read_text())
    assert pipeline['root']['inputDefinitions']['parameters']['number']['defaultValue'] == 4
    assert pipeline['root']['dag']['tasks']['double']['cachingOptions'] == {}
    wrong = run(*words, '--function', 'other')
    assert wrong.returncode == 1 and wrong.stderr.startswith('error: ') and 'double, twice' in wrong.stderr
    alone = run('-m', 'ferroflow', '--endpoint', 'http://127.0.0.1:9', 'run', 'list')
    assert alone.returncode == 1 and 'ferroflow up' in alone.stderr


ALIAS = pathlib.Path(__file__).parents[2] / 'python' / 'kfp-alias'


def test_the_alias_answers_to_kfp(tmp_path):
    """In an interpreter that knows nothing but the two packages, and one that adds to kfp."""
    (tmp_path / 'ferroflow').symlink_to(PACKAGE)
    (tmp_path / 'kfp').mkdir()
    (tmp_path / 'kfp' / 'addition.py').write_text('VALUE = 7\n')
    source = tmp_path / 'twice.py'
    source.write_text(PIPELINE.replace('import ferroflow as kfp\nfrom ferroflow import', 'import kfp\nfrom kfp import'))
    code = '''
import twice, kfp.compiler, kfp.dsl, ferroflow.dsl
from kfp import addition, Client
from kfp.dsl.types.artifact_types import Dataset
kfp.compiler.Compiler().compile(twice.twice, 'twice.yaml')
assert kfp.dsl is ferroflow.dsl and Dataset is kfp.dsl.Dataset and Client is ferroflow.Client
print(addition.VALUE, kfp.__version__)
'''
    done = run('-S', '-c', code, cwd=tmp_path, env={'PYTHONPATH': f'{ALIAS}:{tmp_path}'})
    assert done.stdout.strip() == '7 2.17.0', done.stderr
    assert (tmp_path / 'twice.yaml').exists()


def test_the_alias_refuses_the_real_kfp_beside_it(tmp_path):
    done = run('-c', f'import sys; sys.path.insert(0, {str(ALIAS)!r}); import kfp', cwd=tmp_path)
    assert done.returncode == 1 and 'pip uninstall kfp ferroflow-kfp' in done.stderr


def test_specs_read_like_messages_and_are_such_where_these_are_loaded(tmp_path):
    (tmp_path / 'twice.py').write_text(PIPELINE)
    code = '''
import twice
spec = twice.twice.pipeline_spec
print(type(spec).__module__, spec.pipeline_info.name, 'double' in spec.root.dag.tasks, len(spec.components),
      spec.root.input_definitions.parameters['number'].default_value)
'''
    assert run('-c', code, cwd=tmp_path).stdout.split() == ['ferroflow._message', 'twice', 'True', '2', '3.0']
    done = run('-c', 'from kfp.pipeline_spec import pipeline_spec_pb2' + code, cwd=tmp_path)
    module, *others = done.stdout.split()
    assert 'pipeline_spec_pb2' in module and others == ['twice', 'True', '2', 'number_value:', '3'], done
