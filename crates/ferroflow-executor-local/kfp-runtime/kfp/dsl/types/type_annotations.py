"""Annotations of component arguments, and the questions that the executor asks about them."""

from typing import Union

try:
    from typing import Annotated
except ImportError:  # Python 3.8 has no such name.

    class Annotated:
        """The little of `typing.Annotated` that `Input[...]` and `Output[...]` need."""

        def __class_getitem__(cls, arguments):
            alias = cls()
            alias.__origin__ = arguments[0]
            alias.__args__ = arguments[:1]
            alias.__metadata__ = tuple(arguments[1:])
            return alias

        def __getitem__(self, argument):
            return Annotated[(argument,) + self.__metadata__]

        def __call__(self, *args, **kwargs):
            return self.__origin__(*args, **kwargs)


try:
    from types import UnionType as _NewUnion
except ImportError:  # `X | Y` came with Python 3.10.
    _NewUnion = ()

from . import artifact_types

_PARAMETER_NAMES = frozenset((
    'int', 'integer', 'float', 'double', 'str', 'string', 'text', 'bool', 'boolean', 'list', 'jsonarray', 'dict',
    'jsonobject', 'pipelinetaskfinalstatus', 'taskconfig'))

_PARAMETER_CLASSES = (str, int, float, bool, dict, list)


class InputAnnotation:
    """Marks an input artifact."""


class OutputAnnotation:
    """Marks an output artifact."""


class EmbeddedAnnotation:
    """Marks files that travel inside the source of the component."""


class _Path:

    def __init__(self, type=None):
        self.type = _path_type(type)

    def __eq__(self, other):
        return isinstance(other, self.__class__) and self.type == other.type


class InputPath(_Path):
    """An argument that gets the path of an input artifact."""


class OutputPath(_Path):
    """An argument that gets the path to which the function writes an output."""


def _path_type(type_):
    """A parameter type stays; artifact types become `title@version`, unknown names the general artifact."""
    if is_artifact_class(type_):
        return type_.schema_title + '@' + type_.schema_version
    if isinstance(type_, str):
        wanted = 'system.' + type_.lower()
        for title in artifact_types.CLASSES:
            if title.lower() == wanted:
                return title + '@0.0.1'
    if is_parameter(type_):
        return type_
    return 'system.Artifact@0.0.1'


def marker(annotation):
    """The marker class of `Input[T]`, `Output[T]` or `EmbeddedInput[T]`, else None."""
    metadata = getattr(annotation, '__metadata__', None)
    return metadata[0] if metadata else None


def strip_optional(annotation):
    """`T` for `Optional[T]` and `T | None`; anything else as it is."""
    if getattr(annotation, '__origin__', None) is Union or isinstance(annotation, _NewUnion):
        arguments = annotation.__args__
        if len(arguments) == 2 and type(None) in arguments:
            return arguments[0] if arguments[1] is type(None) else arguments[1]
    return annotation


def is_artifact_class(candidate):
    """Any class with these two attributes is an artifact class, not only those of this package."""
    return hasattr(candidate, 'schema_title') and hasattr(candidate, 'schema_version')


def artifact_of_list(annotation):
    """`T` for `List[T]` of artifacts, else None."""
    if getattr(annotation, '__origin__', None) is list and len(getattr(annotation, '__args__', ())) == 1:
        inner = annotation.__args__[0]
        if type(inner) is type and issubclass(inner, artifact_types.Artifact):
            return inner
    return None


def is_pydantic_model(annotation):
    """A model class can only exist once somebody imported pydantic, so it is never imported for the question."""
    import sys
    pydantic = sys.modules.get('pydantic')
    if pydantic is None or not isinstance(annotation, type) or hasattr(annotation, '__origin__'):
        return False
    return issubclass(annotation, pydantic.BaseModel)


def is_parameter(annotation):
    """Whether values of this annotation travel as parameters: a class, a generic of `typing`, or a type name."""
    annotation = strip_optional(annotation)
    if isinstance(annotation, type):
        if annotation in _PARAMETER_CLASSES or is_pydantic_model(annotation):
            return True
        if annotation.__name__ in ('PipelineTaskFinalStatus', 'TaskConfig'):
            return True
    return _outer_name(str(annotation)) in _PARAMETER_NAMES


def _outer_name(text):
    """`list` of `typing.List[int]`: the name before the brackets, in small letters."""
    if text.startswith('typing.'):
        text = text[len('typing.'):]
    end = 0
    while end < len(text) and (text[end].isalnum() or text[end] == '_'):
        end += 1
    return (text[:end] or text).lower()


def is_named_tuple(annotation):
    return type(annotation) is type and issubclass(annotation, tuple) and hasattr(
        annotation, '_fields') and hasattr(annotation, '__annotations__')
