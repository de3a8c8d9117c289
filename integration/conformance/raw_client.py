"""A client of raw frames for the tests of single traps: it says what came, in the order in which it came.

    client = RawClient(port)
    client.connect()
    client.create("/a")
    error = client.error(wire.DELETE, path_version("/a", 7))

Nothing is retried and nothing is hidden: pings are sent only when a test asks, so a reply that should have come before
an event is seen where it came.
"""

from __future__ import annotations

import itertools
import struct
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from integration.conformance import wire
from integration.conformance.frame_socket import Closed, FrameSocket
from integration.conformance.wire import Acl, Cursor, acl_vector, buffer, connect_request, flag, frame, i32, i64

OPEN_ACL: tuple[Acl, ...] = ((31, b"world", b"anyone"),)
NO_PASSWORD = bytes(16)
CREATED, DELETED, CHANGED, CHILDREN = 1, 2, 3, 4
EPHEMERAL, SEQUENTIAL, EPHEMERAL_SEQUENTIAL, CONTAINER, TTL, TTL_SEQUENTIAL = 1, 2, 3, 4, 5, 6
_STAT = struct.Struct(">qqqqiiiqiiq")

Text = str | bytes | None


class Stat(NamedTuple):
    """The record of 68 bytes."""

    czxid: int
    mzxid: int
    ctime: int
    mtime: int
    version: int
    cversion: int
    aversion: int
    owner: int
    data_length: int
    child_count: int
    pzxid: int


