"""A websocket as one request of the HTTP handler: frames are the pieces of its body, lines of the answer are frames.

As github.com/tmc/grpc-websocket-proxy, which etcd has before its gateway: always a POST; a token may come as the
subprotocol `Bearer, <token>` or as the cookie `token`, because browsers cannot set other headers. The answer's status
is not told, and its end closes the socket, politely (there the connection is cut).
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Final

from aiohttp import WSMsgType, web

from etcdcore.rpc.http import HttpHandler, HttpRequest

MESSAGE_BYTES_MAX: Final = 8 << 20
"""Of one frame; what a message may be is for the handler to say, and it says less."""
FRAMES_MAX: Final = 16
"""Frames that wait for the handler to take them, before the socket is not read any more."""
CLOSE_TIMEOUT_S: Final = 1.0
_BEARER: Final = "Bearer"


def is_upgrade(request: web.BaseRequest) -> bool:
    return request.headers.get("Upgrade", "").lower() == "websocket"


async def carry_websocket(request: web.BaseRequest, as_http: HttpRequest, handler: HttpHandler) -> web.StreamResponse:
    """Until one of the two sides is done."""
    is_bearer = request.headers.get("Sec-WebSocket-Protocol", "").startswith(_BEARER)
    socket = web.WebSocketResponse(
        protocols=(_BEARER,) if is_bearer else (), max_msg_size=MESSAGE_BYTES_MAX, timeout=CLOSE_TIMEOUT_S
    )
    await socket.prepare(request)
    frames: asyncio.Queue[bytes] = asyncio.Queue(FRAMES_MAX)
    headers = {name: value for name, value in as_http.headers.items() if name in ("origin", "referer", "host")}
    token = _token_of(request)
    if token:
        headers["authorization"] = token
    request_of_all = replace(as_http, method="POST", headers=headers, body=_bodies(frames))
    async with asyncio.TaskGroup() as group:
        answering = group.create_task(_answer(socket, request_of_all, handler), name="websocket_answer")
        reading = group.create_task(_read(socket, frames), name="websocket_read")
        await asyncio.wait((answering, reading), return_when=asyncio.FIRST_COMPLETED)
        answering.cancel()
        reading.cancel()
    await socket.close()
    return socket


async def _read(socket: web.WebSocketResponse, frames: asyncio.Queue[bytes]) -> None:
    """Returns when the client closes."""
    async for message in socket:
        if message.type is WSMsgType.TEXT:
            await frames.put(message.data.encode() + b"\n")
        elif message.type is WSMsgType.BINARY:
            await frames.put(message.data + b"\n")


async def _bodies(frames: asyncio.Queue[bytes]) -> AsyncIterator[bytes]:
    while True:
        yield await frames.get()


async def _answer(socket: web.WebSocketResponse, request: HttpRequest, handler: HttpHandler) -> None:
    response = await handler.handle(request)
    body = response.body
    try:
        if isinstance(body, bytes):
            await _send_lines(socket, body)
            return
        async for piece in body:
            await _send_lines(socket, piece)
    except ConnectionError:
        return  # the client is gone, which `_read` hears of too
    finally:
        close = getattr(body, "aclose", None)
        if close is not None:
            await close()


async def _send_lines(socket: web.WebSocketResponse, piece: bytes) -> None:
    for line in piece.splitlines():
        if line:
            await socket.send_str(line.decode("utf-8", "replace"))


def _token_of(request: web.BaseRequest) -> str:
    cookie = request.cookies.get("token")
    if cookie is not None:
        return f"{_BEARER} {cookie}"
    _, found, token = request.headers.get("Sec-WebSocket-Protocol", "").partition(f"{_BEARER},")
    return f"{_BEARER} {token.strip()}" if found else ""
