"""The whole bridge without sockets or disk: connections are scripts, and the store decides when the test says so."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.simulation.bridge.memory_backend import MemoryBackend
from zkbridge.config import Config
from zkbridge.jute.records import ACL, ConnectRequest, CreateRequest, GetDataRequest, Id, SetDataRequest
from zkbridge.protocol import opcodes
from zkbridge.server.app import Bridge

OPEN = [ACL(31, Id("world", "anyone"))]


class FakeTransport(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.is_closed = False
        self.is_paused = False

    def write(self, data: Any) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_closed = True

    def can_write_eof(self) -> bool:
        """No, as over TLS: there is no peer here who could be reset."""
        return False

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False

    def get_write_buffer_size(self) -> int:
        return 0

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 40000) if name == "peername" else default


class Reply:
    """One frame from the server: a reply or, with xid -1, an event."""

    def __init__(self, frame: bytes) -> None:
        self.xid, self.zxid, self.code = struct.unpack_from(">iqi", frame)
        self.body = frame[16:]

    def __repr__(self) -> str:
        return f"Reply(xid={self.xid}, code={self.code})"


class Peer:
    """One client connection."""

    def __init__(self, bridge: Bridge) -> None:
        self.transport = FakeTransport()
        self.client = bridge.listener.make_client()
        self.client.connection_made(self.transport)
        self.session_id = 0
        self._xid = 0

    def connect(self, session_id: int = 0, password: bytes = bytes(16), last_zxid: int = 0) -> None:
        self.send_frame(ConnectRequest(0, last_zxid, 10_000, session_id, password, False).encode())

    def send_frame(self, body: bytes) -> None:
        self.client.data_received(struct.pack(">i", len(body)) + body)

    def send(self, opcode: int, record: bytes = b"", xid: int | None = None) -> int:
        """Sends one request; returns its xid."""
        self._xid += 1
        number = self._xid if xid is None else xid
        self.send_frame(struct.pack(">ii", number, opcode) + record)
        return number

    def create(self, path: str, flags: int = 0) -> int:
        return self.send(opcodes.CREATE, CreateRequest(path, b"", OPEN, flags).encode())

    def set_data(self, path: str, data: bytes = b"x", version: int = -1) -> int:
        return self.send(opcodes.SET_DATA, SetDataRequest(path, data, version).encode())

    def get_data(self, path: str, watch: bool = False) -> int:
        return self.send(opcodes.GET_DATA, GetDataRequest(path, watch).encode())

    def take(self) -> list[Reply]:
        """Frames that came since the last take; the handshake's answer sets `session_id` and isn't among them."""
        data = bytes(self.transport.written)
        self.transport.written.clear()
        replies: list[Reply] = []
        position = 0
        while position < len(data):
            (length,) = struct.unpack_from(">i", data, position)
            frame = data[position + 4 : position + 4 + length]
            position += 4 + length
            if self.session_id == 0:
                (self.session_id,) = struct.unpack_from(">q", frame, 8)
            else:
                replies.append(Reply(frame))
        return replies

    def codes(self) -> list[tuple[int, int]]:
        """(xid, error code) of the frames since the last take."""
        return [(reply.xid, reply.code) for reply in self.take()]


class World:
    """A started bridge on a store that the test steps."""

    def __init__(self, bridge: Bridge, backend: MemoryBackend) -> None:
        self.bridge = bridge
        self.backend = backend

    def open_session(self) -> Peer:
        peer = Peer(self.bridge)
        peer.connect()
        self.backend.apply_all()
        peer.take()
        assert peer.session_id
        return peer


def run_world(
    script: Callable[[World], Awaitable[None]], tmp_path: Path, outstanding_limit: int = 1000
) -> None:
    """Starts a bridge, runs the script, checks the replica's and the watches' invariants."""

    async def main() -> None:
        backend = MemoryBackend(is_automatic=False)
        bridge = Bridge(Config(data_dir=tmp_path, global_outstanding_limit=outstanding_limit), backend)
        async with asyncio.TaskGroup() as group:
            started = group.create_task(bridge.start(asyncio.Event()))
            while not started.done():
                await asyncio.sleep(0)
                if hasattr(backend, "sink"):
                    backend.apply_all()
            await script(World(bridge, backend))
        backend.apply_all()
        bridge.replica.check_invariants()
        bridge.watches.check_invariants()
        assert bridge.committer.in_flight_count == 0

    asyncio.run(main())
