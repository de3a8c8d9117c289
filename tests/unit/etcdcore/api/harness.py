"""The services without a carrier: calls made and heard by the test, over a member that is really there."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, TypeVar

from google.protobuf.message import Message

from etcdcore.api.services import Services, build_services
from etcdcore.api.settings import ApiSettings
from etcdcore.mvcc.engine import Engine
from etcdcore.rpc.calls import Call, CallListener, StreamMethod, UnaryMethod
from etcdcore.storage.file_ops import FileOps
from tests.unit.etcdcore.member.fakes import quick_config, running

AnswerMessage = TypeVar("AnswerMessage", bound=Message)


class Refused(Exception):
    """The call ended with a status other than OK."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(code, text)
        self.code: Final = code
        self.text: Final = text


class FakeCall(Call):
    """Keeps what its service says. `ended` is a future of the status: None for OK."""

    def __init__(self, metadata: Mapping[str, str] | None = None) -> None:
        super().__init__({} if metadata is None else metadata, "test:1")
        self.sent: Final[list[bytes]] = []
        self.something: Final = asyncio.Event()
        self.status: Refused | None = None

    def send(self, message: bytes) -> None:
        if not self.is_done:
            self.sent.append(message)
            self.something.set()

    def reply(self, message: bytes) -> None:
        self.send(message)
        self.finish()

    def finish(self) -> None:
        self.is_done = True
        self.something.set()

    def fail(self, code: int, text: str) -> None:
        if not self.is_done:
            self.status = Refused(code, text)
            self.finish()


class Stream:
    """A streaming call from the client's side."""

    def __init__(self, call: FakeCall, listener: CallListener) -> None:
        self.call: Final = call
        self.listener: Final = listener
        self._taken = 0

    def write(self, message: Message) -> None:
        self.listener.message_received(message.SerializeToString())

    async def read(self, kind: type[AnswerMessage]) -> AnswerMessage:
        """The next message; raises Refused, and EOFError at the end."""
        async with asyncio.timeout(10):
            while self._taken == len(self.call.sent):
                if self.call.is_done:
                    raise self.call.status or EOFError()
                self.call.something.clear()
                await self.call.something.wait()
        self._taken += 1
        return kind.FromString(self.call.sent[self._taken - 1])

    async def is_silent(self, seconds: float = 0.05) -> bool:
        """Whether nothing more has come by then."""
        await asyncio.sleep(seconds)
        return self._taken == len(self.call.sent) and not self.call.is_done

    def cancel(self) -> None:
        """The client goes."""
        self.call.is_done = True
        self.listener.call_cancelled()

    def set_writable(self, is_writable: bool) -> None:
        was_writable = self.call.is_writable
        self.call.is_writable = is_writable
        if is_writable and not was_writable:
            self.listener.writable()


class Client:
    """Calls methods of the table by their paths."""

    def __init__(self, services: Services) -> None:
        self.services: Final = services

    async def call(
        self,
        path: str,
        request: Message | bytes,
        kind: type[AnswerMessage],
        metadata: Mapping[str, str] | None = None,
    ) -> AnswerMessage:
        """A unary call; raises Refused."""
        method = self.services.table.methods[path]
        assert isinstance(method, UnaryMethod)
        call = FakeCall(metadata)
        method.call(request if isinstance(request, bytes) else request.SerializeToString(), call)
        async with asyncio.timeout(10):
            while not call.is_done:
                call.something.clear()
                await call.something.wait()
        if call.status is not None:
            raise call.status
        return kind.FromString(call.sent[0])

    def open(self, path: str, metadata: Mapping[str, str] | None = None) -> Stream:
        method = self.services.table.methods[path]
        assert isinstance(method, StreamMethod)
        call = FakeCall(metadata)
        call.listener = method.open(call)
        return Stream(call, call.listener)


@asynccontextmanager
async def serving(
    folder: Path,
    settings: ApiSettings | None = None,
    file_ops: FileOps | None = None,
    engine: Engine | None = None,
    **member_settings: float,
) -> AsyncIterator[Client]:
    """The services of a member that leads, for the time of the `with`."""
    config = quick_config(folder, **member_settings)
    async with running(config, file_ops, engine) as (member, _), asyncio.TaskGroup() as group:
        services = build_services(member, settings)
        task = group.create_task(services.serve())
        for _ in range(2):
            await asyncio.sleep(0)  # until the cold methods' group is there
        yield Client(services)
        task.cancel()
