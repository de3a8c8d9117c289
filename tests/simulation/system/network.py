"""Connections between simulated processes and clients: bytes in order, late, in pieces, or cut.

A connection is two transports. The product's side is an asyncio transport on its process's loop; a client has one too,
though it has no loop: its protocol is called by the world directly.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

from tests.simulation.system.loop import SimLoop
from tests.simulation.system.world import World

DELAY_S: Final = (0.00005, 0.002)
BUFFER_BYTES_MAX: Final = 1 << 16
"""What a peer that does not read may be sent before writing is paused."""


class SimServer:
    """In the place of `asyncio.Server`."""

    def __init__(self, network: SimNetwork, loop: SimLoop, host: str, port: int) -> None:
        self._network: Final = network
        self._loop: Final = loop
        self._address: Final = (host, port)
        self.sockets: Final = (self,)

    def getsockname(self) -> tuple[str, int]:
        return self._address

    def close(self) -> None:
        self._network.close_port(self._address[1], self._loop)

    async def wait_closed(self) -> None:
        return


class SimNetwork:
    """All ports and connections of a world."""

    def __init__(self, world: World) -> None:
        self.world: Final = world
        self._ports: Final[dict[int, tuple[SimLoop, Callable[[], asyncio.Protocol]]]] = {}
        self.connections: Final[list[Connection]] = []
        self._cut: Final[set[str]] = set()
        self._client_port = 40_000

    def listen(self, loop: SimLoop) -> Callable[[Callable[[], asyncio.Protocol], str, int], SimServer]:
        """How a loop opens a port."""

        def open_port(factory: Callable[[], asyncio.Protocol], host: str, port: int) -> SimServer:
            self._ports[port] = (loop, factory)
            return SimServer(self, loop, host, port)

        return open_port

    def close_port(self, port: int, loop: SimLoop) -> None:
        """Nobody can connect there any more."""
        if port in self._ports and self._ports[port][0] is loop:
            del self._ports[port]

    def connect(self, name: str, port: int, client: asyncio.Protocol) -> None:
        """A client knocks; it is told `connection_made`, or `connection_lost` if nobody is there."""
        self.world.after(self.world.rng.uniform(*DELAY_S), lambda: self._accept(name, port, client))

    def _accept(self, name: str, port: int, client: asyncio.Protocol) -> None:
        found = self._ports.get(port)
        if found is None or found[0].is_dead or name in self._cut:
            self.world.after(0.001, lambda: client.connection_lost(ConnectionRefusedError()))
            return
        loop, factory = found
        self._client_port += 1
        connection = Connection(self, name, loop, self._client_port)
        self.connections.append(connection)
        connection.open(factory, client)

    def cut(self, name: str) -> bool:
        """From now on nothing gets through between a client and any server. Whether there was a connection."""
        self._cut.add(name)
        found = [connection for connection in self.connections if connection.name == name]
        for connection in found:
            connection.is_broken = self.world.rng.random() < 0.5
        return bool(found)

    def heal(self, name: str) -> None:
        """Clients can connect again. A connection that broke stays dead until somebody notices; of others all arrives
        that was held up."""
        if name in self._cut:
            self._cut.discard(name)
            for connection in [connection for connection in self.connections if connection.name == name]:
                connection.release()

    def is_cut(self, name: str) -> bool:
        return name in self._cut

    def reset(self, name: str) -> int:
        """Ends a client's connections at once, for both sides; how many there were."""
        found = [connection for connection in self.connections if connection.name == name]
        for connection in found:
            connection.end(ConnectionResetError("reset by the network"))
        return len(found)

    def process_died(self, loop: SimLoop) -> None:
        """The system closes what the process had open."""
        for port in [port for port, (owner, _) in self._ports.items() if owner is loop]:
            del self._ports[port]
        for connection in [connection for connection in self.connections if connection.loop is loop]:
            connection.end(ConnectionResetError("the server's process died"))


class Connection:
    """Between one client and one process."""

    def __init__(self, network: SimNetwork, name: str, loop: SimLoop, client_port: int) -> None:
        self.network: Final = network
        self.name: Final = name
        self.loop: Final = loop
        self.is_open = True
        self.is_broken = False
        """Bytes were lost on it, so none behind them will ever be delivered."""
        self._held: Final[list[tuple[SimTransport, bytes]]] = []
        self.server_side: Final = SimTransport(self, True, client_port)
        self.client_side: Final = SimTransport(self, False, client_port)

    def open(self, factory: Callable[[], asyncio.Protocol], client: asyncio.Protocol) -> None:
        def accept() -> None:
            if self.is_open:
                self.server_side.protocol = factory()
                self.server_side.protocol.connection_made(self.server_side)

        self.client_side.protocol = client
        self.loop.call_soon(accept)
        client.connection_made(self.client_side)

    def hold(self, side: SimTransport, data: bytes) -> None:
        """Sent while the network was cut."""
        self._held.append((side, data))

    def release(self) -> None:
        """The network is whole again: what was sent meanwhile arrives, late."""
        held, self._held[:] = list(self._held), []
        for side, data in held:
            side.write(data)

    def end(self, error: Exception | None) -> None:
        """Both sides hear of it; a side that is dead or cut off hears nothing."""
        if not self.is_open:
            return
        self.is_open = False
        self.network.connections.remove(self)
        for side in (self.server_side, self.client_side):
            side.lost_soon(error)


