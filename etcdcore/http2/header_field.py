"""One header field, judged when it is made: tables and caches hold it, so that nothing is judged twice.

Source: RFC 9113 §8.2: what a name and a value may hold, and the fields of HTTP/1.1 that may not be there.
"""

import re
from typing import Final, final

from mypy_extensions import mypyc_attr

FIELD_OVERHEAD_BYTES: Final = 32
"""Added to name and value for a field's size. Source: RFC 7541 §4.1."""

_NAME: Final = re.compile(rb":?[!#$%&'*+\-.^_`|~0-9a-z]+\Z")
_VALUE_FAULT: Final = re.compile(rb"[\0\r\n]|\A[ \t]|[ \t]\Z")
_CONNECTION_FIELDS: Final = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"}
)


@final
@mypyc_attr(native_class=True)
class HeaderField:
    """Text is latin-1: the wire has bytes. `fault` is empty, or why a message that has this field is malformed."""

    __slots__ = ("fault", "is_pseudo", "name", "size", "value")

    def __init__(self, name: bytes, value: bytes) -> None:
        self.name: Final = name.decode("latin-1")
        self.value: Final = value.decode("latin-1")
        self.size: Final = len(name) + len(value) + FIELD_OVERHEAD_BYTES
        self.is_pseudo: Final = name.startswith(b":")
        self.fault: Final = _fault_of(name, value)


def _fault_of(name: bytes, value: bytes) -> str:
    if _NAME.match(name) is None:
        return "a field name has a character it may not have"
    if _VALUE_FAULT.search(value) is not None:
        return "a field value has a character it may not have"
    if name in _CONNECTION_FIELDS:
        return "a field of HTTP/1.1 connections"
    if name == b"te" and value != b"trailers":
        return "te may only be trailers"
    return ""
