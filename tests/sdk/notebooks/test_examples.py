"""The example notebooks, from top to bottom in a kernel, against a server."""

import re

import nbclient
import nbformat
import pytest
from conftest import ROOT

EXAMPLES = ROOT / 'examples' / 'notebooks'


def execute(name, server, folder, monkeypatch):
    """Text, HTML and changes of HTML that the cells of a notebook put out."""
    monkeypatch.setenv('KF_PIPELINES_ENDPOINT', server.url)
    monkeypatch.setenv('IPYTHONDIR', str(folder / 'ipython'))
    notebook = nbformat.read(EXAMPLES / f'{name}.ipynb', as_version=4)
    changes = []

    class Client(nbclient.NotebookClient):

        def process_message(self, message, cell, cell_index):
            if message['msg_type'] == 'update_display_data':
                changes.append(message['content']['data'])
            return super().process_message(message, cell, cell_index)

    Client(notebook, timeout=300, kernel_name='python3', resources={'metadata': {'path': str(folder)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get('outputs', [])]
    text = ''.join(output.get('text', '') for output in outputs)
    return text, [output['data'] for output in outputs if 'data' in output], changes


def states(html):
    return dict(re.findall('data-place="([^"]*)" data-state="([^"]*)"', html))


@pytest.mark.parametrize('path', sorted(EXAMPLES.glob('*.ipynb')), ids=lambda path: path.stem)
def test_they_are_kept_without_outputs(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert all(not cell.get('outputs') and cell.get('execution_count') is None for cell in notebook.cells)


def test_training(server, tmp_path, monkeypatch):
    text, shown, changes = execute('train', server, tmp_path, monkeypatch)
    # Two of the local run: one that followed it, and its result.
    (followed, local), pipeline, run = shown[:2], shown[2], shown[-1]
    assert states(followed['text/html']) == {'choose': 'SUCCEEDED'}
    assert states(local['text/html']) == {'choose': 'SUCCEEDED'}
    assert set(states(pipeline['text/html']).values()) == {''}
    # The picture that follows the run has followed it to its end.
    ended = {'split-wines': 'SUCCEEDED', 'for-loop-1': 'SUCCEEDED', 'for-loop-1/train-forest': 'SUCCEEDED',
             'for-loop-1/rate': 'SUCCEEDED', 'choose': 'SUCCEEDED', 'train-forest-2': 'CACHED'}  # yapf: disable
    assert states(changes[-1]['text/html']) == states(run['text/html']) == ended
    assert 'confusion matrix' in run['text/html'] and 'ROC curve' in run['text/html']
    assert 'accuracy = 0.9' in run['text/plain'] or 'accuracy = 1' in run['text/plain']
    assert re.search(r'depth \d is right in \d+% of all cases', text)


def test_comparing(server, tmp_path, monkeypatch):
    text, shown, _ = execute('compare', server, tmp_path, monkeypatch)
    assert len(re.findall(r'neighbors, \w+ +0\.9\d+ ± ', text)) == 6
    compare = next(data['text/html'] for data in shown if 'Compare them' in data.get('text/html', ''))
    address, runs = re.search(r'href="(.*)#/compare\?runlist=([^"]*)"', compare).groups()
    assert address == server.url + '/' and len(set(runs.split(','))) == 6
    assert len(server.call('GET', f'/apis/ferroflow/v1/compare?runs={runs}')['runs']) == 6


def test_a_schedule(server, tmp_path, monkeypatch):
    _, shown, _ = execute('schedule', server, tmp_path, monkeypatch)
    assert [states(data['text/html'])['check'] for data in shown if 'data-place' in data['text/html']][-1] == 'SUCCEEDED'
    assert 'disk' not in str(server.call('GET', '/apis/v2beta1/recurringruns'))
