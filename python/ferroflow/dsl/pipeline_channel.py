"""Channels: values that will be there when a pipeline runs, and comparisons of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional, Union

from ferroflow import _native

if TYPE_CHECKING:
    from ferroflow.dsl.pipeline_context import Pipeline
    from ferroflow.dsl.pipeline_task import PipelineTask
    from ferroflow.dsl.tasks_group import ConditionBranches, TasksGroup


class ConditionOperation:
    """A comparison; `dsl.If` takes one."""
    __slots__ = ('operator', 'left_operand', 'right_operand', 'negate')

    def __init__(self, operator: str, left_operand: Any, right_operand: Any, negate: bool = False) -> None:
        self.operator = operator
        self.left_operand = left_operand
        self.right_operand = right_operand
        self.negate = negate

    def negated(self) -> ConditionOperation:
        return ConditionOperation(self.operator, self.left_operand, self.right_operand, True)


class PipelineChannel:
    """A value that a task makes, or that a pipeline is given."""
    is_artifact_list = False

    def __init__(self, name: str, channel_type: str, task_name: Optional[str] = None) -> None:
        from ferroflow.dsl.pipeline_context import Pipeline
        if not _is_name(name):
            raise ValueError(f'{name!r} cannot be the name of an input or output: it must begin with a letter, and '
                             'hold only letters, digits, spaces, "_" and "-"')
        self.name = name
        self.channel_type = channel_type
        self.task_name = task_name or None
        self.pipeline: Optional[Pipeline] = Pipeline.get_default_pipeline()

    @property
    def task(self) -> Union[PipelineTask, TasksGroup, None]:
        """The task or group that makes it; None for inputs of the pipeline."""
        if self.task_name is None or self.pipeline is None:
            return None
        return self.pipeline.find(self.task_name)

    @property
    def full_name(self) -> str:
        return f'{self.task_name}-{self.name}' if self.task_name else self.name

    @property
    def pattern(self) -> str:
        """How it stands in text, until the compiler makes an input of it."""
        return f'{{{{channel:task={self.task_name or ""};name={self.name};type={self.channel_type or ""};}}}}'

    def __str__(self) -> str:
        return self.pattern

    def __repr__(self) -> str:
        return str(self)

    def __hash__(self) -> int:
        return hash(self.pattern)

    def __eq__(self, other: Any) -> ConditionOperation:  # type: ignore[override]
        return ConditionOperation('==', self, other)

    def __ne__(self, other: Any) -> ConditionOperation:  # type: ignore[override]
        return ConditionOperation('!=', self, other)

    def __lt__(self, other: Any) -> ConditionOperation:
        return ConditionOperation('<', self, other)

    def __le__(self, other: Any) -> ConditionOperation:
        return ConditionOperation('<=', self, other)

    def __gt__(self, other: Any) -> ConditionOperation:
        return ConditionOperation('>', self, other)

    def __ge__(self, other: Any) -> ConditionOperation:
        return ConditionOperation('>=', self, other)


def _is_name(name: str) -> bool:
    return name[:1].isascii() and name[:1].isalpha() and name.isascii() and all(
        sign.isalnum() or sign in '_-' or sign.isspace() for sign in name)


class PipelineParameterChannel(PipelineChannel):
    """A parameter."""

    def __init__(self, name: str, channel_type: str, task_name: Optional[str] = None, value: Any = None) -> None:
        if _native.parameter_type(channel_type) is None:
            raise TypeError(f'{channel_type} is not a type of parameters')
        self.value = value
        super().__init__(name, channel_type, task_name)


class PipelineArtifactChannel(PipelineChannel):
    """An artifact, or a list of artifacts."""

    def __init__(self, name: str, channel_type: str, task_name: Optional[str], is_artifact_list: bool) -> None:
        if _native.parameter_type(channel_type) is not None:
            raise TypeError(f'{channel_type} is not a type of artifacts')
        self.is_artifact_list = is_artifact_list
        super().__init__(name, channel_type, task_name)


class OneOfMixin(PipelineChannel):
    """What `OneOf` gives, for parameters and artifacts alike."""
    channels: list[PipelineChannel]
    condition_branches_group: ConditionBranches

    def _join(self, channels: list[PipelineChannel]) -> str:
        from ferroflow.dsl.for_loop import Collected
        from ferroflow.dsl.tasks_group import ConditionBranches, Else
        first = channels[0]
        kind = PipelineParameterChannel if isinstance(first, PipelineParameterChannel) else PipelineArtifactChannel
        for channel in channels:
            if isinstance(channel, Collected):
                raise ValueError('dsl.Collected cannot be used inside of dsl.OneOf: pass outputs of tasks')
            if isinstance(channel, OneOfMixin):
                raise ValueError('dsl.OneOf cannot be used inside of another dsl.OneOf: pass outputs of tasks')
            if not isinstance(channel, kind):
                raise TypeError('dsl.OneOf needs outputs of one type, but got both parameters and artifacts')
        of_list = first.is_artifact_list
        for place, channel in enumerate(channels):
            if channel.channel_type != first.channel_type or channel.is_artifact_list != of_list:
                raise TypeError(f'dsl.OneOf needs outputs of one type, but the first is {first.channel_type} and '
                                f'number {place + 1} is {channel.channel_type}')
        branch = getattr(first.task, 'parent_task_group', None)
        branches = getattr(branch, 'parent_task_group', None)
        if not isinstance(branches, ConditionBranches) or not isinstance(branches.groups[-1], Else):
            raise ValueError('dsl.OneOf needs an output from a dsl.Else, so that there is always one: add a dsl.Else '
                             'after the last dsl.If or dsl.Elif, and pass an output of a task in each')
        self.channels = channels
        self.condition_branches_group = branches
        return f'pipelinechannel--{branches.name}-oneof-{branches.get_oneof_id()}'

    def __str__(self) -> str:
        raise NotImplementedError('dsl.OneOf cannot stand in an f-string: pass it to a component as it is')


class OneOfParameter(OneOfMixin, PipelineParameterChannel):

    def __init__(self, channels: list[PipelineChannel]) -> None:
        name = self._join(channels)
        PipelineParameterChannel.__init__(self, name, channels[0].channel_type, self.condition_branches_group.name)


class OneOfArtifact(OneOfMixin, PipelineArtifactChannel):

    def __init__(self, channels: list[PipelineChannel]) -> None:
        name = self._join(channels)
        PipelineArtifactChannel.__init__(self, name, channels[0].channel_type, self.condition_branches_group.name,
                                         channels[0].is_artifact_list)


class OneOf:
    """Joins outputs of the branches of one decision: whichever branch runs gives the value."""

    def __new__(cls, *channels: PipelineChannel) -> Union[OneOfParameter, OneOfArtifact]:  # type: ignore[misc]
        if channels and isinstance(channels[0], PipelineParameterChannel):
            return OneOfParameter(list(channels))
        if channels and isinstance(channels[0], PipelineArtifactChannel):
            return OneOfArtifact(list(channels))
        raise ValueError('dsl.OneOf takes outputs of tasks')


def create_pipeline_channel(name: str, channel_type: str, task_name: Optional[str] = None, value: Any = None,
                            is_artifact_list: bool = False) -> PipelineChannel:
    """A channel of the kind that the type says."""
    if _native.parameter_type(channel_type) is not None:
        return PipelineParameterChannel(name, channel_type, task_name, value)
    return PipelineArtifactChannel(name, channel_type, task_name, is_artifact_list)


def extract_pipeline_channels_from_any(payload: Any) -> list[PipelineChannel]:
    """Channels in a value, however deep, and those whose marks stand in text; each once."""
    found: dict[str, PipelineChannel] = {}
    _extract(payload, found)
    return list(found.values())


def _extract(payload: Any, found: dict[str, PipelineChannel]) -> None:
    if isinstance(payload, PipelineChannel):
        found.setdefault(payload.pattern, payload)
    elif isinstance(payload, str):
        if '{{channel:' in payload:
            for task_name, name, kind in _native.find_marks(payload):
                channel = create_pipeline_channel(name, kind, task_name)
                found.setdefault(channel.pattern, channel)
    elif isinstance(payload, (list, tuple)):
        for item in payload:
            _extract(item, found)
    elif isinstance(payload, dict):
        for key, value in payload.items():
            _extract(key, found)
            _extract(value, found)
