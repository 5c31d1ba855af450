"""Mistakes of authors: what we say, and that kfp refuses the same.

What we say, and with which class kfp answers, is in `mistakes.txt`; `UPDATE=1` writes it anew. As a program this prints
the words of both side by side: `make sdk-mistakes`.
"""

import html
import os
import pathlib
import re
import warnings
from typing import List, NamedTuple

import pytest
from conftest import KFP, OURS
from corpus.flows import _kit

SNAPSHOT = pathlib.Path(__file__).parent / 'mistakes.txt'
MISTAKES = {}


def mistake(function):
    MISTAKES[function.__name__] = function
    return function


def _pipeline(sdk, body, *results):
    if results:

        @sdk.dsl.pipeline
        def whole() -> results[0]:
            return body(sdk.dsl, _kit(sdk))
    else:

        @sdk.dsl.pipeline
        def whole():
            return body(sdk.dsl, _kit(sdk))

    return whole


def in_a_pipeline(function):
    """A mistake in the body of a pipeline."""
    MISTAKES[function.__name__] = lambda sdk: _pipeline(sdk, function)
    return function


@mistake
def argument_without_annotation(sdk):

    @sdk.dsl.component(base_image='python:3.11')
    def work(a):
        pass


@mistake
def unknown_type(sdk):

    @sdk.dsl.component(base_image='python:3.11')
    def work(a: set):
        pass


@mistake
def unknown_type_of_result(sdk):

    @sdk.dsl.component(base_image='python:3.11')
    def work() -> bytes:
        pass


@mistake
def argument_named_like_the_result(sdk):

    @sdk.dsl.component(base_image='python:3.11')
    def work(Output: str):
        pass


@mistake
def artifact_with_a_default(sdk):

    @sdk.dsl.component(base_image='python:3.11')
    def work(data: sdk.dsl.Input[sdk.dsl.Dataset] = 'x'):
        pass


@mistake
def list_of_artifacts_as_result(sdk):

    @sdk.dsl.component(base_image='python:3.11')
    def work() -> List[sdk.dsl.Dataset]:
        pass


@mistake
def container_component_with_a_bare_artifact(sdk):

    @sdk.dsl.container_component
    def work(data: sdk.dsl.Dataset):
        return sdk.dsl.ContainerSpec(image='alpine:3')


@mistake
def container_component_that_returns_a_value(sdk):

    @sdk.dsl.container_component
    def work() -> str:
        return sdk.dsl.ContainerSpec(image='alpine:3')


@mistake
def artifact_as_a_word(sdk):

    @sdk.dsl.container_component
    def work(data: sdk.dsl.Input[sdk.dsl.Dataset]):
        return sdk.dsl.ContainerSpec(image='alpine:3', args=[data])


@mistake
def number_as_a_word(sdk):

    @sdk.dsl.container_component
    def work():
        return sdk.dsl.ContainerSpec(image='alpine:3', args=[3])


@mistake
def unknown_input_in_a_placeholder(sdk):

    @sdk.dsl.container_component
    def work():
        return sdk.dsl.ContainerSpec(image='alpine:3', args=[sdk.dsl.IfPresentPlaceholder('a', 'x')])


@mistake
def unknown_part_of_an_artifact(sdk):

    @sdk.dsl.container_component
    def work(data: sdk.dsl.Input[sdk.dsl.Dataset]):
        return sdk.dsl.ContainerSpec(image='alpine:3', args=[data.name])


@mistake
def pipeline_without_tasks(sdk):

    @sdk.dsl.pipeline
    def whole():
        pass


@mistake
def bad_name_of_a_pipeline(sdk):

    @sdk.dsl.pipeline(name='')
    def _():
        _kit(sdk).say(text='x')


@mistake
def undeclared_result(sdk):
    _pipeline(sdk, lambda dsl, kit: kit.say(text='x').output)


@mistake
def missing_result(sdk):
    _pipeline(sdk, lambda dsl, kit: kit.say(text='x') and None, str)


@mistake
def result_of_another_type(sdk):
    _pipeline(sdk, lambda dsl, kit: kit.say(text='x').output, int)


@mistake
def task_as_result(sdk):
    _pipeline(sdk, lambda dsl, kit: kit.say(text='x'), str)


@in_a_pipeline
def positional_argument(dsl, kit):
    kit.say('x')


@in_a_pipeline
def unknown_argument(dsl, kit):
    kit.say(text='x', words='y')


@in_a_pipeline
def missing_argument(dsl, kit):
    kit.say()


@in_a_pipeline
def argument_of_another_type(dsl, kit):
    kit.say(text=1)


@in_a_pipeline
def output_of_another_type(dsl, kit):
    kit.say(text=kit.count(number=1).output)


