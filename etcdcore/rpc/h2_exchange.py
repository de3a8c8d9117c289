"""A plain HTTP request on a stream of our HTTP/2 connection: a task runs the handler and sends what it answers."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator
from typing import Final, final
from urllib.parse import parse_qs, unquote

import structlog

from etcdcore.http2.codes import CANCEL, INTERNAL_ERROR
from etcdcore.http2.header_encoder import ResponseFields
from etcdcore.http2.request_head import RequestHead
from etcdcore.http2.stream import Stream
from etcdcore.rpc.h2_protocol import H2Protocol, PlainExchange
from etcdcore.rpc.http import HttpHandler, HttpRequest, HttpResponse

_log = structlog.get_logger()

REQUEST_REST_S_MAX: Final = 0.5
REQUEST_REST_BYTES_MAX: Final = 256 * 1024
"""What is left of a request is let come for so long and so much before the response ends, for a client that still sends
then is reset. That says NO_ERROR, yet curl takes it for a failure."""

_FAILED: Final = HttpResponse(500, {"content-type": "text/plain"}, b"internal error\n")


@final
class RequestBody(AsyncIterator[bytes]):
    """Pieces as they come; each is given back to the client's window when it is taken."""

    def __init__(self, protocol: H2Protocol, stream: Stream) -> None:
        self._protocol: Final = protocol
        self._stream: Final = stream
        self._pieces: Final[deque[bytes]] = deque()
        self._something: Final = asyncio.Event()
        self._has_ended = False
        self.kept_bytes = 0

    def put(self, data: bytes) -> None:
        self._pieces.append(data)
        self.kept_bytes += len(data)
        self._something.set()

    def end(self) -> None:
        self._has_ended = True
        self._something.set()

    async def __anext__(self) -> bytes:
        while not self._pieces:
            if self._has_ended:
                raise StopAsyncIteration
            self._something.clear()
            await self._something.wait()
        data = self._pieces.popleft()
        self.kept_bytes -= len(data)
        self._protocol.body_taken(self._stream, len(data))
        return data


@final
class H2Exchange(PlainExchange):
    """`serve` is its task's work; the protocol tells the rest."""

    def __init__(self, protocol: H2Protocol, stream: Stream, head: RequestHead) -> None:
        self._protocol: Final = protocol
        self._stream: Final = stream
        self._head: Final = head
        self._body: Final = RequestBody(protocol, stream)
        self._is_writable: Final = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    def data_received(self, data: bytes) -> None:
        self._body.put(data)

    def request_ended(self) -> None:
        self._body.end()

    def cancel(self) -> None:
        if self.task is not None:
            self.task.cancel()

    def writable(self) -> None:
        self._is_writable.set()

    def request(self) -> HttpRequest:
        path, _, query = self._head.path.partition("?")
        return HttpRequest(
            method=self._head.method,
            path=unquote(path),
            query=parse_qs(query, keep_blank_values=True),
            headers={"host": self._head.authority, **self._head.headers},
            body=self._body,
            peer=self._protocol.peer,
            is_secure=self._protocol.is_secure,
            common_name=self._protocol.common_name,
        )

    async def serve(self, handler: HttpHandler) -> None:
        """Runs until the answer is sent, the client has gone or the server stops."""
        connection, stream = self._protocol.connection, self._stream
        try:
            await self._send(await handler.handle(self.request()))
        except asyncio.CancelledError:
            connection.reset(stream, CANCEL)
            raise
        except Exception:
            _log.exception("http_request_failed", path=self._head.path)
            if stream.has_sent_head:
                connection.reset(stream, INTERNAL_ERROR)
            else:
                await self._send(_FAILED)

    def ended(self, task: asyncio.Task[None]) -> None:
        """Told by the task, also when it was cancelled before it began."""
        self._protocol.exchange_ended(self._stream, self._body.kept_bytes)

    async def _send(self, response: HttpResponse) -> None:
        connection, stream = self._protocol.connection, self._stream
        fields = [(b":status", b"%d" % response.status)]
        fields += [(name.lower().encode(), value.encode()) for name, value in response.headers.items()]
        body = response.body
        if isinstance(body, bytes):
            fields.append((b"content-length", b"%d" % len(body)))
        is_head = self._head.method == "HEAD" or body == b""
        is_all = is_head and stream.is_request_ended
        connection.send_head(stream, ResponseFields(fields), is_all)
        if is_all:
            return
        if not is_head:
            await self._send_body(body)
        if not stream.is_request_ended:
            await self._take_rest()
        connection.send_end(stream)

    async def _send_body(self, body: bytes | AsyncIterator[bytes]) -> None:
        if isinstance(body, bytes):
            self._protocol.connection.send_data(self._stream, body)
        else:
            await self._send_pieces(body)

    async def _take_rest(self) -> None:
        """Of a request that is answered already."""
        self._protocol.flush_soon()
        count = 0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(REQUEST_REST_S_MAX):
                async for piece in self._body:
                    count += len(piece)
                    if count > REQUEST_REST_BYTES_MAX:
                        return

    async def _send_pieces(self, pieces: AsyncIterator[bytes]) -> None:
        try:
            async for piece in pieces:
                self._protocol.connection.send_data(self._stream, piece)
                self._protocol.flush_soon()
                while self._stream.is_throttled and not self._stream.is_closed:
                    self._is_writable.clear()
                    await self._is_writable.wait()
        finally:
            close = getattr(pieces, "aclose", None)
            if close is not None:
                await close()
