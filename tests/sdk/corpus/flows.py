"""How values flow between tasks, groups and pipelines."""

from typing import Dict, List, NamedTuple

from corpus import names_vary, variants


def _kit(sdk):
    """Small components of containers, so that cases stay short."""
    dsl = sdk.dsl

    class Kit:

        @dsl.container_component
        def say(text: str, back: dsl.OutputPath(str)):
            return dsl.ContainerSpec(image='alpine:3', args=[text, back])

        @dsl.container_component
        def count(number: int, back: dsl.OutputPath(int)):
            return dsl.ContainerSpec(image='alpine:3', args=[number, back])

        @dsl.container_component
        def measure(number: float, back: dsl.OutputPath(float)):
            return dsl.ContainerSpec(image='alpine:3', args=[number, back])

        @dsl.container_component
        def decide(flag: bool, back: dsl.OutputPath(bool)):
            return dsl.ContainerSpec(image='alpine:3', args=[flag, back])

        @dsl.container_component
        def listed(items: list, back: dsl.OutputPath(list)):
            return dsl.ContainerSpec(image='alpine:3', args=[items, back])

        @dsl.container_component
        def mapped(fields: dict, back: dsl.OutputPath(dict)):
            return dsl.ContainerSpec(image='alpine:3', args=[fields, back])

        @dsl.container_component
        def make(text: str, data: dsl.Output[dsl.Dataset]):
            return dsl.ContainerSpec(image='alpine:3', args=[text, data.path])

        @dsl.container_component
        def use(data: dsl.Input[dsl.Dataset], back: dsl.OutputPath(str)):
            return dsl.ContainerSpec(image='alpine:3', args=[data.path, back])

        @dsl.container_component
        def use_all(many: dsl.Input[List[dsl.Dataset]]):
            return dsl.ContainerSpec(image='alpine:3', args=[many])

        @dsl.container_component
        def watch(status: dsl.PipelineTaskFinalStatus, text: str = 'over'):
            return dsl.ContainerSpec(image='alpine:3', args=[status, text])

    return Kit


def chain(sdk):
    kit = _kit(sdk)

    @sdk.dsl.pipeline(name='a-chain', description='Of three.', display_name='A chain', pipeline_root='s3://here/there')
    def whole(text: str = 'x', number: int = 3):
        first = kit.say(text=text)
        second = kit.say(text=first.output)
        kit.say(text=second.outputs['back']).after(first)
        kit.count(number=number)

    return whole


def constants(sdk):
    kit = _kit(sdk)

    @sdk.dsl.pipeline
    def whole():
        kit.say(text='a: b #c\n"quoted"  ')
        kit.count(number=-1)
        kit.measure(number=1.5)
        kit.decide(flag=False)
        kit.listed(items=[1, 'two', 3.5, [True], {'k': []}])
        kit.mapped(fields={'a': 1, 'b': {'c': ['d', False]}})

    return whole


def texts_with_values(sdk):
    kit = _kit(sdk)

    @sdk.dsl.pipeline
    def whole(name: str, number: int = 2):
        first = kit.say(text=f'hello {name} and {number}, {name}')
        kit.say(text='%s said %s' % (name, first.output))
        kit.listed(items=[name, first.output, f'{number}', 7])
        kit.mapped(fields={'name': name, 'inner': {'said': first.output}})

    return whole


def artifacts(sdk):
    kit = _kit(sdk)

    @sdk.dsl.pipeline
    def whole(given: sdk.dsl.Input[sdk.dsl.Dataset]):
        made = kit.make(text='x')
        kit.use(data=made.outputs['data'])
        kit.use(data=given)

    return whole


def one_result(sdk):
    kit = _kit(sdk)

    @sdk.dsl.pipeline
    def whole() -> str:
        return kit.say(text='x').output

    return whole


def several_results(sdk):
    kit = _kit(sdk)

    @sdk.dsl.pipeline
    def whole() -> NamedTuple('Results', [('text', str), ('data', sdk.dsl.Dataset)]):
        results = NamedTuple('Results', [('text', str), ('data', sdk.dsl.Dataset)])
        return results(text=kit.say(text='x').output, data=kit.make(text='y').output)

    return whole


@variants(['==', '!=', '<', '<=', '>', '>='])
def comparisons(sdk, operator):
    kit = _kit(sdk)

    @sdk.dsl.pipeline
    def whole(number: int):
        compare = {'==': number == 5, '!=': number != 5, '<': number < 5, '<=': number <= 5, '>': number > 5,
                   '>=': number >= 5}
        with sdk.dsl.If(compare[operator], name='the condition'):
            kit.count(number=number)

    return whole


