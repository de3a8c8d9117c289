"""Header blocks to fields (RFC 7541), with a cache of whole heads.

A client sends the same block for every call of a method. What a block means depends on the dynamic table it is read
with, so the cache lives as long as the table stays as it is, and holds only blocks that leave it so.

Invariants:
1. Every cached head is what its block means with the present table: any change of the table empties the cache.
2. A block that changes the table is never cached, since reading it again would change the table again.
3. The table is kept even for blocks whose message is refused; one that can't be read ends the connection.

Example: `[insert a: 1]` is read, never cached (table: a). `[index 62]` means a: 1 and is cached; `[insert b: 2]`
empties the cache (table: b, a); now `[index 62]` is read anew and means b: 2.
"""

from typing import Final, final

from hpack.exceptions import HPACKDecodingError
from hpack.huffman_table import decode_huffman
from hpack.table import HeaderTable

from etcdcore.http2.codes import (
    COMPRESSION_ERROR,
    ENHANCE_YOUR_CALM,
    HEADER_TABLE_BYTES,
    ConnectionViolation,
    StreamViolation,
)
from etcdcore.http2.header_field import HeaderField
from etcdcore.http2.request_head import RequestHead, build_request_head

HEADER_LIST_BYTES_MAX: Final = 65_536
"""Of a message's fields, as their sizes are counted: what we announce, past which a request is refused."""

CACHED_HEADS_MAX: Final = 256
CACHED_BLOCK_BYTES_MAX: Final = 1024

_INTEGER_MAX: Final = 1 << 24
"""No length or index comes near: longer ones are an attack on whoever counts in fixed words."""

_STATIC: Final[list[HeaderField]] = [HeaderField(name, value) for name, value in HeaderTable.STATIC_TABLE]
_STATIC_COUNT: Final = 61


@final
class HeaderDecoder:
    """One connection's table and cache."""

    __slots__ = ("_at", "_change_count", "_dynamic", "_dynamic_bytes", "_dynamic_bytes_max", "_heads")

    def __init__(self) -> None:
        self._dynamic: Final[list[HeaderField]] = []
        """The newest last."""
        self._dynamic_bytes = 0
        self._dynamic_bytes_max = HEADER_TABLE_BYTES
        self._change_count = 0
        self._heads: Final[dict[bytes, RequestHead]] = {}
        self._at = 0

    def decode_head(self, block: bytes) -> RequestHead:
        """Raises ConnectionViolation for a block that can't be read, StreamViolation for a malformed request."""
        head = self._heads.get(block)
        if head is not None:
            return head
        before = self._change_count
        head = build_request_head(self.decode(block))
        if self._change_count == before and len(block) <= CACHED_BLOCK_BYTES_MAX:  # I2
            if len(self._heads) >= CACHED_HEADS_MAX:
                self._heads.clear()
            self._heads[block] = head
        return head

    def decode(self, block: bytes) -> list[HeaderField]:
        """Raises as `decode_head`. A list past its bound is read to its end (I3) before it is refused."""
        fields: list[HeaderField] = []
        size = 0
        end = len(block)
        self._at = 0
        while self._at < end:
            first = block[self._at]
            if first & 0x80:
                field = self._field_at(self._integer(block, 0x7F))
            elif first & 0x40:
                field = self._literal(block, 0x3F)
                self._insert(field)
            elif first & 0x20:
                if size:
                    raise ConnectionViolation(COMPRESSION_ERROR, "a table size after a field")
                self._resize(self._integer(block, 0x1F))
                continue
            else:
                field = self._literal(block, 0x0F)
            size += field.size
            if size <= HEADER_LIST_BYTES_MAX:
                fields.append(field)
        if size > HEADER_LIST_BYTES_MAX:
            raise StreamViolation(ENHANCE_YOUR_CALM, "the header list is too large")
        return fields

    def _integer(self, block: bytes, mask: int) -> int:
        """RFC 7541 §5.1."""
        value = block[self._at] & mask
        self._at += 1
        if value < mask:
            return value
        shift = 0
        while True:
            if self._at >= len(block):
                raise ConnectionViolation(COMPRESSION_ERROR, "a header block ends inside a number")
            byte = block[self._at]
            self._at += 1
            value += (byte & 0x7F) << shift
            if value > _INTEGER_MAX or shift > 28:
                raise ConnectionViolation(COMPRESSION_ERROR, "a number in a header block is too large")
            if byte < 0x80:
                return value
            shift += 7

    def _field_at(self, index: int) -> HeaderField:
        if 0 < index <= _STATIC_COUNT:
            return _STATIC[index - 1]
        place = len(self._dynamic) - (index - _STATIC_COUNT)
        if index == 0 or place < 0:
            raise ConnectionViolation(COMPRESSION_ERROR, "a header block refers to a field that is not in the table")
        return self._dynamic[place]

    def _literal(self, block: bytes, mask: int) -> HeaderField:
        index = self._integer(block, mask)
        name = self._field_at(index).name.encode("latin-1") if index else self._string(block)
        return HeaderField(name, self._string(block))

    def _string(self, block: bytes) -> bytes:
        if self._at >= len(block):
            raise ConnectionViolation(COMPRESSION_ERROR, "a header block ends before a string")
        is_huffman = block[self._at] & 0x80
        length = self._integer(block, 0x7F)
        start = self._at
        self._at = start + length
        if self._at > len(block):
            raise ConnectionViolation(COMPRESSION_ERROR, "a header block ends inside a string")
        if not is_huffman:
            return block[start : self._at]
        try:
            return decode_huffman(block[start : self._at])
        except HPACKDecodingError as error:
            raise ConnectionViolation(COMPRESSION_ERROR, "a header block has a bad Huffman code") from error

    def _insert(self, field: HeaderField) -> None:
        """A field larger than the table empties it, and that is no error (RFC 7541 §4.4)."""
        self._changed()
        self._dynamic_bytes += field.size
        self._dynamic.append(field)
        self._evict()

    def _resize(self, size: int) -> None:
        if size > HEADER_TABLE_BYTES:
            raise ConnectionViolation(COMPRESSION_ERROR, "a table size past what was agreed")
        self._changed()
        self._dynamic_bytes_max = size
        self._evict()

    def _changed(self) -> None:
        self._change_count += 1
        if self._heads:
            self._heads.clear()  # I1

    def _evict(self) -> None:
        while self._dynamic_bytes > self._dynamic_bytes_max:
            self._dynamic_bytes -= self._dynamic.pop(0).size
