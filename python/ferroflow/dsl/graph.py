"""What was seen of a pipeline, as the compiler reads it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Optional

from ferroflow import _native
from ferroflow.dsl.for_loop import (Collected, LoopArgumentVariable, LoopArtifactArgument, LoopParameterArgument)
from ferroflow.dsl.pipeline_channel import ConditionOperation, OneOfMixin, PipelineArtifactChannel, PipelineChannel
from ferroflow.dsl.tasks_group import ConditionBranches, ExitHandler, ParallelFor, TasksGroup, _ConditionBase

if TYPE_CHECKING:
    from ferroflow.dsl.pipeline_config import PipelineConfig
    from ferroflow.dsl.pipeline_context import Pipeline
    from ferroflow.dsl.pipeline_task import PipelineTask
    from ferroflow.dsl.structures import ComponentSpec


def compile_pipeline(pipeline: Pipeline, spec: ComponentSpec, outputs: dict[str, PipelineChannel],
                     display_name: Optional[str], pipeline_root: Optional[str],
                     config: Optional[PipelineConfig]) -> _native.Compiled:
    """Hands the pipeline to the compiler."""
    writer = _Writer(pipeline)
    data = {
        'interface': spec.interface(),
        'display_name': display_name,
        'pipeline_root': pipeline_root,
        'config': config.data() if config else {},
        'outputs': [[name, writer.channel(channel)] for name, channel in outputs.items()],
        'tasks': [writer.task(task) for task in pipeline.tasks.values()],
        'groups': [writer.group(group) for group in writer.groups],
        'components': writer.components,
        'channels': writer.channels,
    }
    return _native.compile(json.dumps(data, default=_as_text), writer.nested)


def _as_text(value: Any) -> Any:
    if isinstance(value, PipelineChannel):
        return str(value)
    raise TypeError(f'{value!r} cannot be passed to a component: pass a str, int, float, bool, list or dict')


class _Writer:
    """Numbers what refers to each other."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.channels: list[dict[str, Any]] = []
        self.components: list[dict[str, Any]] = []
        self.nested: list[_native.Compiled] = []
        self._channels: dict[int, int] = {}
        self._components: dict[int, int] = {}
        self._tasks = {id(task): place for place, task in enumerate(pipeline.tasks.values())}
        self.groups: list[TasksGroup] = []
        open_groups = [pipeline.groups[0]]
        while open_groups:
            group = open_groups.pop()
            self.groups.append(group)
            open_groups.extend(reversed(group.groups))
        self._groups = {id(group): place for place, group in enumerate(self.groups)}

    def channel(self, channel: PipelineChannel) -> int:
        if not isinstance(channel, PipelineChannel):
            raise ValueError(f'a pipeline can only return outputs of tasks, but got {channel!r}')
        place = self._channels.get(id(channel))
        if place is None:
            form = self._form(channel)
            place = self._channels[id(channel)] = len(self.channels)
            self.channels.append({
                'name': channel.name,
                'type': channel.channel_type,
                'producer': channel.task_name,
                'list': channel.is_artifact_list and not isinstance(channel, Collected),
                'form': form,
            })
        return place

    def _form(self, channel: PipelineChannel) -> Any:
        if isinstance(channel, LoopParameterArgument):
            items = channel.items_or_pipeline_channel
            return {'loop-item': self.channel(items) if isinstance(items, PipelineChannel) else None}
        if isinstance(channel, LoopArtifactArgument):
            return {'loop-artifact': self.channel(channel.items_or_pipeline_channel)}
        if isinstance(channel, LoopArgumentVariable):
            return {'loop-key': [self.channel(channel.loop_argument), channel.subvar_name]}
        if isinstance(channel, Collected):
            return {'collected': channel.is_artifact_channel}
        if isinstance(channel, OneOfMixin):
            branches = [self.channel(branch) for branch in channel.channels]
            group = self._groups[id(channel.condition_branches_group)]
            return {'one-of': [branches, group, isinstance(channel, PipelineArtifactChannel)]}
        return 'artifact' if isinstance(channel, PipelineArtifactChannel) else 'parameter'

    def task(self, task: PipelineTask) -> dict[str, Any]:
        inputs, channels = [], []
        for name, value in task.inputs.items():
            if isinstance(value, PipelineChannel):
                place = self.channel(value)
                channels.append(place)
                inputs.append([name, {'c': place}])
            else:
                inputs.append([name, {'v': value}])
        channels.extend(self.channel(channel) for channel in task._registered)
        enable_caching, cache_key = task._caching
        return {
            'name': task.name,
            'component': self._component(task.component_spec),
            'is_exit_task': task.is_exit_handler,
            'inputs': inputs,
            'channels': channels,
            'after': task._after,
            'display_name': task._display_name,
            'enable_caching': bool(enable_caching),
            'cache_key': cache_key,
            'retry': task._retry,
            'ignore_upstream_failure': task._ignore_upstream_failure_tag,
            'container': self._container(task),
            'platform': task.platform_config,
            'place': task._place,
        }

    def _container(self, task: PipelineTask) -> dict[str, Any]:
        """What differs from the component."""
        own, base = task.container_spec, task.component_spec.implementation.container
        if own is None or base is None:
            return {}
        found: dict[str, Any] = {}
        if own.image != base.image:
            found['image'] = own.image
        if own.command != base.command:
            found['command'] = own.command
        if own.args != base.args:
            found['args'] = own.args
        if (own.env or {}) != (base.env or {}):
            found['env'] = list((own.env or {}).items())
        if own.resources is not None:
            found['resources'] = vars(own.resources)
        return found

    def _component(self, spec: ComponentSpec) -> int:
        place = self._components.get(id(spec))
        if place is None:
            place = self._components[id(spec)] = len(self.components)
            if spec.implementation.graph is not None:
                self.components.append({'interface': spec.interface(), 'pipeline': len(self.nested)})
                self.nested.append(spec.implementation.graph)
            else:
                self.components.append(spec.data())
        return place

    def group(self, group: TasksGroup) -> dict[str, Any]:
        parent = group.parent_task_group
        return {
            'name': group.name,
            'display_name': group.display_name,
            'parent': self._groups[id(parent)] if parent is not None else None,
            'groups': [self._groups[id(inner)] for inner in group.groups],
            'tasks': [self._tasks[id(task)] for task in group.tasks],
            'kind': self._kind(group),
        }

    def _kind(self, group: TasksGroup) -> Any:
        if isinstance(group, _ConditionBase):
            comparisons = [self._comparison(condition) for condition in group.conditions]
            return {'condition': {'class': type(group).__name__, 'comparisons': comparisons}}
        if isinstance(group, ParallelFor):
            item = group.loop_argument
            if isinstance(item, LoopParameterArgument):
                # Keys may stand in text only, where the compiler looks for them.
                for key in item.keys_used():
                    self.channel(key)
            is_constant = isinstance(item, LoopParameterArgument) and item.is_with_items_loop_argument
            return {
                'for-loop': {
                    'item': self.channel(item),
                    'raw': item.raw() if is_constant else None,  # type: ignore[union-attr]
                    'parallelism': group.parallelism_limit,
                }
            }
        if isinstance(group, ExitHandler):
            return {'exit-handler': {'exit_task': self._tasks[id(group.exit_task)]}}
        return 'condition-branches' if isinstance(group, ConditionBranches) else 'pipeline'

    def _comparison(self, condition: ConditionOperation) -> dict[str, Any]:
        return {
            'operator': condition.operator,
            'left': self._operand(condition.left_operand),
            'right': self._operand(condition.right_operand),
            'negate': condition.negate,
        }

    def _operand(self, operand: Any) -> dict[str, Any]:
        if isinstance(operand, PipelineChannel):
            return {'c': self.channel(operand)}
        return {'v': [type(operand).__name__, str(operand)]}
