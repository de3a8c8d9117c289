"""The client port: gRPC, HTTP/2 and HTTP/1.1 on one address, told apart by a connection's first bytes.

Invariants:
1. A connection belongs to one protocol at a time: the sniffer, then for good what it handed it to.
2. Who has not said which within SNIFF_TIMEOUT_S is cut; over HTTP/1.1 the first request's head is due by then as well.
3. Tasks of plain requests live in the group that the listener was given.
4. aiohttp takes a tenth of a second to load: the first connection that speaks HTTP/1.1 has it loaded, in a thread;
   that connection and those behind it wait for it, and nobody else does.
"""

import asyncio
import os
import socket
import ssl
import stat
from abc import abstractmethod
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Final, cast, final

import structlog

from etcdcore.http2.codes import PREFACE
from etcdcore.http2.request_head import RequestHead
from etcdcore.http2.stream import Stream
from etcdcore.rpc.calls import MethodTable
from etcdcore.rpc.h2_exchange import H2Exchange
from etcdcore.rpc.h2_protocol import H2Owner, H2Protocol, PlainExchange
from etcdcore.rpc.http import HttpHandler
from etcdcore.rpc.limits import RpcLimits
from etcdcore.rpc.peer_names import common_name_of, peer_of
from etcdcore.rpc.secure_port import HandshakeWitness, SecurePort
from etcdcore.rpc.urls import ListenAddress, parse_listen_url

if TYPE_CHECKING:
    from etcdcore.rpc.http1_server import Http1Server

_log = structlog.get_logger()

SNIFF_TIMEOUT_S: Final = 20.0
SNIFF_BYTES: Final = 3
"""Enough to tell `PRI` of HTTP/2 from every method of HTTP/1.1."""

HTTP1_HEAD_BYTES_MAX: Final = 65_536
"""Of a first request's head: a longer one is left to aiohttp to refuse."""

_HTTP1_MODULE: Final = "etcdcore.rpc.http1_server"
HTTP1_STOP_S_MIN: Final = 0.1
BACKLOG: Final = 1024
SWEEP_INTERVAL_S_MAX: Final = 5.0
SWEEP_INTERVAL_S_MIN: Final = 0.05

ALPN_PROTOCOLS: Final = ("h2", "http/1.1")
"""What a server's TLS context has to offer."""


class Doorkeeper(HandshakeWitness):
    """Looks at who comes in by TLS, after the handshake and before anything is read."""

    @abstractmethod
    def refusal(self, ssl_object: ssl.SSLObject) -> str:
        """Why this client may not come in; empty if he may."""

    @abstractmethod
    def server_name(self, ssl_object: ssl.SSLObject) -> str:
        """The name that the client asked for; empty if it named none."""

    @property
    @abstractmethod
    def endpoint(self) -> str:
        """Whose door it is: client or peer."""

    def rejected(self, peer: str, server_name: str, reason: str) -> None:
        """In etcd's words and fields: people look for them when a client cannot come in."""
        fields = {"remote-addr": peer, "server-name": server_name}
        _log.warning(f"rejected connection on {self.endpoint} endpoint", **fields, error=reason)


