"""What kfp makes wrong, and we do not."""

from typing import List

import pytest
from conftest import KFP, OURS, compiled, differences, loose_ends, with_plain_names


def _component(sdk):

    @sdk.dsl.container_component
    def work(text: str):
        return sdk.dsl.ContainerSpec(image='alpine:3', args=[text])

    return work


def test_nested_pipelines_keep_their_executors_apart(tmp_path):
    """kfp renames executors one after the other, so that tasks get those of others."""

    def build(sdk):
        dsl, work = sdk.dsl, _component(sdk)

        @dsl.pipeline
        def inner():
            for number in (1, 2):
                sdk.kubernetes.set_timeout(work(text='x').set_env_variable('PLACE', f'inner {number}'), number)

        @dsl.pipeline
        def whole():
            sdk.kubernetes.set_timeout(work(text='x').set_env_variable('PLACE', 'outer'), 3)
            inner()

        return whole

    pipeline, platform = with_plain_names(compiled(OURS, build, tmp_path)[0])
    executors = pipeline['deploymentSpec']['executors']
    assert {name: executor['container']['env'][0]['value'] for name, executor in executors.items()} == {
        '/work': 'outer',
        '/inner/work': 'inner 1',
        '/inner/work-2': 'inner 2',
    }
    settings = platform['platforms']['kubernetes']['deploymentSpec']['executors']
    assert {name: found['activeDeadlineSeconds'] for name, found in settings.items()} == {
        '/work': '3',
        '/inner/work': '1',
        '/inner/work-2': '2',
    }


def test_defaults_with_line_breaks_stay_in_the_comment(tmp_path):

    def build(sdk):
        work = _component(sdk)

        @sdk.dsl.pipeline
        def whole(text: str = 'a: [\n- b: c'):
            work(text=text)

        return whole

    [pipeline], _ = compiled(OURS, build, tmp_path)
    assert pipeline['root']['inputDefinitions']['parameters']['text']['defaultValue'] == 'a: [\n- b: c'


def test_embedded_files_make_the_same_source_each_time(tmp_path):
    folder = tmp_path / 'files'
    folder.mkdir()
    (folder / 'a.txt').write_text('text')

    def build(sdk):
        dsl = sdk.dsl

        @dsl.component(base_image='python:3.11', embedded_artifact_path=str(folder))
        def read(files: dsl.EmbeddedInput[dsl.Dataset]) -> str:
            return files.path

        return read

    _, first = compiled(OURS, build, tmp_path)
    (folder / 'a.txt').touch()
    _, second = compiled(OURS, build, tmp_path)
    assert first == second and '__KFP_EMBEDDED_ARCHIVE_B64' in first


def test_notebooks_differ_from_those_of_kfp_in_their_helper_only(tmp_path):
    notebook = tmp_path / 'a.ipynb'
    notebook.write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')

    def build(sdk):
        dsl = sdk.dsl

        @dsl.notebook_component(notebook_path=str(notebook), base_image='python:3.11')
        def report(name: str, data: dsl.Output[dsl.Dataset]):
            dsl.run_notebook(name=name)

        return report

    expected, found = compiled(KFP, build, tmp_path)[0], compiled(OURS, build, tmp_path)[0]
    [difference] = differences(expected, found)
    assert difference.startswith('[0].deploymentSpec.executors.exec-report.container.command[6]')


def _keys_behind_walls(dsl, work):
    with dsl.ParallelFor([{'a': 'x', 'b': 1}, {'a': 'y', 'b': 2}]) as row:
        with dsl.If(row.b > 1):
            work(text=row.a)
            with dsl.If(row.a == 'x'):
                work(text=f'{row.a}!')


def _items_in_texts(dsl, work):
    with dsl.ParallelFor(['a', 'b']) as outer:
        with dsl.ParallelFor(['c', 'd']) as inner:
            work(text=f'{outer} and {inner}')


@pytest.mark.parametrize('body', [_keys_behind_walls, _items_in_texts])
def test_items_reach_everything_in_their_loop(body, tmp_path):

    def build(sdk):
        work = _component(sdk)

        @sdk.dsl.pipeline
        def whole():
            body(sdk.dsl, work)

        return whole

    assert loose_ends(compiled(OURS, build, tmp_path)[0]) == []


