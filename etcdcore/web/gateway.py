"""The JSON gateway: a POST below /v3/ becomes a call of the method table, its messages JSON.

Unary: one JSON object in, one out. Streams: objects one after the other in, a line `{"result":{...}}` for each message
out. Errors are `{"code":5,"message":"..."}` with grpc-gateway's HTTP status; of a stream that has begun, a last line
`{"error":{...}}`. Input of a duplex stream that is no JSON ends its input, as in etcd, and nothing else.

Source: reference section 1.5, grpc-gateway v2 runtime (handler, errors, context), as etcd 3.6 sets it up.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from typing import Final, final

import structlog
from google.protobuf.message import DecodeError, Message

from etcdcore.errors import (
    DEADLINE_EXCEEDED,
    INTERNAL,
    INVALID_ARGUMENT,
    NOT_FOUND,
    OK,
    RESOURCE_EXHAUSTED,
    UNAUTHENTICATED,
    UNIMPLEMENTED,
)
from etcdcore.rpc.calls import CallListener, MethodTable, StreamMethod, UnaryMethod
from etcdcore.rpc.http import HttpRequest, HttpResponse
from etcdcore.rpc.refusals import unknown_path_text
from etcdcore.web.gateway_call import GatewayCall
from etcdcore.web.json_read import JsonError, read_message
from etcdcore.web.json_split import JsonSplitter
from etcdcore.web.json_write import quote, write_message
from etcdcore.web.routes import ROUTES, Route

_log = structlog.get_logger()

HTTP_STATUS: Final[Mapping[int, int]] = {
    0: 200,
    1: 499,
    2: 500,
    3: 400,
    4: 504,
    5: 404,
    6: 409,
    7: 403,
    8: 429,
    9: 400,
    10: 409,
    11: 400,
    12: 501,
    13: 500,
    14: 503,
    15: 500,
    16: 401,
}
"""Of gRPC's codes: grpc-gateway HTTPStatusFromCode."""

_JSON: Final = "application/json"
_OK_HEADERS: Final = {"Content-Type": _JSON, "Grpc-Metadata-Content-Type": "application/grpc"}
_METADATA_PREFIX: Final = "grpc-metadata-"
_TIMEOUT: Final = re.compile(r"(\d{1,18})([HMSmun])")
_TIMEOUT_UNITS_S: Final = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}
LARGE_ANSWER_BYTES: Final = 256 * 1024
"""Some 4 ms of work."""
_TIMEOUT_MIN_S: Final = 1e-6
"""A shorter time is over before a request is read."""
_TIMEOUT_MAX_S: Final = 1e9
"""Longer than any process lives, short enough for every clock."""


def error_response(code: int, text: str) -> HttpResponse:
    headers = {"Content-Type": _JSON}
    if code == UNAUTHENTICATED:
        headers["WWW-Authenticate"] = text
    return HttpResponse(HTTP_STATUS.get(code, 500), headers, _error_body(code, text).encode())


def _error_body(code: int, text: str) -> str:
    parts = []
    if code:
        parts.append(f'"code":{code}')
    if text:
        parts.append(f'"message":{quote(text)}')
    return "{" + ",".join(parts) + "}"


