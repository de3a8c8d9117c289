"""grpcio's asyncio server as a carrier: the second server, for whoever trusts Google's HTTP/2 more than ours.

Messages stay bytes, since the handlers have no serializers. It needs a port of its own: grpcio can't hand over
connections that speak HTTP/1.1. Its texts for a message past the limit and for bad compression are grpcio's own.
grpcio has no types, so its contexts and handlers are `Any` here, and nowhere else.
"""

import asyncio
import base64
from collections import deque
from collections.abc import AsyncIterator, Sequence
from time import monotonic
from typing import Any, Final, final

import grpc
import structlog

from etcdcore.errors import CANCELED, INTERNAL, OK
from etcdcore.rpc.calls import Call, CallListener, MethodTable, StreamMethod, UnaryMethod
from etcdcore.rpc.limits import RpcLimits
from etcdcore.rpc.refusals import unknown_path_text
from etcdcore.rpc.urls import parse_listen_url

_log = structlog.get_logger()

STREAM_QUEUE_BYTES_HIGH: Final = 64 * 1024
"""Messages a stream holds for a client that doesn't read, past which its service is told to hold back."""

_STATUS: Final[dict[int, grpc.StatusCode]] = {code.value[0]: code for code in grpc.StatusCode}

_OPTION_MAX: Final = 0x7FFFFFFF
"""grpcio's options are int32."""


def _metadata_of(context: Any) -> dict[str, str]:
    metadata: dict[str, str] = {}
    for name, value in context.invocation_metadata() or ():
        text = value if isinstance(value, str) else base64.b64encode(value).decode().rstrip("=")
        metadata.setdefault(name, text)
    return metadata


def _peer_of(context: Any) -> str:
    """`ipv4:127.0.0.1:80` without its kind."""
    peer: str = context.peer()
    return peer.partition(":")[2] or peer


def _common_name_of(context: Any) -> str:
    names = context.auth_context().get("x509_common_name", ())
    return next(iter(names), b"").decode("utf-8", "replace")


class _GrpcioCall(Call):
    __slots__ = ("code", "text")

    def __init__(self, context: Any) -> None:
        super().__init__(_metadata_of(context), _peer_of(context), _common_name_of(context))
        self.code = OK
        self.text = ""

    def fail(self, code: int, text: str) -> None:
        if not self.is_done:
            self.code, self.text = code, text
            self.finish()


@final
class _UnaryCall(_GrpcioCall):
    """Its answer is the result of a future, which the handler's task awaits."""

    __slots__ = ("answer",)

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self.answer: Final[asyncio.Future[bytes]] = asyncio.get_running_loop().create_future()

    def send(self, message: bytes) -> None:
        self.reply(message)

    def reply(self, message: bytes) -> None:
        if not self.is_done:
            self.is_done = True
            self.answer.set_result(message)

    def finish(self) -> None:
        self.reply(b"")


@final
class _StreamCall(_GrpcioCall):
    """Its messages wait in a queue for the handler's task, which writes one after the other."""

    __slots__ = ("_method", "_queue", "_queued_bytes", "_something", "_table")

    def __init__(self, context: Any, table: MethodTable, method: StreamMethod) -> None:
        super().__init__(context)
        self._table: Final = table
        self._method: Final = method
        self._queue: Final[deque[bytes]] = deque()
        self._queued_bytes = 0
        self._something: Final = asyncio.Event()

    def send(self, message: bytes) -> None:
        if self.is_done:
            return
        self._queue.append(message)
        self._table.sent_bytes += len(message)
        self._method.sent_count += 1
        self._queued_bytes += len(message)
        self.is_writable = self._queued_bytes < STREAM_QUEUE_BYTES_HIGH
        self._something.set()

    def reply(self, message: bytes) -> None:
        self.send(message)
        self.finish()

    def finish(self) -> None:
        self.is_done = True
        self._something.set()

    def note_received(self, message: bytes) -> None:
        self._table.received_bytes += len(message)
        self._method.received_count += 1

    async def write_all(self, context: Any) -> None:
        """Until the service has ended the call and all it said is written."""
        while True:
            while self._queue:
                message = self._queue.popleft()
                await context.write(message)
                self._queued_bytes -= len(message)
                if not self.is_writable and not self.is_done and self._queued_bytes < STREAM_QUEUE_BYTES_HIGH // 2:
                    self.is_writable = True
                    if self.listener is not None:
                        self.listener.writable()
            if self.is_done:
                return
            self._something.clear()
            await self._something.wait()


