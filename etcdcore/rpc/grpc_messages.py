"""gRPC's own format inside HTTP/2: messages across DATA frames, timeouts, status texts.

message: is compressed u8 | length u32 BE | message. Source: grpc/doc/PROTOCOL-HTTP2.md.
"""

import zlib
from typing import Final, final

from mypy_extensions import mypyc_attr

from etcdcore.errors import INTERNAL, RESOURCE_EXHAUSTED, UNIMPLEMENTED

PREFIX_BYTES: Final = 5
_GZIP_WINDOW_BITS: Final = 31
_TIMEOUT_DIGITS_MAX: Final = 8
_UNIT_MS: Final[dict[str, float]] = {"H": 3_600_000.0, "M": 60_000.0, "S": 1000.0, "m": 1.0, "u": 0.001, "n": 0.000001}


def too_large_text(size: int, limit: int) -> str:
    """As grpc-go says it."""
    return f"grpc: received message larger than max ({size} vs. {limit})"


def encode_message(message: bytes) -> bytes:
    return len(message).to_bytes(5, "big") + message


def decode_timeout_ms(text: str) -> float | None:
    """None for what is no timeout: up to eight digits and a unit."""
    digits = text[:-1]
    unit_ms = _UNIT_MS.get(text[-1:])
    if unit_ms is None or not 0 < len(digits) <= _TIMEOUT_DIGITS_MAX or not (digits.isascii() and digits.isdigit()):
        return None
    return int(digits) * unit_ms


def encode_status_text(text: str) -> bytes:
    """Percent-encoded: all but printable ASCII, and the percent sign."""
    raw = text.encode("utf-8", "replace")
    if text.isascii() and text.isprintable() and "%" not in text:
        return raw
    return b"".join([bytes([byte]) if 0x20 <= byte <= 0x7E and byte != 0x25 else b"%%%02X" % byte for byte in raw])


@final
@mypyc_attr(native_class=True)
class MessageFault:
    """Why a call ends before its service has seen the message."""

    __slots__ = ("code", "text")

    def __init__(self, code: int, text: str) -> None:
        self.code: Final = code
        self.text: Final = text


@final
@mypyc_attr(native_class=True)
class MessageReader:
    """Messages of one call out of its DATA frames. Keeps at most one unfinished message."""

    __slots__ = ("_buffer", "_encoding", "_limit", "fault")

    def __init__(self, limit: int, encoding: str) -> None:
        self._limit: Final = limit
        self._encoding: Final = encoding
        """Of messages that say they are compressed: gzip, or empty."""
        self._buffer: Final = bytearray()
        self.fault: MessageFault | None = None

    @property
    def kept_bytes(self) -> int:
        return len(self._buffer)

    def receive(self, data: bytes) -> list[bytes]:
        """The messages that these bytes complete. Ends at the first fault."""
        buffer = self._buffer
        buffer += data
        messages: list[bytes] = []
        at = 0
        while self.fault is None and len(buffer) - at >= PREFIX_BYTES:
            flag = buffer[at]
            size = int.from_bytes(buffer[at + 1 : at + PREFIX_BYTES], "big")
            if flag > 1:
                self.fault = MessageFault(INTERNAL, f"grpc: received unexpected payload format {flag}")
            elif flag and not self._encoding:
                self.fault = MessageFault(INTERNAL, "grpc: compressed flag set with identity or empty encoding")
            elif size > self._limit:
                self.fault = MessageFault(RESOURCE_EXHAUSTED, too_large_text(size, self._limit))
            if self.fault is not None or len(buffer) - at - PREFIX_BYTES < size:
                break
            start = at + PREFIX_BYTES
            at = start + size
            with memoryview(buffer) as view:
                message = bytes(view[start:at])
            messages.append(self._unpack(message) if flag else message)
        if self.fault is not None:
            buffer.clear()
        elif at:
            del buffer[:at]
        return messages

    def _unpack(self, packed: bytes) -> bytes:
        """Unpacks up to the limit: a small message may hold a thousand times as much."""
        unpacker = zlib.decompressobj(wbits=_GZIP_WINDOW_BITS)
        try:
            message = unpacker.decompress(packed, self._limit + 1)
        except zlib.error as error:
            self.fault = MessageFault(INTERNAL, f"grpc: failed to decompress the received message: {error}")
            return b""
        if len(message) > self._limit:
            self.fault = MessageFault(
                RESOURCE_EXHAUSTED, f"grpc: received message after decompression larger than max {self._limit}"
            )
        elif not unpacker.eof:
            self.fault = MessageFault(INTERNAL, "grpc: failed to decompress the received message: unexpected EOF")
        return message


def unknown_encoding_fault(encoding: str) -> MessageFault:
    return MessageFault(UNIMPLEMENTED, f'grpc: Decompressor is not installed for grpc-encoding "{encoding}"')
