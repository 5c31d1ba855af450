"""Tasks: what calling a component in a pipeline's body gives."""

from __future__ import annotations

import sys
from typing import Any, Optional, Union

from ferroflow import _native
from ferroflow.dsl.for_loop import LoopArgumentVariable, LoopParameterArgument
from ferroflow.dsl.pipeline_channel import (PipelineChannel, create_pipeline_channel,
                                            extract_pipeline_channels_from_any)
from ferroflow.dsl.pipeline_context import Pipeline
from ferroflow.dsl.structures import ComponentSpec, ContainerSpecImplementation, InputSpec, ResourceSpec
from ferroflow.dsl.tasks_group import ExitHandler, TasksGroup

_CONSTANTS = {str: 'String', int: 'Integer', float: 'Float', bool: 'Boolean', list: 'List', dict: 'Dict'}
_MEMORY_UNITS = ('E', 'Ei', 'P', 'Pi', 'T', 'Ti', 'G', 'Gi', 'M', 'Mi', 'K', 'Ki', '')


class PipelineTask:
    """A call of a component. All setters return the task."""

    def __init__(self, component_spec: ComponentSpec, args: dict[str, Any], pipeline: Pipeline) -> None:
        for name, value in args.items():
            _check_argument(component_spec, name, value)
        self.component_spec = component_spec
        self.parent_task_group: Optional[TasksGroup] = None
        self.is_exit_handler = False
        self.platform_config: dict[str, Any] = {}
        self.pipeline_spec = component_spec.implementation.graph
        self.importer_spec = component_spec.implementation.importer
        container = component_spec.implementation.container
        self.container_spec: Optional[ContainerSpecImplementation] = container.copy() if container else None
        self._inputs = args
        self._after: list[str] = []
        self._caching: tuple[bool, Optional[str]] = (Pipeline.get_execution_caching_default(), None)
        self._retry: Optional[dict[str, Any]] = None
        self._display_name: Optional[str] = None
        self._ignore_upstream_failure_tag = False
        self._registered: list[PipelineChannel] = []
        self._place = _place()
        self._name = pipeline.add_task(self)
        self._outputs = {
            name: create_pipeline_channel(name, spec.type, self._name, is_artifact_list=spec.is_artifact_list)
            for name, spec in component_spec.outputs.items()
        }

    @property
    def name(self) -> str:
        return self._name

    @property
    def inputs(self) -> dict[str, Any]:
        return self._inputs

    @property
    def outputs(self) -> dict[str, Any]:
        return self._outputs

    @property
    def output(self) -> Any:
        """The only output."""
        if len(self._outputs) != 1:
            names = ', '.join(repr(name) for name in self._outputs) or 'none'
            raise AttributeError(f'task {self._name!r} does not have one output, but {names}: use .outputs[name]')
        return next(iter(self._outputs.values()))

    @property
    def dependent_tasks(self) -> list[str]:
        """Names given by `after`."""
        return self._after

    @property
    def channel_inputs(self) -> list[PipelineChannel]:
        """All channels that it uses."""
        direct = [value for value in self._inputs.values() if isinstance(value, PipelineChannel)]
        others = [value for value in self._inputs.values() if not isinstance(value, PipelineChannel)]
        return [*direct, *extract_pipeline_channels_from_any(others), *self._registered]

    @property
    def platform_spec(self) -> Any:
        if self.pipeline_spec is None:
            raise ValueError(f'task {self._name!r} has no platform_spec, because it is not a pipeline: use '
                             '.platform_config')
        from ferroflow._message import message
        return message('PlatformSpec', self.pipeline_spec.platform_json())

    def register_pipeline_channels(self, pipeline_channels: list[PipelineChannel]) -> None:
        """Adds channels that settings use, so that they reach the task."""
        known = {channel.pattern for channel in self.channel_inputs}
        for channel in pipeline_channels:
            if channel.pattern not in known:
                known.add(channel.pattern)
                self._registered.append(channel)

    _register_pipeline_channels = register_pipeline_channels

    def set_caching_options(self, enable_caching: bool, cache_key: Optional[str] = None) -> PipelineTask:
        """Whether results of earlier runs may be taken."""
        self._caching = (enable_caching, cache_key)
        return self

    def _container(self, setter: str) -> ContainerSpecImplementation:
        if self.container_spec is None:
            raise ValueError(f'{setter} can only be used on single-step components, but task {self._name!r} is a '
                             'pipeline or an importer: set it on the tasks in it')
        return self.container_spec

    def _resource(self, setter: str, field: str, text: str) -> PipelineTask:
        container = self._container(setter)
        if container.resources is None:
            container.resources = ResourceSpec()
        setattr(container.resources, field, text)
        return self

    def set_cpu_request(self, cpu: Union[str, PipelineChannel]) -> PipelineTask:
        """CPUs that it needs at least: a number, or thousandths as in `500m`."""
        return self._resource('set_cpu_request', 'cpu_request', _cpu(cpu))

    def set_cpu_limit(self, cpu: Union[str, PipelineChannel]) -> PipelineTask:
        """CPUs that it gets at most."""
        return self._resource('set_cpu_limit', 'cpu_limit', _cpu(cpu))

    def set_memory_request(self, memory: Union[str, PipelineChannel]) -> PipelineTask:
        """Memory that it needs at least, as in `512Mi`."""
        return self._resource('set_memory_request', 'memory_request', _memory(memory))

    def set_memory_limit(self, memory: Union[str, PipelineChannel]) -> PipelineTask:
        """Memory that it gets at most."""
        return self._resource('set_memory_limit', 'memory_limit', _memory(memory))

    def set_accelerator_type(self, accelerator: Union[str, PipelineChannel]) -> PipelineTask:
        """The kind of accelerator, as in `nvidia.com/gpu`; one, if no limit is set."""
        self._resource('set_accelerator_type', 'accelerator_type', str(accelerator))
        resources = self._container('set_accelerator_type').resources
        if resources is not None and resources.accelerator_count is None:
            resources.accelerator_count = '1'
        return self

    def set_accelerator_limit(self, limit: Union[int, str, PipelineChannel]) -> PipelineTask:
        """The number of accelerators."""
        text = str(limit)
        if not isinstance(limit, PipelineChannel) and not (text.isascii() and text.isdigit()):
            raise ValueError(f'limit of set_accelerator_limit must be a non-negative integer, but is {limit!r}')
        return self._resource('set_accelerator_limit', 'accelerator_count', text)

    def set_gpu_limit(self, gpu: str) -> PipelineTask:
        """The old name of `set_accelerator_limit`."""
        _deprecated('set_gpu_limit', 'set_accelerator_limit')
        return self.set_accelerator_limit(gpu)

    def add_node_selector_constraint(self, accelerator: str) -> PipelineTask:
        """The old name of `set_accelerator_type`."""
        _deprecated('add_node_selector_constraint', 'set_accelerator_type')
        return self.set_accelerator_type(accelerator)

    def set_retry(self, num_retries: int, backoff_duration: Optional[str] = None, backoff_factor: Optional[float] = None,
                  backoff_max_duration: Optional[str] = None) -> PipelineTask:
        """How often it is tried again when it fails, and after how long."""
        self._retry = {
            'count': num_retries or 0,
            'backoff_duration': backoff_duration,
            'backoff_factor': backoff_factor,
            'backoff_max_duration': backoff_max_duration,
        }
        return self

    def set_display_name(self, name: str) -> PipelineTask:
        """The name that people see."""
        self._display_name = name
        return self

    def set_env_variable(self, name: str, value: str) -> PipelineTask:
        """A variable in the environment of the container."""
        if not isinstance(value, str):
            raise TypeError(f'the value of variable {name!r} must be a text, but is {value!r}: write str(...)')
        container = self._container('set_env_variable')
        container.env = {**(container.env or {}), name: value}
        return self

    def set_debug_pause(self, before: bool = False, after: bool = True, on_error: bool = False) -> PipelineTask:
        """Keeps the container alive for a look inside, on servers that run on Argo."""
        if on_error and not after:
            raise ValueError('set_debug_pause(on_error=True) pauses after the task, so it needs after=True')
        if not before and not after:
            raise ValueError('set_debug_pause has nothing to pause on: set before or after')
        if before:
            self.set_env_variable('ARGO_DEBUG_PAUSE_BEFORE', 'true')
        if after:
            self.set_env_variable('ARGO_DEBUG_PAUSE_ON_ERROR' if on_error else 'ARGO_DEBUG_PAUSE_AFTER', 'true')
        return self

    def set_container_image(self, name: Union[str, PipelineChannel]) -> PipelineTask:
        """Another image than that of the component."""
        self._container('set_container_image').image = str(name)
        self.register_pipeline_channels(extract_pipeline_channels_from_any(name))
        return self

    def after(self, *tasks: Union[PipelineTask, ExitHandler]) -> PipelineTask:
        """Lets it wait for others that give it nothing."""
        for task in tasks:
            if not isinstance(task, (PipelineTask, ExitHandler)):
                what = f'a dsl.{type(task).__name__}' if isinstance(task, TasksGroup) else repr(task)
                raise ValueError(f'task {self._name!r} cannot come after {what}: after() takes tasks, or a '
                                 'dsl.ExitHandler')
            self._after.append(task.name)
        return self

    def ignore_upstream_failure(self) -> PipelineTask:
        """Lets it run when the tasks before have ended, however they ended."""
        for name, spec in self.component_spec.inputs.items():
            value = self._inputs.get(name)
            if isinstance(value, PipelineChannel) and value.task_name is not None and not spec.optional:
                raise ValueError(f'task {self._name!r} can ignore failures only if it can do without what they would '
                                 f'have made: input {name!r} comes from {value.task_name!r}, so it needs a default')
        self._ignore_upstream_failure_tag = True
        return self


