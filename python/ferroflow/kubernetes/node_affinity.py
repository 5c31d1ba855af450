"""Affinity of tasks to nodes."""

from __future__ import annotations

from typing import Any, Optional, Union

from ferroflow.dsl.pipeline_channel import PipelineParameterChannel
from ferroflow.dsl.pipeline_task import PipelineTask
from ferroflow.kubernetes import common

_OPERATORS = ('DoesNotExist', 'Exists', 'Gt', 'In', 'Lt', 'NotIn')
_FIELDS = ('preferredDuringSchedulingIgnoredDuringExecution', 'requiredDuringSchedulingIgnoredDuringExecution')


def add_node_affinity(task: PipelineTask, match_expressions: Optional[list[dict[str, Any]]] = None,
                      match_fields: Optional[list[dict[str, Any]]] = None,
                      weight: Optional[int] = None) -> PipelineTask:
    """Asks for nodes by their labels and fields; with a weight, prefers them."""
    entry = common.set_fields(matchExpressions=_terms(match_expressions, 'match_expressions'),
                              matchFields=_terms(match_fields, 'match_fields'))
    if weight is not None:
        if not 1 <= weight <= 100:
            raise ValueError(f'weight must be between 1 and 100, but is {weight}')
        entry['weight'] = weight
    return common.append(task, 'nodeAffinity', entry)


def _terms(terms: Optional[list[dict[str, Any]]], argument: str) -> list[dict[str, Any]]:
    found = []
    for term in terms or []:
        if not term.get('key') or not term.get('operator'):
            raise ValueError(f'each of {argument} needs a key and an operator, but {term!r} does not have both')
        if term['operator'] not in _OPERATORS:
            raise ValueError(f'operator {term["operator"]!r} in {argument} must be one of {", ".join(_OPERATORS)}')
        found.append(common.set_fields(key=term['key'], operator=term['operator'], values=term.get('values')))
    return found


def add_node_affinity_json(task: PipelineTask,
                           node_affinity_json: Union[PipelineParameterChannel, dict[str, Any]]) -> PipelineTask:
    """Sets the affinity as Kubernetes writes it; takes the place of one that was set so before."""
    if isinstance(node_affinity_json, dict):
        for field in node_affinity_json:
            if field not in _FIELDS:
                raise ValueError(f'{field!r} is not a field of a nodeAffinity: it has {" and ".join(_FIELDS)}')
    settings = common.settings(task)
    kept = [entry for entry in settings.get('nodeAffinity', []) if 'nodeAffinityJson' not in entry]
    entry = {'nodeAffinityJson': common.value(task, node_affinity_json, 'node_affinity_json')}
    settings['nodeAffinity'] = [*kept, entry]
    return task
