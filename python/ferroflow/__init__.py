"""Author, compile and run KFP pipelines. Submodules load on first use, so that importing costs next to nothing."""

from __future__ import annotations

import os as _os
import sys as _sys

from ferroflow import _native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ferroflow import client, compiler, components, dsl, kubernetes, local, registry
    from ferroflow.client import Client

__all__ = ['Client', 'client', 'compiler', 'components', 'dsl', 'kubernetes', 'local', 'registry']

__version__ = _native.SDK_VERSION[len('kfp-'):]
"""The version of KFP's SDK whose behaviour this package has."""

TYPE_CHECK = True

# Other distributions put packages beside these.
__path__ += [
    folder for folder in (_os.path.join(entry, 'ferroflow') for entry in _sys.path)
    if folder not in __path__ and _os.path.isdir(folder)
]


def __getattr__(name: str) -> object:
    if name == 'Client':
        from ferroflow.client import Client
        return Client
    if name in __all__:
        from importlib import import_module
        return import_module('ferroflow.' + name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
