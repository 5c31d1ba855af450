"""How far a run is: its tasks, and what is to be said of a place in the graph that stands for several of them."""

from __future__ import annotations

from typing import Any, Optional

LEAVES = ('CONTAINER', 'IMPORTER')
_ENDED = ('SUCCEEDED', 'CACHED', 'SKIPPED', 'FAILED', 'CANCELED')
# The first of them that any of several tasks has is the one to show.
_URGENCY = ('FAILED', 'RUNNING', 'CANCELED', 'PENDING', 'SUCCEEDED', 'CACHED', 'SKIPPED')


class Progress:
    """Tasks of a run as the server's results have them."""

    def __init__(self, tasks: list[dict[str, Any]]) -> None:
        self.tasks = tasks
        self._by_place: dict[str, list[dict[str, Any]]] = {}
        for path, task in zip(_places(tasks), tasks):
            if task.get('kind') != 'ITERATION':
                self._by_place.setdefault(path, []).append(task)

    @property
    def leaves(self) -> list[dict[str, Any]]:
        """Tasks that do something themselves."""
        return [task for task in self.tasks if task.get('kind') in LEAVES]

    @property
    def done(self) -> int:
        return sum(task['state'] in _ENDED for task in self.leaves)

    def at(self, place: str) -> tuple[Optional[str], int, int]:
        """State of a place in the graph, how many of its tasks have ended, and how many there are."""
        states = [task['state'] for task in self._by_place.get(place, [])]
        if not states:
            below = [task['state'] for other, tasks in self._by_place.items() if other.startswith(place + '/')
                     for task in tasks]
            if below:
                # Nobody has told of the group yet, but something in it has begun.
                return ('FAILED' if 'FAILED' in below else 'RUNNING'), 0, 0
        if not states and '/' in place:
            # What is in a group that is skipped is never made.
            above = self.at(place.rpartition('/')[0])[0]
            return ('SKIPPED' if above == 'SKIPPED' else None), 0, 0
        ended = sum(state in _ENDED for state in states)
        state = next((state for state in _URGENCY if state in states), None)
        if state == 'PENDING' and ended:
            state = 'RUNNING'
        return state, ended, len(states)


def _places(tasks: list[dict[str, Any]]) -> list[str]:
    """Paths without the indexes of iterations."""
    iterations = {task['path'] for task in tasks if task.get('kind') == 'ITERATION'}
    found = []
    for task in tasks:
        names, path = [], ''
        for name in task['path'].split('/'):
            path = f'{path}/{name}' if path else name
            if path not in iterations:
                names.append(name)
        found.append('/'.join(names))
    return found


def of_details(run: dict[str, Any]) -> dict[str, Any]:
    """Results out of what KFP's API tells of a run, for servers that know no more."""
    details = (run.get('run_details') or {}).get('task_details') or []
    by_id = {task.get('task_id'): task for task in details}
    groups = {task.get('parent_task_id') for task in details}
    tasks = []
    for task in details:
        names, step, seen = [], task, set()
        while step and step.get('parent_task_id') in by_id and id(step) not in seen:
            seen.add(id(step))
            name, step = str(step.get('display_name') or ''), by_id[step['parent_task_id']]
            # Passes of a loop have its name.
            if name != step.get('display_name'):
                names.append(name)
        if not names:
            continue
        tasks.append({
            'path': '/'.join(reversed(names)),
            'display_name': names[0],
            'kind': 'DAG' if task.get('task_id') in groups else 'CONTAINER',
            'state': task.get('state') or 'PENDING',
            'seconds': _seconds(task.get('start_time'), task.get('end_time')),
            'error': task.get('error'),
            'outputs': {},
        })
    return {
        'run_id': run.get('run_id'),
        'display_name': run.get('display_name') or run.get('run_id'),
        'state': run.get('state') or 'PENDING',
        'seconds': _seconds(run.get('created_at'), run.get('finished_at')),
        'error': run.get('error'),
        'outputs': {},
        'tasks': tasks,
    }


def _seconds(start: Any, end: Any) -> Optional[float]:
    try:
        seconds: float = (end - start).total_seconds()
        # What never started began at the beginning of time.
        return seconds if seconds >= 0 and start.year > 1970 else None
    except (AttributeError, TypeError):
        return None
