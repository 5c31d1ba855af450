"""The graph of a pipeline, out of its file, with a place for everything.

Graphs lie from left to right in layers, groups around what is in them.
"""

from __future__ import annotations

from typing import Any, Iterator, Optional

WIDTH, HEIGHT = 172.0, 40.0
_ACROSS, _BETWEEN = 46.0, 14.0
_EDGE, _TITLE = 12.0, 26.0
# What is beyond this is drawn with its groups closed, and beyond that not at all.
_MOST_TASKS = 150


class Node:
    """A task, or a group with tasks in it."""

    def __init__(self, path: str, label: str, kind: str, inner: Optional[Graph] = None) -> None:
        self.path = path
        self.label = label
        self.kind = kind
        self.inner = inner
        self.x = self.y = 0.0
        self.width = WIDTH
        self.height = HEIGHT
        if inner is not None:
            self.width = max(WIDTH, inner.width + 2 * _EDGE)
            self.height = _TITLE + inner.height + _EDGE


class Graph:
    """Tasks of one level; `edges` are the points that their lines go through."""

    def __init__(self, nodes: list[Node], pairs: list[tuple[Node, Node]]) -> None:
        self.nodes = nodes
        self.edges: list[list[tuple[float, float]]] = []
        self.width = self.height = 0.0
        if nodes:
            self._place(pairs)

    def walk(self) -> Iterator[Node]:
        """All tasks and groups, outer ones first."""
        for node in self.nodes:
            yield node
            if node.inner is not None:
                yield from node.inner.walk()

    def _place(self, pairs: list[tuple[Node, Node]]) -> None:
        layers, ways = _layers(self.nodes, pairs)
        self.height = max(sum(node.height for node in layer) + _BETWEEN * (len(layer) - 1) for layer in layers)
        x, ends = 0.0, {}
        for layer in layers:
            width = max(node.width for node in layer)
            y = (self.height - sum(node.height for node in layer) - _BETWEEN * (len(layer) - 1)) / 2
            for node in layer:
                node.x, node.y, ends[node] = x, y, x + width
                y += node.height + _BETWEEN
            x += width + _ACROSS
        self.width = x - _ACROSS
        for way in ways:
            # Lines bend only between layers, where nothing is in their way.
            points = [(way[0].x + way[0].width, way[0].y + way[0].height / 2)]
            for node, after in zip(way, way[1:]):
                points += [(ends[node], node.y + node.height / 2), (after.x, after.y + after.height / 2)]
            self.edges.append(points)


class _Bend(Node):
    """Where a line passes through a layer between its ends."""

    def __init__(self) -> None:
        super().__init__('', '', 'bend')
        self.width, self.height = 0.0, 6.0


def _layers(nodes: list[Node], pairs: list[tuple[Node, Node]]) -> tuple[list[list[Node]], list[list[Node]]]:
    """The tasks by layer, each in the order of what leads to it, and each edge as the nodes that it passes."""
    depth = _depths(nodes, pairs)
    layers: list[list[Node]] = [[] for _ in range(max(depth.values()) + 1)]
    for node in nodes:
        layers[depth[node]].append(node)
    ways: list[list[Node]] = []
    before: dict[Node, list[Node]] = {}
    for source, target in pairs:
        way = [source]
        for layer in layers[depth[source] + 1:depth[target]]:
            way.append(_Bend())
            layer.append(way[-1])
        way.append(target)
        ways.append(way)
        for left, right in zip(way, way[1:]):
            before.setdefault(right, []).append(left)
    for place, layer in enumerate(layers[1:], 1):
        ranks = {node: rank for rank, node in enumerate(layers[place - 1])}
        weights = {
            node: sum(found) / len(found) if (found := [ranks[other] for other in before.get(node, [])]) else 0.0
            for node in layer
        }
        layer.sort(key=weights.__getitem__)
    return layers, ways


def _depths(nodes: list[Node], pairs: list[tuple[Node, Node]]) -> dict[Node, int]:
    depth = dict.fromkeys(nodes, 0)
    waiting = dict.fromkeys(nodes, 0)
    after: dict[Node, list[Node]] = {node: [] for node in nodes}
    for source, target in pairs:
        waiting[target] += 1
        after[source].append(target)
    ready = [node for node in nodes if not waiting[node]]
    for node in ready:
        for target in after[node]:
            depth[target] = max(depth[target], depth[node] + 1)
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    return depth


def read(spec: dict[str, Any]) -> Optional[Graph]:
    """The graph of a pipeline; None if there is none to draw, or too much."""
    spec = spec.get('pipeline_spec', spec)
    for with_groups in (True, False):
        graph = _Reader(spec, with_groups).graph(spec.get('root', {}), '', ())
        if graph is not None:
            return graph if graph.nodes else None
    return None


class _Reader:

    def __init__(self, spec: dict[str, Any], with_groups: bool) -> None:
        self._components = spec.get('components', {})
        self._with_groups = with_groups
        self._left = _MOST_TASKS

    def graph(self, component: dict[str, Any], prefix: str, above: tuple[str, ...]) -> Optional[Graph]:
        tasks = component.get('dag', {}).get('tasks', {})
        self._left -= len(tasks)
        if self._left < 0:
            return None
        nodes = {}
        for name, task in tasks.items():
            reference = task.get('componentRef', {}).get('name', '')
            inner = self._components.get(reference, {})
            path = prefix + name
            drawn = None
            if 'dag' in inner and self._with_groups and reference not in above:
                drawn = self.graph(inner, path + '/', (*above, reference))
                if drawn is None:
                    return None
            label = task.get('taskInfo', {}).get('name') or name
            nodes[name] = Node(path, label, _kind(task, inner), drawn)
        pairs = [(nodes[source], nodes[name])
                 for name, task in tasks.items()
                 for source in sorted(_sources(task))
                 if source in nodes and source != name]
        return Graph(list(nodes.values()), pairs)


def _kind(task: dict[str, Any], component: dict[str, Any]) -> str:
    if 'parameterIterator' in task or 'artifactIterator' in task:
        return 'loop'
    if task.get('triggerPolicy', {}).get('condition'):
        return 'condition'
    return 'group' if 'dag' in component else 'task'


def _sources(task: dict[str, Any]) -> set[str]:
    """The tasks that one waits for."""
    found = set(task.get('dependentTasks', []))
    inputs = task.get('inputs', {})
    for given in [*inputs.get('parameters', {}).values(), *inputs.get('artifacts', {}).values()]:
        for kind in ('taskOutputParameter', 'taskOutputArtifact', 'taskFinalStatus'):
            if kind in given:
                found.add(given[kind].get('producerTask', ''))
    return found
