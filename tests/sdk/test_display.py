"""What notebooks show of pipelines and runs."""

import html.parser
import io
import json
import re
import subprocess
import sys

import pytest
from conftest import BINARY, OURS

import ferroflow
from ferroflow import local
from ferroflow.display import graph, live, page, progress, watch

dsl = OURS.dsl
NASTY = '<img src=x onerror=alert(1)>"\'&</svg><script>alert(1)</script>'
TAGS = {
    'a', 'b', 'br', 'code', 'details', 'div', 'g', 'iframe', 'img', 'path', 'polyline', 'pre', 'rect', 'span',
    'summary', 'svg', 'table', 'tbody', 'td', 'text', 'th', 'thead', 'title', 'tr'
}


class Page(html.parser.HTMLParser):
    """The tags of a page, which must be closed in their order, and its text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.text, self.open = set(), [], '', []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes += attributes
        if tag not in ('br', 'img'):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes += attributes

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    @property
    def states(self):
        """State of each place in the graph."""
        places = [value for name, value in self.attributes if name == 'data-place']
        return dict(zip(places, [value for name, value in self.attributes if name == 'data-state']))


def checked(text):
    """A page that loads nothing, runs nothing, and has no tag but ours."""
    found = Page(text)
    assert found.tags <= TAGS, found.tags - TAGS
    names = [name for name, _ in found.attributes]
    assert names.count('srcdoc') == names.count('sandbox')
    for name, value in found.attributes:
        assert not name.startswith('on') and name != 'xlink:href', (name, value)
        assert name != 'src' or value.startswith('data:image/png;base64,'), value
        # What is in a frame can neither load nor run anything.
        assert name != 'sandbox' or value == ''
        assert name != 'srcdoc' or value.startswith('<meta http-equiv="Content-Security-Policy" content="default-src'), value
        assert name != 'href' or value.startswith('http://127.0.0.1:'), value
        assert 'url(' not in (value or '')
    return found


@dsl.component(base_image='python:3.11')
def add(a: int, b: int = 2) -> int:
    print(f'adding to {a}')
    return a + b


@dsl.component(base_image='python:3.11')
def fail(why: str) -> str:
    print('\033[31mon the \033[1mway\033[0m')
    raise ValueError('because ' + why)


@dsl.component(base_image='python:3.11')
def measure(numbers: dsl.Output[dsl.Metrics], classes: dsl.Output[dsl.ClassificationMetrics]):
    numbers.log_metric('accuracy', 0.75)
    classes.log_confusion_matrix(['<cat>', 'dog'], [[3, 1], [0, 4]])
    classes.log_roc_curve([0.0, 0.5, 1.0], [0.0, 0.9, 1.0], [0.9, 0.5, 0.1])


@dsl.pipeline(description='Adds ' + NASTY)
def whole(start: int = 1, why: str = NASTY) -> int:
    first = add(a=start)
    with dsl.If(first.output == 3, name='three'):
        with dsl.ParallelFor([1, 2, 3]) as item:
            add(a=item, b=add(a=item).output)
    with dsl.If(first.output == 4):
        add(a=0)
    failed = fail(why=why).after(first).set_display_name(NASTY)
    add(a=1).after(failed)
    measure()
    return first.output


@pytest.fixture(scope='module')
def server(tmp_path_factory):
    with BINARY.Server(tmp_path_factory.mktemp('server') / 'data') as server:
        yield server


@pytest.fixture(scope='module')
def created(server):
    created = ferroflow.Client(host=server.url).create_run_from_pipeline_func(whole, run_name=f'run {NASTY}')
    created.wait_for_run_completion(timeout=120)
    return created


def test_pipelines_show_their_graph():
    bundle = whole._repr_mimebundle_()
    found = checked(bundle['text/html'])
    assert set(found.states) == {
        'add', 'condition-1', 'condition-1/for-loop-3', 'condition-1/for-loop-3/add-2', 'condition-1/for-loop-3/add-3',
        'condition-4', 'condition-4/add-4', 'fail', 'add-5', 'measure'
    }
    assert set(found.states.values()) == {''}
    assert NASTY in found.text and 'start' in found.text and 'number integer' in found.text
    assert bundle['text/plain'].splitlines()[1:3] == ['  add', '  add-5']
    assert bundle['text/html'] == whole._repr_html_()
    assert set(checked(add._repr_html_()).states) == {'add'}


def test_components_of_the_older_format_are_shown():
    text = 'name: Older\ninputs: [{name: text, type: String}]\nimplementation:\n  container: {image: alpine:3}\n'
    component = OURS.components.load_component_from_text(text)
    assert set(checked(component._repr_html_()).states) == {'older'}


def test_nothing_lies_on_anything_else():

    def check(level):
        places = [(node.x, node.y, node.x + node.width, node.y + node.height) for node in level.nodes]
        for number, (left, top, right, bottom) in enumerate(places):
            assert left >= 0 and top >= 0 and right <= level.width and bottom <= level.height
            for other_left, other_top, other_right, other_bottom in places[:number]:
                assert right <= other_left or other_right <= left or bottom <= other_top or other_bottom <= top
        for points in level.edges:
            assert all(before[0] <= after[0] for before, after in zip(points, points[1:]))
        for node in level.nodes:
            if node.inner:
                check(node.inner)

    check(graph.read(json.loads(whole.compiled().pipeline_json())))


def test_large_graphs_are_closed_and_then_left_out():

    def chain(outer, inner):

        @dsl.pipeline
        def chain():
            with dsl.ParallelFor([1, 2]) as item:
                for _ in range(inner):
                    add(a=item)
            for _ in range(outer):
                add(a=1)

        return json.loads(chain.compiled().pipeline_json())

    assert len(list(graph.read(chain(3, 5)).walk())) == 9
    assert len(list(graph.read(chain(3, 200)).walk())) == 4
    assert graph.read(chain(200, 1)) is None
    assert '<svg' not in page.of_pipeline(chain(200, 1), 'long', None)


def test_runs_show_states_errors_logs_and_metrics(created):
    bundle = created._repr_mimebundle_()
    found = checked(bundle['text/html'])
    assert found.states == {
        'add': 'SUCCEEDED',
        'condition-1': 'SUCCEEDED',
        'condition-1/for-loop-3': 'SUCCEEDED',
        'condition-1/for-loop-3/add-2': 'SUCCEEDED',
        'condition-1/for-loop-3/add-3': 'SUCCEEDED',
        'condition-4': 'SKIPPED',
        'condition-4/add-4': 'SKIPPED',
        'fail': 'FAILED',
        'add-5': 'SKIPPED',
        'measure': 'SUCCEEDED',
    }
    for words in (f'run {NASTY}', 'the task exited with code 1', f'ValueError: because {NASTY}', 'on the way',
                  'accuracy', '0.75', '<cat>', 'false positive rate', '3/3', 'Output = 3', 'logadding to 1'):
        assert words in found.text, words
    assert ('href', f'{created._client._connection.host}/#/runs/details/{created.run_id}') in found.attributes
    text = bundle['text/plain']
    assert re.match(r'✗ run .*: failed in .* s, \d+ of \d+ tasks  http://', text)
    assert '✗ fail failed' in text and 'measure: accuracy = 0.75' in text
    run = created._client.get_run(created.run_id)
    assert run.metrics == {'accuracy': 0.75} and checked(run._repr_html_()).states == found.states
    [listed] = created._client.list_runs(page_size=1).runs
    assert listed._repr_html_() == run._repr_html_()


def test_runs_of_uploaded_pipelines_show_their_graph(server):
    client = ferroflow.Client(host=server.url)
    uploaded = client.upload_pipeline_from_pipeline_func(whole, 'uploaded')
    experiment = client.create_experiment('uploads')
    run = client.run_pipeline(experiment.experiment_id, 'uploaded', pipeline_id=uploaded.pipeline_id)
    assert set(checked(run._repr_html_()).states) >= {'add', 'fail'}
    client.wait_for_run_completion(run.run_id, 120)


def test_other_servers_and_none_at_all(server, created):
    """What KFP's API tells is enough for a picture, if no graph is left out by it."""
    run = created._client.get_run(created.run_id)
    results = progress.of_details(run.to_dict())
    assert results['state'] == 'FAILED' and {task['display_name'] for task in results['tasks']} >= {'add', 'measure'}
    found = checked(page.of_run(results, run._spec()))
    assert found.states['add'] == 'SUCCEEDED' and found.states['add-5'] == 'SKIPPED'
    gone = ferroflow.Client(host='http://127.0.0.1:9')
    run._client = gone
    assert checked(run._repr_html_()).states['measure'] == 'SUCCEEDED'
    created_there = type(created)(gone, run)
    assert checked(created_there._repr_html_()).states['measure'] == 'SUCCEEDED'


