"""Loops, conditions and exit handlers: groups of tasks that a `with` statement makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional, Union

from ferroflow.dsl.for_loop import LoopArtifactArgument, LoopParameterArgument
from ferroflow.dsl.pipeline_channel import (ConditionOperation, PipelineArtifactChannel, PipelineChannel,
                                            PipelineParameterChannel)
from ferroflow.dsl.pipeline_context import Pipeline, current_pipeline

if TYPE_CHECKING:
    from ferroflow.dsl.pipeline_task import PipelineTask


class InvalidControlFlowException(Exception):
    """`Elif` or `Else` without an `If` before it."""


class TasksGroup:
    """Tasks and groups; its name is made when the `with` statement is entered."""
    kind = 'pipeline'

    def __init__(self, name: Optional[str] = None) -> None:
        self.name = ''
        self.display_name = name
        self.tasks: list[PipelineTask] = []
        self.groups: list[TasksGroup] = []
        self.parent_task_group: Optional[TasksGroup] = None

    def __enter__(self) -> Any:
        pipeline = current_pipeline('a group of tasks')
        self._name(pipeline)
        pipeline.push_tasks_group(self)
        return self

    def __exit__(self, *unused: object) -> None:
        current_pipeline('a group of tasks').pop_tasks_group()

    def _name(self, pipeline: Pipeline) -> None:
        self.name = f'{self.kind}-{pipeline.get_next_group_id()}'


class ExitHandler(TasksGroup):
    """Runs `exit_task` when everything in the group has ended, however it ended."""
    kind = 'exit-handler'

    def __init__(self, exit_task: PipelineTask, name: Optional[str] = None) -> None:
        super().__init__(name)
        makers = [value.task_name for value in exit_task.inputs.values() if isinstance(value, PipelineChannel)]
        if exit_task.dependent_tasks or any(makers):
            raise ValueError(f'exit task {exit_task.name!r} may depend on no other task, because it runs even if '
                             'they fail: pass constants or inputs of the pipeline, and call no after() on it')
        self.exit_task = exit_task
        exit_task.is_exit_handler = True
        if exit_task.parent_task_group is not None:
            exit_task.parent_task_group.tasks.remove(exit_task)
            exit_task.parent_task_group = None


class ConditionBranches(TasksGroup):
    """The branches of one decision."""
    kind = 'condition-branches'
    _joined = 0

    def get_oneof_id(self) -> int:
        self._joined += 1
        return self._joined


class _ConditionBase(TasksGroup):
    kind = 'condition'

    def __init__(self, conditions: list[ConditionOperation], name: Optional[str]) -> None:
        super().__init__(name)
        self.conditions = conditions

    def _negated(self) -> list[ConditionOperation]:
        """What holds if neither this branch nor one before it was taken."""
        return [*self.conditions[:-1], self.conditions[-1].negated()]


def _checked(condition: Any) -> ConditionOperation:
    if isinstance(condition, ConditionOperation):
        return condition
    hint = 'compare an output of a task or an input of the pipeline with something, as in dsl.If(task.output == 1)'
    if isinstance(condition, PipelineChannel):
        raise ValueError(f'a condition must be a comparison, but got {condition.full_name!r} itself: {hint}')
    raise ValueError(f'a condition must be a comparison, but got {condition!r}, which is known already: {hint}; and, '
                     'or, not and in cannot be used, because Python decides them at once')


class If(_ConditionBase):
    """Runs what is in it if the comparison holds."""

    def __init__(self, condition: Any, name: Optional[str] = None) -> None:
        super().__init__([_checked(condition)], name)


class Condition(If):
    """The old name of `If`."""

    def __enter__(self) -> Any:
        import warnings
        warnings.warn('dsl.Condition is deprecated: write dsl.If', DeprecationWarning, stacklevel=2)
        return super().__enter__()


def _branch_before(name: str) -> _ConditionBase:
    groups = current_pipeline(f'dsl.{name}').groups[-1].groups
    last = groups[-1] if groups else None
    if isinstance(last, ConditionBranches) and not isinstance(last.groups[-1], Else):
        last = last.groups[-1]
    if not isinstance(last, (If, Elif)):
        raise InvalidControlFlowException(f'dsl.{name} needs a dsl.If or dsl.Elif directly before it, at the same '
                                          'level')
    return last


class _FurtherBranch(_ConditionBase):

    def __enter__(self) -> Any:
        pipeline = current_pipeline('a branch')
        last = pipeline.groups[-1].groups[-1]
        if not isinstance(last, ConditionBranches):
            # The wrapper comes round the first branch and takes its number.
            branches = ConditionBranches()
            branches.name = 'condition-branches-' + last.name.rpartition('-')[2]
            last.name = f'condition-{pipeline.get_next_group_id()}'
            pipeline.groups[-1].groups[-1] = branches
            branches.parent_task_group = last.parent_task_group
            last.parent_task_group = branches
            branches.groups.append(last)
            last = branches
        pipeline.groups.append(last)
        self._name(pipeline)
        pipeline.push_tasks_group(self)
        return self

    def __exit__(self, *unused: object) -> None:
        pipeline = current_pipeline('a branch')
        pipeline.pop_tasks_group()
        pipeline.pop_tasks_group()


class Elif(_FurtherBranch):
    """Runs what is in it if no branch before was taken and the comparison holds."""

    def __init__(self, condition: Any, name: Optional[str] = None) -> None:
        before = _branch_before('Elif')
        super().__init__([*before._negated(), _checked(condition)], name)


class Else(_FurtherBranch):
    """Runs what is in it if no branch before was taken."""

    def __init__(self, name: Optional[str] = None) -> None:
        super().__init__(_branch_before('Else')._negated(), name)


class ParallelFor(TasksGroup):
    """Runs what is in it once for each item."""
    kind = 'for-loop'

    def __init__(self, items: Any, name: Optional[str] = None, parallelism: Optional[int] = None) -> None:
        super().__init__(name)
        self.parallelism_limit = parallelism or 0
        if self.parallelism_limit < 0:
            raise ValueError(f'parallelism of dsl.ParallelFor must be >= 0, but is {parallelism}')
        self.loop_argument: Union[LoopParameterArgument, LoopArtifactArgument]
        if isinstance(items, PipelineParameterChannel):
            self.loop_argument = LoopParameterArgument.of_channel(items)
        elif isinstance(items, PipelineArtifactChannel):
            self.loop_argument = LoopArtifactArgument(items)
        elif isinstance(items, (list, tuple)):
            code = current_pipeline('dsl.ParallelFor').get_next_group_id()
            self.loop_argument = LoopParameterArgument.of_constants(list(items), code)
        else:
            raise TypeError(f'dsl.ParallelFor goes over a list or a channel that brings one, but got {items!r}')

    def __enter__(self) -> Any:
        super().__enter__()
        return self.loop_argument
