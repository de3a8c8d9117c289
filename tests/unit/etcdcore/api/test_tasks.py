"""etcdcore.api.tasks: a call by an async function ends with it, and the function with its call."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from etcdcore.api import tasks
from etcdcore.api.tasks import (
    INPUT_BYTES_MAX,
    INPUT_MESSAGES_MAX,
    CallStream,
    CallTasks,
    RequestInvalid,
    TaskMethod,
    TaskServerStreamMethod,
    TaskStreamMethod,
)
from etcdcore.errors import KeyNotFound
from etcdcore.rpc.calls import Call
from tests.unit.etcdcore.api.harness import FakeCall
from tests.unit.etcdcore.member.fakes import on_loop, until


@asynccontextmanager
async def _serving() -> AsyncIterator[CallTasks]:
    calls = CallTasks()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(calls.serve())
        await calls.wait_started()
        yield calls
        task.cancel()


def _raising(error: Exception) -> Callable[[bytes, Call], Awaitable[bytes]]:
    async def handler(request: bytes, call: Call) -> bytes:
        raise error

    return handler


async def _forever(request: bytes, call: Call) -> bytes:
    await asyncio.Event().wait()
    return b""


@on_loop
async def test_what_the_function_returns_is_the_answer() -> None:
    async def handler(request: bytes, call: Call) -> bytes:
        await asyncio.sleep(0)
        return request * 2

    async with _serving() as calls:
        call = FakeCall()
        TaskMethod("/s/m", calls, handler).call(b"ab", call)
        await until(lambda: call.is_done)
        assert (call.sent, call.status) == ([b"abab"], None)


@on_loop
@pytest.mark.parametrize(
    ("error", "status"),
    [
        (KeyNotFound(), (3, "etcdserver: key not found")),
        (RequestInvalid("no"), (3, "no")),
        (ZeroDivisionError("secret"), (13, "ZeroDivisionError in a handler")),
    ],
)
async def test_what_it_raises_is_the_status(error: Exception, status: tuple[int, str]) -> None:
    async with _serving() as calls:
        call = FakeCall()
        TaskMethod("/s/m", calls, _raising(error)).call(b"", call)
        await until(lambda: call.is_done)
        assert call.status is not None and (call.status.code, call.status.text) == status


@on_loop
async def test_the_function_is_cancelled_with_its_call_and_makes_room_for_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tasks, "CALLS_MAX", 2)
    async with _serving() as calls:
        method = TaskMethod("/s/m", calls, _forever)
        for turns in (0, 1, 3):  # 0: before the task has had its first step
            gone = [FakeCall(), FakeCall()]
            for call in gone:
                method.call(b"", call)
            refused = FakeCall()
            method.call(b"", refused)
            assert refused.status is not None and refused.status.text == "etcdserver: too many requests"
            for _ in range(turns):
                await asyncio.sleep(0)
            for call in gone:
                call.is_done = True
                assert call.listener is not None
                call.listener.call_cancelled()
            for _ in range(5):
                await asyncio.sleep(0)


@on_loop
async def test_what_runs_when_the_services_end_is_told_so() -> None:
    call, late = FakeCall(), FakeCall()
    async with _serving() as calls:
        method = TaskMethod("/s/m", calls, _forever)
        method.call(b"", call)
        await asyncio.sleep(0)
    method.call(b"", late)
    for one in (call, late):
        assert one.status is not None and (one.status.code, one.status.text) == (14, "etcdserver: server stopped")


@on_loop
async def test_a_stream_waits_for_a_client_that_does_not_read() -> None:
    async def handler(stream: CallStream) -> None:
        while (message := await stream.receive()) is not None:
            await stream.send(message)

    async with _serving() as calls:
        call = FakeCall()
        listener = call.listener = TaskStreamMethod("/s/m", calls, handler).open(call)
        call.is_writable = False
        for number in range(3):
            listener.message_received(b"%d" % number)
        listener.input_ended()
        for _ in range(5):
            await asyncio.sleep(0)
        assert call.sent == []
        call.is_writable = True
        listener.writable()
        await until(lambda: call.is_done)
        assert (call.sent, call.status) == ([b"0", b"1", b"2"], None)


@on_loop
@pytest.mark.parametrize(("count", "size"), [(INPUT_MESSAGES_MAX + 1, 1), (6, INPUT_BYTES_MAX // 5)])
async def test_more_messages_than_a_handler_takes_end_the_call(count: int, size: int) -> None:
    async def handler(stream: CallStream) -> None:
        await asyncio.Event().wait()

    async with _serving() as calls:
        call = FakeCall()
        listener = TaskStreamMethod("/s/m", calls, handler).open(call)
        for _ in range(count - 1):
            listener.message_received(bytes(size))
        assert not call.is_done
        listener.message_received(bytes(size))
        listener.message_received(b"")
        assert call.status is not None and call.status.text == "etcdserver: too many requests"


@on_loop
async def test_a_server_stream_needs_its_request() -> None:
    async def handler(request: bytes, stream: CallStream) -> None:
        await stream.send(request)
        await stream.send(request)

    async with _serving() as calls:
        method = TaskServerStreamMethod("/s/m", calls, handler)
        call, empty = FakeCall(), FakeCall()
        method.open(call).message_received(b"r")
        method.open(empty).input_ended()
        await until(lambda: call.is_done and empty.is_done)
        assert (call.sent, call.status) == ([b"r", b"r"], None)
        assert empty.status is not None and empty.status.code == 3
