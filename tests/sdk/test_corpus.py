"""Every case of the corpus, compiled by the real kfp and by ours: the same file."""

import importlib
import pathlib

import pytest
from conftest import KFP, OURS, compiled, differences, with_plain_names

CORPUS = pathlib.Path(__file__).parent / 'corpus'


def cases():
    for path in sorted(CORPUS.glob('[a-z]*.py')):
        module = importlib.import_module(f'corpus.{path.stem}')
        for name, build in sorted(vars(module).items()):
            if not callable(build) or name.startswith('_') or getattr(build, '__module__', '') != module.__name__:
                continue
            for label, one in getattr(build, 'variants', {'': build}).items():
                yield pytest.param(one, id='-'.join(part for part in (path.stem, name, label) if part))


@pytest.mark.parametrize('build', list(cases()))
def test_both_compile_to_the_same(build, tmp_path):
    expected, _ = compiled(KFP, build, tmp_path)
    found, _ = compiled(OURS, build, tmp_path)
    if getattr(build, 'names_vary', False):
        expected, found = with_plain_names(expected), with_plain_names(found)
    assert list(differences(expected, found)) == []


def test_the_corpus_is_large():
    assert len(list(cases())) >= 150
