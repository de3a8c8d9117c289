"""A ZooKeeper client: sessions that reconnect, pipelined requests, watches; it notes all that it does and hears.

It is a peer on the wire and no part of the product, but it uses the product's records for the bytes; the property tests
of the codec answer for those.
"""

from __future__ import annotations

import asyncio
import struct
from collections import deque
from collections.abc import Callable
from typing import Any, Final, cast

from tests.simulation.system.history import OK, Event, History, Kind, Operation, SessionLife
from tests.simulation.system.network import SimNetwork, SimTransport
from tests.simulation.system.world import World
from zkbridge.jute import multi
from zkbridge.jute.records import (
    ACL,
    ConnectRequest,
    ConnectResponse,
    CreateRequest,
    CreateResponse,
    DeleteRequest,
    GetChildrenRequest,
    GetChildrenResponse,
    GetDataRequest,
    GetDataResponse,
    Id,
    SetDataRequest,
    SetDataResponse,
    SetWatches,
    SyncRequest,
    WatcherEvent,
)
from zkbridge.protocol import opcodes

OPEN: Final = [ACL(31, Id("world", "anyone"))]
EPHEMERAL: Final = 1
SEQUENTIAL: Final = 2
PING_XID: Final = -2
EVENT_XID: Final = -1
SET_WATCHES_XID: Final = -8
RETRY_S: Final = 0.05


