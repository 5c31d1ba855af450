"""What `Compiler.compile` can be told, and the file to the byte."""

import json
import random
import threading

import pytest
from conftest import KFP, OURS, compiled, differences
from corpus import flows, settings
from corpus.flows import _kit


def _defaults(sdk):
    kit = _kit(sdk)

    @sdk.dsl.pipeline(description='Says\nit: twice.')
    def whole(text: str = 'x', number: int = 1, ratio: float = 0.5, flag: bool = False, items: list = [], fields: dict = {}):
        kit.say(text=text)
        kit.count(number=number)

    return whole


@pytest.mark.parametrize('options', [
    {'pipeline_name': 'another-name'},
    {'pipeline_display_name': 'Another name'},
    {'pipeline_parameters': {'text': 'y', 'number': 2, 'ratio': 3, 'flag': True, 'items': [1], 'fields': {'a': 1}}},
    {'type_check': False},
], ids=lambda options: next(iter(options)))
def test_options(options, tmp_path):
    expected, text = compiled(KFP, _defaults, tmp_path, **options)
    found, ours = compiled(OURS, _defaults, tmp_path, **options)
    assert list(differences(expected, found)) == []
    assert ours == text or 'fields' in str(options)


@pytest.mark.parametrize('options', [
    {},
    {'include_pipeline_manifest': True, 'namespace': 'here'},
    {'pipeline_name': 'a', 'pipeline_version_name': 'b', 'include_pipeline_manifest': True},
    {'pipeline_display_name': 'A', 'pipeline_version_display_name': 'B', 'include_pipeline_manifest': True},
])
@pytest.mark.parametrize('case', [_defaults, settings.pipelines.variants['workspace']], ids=['plain', 'platform'])
def test_manifests(case, options, tmp_path):
    files = []
    for sdk in (KFP, OURS):
        said = sdk.compiler.KubernetesManifestOptions(**options)
        files.append(compiled(sdk, case, tmp_path, kubernetes_manifest_format=True, kubernetes_manifest_options=said)[0])
    assert list(differences(*files)) == []


def test_json(tmp_path):
    texts = []
    for sdk in (KFP, OURS):
        path = tmp_path / f'{sdk.name}.json'
        with pytest.warns(DeprecationWarning):
            sdk.compiler.Compiler().compile(_defaults(sdk), str(path))
        texts.append(json.loads(path.read_text()))
    assert texts[0] == texts[1]
    for sdk in (KFP, OURS):
        with pytest.raises(ValueError), pytest.warns(DeprecationWarning):
            sdk.compiler.Compiler().compile(settings.pipelines.variants['ttl'](sdk), str(tmp_path / 'x.json'))


def test_caching_can_be_off_by_default(tmp_path, monkeypatch):
    monkeypatch.setenv('KFP_DISABLE_EXECUTION_CACHING_BY_DEFAULT', 'true')
    found, _ = compiled(OURS, flows.chain, tmp_path)
    assert found[0]['root']['dag']['tasks']['say']['cachingOptions'] == {}


_SIGNS = ['a', 'b', 'Z', '0', '7', ' ', ' ', ' ', '\n', '\t', ':', ': ', '#', ' #', '-', '?', ',', '[', ']', '{', '}', '&', '*',
          '!', '|', '>', "'", '"', '%', '@', '`', '\\', 'é', 'ß', '😀', '\x7f', '\x00', '\u2028', '\ufeff', '.', '~', '=',
          'true', 'null', '1e3', '0x1f', '0b1', '1_000', '12:30', '2001-01-01', '<<', 'word ' * 12]


def test_texts_are_printed_as_pyyaml_prints_them(tmp_path):
    """Folding, quoting and escaping, sign for sign."""
    chosen = random.Random(7)
    texts = [''.join(chosen.choice(_SIGNS) for _ in range(chosen.randint(0, 24))) for _ in range(800)]
    numbers = [0.0, -0.0, 1e16, 123456789012345680.0, 1e-5, 0.1, 1 / 3, 1e300, -2.5e-10]

    def build(sdk):
        kit = _kit(sdk)

        @sdk.dsl.pipeline
        def whole():
            for text in texts:
                kit.say(text=text)
            kit.listed(items=numbers)
            kit.mapped(fields={text: text for text in texts[:100]})

        return whole

    _, expected = compiled(KFP, build, tmp_path)
    _, found = compiled(OURS, build, tmp_path)
    assert found.split('\n') == expected.split('\n')


def test_pipelines_can_be_defined_inside_of_others_and_in_threads(tmp_path):
    dsl, kit = OURS.dsl, _kit(OURS)

    @dsl.pipeline
    def outer():
        kit.say(text='before')

        @dsl.pipeline
        def inner(text: str) -> str:
            return kit.say(text=text).output

        kit.say(text=inner(text='x').output)

    assert sorted(outer.pipeline_spec.root.dag.tasks) == ['inner', 'say', 'say-2']
    made, gate = {}, threading.Barrier(4)

    def author(number):

        @dsl.pipeline(name=f'number-{number}')
        def whole():
            gate.wait(timeout=30)
            for _ in range(number):
                kit.say(text='x')

        made[number] = len(whole.pipeline_spec.root.dag.tasks)

    threads = [threading.Thread(target=author, args=(number,)) for number in (1, 2, 3, 4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert made == {1: 1, 2: 2, 3: 3, 4: 4}
