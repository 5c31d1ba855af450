"""Pipelines and runs as HTML and as text. Whatever users wrote is escaped; nothing is loaded and nothing is run."""

from __future__ import annotations

import json
import re
from html import escape
from typing import Any, Optional

from ferroflow.display import graph, plots, states, svg
from ferroflow.display.progress import LEAVES, Progress

_MOST_ROWS = 100
_MOST_WORDS = 120
_CELL = 'padding:3px 12px 3px 0;text-align:left;vertical-align:top;border:0'
_FRAME = 'font:13px/1.5 system-ui,sans-serif;max-width:100%;text-align:left'
_LOG = ('margin:4px 0;padding:6px 10px;max-height:18em;overflow:auto;white-space:pre-wrap;font-size:12px;'
        'border-left:3px solid #d23a43')


def of_pipeline(spec: dict[str, Any], name: str, description: Optional[str]) -> str:
    """A pipeline that has not run: its graph, inputs and outputs."""
    parts = [f'<b>{escape(name)}</b>']
    if description:
        parts.append(f'<div style="white-space:pre-wrap;opacity:.8">{escape(description)}</div>')
    found = graph.read(spec)
    if found is not None:
        parts.append(_picture(svg.draw(found, None, name)))
    root = spec.get('root', {})
    for titles, key in ((['input', 'type', 'default'], 'inputDefinitions'), (['output', 'type'], 'outputDefinitions')):
        rows = [row[:len(titles)] for row in _interface(root.get(key, {}))]
        if rows:
            parts.append(_table(titles, rows))
    return _frame(parts)


def text_of_pipeline(spec: dict[str, Any], name: str, description: Optional[str]) -> str:
    """The same in lines."""
    lines = [f'{name}: {description}' if description else name]
    found = graph.read(spec)
    for node in found.walk() if found else []:
        lines.append('  ' * (node.path.count('/') + 1) + node.label)
    return '\n'.join(lines)


def of_run(results: dict[str, Any], spec: Optional[dict[str, Any]] = None, link: Optional[str] = None,
           logs: Optional[dict[str, str]] = None, previews: Optional[list[str]] = None, brief: bool = False) -> str:
    """A run: how far it is, and its graph. Unless `brief`, also tasks, metrics, `logs` by path of task, and previews."""
    progress = Progress(results.get('tasks') or [])
    parts = [_head(results, progress, link), _bar(progress)]
    if results.get('error'):
        parts.append(f'<pre style="{_LOG}">{escape(_message(results["error"]))}</pre>')
    found = graph.read(spec) if spec else None
    if found is not None:
        parts.append(_picture(svg.draw(found, progress, str(results.get('display_name') or ''))))
    if not brief:
        parts += _details(results, progress, logs or {}) + (previews or [])
    return _frame(parts)


def text_of_run(results: dict[str, Any], link: Optional[str] = None) -> str:
    """The same in lines."""
    progress = Progress(results.get('tasks') or [])
    lines = [_summary(results, progress) + (f'  {link}' if link else '')]
    if results.get('error'):
        lines.append(f'  {_message(results["error"])}')
    for task in progress.leaves[:_MOST_ROWS]:
        words = [states.sign(task['state']), task['path'], states.word(task['state']),
                 states.duration(task.get('seconds'))]
        line = '  ' + ' '.join(word for word in words if word)
        lines.append(line + (f': {_message(task["error"])}' if task.get('error') else ''))
    if len(progress.leaves) > _MOST_ROWS:
        lines.append(f'  and {len(progress.leaves) - _MOST_ROWS} more')
    for path, numbers in plots.metrics(progress.tasks)[:_MOST_ROWS]:
        lines.append(f'  {path}: ' + ', '.join(f'{name} = {_value(value)}' for name, value in numbers.items()))
    for name, value in ((results.get('outputs') or {}).get('parameters') or {}).items():
        lines.append(f'  {name} = {_value(value)}')
    return '\n'.join(lines)


def _frame(parts: list[str]) -> str:
    return f'<div class="ferroflow" style="{_FRAME}">{"".join(parts)}</div>'


def _picture(drawn: str) -> str:
    return f'<div style="overflow:auto;max-width:100%;margin:8px 0">{drawn}</div>'


def _summary(results: dict[str, Any], progress: Progress) -> str:
    took = states.duration(results.get('seconds'))
    count = f', {progress.done} of {_tasks(len(progress.leaves))}' if progress.leaves else ''
    return (f'{states.sign(results["state"])} {results.get("display_name") or results.get("run_id") or "run"}: '
            f'{states.word(results["state"])}{" in " + took if took else ""}{count}')


def _head(results: dict[str, Any], progress: Progress, link: Optional[str]) -> str:
    name = str(results.get('display_name') or results.get('run_id') or 'run')
    state, color = results['state'], states.color(results['state'])
    shown = escape(name)
    if link and link.startswith(('http://', 'https://')):
        shown = f'<a href="{escape(link)}" target="_blank" rel="noopener">{shown}</a>'
    words = [states.duration(results.get('seconds'))]
    if progress.leaves:
        words.append(f'{progress.done} of {_tasks(len(progress.leaves))}')
    return (f'<b>{shown}</b> <span style="color:{color};font-weight:600">{states.sign(state)} '
            f'{escape(states.word(state))}</span> <span style="opacity:.75">'
            f'{" · ".join(word for word in words if word)}</span>')