@variants([('say', 'a'), ('say', 1), ('say', 1.5), ('say', True), ('count', 1.5), ('count', 'a'), ('measure', 2),
           ('measure', 2.5), ('decide', True), ('decide', 0), ('decide', 1)])
def comparisons_of_types(sdk, case):
    component, constant = case
    kit = _kit(sdk)
    values = {'say': 'x', 'count': 1, 'measure': 1.0, 'decide': True}
    names = {'say': 'text', 'count': 'number', 'measure': 'number', 'decide': 'flag'}

    @sdk.dsl.pipeline
    def whole():
        made = getattr(kit, component)(**{names[component]: values[component]})
        with sdk.dsl.If(made.output == constant):
            kit.say(text='yes')

    return whole


def comparison_of_two(sdk):
    kit = _kit(sdk)

    @sdk.dsl.pipeline
    def whole(number: int, ratio: float):
        with sdk.dsl.If(kit.count(number=number).output > ratio):
            kit.say(text='more')

    return whole


def branches(sdk):
    dsl, kit = sdk.dsl, _kit(sdk)

    @dsl.pipeline
    def whole(number: int):
        with dsl.If(number == 1):
            kit.say(text='one')
        with dsl.Elif(number == 2):
            kit.say(text='two')
        with dsl.Else():
            kit.say(text='many')
        kit.say(text='after')

    return whole


def branches_in_branches(sdk):
    dsl, kit = sdk.dsl, _kit(sdk)

    @dsl.pipeline
    def whole(number: int, other: str):
        with dsl.If(number == 1):
            with dsl.If(other == 'a'):
                kit.say(text=other)
            with dsl.Else():
                kit.count(number=number)
        with dsl.Else():
            kit.say(text='many')

    return whole


def joined_results(sdk):
    dsl, kit = sdk.dsl, _kit(sdk)

    @dsl.pipeline
    def whole(number: int) -> str:
        with dsl.If(number == 1):
            one = kit.say(text='one')
        with dsl.Elif(number == 2):
            two = kit.say(text='two')
        with dsl.Else():
            many = kit.say(text='many')
        joined = dsl.OneOf(one.output, two.output, many.output)
        kit.say(text=joined)
        return joined

    return whole


def joined_artifacts(sdk):
    dsl, kit = sdk.dsl, _kit(sdk)

    @dsl.pipeline
    def whole(number: int) -> dsl.Dataset:
        with dsl.If(number == 1):
            one = kit.make(text='one')
        with dsl.Else():
            with dsl.If(number == 3):
                kit.say(text='x')
            many = kit.make(text='many')
        joined = dsl.OneOf(one.output, many.output)
        kit.use(data=joined)
        return joined

    return whole


def joined_in_a_loop(sdk):
    dsl, kit = sdk.dsl, _kit(sdk)

    @dsl.pipeline
    def whole(number: int):
        with dsl.ParallelFor(['a', 'b']) as item:
            with dsl.If(number == 1):
                one = kit.say(text=item)
            with dsl.Else():
                many = kit.say(text='many')
            kit.say(text=dsl.OneOf(one.output, many.output))

    return whole


@variants([[1, 2, 3], ['a'], [1.5, 2.5], [True, False], [{'a': 1, 'b': 2}, {'a': 3, 'b': 4}]])
def loops_over_constants(sdk, items):
    dsl, kit = sdk.dsl, _kit(sdk)

    @dsl.pipeline
    def whole():
        with dsl.ParallelFor(items, name='the loop', parallelism=2) as item:
            if isinstance(items[0], dict):
                kit.count(number=item.a)
                kit.count(number=item.b)
            else:
                component = {int: kit.count, str: kit.say, float: kit.measure, bool: kit.decide}[type(items[0])]
                component(**{next(iter(component.component_spec.inputs)): item})

    return whole


def loop_over_a_parameter(sdk):
    dsl, kit = sdk.dsl, _kit(sdk)

    @dsl.pipeline
    def whole(words: List[str], plain: list):
        with dsl.ParallelFor(words) as word:
            kit.say(text=word)
        with dsl.ParallelFor(plain) as thing:
            kit.say(text=thing)

    return whole


def loop_over_a_result(sdk):
    dsl, kit = sdk.dsl, _kit(sdk)

    @dsl.pipeline
    def whole(text: str = 'x'):
        items = kit.listed(items=[1, 2])
        with dsl.ParallelFor(items.output, parallelism=1) as item:
            said = kit.say(text=item)
            kit.say(text=said.output)
            kit.say(text=text)

    return whole


