"""HTTP/1.1 on the client port: aiohttp's low-level server, turned into calls of the same handler as over HTTP/2."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Final, cast, final

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from etcdcore.rpc.http import HttpHandler, HttpRequest, HttpResponse
from etcdcore.rpc.peer_names import common_name_of, peer_of
from etcdcore.rpc.websocket import carry_websocket, is_upgrade

_log = structlog.get_logger()


@final
class _BugsOnly(logging.Filter):
    """aiohttp tells of every malformed request at length: that is no news, and any client could fill the log."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.exc_info is None or not isinstance(record.exc_info[1], HttpProcessingError)


_library_log: Final = logging.getLogger(__name__)
_library_log.addFilter(_BugsOnly())

PIECE_BYTES_MAX: Final = 64 * 1024
HALF_CLOSED_S_MAX: Final = 1.0
"""For the answers to a client that says no more; it may as well be gone, which nobody can tell from here."""
HALF_CLOSED_QUIET_S: Final = 0.05


@final
class _Connection(web.RequestHandler):
    """aiohttp's, but a client that has closed its side still gets its answers, as from Go's server.

    Over TLS it gets none: there asyncio closes both sides at once.
    """

    __slots__ = ("active_count", "is_half_closed")

    def __init__(self, server: web.Server) -> None:
        super().__init__(
            server, loop=asyncio.get_running_loop(), access_log=cast(logging.Logger, None), logger=_library_log
        )
        self.active_count = 0
        self.is_half_closed = False

    def eof_received(self) -> bool:  # type: ignore[override]  # asyncio's meaning: True keeps our side open
        if self.transport is None or self.transport.get_extra_info("sslcontext") is not None:
            return False
        self.is_half_closed = True
        asyncio.get_running_loop().call_later(HALF_CLOSED_S_MAX, self._end)
        self.end_when_quiet()
        return True

    def end_when_quiet(self) -> None:
        """Requests that came together are begun one after the other, each at once when the one before is answered."""
        asyncio.get_running_loop().call_later(HALF_CLOSED_QUIET_S, self._end_if_quiet)

    def _end_if_quiet(self) -> None:
        if not self.active_count:
            self._end()

    def _end(self) -> None:
        if self.transport is not None:
            self.transport.close()


@final
class Http1Server:
    """Makes a protocol for each connection; `stop` ends them."""

    def __init__(self, handler: HttpHandler) -> None:
        self._handler: Final = handler
        self._server: Final = web.Server(self._serve, handler_cancellation=True)

    def new_protocol(self) -> web.RequestHandler:
        return _Connection(self._server)

    async def stop(self, grace_s: float) -> None:
        """Lets requests in progress end for so long."""
        self._server.pre_shutdown()
        await self._server.shutdown(grace_s)

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        connection = cast(_Connection, request.protocol)
        connection.active_count += 1
        try:
            return await self._answer(request)
        finally:
            connection.active_count -= 1
            if connection.is_half_closed:
                connection.end_when_quiet()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            as_http = _request_of(request)
            if is_upgrade(request) and self._handler.takes_websocket(as_http):
                return await carry_websocket(request, as_http, self._handler)
            response = await self._handler.handle(as_http)
        except Exception:
            _log.exception("http_request_failed", path=request.path)
            return web.Response(status=500, text="internal error\n")
        if isinstance(response.body, bytes):
            return web.Response(status=response.status, headers=response.headers, body=response.body)
        return await _send_pieces(request, response, response.body)


async def _body_of(request: web.BaseRequest) -> AsyncIterator[bytes]:
    """A client that asks first, as curl does from 1 MiB on, is told to go on when its body is wanted."""
    if request.headers.get("Expect", "").lower() == "100-continue":
        writer = request.writer
        await writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        writer.output_size = 0
    async for piece in request.content.iter_chunked(PIECE_BYTES_MAX):
        yield piece


def _request_of(request: web.BaseRequest) -> HttpRequest:
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        headers.setdefault(name.lower(), value)
    query: dict[str, list[str]] = {}
    for name, value in request.rel_url.query.items():
        query.setdefault(name, []).append(value)
    transport = request.transport
    return HttpRequest(
        method=request.method,
        path=request.rel_url.path,
        query=query,
        headers=headers,
        body=_body_of(request),
        peer=peer_of(transport),
        is_secure=request.secure,
        common_name=common_name_of(transport),
    )


async def _send_pieces(
    request: web.BaseRequest, response: HttpResponse, pieces: AsyncIterator[bytes]
) -> web.StreamResponse:
    sent = web.StreamResponse(status=response.status, headers=response.headers)
    try:
        await sent.prepare(request)
        async for piece in pieces:
            await sent.write(piece)
        await sent.write_eof()
    finally:
        close = getattr(pieces, "aclose", None)
        if close is not None:
            await close()
    return sent
