"""A port for monitors: HTTP/1.1 by aiohttp's low-level server, with a bound on everything that a client may take.

Invariants:
1. At most CONNECTIONS_MAX connections; one more is closed at once. The tree's clients have bounds of their own.
2. A connection on which nothing is asked, or asked to its end, within the idle time is closed; so is one that does not
   take its answer within ANSWER_S.
3. One piece of one answer is made in a turn of the loop, however many ask at once.
"""

import asyncio
import logging
from typing import Final, final

import structlog
from aiohttp import web

from zkbridge import __version__
from zkbridge.admin.pages import PageAnswer, PageRequest, Pages

_log = structlog.get_logger()

CONNECTIONS_MAX: Final = 64
"""A few monitors with a few connections each; nobody should be able to take the server's descriptors from here."""
ANSWER_S: Final = 60.0
LINGER_S: Final = 1.0
"""For what a client still sends behind a request that was answered."""
SMALL_BYTES: Final = 64 * 1024
"""An answer up to this is sent with its length, a longer one in chunks, as by Jetty."""
STOP_S: Final = 1.0
BACKLOG: Final = 64

# The library tells of every malformed request at length, and any client could fill the log.
_library_log: Final = logging.getLogger(__name__)
_library_log.disabled = True


@final
class _Connection(web.RequestHandler):
    """aiohttp's, within this port's bounds."""

    def __init__(self, port: "HttpPort", server: web.Server, idle_s: float) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]  # as the library's documentation turns it off
            logger=_library_log,
            keepalive_timeout=idle_s,
            lingering_time=LINGER_S,
        )
        self._port: Final = port
        self._idle_s: Final = idle_s
        self.has_asked = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if not self._port.admit(self):
            self._abort()
            return
        # The library has no time limit for the first request's head.
        asyncio.get_running_loop().call_later(self._idle_s, self._end_if_silent)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._port.forget(self)
        super().connection_lost(exc)

    def _end_if_silent(self) -> None:
        if not self.has_asked:
            self._abort()

    def _abort(self) -> None:
        if self.transport is not None:
            self.transport.abort()


@final
class HttpPort:
    """One listening port and what it serves. `name` is for the log."""

    def __init__(self, name: str, pages: Pages, idle_s: float, answer_s: float = ANSWER_S) -> None:
        self._name: Final = name
        self._pages: Final = pages
        self._idle_s: Final = idle_s
        self._answer_s: Final = answer_s
        self._connections: Final[set[_Connection]] = set()
        self._step: Final = asyncio.Lock()
        self._web: Final = web.Server(self._serve, handler_cancellation=True)
        self._server: asyncio.Server | None = None

    async def open(self, host: str, port: int) -> tuple[str, int]:
        """The address in use. Raises OSError, with the port's name in its text, if it can't be had."""
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(self._new_connection, host or None, port, backlog=BACKLOG)
        except OSError as error:
            reason = error.strerror or error
            raise OSError(f"the {self._name} cannot listen on {host or '*'}:{port}: {reason}") from error
        address = self._server.sockets[0].getsockname()
        _log.info("monitoring_port_opened", port_name=self._name, addr=f"{address[0]}:{address[1]}")
        return str(address[0]), int(address[1])

    async def close(self) -> None:
        """Requests in progress have a moment."""
        if self._server is not None:
            self._server.close()
        self._web.pre_shutdown()
        await self._web.shutdown(STOP_S)

    def _new_connection(self) -> _Connection:
        return _Connection(self, self._web, self._idle_s)

    def admit(self, connection: _Connection) -> bool:
        """False past the bound (I1)."""
        if len(self._connections) >= CONNECTIONS_MAX:
            _log.warning("monitoring_connection_refused", port_name=self._name, limit=CONNECTIONS_MAX)
            return False
        self._connections.add(connection)
        return True

    def forget(self, connection: _Connection) -> None:
        self._connections.discard(connection)

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        connection = request.protocol
        assert isinstance(connection, _Connection)
        connection.has_asked = True
        try:
            answer = self._pages.answer(_request_of(request))
            async with asyncio.timeout(self._answer_s):
                return await self._send(request, answer)
        except TimeoutError:
            if request.transport is not None:
                request.transport.abort()  # I2
            raise
        except (ConnectionError, asyncio.CancelledError):
            raise
        except Exception:
            _log.exception("monitoring_request_failed", port_name=self._name, path=request.path)
            return web.Response(status=500, text="internal error\n")

    async def _send(self, request: web.BaseRequest, answer: PageAnswer) -> web.StreamResponse:
        headers = {"Server": f"zkbridge/{__version__}", **answer.headers}
        first: list[bytes] = []
        size = 0
        is_whole = False
        while size <= SMALL_BYTES and not is_whole:
            piece = await self._next_piece(answer)
            is_whole = piece is None
            first.append(piece or b"")
            size += len(first[-1])
        response: web.StreamResponse
        if is_whole:
            response = web.Response(status=answer.status, headers=headers, body=b"".join(first))
            await response.prepare(request)
        else:
            response = web.StreamResponse(status=answer.status, headers=headers)
            response.enable_chunked_encoding()
            await response.prepare(request)
            await response.write(b"".join(first))
            while (piece := await self._next_piece(answer)) is not None:
                await response.write(piece)
        await response.write_eof()
        return response

    async def _next_piece(self, answer: PageAnswer) -> bytes | None:
        """Others have their turn before each (I3)."""
        async with self._step:
            await asyncio.sleep(0)
            return next(answer.pieces, None)


def _request_of(request: web.BaseRequest) -> PageRequest:
    query: dict[str, list[str]] = {}
    for name, value in request.rel_url.query.items():
        query.setdefault(name, []).append(value)
    headers = {name.lower(): value for name, value in request.headers.items()}
    return PageRequest(request.method, request.rel_url.path, query, headers, request.remote or "")
