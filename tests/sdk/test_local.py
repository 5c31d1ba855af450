"""Components and pipelines that are called outside of a pipeline run here."""

from typing import List, NamedTuple

import pytest
from conftest import OURS

from ferroflow import local

dsl = OURS.dsl


@dsl.component(base_image='python:3.11')
def add(a: int, b: int = 2) -> int:
    return a + b


@dsl.component(base_image='python:3.11')
def write(text: str, data: dsl.Output[dsl.Dataset]) -> NamedTuple('Results', [('length', int), ('words', List[str])]):
    with open(data.path, 'w') as file:
        file.write(text)
    data.metadata['language'] = 'en'
    return len(text), text.split()


@dsl.component(base_image='python:3.11')
def fail(why: str) -> str:
    raise ValueError('because ' + why)


@dsl.pipeline
def sums(start: int) -> List[int]:
    with dsl.ParallelFor([1, 2, 3]) as item:
        added = add(a=start, b=item)
    return dsl.Collected(added.output)


@pytest.fixture(autouse=True)
def here(tmp_path):
    local.init(local.SubprocessRunner(use_venv=False), pipeline_root=str(tmp_path / 'local'))


def test_values():
    task = add(a=1)
    assert (task.output, task.outputs, task.state) == (3, {'Output': 3}, 'SUCCEEDED')
    assert sums(start=10).output == [11, 12, 13]


def test_artifacts():
    task = write(text='two words')
    assert (task.outputs['length'], task.outputs['words']) == (9, ['two', 'words'])
    data = task.outputs['data']
    assert isinstance(data, dsl.Dataset) and data.metadata == {'language': 'en'}
    with open(data.path) as file:
        assert file.read() == 'two words'
    with pytest.raises(AttributeError, match='outputs'):
        task.output


def test_failures(tmp_path):
    with pytest.raises(RuntimeError, match='because of it'):
        fail(why='of it')
    local.init(local.SubprocessRunner(), pipeline_root=str(tmp_path / 'other'), raise_on_error=False)
    assert fail(why='of it').state == 'FAILED'


def test_mistakes():
    with pytest.raises(TypeError, match='NUMBER_INTEGER'):
        add(a='one')
    with pytest.raises(AttributeError, match='has run'):
        add(a=1).after(add(a=2))
    with pytest.warns(UserWarning, match='changes nothing'):
        assert add(a=1).set_cpu_limit('1').output == 3


def test_without_init(monkeypatch):
    monkeypatch.setattr(local, '_settings', None)
    with pytest.raises(RuntimeError, match='local.init'):
        add(a=1)