@in_a_pipeline
def artifact_for_a_parameter(dsl, kit):
    kit.say(text=kit.make(text='x').output)


@in_a_pipeline
def task_as_argument(dsl, kit):
    kit.say(text=kit.say(text='x'))


@in_a_pipeline
def none_as_argument(dsl, kit):
    kit.say(text=None)


@in_a_pipeline
def none_in_a_list(dsl, kit):
    kit.listed(items=[1, None])


@in_a_pipeline
def output_of_several(dsl, kit):
    kit.watch().output


@in_a_pipeline
def constant_condition(dsl, kit):
    kit.say(text='x')
    with dsl.If(1 == 1):
        kit.say(text='y')


@in_a_pipeline
def condition_on_a_channel(dsl, kit):
    with dsl.If(kit.decide(flag=True).output):
        kit.say(text='y')


@in_a_pipeline
def condition_on_a_list(dsl, kit):
    with dsl.If(kit.listed(items=[]).output == 'x'):
        kit.say(text='y')


@in_a_pipeline
def else_without_if(dsl, kit):
    kit.say(text='x')
    with dsl.Else():
        kit.say(text='y')


@in_a_pipeline
def elif_after_else(dsl, kit):
    flag = kit.decide(flag=True).output
    with dsl.If(flag == True):  # noqa: E712
        kit.say(text='x')
    with dsl.Else():
        kit.say(text='y')
    with dsl.Elif(flag == False):  # noqa: E712
        kit.say(text='z')


@in_a_pipeline
def use_of_what_is_in_a_condition(dsl, kit):
    with dsl.If(kit.decide(flag=True).output == True):  # noqa: E712
        said = kit.say(text='x')
    kit.say(text=said.output)


@in_a_pipeline
def use_of_what_is_in_a_loop(dsl, kit):
    with dsl.ParallelFor([1, 2]):
        said = kit.say(text='x')
    kit.say(text=said.output)


@in_a_pipeline
def use_of_what_is_in_an_exit_handler(dsl, kit):
    with dsl.ExitHandler(kit.say(text='last')):
        said = kit.say(text='x')
    kit.say(text='y').after(said)


@in_a_pipeline
def empty_loop(dsl, kit):
    with dsl.ParallelFor([]):
        kit.say(text='x')


@in_a_pipeline
def loop_over_one_value(dsl, kit):
    with dsl.ParallelFor(kit.say(text='x').output):
        kit.say(text='x')


@in_a_pipeline
def loop_over_one_artifact(dsl, kit):
    with dsl.ParallelFor(kit.make(text='x').output) as data:
        kit.use(data=data)


@in_a_pipeline
def negative_parallelism(dsl, kit):
    with dsl.ParallelFor([1], parallelism=-1):
        kit.say(text='x')


@in_a_pipeline
def collected_without_a_loop(dsl, kit):
    kit.listed(items=dsl.Collected(kit.say(text='x').output))


@in_a_pipeline
def joined_without_else(dsl, kit):
    with dsl.If(kit.decide(flag=True).output == True):  # noqa: E712
        said = kit.say(text='x')
    kit.say(text=dsl.OneOf(said.output))


@in_a_pipeline
def joined_in_a_text(dsl, kit):
    with dsl.If(kit.decide(flag=True).output == True):  # noqa: E712
        one = kit.say(text='x')
    with dsl.Else():
        two = kit.say(text='y')
    kit.say(text=f'{dsl.OneOf(one.output, two.output)}!')


@in_a_pipeline
def joined_types(dsl, kit):
    with dsl.If(kit.decide(flag=True).output == True):  # noqa: E712
        one = kit.say(text='x')
    with dsl.Else():
        two = kit.count(number=1)
    kit.say(text=dsl.OneOf(one.output, two.output))


@in_a_pipeline
def exit_task_that_depends(dsl, kit):
    with dsl.ExitHandler(kit.say(text=kit.say(text='x').output)):
        kit.say(text='y')


@in_a_pipeline
def exit_handler_in_a_loop(dsl, kit):
    with dsl.ParallelFor([1]):
        with dsl.ExitHandler(kit.say(text='x')):
            kit.say(text='y')


@in_a_pipeline
def status_of_an_ordinary_task(dsl, kit):
    kit.watch()


@in_a_pipeline
def status_of_several_tasks(dsl, kit):
    kit.watch(text='x').after(kit.say(text='a'), kit.say(text='b')).ignore_upstream_failure()


@in_a_pipeline
def ignored_failure_without_a_default(dsl, kit):
    kit.say(text=kit.say(text='a').output).ignore_upstream_failure()


