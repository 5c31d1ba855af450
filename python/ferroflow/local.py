"""Runs components and pipelines on this machine: after `init`, calling one outside of a pipeline gives its results.

The engine is that of the server: the program `ferroflow`, which `pip install ferroflow-server` brings.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from typing import Any, Callable, Optional, Union

from ferroflow.dsl.base_component import BaseComponent
from ferroflow.dsl.pipeline_task import _check_argument
from ferroflow.dsl.types import artifact_types

__all__ = ['DebugRunner', 'DockerRunner', 'LocalTask', 'SubprocessRunner', 'init']

# What only a cluster can do is left out with a warning, as KFP does.
_FOR_CLUSTERS = ('set_cpu_request', 'set_cpu_limit', 'set_memory_request', 'set_memory_limit', 'set_accelerator_type',
                 'set_accelerator_limit', 'set_gpu_limit', 'add_node_selector_constraint', 'set_display_name')
# Ends of logs that are kept of a run that failed.
_MOST_LOGS = 3


class SubprocessRunner:
    """Tasks are processes. Packages that components ask for are installed once, whatever `use_venv` says."""

    def __init__(self, use_venv: bool = True, serialize_pip_installs: bool = False,
                 max_concurrent_pip_installs: Optional[int] = None) -> None:
        self.use_venv = use_venv

    def words(self) -> list[str]:
        return ['--executor', 'process', '--python', sys.executable]


class DockerRunner:
    """Tasks run in containers of their images."""

    def __init__(self, max_concurrent_pip_installs: Optional[int] = None, network: Optional[str] = None,
                 user: Optional[str] = None, **others: Any) -> None:
        if others:
            raise ValueError(f'DockerRunner does not know {", ".join(others)}: it takes network and user')
        self.network = network
        self.user = user

    def words(self) -> list[str]:
        found = ['--executor', 'docker']
        for word, value in (('--docker-network', self.network), ('--docker-user', self.user)):
            if value:
                found += [word, value]
        return found


class DebugRunner:
    """Functions of components are called in this process, one after the other, so that breakpoints in them work.

    What they import has to be installed here. What is no function of this process runs as by `SubprocessRunner`.
    """

    def words(self) -> list[str]:
        return ['--executor', 'process', '--python', sys.executable]


Runner = Union[SubprocessRunner, DockerRunner, DebugRunner]


class _Settings:

    def __init__(self, runner: Runner, root: str, raise_on_error: bool,
                 enable_caching: bool) -> None:
        self.runner = runner
        self.root = os.path.abspath(root)
        self.raise_on_error = raise_on_error
        self.enable_caching = enable_caching


_settings: Optional[_Settings] = None


def init(runner: Runner, pipeline_root: str = './local_outputs',
         workspace_root: Optional[str] = None, raise_on_error: bool = True, enable_caching: bool = False,
         cache_root: Optional[str] = None) -> None:
    """Lets components and pipelines run here. Database, artifacts and logs are kept in `pipeline_root`."""
    global _settings
    if workspace_root is not None or cache_root is not None:
        raise ValueError('workspace_root and cache_root cannot be chosen: both are kept in pipeline_root')
    _settings = _Settings(runner, pipeline_root, raise_on_error, enable_caching)


class LocalTask:
    """What ran: its outputs are values, and artifacts whose `.path` is there."""

    def __init__(self, name: str, state: str, outputs: dict[str, Any], results: dict[str, Any], spec: dict[str, Any],
                 logs: dict[str, str]) -> None:
        self.name = name
        self.state = state
        self.outputs = outputs
        self._results = results
        self._spec = spec
        self._logs = logs

    @property
    def output(self) -> Any:
        """The only output."""
        if len(self.outputs) != 1:
            names = ', '.join(repr(name) for name in self.outputs) or 'none'
            raise AttributeError(f'{self.name!r} does not have one output, but {names}: use .outputs[name]')
        return next(iter(self.outputs.values()))

    def _previews(self) -> list[str]:
        from ferroflow.display import previews
        found = []
        for task in self._results.get('tasks', []):
            for name, artifacts in task.get('outputs', {}).get('artifacts', {}).items():
                for artifact in artifacts:
                    path = artifact_types.to_local_path(artifact['uri'])
                    if artifact['type'] not in previews.SKIPPED and os.path.isfile(path):
                        with open(path, 'rb') as file:
                            content = file.read(previews.MOST_BYTES + 1)
                        found.append(previews.preview(f'{task["path"]}: {name}', artifact['type'], content))
        return [preview for preview in found if preview][:previews.MOST_ARTIFACTS]

    def _repr_html_(self) -> str:
        from ferroflow.display import page
        return page.of_run(self._results, self._spec, logs=self._logs, previews=self._previews())

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        from ferroflow.display import page
        return {'text/plain': page.text_of_run(self._results), 'text/html': self._repr_html_()}

    def __getattr__(self, name: str) -> Any:
        if name in _FOR_CLUSTERS:

            def left_out(*args: Any, **kwargs: Any) -> LocalTask:
                import warnings
                warnings.warn(f'{name}() changes nothing here: {self.name!r} has run', stacklevel=2)
                return self

            return left_out
        raise AttributeError(f'{self.name!r} has run, so it has no {name}: it has .output, .outputs and .state')


def run(component: BaseComponent, arguments: dict[str, Any]) -> LocalTask:
    """Runs a component or pipeline to its end."""
    if _settings is None:
        raise RuntimeError(f'component {component.name!r} was called outside of a pipeline: call it in the body of a '
                           'function with @dsl.pipeline, or let it run here: local.init(local.SubprocessRunner())')
    for name, value in arguments.items():
        if isinstance(value, artifact_types.Artifact):
            raise ValueError(f'input {name!r} of {component.name!r} was given an artifact: put the two components into '
                             'a pipeline and run that')
        _check_argument(component.component_spec, name, value)
    with tempfile.TemporaryDirectory() as folder:
        results, error = _run_in(folder, component, arguments, _settings)
    logs = _logs(results, _settings) if results['state'] != 'SUCCEEDED' else {}
    if results['state'] != 'SUCCEEDED' and _settings.raise_on_error:
        raise RuntimeError(_failure(results, logs)) from error
    return LocalTask(component.name, results['state'], _outputs(results.get('outputs', {})), results,
                     json.loads(component.compiled().pipeline_json()), logs)


def _program() -> str:
    beside = os.path.join(os.path.dirname(sys.executable), 'ferroflow')
    found = os.environ.get('FERROFLOW_BIN') or (beside if os.path.exists(beside) else shutil.which('ferroflow'))
    if found is None:
        raise RuntimeError('local runs need the program ferroflow, which is not on PATH: pip install ferroflow-server')
    return found


def _run_in(folder: str, component: BaseComponent, arguments: dict[str, Any],
            settings: _Settings) -> tuple[dict[str, Any], Optional[Exception]]:
    """The results, and the error of a function that was called here."""
    pipeline, parameters = os.path.join(folder, 'pipeline.yaml'), os.path.join(folder, 'parameters.json')
    with open(parameters, 'w', encoding='utf-8') as file:
        json.dump(arguments, file)
    words = [_program(), 'run', pipeline, '--json', '--params', parameters, '--data-dir', settings.root]
    words += settings.runner.words() + ([] if settings.enable_caching else ['--no-cache'])
    error = None
    from ferroflow.display.watch import Watch
    with Watch(component.name, json.loads(component.compiled().pipeline_json())) as watch:
        with open(os.path.join(folder, 'results'), 'w+', encoding='utf-8') as answer:
            if isinstance(settings.runner, DebugRunner):
                from ferroflow._debug import Debugged
                debugged = Debugged(component, folder)
                said = debugged.run(words, answer, watch.take)
                error = debugged.error
            else:
                from ferroflow.compiler import Compiler
                Compiler().compile(component, pipeline)
                said = _run_program(words, answer, watch.take)
            answer.seek(0)
            text = answer.read()
        if not text.strip():
            raise RuntimeError(f'{component.name!r} could not run: {"".join(said[-5:]).strip()}')
        results: dict[str, Any] = json.loads(text)
        watch.end(results)
    return results, error


def _run_program(words: list[str], answer: Any, take: Callable[[str], None]) -> list[str]:
    """What the program said."""
    said = []
    with subprocess.Popen(words, stdout=answer, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            said.append(line)
            take(line)
    return said


def _outputs(outputs: dict[str, Any]) -> dict[str, Any]:
    found = dict(outputs.get('parameters', {}))
    for name, artifacts in outputs.get('artifacts', {}).items():
        made = []
        for data in artifacts:
            cls = artifact_types.CLASSES.get(data['type'], artifact_types.Artifact)
            metadata = {key: value for key, value in data.get('metadata', {}).items() if key != 'display_name'}
            made.append(cls(name=name, uri=data['uri'], metadata=metadata))
        found[name] = made[0] if len(made) == 1 else made
    return found


def _logs(results: dict[str, Any], settings: _Settings) -> dict[str, str]:
    """The ends of the logs of the first tasks that failed, by path."""
    failed = [task for task in results.get('tasks', []) if task.get('kind') == 'CONTAINER' and task['state'] == 'FAILED']
    found = {}
    for task in failed[:_MOST_LOGS]:
        words = [_program(), 'logs', results['run_id'], task['path'], '--data-dir', settings.root]
        lines = subprocess.run(words, capture_output=True, text=True).stdout.strip().splitlines()
        found[task['path']] = '\n'.join(lines[-20:])
    return found


def _failure(results: dict[str, Any], logs: dict[str, str]) -> str:
    """Why a run failed, with the end of the log of the task that did it."""
    text = str(results.get('error', {}).get('message') or f'the run ended as {results["state"]}')
    log = next(iter(logs.values()), '')
    return text + ''.join(f'\n    {line}' for line in log.splitlines())