@dataclass(frozen=True, slots=True)
class Handshake:
    """A ConnectResponse; `tail` is what follows the password."""

    version: int
    timeout_ms: int
    session_id: int
    password: bytes
    tail: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply; its body is not decoded yet."""

    xid: int
    zxid: int
    error: int
    body: bytes

    @property
    def cursor(self) -> Cursor:
        """Reads the body from its start."""
        return Cursor(self.body)


@dataclass(frozen=True, slots=True)
class Event:
    """A notification."""

    kind: int
    path: str
    zxid: int
    state: int = 3
    error: int = 0

    @property
    def what(self) -> tuple[int, str]:
        """Without zxid and state."""
        return self.kind, self.path


@dataclass(frozen=True, slots=True)
class MultiResult:
    """One result of a multi: type and error of its header, then what its type carries."""

    opcode: int
    error: int
    code: int = 0
    path: str = ""
    stat: Stat | None = None
    data: bytes | None = None
    children: tuple[str, ...] = ()


def text(value: Text) -> bytes:
    """A string on the wire."""
    return buffer(value.encode() if isinstance(value, str) else value)


def create_body(path: Text, data: bytes | None = b"", acl: Iterable[Acl] | None = OPEN_ACL, flags: int = 0) -> bytes:
    """CreateRequest."""
    return text(path) + buffer(data) + acl_vector(None if acl is None else list(acl)) + i32(flags)


def ttl_body(path: Text, ttl_ms: int, flags: int = TTL, acl: Iterable[Acl] | None = OPEN_ACL) -> bytes:
    """CreateTTLRequest."""
    return create_body(path, b"", acl, flags) + i64(ttl_ms)


def path_version(path: Text, version: int = -1) -> bytes:
    """DeleteRequest, CheckVersionRequest."""
    return text(path) + i32(version)


def path_watch(path: Text, watch: bool = False) -> bytes:
    """ExistsRequest, GetDataRequest, GetChildren(2)Request."""
    return text(path) + flag(watch)


def set_data_body(path: Text, data: bytes | None, version: int = -1) -> bytes:
    """SetDataRequest."""
    return text(path) + buffer(data) + i32(version)


def set_acl_body(path: Text, acl: Iterable[Acl] | None, version: int = -1) -> bytes:
    """SetACLRequest."""
    return text(path) + acl_vector(None if acl is None else list(acl)) + i32(version)


def path_number(path: Text, number: int) -> bytes:
    """AddWatchRequest, CheckWatchesRequest, RemoveWatchesRequest."""
    return text(path) + i32(number)


def auth_body(scheme: Text, secret: bytes | None) -> bytes:
    """AuthPacket."""
    return i32(0) + text(scheme) + buffer(secret)


def watch_lists(zxid: int, *lists: Sequence[str] | None) -> bytes:
    """SetWatches with three lists, SetWatches2 with five."""
    return i64(zxid) + b"".join(
        wire.vector(None if paths is None else [text(path) for path in paths]) for paths in lists
    )


def multi_body(*operations: tuple[int, bytes]) -> bytes:
    """Operations with their headers, and the end header."""
    parts = [wire.multi_header(opcode, False, -1) + body for opcode, body in operations]
    return b"".join(parts) + wire.multi_header(-1, True, -1)


def read_stat(cursor: Cursor) -> Stat:
    """The next 68 bytes."""
    return Stat(*_STAT.unpack(cursor.take(_STAT.size)))


def read_text(cursor: Cursor) -> str:
    """A string that is not null."""
    value = cursor.buffer()
    assert value is not None
    return value.decode()


def read_texts(cursor: Cursor) -> list[str]:
    """A vector of strings."""
    return [read_text(cursor) for _ in range(cursor.i32())]


def read_acl(cursor: Cursor) -> list[Acl]:
    """A vector of ACL entries."""
    return [(cursor.i32(), cursor.buffer(), cursor.buffer()) for _ in range(cursor.i32())]


def read_multi(cursor: Cursor) -> list[MultiResult]:
    """All results, and the end header must be the real one with nothing behind it."""
    results: list[MultiResult] = []
    while True:
        opcode, done, error = cursor.i32(), cursor.boolean(), cursor.i32()
        if done:
            assert (opcode, error, cursor.rest()) == (-1, -1, b"")
            return results
        results.append(_read_result(opcode, error, cursor))


def _read_result(opcode: int, error: int, cursor: Cursor) -> MultiResult:
    match opcode:
        case -1:
            return MultiResult(opcode, error, code=cursor.i32())
        case wire.CREATE:
            return MultiResult(opcode, error, path=read_text(cursor))
        case wire.CREATE2:
            return MultiResult(opcode, error, path=read_text(cursor), stat=read_stat(cursor))
        case wire.SET_DATA:
            return MultiResult(opcode, error, stat=read_stat(cursor))
        case wire.GET_DATA:
            return MultiResult(opcode, error, data=cursor.buffer(), stat=read_stat(cursor))
        case wire.GET_CHILDREN:
            return MultiResult(opcode, error, children=tuple(sorted(read_texts(cursor))))
        case wire.DELETE | wire.CHECK:
            return MultiResult(opcode, error)
        case _:
            raise AssertionError(f"result type {opcode}")


class RawClient(FrameSocket):
    """One connection, and its session once `connect` was called. `events` are those that came before the last reply."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.port = port
        self.events: list[Event] = []
        self.xids = itertools.count(1)
        self.session_id = 0
        self.password = NO_PASSWORD
        self.last_zxid = 0

    # Frames

    def fill(self) -> None:
        """As everywhere, but nothing here may close within a frame."""
        try:
            super().fill()
        except Closed:
            assert not self.received, f"closed within a frame: {self.received.hex()}"
            raise

    def expect_closed(self) -> None:
        """The server closes, and nothing comes before that."""
        try:
            body = self.read_frame()
        except Closed:
            return
        raise AssertionError(f"a frame instead of the close: {body.hex()}")

    # Handshake

    def connect(
        self,
        timeout_ms: int = 10_000,
        session_id: int = 0,
        password: bytes | None = NO_PASSWORD,
        last_zxid: int = 0,
        read_only: bytes = b"\x00",
    ) -> Handshake:
        """The first frame and its answer. Raises Closed."""
        self.send_bytes(connect_request(last_zxid, timeout_ms, session_id, password, read_only))
        return self.read_handshake()

    def read_handshake(self) -> Handshake:
        """A ConnectResponse; the session is ours from now on."""
        body = self.read_frame()
        cursor = Cursor(body)
        version, timeout_ms, session_id = cursor.i32(), cursor.i32(), cursor.i64()
        password = cursor.buffer() or b""
        self.session_id, self.password = session_id, password
        return Handshake(version, timeout_ms, session_id, password, cursor.rest(), len(body))

    def close_session(self) -> Reply:
        """Ask for the end; the socket is still open on our side."""
        return self.call(wire.CLOSE_SESSION)

    # Requests

    def send(self, opcode: int, body: bytes = b"", xid: int | None = None) -> int:
        """One request; its xid."""
        number = next(self.xids) if xid is None else xid
        self.send_bytes(frame(i32(number) + i32(opcode) + body))
        return number

    def read(self) -> Reply | Event:
        """The next frame, whatever it is. Raises Closed."""
        body = self.read_frame()
        cursor = Cursor(body)
        xid, zxid, error = cursor.i32(), cursor.i64(), cursor.i32()
        if xid == wire.XID_NOTIFICATION and len(cursor.rest()) >= 12:
            kind, state, path = cursor.i32(), cursor.i32(), read_text(cursor)
            assert not cursor.rest(), f"bytes behind a notification: {body.hex()}"
            return Event(kind, path, zxid, state, error)
        if zxid > 0:
            assert zxid >= self.last_zxid, f"the zxid went back from {self.last_zxid:#x} to {zxid:#x}"
            self.last_zxid = zxid
        return Reply(xid, zxid, error, cursor.rest())

    def reply(self) -> Reply:
        """The next reply; events before it are kept in `events`."""
        while isinstance(got := self.read(), Event):
            self.events.append(got)
        return got

    def call(self, opcode: int, body: bytes = b"", xid: int | None = None) -> Reply:
        """One request and its reply, which must be the next one."""
        number = self.send(opcode, body, xid)
        reply = self.reply()
        assert reply.xid == (wire.XID_PING if opcode == wire.PING else number)
        return reply

    def error(self, opcode: int, body: bytes = b"") -> int:
        """The error code of a request; a refusal must have no body."""
        reply = self.call(opcode, body)
        assert reply.error == 0 or reply.body == b""
        return reply.error

    def ok(self, opcode: int, body: bytes = b"") -> Cursor:
        """The body of a request that must succeed."""
        reply = self.call(opcode, body)
        assert reply.error == 0, f"opcode {opcode} failed with {reply.error}"
        return reply.cursor

    def taken_events(self) -> list[Event]:
        """The events so far, all of those that the server has queued; asked by a ping, and forgotten."""
        self.call(wire.PING, xid=wire.XID_PING)
        events, self.events = self.events, []
        return events

    def fired(self) -> list[tuple[int, str]]:
        """As `taken_events`: kind and path only."""
        return [event.what for event in self.taken_events()]

    # What tests do all the time; each must succeed

    def create(self, path: Text, data: bytes | None = b"", flags: int = 0, acl: Iterable[Acl] | None = OPEN_ACL) -> str:
        """The path created."""
        return read_text(self.ok(wire.CREATE, create_body(path, data, acl, flags)))

    def create2(self, path: Text, data: bytes | None = b"", flags: int = 0) -> tuple[str, Stat]:
        """Path and Stat."""
        cursor = self.ok(wire.CREATE2, create_body(path, data, OPEN_ACL, flags))
        return read_text(cursor), read_stat(cursor)

    def delete(self, path: Text) -> None:
        """Whatever its version."""
        assert self.error(wire.DELETE, path_version(path)) == 0

    def set_data(self, path: Text, data: bytes | None = b"", version: int = -1) -> Stat:
        """The Stat after it."""
        return read_stat(self.ok(wire.SET_DATA, set_data_body(path, data, version)))

    def get_data(self, path: Text, watch: bool = False) -> tuple[bytes | None, Stat]:
        """Data and Stat."""
        cursor = self.ok(wire.GET_DATA, path_watch(path, watch))
        return cursor.buffer(), read_stat(cursor)

    def stat(self, path: Text, watch: bool = False) -> Stat:
        """By exists."""
        return read_stat(self.ok(wire.EXISTS, path_watch(path, watch)))

    def exists(self, path: Text, watch: bool = False) -> bool:
        """By exists."""
        error = self.error(wire.EXISTS, path_watch(path, watch))
        assert error in (0, -101)
        return error == 0

    def children(self, path: Text, watch: bool = False) -> list[str]:
        """Names, sorted."""
        return sorted(read_texts(self.ok(wire.GET_CHILDREN, path_watch(path, watch))))

    def set_acl(self, path: Text, acl: Iterable[Acl]) -> Stat:
        """The Stat after it."""
        return read_stat(self.ok(wire.SET_ACL, set_acl_body(path, acl)))

    def get_acl(self, path: Text) -> tuple[list[Acl], Stat]:
        """ACL and Stat."""
        cursor = self.ok(wire.GET_ACL, text(path))
        return read_acl(cursor), read_stat(cursor)

    def add_auth(self, scheme: str, secret: bytes) -> None:
        """One more id for this connection."""
        assert self.call(wire.AUTH, auth_body(scheme, secret), wire.XID_AUTH).error == 0

    def add_watch(self, path: str, recursive: bool = False) -> None:
        """A persistent watch."""
        assert self.ok(wire.ADD_WATCH, path_number(path, int(recursive))).rest() == bytes(4)

    def multi(self, *operations: tuple[int, bytes]) -> list[MultiResult]:
        """The results; the reply's own error is 0 whatever became of it."""
        return read_multi(self.ok(wire.MULTI, multi_body(*operations)))


def wait_gone(client: RawClient, path: str, timeout_s: float = 10.0) -> float:
    """Wait until a znode is gone; the seconds that it took. The client's session is kept alive by asking."""
    started = time.monotonic()
    while client.exists(path):
        assert time.monotonic() - started < timeout_s, f"{path} is still there"
        time.sleep(0.02)
    return time.monotonic() - started
