"""Metrics as tables and plots."""

from __future__ import annotations

from html import escape
from typing import Any

from ferroflow.display import states

_MOST_CLASSES = 24


def metrics(tasks: list[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """Tasks that logged numbers, and those."""
    found = []
    for task in tasks:
        numbers: dict[str, Any] = {}
        for artifact in artifacts_of(task, 'system.Metrics'):
            numbers.update(
                (name, value) for name, value in artifact.get('metadata', {}).items() if name != 'display_name')
        if numbers:
            found.append((task['path'], numbers))
    return found


def artifacts_of(task: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """What a task has made of a kind."""
    made = (task.get('outputs') or {}).get('artifacts') or {}
    return [artifact for artifacts in made.values() for artifact in artifacts if artifact.get('type') == kind]


def plot(artifact: dict[str, Any]) -> str:
    """Confusion matrix and ROC curve of classification metrics, as far as they are there."""
    metadata = artifact.get('metadata', {})
    parts = []
    try:
        if metadata.get('confusionMatrix'):
            parts.append(_matrix(metadata['confusionMatrix']))
        if metadata.get('confidenceMetrics'):
            parts.append(_curve(metadata['confidenceMetrics']))
    except (AttributeError, KeyError, TypeError, ValueError):
        # Metadata is the user's: what is not in the usual form has no plot.
        return ''
    return ''.join(parts)


def _matrix(data: dict[str, Any]) -> str:
    names = [str(spec['displayName']) for spec in data['annotationSpecs']]
    rows = [[float(value) for value in row['row']] for row in data['rows']]
    if len(names) > _MOST_CLASSES:
        return ''
    most = max([value for row in rows for value in row], default=0) or 1
    head = '<th></th>' + ''.join(f'<th style="padding:2px 8px;font-weight:500">{escape(name)}</th>' for name in names)
    body = ''
    for name, row in zip(names, rows):
        body += f'<tr><th style="padding:2px 8px;font-weight:500;text-align:right">{escape(name)}</th>'
        for value in row:
            share = 0.75 * max(value, 0) / most
            body += ('<td style="padding:2px 8px;text-align:right;'
                     f'background:rgba(47,111,224,{share:.2f})">{value:g}</td>')
        body += '</tr>'
    return ('<table aria-label="confusion matrix" style="border-collapse:collapse;display:inline-table;'
            f'margin:4px 16px 4px 0"><tr>{head}</tr>{body}</table>')


def _curve(data: list[dict[str, Any]]) -> str:
    points = sorted((float(entry.get('falsePositiveRate', 0)), float(entry.get('recall', 0))) for entry in data)
    line = ' '.join(f'{10 + 100 * x:.1f},{110 - 100 * y:.1f}' for x, y in points)
    return ('<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="ROC curve" viewBox="0 0 120 126" '
            'width="180" style="margin:4px 16px 4px 0;vertical-align:top" font-family="system-ui,sans-serif" font-size="8">'
            f'<rect x="10" y="10" width="100" height="100" fill="none" stroke="{states.NEUTRAL}" stroke-width="0.6"/>'
            f'<path d="M10,110L110,10" stroke="{states.NEUTRAL}" stroke-width="0.6" stroke-dasharray="3 3"/>'
            f'<polyline points="{line}" fill="none" stroke="#2f6fe0" stroke-width="1.6"/>'
            f'<text x="60" y="121" text-anchor="middle" fill="currentColor">false positive rate</text></svg>')
