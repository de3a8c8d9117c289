"""Calls to the services in this process, without gRPC: the same bytes, handed over directly.

Invariant: what a slow reader of a stream has not taken yet is bounded: past MESSAGES_HIGH the service is told to hold
back, as by a connection that is full.
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import Final, final

from etcdcore.errors import DEADLINE_EXCEEDED, UNIMPLEMENTED
from etcdcore.rpc.calls import Call, MethodTable, StreamMethod, UnaryMethod
from etcdcore.rpc.channel import Channel, Stream
from etcdcore.rpc.status import EtcdError, cut_off

MESSAGES_HIGH: Final = 256
_PEER: Final = "in-process"


@final
class _LocalUnary(Call):
    __slots__ = ("answer",)

    def __init__(self, metadata: Mapping[str, str]) -> None:
        super().__init__(metadata, _PEER)
        self.answer: Final[asyncio.Future[bytes]] = asyncio.get_running_loop().create_future()

    def send(self, message: bytes) -> None:
        self.reply(message)

    def reply(self, message: bytes) -> None:
        if not self.is_done:
            self.is_done = True
            self.answer.set_result(message)

    def finish(self) -> None:
        self.reply(b"")

    def fail(self, code: int, text: str) -> None:
        if not self.is_done:
            self.is_done = True
            self.answer.set_exception(EtcdError(code, text))

    def cancel(self) -> None:
        if not self.is_done:
            self.is_done = True
            if self.listener is not None:
                self.listener.call_cancelled()


@final
class _LocalStreamCall(Call):
    """The service's end."""

    __slots__ = ("arrived", "error", "received")

    def __init__(self, metadata: Mapping[str, str]) -> None:
        super().__init__(metadata, _PEER)
        self.received: Final[deque[bytes]] = deque()
        self.arrived: Final = asyncio.Event()
        self.error: EtcdError | None = None

    def send(self, message: bytes) -> None:
        if self.is_done:
            return
        self.received.append(message)
        self.is_writable = len(self.received) < MESSAGES_HIGH
        self.arrived.set()

    def reply(self, message: bytes) -> None:
        self.send(message)
        self.finish()

    def finish(self) -> None:
        self.is_done = True
        self.arrived.set()

    def fail(self, code: int, text: str) -> None:
        if not self.is_done:
            self.error = EtcdError(code, text)
            self.finish()

    def take(self) -> bytes:
        message = self.received.popleft()
        if not self.is_writable and not self.is_done and len(self.received) < MESSAGES_HIGH // 2:
            self.is_writable = True
            if self.listener is not None:
                self.listener.writable()
        return message


@final
class LocalStream(Stream):
    """The client's end."""

    def __init__(self, method: StreamMethod, metadata: Mapping[str, str]) -> None:
        self._call: Final = _LocalStreamCall(metadata)
        self._call.listener = method.open(self._call)

    async def send(self, message: bytes) -> None:
        call = self._call
        if call.is_done:
            raise call.error or cut_off("the call has ended")
        assert call.listener is not None, "opened with a listener"
        call.listener.message_received(message)

    async def receive(self) -> bytes | None:
        call = self._call
        while not call.received:
            if call.is_done:
                if call.error is not None:
                    raise call.error
                return None
            call.arrived.clear()
            await call.arrived.wait()
        return call.take()

    def end_input(self) -> None:
        if not self._call.is_done and self._call.listener is not None:
            self._call.listener.input_ended()

    def cancel(self) -> None:
        call = self._call
        if not call.is_done:
            call.error = cut_off("the call was cancelled")
            call.finish()
            if call.listener is not None:
                call.listener.call_cancelled()


@final
class LocalChannel(Channel):
    """A server in this process."""

    def __init__(self, table: MethodTable) -> None:
        self._table: Final = table
        self._is_closed = False
        self._streams: Final[set[LocalStream]] = set()

    async def unary(self, path: str, request: bytes, metadata: Mapping[str, str], timeout_s: float | None) -> bytes:
        self._find(path)
        method = self._table.unary.get(path)
        if method is None:
            raise EtcdError(UNIMPLEMENTED, f"{path} is not unary")
        call = _LocalUnary(metadata)
        method.call(request, call)
        try:
            async with asyncio.timeout(timeout_s):
                return await call.answer
        except TimeoutError as error:
            raise EtcdError(DEADLINE_EXCEEDED, "context deadline exceeded") from error
        finally:
            call.cancel()

    def stream(self, path: str, metadata: Mapping[str, str]) -> LocalStream:
        self._find(path)
        method = self._table.streams.get(path)
        if method is None:
            raise EtcdError(UNIMPLEMENTED, f"{path} is not a stream")
        return LocalStream(method, metadata)

    def try_another(self) -> None:
        """There is one."""

    async def close(self) -> None:
        self._is_closed = True

    def _find(self, path: str) -> UnaryMethod | StreamMethod:
        if self._is_closed:
            raise cut_off("the client is closed")
        method = self._table.methods.get(path)
        if method is None:
            raise EtcdError(UNIMPLEMENTED, f"unknown method {path}")
        return method
