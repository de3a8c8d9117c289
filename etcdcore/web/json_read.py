"""JSON to protobuf messages, as etcd's gateway reads it (protojson, unknown fields discarded).

Field names are those of the schema or their lowerCamel form; 64-bit integers numbers or strings, also written as 1.0 or
1e2; bytes in standard or URL base64, padded or not; enums by name or number, an unknown name is passed over; null is
absence. A field twice, or two of a oneof, is an error. Texts are protojson's without its position.

Invariants:
1. Whatever the bytes, the result is a message or `JsonError`.
2. Nesting is bounded: by `DEPTH_MAX` for messages, by the interpreter's own limit for what is passed over.
"""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from json import JSONDecodeError, JSONDecoder
from typing import Final, cast

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

DEPTH_MAX: Final = 100
"""protobuf's own bound for parsing: a deeper message could not be read by the service."""
_NUMBER: Final = re.compile(r"(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,4}))?")
_DIGITS_MAX: Final = 64
"""No integer field holds a number that is longer than this, in whatever form."""
_SPACE: Final = re.compile(r"[ \t\r\n]*")
_INTEGERS: Final = {
    FieldDescriptor.CPPTYPE_INT32: (-(1 << 31), (1 << 31) - 1, "int32"),
    FieldDescriptor.CPPTYPE_INT64: (-(1 << 63), (1 << 63) - 1, "int64"),
    FieldDescriptor.CPPTYPE_UINT32: (0, (1 << 32) - 1, "uint32"),
    FieldDescriptor.CPPTYPE_UINT64: (0, (1 << 64) - 1, "uint64"),
}


class JsonError(ValueError):
    """What came is not the JSON of such a message."""


class _Number(str):
    """A number as it was written."""

    __slots__ = ()


class _Pairs(list[tuple[str, object]]):
    """An object, its pairs in order, a name perhaps twice."""

    __slots__ = ()


def _refuse_constant(name: str) -> object:
    raise JsonError(f"invalid character {name[0]!r} looking for beginning of value")


_DECODER: Final = JSONDecoder(
    object_pairs_hook=_Pairs, parse_float=_Number, parse_int=_Number, parse_constant=_refuse_constant
)


def read_message(data: bytes, message: Message) -> None:
    """Fills an empty message from the first JSON value in `data`; what follows it is not looked at, as in etcd.

    Nothing but white space leaves it empty. Raises JsonError.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise JsonError("proto: syntax error: invalid UTF-8 in string") from error
    start = _SPACE.match(text)
    assert start is not None, "the pattern matches everywhere"
    if start.end() == len(text):
        return
    try:
        value, _ = _DECODER.raw_decode(text, start.end())
    except JSONDecodeError as error:
        if error.pos >= len(text) or error.msg.startswith("Unterminated"):
            raise JsonError("unexpected EOF") from error
        raise JsonError(f"invalid character {text[error.pos]!r}: {error.msg}") from error
    except RecursionError as error:
        raise JsonError("exceeded max depth") from error
    _fill(message, value, 0)


def _fill(message: Message, value: object, depth: int) -> None:
    if not isinstance(value, _Pairs):
        raise JsonError(f"proto: syntax error: unexpected token {_show(value)}")
    if depth == DEPTH_MAX:
        raise JsonError("exceeded max recursion depth")
    names = _names(cast(Descriptor, message.DESCRIPTOR))
    seen: set[int] = set()
    seen_oneofs: set[str] = set()
    for name, item in value:
        field = names.get(name)
        if field is None:
            continue
        if field.number in seen:
            raise JsonError(f'proto: duplicate field "{name}"')
        seen.add(field.number)
        if item is None:
            continue
        oneof = field.containing_oneof
        if oneof is not None:
            if oneof.name in seen_oneofs:
                raise JsonError(f'proto: error parsing "{name}", oneof {oneof.full_name} is already set')
            seen_oneofs.add(oneof.name)
        _set(message, field, item, depth)


_names_of: Final[dict[str, dict[str, FieldDescriptor]]] = {}


def _names(descriptor: Descriptor) -> dict[str, FieldDescriptor]:
    names = _names_of.get(descriptor.full_name)
    if names is None:
        names = {}
        for field in descriptor.fields:
            names[field.json_name] = field
            names[field.name] = field
        _names_of[descriptor.full_name] = names
    return names


def _set(message: Message, field: FieldDescriptor, item: object, depth: int) -> None:
    present = getattr(message, field.name)
    if isinstance(present, Message):
        present.SetInParent()
        _fill(present, item, depth + 1)
        return
    if not isinstance(present, int | str | bytes):  # so it is repeated: what asks a field that differs by release
        if not isinstance(item, list) or isinstance(item, _Pairs):
            raise JsonError(f"proto: syntax error: unexpected token {_show(item)}")
        for element in item:
            if field.message_type is not None:
                _fill(present.add(), element, depth + 1)
                continue
            scalar = _scalar(field, element)
            if scalar is not None:
                present.append(scalar)
        return
    scalar = _scalar(field, item)
    if scalar is not None:
        setattr(message, field.name, scalar)


def _scalar(field: FieldDescriptor, item: object) -> int | str | bytes | None:
    """The value of a field of a simple type; None for an enum's name that is passed over."""
    kind = field.cpp_type
    integer = _INTEGERS.get(kind)
    if integer is not None:
        lowest, highest, type_name = integer
        number = _integer(item)
        if number is None or not lowest <= number <= highest:
            raise _invalid(type_name, field, item)
        return number
    if kind == FieldDescriptor.CPPTYPE_BOOL:
        if not isinstance(item, bool):
            raise _invalid("bool", field, item)
        return item
    if kind == FieldDescriptor.CPPTYPE_ENUM:
        return _enum(field, item)
    if not isinstance(item, str) or isinstance(item, _Number):
        raise _invalid("bytes" if field.type == FieldDescriptor.TYPE_BYTES else "string", field, item)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return _base64(field, item)
    try:
        item.encode()
    except UnicodeEncodeError as error:
        raise JsonError("proto: syntax error: invalid escape code in string") from error
    return item


