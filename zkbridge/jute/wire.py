"""Bytes of jute's primitive types: the only file of the room that packs integers.

Generated code asks `layout` for one precompiled struct per run of fixed-size fields (a length prefix ends a run), and
handles strings and buffers by slicing. A run of a single int or boolean, which most lengths are, is read by `read_int`
and `read_bool`: compiled 9 ns instead of 130 for the struct's call and tuple, interpreted a little slower.

Invariants:
1. All integers are big-endian two's complement, with no padding.
2. `LAYOUT_ERROR` is the only exception that reading, or a layout's pack or unpack, raises for typed arguments.
"""

import re
import struct
from typing import Final

LAYOUT_ERROR: Final = struct.error

# A surrogate written as UTF-8 (CESU-8, as Java's encoder does it), whole or with its last byte cut off.
_ENCODED_SURROGATE: Final = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]?")
_REPLACEMENT: Final = "\ufffd".encode()


class JuteError(Exception):
    """Bytes that are no such record, or a value that does not fit its wire type."""


def layout(codes: str) -> struct.Struct:
    """A run of fixed-size fields: `i` int, `q` long, `?` boolean (reads any non-zero byte as true)."""
    return struct.Struct(">" + codes)


def read_int(data: bytes, offset: int) -> int:
    """The int at `offset`, which is not negative. Raises LAYOUT_ERROR if it ends beyond the bytes."""
    if offset + 4 > len(data):
        raise LAYOUT_ERROR(f"an int at byte {offset} of {len(data)}")
    number = data[offset] << 24 | data[offset + 1] << 16 | data[offset + 2] << 8 | data[offset + 3]
    return number - 0x1_0000_0000 if number >= 0x8000_0000 else number


def read_bool(data: bytes, offset: int) -> bool:
    """The boolean at `offset`, which is not negative. Raises LAYOUT_ERROR if it lies beyond the bytes."""
    if offset >= len(data):
        raise LAYOUT_ERROR(f"a boolean at byte {offset} of {len(data)}")
    return data[offset] != 0


def short_of(record: str, error: Exception) -> JuteError:
    """The error for a record whose fixed-size fields end beyond the bytes at hand."""
    return JuteError(f"{record}: {error}")


def out_of_range(record: str, error: Exception) -> JuteError:
    """The error for an integer (or a length) that does not fit its wire type."""
    return JuteError(f"{record}: {error}")


def unreasonable_length(field: str, length: int, left: int) -> JuteError:
    """The error for a length or count that is negative (other than -1) or beyond the bytes left."""
    return JuteError(f"{field}: length or count {length}, with {left} bytes left")


def decode_malformed(raw: bytes) -> str:
    """Text of bytes that are not UTF-8, as Java's decoder replaces: one U+FFFD per maximal bad sequence.

    Python would give one for each byte of an encoded surrogate, Java gives one for the three (or two, if cut) bytes.
    """
    return _ENCODED_SURROGATE.sub(_REPLACEMENT, raw).decode("utf-8", "replace")


def encode_text(text: str) -> bytes:
    """Text as Java's encoder writes it: UTF-8, but six bytes for a character beyond the first plane, since each half of
    its surrogate pair is written on its own (CESU-8). Lone surrogates pass as three bytes."""
    if max(text, default="") <= "\uffff":
        return text.encode("utf-8", "surrogatepass")
    halves = text.encode("utf-16-be", "surrogatepass")
    units = [chr(halves[index] << 8 | halves[index + 1]) for index in range(0, len(halves), 2)]
    return "".join(units).encode("utf-8", "surrogatepass")