def loop_over_keys(sdk):
    dsl, kit = sdk.dsl, _kit(sdk)

    @dsl.pipeline
    def whole(rows: List[Dict[str, str]]):
        with dsl.ParallelFor(rows) as row:
            kit.say(text=row.name)
            kit.say(text=row.word)

    return whole


def loops_in_loops(sdk):
    dsl, kit = sdk.dsl, _kit(sdk)

    @dsl.pipeline
    def whole(words: List[str]):
        with dsl.ParallelFor(words) as word:
            with dsl.ParallelFor(['x', 'y']) as letter:
                kit.say(text=word)
                kit.say(text=letter)
                kit.say(text=f'{word}!')

    return whole


def loops_over_items_of_loops(sdk):
    dsl, kit = sdk.dsl, _kit(sdk)

    @dsl.pipeline
    def whole(rows: list):
        with dsl.ParallelFor(rows) as row:
            with dsl.ParallelFor(row.words) as word:
                kit.say(text=word)

    return whole


def conditions_in_loops(sdk):
    dsl, kit = sdk.dsl, _kit(sdk)

    @dsl.pipeline
    def whole(limit: int = 2, text: str = 'x'):
        with dsl.ParallelFor([1, 2, 3]) as item:
            with dsl.If(item > limit):
                kit.count(number=item)
                kit.say(text=text)

    return whole


def loops_in_conditions(sdk):
    dsl, kit = sdk.dsl, _kit(sdk)

    @dsl.pipeline
    def whole(limit: int = 2):
        made = kit.count(number=limit)
        with dsl.If(made.output == 1):
            with dsl.ParallelFor([1, 2, 3]) as item:
                kit.count(number=item)
                kit.count(number=made.output)

    return whole


def collected(sdk):
    dsl, kit = sdk.dsl, _kit(sdk)

    @dsl.pipeline
    def whole() -> List[str]:
        with dsl.ParallelFor([1, 2, 3]) as item:
            counted = kit.count(number=item)
            said = kit.say(text='x').after(counted)
        kit.listed(items=dsl.Collected(counted.output))
        return dsl.Collected(said.output)

    return whole


def collected_artifacts(sdk):
    dsl, kit = sdk.dsl, _kit(sdk)

    @dsl.pipeline
    def whole() -> List[dsl.Dataset]:
        with dsl.ParallelFor(['a', 'b']) as item:
            made = kit.make(text=item)
        kit.use_all(many=dsl.Collected(made.output))
        return dsl.Collected(made.output)

    return whole


def collected_from_depth(sdk):
    dsl, kit = sdk.dsl, _kit(sdk)

    @dsl.pipeline
    def whole(limit: int):
        with dsl.ParallelFor(['a', 'b']) as item:
            with dsl.ParallelFor([1, 2]) as number:
                with dsl.If(number > limit):
                    said = kit.say(text=item)
            kit.listed(items=dsl.Collected(said.output))
        kit.listed(items=dsl.Collected(said.output))

    return whole


def loop_over_artifacts(sdk):
    dsl, kit = sdk.dsl, _kit(sdk)

    @dsl.pipeline
    def inner() -> List[dsl.Dataset]:
        with dsl.ParallelFor(['a', 'b']) as item:
            made = kit.make(text=item)
        return dsl.Collected(made.output)

    @dsl.pipeline
    def whole(given: List[dsl.Dataset]):
        with dsl.ParallelFor(inner().output) as data:
            kit.use(data=data)
        with dsl.ParallelFor(given) as data:
            kit.use(data=data)

    return whole


def exit_handler(sdk):
    dsl, kit = sdk.dsl, _kit(sdk)

    @dsl.pipeline
    def whole(text: str = 'x'):
        last = kit.watch(text=text)
        with dsl.ExitHandler(last, name='guarded'):
            said = kit.say(text=text)
            kit.say(text=said.output)

    return whole


def exit_handlers(sdk):
    dsl, kit = sdk.dsl, _kit(sdk)

    @dsl.pipeline
    def whole():
        first = kit.say(text='before')
        with dsl.ExitHandler(kit.watch()) as handler:
            with dsl.ParallelFor([1, 2]) as item:
                kit.count(number=item)
            kit.say(text=first.output)
        with dsl.ExitHandler(kit.say(text='second')):
            kit.say(text='inside')
        kit.say(text='after').after(handler)

    return whole