@final
class Listener(H2Owner):
    """Our own server of the client port. `table` may be filled up to `start`.

    `async with asyncio.TaskGroup() as group: listener = Listener(group, table, handler, limits)`, then `start` for each
    URL, and `stop` once.
    """

    def __init__(
        self, group: asyncio.TaskGroup, table: MethodTable, http_handler: HttpHandler, limits: RpcLimits
    ) -> None:
        self._group: Final = group
        self._table: Final = table
        self._handler: Final = http_handler
        self._limits: Final = limits
        self._http1: Http1Server | None = None
        self._waiting: Final[list[_Waiting]] = []
        self._servers: Final[list[asyncio.Server | SecurePort]] = []
        self._socket_paths: Final[list[str]] = []
        self._sniffers: Final[set[_Sniffer]] = set()
        self._protocols: Final[set[H2Protocol]] = set()
        self._all_closed: Final = asyncio.Event()
        self._sweep_timer: asyncio.TimerHandle | None = None

    async def start(
        self,
        url: str,
        tls: ssl.SSLContext | None = None,
        *,
        doorkeeper: "Doorkeeper | None" = None,
        reuse_port: bool = False,
        is_mixed: bool = False,
    ) -> int:
        """Listens on one more URL (`http`, `https`, `unix`, `unixs`); the secure ones need `tls`, whose ALPN should be
        ALPN_PROTOCOLS, and may have a doorkeeper. A mixed one is secure and takes plain connections too. Returns the
        port, 0 for a unix socket. Raises ListenUrlError and OSError.
        """
        address = parse_listen_url(url)
        context = tls if address.is_secure else None
        assert context is not None or not address.is_secure, "a secure URL comes with a TLS context"
        loop = asyncio.get_running_loop()
        new_sniffer = partial(_Sniffer, self, doorkeeper)
        assert context is not None or not is_mixed, "a mixed port is given by its secure URL"
        if context is not None:
            listening = _open_socket_at(address, reuse_port)
            new_plain = partial(_Sniffer, self, None) if is_mixed else None
            secure = SecurePort(self._group, listening, context, new_plain, new_sniffer, doorkeeper, SNIFF_TIMEOUT_S)
            secure.start()
            self._servers.append(secure)
            port = 0 if address.unix_path else listening.getsockname()[1]
        elif address.unix_path:
            remove_stale_socket(address.unix_path)
            self._servers.append(await loop.create_unix_server(new_sniffer, address.unix_path, backlog=BACKLOG))
            port = 0
        else:
            # Without a host, one socket for both families, as Go listens.
            listening = _open_socket(address.host, address.port, reuse_port)
            port = listening.getsockname()[1]
            self._servers.append(await loop.create_server(new_sniffer, sock=listening, backlog=BACKLOG))
        if address.unix_path:
            self._socket_paths.append(address.unix_path)
        if self._sweep_timer is None:
            self._sweep()
        return port

    async def stop(self, grace_s: float) -> None:
        """Takes no more connections and calls; what is in progress may end for `grace_s`, then it is cut."""
        deadline_s = asyncio.get_running_loop().time() + grace_s
        for server in self._servers:
            server.close()
        for path in self._socket_paths:
            remove_stale_socket(path)
        for sniffer in list(self._sniffers):
            sniffer.abort()
        for protocol in list(self._protocols):
            protocol.go_away()
        try:
            async with asyncio.timeout(grace_s):
                while self._protocols:
                    self._all_closed.clear()
                    await self._all_closed.wait()
        except TimeoutError:
            _log.info("connections_cut", connection_count=len(self._protocols))
        for protocol in list(self._protocols):
            protocol.abort()
        for waiting in self._waiting:
            waiting.transport.abort()
        if self._http1 is not None:
            await self._http1.stop(max(HTTP1_STOP_S_MIN, deadline_s - asyncio.get_running_loop().time()))
        if self._sweep_timer is not None:
            self._sweep_timer.cancel()
            self._sweep_timer = None

    @property
    def connection_count(self) -> int:
        """Of HTTP/2."""
        return len(self._protocols)

    def _sweep(self) -> None:
        for protocol in list(self._protocols):
            protocol.sweep()
        shortest_s = min(self._limits.ping_timeout_s, self._limits.ping_interval_s or SWEEP_INTERVAL_S_MAX) / 4
        interval_s = max(SWEEP_INTERVAL_S_MIN, min(SWEEP_INTERVAL_S_MAX, shortest_s))
        self._sweep_timer = asyncio.get_running_loop().call_later(interval_s, self._sweep)

    # What connections tell

    def sniffing_began(self, sniffer: "_Sniffer") -> None:
        self._sniffers.add(sniffer)

    def sniffing_ended(self, sniffer: "_Sniffer") -> None:
        self._sniffers.discard(sniffer)

    def take_over(self, transport: asyncio.Transport, data: bytes, is_http2: bool) -> None:
        """A connection that is known now, and what it has said so far."""
        if not is_http2:
            self._take_over_http1(_Waiting(transport, data))
            return
        protocol = H2Protocol(
            self,
            self._table,
            self._limits,
            peer_of(transport),
            common_name_of(transport),
            transport.get_extra_info("sslcontext") is not None,
        )
        transport.set_protocol(cast(asyncio.Protocol, protocol))
        protocol.connection_made(transport)
        protocol.data_received(data)

    def _take_over_http1(self, waiting: "_Waiting") -> None:
        if self._http1 is not None:
            waiting.hand_over(self._http1)
            return
        self._waiting.append(waiting)
        waiting.wait()
        if len(self._waiting) == 1:
            self._group.create_task(self._load_http1(), name="load HTTP/1.1")

    async def _load_http1(self) -> None:
        module = await asyncio.to_thread(import_module, _HTTP1_MODULE)
        self._http1 = module.Http1Server(self._handler)
        for waiting in self._waiting:
            waiting.hand_over(self._http1)
        self._waiting.clear()

    def connection_opened(self, protocol: H2Protocol) -> None:
        self._protocols.add(protocol)

    def connection_closed(self, protocol: H2Protocol) -> None:
        self._protocols.discard(protocol)
        if not self._protocols:
            self._all_closed.set()

    def open_exchange(self, protocol: H2Protocol, stream: Stream, head: RequestHead) -> PlainExchange:
        exchange = H2Exchange(protocol, stream, head)
        exchange.task = self._group.create_task(exchange.serve(self._handler), name=f"http {head.method}")
        exchange.task.add_done_callback(exchange.ended)
        return exchange