def test_loops_over_one_list_are_told_apart_by_their_places(tmp_path):

    def build(sdk):
        dsl, work = sdk.dsl, _component(sdk)

        @dsl.pipeline
        def whole(words: List[str]):
            for _ in range(2):
                with dsl.ParallelFor(words) as word:
                    with dsl.If(word == 'x'):
                        work(text=f'{word}')
                        with dsl.ParallelFor(words) as other:
                            work(text=other)

        return whole

    assert loose_ends(compiled(OURS, build, tmp_path)[0]) == []


def test_settings_of_containers_reach_tasks_behind_walls(tmp_path):

    def build(sdk):
        dsl, work = sdk.dsl, _component(sdk)

        @dsl.container_component
        def choose(amount: dsl.OutputPath(str)):
            return dsl.ContainerSpec(image='alpine:3', args=[amount])

        @dsl.pipeline
        def whole(image: str, number: int):
            chosen = choose()
            with dsl.ParallelFor(['1', '2']) as item:
                with dsl.If(number == 1):
                    work(text='x').set_cpu_limit(item).set_memory_limit(chosen.output).set_container_image(image)

        return whole

    documents = compiled(OURS, build, tmp_path)[0]
    assert loose_ends(documents) == []
    [task] = documents[0]['components']['comp-condition-3']['dag']['tasks'].values()
    assert set(task['inputs']['parameters']) == {
        'text', 'cpu_limit', 'memory_limit', 'base_image', 'pipelinechannel--loop-item-param-1',
        'pipelinechannel--choose-amount', 'pipelinechannel--image'
    }


def test_what_follows_branches_without_an_else_is_not_in_them(tmp_path):
    """kfp goes on in the group of the branches, so that this task would run once for each item."""

    def build(sdk):
        dsl, work = sdk.dsl, _component(sdk)

        @dsl.pipeline
        def whole(number: int):
            with dsl.ParallelFor([1, 2]):
                with dsl.If(number == 1):
                    work(text='one')
                with dsl.Elif(number == 2):
                    work(text='two')
            work(text='after')

        return whole

    [pipeline], _ = compiled(OURS, build, tmp_path)
    assert set(pipeline['root']['dag']['tasks']) == {'for-loop-2', 'work-3'}


def test_a_task_and_a_group_of_one_name_are_refused(tmp_path):
    """kfp leaves one of the two out."""

    def build(sdk):
        dsl = sdk.dsl

        @dsl.container_component
        def condition_1():
            return dsl.ContainerSpec(image='alpine:3')

        @dsl.pipeline
        def whole(number: int):
            condition_1()
            with dsl.If(number == 1):
                condition_1()

        return whole

    [expected], _ = compiled(KFP, build, tmp_path)
    assert len(expected['root']['dag']['tasks']) == 1
    with pytest.raises(ValueError, match="both called 'condition-1': give the component another name"):
        build(OURS)

    def apart(sdk):
        dsl = sdk.dsl

        @dsl.container_component
        def condition_1():
            return dsl.ContainerSpec(image='alpine:3')

        @dsl.pipeline
        def whole(number: int):
            with dsl.If(number == 1):
                condition_1()

        return whole

    expected, found = compiled(KFP, apart, tmp_path)[0], compiled(OURS, apart, tmp_path)[0]
    assert list(differences(expected, found)) == []


def test_claims_for_volumes_are_those_of_kfp_but_for_descriptions(tmp_path):

    def build(sdk):
        k8s, work = sdk.kubernetes, _component(sdk)

        @sdk.dsl.pipeline
        def whole():
            made = k8s.CreatePVC(access_modes=['ReadWriteOnce'], size='1Gi', pvc_name_suffix='-x', storage_class_name='s')
            task = k8s.mount_pvc(work(text='x'), pvc_name=made.outputs['name'], mount_path='/data')
            k8s.DeletePVC(pvc_name=made.outputs['name']).after(task)

        return whole

    def without_descriptions(value):
        if isinstance(value, dict):
            return {key: without_descriptions(inner) for key, inner in value.items() if key != 'description'}
        return [without_descriptions(inner) for inner in value] if isinstance(value, list) else value

    expected, found = compiled(KFP, build, tmp_path)[0], compiled(OURS, build, tmp_path)[0]
    assert list(differences(without_descriptions(expected), found)) == []