def test_local_runs(tmp_path):
    local.init(local.SubprocessRunner(use_venv=False), pipeline_root=str(tmp_path / 'local'), raise_on_error=False)
    bundle = whole(start=2)._repr_mimebundle_()
    found = checked(bundle['text/html'])
    assert found.states['fail'] == 'FAILED' and found.states['condition-4'] == 'SUCCEEDED'
    assert '✗ fail failed' in bundle['text/plain']
    assert f'ValueError: because {NASTY}' in found.text and 'on the way' in found.text
    assert checked(add(a=1)._repr_html_()).states == {'add': 'SUCCEEDED'}


@dsl.component(base_image='python:3.11')
def draw(page: dsl.Output[dsl.HTML], notes: dsl.Output[dsl.Markdown], data: dsl.Output[dsl.Dataset],
         picture: dsl.Output[dsl.Artifact], bits: dsl.Output[dsl.Artifact], folder: dsl.Output[dsl.Dataset]):
    import os
    with open(page.path, 'w') as file:
        file.write('<h1 onclick="alert(1)">Title</h1><img src="http://example.org/x">')
    with open(notes.path, 'w') as file:
        file.write('# Notes\n<script>')
    with open(data.path, 'w') as file:
        file.writelines(f'{number},ä\n' for number in range(100_000))
    with open(picture.path, 'wb') as file:
        file.write(bytes.fromhex('89504e470d0a1a0a00ff'))
    with open(bits.path, 'wb') as file:
        file.write(bytes(range(256)))
    os.makedirs(folder.path)


