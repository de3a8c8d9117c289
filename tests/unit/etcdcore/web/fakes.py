"""A table of small services, facts that can be set, and requests without a connection."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

from etcdcore.config import ServerConfig
from etcdcore.errors import CoreError
from etcdcore.rpc.calls import Call, CallListener, MethodTable, StreamMethod, UnaryMethod
from etcdcore.rpc.http import HttpRequest, HttpResponse
from etcdcore.web.facts import ServerFacts
from etcdcore.web.handler import WebHandler


class SettableFacts(ServerFacts):
    def __init__(self) -> None:
        self.raised: tuple[int, ...] = ()
        self.leader = True
        self.learner = False
        self.auth = False
        self.known_versions = ("3.6.0", "3.6.0")
        self.read_errors: dict[bool, CoreError] = {}

    def alarms(self) -> tuple[int, ...]:
        return self.raised

    def has_leader(self) -> bool:
        return self.leader

    def is_learner(self) -> bool:
        return self.learner

    def is_auth_enabled(self) -> bool:
        return self.auth

    def auth_revision(self) -> int:
        return 1

    def versions(self) -> tuple[str, str]:
        return self.known_versions

    async def check_read(self, is_serializable: bool) -> CoreError | None:
        return self.read_errors.get(is_serializable)


class Answering(UnaryMethod):
    """Keeps its calls; `answer` says what to do with each."""

    def __init__(self, path: str, answer: Callable[[bytes, Call], None]) -> None:
        super().__init__(path)
        self.answer = answer
        self.calls: list[Call] = []

    def call(self, request: bytes, call: Call) -> None:
        self.calls.append(call)
        self.answer(request, call)


class Conversation(CallListener):
    def __init__(self, call: Call, react: "Callable[[Conversation, bytes], None]") -> None:
        self.call = call
        self.react = react
        self.heard: list[str] = []
        self.input_is_over = asyncio.Event()

    def message_received(self, message: bytes) -> None:
        self.heard.append("message")
        self.react(self, message)

    def input_ended(self) -> None:
        self.heard.append("ended")
        self.input_is_over.set()
        self.react(self, b"")

    def call_cancelled(self) -> None:
        self.heard.append("cancelled")

    def writable(self) -> None:
        self.heard.append("writable")


class Conversing(StreamMethod):
    """`react` gets each message, and nothing at the end of the input."""

    def __init__(self, path: str, react: Callable[[Conversation, bytes], None]) -> None:
        super().__init__(path)
        self.react = react
        self.conversations: list[Conversation] = []

    def open(self, call: Call) -> CallListener:
        self.conversations.append(Conversation(call, self.react))
        return self.conversations[-1]


async def pieces(parts: Sequence[bytes], held: asyncio.Event | None = None) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
    if held is not None:
        await held.wait()


def make_request(
    path: str,
    body: bytes | Sequence[bytes] = b"",
    method: str = "POST",
    headers: Mapping[str, str] | None = None,
    is_secure: bool = False,
    common_name: str = "",
    held: asyncio.Event | None = None,
) -> HttpRequest:
    path, _, query = path.partition("?")
    return HttpRequest(
        method,
        path,
        parse_qs(query, keep_blank_values=True),
        {"host": "127.0.0.1:2379"} if headers is None else headers,
        pieces([body] if isinstance(body, bytes) else body, held),
        "127.0.0.1:5",
        is_secure,
        common_name,
    )


async def body_of(response: HttpResponse) -> bytes:
    if isinstance(response.body, bytes):
        return response.body
    return b"".join([piece async for piece in response.body])


def with_handler(
    table: MethodTable,
    script: Callable[[WebHandler], Coroutine[Any, Any, None]],
    facts: ServerFacts | None = None,
    config: ServerConfig | None = None,
) -> None:
    """Runs the script with a handler; whatever the script leaves running is cancelled."""

    async def run() -> None:
        async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
            await script(WebHandler(config or ServerConfig(), table, facts or SettableFacts(), tasks))
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

    asyncio.run(run())
