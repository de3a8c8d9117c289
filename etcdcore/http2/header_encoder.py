"""Response fields to header blocks (RFC 7541).

Most blocks use no dynamic table, so they are bytes that fit every connection. The few that every call repeats are put
into the client's table the first time and are an index from then on: two bytes instead of thirty, which also spares the
client the reading.
"""

from typing import Final, final

from hpack.table import HeaderTable
from mypy_extensions import mypyc_attr

from etcdcore.http2.codes import HEADER_TABLE_BYTES
from etcdcore.http2.header_field import FIELD_OVERHEAD_BYTES

_STATIC_COUNT: Final = 61
_STATIC_FIELDS: Final[dict[tuple[bytes, bytes], int]] = {
    (name, value): index for index, (name, value) in reversed(list(enumerate(HeaderTable.STATIC_TABLE, 1)))
}
_STATIC_NAMES: Final[dict[bytes, int]] = {
    name: index for index, (name, _) in reversed(list(enumerate(HeaderTable.STATIC_TABLE, 1)))
}

TABLE_CLOSED: Final = b"\x20"
"""A table size of 0: the first bytes of the next block after a client has made its table smaller than usual."""


def encode_integer(value: int, mask: int, first: int) -> bytes:
    """RFC 7541 §5.1: `mask` are the bits of the first byte that are the number's, `first` its other bits."""
    if value < mask:
        return bytes([first | value])
    encoded = bytearray([first | mask])
    value -= mask
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def encode_literal(name: bytes, value: bytes, mask: int, first: int) -> bytes:
    index = _STATIC_NAMES.get(name, 0)
    encoded = encode_integer(index, mask, first)
    if not index:
        encoded += encode_integer(len(name), 0x7F, 0) + name
    return encoded + encode_integer(len(value), 0x7F, 0) + value


@final
@mypyc_attr(native_class=True)
class ResponseFields:
    """Fields of a response's head or trailers. `is_common`: a constant of ours that most answers have."""

    __slots__ = ("fields", "is_common", "plain")

    def __init__(self, fields: list[tuple[bytes, bytes]], is_common: bool = False) -> None:
        self.fields: Final = fields
        self.is_common: Final = is_common
        self.plain: Final = b"".join([_encode_plain(name, value) for name, value in fields])
        """The block without a dynamic table."""


def _encode_plain(name: bytes, value: bytes) -> bytes:
    index = _STATIC_FIELDS.get((name, value), 0)
    return encode_integer(index, 0x7F, 0x80) if index else encode_literal(name, value, 0x0F, 0x00)


@final
class HeaderEncoder:
    """What we know of one client's dynamic table."""

    __slots__ = ("_encoded", "_has_table", "_inserted", "_inserted_bytes", "_is_closing_table")

    def __init__(self) -> None:
        self._inserted: Final[dict[tuple[bytes, bytes], int]] = {}
        """Field to how many were inserted before it. Never more than fit, so that none is ever evicted."""
        self._inserted_bytes = 0
        self._encoded: Final[dict[ResponseFields, bytes]] = {}
        """Valid until the next insertion."""
        self._has_table = True
        self._is_closing_table = False

    def set_table_bytes_max(self, size: int) -> None:
        """What the client's SETTINGS allow. Smaller than usual: we do without from then on."""
        if size < HEADER_TABLE_BYTES and self._has_table:
            self._has_table = False
            self._is_closing_table = True
            self._encoded.clear()

    def encode(self, response: ResponseFields) -> bytes:
        """The block to send next: it has to be sent, and in this order."""
        block = self._encoded.get(response)
        if block is not None:
            return block
        if self._is_closing_table:
            self._is_closing_table = False
            return TABLE_CLOSED + response.plain
        if not response.is_common or not self._has_table:
            return response.plain
        return self._encode_common(response)

    def _encode_common(self, response: ResponseFields) -> bytes:
        block = b""
        is_repeatable = True
        for name, value in response.fields:
            if (name, value) in _STATIC_FIELDS:
                block += encode_integer(_STATIC_FIELDS[name, value], 0x7F, 0x80)
            elif (name, value) in self._inserted:
                block += encode_integer(_STATIC_COUNT + len(self._inserted) - self._inserted[name, value], 0x7F, 0x80)
            elif self._inserted_bytes + len(name) + len(value) + FIELD_OVERHEAD_BYTES <= HEADER_TABLE_BYTES:
                block += encode_literal(name, value, 0x3F, 0x40)
                self._inserted_bytes += len(name) + len(value) + FIELD_OVERHEAD_BYTES
                self._inserted[name, value] = len(self._inserted)
                self._encoded.clear()
                is_repeatable = False
            else:
                block += encode_literal(name, value, 0x0F, 0x00)
        if is_repeatable:
            self._encoded[response] = block
        return block
