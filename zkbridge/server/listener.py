"""The client port: who may connect, which connection a frame goes to, and the end of those that never speak.

Invariants:
1. At most `connections_max` connections are open, at most `connections_of_host_max` from one address (0: no limit).
2. A connection without a session is closed after `sessionless_timeout_ms`.
"""

from __future__ import annotations

import asyncio
import socket
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Final, cast, final

import structlog
from mypy_extensions import mypyc_attr

from zkbridge.protocol.connection import MASK_BYTES
from zkbridge.server.client import Client, ClientAudience
from zkbridge.server.clock import monotonic_ms, wall_ms
from zkbridge.server.dispatcher import Dispatcher
from zkbridge.server.pipeline import Intake
from zkbridge.server.session_keeper import SessionKeeper
from zkbridge.server.statistics import ServerStatistics
from zkbridge.sessions.credentials import AuthRules, initial_credentials
from zkbridge.watches.table import WatchTable

_log = structlog.get_logger()

BACKLOG: Final = 1024


@mypyc_attr(allow_interpreted_subclasses=True)
class FourLetterDesk(ABC):
    """Answers four-letter words."""

    @abstractmethod
    def answer(self, word: str, mask: bytes) -> bytes: ...

    @abstractmethod
    def allows(self, word: str) -> bool: ...