def _place() -> Optional[str]:
    """The first line outside of this package."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_globals.get('__name__', '').startswith('ferroflow.'):
        frame = frame.f_back  # type: ignore[assignment]
    return f'{frame.f_code.co_filename}:{frame.f_lineno}' if frame is not None else None


def _check_argument(component: ComponentSpec, name: str, value: Any) -> None:
    spec: InputSpec = component.inputs[name]
    if isinstance(value, PipelineChannel):
        if isinstance(value, (LoopParameterArgument, LoopArgumentVariable)) and value.channel_type == 'String':
            # Nothing is known of the items of such a loop.
            return
        given, given_list = value.channel_type, value.is_artifact_list
    else:
        constant = _CONSTANTS.get(type(value))
        if constant is None:
            what = 'a task: pass its .output or .outputs[name]' if isinstance(
                value, PipelineTask) else f'{value!r}: pass a str, int, float, bool, list or dict'
            raise ValueError(f'input {name!r} of component {component.name!r} was given {what}')
        given, given_list = constant, False
    if not _native.types_fit(given, given_list, spec.type, spec.is_artifact_list):
        raise _native.InconsistentTypeException(
            f'input {name!r} of component {component.name!r} is of type '
            f'{_native.shown_type(spec.type, spec.is_artifact_list)}, but was given '
            f'{_native.shown_type(given, given_list)}')


def _cpu(cpu: Union[str, PipelineChannel]) -> str:
    if isinstance(cpu, PipelineChannel):
        return str(cpu)
    number = cpu[:-1] if cpu.endswith('m') else cpu
    whole, point, fraction = number.partition('.')
    if not (fraction if point else whole).isdigit() or not (whole + '0').isdigit():
        raise ValueError(f'{cpu!r} is an invalid cpu string: write a number of CPUs, or thousandths as in 500m')
    return cpu


def _memory(memory: Union[str, PipelineChannel]) -> str:
    if isinstance(memory, PipelineChannel):
        return str(memory)
    number = memory.rstrip('EPTGMKi')
    if not number.isdigit() or memory[len(number):] not in _MEMORY_UNITS:
        raise ValueError(f'{memory!r} is an invalid memory string: write a whole number of bytes, or one with a unit '
                         'as in 512Mi')
    return memory


def _deprecated(old: str, new: str) -> None:
    import warnings
    warnings.warn(f'{old!r} is deprecated: use {new!r}', DeprecationWarning, stacklevel=3)

