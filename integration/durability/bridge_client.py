"""Clients that write without a pause while their server is killed under them, and check it in its next life.

One asyncio loop carries them all. A client lives from connection to connection: reattach, compare its subtree with its
ledger, write until the connection ends.

Invariants:
1. What a client holds of a session (id, password, the greatest zxid seen) is what the server has told it.
2. Zxids never go back: in the headers of one client's answers, nor behind what any client saw in an earlier life.
"""

from __future__ import annotations

import asyncio
import random
import struct
from collections.abc import Iterator
from typing import Final

from integration.conformance import wire
from integration.durability.bridge_ledger import (
    EPHEMERAL,
    OK,
    SEQUENTIAL,
    Ledger,
    LedgerBroken,
    Node,
    Request,
    Seen,
    Step,
)

OUTSTANDING: Final = 16
SLOTS: Final = 12
SEQUENTIALS_MAX: Final = 10
VALUE_BYTES: Final = 100
_REPLY: Final = struct.Struct(">iqi")


class ConnectionEnded(Exception):
    """The server has ended the connection, or never took it."""


class KilledServer:
    """The server over all its lives: where it is, whether it lives, and the greatest zxid that it told anybody."""

    def __init__(self, port: int) -> None:
        self.port: Final = port
        self.is_down = True
        self.seen = 0
        self.floor = 0

    def started(self) -> None:
        """A new life: whatever the former told is behind any answer to come."""
        self.is_down = False
        self.floor = self.seen

    def take(self, zxid: int, before: int) -> int:
        """Checks the zxid of an answer on a connection whose last one had `before`."""
        if zxid < before or zxid < self.floor:
            raise LedgerBroken(f"zxid {zxid:#x} after {before:#x}; {self.floor:#x} was told before the restart")
        self.seen = max(self.seen, zxid)
        return zxid


class Connection:
    """One TCP connection of whole frames."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader: Final = reader
        self._writer: Final = writer

    @classmethod
    async def open(cls, server: KilledServer) -> Connection:
        """Tries until somebody listens. Raises ConnectionEnded when the server is down."""
        while not server.is_down:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            except OSError:
                await asyncio.sleep(0.01)
                continue
            return cls(reader, writer)
        raise ConnectionEnded("nobody listens")

    def send(self, frame: bytes) -> None:
        """Queues it; what doesn't arrive shows when reading."""
        if not self._writer.transport.is_closing():
            self._writer.write(frame)

    async def receive(self) -> bytes:
        """The next frame. Raises ConnectionEnded."""
        try:
            size = await self._reader.readexactly(4)
            return await self._reader.readexactly(int.from_bytes(size, "big"))
        except (asyncio.IncompleteReadError, OSError) as error:
            raise ConnectionEnded(str(error)) from error

    def close(self) -> None:
        """At once."""
        self._writer.transport.abort()


