"""The old place of these modules."""

import sys
import warnings

from ferroflow import compiler, components, dsl

__all__ = ['compiler', 'components', 'dsl']

warnings.warn('kfp.v2 is deprecated: import compiler, components and dsl from kfp', FutureWarning, stacklevel=2)
for _module in (compiler, components, dsl):
    sys.modules[_module.__name__.replace('ferroflow.', 'ferroflow.v2.')] = _module
