"""What a component is: its interface, and how it is done."""

from __future__ import annotations

from typing import Any, Callable, Optional

from ferroflow import _native
from ferroflow.dsl import placeholders


class InputSpec:
    """An input of a component."""

    def __init__(self, type: str, default: Any = None, optional: bool = False, is_artifact_list: bool = False,
                 description: Optional[str] = None) -> None:
        self.type = checked_type(type)
        self.default = default
        self.optional = optional
        self.is_artifact_list = is_artifact_list
        self.description = description


class OutputSpec:
    """An output of a component."""

    def __init__(self, type: str, is_artifact_list: bool = False, description: Optional[str] = None) -> None:
        self.type = checked_type(type)
        self.is_artifact_list = is_artifact_list
        self.description = description


def checked_type(kind: str) -> str:
    """The name of a parameter's type, or `namespace.Title@1.2.3` of an artifact."""
    if _native.parameter_type(kind) is not None:
        return kind
    title, _, version = kind.partition('@')
    namespace, _, name = title.partition('.')
    if not version or not name:
        raise TypeError(f'{kind} cannot be the type of an input or output: parameters are str, int, float, bool, list '
                        'and dict, artifacts are classes like dsl.Dataset')
    if namespace not in ('system', 'google') or '.' in name:
        raise TypeError(f'the schema_title of an artifact must be system.Name or google.Name, but is {title}')
    if len(version.split('.')) != 3:
        raise TypeError(f'the schema_version of {title} must have three parts, as in 0.0.1, but is {version}')
    return kind


class ResourceSpec:
    """Resources of a container as text; channels stand in it as marks."""
    cpu_request: Optional[str] = None
    cpu_limit: Optional[str] = None
    memory_request: Optional[str] = None
    memory_limit: Optional[str] = None
    accelerator_type: Optional[str] = None
    accelerator_count: Optional[str] = None


class ContainerSpec:
    """What a function with `@dsl.container_component` returns."""

    def __init__(self, image: str, command: Optional[list[Any]] = None, args: Optional[list[Any]] = None) -> None:
        self.image = image
        self.command = command
        self.args = args


class ContainerSpecImplementation:
    """The container of a component or task; its words are text."""

    def __init__(self, image: str, command: Optional[list[str]] = None, args: Optional[list[str]] = None,
                 env: Optional[dict[str, str]] = None, resources: Optional[ResourceSpec] = None) -> None:
        self.image = image
        self.command = command or []
        self.args = args or []
        self.env = env
        self.resources = resources

    def copy(self) -> ContainerSpecImplementation:
        return ContainerSpecImplementation(self.image, list(self.command), list(self.args),
                                           dict(self.env) if self.env else None)


class Implementation:
    """One of: a container, an importer, a compiled pipeline."""

    def __init__(self, container: Optional[ContainerSpecImplementation] = None, importer: Optional[dict[str, Any]] = None,
                 graph: Optional[_native.Compiled] = None) -> None:
        self.container = container
        self.importer = importer
        self.graph = graph
        # What can be called in this process instead of what a container runs.
        self.functions: dict[tuple[str, ...], Callable[..., Any]] = {}


def function_key(image: str, command: list[str], args: list[str]) -> tuple[str, ...]:
    """Tells functions apart by what starts them: by their source or, where an image holds it, by that and the name."""
    return (*(command if len(command) > 3 else [image]), *args)


class ComponentSpec:
    """A component."""

    def __init__(self, name: str, implementation: Implementation, description: Optional[str] = None,
                 inputs: Optional[dict[str, InputSpec]] = None, outputs: Optional[dict[str, OutputSpec]] = None,
                 task_config_passthroughs: Optional[list[Any]] = None) -> None:
        self.name = _native.kubernetes_name(name)
        self.implementation = implementation
        self.description = description
        self.inputs = inputs or {}
        self.outputs = outputs or {}
        self.task_config_passthroughs = task_config_passthroughs

    @classmethod
    def from_data(cls, data: dict[str, Any], implementation: Implementation) -> ComponentSpec:
        """From what `_native.load` gives."""
        interface = data['interface']
        inputs = {
            entry['name']: InputSpec(entry['type'], entry['default'], entry['optional'], entry['list'])
            for entry in interface['inputs']
        }
        outputs = {entry['name']: OutputSpec(entry['type'], entry['list']) for entry in interface['outputs']}
        from ferroflow.dsl.task_config import TaskConfigField, TaskConfigPassthrough
        passthroughs = [
            TaskConfigPassthrough(TaskConfigField[field], applies) for field, applies in interface['passthroughs']
        ]
        return cls(interface['name'], implementation, interface['description'], inputs, outputs, passthroughs or None)

    def data(self) -> dict[str, Any]:
        """What the compiler reads."""
        interface = self.interface()
        container, importer = self.implementation.container, self.implementation.importer
        if container is not None:
            return {
                'interface': interface,
                'image': container.image,
                'command': container.command,
                'args': container.args,
                'env': list((container.env or {}).items()),
            }
        return {'interface': interface, 'importer': importer}

    def interface(self) -> dict[str, Any]:
        return {
            'name': self.name,
            'description': self.description,
            'inputs': [{
                'name': name,
                'type': spec.type,
                'default': spec.default,
                'optional': spec.optional,
                'list': spec.is_artifact_list,
                'description': spec.description,
            } for name, spec in self.inputs.items()],
            'outputs': [{
                'name': name,
                'type': spec.type,
                'list': spec.is_artifact_list,
                'description': spec.description,
            } for name, spec in self.outputs.items()],
            'passthroughs': [[entry.field.name, entry.apply_to_task] for entry in self.task_config_passthroughs or []],
        }


def words(elements: Optional[list[Any]], spec_name: str, inputs: dict[str, InputSpec],
          outputs: dict[str, OutputSpec]) -> list[str]:
    """Words of a command, with placeholders as text."""
    found = []
    for element in elements or []:
        placeholders.check(element, spec_name, inputs, outputs)
        found.append(element._to_string() if isinstance(element, placeholders.Placeholder) else element)
    return found