class SessionClient:
    """One session over many connections, and its frames."""

    def __init__(self, server: KilledServer, timeout_ms: int = 30_000) -> None:
        self._server: Final = server
        self._timeout_ms: Final = timeout_ms
        self.connection: Connection | None = None
        self.session_id = 0
        self.password = bytes(16)
        self.zxid = 0
        self.xid = 0

    async def attach(self) -> bool:
        """Connects and opens or takes up the session; False if the server says that it is over."""
        self.connection = await Connection.open(self._server)
        seen = self._server.seen if self.session_id else 0
        self.connection.send(wire.connect_request(seen, self._timeout_ms, self.session_id, self.password))
        cursor = wire.Cursor(await self.connection.receive())
        cursor.i32()
        cursor.i32()
        session_id, password = cursor.i64(), cursor.buffer()
        if session_id == 0:
            return False
        assert self.session_id in (0, session_id) and password is not None
        self.session_id, self.password = session_id, password
        self.zxid = 0
        return True

    def send(self, opcode: int, body: bytes) -> int:
        """Writes a request; its xid."""
        assert self.connection is not None
        self.xid += 1
        self.connection.send(wire.frame(wire.i32(self.xid) + wire.i32(opcode) + body))
        return self.xid

    async def receive(self) -> tuple[int, int, int, wire.Cursor]:
        """The next answer: xid, zxid, code, body."""
        assert self.connection is not None
        reply = await self.connection.receive()
        xid, zxid, code = _REPLY.unpack_from(reply)
        self.zxid = self._server.take(zxid, self.zxid)
        cursor = wire.Cursor(reply)
        cursor.take(_REPLY.size)
        return xid, zxid, code, cursor

    async def call(self, opcode: int, body: bytes) -> tuple[int, wire.Cursor]:
        """One request with nothing else on its way; code and body."""
        expected = self.send(opcode, body)
        xid, _, code, cursor = await self.receive()
        assert xid == expected, (xid, expected)
        return code, cursor

    def close(self) -> None:
        """Drops the connection; the session lives on."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def read_stat(cursor: wire.Cursor, data: bytes) -> tuple[Seen, int]:
    """A Stat behind its data, and the session that owns the node."""
    czxid, mzxid, _, _ = cursor.i64(), cursor.i64(), cursor.i64(), cursor.i64()
    version, cversion, _ = cursor.i32(), cursor.i32(), cursor.i32()
    owner = cursor.i64()
    return Seen(Node(data, version, cversion, owner != 0), czxid, mzxid), owner


async def read_subtree(client: SessionClient, root: str) -> dict[str, Seen]:
    """Every node below and with the root; ephemerals must belong to the client's session."""
    seen: dict[str, Seen] = {}
    level = [root]
    while level:
        for path in level:
            name = wire.buffer(path.encode())
            client.send(wire.GET_DATA, name + wire.flag(False))
            client.send(wire.GET_CHILDREN, name + wire.flag(False))
        below: list[str] = []
        for path in level:
            _, _, code, cursor = await client.receive()
            _, _, _, children = await client.receive()
            if code != OK:
                assert path == root, f"{path} is in the list of its parent, but reading it gives {code}"
                continue
            data = cursor.buffer()
            assert data is not None
            seen[path], owner = read_stat(cursor, data)
            if owner not in (0, client.session_id):
                raise LedgerBroken(f"{path} belongs to session {owner:#x}, expected {client.session_id:#x}")
            for _ in range(children.i32()):
                child = children.buffer()
                assert child is not None
                below.append(f"{path}/{child.decode()}")
        level = below
    return seen


class WritingClient:
    """Writes to its own subtree, whatever happens to the server."""

    def __init__(self, number: int, server: KilledServer, seed: int) -> None:
        self.root: Final = f"/client{number}"
        self.session: Final = SessionClient(server)
        self.ledger: Final = Ledger(self.root)
        self.is_verified = asyncio.Event()
        self.lives = 0
        self.sequential_names: Final[set[str]] = set()
        self._rng: Final = random.Random(seed * 1000 + number)
        self._value = 0

    async def live(self) -> None:
        """From one connection to its end."""
        try:
            if not await self.session.attach():
                raise LedgerBroken(f"{self.root}: the session is over, though its client never left it for long")
            self.ledger.settle(await read_subtree(self.session, self.root))
            self.is_verified.set()
            self.lives += 1
            await self._write()
        except ConnectionEnded:
            return
        finally:
            self.session.close()

    async def _write(self) -> None:
        ledger = self.ledger
        while True:
            while len(ledger.sent) < OUTSTANDING:
                request = self._next_request()
                xid = self.session.send(request.opcode, request.encode())
                ledger.send(xid, request)
            xid, zxid, code, cursor = await self.session.receive()
            sent = ledger.acknowledge(xid, code if not sent_is_multi(ledger) else multi_code(code, cursor))
            if code == OK and not sent.request.is_multi:
                self._take_answer(sent.request.steps[0], sent.created_path, zxid, cursor)

    def _take_answer(self, step: Step, sequential_path: str, zxid: int, cursor: wire.Cursor) -> None:
        path = step.path
        if step.kind == wire.CREATE2:
            created = cursor.buffer()
            assert created is not None
            path = created.decode()
            if step.flags & SEQUENTIAL:
                if path != sequential_path or path in self.sequential_names:
                    raise LedgerBroken(f"{path} was given for a sequential node, expected {sequential_path}, once")
                self.sequential_names.add(path)
        if step.kind in (wire.CREATE2, wire.SET_DATA):
            seen, _ = read_stat(cursor, step.data)
            if seen.mzxid > zxid:
                raise LedgerBroken(f"{path} has mzxid {seen.mzxid:#x}, the answer has only {zxid:#x}")
            self.ledger.learn_zxids(path, seen.czxid, seen.mzxid)

    def _new_value(self) -> bytes:
        self._value += 1
        return b"%d " % self._value + b"." * self._rng.randrange(VALUE_BYTES)

    def _next_request(self) -> Request:
        rng = self._rng
        tree = self.ledger.latest
        queue, pool = f"{self.root}/queue", f"{self.root}/pool"
        for path in (self.root, queue, pool):
            if path not in tree.nodes:
                return Request((Step(wire.CREATE2, path, b""),))
        chance = rng.random()
        if chance < 0.35:
            return Request((self._change(rng.choice(self._slots()), rng),))
        if chance < 0.55:
            return Request((self._change_queue(queue, rng),))
        if chance < 0.65:
            return Request((Step(wire.SET_DATA, self.root, self._new_value()),))
        if chance < 0.70:
            return Request((Step(wire.SET_DATA, self.root, b"never", version=1_000_000),))
        # Multis whose parts show each other: the same value in two nodes, and nodes that come and go together.
        paths = rng.sample(self._slots(), 3)
        steps = [self._change(path, rng) for path in paths]
        steps.append(Step(wire.SET_DATA, pool, self._new_value()))
        if chance > 0.90:
            steps.append(Step(wire.CHECK, self.root, version=1_000_000))
        return Request(tuple(steps), is_multi=True)

    def _slots(self) -> list[str]:
        return [f"{self.root}/pool/{number}" for number in range(SLOTS)]

    def _change(self, path: str, rng: random.Random) -> Step:
        if path not in self.ledger.latest.nodes:
            return Step(wire.CREATE2, path, self._new_value(), EPHEMERAL if rng.random() < 0.4 else 0)
        if rng.random() < 0.3:
            return Step(wire.DELETE, path)
        return Step(wire.SET_DATA, path, self._new_value())

    def _change_queue(self, queue: str, rng: random.Random) -> Step:
        names = sorted(path for path in self.ledger.latest.nodes if path.startswith(queue + "/"))
        if len(names) > SEQUENTIALS_MAX:
            return Step(wire.DELETE, names[0])
        flags = SEQUENTIAL | (EPHEMERAL if rng.random() < 0.4 else 0)
        return Step(wire.CREATE2, f"{queue}/n-", self._new_value(), flags)