class _Refused(Exception):
    """The request ends before it reaches a service."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code: Final = code
        self.text: Final = text


@final
class Gateway:
    """`message_bytes_max`: of one protobuf message, as for gRPC. Its JSON may be longer by base64 and names."""

    def __init__(self, table: MethodTable, tasks: asyncio.TaskGroup, message_bytes_max: int) -> None:
        self._table: Final = table
        self._tasks: Final = tasks
        self._message_bytes_max: Final = message_bytes_max
        self._json_bytes_max: Final = 2 * message_bytes_max

    async def handle(self, request: HttpRequest) -> HttpResponse:
        route = ROUTES.get(request.path)
        if route is None:
            return error_response(NOT_FOUND, "Not Found")
        if _method_of(request) != "POST":
            return error_response(UNIMPLEMENTED, "Method Not Allowed")
        try:
            timeout_s = _timeout_s(request.headers.get("grpc-timeout", ""))
            if route.is_stream:
                return await self._stream(route, request, timeout_s)
            return await self._unary(route, request, timeout_s)
        except _Refused as refused:
            return error_response(refused.code, refused.text)

    # One message in, one out.

    async def _unary(self, route: Route, request: HttpRequest, timeout_s: float | None) -> HttpResponse:
        message = await self._read_one(route, request)
        method = self._table.unary.get(route.method)
        if method is None:
            return error_response(UNIMPLEMENTED, unknown_path_text(self._table, route.method))
        call = self._open_call(route, request)
        try:
            async with asyncio.timeout(timeout_s):
                _guard_call(method, message, call)
                answer = await call.next_message()
        except TimeoutError:
            call.cancel(DEADLINE_EXCEEDED, "context deadline exceeded")
            answer = None
        finally:
            call.cancel()
        if answer is None:
            return error_response(call.code, call.text)
        return HttpResponse(200, _OK_HEADERS, (await _to_json(route, answer)).encode())

    async def _read_one(self, route: Route, request: HttpRequest) -> bytes:
        """The only message of the request's body, encoded. Raises _Refused.

        That of a stream is waited for no longer than it takes, since the body of a websocket ends with the stream only.
        """
        body = bytearray()
        splitter = JsonSplitter(self._json_bytes_max)
        async for piece in request.body:
            body += piece
            if len(body) > self._json_bytes_max:
                raise self._too_large(len(body))
            if route.is_stream and (splitter.receive_bytes(piece) or splitter.failure is not None):
                break
        return self._encode(route, bytes(body))

    def _encode(self, route: Route, data: bytes) -> bytes:
        message = route.request()
        try:
            read_message(data, message)
        except JsonError as error:
            raise _Refused(INVALID_ARGUMENT, str(error)) from error
        encoded = message.SerializeToString()
        if len(encoded) > self._message_bytes_max:
            raise self._too_large(len(encoded))
        self._table.received_bytes += len(encoded)
        method = self._table.streams.get(route.method)
        if method is not None:
            method.received_count += 1
        return encoded

    def _too_large(self, size: int) -> _Refused:
        text = f"grpc: received message larger than max ({size} vs. {self._message_bytes_max})"
        return _Refused(RESOURCE_EXHAUSTED, text)

    def _open_call(self, route: Route, request: HttpRequest) -> GatewayCall:
        return GatewayCall(self._table, route.method, _metadata_of(request.headers), request.peer)

    # Streams.

    async def _stream(self, route: Route, request: HttpRequest, timeout_s: float | None) -> HttpResponse:
        first = b"" if route.is_duplex else await self._read_one(route, request)
        method = self._table.streams.get(route.method)
        if method is None:
            return error_response(UNIMPLEMENTED, unknown_path_text(self._table, route.method))
        call = self._open_call(route, request)
        lines = _Lines(route, call, timeout_s)
        is_carried_on = False
        try:
            listener = _guard_open(method, call)
            if listener is not None:
                if route.is_duplex:
                    lines.reader = self._tasks.create_task(
                        self._serve_input(route, request, call, listener), name="gateway_input"
                    )
                else:
                    listener.message_received(first)
                    if not call.is_done:
                        listener.input_ended()
            # The status is known with the first message only.
            if await lines.wait_first():
                is_carried_on = True
                return HttpResponse(200, _OK_HEADERS, lines)
            if call.code == OK:
                return HttpResponse(200)
            line = _error_line(call).encode()
            return HttpResponse(HTTP_STATUS.get(call.code, 500), {"Content-Type": _JSON}, line)
        finally:
            if not is_carried_on:
                await lines.aclose()

    async def _serve_input(self, route: Route, request: HttpRequest, call: GatewayCall, listener: CallListener) -> None:
        """A task of its own, the boundary of what reading this body meets: it ends this call's input at most."""
        splitter = JsonSplitter(self._json_bytes_max)
        try:
            async for piece in request.body:
                for data in splitter.receive_bytes(piece):
                    message = self._encode(route, data)
                    await call.wait_writable()
                    if call.is_done:
                        return
                    listener.message_received(message)
                if splitter.failure is not None:
                    raise splitter.failure
        except (JsonError, _Refused) as error:
            _log.debug("gateway_input_refused", path=request.path, peer=request.peer, error=str(error))
        except asyncio.CancelledError:
            call.cancel()
            raise
        except Exception as error:  # this task's outer boundary: the group is everybody's
            _log.info("gateway_input_failed", path=request.path, peer=request.peer, error=repr(error))
            call.cancel()
            return
        if not call.is_done:
            listener.input_ended()


