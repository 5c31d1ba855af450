"""A picture in a notebook that changes while something goes on."""

from __future__ import annotations

import sys
from typing import Any, Optional


class Live:
    """One place in the output of a cell."""

    def __init__(self, display: Any) -> None:
        self._display = display
        self._handle: Any = None
        self._shown: Optional[dict[str, str]] = None

    def show(self, bundle: dict[str, str]) -> None:
        """Puts something there instead of what is."""
        if bundle == self._shown:
            return
        self._shown = bundle
        if self._handle is None:
            self._handle = self._display.display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)


def live() -> Optional[Live]:
    """A new place in the output of this cell; None outside of notebooks."""
    ipython = sys.modules.get('IPython')
    shell = ipython.get_ipython() if ipython is not None else None
    # Terminals have a shell, too, but nothing in it changes once it is printed.
    if ipython is None or shell is None or not shell.has_trait('kernel'):
        return None
    import IPython.display  # type: ignore[import-not-found,unused-ignore]
    return Live(IPython.display)
