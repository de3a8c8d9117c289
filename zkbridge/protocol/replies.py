"""Replies as bytes.

reply: length i32 | xid i32 | zxid i64 | err i32 | body        A reply with err != 0 has no body, but for multiRead.
connect response: length i32 | protocol version i32 | timeout i32 | session id i64 | password buffer | [read only u8]

Source: ZooKeeper ReplyHeader, ConnectResponse; reference sections 1.2, 1.4, 1.6.
"""

import struct
from typing import Final, final

PACK_REPLY_HEADER: Final = struct.Struct(">iiqi").pack
"""The method itself: to find it anew costs a hundredth of a read."""
_CONNECT: Final = struct.Struct(">iiiqi")
REPLY_HEADER_BYTES: Final = 16

PASSWORD_BYTES: Final = 16
NO_PASSWORD: Final = bytes(PASSWORD_BYTES)


def encode_reply(xid: int, zxid: int, body: bytes) -> bytes:
    """A successful reply; `body` may be empty."""
    return PACK_REPLY_HEADER(REPLY_HEADER_BYTES + len(body), xid, zxid, 0) + body


def encode_error(xid: int, zxid: int, code: int) -> bytes:
    """A refusal: the header alone."""
    return PACK_REPLY_HEADER(REPLY_HEADER_BYTES, xid, zxid, code)


@final
class RefusedAnswer:
    """The odd answer that has a body beside its error: a multiRead that can't be decoded whole."""

    __slots__ = ("body", "code")

    def __init__(self, code: int, body: bytes) -> None:
        self.code: Final = code
        self.body: Final = body


def encode_refused_answer(xid: int, zxid: int, answer: RefusedAnswer) -> bytes:
    """Its code in the header and its body behind."""
    return PACK_REPLY_HEADER(REPLY_HEADER_BYTES + len(answer.body), xid, zxid, answer.code) + answer.body


def encode_connect_response(timeout_ms: int, session_id: int, password: bytes, with_read_only: bool) -> bytes:
    """The handshake's answer; `with_read_only` only if the request carried the byte (3.3 clients and go-zk do not)."""
    assert len(password) == PASSWORD_BYTES
    tail = b"\x00" if with_read_only else b""
    return _CONNECT.pack(20 + PASSWORD_BYTES + len(tail), 0, timeout_ms, session_id, PASSWORD_BYTES) + password + tail


def encode_session_expired(with_read_only: bool) -> bytes:
    """What an unknown session and a wrong password both get, before the connection closes."""
    return encode_connect_response(0, 0, NO_PASSWORD, with_read_only)
