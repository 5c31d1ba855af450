"""Runs of pipelines whose functions are called in this very process, so that its debugger sees them.

The engine is the same: it decides what runs with what, and each of its tasks is a process that asks this one to call
the function (`_relay`). Calls come one after the other, in the thread that started the run.
"""

from __future__ import annotations

import bdb
import contextlib
import inspect
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import traceback
from typing import Any, Callable, Iterator, Optional

from ferroflow import _executor, _native, _relay
from ferroflow.dsl.base_component import BaseComponent
from ferroflow.dsl.structures import function_key
from ferroflow.dsl.types import artifact_types

_RELAY = inspect.getsource(_relay)
# What a task's process has for itself, and functions in this process must not get.
_NOT_OURS = ('PATH', 'HOME', 'PWD', 'OLDPWD', 'SHLVL', '_', 'TMPDIR', 'VIRTUAL_ENV', '_KFP_RUNTIME')


class Debugged:
    """The functions of a component or pipeline, and how they ended."""

    def __init__(self, component: BaseComponent, folder: str) -> None:
        self.pipeline = os.path.join(folder, 'pipeline.yaml')
        self.error: Optional[Exception] = None
        self._address = os.path.join(folder, 'socket')
        self._functions: dict[str, Callable[..., Any]] = {}
        compiled = component.compiled()
        pipeline = json.loads(compiled.pipeline_json())
        self._take_over(pipeline, component)
        documents = [json.dumps(pipeline), *filter(None, [compiled.platform_json()])]
        with open(self.pipeline, 'w', encoding='utf-8') as file:
            file.write('\n---\n'.join(documents))

    def _take_over(self, pipeline: dict[str, Any], component: BaseComponent) -> None:
        known = component.component_spec.implementation.functions
        for label, executor in pipeline.get('deploymentSpec', {}).get('executors', {}).items():
            container = executor.get('container', {})
            words = [container.get('command', []), container.get('args', [])]
            function = known.get(function_key(container.get('image', ''), *words))
            if function is not None:
                self._functions[label] = function
                # As a function of kfp's, whose input may be as large as it likes.
                source = {'name': 'relay', 'function': f'{_RELAY}\n\nrelay({self._address!r}, {label!r})'}
                container.update(command=_native.lightweight(json.dumps(source)), args=_native.arguments('relay'))

    def run(self, words: list[str], answer: Any, take: Callable[[str], None]) -> list[str]:
        """Runs the program, and calls functions until it ends; what it said."""
        said: list[str] = []
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            try:
                listener.bind(self._address)
            except OSError as error:
                raise RuntimeError(f'no socket can be made at {self._address} ({error}): set TMPDIR to a folder with a '
                                   'shorter name') from None
            listener.listen(socket.SOMAXCONN)
            # What is typed in the debugger is not meant for it, nor an interrupt there: hence a session of its own.
            process = subprocess.Popen(words, stdout=answer, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                                       text=True, start_new_session=True)
            ended, end = os.pipe()
            reader = threading.Thread(target=_pass_on, args=(process, said, take, end))
            reader.start()
            try:
                with contextlib.closing(selectors.DefaultSelector()) as selector:
                    selector.register(listener, selectors.EVENT_READ)
                    selector.register(ended, selectors.EVENT_READ)
                    self._serve(listener, ended, selector)
            except BaseException:
                process.send_signal(signal.SIGINT)
                raise
            finally:
                process.wait()
                reader.join()
                os.close(ended)
        return said

    def _serve(self, listener: socket.socket, ended: int, selector: selectors.BaseSelector) -> None:
        while True:
            ready = [key.fileobj for key, _ in selector.select()]
            if listener in ready:
                connection, _ = listener.accept()
                with connection, connection.makefile('rw', encoding='utf-8') as stream:
                    line = stream.readline()
                    # A task that was stopped in the meantime has nothing to say any more.
                    if line:
                        answer = self._call(json.loads(line))
                        with contextlib.suppress(OSError):
                            stream.write(json.dumps({'error': answer}) + '\n')
                            stream.flush()
            elif ended in ready:
                return

    def _call(self, wanted: dict[str, Any]) -> Optional[str]:
        """Calls a function; why it failed, as the log of the task tells it."""
        try:
            with _environment(wanted['environment']):
                _executor.execute(self._functions[wanted['label']], wanted['input'])
        except SystemExit as end:
            # It ends the task, not this process.
            return None if end.code in (None, 0) else f'the function ended with {end.code!r}'
        except bdb.BdbQuit:
            # Whoever leaves the debugger leaves the run.
            raise
        except Exception as error:
            self.error = error
            return traceback.format_exc()
        return None


@contextlib.contextmanager
def _environment(given: dict[str, str]) -> Iterator[None]:
    """The variables of a task, as far as this process has none of the name."""
    added = {
        name: value for name, value in given.items()
        if name not in os.environ and name not in _NOT_OURS and not name.startswith('PYTHON')
    }
    os.environ.update(added)
    # Where artifacts of other stores lie is told by a variable, too.
    roots, artifact_types._ROOTS = artifact_types._ROOTS, artifact_types._read_roots()
    try:
        yield
    finally:
        artifact_types._ROOTS = roots
        for name in added:
            os.environ.pop(name, None)


def _pass_on(process: subprocess.Popen[str], said: list[str], take: Callable[[str], None], end: int) -> None:
    """Passes on what the program says, and closes the pipe when there is no more."""
    assert process.stderr is not None
    with process.stderr:
        for line in process.stderr:
            said.append(line)
            take(line)
    os.close(end)
