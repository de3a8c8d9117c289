"""Raw requests of the client port: a small encoder and decoder, independent of the bridge's codec.

Layout: frame: length i32 BE (excludes itself) | xid i32 | opcode i32 | body. A string or buffer is a length i32 and its
bytes, -1 for null; a vector is a count i32 and its elements, -1 for null. Strings are bytes here, so that a script can
send what is not UTF-8.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

CREATE, DELETE, EXISTS, GET_DATA, SET_DATA, GET_ACL, SET_ACL, GET_CHILDREN, SYNC = 1, 2, 3, 4, 5, 6, 7, 8, 9
PING, GET_CHILDREN2, CHECK, MULTI, CREATE2, RECONFIG, CHECK_WATCHES, REMOVE_WATCHES = 11, 12, 13, 14, 15, 16, 17, 18
CREATE_CONTAINER, CREATE_TTL, MULTI_READ, AUTH, SET_WATCHES, SASL = 19, 21, 22, 100, 101, 102
GET_EPHEMERALS, GET_ALL_CHILDREN_NUMBER, SET_WATCHES2, ADD_WATCH, WHO_AM_I, CLOSE_SESSION = 103, 104, 105, 106, 107, -11

OPCODE_NAMES = {
    CREATE: "create",
    DELETE: "delete",
    EXISTS: "exists",
    GET_DATA: "getData",
    SET_DATA: "setData",
    GET_ACL: "getACL",
    SET_ACL: "setACL",
    GET_CHILDREN: "getChildren",
    SYNC: "sync",
    PING: "ping",
    GET_CHILDREN2: "getChildren2",
    CHECK: "check",
    MULTI: "multi",
    CREATE2: "create2",
    RECONFIG: "reconfig",
    CHECK_WATCHES: "checkWatches",
    REMOVE_WATCHES: "removeWatches",
    CREATE_CONTAINER: "createContainer",
    CREATE_TTL: "createTTL",
    MULTI_READ: "multiRead",
    AUTH: "auth",
    SET_WATCHES: "setWatches",
    SASL: "sasl",
    GET_EPHEMERALS: "getEphemerals",
    GET_ALL_CHILDREN_NUMBER: "getAllChildrenNumber",
    SET_WATCHES2: "setWatches2",
    ADD_WATCH: "addWatch",
    WHO_AM_I: "whoAmI",
    CLOSE_SESSION: "closeSession",
}
XID_NOTIFICATION, XID_PING, XID_AUTH = -1, -2, -4

Acl = tuple[int, bytes | None, bytes | None]


class ShortReply(Exception):
    """A reply ended before its record did."""


def i32(value: int) -> bytes:
    """Four bytes, two's complement."""
    return struct.pack(">i", value)


def i64(value: int) -> bytes:
    """Eight bytes, two's complement."""
    return struct.pack(">q", value)


def flag(value: bool) -> bytes:
    """A boolean."""
    return b"\x01" if value else b"\x00"


def buffer(value: bytes | None) -> bytes:
    """A buffer or a string."""
    return i32(-1) if value is None else i32(len(value)) + value


def vector(items: Sequence[bytes] | None) -> bytes:
    """A vector of encoded elements."""
    return i32(-1) if items is None else i32(len(items)) + b"".join(items)


def acl_vector(acl: Sequence[Acl] | None) -> bytes:
    """A vector of ACL records."""
    if acl is None:
        return vector(None)
    return vector([i32(perms) + buffer(scheme) + buffer(ident) for perms, scheme, ident in acl])


def multi_header(opcode: int, done: bool, error: int) -> bytes:
    """MultiHeader: type i32 | done bool | err i32."""
    return i32(opcode) + flag(done) + i32(error)


def frame(body: bytes) -> bytes:
    """A message with its length before it."""
    return i32(len(body)) + body


def connect_request(
    last_zxid: int, timeout_ms: int, session_id: int, password: bytes | None, read_only: bytes = b"\x00"
) -> bytes:
    """The first frame of a client; `read_only` is empty for clients that don't know the field."""
    return frame(i32(0) + i64(last_zxid) + i32(timeout_ms) + i64(session_id) + buffer(password) + read_only)


class Cursor:
    """Reads the fields of one reply."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, size: int) -> bytes:
        """The next bytes. Raises ShortReply."""
        if size < 0 or self.at + size > len(self.data):
            raise ShortReply(f"{size} bytes wanted at {self.at} of {len(self.data)}")
        piece = self.data[self.at : self.at + size]
        self.at += size
        return piece

    def i32(self) -> int:
        """A signed 32-bit integer."""
        return int.from_bytes(self.take(4), "big", signed=True)

    def i64(self) -> int:
        """A signed 64-bit integer."""
        return int.from_bytes(self.take(8), "big", signed=True)

    def boolean(self) -> bool:
        """One byte."""
        return self.take(1) != b"\x00"

    def buffer(self) -> bytes | None:
        """A buffer or a string."""
        size = self.i32()
        return None if size == -1 else self.take(size)

    def rest(self) -> bytes:
        """What nobody has read."""
        return self.data[self.at :]