@final
class _Sniffer(asyncio.Protocol):
    """A connection until its first bytes have told what it speaks."""

    def __init__(self, listener: Listener, doorkeeper: Doorkeeper | None) -> None:
        self._listener: Final = listener
        self._doorkeeper: Final = doorkeeper
        self._transport: asyncio.Transport | None = None
        self._data = b""
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._listener.sniffing_began(self)
        if self._doorkeeper is not None:
            ssl_object = transport.get_extra_info("ssl_object")
            refusal = self._doorkeeper.refusal(ssl_object)
            if refusal:
                name = self._doorkeeper.server_name(ssl_object)
                self._doorkeeper.rejected(peer_of(transport), name, refusal)
                self._transport.abort()
                return
        self._timer = asyncio.get_running_loop().call_later(SNIFF_TIMEOUT_S, self.abort)

    def data_received(self, data: bytes) -> None:
        self._data += data
        if len(self._data) < SNIFF_BYTES:
            return
        is_http2 = self._data[:SNIFF_BYTES] == PREFACE[:SNIFF_BYTES]
        # aiohttp has no time limit for a first request's head.
        if not is_http2 and b"\r\n\r\n" not in self._data and len(self._data) < HTTP1_HEAD_BYTES_MAX:
            return
        transport = self._transport
        assert transport is not None
        if transport.is_closing():
            return
        self._end()
        self._listener.take_over(transport, self._data, is_http2)

    def connection_lost(self, error: Exception | None) -> None:
        self._end()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _end(self) -> None:
        self._transport = None
        self._listener.sniffing_ended(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


@final
class _Waiting(asyncio.Protocol):
    """A connection that speaks HTTP/1.1, with what it has said, until there is a server for it."""

    def __init__(self, transport: asyncio.Transport, data: bytes) -> None:
        self.transport: Final = transport
        self._data = data
        self._has_ended = False

    def wait(self) -> None:
        self.transport.set_protocol(self)
        self.transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        # What was on its way when reading was paused.
        self._data += data

    def eof_received(self) -> bool:
        self._has_ended = True
        return self.transport.get_extra_info("sslcontext") is None

    def hand_over(self, server: "Http1Server") -> None:
        if self.transport.is_closing():
            return
        if not self.transport.is_reading():
            self.transport.resume_reading()
        http1 = server.new_protocol()
        self.transport.set_protocol(http1)
        http1.connection_made(self.transport)
        http1.data_received(self._data)
        if self._has_ended:
            http1.eof_received()


def _open_socket_at(address: ListenAddress, reuse_port: bool) -> socket.socket:
    """Raises OSError."""
    if not address.unix_path:
        return _open_socket(address.host, address.port, reuse_port)
    remove_stale_socket(address.unix_path)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listening.bind(address.unix_path)
        listening.listen(BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening


def _open_socket(host: str, port: int, reuse_port: bool) -> socket.socket:
    """Raises OSError. An empty host is every address of both families."""
    if not host and socket.has_dualstack_ipv6():
        return socket.create_server(
            ("", port), family=socket.AF_INET6, backlog=BACKLOG, reuse_port=reuse_port, dualstack_ipv6=True
        )
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    # As Go, IPv4 first of a name that has both.
    family, _, _, _, address = min(found, key=lambda one: one[0] != socket.AF_INET)
    bound = cast(tuple[str, int], address[:2])
    return socket.create_server(bound, family=family, backlog=BACKLOG, reuse_port=reuse_port)


def remove_stale_socket(path: str) -> None:
    """What a server that is gone left behind: a socket, never anything else."""
    try:
        if stat.S_ISSOCK(os.stat(path).st_mode):
            os.unlink(path)
    except FileNotFoundError:
        return
