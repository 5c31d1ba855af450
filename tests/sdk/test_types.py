"""Types as users of a type checker meet them."""

import ast
import importlib.util
import inspect
import pathlib
import re
import subprocess
import sys

import pytest

import ferroflow
from ferroflow import dsl

HERE = pathlib.Path(__file__).parent / 'typing'


def errors_of(name):
    """Line and kind of each error, and the whole text."""
    words = ('-m', 'mypy', '--strict', '--no-incremental', '--hide-error-context', name)
    text = subprocess.run([sys.executable, *words], capture_output=True, text=True, cwd=HERE).stdout
    found = [re.match(r'[^:]+:(\d+): error: .*\[([\w-]+)\]$', line) for line in text.splitlines()]
    return {(int(match[1]), match[2]) for match in found if match}, text


@pytest.mark.filterwarnings('ignore:component .bare. names no base_image')
def test_right_code_has_no_errors():
    assert errors_of('right.py')[1].startswith('Success')
    spec = importlib.util.spec_from_file_location('right', HERE / 'right.py')
    spec.loader.exec_module(importlib.util.module_from_spec(spec))


def test_mistakes_are_found():
    lines = (HERE / 'wrong.py').read_text().splitlines()
    expected = {(number, kind) for number, line in enumerate(lines, 1) if '  # ' in line
                for kind in line.partition('  # ')[2].split(', ')}
    found, text = errors_of('wrong.py')
    assert found == expected, text


def test_stubs_are_true():
    modules = ('_native', '_executor', 'dsl.types.artifact_types', 'dsl.types.type_annotations')
    words = ['-m', 'mypy.stubtest', *(f'ferroflow.{module}' for module in modules)]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize('name', ['component', 'container_component', 'notebook_component', 'pipeline'])
def test_typed_signatures_are_those_of_the_code(name):
    tree = ast.parse((pathlib.Path(ferroflow.__file__).parent / 'dsl' / 'typed.pyi').read_text())
    forms = [node.args for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
    typed = {argument.arg for form in forms for argument in [*form.args, *form.kwonlyargs]}
    assert typed == set(inspect.signature(getattr(dsl, name)).parameters)
