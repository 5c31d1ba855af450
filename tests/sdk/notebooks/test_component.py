"""Notebooks as components: embedded, given parameters, run by a kernel where the task is."""

import nbformat
import pytest
from conftest import BINARY

from ferroflow import dsl, local

v4 = nbformat.v4


@pytest.fixture(autouse=True)
def here(tmp_path):
    local.init(local.SubprocessRunner(use_venv=False), pipeline_root=str(tmp_path / 'local'))


def write(folder, *cells, kernel='python3'):
    folder.mkdir()
    (folder / 'words.py').write_text('GREETING = "hello"\n')
    metadata = {'kernelspec': {'name': kernel, 'display_name': kernel, 'language': 'python'}}
    nbformat.write(v4.new_notebook(cells=cells, metadata=metadata), folder / 'report.ipynb')
    return str(folder)


def log(task, tmp_path):
    return BINARY.run_cli('logs', task._results['run_id'], 'report', data_dir=tmp_path / 'local').stdout


def parameters(source):
    return v4.new_code_cell(source, metadata={'tags': ['parameters']})


def test_parameters_files_and_what_cells_print(tmp_path):
    path = write(tmp_path / 'report', v4.new_markdown_cell('# Report', metadata={'tags': ['parameters']}),
                 parameters('name = "nobody"\nnumbers = []'), v4.new_code_cell('from words import GREETING'),
                 v4.new_code_cell('with open("report.txt", "w") as file: file.write(f"{GREETING} {name}: {sum(numbers)}")\n'
                                  'print("printed by the notebook")\nsum(numbers)'),
                 # Kernels have other names on other machines.
                 kernel='somebody-elses-environment')

    @dsl.notebook_component(notebook_path=path, base_image='python:3.11', packages_to_install=[])
    def report(name: str, numbers: list) -> str:
        import os
        dsl.run_notebook(name=name, numbers=numbers)
        with open(os.path.join(__KFP_EMBEDDED_ASSET_DIR, 'report.txt')) as file:  # noqa: F821
            return file.read()

    task = report(name='<Ada>', numbers=[1, 2, 3])
    assert task.output == 'hello <Ada>: 6'
    assert log(task, tmp_path).splitlines()[-2:] == ['printed by the notebook', '6']


def test_a_cell_that_fails_fails_the_task(tmp_path):
    path = write(tmp_path / 'report', v4.new_code_cell('print("first words")'), v4.new_code_cell('1 / 0'))

    @dsl.notebook_component(notebook_path=path, base_image='python:3.11', packages_to_install=[])
    def report():
        dsl.run_notebook()

    with pytest.raises(RuntimeError, match='ZeroDivisionError'):
        report()
    local.init(local.SubprocessRunner(), pipeline_root=str(tmp_path / 'local'), raise_on_error=False)
    text = log(report(), tmp_path)
    assert text.index('first words') < text.index('ZeroDivisionError')


def test_without_parameters_nothing_is_put_in(tmp_path):
    path = write(tmp_path / 'report', parameters('name = "nobody"'),
                 v4.new_code_cell('assert name == "nobody"; open("name.txt", "w").write(name)'))

    @dsl.notebook_component(notebook_path=path, base_image='python:3.11', packages_to_install=[])
    def report():
        dsl.run_notebook()

    assert report().state == 'SUCCEEDED'
