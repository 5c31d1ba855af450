"""A compiled file as users of KFP's SDK read it: attributes in snake_case, maps by key."""

from __future__ import annotations

import json
import sys
from typing import Any, Iterator, Optional

_PROTOS = 'kfp.pipeline_spec.pipeline_spec_pb2'


def message(kind: str, text: Optional[str]) -> Any:
    """A `PipelineSpec` or `PlatformSpec`: KFP's own message where its module is loaded, as it is for whoever compares
    with such messages; else one of ours, which needs no package."""
    protos = sys.modules.get(_PROTOS)
    if protos is None:
        return Message.of_text(text)
    from google.protobuf import json_format  # type: ignore[import-untyped]
    return json_format.Parse(text or '{}', getattr(protos, kind)())


class Message:
    """A part of a file that answers like a message of protobuf; what is not set is empty."""
    __slots__ = ('_data',)

    def __init__(self, data: dict[str, Any]) -> None:
        self._data = data

    @classmethod
    def of_text(cls, text: Optional[str]) -> Message:
        return cls(json.loads(text) if text else {})

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return self._data

    def __getattr__(self, name: str) -> Any:
        if name.startswith('__'):
            raise AttributeError(name)
        first, *others = name.split('_')
        return _wrapped(self._data.get(first + ''.join(other.capitalize() for other in others)))

    def __getitem__(self, key: str) -> Any:
        return _wrapped(self._data[key])

    def __contains__(self, key: object) -> bool:
        return key in self._data

    def __iter__(self) -> Iterator[str]:
        return iter(self._data)

    def __len__(self) -> int:
        return len(self._data)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Message) and other._data == self._data

    __hash__ = None  # type: ignore[assignment]

    def keys(self) -> Any:
        return self._data.keys()

    def items(self) -> Iterator[tuple[str, Any]]:
        return ((key, _wrapped(value)) for key, value in self._data.items())

    def values(self) -> Iterator[Any]:
        return (_wrapped(value) for value in self._data.values())

    def __repr__(self) -> str:
        return json.dumps(self._data, indent=2)


def _wrapped(value: Any) -> Any:
    if value is None:
        return Message({})
    return Message(value) if isinstance(value, dict) else value
