"""Interfaces, sources and commands of components."""

from typing import Dict, List, NamedTuple, Optional

from corpus import variants


@variants([str, int, float, bool, list, dict, List, Dict, List[int], List[str], Dict[str, int], list[int], dict[str, float],
           List[Dict[str, int]]])
def takes(sdk, kind):

    @sdk.dsl.component(base_image='python:3.11')
    def take(value: kind):
        print(value)

    return take


@variants([str, int, float, bool, list, dict, List[int], Dict[str, int]])
def gives(sdk, kind):

    @sdk.dsl.component(base_image='python:3.11')
    def give() -> kind:
        return None

    return give


@variants([(str, 'text'), (str, ''), (str, "it's \"so\" \\ new"), (int, 7), (int, 0), (int, -3), (float, 0.5),
           (float, 1e20), (float, 1e-7), (float, 3), (bool, True), (bool, False), (list, []), (list, [1, 'a', [True]]),
           (dict, {}), (dict, {'a': 1}), (Optional[str], None), (Optional[int], 3), (List[str], ['é', 'ü'])])
def defaults(sdk, case):
    kind, default = case

    @sdk.dsl.component(base_image='python:3.11')
    def take(value: kind = default):
        print(value)

    return take


@variants(['Artifact', 'Dataset', 'Model', 'Metrics', 'ClassificationMetrics', 'SlicedClassificationMetrics', 'HTML',
           'Markdown'])
def artifacts(sdk, name):
    kind = getattr(sdk.dsl, name)

    @sdk.dsl.component(base_image='python:3.11')
    def change(old: sdk.dsl.Input[kind], new: sdk.dsl.Output[kind]):
        new.metadata.update(old.metadata)

    return change


def artifact_list(sdk):

    @sdk.dsl.component(base_image='python:3.11')
    def take(many: sdk.dsl.Input[List[sdk.dsl.Dataset]], text: str = 'x'):
        print(many, text)

    return take


def optional_artifact(sdk):

    @sdk.dsl.component(base_image='python:3.11')
    def take(maybe: Optional[sdk.dsl.Input[sdk.dsl.Dataset]] = None):
        print(maybe)

    return take


def pythonic_artifacts(sdk):

    @sdk.dsl.component(base_image='python:3.11')
    def change(old: sdk.dsl.Dataset) -> sdk.dsl.Model:
        return None

    return change


def paths(sdk):
    dsl = sdk.dsl

    @dsl.component(base_image='python:3.11')
    def write(text: dsl.OutputPath(str), data: dsl.OutputPath('Dataset'), other: dsl.OutputPath('Anything'),
              plain: dsl.OutputPath(), source: dsl.InputPath('Dataset'), typed: dsl.InputPath(dsl.Model)):
        pass

    return write


def named_results(sdk):

    @sdk.dsl.component(base_image='python:3.11')
    def give(a: int) -> NamedTuple('Results', [('total', int), ('words', List[str]), ('data', sdk.dsl.Dataset)]):
        return None

    return give


def parameters_of_the_system(sdk):
    dsl = sdk.dsl

    @dsl.component(base_image='python:3.11')
    def watch(status: dsl.PipelineTaskFinalStatus, config: dsl.TaskConfig, text: str = ''):
        print(status, config)

    return watch


@variants({
    'packages': {'packages_to_install': ['numpy', 'pandas==2.0', "it's[extra]>=1"]},
    'without-kfp': {'install_kfp_package': False},
    'packages-without-kfp': {'install_kfp_package': False, 'packages_to_install': ['numpy']},
    'own-kfp': {'packages_to_install': ['kfp==2.0', 'numpy']},
    'path': {'kfp_package_path': 'git+https://github.com/x/pipelines.git@refs/pull/1/head#subdirectory=sdk/python'},
    'other-path': {'kfp_package_path': 'https://example.com/kfp.whl'},
    'index': {'pip_index_urls': ['https://a.example/simple']},
    'indexes': {'pip_index_urls': ['https://a.example/simple', 'https://b.example'], 'packages_to_install': ['x']},
    'hosts': {'pip_index_urls': ['https://a.example/simple'], 'pip_trusted_hosts': ['a.example', 'b.example']},
    'no-hosts': {'pip_index_urls': ['https://a.example/simple'], 'pip_trusted_hosts': []},
    'venv': {'use_venv': True},
    'venv-packages': {'use_venv': True, 'packages_to_install': ['x']},
    'venv-without-kfp': {'use_venv': True, 'packages_to_install': ['x'], 'install_kfp_package': False},
    'image': {'target_image': 'registry.example/mine:1'},
    'image-packages': {'target_image': 'registry.example/mine:1', 'packages_to_install': ['x']},
})
def installs(sdk, options):

    @sdk.dsl.component(base_image='python:3.11', **options)
    def work(a: int) -> int:
        return a

    return work


def default_image(sdk):

    @sdk.dsl.component
    def work(a: int) -> int:
        return a

    return work


def further_functions(sdk):

    def helper(x: int) -> int:
        # A comment, and a "quote".
        return x + 1

    def other():
        return '\\n'

    @sdk.dsl.component(base_image='python:3.11', additional_funcs=[helper, other])
    def work(a: int) -> int:
        return helper(a)

    return work


def passthroughs(sdk):
    dsl = sdk.dsl

    @dsl.component(base_image='python:3.11', task_config_passthroughs=[
        dsl.TaskConfigField.RESOURCES,
        dsl.TaskConfigPassthrough(field=dsl.TaskConfigField.ENV, apply_to_task=True),
    ])
    def work(config: dsl.TaskConfig):
        print(config)

    return work


