"""Where KFP has the exception for types that do not fit, and the numbers of types in its messages."""

from ferroflow._native import InconsistentTypeException

__all__ = [
    'BOOLEAN', 'InconsistentTypeException', 'LIST', 'NUMBER_DOUBLE', 'NUMBER_INTEGER', 'STRING', 'STRUCT',
    'TASK_FINAL_STATUS'
]

NUMBER_DOUBLE, NUMBER_INTEGER, STRING, BOOLEAN, LIST, STRUCT, TASK_FINAL_STATUS = range(1, 8)
