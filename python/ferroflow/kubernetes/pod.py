"""Settings of the pod: where it may run, what it is called, who it runs as, for how long."""

from __future__ import annotations

from typing import Any, Optional, Union

from ferroflow.dsl.pipeline_channel import PipelineParameterChannel
from ferroflow.dsl.pipeline_task import PipelineTask
from ferroflow.kubernetes import common

_PULL_POLICIES = ('Always', 'Never', 'IfNotPresent')


def _set_inside(task: PipelineTask, field: str, inner: str, key: str, value: Any) -> PipelineTask:
    common.settings(task).setdefault(field, {}).setdefault(inner, {})[key] = value
    return task


def add_node_selector(task: PipelineTask, label_key: str, label_value: str) -> PipelineTask:
    """Asks for nodes with a label."""
    return _set_inside(task, 'nodeSelector', 'labels', label_key, label_value)


def add_node_selector_json(task: PipelineTask,
                           node_selector_json: Union[PipelineParameterChannel, dict[str, Any]]) -> PipelineTask:
    """Asks for nodes with several labels, which may be known only when the pipeline runs."""
    value = common.value(task, node_selector_json, 'node_selector_json')
    common.settings(task).setdefault('nodeSelector', {})['nodeSelectorJson'] = value
    return task


def add_pod_label(task: PipelineTask, label_key: str, label_value: str) -> PipelineTask:
    """Labels the pod."""
    return _set_inside(task, 'podMetadata', 'labels', label_key, label_value)


def add_pod_annotation(task: PipelineTask, annotation_key: str, annotation_value: str) -> PipelineTask:
    """Annotates the pod."""
    return _set_inside(task, 'podMetadata', 'annotations', annotation_key, annotation_value)


def add_toleration(task: PipelineTask, key: Optional[str] = None, operator: Optional[str] = None,
                   value: Optional[str] = None, effect: Optional[str] = None,
                   toleration_seconds: Optional[int] = None) -> PipelineTask:
    """Tolerates a taint of nodes."""
    entry = common.set_fields(key=key, operator=operator, value=value, effect=effect)
    if toleration_seconds is not None:
        entry['tolerationSeconds'] = str(toleration_seconds)
    return common.append(task, 'tolerations', entry)


def add_toleration_json(task: PipelineTask,
                        toleration_json: Union[PipelineParameterChannel, list[Any], dict[str, Any]]) -> PipelineTask:
    """Tolerates one or several taints, which may be known only when the pipeline runs."""
    if isinstance(toleration_json, PipelineParameterChannel):
        value = common.value(task, toleration_json, 'toleration_json')
        return common.append(task, 'tolerations', {'tolerationJson': value})
    if not isinstance(toleration_json, (dict, list)):
        raise ValueError(f'toleration_json must be a dict, a list or an input parameter, but is {toleration_json!r}')
    for entry in toleration_json if isinstance(toleration_json, list) else [toleration_json]:
        fields = ('key', 'operator', 'value', 'effect', 'toleration_seconds')
        add_toleration(task, **{field: entry.get(field) for field in fields})
    return task


def set_image_pull_policy(task: PipelineTask, policy: str) -> PipelineTask:
    """When the image is fetched."""
    if policy not in _PULL_POLICIES:
        raise ValueError(f'policy must be one of {", ".join(_PULL_POLICIES)}, but is {policy!r}')
    common.settings(task)['imagePullPolicy'] = policy
    return task


def set_image_pull_secrets(task: PipelineTask, secret_names: list[common.Text]) -> PipelineTask:
    """Secrets by which the image may be fetched."""
    for name in secret_names:
        common.append(task, 'imagePullSecret', common.named(task, name, 'secretName'))
    return task


def set_security_context(task: PipelineTask, run_as_user: Optional[int] = None, run_as_group: Optional[int] = None,
                         run_as_non_root: Optional[bool] = None) -> PipelineTask:
    """Who the container runs as."""
    if run_as_user is None and run_as_group is None and run_as_non_root is None:
        raise ValueError('set_security_context needs one of run_as_user, run_as_group and run_as_non_root')
    context = common.settings(task).setdefault('securityContext', {})
    for argument, field, number in (('run_as_user', 'runAsUser', run_as_user),
                                    ('run_as_group', 'runAsGroup', run_as_group)):
        if number is None:
            continue
        if isinstance(number, bool) or not isinstance(number, int):
            raise TypeError(f'{argument} must be an int, but is {number!r}')
        if number < 0:
            raise ValueError(f'{argument} must be greater than or equal to 0, but is {number}')
        context[field] = str(number)
    if run_as_non_root is not None:
        if not isinstance(run_as_non_root, bool):
            raise TypeError(f'run_as_non_root must be a bool, but is {run_as_non_root!r}')
        context['runAsNonRoot'] = run_as_non_root
    return task


def set_timeout(task: PipelineTask, seconds: int) -> PipelineTask:
    """Ends the pod after so long; 0 takes the limit away."""
    if seconds < 0:
        raise ValueError(f'seconds must be greater than or equal to 0, but is {seconds}')
    settings = common.settings(task)
    settings.pop('activeDeadlineSeconds', None)
    if seconds:
        settings['activeDeadlineSeconds'] = str(seconds)
    return task


def use_field_path_as_env(task: PipelineTask, env_name: str, field_path: str) -> PipelineTask:
    """Sets a variable to a field of the pod."""
    return common.append(task, 'fieldPathAsEnv', common.set_fields(name=env_name, fieldPath=field_path))