def described_google(sdk):

    @sdk.dsl.component(base_image='python:3.11')
    def work(a: int, b: str = 'x') -> NamedTuple('R', [('one', int), ('two', str)]):
        """Short line.

        Longer text
        over lines.

        Args:
            a (int): The first.
            b: The second,
                over lines: two.

        Returns:
            one: The one.
            two: The other.
        """
        return None

    return work


def described_numpy(sdk):

    @sdk.dsl.component(base_image='python:3.11')
    def work(a: int, b: str = 'x') -> str:
        """Short line.

        Parameters
        ----------
        a : int
            The first.
        b
            The second.
        """
        return ''

    return work


def described_rest(sdk):

    @sdk.dsl.component(base_image='python:3.11')
    def work(a: int, b: str = 'x') -> str:
        """Short line.

        :param a: The first.
        :param str b: The second
          over lines.
        :returns: Something.
        """
        return ''

    return work


def described_epydoc(sdk):

    @sdk.dsl.component(base_image='python:3.11')
    def work(a: int) -> str:
        """
        @param a: The first.
        @type a: int
        @return: Something.
        """
        return ''

    return work


def described_by_returns_only(sdk):

    @sdk.dsl.component(base_image='python:3.11')
    def work(a: int) -> str:
        """Does it.

        Returns:
            Output: All of it.
        """
        return ''

    return work


def described_oddly(sdk):

    @sdk.dsl.component(base_image='python:3.11')
    def work(a: int):
        """Args without: a section.

        Note: this stays text.

            Args: is not a title here
        """

    return work


def underscores(sdk):

    @sdk.dsl.component(base_image='python:3.11')
    def _a__strange_NAME_9_(a: int):
        pass

    return _a__strange_NAME_9_


def container(sdk):
    dsl = sdk.dsl

    @dsl.container_component
    def run(text: str, count: int, data: dsl.Input[dsl.Dataset], model: dsl.Output[dsl.Model], number: dsl.OutputPath(int)):
        return dsl.ContainerSpec(
            image='alpine:3', command=['sh', '-c', f'echo {text} {count}', data.path],
            args=['--uri', data.uri, '--out', model.path, model.uri, number, data.metadata['k'], f'{data.metadata}'])

    return run


def bare_container(sdk):

    @sdk.dsl.container_component
    def run():
        return sdk.dsl.ContainerSpec(image='alpine:3')

    return run


def container_lists(sdk):
    dsl = sdk.dsl

    @dsl.container_component
    def run(many: dsl.Input[List[dsl.Dataset]]):
        return dsl.ContainerSpec(image='alpine:3', args=['--all', many, dsl.PIPELINE_TASK_EXECUTOR_INPUT_PLACEHOLDER])

    return run


def structures(sdk):
    dsl = sdk.dsl

    @dsl.container_component
    def run(a: str, b: Optional[str] = None, data: dsl.Input[dsl.Dataset] = None):
        return dsl.ContainerSpec(
            image='alpine:3', command=[dsl.ConcatPlaceholder(['x=', a, '-', dsl.IfPresentPlaceholder('b', b, 'é')])],
            args=[
                dsl.IfPresentPlaceholder(input_name='b', then=['--b', b], else_=['--no-b']),
                dsl.IfPresentPlaceholder(input_name='data', then=['--data', data.uri]),
                dsl.IfPresentPlaceholder('b', dsl.ConcatPlaceholder(['[', b, ']'])),
            ])

    return run


_OLDER = '''
name: My Older Component
description: An older component.
inputs:
- {name: Input 1, type: String, description: first, default: one}
- {name: Number, type: Integer, default: '7'}
- {name: Ratio, type: Float, optional: true}
- {name: Flag, type: Bool, default: 'True'}
- {name: Items, type: JsonArray, default: '[1, 2]'}
- {name: Mapping, type: JsonObject, default: '{"a": 1}'}
- {name: Data, type: Dataset}
- {name: Other, type: MyType}
- {name: Untyped}
- {name: Google, type: google.VertexModel}
outputs:
- {name: Result, type: String}
- {name: Model Out, type: Model}
implementation:
  container:
    image: alpine:3
    command: [sh, -c, 'cat "$0"', {inputPath: Data}]
    args:
    - --text
    - {inputValue: Input 1}
    - {inputUri: Other}
    - {outputPath: Result}
    - {outputUri: Model Out}
    - {outputPath: Model Out}
    - if:
        cond: {isPresent: Ratio}
        then: [--ratio, {inputValue: Ratio}]
        else: [--no-ratio]
    - concat: ['n=', {inputValue: Number}]
    - {executorInput: null}
    env: {KEY: value}
'''


def older_format(sdk):
    return sdk.components.load_component_from_text(_OLDER)


def older_format_in_a_pipeline(sdk):
    load = sdk.components.load_component_from_text

    @sdk.dsl.container_component
    def make(data: sdk.dsl.Output[sdk.dsl.Dataset], other: sdk.dsl.Output[sdk.dsl.Artifact]):
        return sdk.dsl.ContainerSpec(image='alpine:3', args=[data.path, other.path])

    text = _OLDER.replace('- {name: Google, type: google.VertexModel}\n', '')

    @sdk.dsl.pipeline
    def whole(word: str = 'w'):
        made = make()
        load(text)(input_1=word, number=3, data=made.outputs['data'], other=made.outputs['other'],
                   untyped=made.outputs['other'])

    return whole
