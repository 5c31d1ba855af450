"""From a function's signature to the interface of a component, and from its source to a command.

`inspect` takes longer to load than all of this package, so that only functions do it.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Callable, Optional, Union, get_args, get_origin

from ferroflow import _native
from ferroflow.dsl import placeholders
from ferroflow.dsl.structures import ComponentSpec, Implementation, InputSpec, OutputSpec
from ferroflow.dsl.types import artifact_types
from ferroflow.dsl.types import type_annotations as markers

if TYPE_CHECKING:
    import inspect

SINGLE_OUTPUT_NAME = 'Output'
_NAMES = {str: 'String', int: 'Integer', float: 'Float', bool: 'Boolean', list: 'List', dict: 'Dict'}


def type_name(annotation: Any) -> str:
    """A parameter's type as PipelineSpec's tools name it."""
    if get_origin(annotation) in (list, dict):
        if getattr(annotation, '__module__', None) == 'typing':
            return str(annotation)
        inner = ', '.join(type_name(argument) for argument in get_args(annotation))
        return f'{_NAMES[get_origin(annotation)]}[{inner}]'
    if isinstance(annotation, type):
        return _NAMES.get(annotation, annotation.__name__)
    return str(getattr(annotation, '__forward_arg__', annotation))


def _artifact_type(annotation: Any) -> Optional[tuple[str, bool]]:
    """Title and version of an artifact class, and whether it is a list of such; None for parameters."""
    inner = markers.artifact_of_list(annotation)
    cls = inner or annotation
    if isinstance(cls, type) and markers.is_artifact_class(cls):
        return f'{cls.schema_title}@{cls.schema_version}', inner is not None  # type: ignore[attr-defined]
    return None


def _kind(annotation: Any) -> tuple[str, bool]:
    """The type of an annotation without `Input`, `Output`, `InputPath` or `OutputPath`."""
    if markers.marker(annotation) is not None:
        annotation = annotation.__origin__
    elif isinstance(annotation, (markers.InputPath, markers.OutputPath)):
        annotation = annotation.type
    return _artifact_type(annotation) or (type_name(annotation), False)


def read_signature(func: Callable[..., Any],
                   containerized: bool) -> tuple[dict[str, InputSpec], dict[str, OutputSpec]]:
    """Inputs and outputs of a function."""
    import inspect
    inputs: dict[str, InputSpec] = {}
    outputs: dict[str, OutputSpec] = {}
    signature = inspect.signature(func)
    for name, parameter in signature.parameters.items():
        where = f'argument {name!r} of {func.__name__}()'
        if name == SINGLE_OUTPUT_NAME:
            raise ValueError(f'{where} cannot be called so, because single results are: choose another name')
        annotation = markers.strip_optional(parameter.annotation)
        if annotation is inspect.Parameter.empty:
            raise TypeError(f'{where} has no type annotation: write one, as in {name}: str')
        mark = markers.marker(annotation)
        if mark is markers.EmbeddedAnnotation:
            continue
        try:
            if mark is markers.OutputAnnotation or isinstance(annotation, markers.OutputPath):
                outputs[name] = OutputSpec(*_kind(annotation))
            else:
                if containerized and mark is None and _artifact_type(annotation):
                    raise TypeError('artifacts of container components need a marker: write Input[...] or Output[...]')
                inputs[name] = _input(annotation, parameter)
        except (TypeError, ValueError) as error:
            raise type(error)(f'{where}: {error}') from None
    result = signature.return_annotation
    if containerized:
        if result is not inspect.Signature.empty and getattr(result, '__name__', result) != 'ContainerSpec':
            raise TypeError(f'{func.__name__}() is a container component, so it returns a dsl.ContainerSpec, not '
                            f'{result}: annotate outputs as arguments with Output[...] or OutputPath(...)')
    elif result is not None and result is not inspect.Signature.empty:
        outputs.update(_results(result, func))
    return inputs, outputs


def _input(annotation: Any, parameter: inspect.Parameter) -> InputSpec:
    kind, is_list = _kind(annotation)
    has_default = parameter.default is not parameter.empty
    default = parameter.default if has_default else None
    if _native.parameter_type(kind) is None and default is not None:
        raise ValueError(f'an artifact can have no default but None, and has {default!r}')
    is_given_by_the_system = _native.parameter_type(kind) in ('TASK_FINAL_STATUS', 'TASK_CONFIG')
    optional = has_default or is_given_by_the_system
    return InputSpec(kind, default, optional, is_list)


def _results(result: Any, func: Callable[..., Any]) -> dict[str, OutputSpec]:
    fields = {SINGLE_OUTPUT_NAME: result}
    if hasattr(result, '_fields'):
        fields = {name: result.__annotations__[name] for name in result._fields}
    elif isinstance(result, dict):
        fields = result
    found = {}
    for name, annotation in fields.items():
        try:
            found[name] = OutputSpec(*_kind(annotation))
        except TypeError as error:
            raise TypeError(f'result {name!r} of {func.__name__}(): {error}') from None
    return found


def read_interface(func: Callable[..., Any], name: Optional[str] = None, description: Optional[str] = None,
                   containerized: bool = False) -> ComponentSpec:
    """A component that is not implemented yet."""
    import inspect
    inputs, outputs = read_signature(func, containerized)
    docstring = inspect.getdoc(func)
    if docstring:
        found, params = _native.parse_docstring(docstring)
        description = description or found
        _describe(inputs, params)
        for title in ('Returns:\n', 'Returns\n', 'Return:\n', 'Return\n'):
            if title in docstring:
                _describe(outputs, _native.parse_docstring(docstring.replace(title.strip(), 'Args:'))[1])
                break
    return ComponentSpec(name or func.__name__.replace('_', ' '), Implementation(), description, inputs, outputs)


def _describe(specs: Union[dict[str, InputSpec], dict[str, OutputSpec]],
              params: list[tuple[str, Optional[str]]]) -> None:
    for name, description in params:
        if name in specs:
            specs[name].description = description


def source_of(func: Callable[..., Any]) -> str:
    """The source of a function without its decorators."""
    import inspect
    import textwrap
    lines = textwrap.dedent(inspect.getsource(func)).split('\n')
    for place, line in enumerate(lines):
        if line.startswith('def'):
            return '\n'.join(lines[place:])
    raise ValueError(f'the source of {func.__name__!r} does not begin with def: define it as a plain function')


def lightweight_command(func: Callable[..., Any], additional_funcs: Optional[list[Callable[..., Any]]],
                        embedded_artifact_path: Optional[str], notebook: Optional[str] = None) -> list[str]:
    """How a function is run from its source."""
    helper = None
    if embedded_artifact_path:
        from ferroflow.dsl import embedded
        helper = embedded.helper_source(embedded_artifact_path, notebook)
    function = source_of(func)
    if 'ferroflow' in function:
        _refuse_our_name(function, func.__name__)
    source = {
        'name': func.__name__,
        'function': function,
        'imports': _imports(func),
        'functions': [source_of(function) for function in additional_funcs or []],
        'helper': helper,
    }
    return _native.lightweight(json.dumps(source))


def _refuse_our_name(source: str, name: str) -> None:
    """Tasks read annotations, too, but know the SDK as kfp."""
    import ast
    function = ast.parse(source).body[0]
    assert isinstance(function, ast.FunctionDef)
    annotations = [argument.annotation for argument in (*function.args.args, *function.args.kwonlyargs)]
    for annotation in filter(None, [*annotations, function.returns]):
        for node in ast.walk(annotation):
            if isinstance(node, ast.Name) and node.id == 'ferroflow':
                raise TypeError(f'{name}() is annotated with {ast.unparse(annotation)}, but tasks know no module of '
                                'that name: write `from ferroflow import dsl` and annotate with dsl')


def installer_command(packages: Optional[list[str]], install_kfp_package: bool, kfp_package_path: Optional[str],
                      pip_index_urls: Optional[list[str]], pip_trusted_hosts: Optional[list[str]],
                      use_venv: bool) -> list[str]:
    """How packages are installed before."""
    is_local = bool(kfp_package_path) and (os.path.exists(kfp_package_path or '') or
                                           '@refs/pull/' in (kfp_package_path or ''))
    return _native.installer(
        json.dumps({
            'packages': [str(package) for package in packages or []],
            'index_urls': pip_index_urls or [],
            'trusted_hosts': pip_trusted_hosts,
            'sdk': install_kfp_package,
            'sdk_path': kfp_package_path,
            'sdk_path_without_dependencies': is_local,
            'venv': use_venv,
        }))


def _imports(func: Callable[..., Any]) -> list[str]:
    """Import statements for artifact classes of other packages that the annotations name."""
    import inspect
    known = set(artifact_types.CLASSES.values())
    wanted: dict[str, Any] = {}
    signature = inspect.signature(func)
    for name, parameter in signature.parameters.items():
        annotation = parameter.annotation
        if markers.marker(annotation) in (markers.InputAnnotation, markers.OutputAnnotation):
            inner = annotation.__origin__
            wanted[name] = markers.artifact_of_list(inner) or inner
        elif isinstance(annotation, type) and issubclass(annotation, artifact_types.Artifact):
            wanted[name] = annotation
    result = signature.return_annotation
    fields = getattr(result, '__annotations__', {}) if hasattr(result, '_fields') else {'': result}
    for name, annotation in fields.items():
        if isinstance(annotation, type) and markers.is_artifact_class(annotation):
            wanted['return-' + str(name)] = annotation
    statements = []
    for name, cls in wanted.items():
        if cls not in known and markers.is_artifact_class(cls):
            statement = _import_statement(_base_symbol(func, name), cls)
            if statement not in statements:
                statements.append(statement)
    return statements


def _base_symbol(func: Callable[..., Any], name: str) -> str:
    """The first name in the annotation as it is written: `aiplatform` of `Input[aiplatform.Model]`."""
    import ast
    function = ast.parse(source_of(func)).body[0]
    assert isinstance(function, ast.FunctionDef)
    node: Any = None
    if not name.startswith('return-'):
        annotation = next(argument.annotation for argument in function.args.args if argument.arg == name)
        node = annotation.slice if isinstance(annotation, ast.Subscript) else annotation
    elif name == 'return-':
        node = function.returns
    elif isinstance(function.returns, ast.Call):
        for pair in function.returns.args[1].elts:  # type: ignore[attr-defined]
            if isinstance(pair.elts[0], ast.Constant) and 'return-' + str(pair.elts[0].value) == name:
                node = pair.elts[1]
    while node is not None and not hasattr(node, 'id'):
        node = node.slice if isinstance(node, ast.Subscript) else getattr(node, 'value', None)
    if node is None:
        raise TypeError(f'the annotation of {name!r} of {func.__name__}() cannot be read: write it as a plain name')
    return str(node.id)


def _import_statement(symbol: str, cls: type) -> str:
    parts = f'{cls.__module__}.{cls.__qualname__}'.split('.')
    if symbol not in parts:
        raise TypeError(f'{symbol!r} is another name of {".".join(parts)}, which the component would not know: use '
                        'the name of its module or class as it is defined')
    path, _, name = '.'.join(parts[:parts.index(symbol) + 1]).rpartition('.')
    return f'from {path} import {name}' if path else f'import {name}'


def container_argument(name: str, annotation: Any) -> Any:
    """What the function of a container component gets for an argument."""
    annotation = markers.strip_optional(annotation)
    mark = markers.marker(annotation)
    if mark is not None:
        is_list = markers.artifact_of_list(annotation.__origin__) is not None
        if mark is markers.InputAnnotation:
            return placeholders.InputListOfArtifactsPlaceholder(
                name) if is_list else placeholders.ContainerComponentArtifactChannel('input', name)
        return placeholders.OutputListOfArtifactsPlaceholder(
            name) if is_list else placeholders.ContainerComponentArtifactChannel('output', name)
    if isinstance(annotation, markers.OutputPath):
        return placeholders.OutputParameterPlaceholder(name)
    return placeholders.InputValuePlaceholder(name)