def _integer(item: object) -> int | None:
    """An integer as a number or a string of one, however it is written; else None."""
    if not isinstance(item, str) or len(item) > _DIGITS_MAX:
        return None
    match = _NUMBER.fullmatch(item)
    if match is None:
        return None
    sign, whole, fraction, exponent = match.groups()
    if len(whole) > 1 and whole[0] == "0":
        return None
    fraction = fraction or ""
    shift = int(exponent or "0") - len(fraction)
    digits = whole + fraction
    if shift < 0:
        kept = digits[:shift] if -shift < len(digits) else ""
        if digits[len(kept) :].strip("0"):
            return None
        digits = kept or "0"
    elif digits.strip("0"):
        if shift > _DIGITS_MAX:
            return None
        digits += "0" * shift
    number = int(digits)
    return -number if sign else number


def _enum(field: FieldDescriptor, item: object) -> int | None:
    enum = field.enum_type
    assert enum is not None, "an enum field has a type"
    if isinstance(item, str) and not isinstance(item, _Number):
        value = enum.values_by_name.get(item)
        return None if value is None else value.number
    number = _integer(item)
    if number is None or not -(1 << 31) <= number < 1 << 31:
        raise _invalid("enum", field, item)
    return number


def _base64(field: FieldDescriptor, item: str) -> bytes:
    # Go decides by the length of all of it whether padding is expected, and passes over line ends only then.
    is_padded = len(item) % 4 == 0
    text = item.replace("\r", "").replace("\n", "")
    if "-" in text or "_" in text:
        if "+" in text or "/" in text:
            raise _invalid("bytes", field, item)
        text = text.replace("-", "+").replace("_", "/")
    if not is_padded:
        if "=" in text:
            raise _invalid("bytes", field, item)
        text += "=" * (-len(text) % 4)
    try:
        return b64decode(text, validate=True)
    except (Base64Error, ValueError) as error:
        raise _invalid("bytes", field, item) from error


_SHOWN_MAX: Final = 100
"""Characters of a wrong value that its error repeats."""


def _show(item: object) -> str:
    if isinstance(item, _Number):
        shown = str(item)
    elif isinstance(item, str):
        shown = '"' + item.encode("utf-8", "replace").decode() + '"'
    elif isinstance(item, bool):
        shown = "true" if item else "false"
    elif item is None:
        shown = "null"
    else:
        shown = "{" if isinstance(item, _Pairs) else "["
    return shown if len(shown) <= _SHOWN_MAX else shown[:_SHOWN_MAX] + "..."


def _invalid(type_name: str, field: FieldDescriptor, item: object) -> JsonError:
    return JsonError(f"proto: invalid value for {type_name} field {field.json_name}: {_show(item)}")