def _check_previews(found, text):
    attributes = dict(found.attributes)
    assert attributes['srcdoc'].endswith('<h1 onclick="alert(1)">Title</h1><img src="http://example.org/x">')
    assert attributes['src'] == 'data:image/png;base64,iVBORw0KGgoA/w=='
    assert '# Notes\n<script>' in found.text and '39,ä\n…' in found.text and '40,ä' not in found.text
    assert 'draw: bits' not in found.text and len(text) < 20_000


def test_artifacts_are_previewed(server, tmp_path):
    created = ferroflow.Client(host=server.url).create_run_from_pipeline_func(draw)
    run = created.wait_for_run_completion(timeout=120)
    _check_previews(checked(run._repr_html_()), run._repr_html_())
    local.init(local.SubprocessRunner(use_venv=False), pipeline_root=str(tmp_path / 'local'))
    task = draw()
    _check_previews(checked(task._repr_html_()), task._repr_html_())


def test_what_is_told_while_it_runs(monkeypatch):
    """The lines of the program as a picture; what is no news is passed on."""
    shown, said = [], io.StringIO()

    class Display:

        def display(self, bundle, **options):
            shown.append(bundle)
            return self

        def update(self, bundle, **options):
            shown.append(bundle)

    monkeypatch.setattr(watch, 'live', lambda: live.Live(Display()))
    monkeypatch.setattr(sys, 'stderr', said)
    watched = watch.Watch('whole', json.loads(whole.compiled().pipeline_json()))
    for line in ('a remark\n', 'add: started\n', 'add: started\n', 'add: succeeded in 0.1 s\n',
                 'condition-1/for-loop-3/0/add-2: started\n', 'condition-1/for-loop-3/1/add-2: taken from the cache\n',
                 'fail: failed in 0.1 s: why\n'):
        watched.take(line)
    # What changes nothing is not shown again.
    assert said.getvalue() == 'a remark\n' and len(shown) == 6
    states = [checked(bundle['text/html']).states for bundle in shown]
    assert set(states[0].values()) == {''} and states[1]['add'] == 'RUNNING'
    assert states[-1] == {
        **states[0], 'add': 'SUCCEEDED', 'fail': 'FAILED', 'condition-1': 'RUNNING', 'condition-1/for-loop-3': 'RUNNING',
        'condition-1/for-loop-3/add-2': 'RUNNING'
    }
    assert '1/2' in shown[-1]['text/html']
    with pytest.raises(KeyboardInterrupt):
        with watched:
            raise KeyboardInterrupt
    assert shown[-1]['text/plain'].startswith('■ whole: canceled')


def test_metadata_of_another_form_has_no_plot():
    spec = {'root': {'dag': {'tasks': {'a': {}, 'b': {'dependentTasks': ['a', 'c']}}}}}
    for metadata in ({'confusionMatrix': 3}, {'confusionMatrix': {'rows': []}}, {'confidenceMetrics': [{'recall': 'x'}]}):
        artifact = {'type': 'system.ClassificationMetrics', 'uri': '', 'metadata': metadata}
        task = {'path': 'a', 'kind': 'CONTAINER', 'state': '<b>', 'outputs': {'artifacts': {'classes': [artifact]}}}
        results = {'display_name': 'x', 'state': 'UNHEARD_OF', 'outputs': {}, 'tasks': [task]}
        found = checked(page.of_run(results, spec))
        assert found.states == {'a': '', 'b': ''} and 'unheard of' in found.text


def test_pictures_are_loaded_only_when_they_are_wanted():
    code = 'import sys; from ferroflow import Client, local, dsl; print("ferroflow.display.page" in sys.modules)'
    assert subprocess.run([sys.executable, '-c', code], capture_output=True, text=True).stdout.strip() == 'False'
