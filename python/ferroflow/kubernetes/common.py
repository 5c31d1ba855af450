"""What the settings have in common: where they are kept, and how values are written."""

from __future__ import annotations

from typing import Any, Union

from ferroflow.dsl.pipeline_channel import PipelineParameterChannel
from ferroflow.dsl.pipeline_task import PipelineTask

Text = Union[str, PipelineParameterChannel]


def settings(task: PipelineTask) -> dict[str, Any]:
    """The settings of a task, which are written as JSON of the wire."""
    found: dict[str, Any] = task.platform_config.setdefault('kubernetes', {})
    return found


def append(task: PipelineTask, field: str, entry: dict[str, Any]) -> PipelineTask:
    """Adds to a list of settings."""
    settings(task).setdefault(field, []).append(entry)
    return task


def set_fields(**fields: Any) -> dict[str, Any]:
    """Fields that say something: the wire leaves out what is empty."""
    return {name: value for name, value in fields.items() if value not in (None, '', [], {})}


def value(task: PipelineTask, given: Any, what: str) -> dict[str, Any]:
    """Where a value comes from. What a channel brings must be there before the task starts."""
    if isinstance(given, PipelineParameterChannel):
        task.register_pipeline_channels([given])
        if given.task_name is None:
            return {'componentInputParameter': given.full_name}
        if isinstance(given.task, PipelineTask):
            task.after(given.task)
        return {'taskOutputParameter': {'producerTask': given.task_name, 'outputParameterKey': given.name}}
    if isinstance(given, (str, dict)):
        return {'runtimeValue': {'constant': given}}
    raise ValueError(f'{what} must be a text, a dictionary or an output of a task, but is {given!r}')


def named(task: PipelineTask, name: Text, field: str, **fields: Any) -> dict[str, Any]:
    """An entry that names something: newer servers read the parameter, older ones the plain name."""
    entry = {f'{field}Parameter': value(task, name, field), **fields}
    if isinstance(name, str):
        entry[field] = name
    return entry
