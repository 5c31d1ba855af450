"""A graph as SVG."""

from __future__ import annotations

from html import escape
from typing import Optional

from ferroflow.display import states
from ferroflow.display.graph import Graph, Node
from ferroflow.display.progress import Progress

_MARGIN = 8.0
_LETTER = 6.6
_SIGNS = {'loop': '⟳ ', 'condition': '◇ '}


def draw(graph: Graph, progress: Optional[Progress], name: str) -> str:
    """The picture; with the states of a run if there is one."""
    width, height = graph.width + 2 * _MARGIN, graph.height + 2 * _MARGIN
    label = escape(f'Graph of {name}: {sum(node.inner is None for node in graph.walk())} tasks')
    # Narrower places shrink it, but never below what can be read: then it is scrolled.
    return (f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{label}" '
            f'viewBox="0 0 {width:.0f} {height:.0f}" style="display:block;width:{width:.0f}px;height:auto;'
            f'min-width:{min(width, max(width * 0.6, 480)):.0f}px;max-width:100%" '
            'font-family="system-ui,sans-serif" font-size="12">'
            f'{_level(graph, _MARGIN, _MARGIN, progress)}</svg>')


def _level(graph: Graph, x: float, y: float, progress: Optional[Progress]) -> str:
    lines = [_line([(x + px, y + py) for px, py in points]) for points in graph.edges]
    return ''.join(lines) + ''.join(_node(node, x + node.x, y + node.y, progress) for node in graph.nodes)


def _line(points: list[tuple[float, float]]) -> str:
    path = 'M{:.1f},{:.1f}'.format(*points[0])
    for (x, y), (to_x, to_y) in zip(points, points[1:]):
        middle = (x + to_x) / 2
        path += f'C{middle:.1f},{y:.1f} {middle:.1f},{to_y:.1f} {to_x:.1f},{to_y:.1f}'
    x, y = points[-1]
    head = f'M{x - 6:.1f},{y - 4:.1f}L{x:.1f},{y:.1f}L{x - 6:.1f},{y + 4:.1f}'
    return f'<path d="{path}{head}" fill="none" stroke="{states.NEUTRAL}" stroke-width="1.3"/>'


def _node(node: Node, x: float, y: float, progress: Optional[Progress]) -> str:
    state, ended, total = progress.at(node.path) if progress else (None, 0, 0)
    color = states.color(state)
    title, label = f'{node.path}: {states.word(state)}' if state else node.path, _SIGNS.get(node.kind, '') + node.label
    if state:
        label = f'{states.sign(state)} {label}'
    count = f'{ended}/{total}' if total > 1 else ''
    room = int((node.width - 20) / _LETTER) - len(count)
    shown = label if len(label) <= room else label[:room - 1] + '…'
    base = y + (17 if node.inner else node.height / 2 + 4)
    dashes = ' stroke-dasharray="4 3"' if state in ('SKIPPED', 'PENDING') else ''
    parts = [
        f'<g data-place="{escape(node.path)}" data-state="{escape(state or "")}"><title>{escape(title)}</title>',
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{node.width:.1f}" height="{node.height:.1f}" rx="7" fill="{color}" '
        f'fill-opacity="{0.05 if node.inner else 0.14}" stroke="{color}"{dashes}/>',
        f'<text x="{x + 10:.1f}" y="{base:.1f}" fill="currentColor">{escape(shown)}</text>',
    ]
    if count:
        parts.append(f'<text x="{x + node.width - 10:.1f}" y="{base:.1f}" text-anchor="end" fill="{color}">{count}'
                     '</text>')
    if node.inner is not None:
        parts.append(_level(node.inner, x + (node.width - node.inner.width) / 2, y + 26, progress))
    return ''.join(parts) + '</g>'
