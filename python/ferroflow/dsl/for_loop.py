"""Items of loops, and results of loops."""

from __future__ import annotations

import json
from typing import Any, Optional

from ferroflow import _native
from ferroflow.dsl.pipeline_channel import (OneOfMixin, PipelineArtifactChannel, PipelineChannel,
                                            PipelineParameterChannel)

_ITEM = 'loop-item'


def _inside(kind: str) -> str:
    """What stands between the outer brackets of a generic's name."""
    begin, end = kind.find('['), kind.rfind(']')
    return kind[begin + 1:end].strip() if 0 < begin < end else ''


class LoopParameterArgument(PipelineParameterChannel):
    """The item of a loop over constants, or over a list that a channel brings."""

    def __init__(self, name: str, channel_type: str, task_name: Optional[str], items: Any) -> None:
        self._keys: dict[str, LoopArgumentVariable] = {}
        super().__init__(name, channel_type, task_name)
        self.items_or_pipeline_channel = items
        self.is_with_items_loop_argument = not isinstance(items, PipelineParameterChannel)

    @classmethod
    def of_channel(cls, channel: PipelineParameterChannel) -> LoopParameterArgument:
        if not isinstance(channel, LoopArgumentVariable) and _native.parameter_type(channel.channel_type) != 'LIST':
            raise ValueError(f'dsl.ParallelFor goes over lists, but {channel.full_name!r} is of type '
                             f'{channel.channel_type}: annotate it as List')
        kind = _inside(channel.channel_type) or 'String'
        return cls(f'{channel.name}-{_ITEM}', kind, channel.task_name, channel)

    @classmethod
    def of_constants(cls, items: list[Any], code: int) -> LoopParameterArgument:
        if len(items) == 0:
            raise ValueError('dsl.ParallelFor has no items: give it at least one')
        first = items[0]
        kind = type(first).__name__
        if isinstance(first, dict):
            key, value = next(iter(first.items()))
            kind = f'Dict[{type(key).__name__}, {type(value).__name__}]'
        return cls(f'loop-item-param-{code}', kind, None, list(items))

    def __getattr__(self, name: str) -> LoopArgumentVariable:
        if name.startswith('__'):
            raise AttributeError(name)
        keys: Optional[dict[str, LoopArgumentVariable]] = self.__dict__.get('_keys')
        if keys is None:
            raise AttributeError(name)
        if name not in keys:
            keys[name] = LoopArgumentVariable(self, name)
        return keys[name]

    def keys_used(self) -> list[LoopArgumentVariable]:
        return list(self._keys.values())

    def raw(self) -> str:
        return json.dumps(self.items_or_pipeline_channel, sort_keys=True)


class LoopArtifactArgument(PipelineArtifactChannel):
    """The item of a loop over a list of artifacts."""
    is_with_items_loop_argument = False

    def __init__(self, channel: PipelineArtifactChannel) -> None:
        if not channel.is_artifact_list:
            raise ValueError(f'dsl.ParallelFor goes over lists, but {channel.full_name!r} is a single artifact')
        super().__init__(f'{channel.name}-{_ITEM}', channel.channel_type, channel.task_name, False)
        self.items_or_pipeline_channel = channel


class LoopArgumentVariable(PipelineParameterChannel):
    """A key of an item that is a dictionary: `item.key`."""

    def __init__(self, loop_argument: LoopParameterArgument, subvar_name: str) -> None:
        if not subvar_name.isidentifier():
            raise ValueError(f'{subvar_name!r} cannot be a key of a loop item: it must be a name in Python')
        _, _, kind = _inside(loop_argument.channel_type).partition(',')
        self.loop_argument = loop_argument
        self.subvar_name = subvar_name
        super().__init__(f'{loop_argument.name}-subvar-{subvar_name}', kind.strip() or 'String',
                         loop_argument.task_name)

    @property
    def items_or_pipeline_channel(self) -> Any:
        return self.loop_argument.items_or_pipeline_channel

    @property
    def is_with_items_loop_argument(self) -> bool:
        return self.loop_argument.is_with_items_loop_argument


class Collected(PipelineChannel):
    """All results of a task in `dsl.ParallelFor`, as a list."""

    def __init__(self, output: PipelineChannel) -> None:
        if isinstance(output, OneOfMixin):
            raise ValueError('dsl.OneOf cannot be used inside of dsl.Collected: pass the output of a task')
        self.output = output
        self.is_artifact_channel = self.is_artifact_list = isinstance(output, PipelineArtifactChannel)
        kind = output.channel_type if self.is_artifact_channel else 'LIST'
        super().__init__(output.name, kind, output.task_name)
