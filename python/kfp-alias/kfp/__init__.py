"""`kfp`, answered by `ferroflow`. Modules that ferroflow does not have are looked for in this folder's neighbours."""

import importlib
import importlib.abc
import importlib.machinery
import importlib.metadata
import importlib.util
import sys
from pkgutil import extend_path

import ferroflow

__path__ = extend_path(__path__, __name__)
__version__ = ferroflow.__version__


def _refuse_beside_the_real_one():
    try:
        importlib.metadata.distribution('kfp')
    except importlib.metadata.PackageNotFoundError:
        return
    raise ImportError('both kfp and ferroflow-kfp are installed, and each has overwritten parts of the other: run '
                      '`pip uninstall kfp ferroflow-kfp`, then install the one that you want')


class _Alias(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives `ferroflow.x` for `kfp.x`."""

    def find_spec(self, name, path=None, target=None):
        if not name.startswith('kfp.'):
            return None
        try:
            found = importlib.util.find_spec('ferroflow' + name[len('kfp'):])
        except ModuleNotFoundError:
            return None
        return importlib.machinery.ModuleSpec(name, self) if found else None

    def create_module(self, spec):
        return importlib.import_module('ferroflow' + spec.name[len('kfp'):])

    def exec_module(self, module):
        pass


_refuse_beside_the_real_one()
sys.meta_path.insert(0, _Alias())


def __getattr__(name):
    return getattr(ferroflow, name)


def __dir__():
    return dir(ferroflow)
