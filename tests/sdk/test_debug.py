"""Functions of components that are called in this very process."""

import bdb
import functools
import http.server
import os
import subprocess
import sys
import threading
import traceback
from typing import List, NamedTuple

import pytest
from conftest import OURS

from ferroflow import local

dsl = OURS.dsl
CALLS = []


@dsl.component(base_image='python:3.11', packages_to_install=['no-such-package'])
def where(number: int) -> int:
    import os
    # Only in this process there is such a list.
    assert '_KFP_RUNTIME' not in os.environ
    CALLS.append((number, os.environ.get('FLAVOR')))
    return os.getpid()


@dsl.component(base_image='python:3.11')
def write(text: str, data: dsl.Output[dsl.Dataset], count: dsl.OutputPath(int)) -> NamedTuple(
        'Results', [('words', List[str]), ('nothing', dict)]):
    with open(data.path, 'w') as file:
        file.write(text)
    with open(count, 'w') as file:
        file.write(str(len(text)))
    data.metadata['language'] = 'en'
    CALLS.append(data.path)
    return text.split(), {}


@dsl.component(base_image='python:3.11')
def read(data: dsl.Input[dsl.Dataset], path: dsl.InputPath('Dataset'), suffix: str = '!') -> str:
    assert isinstance(data, dsl.Dataset) and data.path == path
    with open(path) as file:
        return file.read() + data.metadata['language'] + suffix


@dsl.component(base_image='python:3.11')
def fail(text: str) -> str:
    CALLS.append(text)
    raise LookupError('because of ' + text)


@dsl.component(base_image='python:3.11')
def tell(status: dsl.PipelineTaskFinalStatus):
    CALLS.append(status.state)


@dsl.container_component
def shout(text: str, loud: dsl.OutputPath(str)):
    return dsl.ContainerSpec(image='alpine:3', command=['sh', '-c', 'printf "$0" | tr a-z A-Z > "$1"', text, loud])


@dsl.pipeline
def inner(text: str) -> str:
    written = write(text=text)
    return read(data=written.outputs['data'], path=written.outputs['data']).output


@pytest.fixture(autouse=True)
def here(tmp_path):
    CALLS.clear()
    local.init(local.DebugRunner(), pipeline_root=str(tmp_path / 'local'))
    before = set(os.environ)
    yield
    assert set(os.environ) == before


def test_components_are_called_here():
    task = where(number=1)
    assert task.output == os.getpid() and CALLS == [(1, None)] and task.state == 'SUCCEEDED'


def test_artifacts_are_files():
    task = write(text='two words')
    assert (task.outputs['count'], task.outputs['words'], task.outputs['nothing']) == (9, ['two', 'words'], {})
    data = task.outputs['data']
    assert data.path == CALLS[0] and data.metadata == {'language': 'en'}
    with open(data.path) as file:
        assert file.read() == 'two words'


def test_inputs_may_be_large():

    @dsl.component(base_image='python:3.11')
    def size(text: str) -> int:
        return len(text)

    assert size(text='ä' * 300_000).output == 300_000


def test_artifacts_from_elsewhere_are_files_too(tmp_path):
    folder = tmp_path / 'web'
    folder.mkdir()
    (folder / 'data.txt').write_text('from the web ')
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()

        @dsl.pipeline
        def whole() -> str:
            data = dsl.importer(artifact_uri=f'http://127.0.0.1:{server.server_port}/data.txt',
                                artifact_class=dsl.Dataset, metadata={'language': 'en'}).output
            return read(data=data, path=data).output

        assert whole().output == 'from the web en!'
        server.shutdown()


def test_flows_are_those_of_the_engine():

    @dsl.pipeline
    def whole(text: str) -> str:
        with dsl.ExitHandler(tell()):
            with dsl.ParallelFor([1, 2, 3]) as item:
                with dsl.If(item != 2):
                    where(number=item).set_env_variable('FLAVOR', 'vanilla')
        return shout(text=inner(text=text).output).outputs['loud']

    assert whole(text='a b').output == 'A BEN!'
    assert sorted(call for call in CALLS if isinstance(call, tuple)) == [(1, 'vanilla'), (3, 'vanilla')]
    assert 'COMPLETE' in CALLS


def test_what_carries_files_runs_from_its_source(tmp_path):
    (tmp_path / 'words.txt').write_text('in the source')

    @dsl.component(base_image='python:3.11', embedded_artifact_path=str(tmp_path / 'words.txt'))
    def embedded(words: dsl.EmbeddedInput[dsl.Dataset]) -> str:
        with open(words.path) as file:
            return file.read()

    assert embedded().output == 'in the source'


def test_errors_are_those_of_the_function():

    @dsl.pipeline
    def whole():
        read(data=dsl.importer(artifact_uri='file:///tmp', artifact_class=dsl.Dataset).output, path=write(
            text=fail(text='it').set_retry(1, backoff_duration='0s').output).outputs['data'])

    with pytest.raises(RuntimeError, match='(?s)fail.*LookupError: because of it') as raised:
        whole()
    cause = raised.value.__cause__
    assert isinstance(cause, LookupError)
    assert traceback.extract_tb(cause.__traceback__)[-1].name == 'fail'
    assert CALLS == ['it', 'it']
    local.init(local.DebugRunner(), pipeline_root=local._settings.root, raise_on_error=False)
    assert fail(text='it').state == 'FAILED'


def test_functions_may_exit():

    @dsl.component(base_image='python:3.11')
    def leave(code: int):
        import sys
        sys.exit(code)

    assert leave(code=0).state == 'SUCCEEDED'
    with pytest.raises(RuntimeError, match='the function ended with 3'):
        leave(code=3)


@pytest.mark.parametrize('error', [KeyboardInterrupt, bdb.BdbQuit])
def test_leaving_the_debugger_leaves_the_run(error, monkeypatch, tmp_path):

    @dsl.component(base_image='python:3.11')
    def stop():
        raise error

    with pytest.raises(error):
        stop()
    assert where(number=1).output == os.getpid()


def test_folders_with_long_names_are_named(tmp_path, monkeypatch):
    folder = tmp_path / ('long' * 30)
    folder.mkdir()
    monkeypatch.setattr('tempfile.tempdir', str(folder))
    with pytest.raises(RuntimeError, match='set TMPDIR to a folder with a shorter name'):
        where(number=1)


def test_breakpoints_stop_in_functions(tmp_path):
    """A debugger at a terminal: its words come from standard input, which nobody else reads."""
    program = tmp_path / 'program.py'
    program.write_text('from ferroflow import dsl, local\n\n\n'
                       '@dsl.component(base_image="python:3.11")\n'
                       'def double(number: int) -> int:\n'
                       '    breakpoint()\n'
                       '    return 2 * number\n\n\n'
                       f'local.init(local.DebugRunner(), pipeline_root={str(tmp_path / "local")!r})\n'
                       'print("result", double(number=4).output)\n')
    typed = 'p number + 1000\nnumber = 21\ncontinue\n'
    done = subprocess.run([sys.executable, program], input=typed, capture_output=True,
                          text=True, timeout=120)
    assert '1004' in done.stdout and 'result 42' in done.stdout, done.stdout + done.stderr
