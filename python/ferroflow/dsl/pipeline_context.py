"""The pipeline whose body is running."""

from __future__ import annotations

import os
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Optional, Union

from ferroflow import _native

if TYPE_CHECKING:
    from ferroflow.dsl.pipeline_task import PipelineTask
    from ferroflow.dsl.tasks_group import TasksGroup

# Of each thread and each asyncio task its own, so that pipelines may be traced side by side.
_current: ContextVar[Optional[Pipeline]] = ContextVar('pipeline', default=None)


def current_pipeline(what: str) -> Pipeline:
    """The pipeline whose body is running."""
    pipeline = _current.get()
    if pipeline is None:
        raise ValueError(f'{what} can be used only in the body of a function with @dsl.pipeline')
    return pipeline


class Pipeline:
    """What was seen of a pipeline's body."""

    def __init__(self, name: str) -> None:
        from ferroflow.dsl.tasks_group import TasksGroup
        self.name = name
        self.tasks: dict[str, PipelineTask] = {}
        root = TasksGroup()
        # No task can have this name.
        root.name = ' root'
        self.groups: list[TasksGroup] = [root]
        self._names = _native.Names()
        self._group_id = 0
        self._all_groups: dict[str, TasksGroup] = {}
        self._token: Optional[Token[Optional[Pipeline]]] = None

    @staticmethod
    def get_default_pipeline() -> Optional[Pipeline]:
        return _current.get()

    @staticmethod
    def get_execution_caching_default() -> bool:
        text = os.environ.get('KFP_DISABLE_EXECUTION_CACHING_BY_DEFAULT', '')
        return text.strip().lower() not in ('1', 'true', 't', 'yes', 'y', 'on')

    def __enter__(self) -> Pipeline:
        self._token = _current.set(self)
        return self

    def __exit__(self, *unused: object) -> None:
        if self._token is not None:
            _current.reset(self._token)

    def add_task(self, task: PipelineTask) -> str:
        name = self._names.claim(task.component_spec.name)
        self.tasks[name] = task
        task.parent_task_group = self.groups[-1]
        self.groups[-1].tasks.append(task)
        return name

    def push_tasks_group(self, group: TasksGroup) -> None:
        group.parent_task_group = self.groups[-1]
        self.groups[-1].groups.append(group)
        self.groups.append(group)

    def pop_tasks_group(self) -> None:
        del self.groups[-1]

    def get_next_group_id(self) -> int:
        self._group_id += 1
        return self._group_id

    def find(self, name: str) -> Union[PipelineTask, TasksGroup]:
        """The task or group of that name."""
        if name in self.tasks:
            return self.tasks[name]
        open_groups = [self.groups[0]]
        while open_groups:
            group = open_groups.pop()
            if group.name == name:
                return group
            open_groups.extend(group.groups)
        raise ValueError(f'{name!r} is not a task or group of pipeline {self.name!r}')
