"""Protobuf messages to JSON, as etcd's gateway writes it: the schema's field names, nothing for what is not set.

64-bit integers are strings, bytes base64, enums names (a number without one stays a number). What is set but zero shows
only where the wire tells it: in a oneof, and messages (`"downgradeInfo":{}`). What there is to know of a message's
fields is asked once, since asking a descriptor costs more than writing the value.
"""

from base64 import b64encode
from json.encoder import py_encode_basestring
from typing import Final, cast, final

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

_WIDE: Final = 0
_NARROW: Final = 1
_BYTES: Final = 2
_TEXT: Final = 3
_BOOL: Final = 4
_ENUM: Final = 5
_MESSAGE: Final = 6
_KINDS: Final = {
    FieldDescriptor.CPPTYPE_INT64: _WIDE,
    FieldDescriptor.CPPTYPE_UINT64: _WIDE,
    FieldDescriptor.CPPTYPE_BOOL: _BOOL,
    FieldDescriptor.CPPTYPE_ENUM: _ENUM,
    FieldDescriptor.CPPTYPE_MESSAGE: _MESSAGE,
}


@final
class _Field:
    """One field of a message type. `is_told`: the wire tells whether it is set."""

    __slots__ = ("enum_names", "is_repeated", "is_told", "kind", "name")

    def __init__(self, field: FieldDescriptor, sample: object) -> None:
        self.name: Final = field.name
        self.is_told: Final = field.has_presence
        # A default value of none of these types is a list. The attribute that would say so differs by release.
        self.is_repeated: Final = not isinstance(sample, int | str | bytes | Message)
        kind = _KINDS.get(field.cpp_type, _NARROW)
        if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
            kind = _BYTES if field.type == FieldDescriptor.TYPE_BYTES else _TEXT
        self.kind: Final = kind
        values = field.enum_type.values if field.enum_type is not None else ()
        self.enum_names: Final[dict[int, str]] = {value.number: value.name for value in values}


_fields_of: Final[dict[str, list[_Field]]] = {}


def _fields(message: Message) -> list[_Field]:
    descriptor = cast(Descriptor, message.DESCRIPTOR)
    fields = _fields_of.get(descriptor.full_name)
    if fields is None:
        fields = [_Field(field, getattr(message, field.name)) for field in descriptor.fields]
        _fields_of[descriptor.full_name] = fields
    return fields


def write_message(message: Message) -> str:
    parts: list[str] = []
    _write(message, _fields(message), parts)
    return "".join(parts)


def quote(text: str) -> str:
    """A JSON string; characters beyond ASCII stay as they are."""
    return py_encode_basestring(text)


def _write(message: Message, fields: list[_Field], parts: list[str]) -> None:
    separator = "{"
    for field in fields:
        name = field.name
        if field.is_told and not message.HasField(name):
            continue
        value = getattr(message, name)
        if not field.is_told and not value:
            continue
        parts.append(f'{separator}"{name}":')
        separator = ","
        if not field.is_repeated:
            _write_value(field, value, parts)
        elif field.kind == _MESSAGE:
            _write_messages(value, parts)
        else:
            bracket = "["
            for element in value:
                parts.append(bracket)
                _write_value(field, element, parts)
                bracket = ","
            parts.append("]")
    parts.append("{}" if separator == "{" else "}")


def _write_messages(messages: list[Message], parts: list[str]) -> None:
    fields = _fields(messages[0])
    bracket = "["
    for message in messages:
        parts.append(bracket)
        _write(message, fields, parts)
        bracket = ","
    parts.append("]")


def _write_value(field: _Field, value: object, parts: list[str]) -> None:
    kind = field.kind
    if kind == _WIDE:
        parts.append(f'"{value}"')
    elif kind == _BYTES:
        parts.append(f'"{b64encode(cast(bytes, value)).decode()}"')
    elif kind == _MESSAGE:
        message = cast(Message, value)
        _write(message, _fields(message), parts)
    elif kind == _TEXT:
        parts.append(quote(cast(str, value)))
    elif kind == _BOOL:
        parts.append("true" if value else "false")
    elif kind == _ENUM:
        number = cast(int, value)
        named = field.enum_names.get(number)
        parts.append(str(number) if named is None else f'"{named}"')
    else:
        parts.append(str(value))
