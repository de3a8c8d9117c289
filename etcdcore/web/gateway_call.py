"""A call that the gateway carries: what the service answers waits here for the task of the HTTP request.

Counted in the method table as gRPC calls are, because etcd's gateway is a gRPC client of the server beside it.

Invariants:
1. Messages leave in the order in which they were sent, all of them before the status.
2. A client that does not read is held up to `QUEUED_BYTES_HIGH`, then its service is told (`is_writable`).
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import Final, final

from etcdcore.errors import CANCELED, OK
from etcdcore.rpc.calls import Call, MethodTable

QUEUED_BYTES_HIGH: Final = 64 * 1024


@final
class GatewayCall(Call):
    """`next_message` until it returns None, then `code` and `text` are there; `cancel` when the client has gone."""

    __slots__ = ("_messages", "_path", "_queued_bytes", "_room", "_something", "_started_s", "_table", "code", "text")

    def __init__(self, table: MethodTable, path: str, metadata: Mapping[str, str], peer: str) -> None:
        super().__init__(metadata, peer)
        self._table: Final = table
        self._path: Final = path
        self._messages: Final[deque[bytes]] = deque()
        self._queued_bytes = 0
        self._something: Final = asyncio.Event()
        self._room: Final = asyncio.Event()
        self._room.set()
        self.code = OK
        self.text = ""
        self._started_s: Final = asyncio.get_running_loop().time()
        table.started[path] = table.started.get(path, 0) + 1

    # The service's side.

    def send(self, message: bytes) -> None:
        if self.is_done:
            return
        self._messages.append(message)
        self._table.sent_bytes += len(message)
        method = self._table.streams.get(self._path)
        if method is not None:
            method.sent_count += 1
        self._queued_bytes += len(message)
        if self._queued_bytes >= QUEUED_BYTES_HIGH:
            self.is_writable = False
            self._room.clear()
        self._something.set()

    def reply(self, message: bytes) -> None:
        self.send(message)
        self.finish()

    def finish(self) -> None:
        self._end(OK, "")

    def fail(self, code: int, text: str) -> None:
        self._end(code, text)

    def _end(self, code: int, text: str) -> None:
        if self.is_done:
            return
        self.is_done = True
        self.code, self.text = code, text
        ended = (self._path, code)
        self._table.handled[ended] = self._table.handled.get(ended, 0) + 1
        self._table.note_handling(self._path, asyncio.get_running_loop().time() - self._started_s)
        self._something.set()
        self._room.set()

    # The request's side.

    async def next_message(self) -> bytes | None:
        while not self._messages:
            if self.is_done:
                return None
            self._something.clear()
            await self._something.wait()
        message = self._messages.popleft()
        self._queued_bytes -= len(message)
        if not self.is_writable and not self.is_done and self._queued_bytes < QUEUED_BYTES_HIGH // 2:
            self.is_writable = True
            self._room.set()
            if self.listener is not None:
                self.listener.writable()
        return message

    async def wait_writable(self) -> None:
        """Until the client has read enough for more requests to be taken from it, or the call is done."""
        await self._room.wait()

    def cancel(self, code: int = CANCELED, text: str = "context canceled") -> None:
        """The client is gone, or its deadline has passed."""
        if self.is_done:
            return
        self._messages.clear()
        self._end(code, text)
        if self.listener is not None:
            self.listener.call_cancelled()
