"""Both SDKs side by side, as plain namespaces."""

import importlib
import importlib.util
import os
import pathlib
import types
import warnings

import yaml


# They have environments of their own.
collect_ignore = ['notebooks', 'wheels']


def _helper():
    """What the end-to-end tests start the binary with; by a path, because its name is that of our package."""
    path = pathlib.Path(__file__).parents[1] / 'e2e' / 'ferroflow.py'
    spec = importlib.util.spec_from_file_location('binary_under_test', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


BINARY = _helper()
os.environ['FERROFLOW_BIN'] = BINARY.binary()


def namespace(name):
    """`dsl`, `compiler`, `components` and `kubernetes` of an SDK."""
    modules = ('dsl', 'compiler', 'components', 'kubernetes')
    return types.SimpleNamespace(name=name, **{module: importlib.import_module(f'{name}.{module}') for module in modules})


KFP, OURS = namespace('kfp'), namespace('ferroflow')


def compiled(sdk, build, folder, **options):
    """The documents of the file that an SDK makes of a case, and its text."""
    path = pathlib.Path(folder) / f'{sdk.name}.yaml'
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        sdk.compiler.Compiler().compile(build(sdk), str(path), **options)
    text = path.read_text()
    return list(yaml.load_all(text, Loader=getattr(yaml, 'CSafeLoader', yaml.SafeLoader))), text


def differences(expected, found, place=''):
    """Where two files differ, one line each."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in sorted(set(expected) | set(found)):
            here = f'{place}.{key}'
            if key not in found:
                yield f'{here} is only in kfp\'s file: {expected[key]!r}'
            elif key not in expected:
                yield f'{here} is only in our file: {found[key]!r}'
            else:
                yield from differences(expected[key], found[key], here)
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for number, pair in enumerate(zip(expected, found)):
            yield from differences(*pair, f'{place}[{number}]')
    elif expected != found or type(expected) is not type(found):
        yield f'{place}: kfp writes {expected!r}, we write {found!r}'


def with_plain_names(documents):
    """The documents with components and executors named by their place in the graph."""
    pipeline = documents[0]
    components, executors = {}, {}

    def walk(dag, place):
        for name, task in sorted(dag['tasks'].items()):
            reference = task['componentRef']['name']
            components[reference] = f'{place}/{name}'
            component = pipeline['components'][reference]
            if 'executorLabel' in component:
                executors[component['executorLabel']] = f'{place}/{name}'
            else:
                walk(component['dag'], f'{place}/{name}')

    def rename(value, key=None, parent=None):
        if isinstance(value, dict):
            names = {'components': components, 'executors': executors}.get(key, {})
            return {names.get(name, name): rename(inner, name, key) for name, inner in value.items()}
        if isinstance(value, list):
            return [rename(inner) for inner in value]
        if key == 'executorLabel':
            return executors[value]
        if key == 'name' and parent == 'componentRef':
            return components[value]
        return value

    walk(pipeline['root']['dag'], '')
    return [rename(document) for document in documents]


def loose_ends(documents):
    """References that lead nowhere: to inputs that a graph does not have, tasks that are not in it, empty components."""
    pipeline, found = documents[0], []

    def walk(component, place):
        inputs = component.get('inputDefinitions', {})
        known = {*inputs.get('parameters', {}), *inputs.get('artifacts', {})}
        tasks = component['dag']['tasks']
        for name, task in tasks.items():
            here = f'{place}/{name}'
            given = task.get('inputs', {})
            for source in [*given.get('parameters', {}).values(), *given.get('artifacts', {}).values()]:
                wanted = source.get('componentInputParameter') or source.get('componentInputArtifact')
                if wanted is not None and wanted not in known:
                    found.append(f'{here}: {wanted}')
                output = source.get('taskOutputParameter') or source.get('taskOutputArtifact') or {}
                if output and output['producerTask'] not in tasks:
                    found.append(f'{here}: {output["producerTask"]}')
            found.extend(f'{here}: {task}' for task in task.get('dependentTasks', []) if task not in tasks)
            inner = pipeline['components'][task['componentRef']['name']]
            if 'dag' in inner:
                walk(inner, here)
            elif 'executorLabel' not in inner:
                found.append(f'{here}: {task["componentRef"]["name"]} is empty')

    walk(pipeline['root'], '')
    return found
