"""The part of KFP's Python package that user code needs inside a task.

Pure Python on the standard library, written for a fast start: nothing is imported that the first lines of a
component do not use. What belongs to authoring (decorators, control flow, compiler, client) is there by name, so
that files with such imports load, and says what to do when it is really used.
Begin reading at `kfp/_task.py`.
"""

import os as _os
import sys as _sys

__version__ = '2.17.0'

TYPE_CHECK = True


def _with_other_portions(own):
    """Other distributions put folders into `kfp` as well (`kfp.pipeline_spec`, add-ons of users)."""
    found = list(own)
    for entry in _sys.path:
        folder = _os.path.join(entry, 'kfp')
        if folder not in found and _os.path.isdir(folder):
            found.append(folder)
    return found


__path__ = _with_other_portions(__path__)


def __getattr__(name):
    if name == 'dsl' or name in ('compiler', 'components', 'client', 'kubernetes', 'local', 'registry'):
        __import__('kfp.' + name)
        return _sys.modules['kfp.' + name]
    if name == 'Client':
        from kfp.client import Client
        return Client
    raise AttributeError("module 'kfp' has no attribute {!r}".format(name))