def sent_is_multi(ledger: Ledger) -> bool:
    """Whether the next answer is that of a multi."""
    return ledger.sent[0].request.is_multi


def multi_code(code: int, cursor: wire.Cursor) -> int:
    """The code of the first step refused, from the results in a multi's answer."""
    return code or next(_result_codes(cursor), OK)


def _result_codes(cursor: wire.Cursor) -> Iterator[int]:
    """The codes that aren't 0: a refused multi consists of error results alone."""
    while True:
        opcode, is_done, _ = cursor.i32(), cursor.boolean(), cursor.i32()
        if is_done or opcode != -1:
            return
        code = cursor.i32()
        if code != OK:
            yield code


class ShortSession:
    """Sessions with ephemerals that are closed: once that is acknowledged, nothing of them may ever be seen again.

    A close without an answer took effect or not: either the session is over and its ephemerals are gone, or it is
    there and can be closed again.
    """

    EPHEMERALS: Final = 5

    def __init__(self, number: int, server: KilledServer) -> None:
        self.root: Final = f"/short{number}"
        self.closed: Final[set[int]] = set()
        self.over_count = 0
        self.taken_up_count = 0
        self._server: Final = server
        self._session: SessionClient | None = None

    async def live(self) -> None:
        """Opens and closes sessions until the connection ends."""
        try:
            while True:
                session = self._session or SessionClient(self._server)
                await self._run_session(session)
        except ConnectionEnded:
            return
        finally:
            if self._session is not None:
                self._session.close()

    async def _run_session(self, session: SessionClient) -> None:
        is_torn = session.session_id != 0
        if not await session.attach():
            assert is_torn, "a new session was refused as expired"
            session.close()
            self.closed.add(session.session_id)
            self.over_count += 1
            self._session = None
            return
        self._session = session
        self.taken_up_count += is_torn
        await session.call(wire.CREATE, Step(wire.CREATE, self.root).encode())
        await self._check_left(session)
        if not is_torn:
            for number in range(self.EPHEMERALS):
                path = f"{self.root}/{session.session_id:x}-{number}"
                session.send(wire.CREATE, Step(wire.CREATE, path, b"", EPHEMERAL).encode())
        close_xid = session.send(wire.CLOSE_SESSION, b"")
        xid = 0
        while xid != close_xid:
            xid, _, code, _ = await session.receive()
            assert code == OK, code
        session.close()
        self.closed.add(session.session_id)
        self._session = None

    async def _check_left(self, session: SessionClient) -> None:
        code, cursor = await session.call(wire.GET_CHILDREN, wire.buffer(self.root.encode()) + wire.flag(False))
        assert code == OK
        for _ in range(cursor.i32()):
            name = cursor.buffer()
            assert name is not None
            owner = int(name.split(b"-")[0], 16)
            if owner in self.closed:
                raise LedgerBroken(f"session {owner:#x} is over, its ephemeral {name.decode()} is there")
