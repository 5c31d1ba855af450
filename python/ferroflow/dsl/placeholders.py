"""Placeholders: words of a command that are known only when the task runs."""

from __future__ import annotations

import json
from typing import Any, Optional


class Placeholder:
    """A word that is known only when the task runs."""

    def _to_string(self) -> str:
        raise NotImplementedError

    def _to_json(self) -> Any:
        return self._to_string()

    def __str__(self) -> str:
        return self._to_string()

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.__dict__ == self.__dict__

    __hash__ = None  # type: ignore[assignment]


class _Named(Placeholder):
    side = ''
    part = ''
    suffix = ''

    def __init__(self, name: str) -> None:
        self.name_ = name

    @property
    def input_name(self) -> str:
        return self.name_

    @property
    def output_name(self) -> str:
        return self.name_

    def _to_string(self) -> str:
        return f"{{{{$.{self.side}.{self.part}['{self.name_}']{self.suffix}}}}}"


class InputValuePlaceholder(_Named):
    side, part = 'inputs', 'parameters'


class _ListPlaceholder(_Named):
    part = 'artifacts'

    def __getattr__(self, name: str) -> Any:
        if name in ('name', 'uri', 'metadata', 'path'):
            raise AttributeError(f'{self.name_!r} is a list of artifacts, so it has no {name}: pass the whole list')
        raise AttributeError(name)

    def __getitem__(self, key: Any) -> Any:
        raise KeyError(f'{self.name_!r} is a list of artifacts, whose members are known only when the task runs: pass '
                       'the whole list')


class InputListOfArtifactsPlaceholder(_ListPlaceholder):
    side = 'inputs'


class OutputListOfArtifactsPlaceholder(_ListPlaceholder):
    side = 'outputs'


class InputPathPlaceholder(_Named):
    side, part, suffix = 'inputs', 'artifacts', '.path'


class InputUriPlaceholder(_Named):
    side, part, suffix = 'inputs', 'artifacts', '.uri'


class _Metadata(_Named):
    part, suffix = 'artifacts', '.metadata'

    def __getitem__(self, key: str) -> str:
        return f"{{{{$.{self.side}.artifacts['{self.name_}'].metadata['{key}']}}}}"


class InputMetadataPlaceholder(_Metadata):
    side = 'inputs'


class OutputMetadataPlaceholder(_Metadata):
    side = 'outputs'


class OutputParameterPlaceholder(_Named):
    side, part, suffix = 'outputs', 'parameters', '.output_file'


class OutputPathPlaceholder(_Named):
    side, part, suffix = 'outputs', 'artifacts', '.path'


class OutputUriPlaceholder(_Named):
    side, part, suffix = 'outputs', 'artifacts', '.uri'


class _Structure(Placeholder):

    def _to_string(self) -> str:
        return json.dumps(self._to_json())

    def __str__(self) -> str:
        raise ValueError(f'{type(self).__name__} cannot stand in an f-string: pass it as a word of its own')


class ConcatPlaceholder(_Structure):
    """Joins texts and placeholders to one word."""

    def __init__(self, items: list[Any]) -> None:
        for item in items:
            if isinstance(item, IfPresentPlaceholder):
                item._check_single()
        self.items = items

    def _to_json(self) -> Any:
        return {'Concat': [_json(item) for item in self.items]}


class IfPresentPlaceholder(_Structure):
    """Words that depend on whether an optional input is given."""

    def __init__(self, input_name: str, then: Any, else_: Optional[Any] = None) -> None:
        self.input_name = input_name
        self.then = then
        self.else_ = else_

    def _check_single(self) -> None:
        for words in (self.then, self.else_):
            if isinstance(words, list):
                raise ValueError('an IfPresentPlaceholder in a ConcatPlaceholder can stand for one word only: pass '
                                 'then and else_ without lists')
            inner = words.items if isinstance(words, ConcatPlaceholder) else [words]
            for word in inner:
                if isinstance(word, IfPresentPlaceholder):
                    word._check_single()

    def _to_json(self) -> Any:
        body = {'InputName': self.input_name, 'Then': _json(self.then)}
        if self.else_:
            body['Else'] = _json(self.else_)
        return {'IfPresent': body}


def _json(element: Any) -> Any:
    if isinstance(element, list):
        return [_json(item) for item in element]
    return element._to_json() if isinstance(element, Placeholder) else element


class ContainerComponentArtifactChannel:
    """An artifact as the function of a container component gets it: only its parts are placeholders."""

    def __init__(self, io_type: str, var_name: str) -> None:
        self._io_type = io_type
        self._var_name = var_name

    def __getattr__(self, name: str) -> Placeholder:
        kinds = {
            ('uri', 'input'): InputUriPlaceholder,
            ('uri', 'output'): OutputUriPlaceholder,
            ('path', 'input'): InputPathPlaceholder,
            ('path', 'output'): OutputPathPlaceholder,
            ('metadata', 'input'): InputMetadataPlaceholder,
            ('metadata', 'output'): OutputMetadataPlaceholder,
        }
        if (name, self._io_type) not in kinds:
            raise AttributeError(f'an artifact has no {name} here: use .uri, .path or .metadata')
        return kinds[name, self._io_type](self._var_name)


def check(element: Any, component: str, inputs: dict[str, Any], outputs: dict[str, Any]) -> None:
    """Finds words that cannot be, and names that no input or output has."""
    if isinstance(element, ContainerComponentArtifactChannel):
        raise ValueError(f'{element._var_name!r} of component {component!r} is an artifact, which cannot be a word '
                         'itself: use .uri or .path')
    if isinstance(element, _Named):
        known = inputs if element.side == 'inputs' else outputs
        if element.name_ not in known:
            raise ValueError(f'component {component!r} uses {element.side[:-1]} {element.name_!r}, which it does not '
                             'have')
    elif isinstance(element, IfPresentPlaceholder):
        if element.input_name not in inputs:
            raise ValueError(f'component {component!r} asks for input {element.input_name!r}, which it does not have')
        for words in (element.then, element.else_):
            for word in words if isinstance(words, list) else [words]:
                if word is not None:
                    check(word, component, inputs, outputs)
    elif isinstance(element, ConcatPlaceholder):
        for item in element.items:
            check(item, component, inputs, outputs)
    elif not isinstance(element, str):
        raise TypeError(f'{element!r}, a word in the command or arguments of component {component!r}, must be a text '
                        'or a placeholder')
