"""Frames to bytes, and the parts of a payload that several kinds share.

frame: length u24 | type u8 | flags u8 | reserved bit and stream id u31 | payload. Source: RFC 9113 §4.1.
"""

from collections.abc import Sequence

from etcdcore.http2.codes import (
    FLAG_ACK,
    FLAG_PADDED,
    FLAG_PRIORITY,
    GOAWAY,
    PING,
    PROTOCOL_ERROR,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    ConnectionViolation,
)


def encode_frame(kind: int, flags: int, stream_id: int, payload: bytes) -> bytes:
    return (len(payload) << 48 | kind << 40 | flags << 32 | stream_id).to_bytes(9, "big") + payload


def encode_frame_start(kind: int, flags: int, length: int) -> bytes:
    """A frame's first five bytes, before its stream's id."""
    return (length << 16 | kind << 8 | flags).to_bytes(5, "big")


def encode_settings(pairs: Sequence[tuple[int, int]]) -> bytes:
    payload = b"".join([(number << 32 | value).to_bytes(6, "big") for number, value in pairs])
    return encode_frame(SETTINGS, 0, 0, payload)


SETTINGS_ACK = encode_frame(SETTINGS, FLAG_ACK, 0, b"")


def encode_window_update(stream_id: int, increment: int) -> bytes:
    return encode_frame(WINDOW_UPDATE, 0, stream_id, increment.to_bytes(4, "big"))


def encode_rst_stream(stream_id: int, code: int) -> bytes:
    return encode_frame(RST_STREAM, 0, stream_id, code.to_bytes(4, "big"))


def encode_ping(opaque: bytes, is_ack: bool) -> bytes:
    return encode_frame(PING, FLAG_ACK if is_ack else 0, 0, opaque)


def encode_goaway(last_stream_id: int, code: int, text: bytes) -> bytes:
    return encode_frame(GOAWAY, 0, 0, (last_stream_id << 32 | code).to_bytes(8, "big") + text)


def u32(data: bytes, at: int) -> int:
    return data[at] << 24 | data[at + 1] << 16 | data[at + 2] << 8 | data[at + 3]


def strip_padding(flags: int, payload: bytes) -> bytes:
    """A DATA or HEADERS payload without its padding. Padding longer than the payload is PROTOCOL_ERROR (§6.1)."""
    if not flags & FLAG_PADDED:
        return payload
    if not payload or payload[0] >= len(payload):
        raise ConnectionViolation(PROTOCOL_ERROR, "padding is longer than its frame")
    return payload[1 : len(payload) - payload[0]]


def strip_priority(flags: int, payload: bytes, stream_id: int) -> tuple[bytes, bool]:
    """A HEADERS payload without its priority, and whether the stream depends on itself, which is its error (§5.3.1)."""
    if not flags & FLAG_PRIORITY:
        return payload, False
    if len(payload) < 5:
        raise ConnectionViolation(PROTOCOL_ERROR, "a HEADERS frame is too short for its priority")
    return payload[5:], u32(payload, 0) & 0x7FFFFFFF == stream_id
