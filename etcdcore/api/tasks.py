"""Cold methods as async functions: each call is a task of one group, cancelled with its call.

What runs for each request of KV, Watch and keepalive does without; here comfort counts more than a microsecond.

Invariants:
1. Every task dies with its call, and all of them with `CallTasks.serve`.
2. A handler raises `CoreError`, `EtcdError`, `RequestInvalid` or `MessageInvalid` to refuse; anything else it raises
   is a bug, logged once and answered as INTERNAL.
3. At most CALLS_MAX tasks: a call more is refused.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Final, final

import structlog

from etcdcore.api.convert_slow import MessageInvalid
from etcdcore.errors import CoreError, ServerStopped, TooManyRequests
from etcdcore.rpc.calls import Call, CallListener, StreamMethod, UnaryMethod
from etcdcore.rpc.status import EtcdError

CALLS_MAX: Final = 65_536
"""Cold calls at once: an Observe or a blocked Lock is one for as long as it lasts."""
INPUT_MESSAGES_MAX: Final = 1024
"""Messages of one streaming call that wait for its handler; with more than these the client is not reading answers."""
INPUT_BYTES_MAX: Final = 4 << 20
"""...and no more than this of them, and one message."""
_INTERNAL: Final = 13
_INVALID_ARGUMENT: Final = 3

_log = structlog.get_logger()


class RequestInvalid(Exception):
    """What a handler raises for a request that none of etcd's errors fits: the status is INVALID_ARGUMENT."""


class CallTasks:
    """The group. `serve` runs as long as the services do."""

    def __init__(self) -> None:
        self._group: asyncio.TaskGroup | None = None
        self._count = 0
        self._is_started: Final = asyncio.Event()
        self._is_stopping: Final = asyncio.Event()

    async def serve(self) -> None:
        """Long-lived. Cancels whatever still runs when it is cancelled itself."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            self._is_started.set()
            try:
                await self._is_stopping.wait()
            finally:
                self._group = None

    async def wait_started(self) -> None:
        """From then on calls are taken."""
        await self._is_started.wait()

    def start(self, name: str, call: Call, work: Coroutine[object, object, None]) -> "asyncio.Task[None] | None":
        """A task for the call; without one the call is refused."""
        if self._group is None or self._count >= CALLS_MAX:
            work.close()
            call.refuse(ServerStopped() if self._group is None else TooManyRequests())
            return None
        self._count += 1
        task = self._group.create_task(self._run(call, work), name=name)

        def end(_: "asyncio.Task[None]") -> None:
            # Not in `_run`, which a task that is cancelled before its first step never enters.
            self._count -= 1
            work.close()

        task.add_done_callback(end)
        return task

    async def _run(self, call: Call, work: Coroutine[object, object, None]) -> None:
        """The outer boundary of a call."""
        try:
            await work
        except CoreError as error:
            call.refuse(error)
        except EtcdError as error:
            call.fail(error.code, error.text)
        except MessageInvalid as error:
            call.fail(_INTERNAL, str(error))
        except RequestInvalid as error:
            call.fail(_INVALID_ARGUMENT, str(error))
        except asyncio.CancelledError:
            call.refuse(ServerStopped())
            raise
        except Exception as error:  # I2
            _log.exception("call_failed", peer=call.peer)
            call.fail(_INTERNAL, f"{type(error).__name__} in a handler")


class CallStream(CallListener):
    """A call as its handler sees it: messages come from `receive`, go out by `send`, which waits for slow clients."""

    def __init__(self, call: Call) -> None:
        self.call: Final = call
        self.task: asyncio.Task[None] | None = None
        self._received: Final[asyncio.Queue[bytes | None]] = asyncio.Queue()
        self._received_bytes = 0
        self._writable: Final = asyncio.Event()
        self._writable.set()

    async def receive(self) -> bytes | None:
        """The client's next message; None when there are no more."""
        message = await self._received.get()
        if message is not None:
            self._received_bytes -= len(message)
        return message

    async def send(self, message: bytes) -> None:
        await self.wait_writable()
        self.call.send(message)

    async def wait_writable(self) -> None:
        """Until the client takes more."""
        while not self.call.is_writable:
            self._writable.clear()
            await self._writable.wait()

    def message_received(self, message: bytes) -> None:
        if self._received.qsize() >= INPUT_MESSAGES_MAX or self._received_bytes >= INPUT_BYTES_MAX:
            self.call.refuse(TooManyRequests())
            self.call_cancelled()
            return
        self._received_bytes += len(message)
        self._received.put_nowait(message)

    def input_ended(self) -> None:
        self._received.put_nowait(None)

    def call_cancelled(self) -> None:
        if self.task is not None:
            self.task.cancel()

    def writable(self) -> None:
        self._writable.set()


UnaryHandler = Callable[[bytes, Call], Awaitable[bytes]]
ServerStreamHandler = Callable[[bytes, CallStream], Awaitable[None]]
StreamHandler = Callable[[CallStream], Awaitable[None]]


@final
class TaskMethod(UnaryMethod):
    """One request, one response, by an async function."""

    def __init__(self, path: str, tasks: CallTasks, handler: UnaryHandler) -> None:
        super().__init__(path)
        self._tasks: Final = tasks
        self._handler: Final = handler

    def call(self, request: bytes, call: Call) -> None:
        stream = CallStream(call)
        call.listener = stream
        stream.task = self._tasks.start(self.path, call, self._answer(request, call))

    async def _answer(self, request: bytes, call: Call) -> None:
        call.reply(await self._handler(request, call))


@final
class TaskStreamMethod(StreamMethod):
    """Any number of messages both ways; the call ends when the handler returns."""

    def __init__(self, path: str, tasks: CallTasks, handler: StreamHandler) -> None:
        super().__init__(path)
        self._tasks: Final = tasks
        self._handler: Final = handler

    def open(self, call: Call) -> CallListener:
        stream = CallStream(call)
        stream.task = self._tasks.start(self.path, call, self._answer(stream))
        return stream

    async def _answer(self, stream: CallStream) -> None:
        try:
            await self._handler(stream)
        except MessageInvalid as invalid:
            stream.call.fail(_INTERNAL, invalid.in_stream)
            return
        stream.call.finish()


@final
class TaskServerStreamMethod(StreamMethod):
    """One request, any number of responses; the call ends when the handler returns."""

    def __init__(self, path: str, tasks: CallTasks, handler: ServerStreamHandler) -> None:
        super().__init__(path)
        self._tasks: Final = tasks
        self._handler: Final = handler

    def open(self, call: Call) -> CallListener:
        stream = CallStream(call)
        stream.task = self._tasks.start(self.path, call, self._answer(stream))
        return stream

    async def _answer(self, stream: CallStream) -> None:
        request = await stream.receive()
        if request is None:
            raise RequestInvalid("the call ended without a request")
        try:
            await self._handler(request, stream)
        except MessageInvalid as invalid:
            stream.call.fail(_INTERNAL, invalid.in_stream)
            return
        stream.call.finish()