class _Wire(asyncio.Protocol):
    """One connection of a client; what an old one still brings is nobody's."""

    def __init__(self, client: SimClient) -> None:
        self._client: Final = client
        self.transport: asyncio.Transport | None = None
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._client.connected(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= 4:
            (length,) = struct.unpack_from(">i", self._buffer)
            if len(self._buffer) < 4 + length:
                return
            frame = bytes(self._buffer[4 : 4 + length])
            del self._buffer[: 4 + length]
            self._client.received(self, frame)

    def connection_lost(self, exc: Exception | None) -> None:
        self._client.lost(self)

    def send(self, body: bytes) -> None:
        if self.transport is not None:
            self.transport.write(struct.pack(">i", len(body)) + body)


class SimClient:
    """`paused` clients send nothing, pings included, and read nothing new; their sessions expire."""

    def __init__(
        self, world: World, network: SimNetwork, history: History, name: str, port: int, timeout_ms: int
    ) -> None:
        self._world: Final = world
        self._network: Final = network
        self._history: Final = history
        self.name: Final = name
        self._port: Final = port
        self._timeout_ms: Final = timeout_ms
        self._wire: _Wire | None = None
        self.is_connected = False
        self.is_paused = False
        self.is_over = False
        self.session: SessionLife | None = None
        self._password = bytes(16)
        self.last_zxid = 0
        self._xid = 0
        self.connection = 0
        self._place = 0
        self._heard_s = 0.0
        self._pending: Final[deque[tuple[int, Operation | None]]] = deque()
        self.data_watches: Final[set[str]] = set()
        self.child_watches: Final[set[str]] = set()
        self._act(0.0, self._connect)
        self._act(timeout_ms / 3000, self._keep_alive)

    # --- connecting ---

    def _act(self, delay_s: float, act: Callable[[], None]) -> None:
        self._world.after(delay_s, act)

    def _connect(self) -> None:
        if self._wire is None and not self.is_over:
            self._wire = _Wire(self)
            self._heard_s = self._world.now_s
            self._network.connect(self.name, self._port, self._wire)

    def connected(self, wire: _Wire) -> None:
        """The socket is open: the handshake."""
        if wire is not self._wire:
            return
        self._heard_s = self._world.now_s
        session_id = self.session.session_id if self.session is not None else 0
        self._speaks()
        request = ConnectRequest(0, self.last_zxid, self._timeout_ms, session_id, self._password, False)
        wire.send(request.encode())

    def lost(self, wire: _Wire) -> None:
        """The connection is gone; what was pending may or may not have been done."""
        if wire is not self._wire:
            return
        self._wire = None
        self.is_connected = False
        self._pending.clear()
        if not self.is_over:
            self._act(self._world.rng.uniform(RETRY_S / 2, RETRY_S), self._connect)

    def _drop(self) -> None:
        wire = self._wire
        if wire is not None:
            self.lost(wire)
            if wire.transport is not None:
                wire.transport.abort()

    def _keep_alive(self) -> None:
        if self.is_over:
            return
        silent_s = self._world.now_s - self._heard_s
        if self._wire is not None and not self.is_paused:
            if silent_s > self._timeout_ms * 2 / 3000:
                self._drop()
            elif self.is_connected:
                self._send_frame(struct.pack(">ii", PING_XID, opcodes.PING))
        self._act(self._timeout_ms / 3000, self._keep_alive)

    def stop(self) -> None:
        """The client's process dies: its session is left to expire."""
        self.is_over = True
        self._drop()

    def leave(self) -> None:
        """The client's process dies, and nobody tells the server: its host is gone."""
        self.is_over = True
        self._network.cut(self.name)

    # --- sending ---

    def _send_frame(self, body: bytes) -> None:
        assert self._wire is not None
        self._speaks()
        self._wire.send(body)

    def _speaks(self) -> None:
        """The server will hear this, unless the network is cut or the connection has lost bytes."""
        transport = self._wire.transport if self._wire is not None else None
        if self.session is not None and isinstance(transport, SimTransport) and transport.is_delivering:
            self.session.speaks(self._world.now_s)

    def _request(self, opcode: int, record: bytes, operation: Operation | None) -> None:
        self._xid += 1
        self._pending.append((self._xid, operation))
        self._send_frame(struct.pack(">ii", self._xid, opcode) + record)

    def _operation(
        self, kind: Kind, path: str, values: dict[str, bytes] | None = None, watch: bool = False
    ) -> Operation:
        assert self.session is not None
        history = self._history
        operation = Operation(
            len(history.operations),
            self.name,
            self.session.session_id,
            self.connection,
            kind,
            path,
            values or {},
            self._world.now_s,
            watch=watch,
        )
        history.operations.append(operation)
        return operation

    def set(self, path: str, value: bytes) -> None:
        operation = self._operation(Kind.SET, path, {path: value})
        self._request(opcodes.SET_DATA, SetDataRequest(path, value, -1).encode(), operation)

    def get(self, path: str, watch: bool) -> None:
        operation = self._operation(Kind.GET, path, watch=watch)
        self._request(opcodes.GET_DATA, GetDataRequest(path, watch).encode(), operation)

    def sync_get(self, path: str) -> None:
        operation = self._operation(Kind.SYNC_GET, path)
        self._request(opcodes.SYNC, SyncRequest(path).encode(), None)
        self._request(opcodes.GET_DATA, GetDataRequest(path, False).encode(), operation)

    def children(self, path: str, watch: bool) -> None:
        operation = self._operation(Kind.CHILDREN, path, watch=watch)
        self._request(opcodes.GET_CHILDREN, GetChildrenRequest(path, watch).encode(), operation)

    def create_sequential(self, prefix: str, value: bytes) -> None:
        operation = self._operation(Kind.CREATE_SEQUENTIAL, prefix, {prefix: value})
        self._request(opcodes.CREATE, CreateRequest(prefix, value, OPEN, SEQUENTIAL).encode(), operation)

    def create(self, path: str, value: bytes) -> None:
        """Nobody checks these: the nodes of the scene."""
        self._request(opcodes.CREATE, CreateRequest(path, value, OPEN, 0).encode(), None)

    def create_ephemeral(self, path: str, value: bytes) -> None:
        operation = self._operation(Kind.CREATE_EPHEMERAL, path, {path: value})
        self._request(opcodes.CREATE, CreateRequest(path, value, OPEN, EPHEMERAL).encode(), operation)

    def delete(self, path: str) -> None:
        operation = self._operation(Kind.DELETE, path)
        self._request(opcodes.DELETE, DeleteRequest(path, -1).encode(), operation)

    def set_all(self, values: dict[str, bytes]) -> None:
        """A multi."""
        operation = self._operation(Kind.MULTI, next(iter(values)), values)
        operations: list[tuple[int, multi.MultiOperation]] = [
            (multi.OP_SET_DATA, SetDataRequest(path, value, -1)) for path, value in values.items()
        ]
        self._request(opcodes.MULTI, multi.MultiRequest(operations).encode(), operation)

    def close(self) -> None:
        operation = self._operation(Kind.CLOSE, "/")
        self._request(opcodes.CLOSE_SESSION, b"", operation)

    @property
    def pending_count(self) -> int:
        return len(self._pending)

    # --- receiving ---

    def received(self, wire: _Wire, frame: bytes) -> None:
        """One frame, in order."""
        if wire is not self._wire or self.is_over:
            return
        self._heard_s = self._world.now_s
        if not self.is_connected:
            self._established(frame)
            return
        xid, zxid, code = struct.unpack_from(">iqi", frame)
        if xid == PING_XID:
            return
        self._place += 1
        if xid == EVENT_XID:
            self._fired(WatcherEvent.decode(frame, 16))
            return
        if zxid > 0:
            self.last_zxid = max(self.last_zxid, zxid)
        if xid == SET_WATCHES_XID:
            self._history.resumes.append((self.name, self.connection, self._place))
            return
        expected, operation = self._pending.popleft()
        assert xid == expected, f"{self.name}: answer to {xid}, expected {expected}: answers are out of order"
        if operation is not None:
            self._answered(operation, zxid, code, frame[16:])

    def _established(self, frame: bytes) -> None:
        response = ConnectResponse.decode(frame)
        now_s = self._world.now_s
        self.connection += 1
        if response.session_id == 0:
            assert self.session is not None, "a new session was refused"
            self._end_session("expired")
            self._drop()
            return
        self.is_connected = True
        if self.session is None:
            life = SessionLife(response.session_id, self.name, response.time_out, now_s, now_s)
            assert life.session_id not in self._history.sessions, "a session id was given out twice"
            self._history.sessions[life.session_id] = self.session = life
            self._password = bytes(response.passwd or b"")
        elif self.data_watches or self.child_watches:
            record = SetWatches(self.last_zxid, sorted(self.data_watches), [], sorted(self.child_watches))
            self._send_frame(struct.pack(">ii", SET_WATCHES_XID, opcodes.SET_WATCHES) + record.encode())
        self._world.note(f"{self.name} has session {response.session_id:#x}")

    def _end_session(self, how: str) -> None:
        assert self.session is not None
        self.session.ended, self.session.ended_s = how, self._world.now_s
        self._world.note(f"{self.name} lost session {self.session.session_id:#x}: {how}")
        self.session = None
        self._password = bytes(16)
        self.data_watches.clear()
        self.child_watches.clear()
        self.last_zxid = 0

    def _fired(self, event: WatcherEvent) -> None:
        path = event.path or ""
        self._history.events.append(
            Event(self.name, self.connection, path, event.type, self._place, self._world.now_s)
        )
        self._world.note(f"{self.name} hears event {event.type} of {path}")
        if event.type == 4:
            self.child_watches.discard(path)
        else:
            self.data_watches.discard(path)
            self.child_watches.discard(path) if event.type == 2 else None

    def _answered(self, operation: Operation, zxid: int, code: int, body: bytes) -> None:
        operation.returned_s = self._world.now_s
        operation.code, operation.zxid, operation.place = code, zxid, self._place
        if code == OK:
            self._take_result(operation, body)
        what = f"{operation.kind.value} {operation.path}"
        self._world.note(f"{self.name} {what} -> {code} {zxid:#x} {operation.result!r}")

    def _take_result(self, operation: Operation, body: bytes) -> None:
        kind = operation.kind
        if kind in (Kind.GET, Kind.SYNC_GET):
            data = GetDataResponse.decode(body)
            assert data.stat is not None
            operation.result, operation.mzxid, operation.version = data.data, data.stat.mzxid, data.stat.version
            if operation.watch:
                self.data_watches.add(operation.path)
        elif kind is Kind.SET:
            stat: Any = SetDataResponse.decode(body).stat
            operation.mzxid, operation.version = stat.mzxid, stat.version
        elif kind is Kind.CHILDREN:
            operation.result = tuple(sorted(name or "" for name in GetChildrenResponse.decode(body).children or ()))
            if operation.watch:
                self.child_watches.add(operation.path)
        elif kind in (Kind.CREATE_SEQUENTIAL, Kind.CREATE_EPHEMERAL):
            operation.result = CreateResponse.decode(body).path
            if kind is Kind.CREATE_EPHEMERAL and self.session is not None:
                self.session.ephemerals[operation.path] = operation
        elif kind is Kind.DELETE:
            if self.session is not None:
                self.session.ephemerals.pop(operation.path, None)
        elif kind is Kind.CLOSE:
            self._end_session("closed")
            self._drop()