@final
class Listener(ClientAudience):
    """Owner of the open connections."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        keeper: SessionKeeper,
        watches: WatchTable,
        statistics: ServerStatistics,
        auth_rules: AuthRules,
        frame_bytes_max: int,
        connections_max: int,
        connections_of_host_max: int,
        sessionless_timeout_ms: int,
        intake: Intake,
        keeps_alive: bool = False,
    ) -> None:
        self._dispatcher: Final = dispatcher
        self._keeper: Final = keeper
        self._watches: Final = watches
        self._statistics: Final = statistics
        self._auth_rules: Final = auth_rules
        self._frame_bytes_max: Final = frame_bytes_max
        self._connections_max: Final = connections_max
        self._connections_of_host_max: Final = connections_of_host_max
        self._sessionless_timeout_ms: Final = sessionless_timeout_ms
        self._intake: Final = intake
        self._keeps_alive: Final = keeps_alive
        self._server: asyncio.Server | None = None
        self._host_counts: Final[dict[str, int]] = {}
        self._sessionless: Final[dict[Client, int]] = {}
        self.clients: Final[dict[Client, None]] = {}
        self.dirty: Final[list[Client]] = []
        self.four_letter: FourLetterDesk
        # Set once by the wiring: the desk counts the listener's connections.
        self.port = 0

    # The socket

    async def listen(self, host: str, port: int, backlog: int) -> tuple[str, int]:
        """Opens the port. Raises OSError if it can't be had. Returns the address in use (port 0 picks a free one)."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            cast(Callable[[], asyncio.Protocol], self.make_client),
            host or None,
            port,
            backlog=backlog if backlog > 0 else BACKLOG,
        )
        self._server = server
        # A list in uvloop, where asyncio and the types have a tuple: compiled code is strict about that.
        sockets = cast(Any, server).sockets
        address = sockets[0].getsockname()
        self.port = int(address[1])
        return str(address[0]), self.port

    def make_client(self) -> Client:
        return Client(self, self.dirty, self._frame_bytes_max, self._intake, self._statistics.response_sizes)

    def stop_accepting(self) -> None:
        """Connections that are open stay so."""
        if self._server is not None:
            self._server.close()

    def close_clients(self) -> None:
        """Sends each what is queued for it and ends it."""
        for client in list(self.clients):
            client.close()

    # What connections tell

    def client_connected(self, client: Client) -> None:
        # TCP_NODELAY is on: uvloop and asyncio set it on every TCP connection themselves.
        host = client.peer_host
        host_count = self._host_counts.get(host, 0)
        self._host_counts[host] = host_count + 1
        self.clients[client] = None
        if len(self.clients) > self._connections_max:
            self._refuse(client, f"{self._connections_max} connections are open, the most this server takes")
        elif self._connections_of_host_max and host_count >= self._connections_of_host_max:
            self._refuse(client, f"{host_count} connections from this address, maxClientCnxns allows no more")
        else:
            if self._keeps_alive and client.transport is not None:
                socket_ = client.transport.get_extra_info("socket")
                socket_.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            client.connected_ms = wall_ms()
            client.credentials = initial_credentials(host, self._auth_rules)
            self._sessionless[client] = monotonic_ms()

    def _refuse(self, client: Client, reason: str) -> None:
        self._statistics.connections_refused_count += 1
        _log.warning("connection_refused", peer=client.peer, reason=reason)
        client.abort()

    def frames_received(self, client: Client, frames: list[bytes]) -> None:
        self._statistics.received_count += len(frames)
        if client.session is not None:
            self._dispatcher.receive(client, frames)
            return
        if client.is_connecting:
            # Most clients wait for their session: only those that do not are read no more until they have it.
            client.early_frames += frames
            client.throttle()
            return
        client.is_connecting = True
        self._statistics.connection_request_count += 1
        client.early_frames = frames[1:]
        self._keeper.connect(client, frames[0], self._dispatcher.refusal_reason is None)

    def session_established(self, client: Client) -> None:
        self._sessionless.pop(client, None)

    def four_letter_word_received(self, client: Client, word: str, mask: bytes) -> None:
        if word == "stmk" and len(mask) < MASK_BYTES and self.four_letter.allows(word):
            return  # The mask is still to come; a word that is refused is refused without it.
        # Counted before it is answered, and read no more: so `srvr` and `stat` show themselves in ZooKeeper.
        self._statistics.received_count += 1
        client.received_count += 1
        client.throttle()
        client.output.append(self.four_letter.answer(word, mask))
        client.close()

    def flush_dirty(self) -> None:
        """Queued answers and events go out, one write a connection."""
        dirty = self.dirty
        if not dirty:
            return
        clients = dirty.copy()
        dirty.clear()
        for client in clients:
            client.flush()
            client.resume_if_drained()

    def client_writable(self, client: Client) -> None:
        """The peer takes answers again: those that waited for it are made."""
        if client.session is not None:
            self._dispatcher.drain(client)
        client.flush()
        client.resume_if_drained()

    def client_disconnected(self, client: Client) -> None:
        if client not in self.clients:
            return
        del self.clients[client]
        self._sessionless.pop(client, None)
        host = client.peer_host
        count = self._host_counts[host] - 1
        if count:
            self._host_counts[host] = count
        else:
            del self._host_counts[host]
        self._statistics.sent_count += client.sent_count
        self._statistics.received_bytes += client.received_bytes
        self._watches.drop(client)
        self._keeper.detach(client)

    # Time

    def close_silent(self, now_ms: int) -> None:
        """Ends connections that have been open for too long without a session."""
        limit_ms = now_ms - self._sessionless_timeout_ms
        for client, since_ms in list(self._sessionless.items()):
            if since_ms > limit_ms:
                break  # in order of arrival
            del self._sessionless[client]
            self._statistics.sessionless_expired_count += 1
            _log.info("client_never_spoke", peer=client.peer, timeout_ms=self._sessionless_timeout_ms)
            client.abort()

    async def serve(self) -> None:
        """Polls for connections that never speak."""
        while True:
            await asyncio.sleep(1)
            self.close_silent(monotonic_ms())

    @property
    def received_bytes(self) -> int:
        """Since the start, from open connections too."""
        return self._statistics.received_bytes + sum([client.received_bytes for client in self.clients])

    @property
    def sent_count(self) -> int:
        """Packets sent so far, by open connections too."""
        return self._statistics.sent_count + sum([client.sent_count for client in self.clients])
