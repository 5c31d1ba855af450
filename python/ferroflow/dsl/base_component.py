"""Components: what decorators and `load_component_from_*` give, and what a pipeline's body calls."""

from __future__ import annotations

import json
from typing import Any, Callable, Optional

from ferroflow import _native
from ferroflow._message import message
from ferroflow.dsl.pipeline_channel import PipelineChannel, create_pipeline_channel
from ferroflow.dsl.pipeline_config import PipelineConfig
from ferroflow.dsl.pipeline_context import Pipeline
from ferroflow.dsl.pipeline_task import PipelineTask
from ferroflow.dsl.structures import ComponentSpec, ContainerSpecImplementation, Implementation, function_key


class BaseComponent:
    """A component. Calling it in the body of a pipeline makes a task; elsewhere it runs here, see `local`."""

    def __init__(self, component_spec: ComponentSpec) -> None:
        self.component_spec = component_spec
        self.name = component_spec.name
        self.description = component_spec.description or None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if args:
            raise TypeError(f'component {self.name!r} takes keyword arguments only, but got {len(args)} without a '
                            'name: write name=value')
        inputs = self.component_spec.inputs
        for name in kwargs:
            if name not in inputs or _is_status(inputs[name].type):
                known = ', '.join(known for known in inputs if not _is_status(inputs[known].type)) or 'nothing'
                raise TypeError(f'{self.name}() got an unexpected keyword argument "{name}": it takes {known}')
        missing = [name for name in self.required_inputs if name not in kwargs]
        if missing:
            raise TypeError(f'{self.name}() is missing {len(missing)} of its arguments: {", ".join(missing)}')
        pipeline = Pipeline.get_default_pipeline()
        if pipeline is None:
            from ferroflow import local
            return local.run(self, kwargs)
        return PipelineTask(self.component_spec, kwargs, pipeline)

    @property
    def required_inputs(self) -> list[str]:
        return [name for name, spec in self.component_spec.inputs.items() if not spec.optional]

    def compiled(self) -> _native.Compiled:
        """Its file, as a pipeline of one task."""
        return _native.compile_component(json.dumps(self.component_spec.data()),
                                         Pipeline.get_execution_caching_default())

    @property
    def pipeline_spec(self) -> Any:
        return message('PipelineSpec', self.compiled().pipeline_json())

    @property
    def platform_spec(self) -> Any:
        return message('PlatformSpec', self.compiled().platform_json())

    def _repr_html_(self) -> str:
        from ferroflow.display import page
        return page.of_pipeline(json.loads(self.compiled().pipeline_json()), self.name, self.description)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        from ferroflow.display import page
        spec = json.loads(self.compiled().pipeline_json())
        return {
            'text/plain': page.text_of_pipeline(spec, self.name, self.description),
            'text/html': page.of_pipeline(spec, self.name, self.description)
        }

    def _refuse_output_lists(self) -> None:
        for name, spec in self.component_spec.outputs.items():
            if spec.is_artifact_list:
                raise ValueError(f'output {name!r} of component {self.name!r} is a list of artifacts, which only '
                                 'pipelines can give: collect single artifacts of a loop with dsl.Collected')


def _is_status(kind: str) -> bool:
    return _native.parameter_type(kind) == 'TASK_FINAL_STATUS'


class PythonComponent(BaseComponent):
    """A function that runs in a container."""

    def __init__(self, component_spec: ComponentSpec, python_func: Callable[..., Any]) -> None:
        super().__init__(component_spec)
        self.python_func = python_func
        container = component_spec.implementation.container
        assert container is not None
        key = function_key(container.image, container.command, container.args)
        component_spec.implementation.functions = {key: python_func}
        self._refuse_output_lists()

    def execute(self, **kwargs: Any) -> Any:
        """Calls the function."""
        return self.python_func(**kwargs)


class ContainerComponent(BaseComponent):
    """A container with a command."""

    def __init__(self, component_spec: ComponentSpec, pipeline_func: Callable[..., Any]) -> None:
        super().__init__(component_spec)
        self.pipeline_func = pipeline_func
        self._refuse_output_lists()


class YamlComponent(BaseComponent):
    """A component out of a file."""

    def __init__(self, component_yaml: str) -> None:
        text, self._compiled, is_pipeline = _native.load(component_yaml)
        data = json.loads(text)
        if is_pipeline:
            implementation = Implementation(graph=self._compiled)
        else:
            implementation = Implementation(
                ContainerSpecImplementation(data['image'], data['command'], data['args'], dict(data['env']) or None))
        super().__init__(ComponentSpec.from_data(data, implementation))
        self.component_yaml = component_yaml
        self.description = self.description or _described(self.component_spec, component_yaml)

    def compiled(self) -> _native.Compiled:
        return self._compiled or super().compiled()


def _described(spec: ComponentSpec, text: str) -> Optional[str]:
    """The docstring of the function in the command, else the description in the comment at the head of the file."""
    container = spec.implementation.container
    for word in container.command if container else []:
        if 'import kfp' in word:
            import ast
            for node in ast.walk(ast.parse(word)):
                if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Module)):
                    docstring = ast.get_docstring(node)
                    if docstring:
                        return docstring
    heading, further = '# Description: ', '#              '
    lines = text.splitlines()
    if len(lines) < 3 or not lines[2].startswith(heading):
        return None
    found = [lines[2][len(heading):]]
    for line in lines[3:]:
        if not line.startswith(further[:-1]):
            break
        found.append(line[len(further):])
    return '\n'.join(found)


class GraphComponent(BaseComponent):
    """A pipeline: its body runs once, when it is decorated."""

    def __init__(self, component_spec: ComponentSpec, pipeline_func: Callable[..., Any],
                 display_name: Optional[str] = None, pipeline_config: Optional[PipelineConfig] = None,
                 pipeline_root: Optional[str] = None) -> None:
        super().__init__(component_spec)
        self.pipeline_func = pipeline_func
        self.pipeline_config = pipeline_config
        channels = [
            create_pipeline_channel(name, spec.type, is_artifact_list=spec.is_artifact_list)
            for name, spec in component_spec.inputs.items()
        ]
        with Pipeline(self.name) as pipeline:
            given = pipeline_func(*channels)
            for task in pipeline.tasks.values():
                component_spec.implementation.functions.update(task.component_spec.implementation.functions)
            from ferroflow.dsl import graph
            component_spec.implementation.graph = graph.compile_pipeline(pipeline, component_spec, _outputs(given),
                                                                         display_name, pipeline_root, pipeline_config)

    def compiled(self) -> _native.Compiled:
        graph = self.component_spec.implementation.graph
        assert graph is not None
        return graph


def _outputs(given: Any) -> dict[str, PipelineChannel]:
    if given is None:
        return {}
    if isinstance(given, dict):
        return given
    if isinstance(given, PipelineChannel):
        return {'Output': given}
    if isinstance(given, tuple) and hasattr(given, '_asdict'):
        return dict(given._asdict())
    hint = ': return its .output' if isinstance(given, PipelineTask) else ''
    raise ValueError(f'a pipeline returns outputs of tasks, alone or in a NamedTuple, but this one returns a '
                     f'{type(given).__name__}{hint}')