def pipeline_as_exit_task(sdk):
    dsl, kit = sdk.dsl, _kit(sdk)

    @dsl.pipeline
    def farewell(text: str = 'bye'):
        kit.say(text=text)

    @dsl.pipeline
    def whole(word: str = 'w'):
        with dsl.ExitHandler(farewell(text=word)):
            kit.say(text='inside')

    return whole


def ignored_failures(sdk):
    dsl, kit = sdk.dsl, _kit(sdk)

    @dsl.pipeline
    def whole():
        first = kit.say(text='x')
        kit.watch(text='y').after(first).ignore_upstream_failure()
        kit.watch(text=first.output).ignore_upstream_failure()

    return whole


def nested_pipelines(sdk):
    dsl, kit = sdk.dsl, _kit(sdk)

    @dsl.pipeline
    def inner(text: str = 'x', number: int = 1) -> str:
        kit.count(number=number)
        return kit.say(text=text).output

    @dsl.pipeline
    def middle(text: str) -> str:
        kit.measure(number=1.5)
        return inner(text=text).output

    @dsl.pipeline
    def whole():
        made = kit.make(text='before')
        first = middle(text='a')
        kit.use(data=made.output).after(first)

    return whole


@names_vary
def nested_pipelines_in_groups(sdk):
    dsl, kit = sdk.dsl, _kit(sdk)

    @dsl.pipeline
    def inner(text: str) -> str:
        with dsl.If(text == 'a'):
            kit.say(text='x')
        return kit.say(text=text).output

    @dsl.pipeline
    def whole(words: List[str]):
        with dsl.ParallelFor(words) as word:
            said = inner(text=word)
            with dsl.If(said.output == 'b'):
                inner(text=said.output)

    return whole


@names_vary
def loaded_pipeline(sdk):
    dsl, kit = sdk.dsl, _kit(sdk)
    import tempfile

    @dsl.pipeline
    def inner(text: str = 'x', ratio: float = 0.5, many: list = [1, 2]) -> str:
        kit.measure(number=ratio)
        return kit.say(text=text).output

    with tempfile.NamedTemporaryFile(suffix='.yaml') as file:
        sdk.compiler.Compiler().compile(inner, file.name)
        loaded = sdk.components.load_component_from_file(file.name)

    @dsl.pipeline
    def whole():
        kit.say(text=loaded(text='a').output)
        loaded(ratio=1.5)

    return whole


def loaded_component(sdk):
    dsl = sdk.dsl
    import tempfile

    @dsl.component(base_image='python:3.11')
    def add(a: int, b: int = 2) -> int:
        """Adds."""
        return a + b

    with tempfile.NamedTemporaryFile(suffix='.yaml') as file:
        sdk.compiler.Compiler().compile(add, file.name)
        loaded = sdk.components.load_component_from_file(file.name)

    @dsl.pipeline
    def whole():
        loaded(a=loaded(a=1).output)

    return whole


def importers(sdk):
    dsl, kit = sdk.dsl, _kit(sdk)

    @dsl.pipeline
    def whole(uri: str = 'gs://b/k', key: str = 'k'):
        fixed = dsl.importer('gs://bucket/data', dsl.Dataset, reimport=True,
                             metadata={'a': 1, 'b': {'c': [True, 'x']}})
        given = dsl.importer(uri, dsl.Model, metadata={'name': key, 'path': f'{uri}/{key}', 'again': key})
        kit.use(data=fixed.output)
        del given

    return whole


def importer_to_the_workspace(sdk):
    dsl, kit = sdk.dsl, _kit(sdk)

    @dsl.pipeline(pipeline_config=dsl.PipelineConfig(workspace=dsl.WorkspaceConfig('1Gi')))
    def whole():
        kit.use(data=dsl.importer('gs://bucket/data', dsl.Dataset, download_to_workspace=True).output)
        kit.say(text=dsl.WORKSPACE_PATH_PLACEHOLDER)

    return whole


def placeholders(sdk):
    dsl, kit = sdk.dsl, _kit(sdk)

    @dsl.pipeline
    def whole():
        for name in dir(dsl):
            if name.endswith('_PLACEHOLDER') and name != 'WORKSPACE_PATH_PLACEHOLDER':
                kit.say(text=f'{getattr(dsl, name)}')

    return whole


def many_of_one(sdk):
    kit = _kit(sdk)

    @sdk.dsl.pipeline
    def whole():
        for _ in range(12):
            kit.say(text='x')

    return whole
