"""A member under test: run for the time of a `with`, its answers as futures, what its listener hears as a list."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import wraps
from pathlib import Path
from typing import Final, ParamSpec

from etcdcore import Command, CoreError, KeyEvent, Member, MemberConfig, Outcome, Proposal, Range, RevisionListener
from etcdcore.member.ports import Host
from etcdcore.mvcc.engine import Engine
from etcdcore.storage.file_ops import FileOps
from etcdcore.types import LogIndex

Arguments = ParamSpec("Arguments")
TEST_S_MAX: Final = 30


def on_loop(test: Callable[Arguments, Coroutine[object, object, None]]) -> Callable[Arguments, None]:
    """Runs a test on a loop of its own."""

    @wraps(test)
    def run(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        asyncio.run(asyncio.wait_for(test(*args, **kwargs), TEST_S_MAX))

    return run


async def until(condition: Callable[[], bool]) -> None:
    """For what another thread or the clock brings about."""
    async with asyncio.timeout(TEST_S_MAX):
        while not condition():  # noqa: ASYNC110  # what is waited for knows nothing of this test
            await asyncio.sleep(0.001)


class Answer(Proposal):
    """`outcome` is set once, to the result or to the error; a second answer fails the test."""

    def __init__(self) -> None:
        self.future: Final[asyncio.Future[Outcome | int]] = asyncio.get_running_loop().create_future()
        self.is_decided: bool | None = None

    def applied(self, result: Outcome | int) -> None:
        self.future.set_result(result)

    def dropped(self, error: CoreError, is_decided: bool) -> None:
        self.is_decided = is_decided
        self.future.set_result(error)

    @property
    def was_dropped(self) -> bool:
        return self.is_decided is not None


class Recorder(RevisionListener):
    """Everything that a listener is told, in order."""

    def __init__(self) -> None:
        self.revisions: Final[list[int]] = []
        self.told: Final[list[object]] = []
        self.write_states: Final[list[CoreError | None]] = []
        self.expired: Final[list[int]] = []
        self.keeps: Final[set[int]] = set()
        self.failures: Final[list[BaseException]] = []

    def revision_applied(self, revision: int, events: list[KeyEvent], proposal: Proposal | None) -> None:
        assert events
        self.revisions.append(revision)
        self.told.append((revision, [event.kv.key for event in events], proposal))

    def batch_applied(self) -> None:
        return

    def leases_expired(self, lease_ids: list[int]) -> list[int]:
        self.expired.extend(lease_ids)
        return [lease_id for lease_id in lease_ids if lease_id in self.keeps]

    def write_state_changed(self, error: CoreError | None) -> None:
        self.write_states.append(error)

    def member_failed(self, error: BaseException) -> None:
        self.failures.append(error)


class IdleHost(Host):
    """Counts what it is told, and calls nobody."""

    def __init__(self) -> None:
        self.refusals = 0

    def want_flush(self) -> None:
        return

    def want_apply(self) -> None:
        return

    def progressed(self) -> None:
        return

    def refusal_changed(self) -> None:
        self.refusals += 1

    def apply_was_slow(self, index: LogIndex, took_s: float) -> None:
        return

    def committed(self) -> None:
        return

    def membership_changed(self) -> None:
        return


def quick_config(data_dir: Path, **settings: float) -> MemberConfig:
    """Small files and short times; a setting may be given otherwise."""
    chosen: dict[str, float] = {"tick_ms": 5, "commit_interval_ms": 5, "segment_bytes": 1 << 16, **settings}
    return MemberConfig(data_dir, **chosen)  # type: ignore[arg-type]  # integers where integers are wanted


@asynccontextmanager
async def running(
    config: MemberConfig, file_ops: FileOps | None = None, engine: Engine | None = None
) -> AsyncIterator[tuple[Member, Recorder]]:
    """Opened, subscribed and writable; stopped at the end."""
    member = Member.open(config, file_ops, engine)
    recorder = Recorder()
    member.subscribe(recorder)
    async with asyncio.TaskGroup() as group:
        group.create_task(member.serve(), name="member")
        await member.wait_writable()
        try:
            yield member, recorder
        finally:
            await member.stop()


def submit(member: Member, command: Command) -> Answer:
    answer = Answer()
    member.submit(command, answer)
    return answer


async def decide(member: Member, command: Command) -> Outcome | int:
    async with asyncio.timeout(10):
        return await submit(member, command).future


def contents(member: Member) -> dict[bytes, bytes]:
    result = member.range(Range(b"\0", b"\0"))
    assert not isinstance(result, CoreError)
    return {kv.key: kv.value for kv in result.kvs}
