"""Loads, so that files which import `kfp.kubernetes` load; does nothing inside a task."""

from kfp._absent import absent

__getattr__ = absent(__name__)