@final
class _Lines(AsyncIterator[bytes]):
    """The lines of a stream. The listener closes it when the client goes, which is the end of the call."""

    def __init__(self, route: Route, call: GatewayCall, timeout_s: float | None) -> None:
        self._route: Final = route
        self._call: Final = call
        self._deadline_s: Final = None if timeout_s is None else asyncio.get_running_loop().time() + timeout_s
        self._first: bytes | None = None
        self._is_ended = False
        self.reader: asyncio.Task[None] | None = None

    async def wait_first(self) -> bool:
        """Until there is a message; False when the call ended without one."""
        self._first = await self._next()
        return self._first is not None

    async def __anext__(self) -> bytes:
        answer, self._first = self._first, None
        if answer is None and not self._is_ended:
            answer = await self._next()
        if answer is not None:
            return f'{{"result":{await _to_json(self._route, answer)}}}\n'.encode()
        await self.aclose()
        if self._is_ended or self._call.code == OK:
            raise StopAsyncIteration
        self._is_ended = True
        return _error_line(self._call).encode()

    async def _next(self) -> bytes | None:
        try:
            async with asyncio.timeout_at(self._deadline_s):
                return await self._call.next_message()
        except TimeoutError:
            self._call.cancel(DEADLINE_EXCEEDED, "context deadline exceeded")
            return None

    async def aclose(self) -> None:
        self._call.cancel()
        if self.reader is not None:
            self.reader.cancel()


def _error_line(call: GatewayCall) -> str:
    return f'{{"error":{_error_body(call.code, call.text)}}}\n'


def _guard_call(method: UnaryMethod, message: bytes, call: GatewayCall) -> None:
    try:
        method.call(message, call)
    except Exception:  # the carrier's outer boundary (rpc.calls, I2)
        _log.exception("call_failed", path=method.path, peer=call.peer)
        call.fail(INTERNAL, "internal error")


def _guard_open(method: StreamMethod, call: GatewayCall) -> CallListener | None:
    try:
        call.listener = method.open(call)
    except Exception:  # the carrier's outer boundary (rpc.calls, I2)
        _log.exception("call_failed", path=method.path, peer=call.peer)
        call.fail(INTERNAL, "internal error")
    return call.listener


async def _to_json(route: Route, answer: bytes) -> str:
    """A large answer is written in a thread: nobody else has to wait for it."""
    if len(answer) < LARGE_ANSWER_BYTES:
        return _write_json(route, answer)
    return await asyncio.to_thread(_write_json, route, answer)


def _write_json(route: Route, answer: bytes) -> str:
    message: Message = route.response()
    try:
        message.ParseFromString(answer)
    except DecodeError as error:
        raise AssertionError(f"{route.method} answered with what is no {message.DESCRIPTOR.name}") from error
    return write_message(message)


def _method_of(request: HttpRequest) -> str:
    """A form may say that it means another method, as grpc-gateway allows."""
    override = request.headers.get("x-http-method-override", "")
    content_type = request.headers.get("content-type", "")
    if override and request.method == "POST" and content_type == "application/x-www-form-urlencoded":
        return override.upper()
    return request.method


def _timeout_s(text: str) -> float | None:
    if not text:
        return None
    match = _TIMEOUT.fullmatch(text)
    if match is None:
        raise _Refused(INVALID_ARGUMENT, f"invalid grpc-timeout: {text}")
    timeout_s = int(match.group(1)) * _TIMEOUT_UNITS_S[match.group(2)]
    if timeout_s < _TIMEOUT_MIN_S:
        raise _Refused(DEADLINE_EXCEEDED, "context deadline exceeded")
    return min(timeout_s, _TIMEOUT_MAX_S)


def _metadata_of(headers: Mapping[str, str]) -> dict[str, str]:
    metadata = {
        name[len(_METADATA_PREFIX) :]: value for name, value in headers.items() if name.startswith(_METADATA_PREFIX)
    }
    if "authorization" in headers:
        metadata["authorization"] = headers["authorization"]
    return metadata
