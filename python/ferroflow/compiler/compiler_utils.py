"""What a pipeline that cannot be raises."""

from ferroflow._native import InvalidTopologyException

__all__ = ['InvalidTopologyException']