def _bar(progress: Progress) -> str:
    total = len(progress.leaves)
    if not total:
        return ''
    parts = ''
    for state in states.ORDER:
        count = sum(task['state'] == state for task in progress.leaves)
        if count:
            parts += (f'<div title="{count} {states.word(state)}" style="width:{100 * count / total:.2f}%;'
                      f'background:{states.color(state)};opacity:{0.25 if state == "PENDING" else 1}"></div>')
    return (f'<div role="progressbar" aria-valuenow="{progress.done}" aria-valuemin="0" aria-valuemax="{total}" '
            'style="display:flex;height:5px;max-width:480px;margin:4px 0;border-radius:3px;overflow:hidden">'
            f'{parts}</div>')


def _details(results: dict[str, Any], progress: Progress, logs: dict[str, str]) -> list[str]:
    parts = []
    shown = [task for task in progress.tasks if task.get('kind') in LEAVES or task.get('error')]
    rows = [_task(task, logs.get(task['path'])) for task in shown[:_MOST_ROWS]]
    if rows:
        title = _tasks(len(shown)) if len(shown) <= _MOST_ROWS else f'the first {_MOST_ROWS} of {len(shown)} tasks'
        # Open where there is something to look into.
        is_open = ' open' if len(shown) <= 12 or results['state'] == 'FAILED' else ''
        parts.append(f'<details{is_open}><summary>{title}</summary>{_table(["task", "state", "time", "made"], rows)}'
                     '</details>')
    parts += _metrics(progress)
    outputs = results.get('outputs') or {}
    rows = [[escape(name), _code(value)] for name, value in (outputs.get('parameters') or {}).items()]
    for name, artifacts in (outputs.get('artifacts') or {}).items():
        rows += [[escape(name), _artifact(artifact)] for artifact in artifacts]
    if rows:
        parts.append(_table(['output', ''], rows[:_MOST_ROWS]))
    return parts


def _task(task: dict[str, Any], log: Optional[str]) -> list[str]:
    state = task['state']
    made = task.get('outputs') or {}
    words = [f'{escape(name)} = {_code(value)}' for name, value in (made.get('parameters') or {}).items()]
    for name, artifacts in (made.get('artifacts') or {}).items():
        words += [f'{escape(name)}: {_artifact(artifact)}' for artifact in artifacts[:3]]
    if task.get('error'):
        words.insert(0, f'<span style="color:{states.color("FAILED" if state == "FAILED" else None)}">'
                     f'{escape(_message(task["error"]))}</span>')
    if log:
        shown = f'<pre style="{_LOG};border-left-color:{states.color(state)}">{escape(_plain(log))}</pre>'
        words.append(shown if state == 'FAILED' else f'<details><summary>log</summary>{shown}</details>')
    return [
        escape(task['path']), f'<span style="color:{states.color(state)}">{states.sign(state)}&nbsp;'
        f'{escape(states.word(state))}</span>',
        states.duration(task.get('seconds')), '<br>'.join(words)
    ]


def _metrics(progress: Progress) -> list[str]:
    parts = []
    found = plots.metrics(progress.tasks)[:_MOST_ROWS]
    if found:
        names = list(dict.fromkeys(name for _, numbers in found for name in numbers))
        rows = [[escape(path), *(_code(numbers[name]) if name in numbers else '' for name in names)]
                for path, numbers in found]
        parts.append(_table(['metrics', *names], rows))
    for task in progress.tasks[:_MOST_ROWS]:
        drawn = ''.join(map(plots.plot, plots.artifacts_of(task, 'system.ClassificationMetrics')))
        if drawn:
            parts.append(f'<details><summary>{escape(task["path"])}: classification</summary>{drawn}</details>')
    return parts


def _table(titles: list[str], rows: list[list[str]]) -> str:
    """A table of cells that are HTML already."""
    head = ''.join(f'<th style="{_CELL};font-weight:500;opacity:.7">{escape(title)}</th>' for title in titles)
    body = ''.join('<tr>' + ''.join(f'<td style="{_CELL}">{cell}</td>' for cell in row) + '</tr>' for row in rows)
    return (f'<table style="border-collapse:collapse;margin:6px 0;font-size:inherit"><thead><tr>{head}</tr></thead>'
            f'<tbody>{body}</tbody></table>')


def _interface(definitions: dict[str, Any]) -> list[list[str]]:
    rows = []
    for name, one in sorted(definitions.get('parameters', {}).items()):
        default = _code(one['defaultValue']) if 'defaultValue' in one else 'none' if one.get('isOptional') else ''
        rows.append([escape(name), escape(str(one.get('parameterType', '')).lower().replace('_', ' ')), default])
    for name, one in sorted(definitions.get('artifacts', {}).items()):
        kind = one.get('artifactType', {}).get('schemaTitle', '')
        rows.append([escape(name), escape(f'list of {kind}' if one.get('isArtifactList') else kind), ''])
    return rows


def _artifact(artifact: dict[str, Any]) -> str:
    kind = str(artifact.get('type') or 'artifact').rpartition('.')[2]
    uri = str(artifact.get('uri') or '')
    return f'{escape(kind)} <span title="{escape(uri)}" style="opacity:.7">{escape(_short(uri, from_end=True))}</span>'


def _code(value: Any) -> str:
    return f'<code>{escape(_value(value))}</code>'


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f'{value:.6g}'
    return _short(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str))


def _short(text: str, from_end: bool = False) -> str:
    if len(text) <= _MOST_WORDS:
        return text
    return '…' + text[1 - _MOST_WORDS // 2:] if from_end else text[:_MOST_WORDS - 1] + '…'


def _tasks(count: int) -> str:
    return '1 task' if count == 1 else f'{count} tasks'


def _message(error: Any) -> str:
    return _plain(str(error.get('message') or error) if isinstance(error, dict) else str(error))


def _plain(text: str) -> str:
    """Without the colours of terminals."""
    return re.sub('\x1b\\[[0-9;]*[A-Za-z]', '', text)
