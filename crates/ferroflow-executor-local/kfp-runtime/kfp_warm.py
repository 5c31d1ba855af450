"""Starts tasks by forking: an interpreter that has loaded what every task needs, and nothing of any task.

    kfp_warm.py <socket as standard input

Once ready it writes a line. For each request (4 bytes of length, little endian, then JSON: `argv`, `cwd`, `env`,
`log`) it answers with a line: the id of a process that is a child of whoever adopts its orphans, in a group of its own,
or 0 if there is none. That process runs the task only after the answer was written. It ends when its input ends.
A second thread (one that a package of the environment has started, say) would be lost by a fork: then there is none.
"""

import atexit
import gc
import json
import os
import sys
import typing  # noqa: F401 -- every component begins with `from typing import *`

SOCKET = 0


def _load():
    """What a task begins with. Returns what runs one."""
    installed = '{}/lib/python{}.{}/site-packages/kfp/__init__.py'.format(sys.prefix, *sys.version_info[:2])
    if os.path.exists(installed):
        from real_kfp import run_task
        return run_task
    import kfp._executor
    import kfp.dsl  # noqa: F401
    from kfp._task import run_task
    return run_task


def _receive(size):
    parts = []
    while size:
        part = os.read(SOCKET, size)
        if not part:
            os._exit(0)
        parts.append(part)
        size -= len(part)
    return b''.join(parts)


def _is_single_threaded():
    try:
        return len(os.listdir('/proc/self/task')) == 1
    except OSError:
        return False


def _fork():
    """In the new process: None. Here: its id, 0 if the system gives none, and the end of a pipe that it waits at."""
    told, tell = os.pipe()
    gate, opener = os.pipe()
    try:
        between = os.fork()
    except OSError:
        between = None
    if between == 0:
        # Whatever happens, it must not go on as a second one that waits.
        try:
            # Its parent ends at once, so that the task becomes a child of the supervisor, which waits for tasks.
            task = os.fork()
        except OSError:
            os._exit(1)
        if task == 0:
            for end in (told, tell, opener):
                os.close(end)
            os.setpgid(0, 0)
            if not os.read(gate, 1):
                os._exit(1)
            os.close(gate)
            return None
        try:
            os.setpgid(task, task)
        except OSError:
            pass
        os.write(tell, b'%d' % task)
        os._exit(0)
    os.close(tell)
    os.close(gate)
    if between is not None:
        os.waitpid(between, 0)
    task = os.read(told, 32)
    os.close(told)
    return task or b'0', opener


def _serve():
    """Returns in each new process, with its request."""
    os.write(SOCKET, b'ready\n' if _is_single_threaded() else b'threads\n')
    while True:
        request = json.loads(_receive(int.from_bytes(_receive(4), 'little')))
        forked = _fork()
        if forked is None:
            return request
        task, opener = forked
        os.write(SOCKET, task + b'\n')
        try:
            os.write(opener, b'.')
        except OSError:
            # There is none, or it was killed at the gate.
            pass
        os.close(opener)


def _become(request):
    output = os.open(request['log'], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, SOCKET)
    os.close(nothing)
    os.chdir(request['cwd'])
    os.environ.clear()
    os.environ.update(request['env'])
    sys.argv[:] = request['argv'][1:]


def _end_well():
    """What an interpreter does as it ends, without taking apart what the waiting one has loaded: that costs 10 ms."""
    if 'threading' in sys.modules:
        sys.modules['threading']._shutdown()
    atexit._run_exitfuncs()
    # Files that user code has left open are closed with what refers to them.
    component = sys.modules.pop('ephemeral_component', None)
    if component is not None:
        component.__dict__.clear()
    gc.collect()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        os._exit(120)
    os._exit(0)


if __name__ == '__main__':
    run_task = _load()
    # The collector need not look at, and so copy, what no task frees.
    gc.collect()
    gc.freeze()
    _become(_serve())
    run_task()
    _end_well()