class SimTransport(asyncio.Transport):
    """One end. Bytes on their way are kept by the receiving end, in order."""

    def __init__(self, connection: Connection, is_server: bool, client_port: int) -> None:
        super().__init__()
        self._connection: Final = connection
        self._is_server: Final = is_server
        self._client_port: Final = client_port
        self.protocol: asyncio.Protocol | None = None
        self._arrived = bytearray()
        self._on_way_bytes = 0
        self._due_s = 0.0
        self._is_reading = True
        self._is_closing = False
        self._is_lost = False
        self._is_writing_paused = False
        self._is_end_due = False

    @property
    def _other(self) -> SimTransport:
        connection = self._connection
        return connection.client_side if self._is_server else connection.server_side

    # --- sending ---

    @property
    def is_delivering(self) -> bool:
        """Whether what is written now gets to the other end, soon."""
        connection = self._connection
        return connection.is_open and not connection.is_broken and not connection.network.is_cut(connection.name)

    def write(self, data: Any) -> None:
        if self._is_closing or not self._connection.is_open:
            return
        if self._connection.is_broken:
            return
        if self._connection.network.is_cut(self._connection.name):
            self._connection.hold(self, bytes(data))
            return
        self._send(lambda: self._other.arrive(bytes(data)), len(data))

    def _send(self, act: Callable[[], None], size: int) -> None:
        world = self._connection.network.world
        other = self._other
        other._on_way_bytes += size
        other._due_s = max(other._due_s, world.now_s) + world.rng.uniform(*DELAY_S)

        def deliver() -> None:
            other._on_way_bytes -= size
            act()

        world.after(other._due_s - world.now_s, deliver)
        if size and other.unread_bytes() > BUFFER_BYTES_MAX and not self._is_writing_paused and self.protocol:
            self._is_writing_paused = True
            self._call(self.protocol.pause_writing)

    def unread_bytes(self) -> int:
        """Of this end: what is on its way and what waits to be read."""
        return self._on_way_bytes + len(self._arrived)

    def get_write_buffer_size(self) -> int:
        return self._other.unread_bytes()

    def arrive(self, data: bytes) -> None:
        """Bytes have come to this end."""
        if self._connection.is_open and not self._connection.is_broken:
            self._arrived += data
            self._read()

    def _read(self) -> None:
        if self._is_reading and self._arrived and not self._is_lost and self.protocol is not None:
            self._call(self._hand_over)

    def _hand_over(self) -> None:
        if not self._is_reading or not self._arrived or self._is_lost:
            return
        assert self.protocol is not None
        size = len(self._arrived)
        rng = self._connection.network.world.rng
        if size > 1 and rng.random() < 0.05:
            size = rng.randint(1, size)  # a read ends where it will
        data = bytes(self._arrived[:size])
        del self._arrived[:size]
        self.protocol.data_received(data)
        self._read()
        other = self._other
        if other._is_writing_paused and self.unread_bytes() < BUFFER_BYTES_MAX // 2 and other.protocol is not None:
            other._is_writing_paused = False
            other._call(other.protocol.resume_writing)

    def _call(self, act: Callable[[], None]) -> None:
        if self._is_server:
            self._connection.loop.call_soon(act)
        else:
            self._connection.network.world.after(0.0, act)

    # --- the rest of a transport ---

    def pause_reading(self) -> None:
        self._is_reading = False

    def resume_reading(self) -> None:
        self._is_reading = True
        self._read()

    def is_closing(self) -> bool:
        return self._is_closing or not self._connection.is_open

    def can_write_eof(self) -> bool:
        return False

    def close(self) -> None:
        """What was written before still arrives."""
        if not self._is_closing:
            self._is_closing = True
            self._send(lambda: self._connection.end(None), 0)

    def abort(self) -> None:
        self._is_closing = True
        self._connection.end(None)

    def lost_soon(self, error: Exception | None) -> None:
        """Tells the protocol, once."""
        if self._is_end_due or self.protocol is None:
            return
        self._is_end_due = True
        protocol = self.protocol

        def lose() -> None:
            self._is_lost = True
            protocol.connection_lost(error)

        if not self._is_server and self._connection.network.is_cut(self._connection.name):
            return  # the reset is lost on its way; the client finds out by itself
        self._call(lose)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", self._client_port) if name == "peername" else default