@final
class _TableHandler(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpcio has no types
    """Hands each call to its method; counts how calls began and ended."""

    def __init__(self, table: MethodTable) -> None:
        self._table: Final = table

    def service(self, handler_call_details: Any) -> Any:
        path: str = handler_call_details.method
        unary = self._table.unary.get(path)
        if unary is not None:
            return self._unary(unary)
        stream = self._table.streams.get(path)
        if stream is not None:
            return self._stream(stream)
        return self._unknown(path)

    def _unary(self, method: UnaryMethod) -> Any:
        async def serve(request: bytes, context: Any) -> bytes:
            began_s = self._began(method.path)
            self._table.received_bytes += len(request)
            call = _UnaryCall(context)
            try:
                method.call(request, call)
                answer = await call.answer
            except asyncio.CancelledError:
                self._cancelled(method.path, call, began_s)
                raise
            except Exception:
                answer = b""
                _failed(method.path, call)
            await self._ended(method.path, call, context, began_s)
            self._table.sent_bytes += len(answer)
            return answer

        return grpc.unary_unary_rpc_method_handler(serve)

    def _stream(self, method: StreamMethod) -> Any:
        async def serve(requests: AsyncIterator[bytes], context: Any) -> None:
            began_s = self._began(method.path)
            call = _StreamCall(context, self._table, method)
            try:
                listener = call.listener = method.open(call)
                async with asyncio.TaskGroup() as group:
                    reader = group.create_task(_read_all(requests, call, listener), name=f"read {method.path}")
                    await call.write_all(context)
                    reader.cancel()
            except asyncio.CancelledError:
                self._cancelled(method.path, call, began_s)
                raise
            except Exception:
                _failed(method.path, call)
            await self._ended(method.path, call, context, began_s)

        return grpc.stream_stream_rpc_method_handler(serve)

    def _unknown(self, path: str) -> Any:
        async def refuse(requests: AsyncIterator[bytes], context: Any) -> None:
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, unknown_path_text(self._table, path))

        return grpc.stream_stream_rpc_method_handler(refuse)

    def _began(self, path: str) -> float:
        """When, by the monotonic clock."""
        self._table.started[path] = self._table.started.get(path, 0) + 1
        return monotonic()

    async def _ended(self, path: str, call: _GrpcioCall, context: Any, began_s: float) -> None:
        self._count(path, call.code, began_s)
        if call.code != OK:
            await context.abort(_STATUS.get(call.code, grpc.StatusCode.UNKNOWN), call.text)

    def _cancelled(self, path: str, call: _GrpcioCall, began_s: float) -> None:
        self._count(path, CANCELED, began_s)
        if not call.is_done:
            call.is_done = True
            if call.listener is not None:
                call.listener.call_cancelled()

    def _count(self, path: str, code: int, began_s: float) -> None:
        self._table.handled[path, code] = self._table.handled.get((path, code), 0) + 1
        self._table.note_handling(path, monotonic() - began_s)


def _failed(path: str, call: _GrpcioCall) -> None:
    """A service raised, which is a bug of ours (calls, I2)."""
    _log.exception("call_failed", path=path)
    call.code, call.text = INTERNAL, "internal error"
    if not call.is_done:
        call.is_done = True
        if call.listener is not None:
            call.listener.call_cancelled()


async def _read_all(requests: AsyncIterator[bytes], call: _StreamCall, listener: CallListener) -> None:
    async for message in requests:
        if call.is_done:
            return
        call.note_received(message)
        listener.message_received(message)
    if not call.is_done:
        listener.input_ended()


@final
class GrpcioServer:
    """One grpcio server for all its addresses; started and stopped once."""

    def __init__(self, table: MethodTable, limits: RpcLimits) -> None:
        options = [
            ("grpc.max_receive_message_length", limits.receive_bytes_max),
            ("grpc.max_send_message_length", -1),
            ("grpc.max_concurrent_streams", min(limits.streams_max, _OPTION_MAX)),
            ("grpc.http2.min_ping_interval_without_data_ms", int(limits.ping_interval_min_s * 1000)),
            ("grpc.http2.min_recv_ping_interval_without_data_ms", int(limits.ping_interval_min_s * 1000)),
            ("grpc.keepalive_time_ms", int(limits.ping_interval_s * 1000) or _OPTION_MAX),
            ("grpc.keepalive_timeout_ms", int(limits.ping_timeout_s * 1000)),
            ("grpc.so_reuseport", 0),
        ]
        self._server: Final = grpc.aio.server(handlers=[_TableHandler(table)], options=options)

    async def start(self, urls: Sequence[str], credentials: grpc.ServerCredentials | None = None) -> list[int]:
        """Listens on every URL, with `credentials` on the https and unixs ones. Returns the port of each (unix: 1).

        Raises ListenUrlError and OSError.
        """
        ports = [self._bind(url, credentials) for url in urls]
        await self._server.start()
        return ports

    def _bind(self, url: str, credentials: grpc.ServerCredentials | None) -> int:
        address = parse_listen_url(url)
        host = f"[{address.host}]" if ":" in address.host else address.host
        target = f"unix:{address.unix_path}" if address.unix_path else f"{host or '[::]'}:{address.port}"
        if not address.is_secure:
            bound = self._server.add_insecure_port
            arguments: tuple[Any, ...] = (target,)
        else:
            assert credentials is not None, "a secure URL comes with credentials"
            bound, arguments = self._server.add_secure_port, (target, credentials)
        try:
            port: int = bound(*arguments)
        except RuntimeError as error:
            raise OSError(f"cannot listen on {url}: {error}") from error
        return port

    async def stop(self, grace_s: float) -> None:
        """Takes no more calls, lets those in progress end for `grace_s`, then cuts them."""
        await self._server.stop(grace_s)
