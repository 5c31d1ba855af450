"""Author, compile and run KFP pipelines. Submodules load on first use, so that importing costs next to nothing."""

from __future__ import annotations

import importlib as _importlib
from pkgutil import extend_path as _extend_path
from typing import TYPE_CHECKING

from ferroflow import _native

if TYPE_CHECKING:
    from ferroflow import client, compiler, components, dsl, kubernetes
    from ferroflow.client import Client

__all__ = ['Client', 'client', 'compiler', 'components', 'dsl', 'kubernetes']

__version__ = _native.SDK_VERSION[len('kfp-'):]
"""The version of KFP's SDK whose behaviour this package has."""

TYPE_CHECK = True

# Other distributions put packages beside these.
__path__ = _extend_path(__path__, __name__)


def __getattr__(name: str) -> object:
    if name == 'Client':
        from ferroflow.client import Client
        return Client
    if name in __all__:
        return _importlib.import_module('ferroflow.' + name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
