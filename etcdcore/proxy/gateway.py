"""The TCP gateway: a static address in front of servers that change. It forwards bytes and knows no protocol.

Of the servers that answer, those of the lowest SRV priority take turns, by their weight. One that could not be
reached is left out until it is tried again, every `retry_delay_s`.

Invariants:
1. A connection's bytes are forwarded in order, and each half of it is closed when the other side closes it.
2. At most BUFFER_BYTES of a direction wait in memory: who sends faster than the other side reads has to wait.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Final, final

import structlog

from etcdcore.proxy.discovery import FoundEndpoint

_log = structlog.get_logger()

BUFFER_BYTES: Final = 64 << 10
DIAL_TIMEOUT_S: Final = 5.0
CONNECTIONS_MAX: Final = 16_384


@final
class Server:
    """One server behind the gateway."""

    __slots__ = ("endpoint", "is_active", "share")

    def __init__(self, endpoint: FoundEndpoint) -> None:
        self.endpoint: Final = endpoint
        self.is_active = True
        self.share = 0
        """How much of its weight it is due: smooth weighted round-robin."""


@final
class Servers:
    """Picks the next one to be used. Pure."""

    def __init__(self, endpoints: Sequence[FoundEndpoint]) -> None:
        assert endpoints, "there is at least one server"
        self.all: Final = [Server(endpoint) for endpoint in endpoints]

    def pick(self) -> Server | None:
        """Among the active ones of the lowest priority, by weight (0 counts as 1). None if none is active."""
        active = [server for server in self.all if server.is_active]
        if not active:
            return None
        priority = min(server.endpoint.priority for server in active)
        candidates = [server for server in active if server.endpoint.priority == priority]
        total = 0
        for server in candidates:
            weight = server.endpoint.weight or 1
            server.share += weight
            total += weight
        best = max(candidates, key=lambda server: server.share)
        best.share -= total
        return best

    @property
    def inactive(self) -> list[Server]:
        return [server for server in self.all if not server.is_active]


@final
class TcpGateway:
    def __init__(self, endpoints: Sequence[FoundEndpoint], retry_delay_s: float) -> None:
        self._servers: Final = Servers(endpoints)
        self._retry_delay_s: Final = retry_delay_s
        self._connections: Final[set[asyncio.Task[None]]] = set()

    async def serve(self, host: str, port: int, ready: asyncio.Future[int] | None = None) -> None:
        """Long-lived: until it is cancelled. `ready` gets the port. Raises OSError when the address is taken."""
        async with asyncio.TaskGroup() as group:

            def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                if len(self._connections) >= CONNECTIONS_MAX:
                    writer.close()
                    return
                task = group.create_task(self._serve_connection(reader, writer), name="gateway_connection")
                self._connections.add(task)
                task.add_done_callback(self._connections.discard)

            server = await asyncio.start_server(connected, host, port, limit=BUFFER_BYTES)
            async with server:
                if ready is not None:
                    ready.set_result(server.sockets[0].getsockname()[1])
                while True:
                    await asyncio.sleep(self._retry_delay_s)
                    await self._retry()

    async def _retry(self) -> None:
        for server in self._servers.inactive:
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(DIAL_TIMEOUT_S):
                    _, writer = await asyncio.open_connection(server.endpoint.host, server.endpoint.port)
                writer.close()
                server.is_active = True
                _log.info("server_active", endpoint=server.endpoint.address)

    async def _serve_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The outer boundary of a connection: what goes wrong with it ends it, and nothing else."""
        try:
            far = await self._dial()
            if far is None:
                _log.warning("no_server_active")
                return
            far_reader, far_writer = far
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(_forward(reader, far_writer), name="gateway_up")
                    group.create_task(_forward(far_reader, writer), name="gateway_down")
            finally:
                far_writer.close()
        except* OSError as errors:
            _log.debug("connection_ended", error=str(errors.exceptions[0]))
        finally:
            writer.close()

    async def _dial(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        while (server := self._servers.pick()) is not None:
            try:
                async with asyncio.timeout(DIAL_TIMEOUT_S):
                    return await asyncio.open_connection(server.endpoint.host, server.endpoint.port, limit=BUFFER_BYTES)
            except (OSError, TimeoutError) as error:
                server.is_active = False
                _log.warning("server_inactive", endpoint=server.endpoint.address, error=str(error) or "timed out")
        return None


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.set_write_buffer_limits(high=BUFFER_BYTES)
    while data := await reader.read(BUFFER_BYTES):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
