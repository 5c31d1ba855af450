"""What a server answers: attributes in snake_case, times as datetimes, None for what is not set."""

from __future__ import annotations

import datetime
from typing import Any, Iterator

# Their content is the user's, so its keys are not attributes.
_FREE = ('parameters', 'pipeline_spec', 'platform_spec', 'metadata', 'tags', 'labels', 'annotations')


class Resource:
    """A part of an answer."""

    def __init__(self, data: dict[str, Any]) -> None:
        self._data = {_snake(name): _value(_snake(name), value) for name, value in data.items()}

    def __getattr__(self, name: str) -> Any:
        if name.startswith('_'):
            raise AttributeError(name)
        return self._data.get(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._data)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Resource) and other._data == self._data

    __hash__ = None  # type: ignore[assignment]

    def to_dict(self) -> dict[str, Any]:
        """As plain dictionaries and lists."""
        return {name: _plain(value) for name, value in self._data.items()}

    def __repr__(self) -> str:
        return f'Resource({self.to_dict()!r})'


def _snake(name: str) -> str:
    return ''.join('_' + sign.lower() if sign.isupper() else sign for sign in name)


def _value(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return value if name in _FREE else Resource(value)
    if isinstance(value, list):
        return [_value(name, item) for item in value]
    if isinstance(value, str) and name.endswith(('_at', '_time')):
        return _time(value)
    return value


def _time(text: str) -> Any:
    bare = text[:-1] + '+00:00' if text.endswith('Z') else text
    point = bare.find('.')
    if point > 0:
        # The library of older Pythons takes six digits or none.
        end = point + 1
        while end < len(bare) and bare[end].isdigit():
            end += 1
        bare = bare[:point] + '.' + bare[point + 1:end][:6].ljust(6, '0') + bare[end:]
    try:
        return datetime.datetime.fromisoformat(bare)
    except ValueError:
        return text


def _plain(value: Any) -> Any:
    if isinstance(value, Resource):
        return value.to_dict()
    return [_plain(item) for item in value] if isinstance(value, list) else value
