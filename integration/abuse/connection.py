"""A raw connection for misbehaving with: sends any bytes, reads frames, and knows a close from a silence."""

from __future__ import annotations

import struct
from types import TracebackType
from typing import Self

from integration.conformance import wire
from integration.conformance.frame_socket import REPLY_TIMEOUT_S, Closed, FrameSocket

PING = wire.frame(wire.i32(wire.XID_PING) + wire.i32(wire.PING))
ANYONE = wire.acl_vector([(31, b"world", b"anyone")])


def request(xid: int, opcode: int, body: bytes = b"") -> bytes:
    """A whole frame with its header."""
    return wire.frame(wire.i32(xid) + wire.i32(opcode) + body)


def create(xid: int, path: bytes, data: bytes | None = b"", flags: int = 0) -> bytes:
    """A create for everybody."""
    return request(xid, wire.CREATE, wire.buffer(path) + wire.buffer(data) + ANYONE + wire.i32(flags))


def get_data(xid: int, path: bytes, watch: bool = False) -> bytes:
    """A getData."""
    return request(xid, wire.GET_DATA, wire.buffer(path) + wire.flag(watch))


def set_data(xid: int, path: bytes, data: bytes) -> bytes:
    """A setData of any version."""
    return request(xid, wire.SET_DATA, wire.buffer(path) + wire.buffer(data) + wire.i32(-1))


class RawConnection(FrameSocket):
    """One TCP connection to the client port."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def is_open(self, wait_s: float) -> bool:
        """Whether the server leaves the connection open and silent for so long."""
        self.socket.settimeout(wait_s)
        try:
            self.fill()
        except TimeoutError:
            return True
        except Closed:
            return False
        finally:
            self.socket.settimeout(REPLY_TIMEOUT_S)
        raise AssertionError(f"an answer came where none was due: {bytes(self.received[:60]).hex()}")

    def open_session(self, timeout_ms: int = 30_000) -> int:
        """A new session on this connection; its id."""
        self.send_bytes(wire.connect_request(0, timeout_ms, 0, bytes(16)))
        cursor = wire.Cursor(self.read_frame())
        cursor.take(8)
        session_id = cursor.i64()
        assert session_id != 0, "no session was given"
        return session_id

    def call(self, frame: bytes) -> tuple[int, bytes]:
        """One request, its error code and the body of its answer."""
        self.send_bytes(frame)
        reply = self.read_frame()
        return struct.unpack_from(">i", reply, 12)[0], reply[16:]