@in_a_pipeline
def after_a_loop(dsl, kit):
    with dsl.ParallelFor([1]) as item:
        kit.count(number=item)
    with dsl.ParallelFor([1]) as item:
        pass
    kit.say(text='x').after('loop')


@in_a_pipeline
def task_that_waits_for_what_it_is_in(dsl, kit):
    with dsl.ExitHandler(kit.say(text='last')) as handler:
        kit.say(text='x').after(handler)


@in_a_pipeline
def bad_cpu(dsl, kit):
    kit.say(text='x').set_cpu_limit('many')


@in_a_pipeline
def bad_memory(dsl, kit):
    kit.say(text='x').set_memory_limit('1 GB')


@in_a_pipeline
def bad_accelerators(dsl, kit):
    kit.say(text='x').set_accelerator_limit(-1)


@in_a_pipeline
def bad_duration(dsl, kit):
    kit.say(text='x').set_retry(1, backoff_duration='soon')


@in_a_pipeline
def variable_that_is_no_text(dsl, kit):
    kit.say(text='x').set_env_variable('A', 1)


@in_a_pipeline
def workspace_that_is_not_there(dsl, kit):
    kit.say(text=dsl.WORKSPACE_PATH_PLACEHOLDER)


@mistake
def output_of_another_pipeline(sdk):
    kept = []

    @sdk.dsl.pipeline
    def first():
        kept.append(_kit(sdk).make(text='x').output)

    @sdk.dsl.pipeline
    def second():
        _kit(sdk).say(text='before')
        _kit(sdk).use(data=kept[0])


@mistake
def unknown_parameter_of_the_compiler(sdk):
    whole = _pipeline(sdk, lambda dsl, kit: kit.say(text='x') and None)
    sdk.compiler.Compiler().compile(whole, '/dev/null/x.yaml', pipeline_parameters={'a': 1})


@mistake
def file_that_is_no_component(sdk):
    sdk.components.load_component_from_text('name: x\n')


_OLDER = """
name: Older
inputs:
- {name: text, type: String}
- {name: data, type: Dataset}
implementation:
  container:
    image: alpine:3
    args: [%s]
"""


def _older(sdk, word):
    component = sdk.components.load_component_from_text(_OLDER % word)

    @sdk.dsl.pipeline
    def whole(data: sdk.dsl.Input[sdk.dsl.Dataset]):
        component(text='x', data=data)


@mistake
def value_of_an_artifact(sdk):
    _older(sdk, '{inputValue: data}')


@mistake
def path_of_a_parameter(sdk):
    _older(sdk, '{inputPath: text}')


@mistake
def placeholder_of_no_input(sdk):
    _older(sdk, '{inputValue: other}')


@mistake
def unknown_placeholder(sdk):
    _older(sdk, '{inputs: text}')


def _failure(sdk, name):
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        try:
            MISTAKES[name](sdk)
        except Exception as error:
            return error
    return None


def _said(sdk, name):
    """The class of the error and its words, without what is another on each machine."""
    error = _failure(sdk, name)
    if error is None:
        return 'nothing', ''
    words = re.sub(r'[.]py:[0-9]+', '.py:…', str(error))
    return type(error).__name__, re.sub(r' at 0x[0-9a-f]+', '', words)


@pytest.mark.parametrize('name', MISTAKES)
def test_kfp_refuses_it_too(name):
    assert _failure(KFP, name) is not None


def test_what_we_say():
    said = []
    for name in MISTAKES:
        kind, words = _said(OURS, name)
        told = words.replace('\n', '\n    ')
        said.append(f'{name}\n    {kind}: {told}\n    kfp: {_said(KFP, name)[0]}\n')
    text = '\n'.join(said)
    if os.environ.get('UPDATE'):
        SNAPSHOT.write_text(text)
    assert text == SNAPSHOT.read_text()
    assert '\n    nothing: ' not in text and len(MISTAKES) >= 40


def side_by_side():
    """What kfp says and what we say, as Markdown."""

    def cell(sdk, name):
        kind, words = _said(sdk, name)
        return html.escape(f'{kind}: {words}', quote=False).replace('|', '&#124;').replace('\n', '<br>')

    rows = [f'| {name.replace("_", " ")} | {cell(KFP, name)} | {cell(OURS, name)} |' for name in MISTAKES]
    return '\n'.join(['| mistake | kfp 2.17 | ferroflow |', '| --- | --- | --- |', *rows])


def test_both_can_be_read_side_by_side():
    rows = side_by_side().splitlines()[2:]
    assert len(rows) == len(MISTAKES) and all(row.count(' | ') == 2 for row in rows)


if __name__ == '__main__':
    print(side_by_side())
