"""A local run while it goes on, out of the lines that the program says."""

from __future__ import annotations

import re
import sys
from typing import Any

from ferroflow.display import graph, page
from ferroflow.display.live import live

_NEWS = re.compile(r'(\S+): (started|succeeded|taken from the cache|skipped|failed|stopped)\b')
_STATES = {
    'started': 'RUNNING',
    'succeeded': 'SUCCEEDED',
    'taken from the cache': 'CACHED',
    'skipped': 'SKIPPED',
    'failed': 'FAILED',
    'stopped': 'CANCELED'
}


class Watch:
    """Shows in notebooks how far a run is, and passes lines on elsewhere."""

    def __init__(self, name: str, spec: dict[str, Any]) -> None:
        self._name = name
        self._spec = spec
        self._picture = live()
        self._tasks: dict[str, dict[str, Any]] = {}
        self._loops: set[str] = set()
        if self._picture is not None:
            drawn = graph.read(spec)
            self._loops = {node.path for node in drawn.walk() if node.kind == 'loop'} if drawn else set()
            self._show()

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        if kind is not None and self._picture is not None:
            self._show('CANCELED')

    def take(self, line: str) -> None:
        """A line of the program."""
        news = _NEWS.match(line) if self._picture is not None else None
        if news is None:
            # Through Python's own stream, so that notebooks show it.
            sys.stderr.write(line)
            return
        path, word = news.groups()
        self._tasks.update(self._passes(path))
        self._tasks[path] = {'path': path, 'kind': 'CONTAINER', 'state': _STATES[word]}
        self._show()

    def end(self, results: dict[str, Any]) -> None:
        """What it has come to."""
        if self._picture is not None:
            html = page.of_run(results, self._spec, brief=True)
            self._picture.show({'text/plain': page.text_of_run(results), 'text/html': html})

    def _show(self, state: str = 'RUNNING') -> None:
        self.end({'display_name': self._name, 'state': state, 'tasks': list(self._tasks.values())})

    def _passes(self, path: str) -> dict[str, dict[str, Any]]:
        """The passes of loops that a task is in."""
        found, place, real, is_index = {}, '', '', False
        for name in path.split('/'):
            real = f'{real}/{name}' if real else name
            if is_index:
                found[real] = {'path': real, 'kind': 'ITERATION', 'state': 'RUNNING'}
                is_index = False
            else:
                place = f'{place}/{name}' if place else name
                is_index = place in self._loops
        return found
