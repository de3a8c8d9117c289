"""The bridge's contract with its store, kept by the embedded one: order, fences, sessions, loading, barriers."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest

from etcdcore import Member, Put
from tests.unit.etcdcore.member.fakes import decide, on_loop, quick_config, until
from zkbridge.backend.embedded import BackendError, EmbeddedBackend, open_embedded
from zkbridge.backend.interface import (
    NO_EVENTS,
    REFUSED_FENCE,
    REFUSED_SESSION,
    BarrierToken,
    Fence,
    RevisionSink,
    StoreEvent,
    WriteToken,
)

PREFIX: Final = b"/zk/"
FENCE_KEY: Final = b"/zk/w"
SESSION: Final = b"/zk/s1"


class Token(WriteToken):
    def __init__(self, name: str) -> None:
        self.name: Final = name

    def __repr__(self) -> str:
        return self.name


class Barrier(BarrierToken):
    def __init__(self) -> None:
        self.answers: Final[list[object]] = []

    def barrier_reached(self, revision: int) -> None:
        self.answers.append(revision)

    def barrier_dropped(self, reason: str) -> None:
        self.answers.append(reason)


class Sink(RevisionSink):
    """Writes down what it is told, as short tuples."""

    def __init__(self) -> None:
        self.told: Final[list[tuple[object, ...]]] = []
        self.events: Final[list[StoreEvent]] = []
        self.expired: Final[list[int]] = []

    def revision_applied(self, revision: int, events: list[StoreEvent], token: WriteToken | None) -> None:
        assert (events is NO_EVENTS) == (token is not None)
        self.events.extend(events)
        self.told.append((revision, [event.key for event in events], token))

    def write_refused(self, token: WriteToken, reason: str, revision: int) -> None:
        self.told.append(("refused", token, reason, revision))

    def write_dropped(self, token: WriteToken, reason: str, is_decided: bool) -> None:
        self.told.append(("dropped", token, is_decided))

    def batch_applied(self) -> None: ...

    def leases_expired(self, lease_ids: list[int]) -> list[int]:
        self.expired.extend(lease_ids)
        return lease_ids

    def write_state_changed(self, reason: str | None) -> None: ...

    def backend_failed(self, error: BaseException) -> None:
        self.told.append(("failed", repr(error)))


@asynccontextmanager
async def writer(data_dir: Path) -> AsyncIterator[tuple[EmbeddedBackend, Sink, Fence]]:
    """A backend whose fence was put as revision 2."""
    backend = EmbeddedBackend(Member.open(quick_config(data_dir)))
    sink = Sink()
    async with asyncio.TaskGroup() as group:
        group.create_task(backend.serve())
        await backend.wait_writable()
        assert backend.subscribe(sink, PREFIX) == 1
        backend.take_over(FENCE_KEY, Token("take-over"))
        await until(lambda: bool(sink.told))
        assert repr(sink.told) == "[(2, [], take-over)]"
        sink.told.clear()
        try:
            yield backend, sink, Fence(FENCE_KEY, 2)
        finally:
            await backend.stop()


async def load(backend: EmbeddedBackend, revision: int, page: int) -> list[list[StoreEvent]]:
    return [events async for events in backend.load(PREFIX, revision, page)]


def submit(
    backend: EmbeddedBackend,
    fence: Fence,
    name: str,
    session: bytes | None = None,
    puts: Sequence[tuple[bytes, bytes, int]] = (),
    deletes: Sequence[bytes] = (),
) -> None:
    backend.submit(fence, session, list(puts), list(deletes), Token(name))


@on_loop
async def test_writes_come_back_with_their_tokens_in_order_and_each_is_one_revision(tmp_path: Path) -> None:
    async with writer(tmp_path) as (backend, sink, fence):
        submit(backend, fence, "open", None, [(SESSION, b"", 0)])
        submit(backend, fence, "create", SESSION, [(b"/zk/n/a", b"1", 0), (b"/zk/c/", b"2", 0)])
        submit(backend, fence, "move", SESSION, [(b"/zk/n/b", b"1", 0)], [b"/zk/n/a"])
        await until(lambda: len(sink.told) == 3)
        assert repr(sink.told) == "[(3, [], open), (4, [], create), (5, [], move)]"
        pages = await load(backend, 5, 100)
        assert [(event.key, event.mod_revision) for event in pages[0]] == [
            (b"/zk/c/", 4),
            (b"/zk/n/b", 5),
            (SESSION, 3),
            (FENCE_KEY, 2),
        ]


@on_loop
async def test_a_write_of_a_session_that_is_gone_takes_all_behind_it_along(tmp_path: Path) -> None:
    async with writer(tmp_path) as (backend, sink, fence):
        submit(backend, fence, "dead", SESSION, [(b"/zk/n/a", b"", 0)])
        submit(backend, fence, "behind", None, [(b"/zk/n/b", b"", 0)])
        await until(lambda: len(sink.told) == 3)
        assert sink.told[0] == (3, [FENCE_KEY], None)
        assert repr(sink.told[1:]) == (
            f"[('refused', dead, '{REFUSED_SESSION}', 3), ('refused', behind, '{REFUSED_FENCE}', 0)]"
        )
        assert (sink.events[0].create_revision, sink.events[0].mod_revision) == (2, 3)
        submit(backend, Fence(FENCE_KEY, 3), "again", None, [(b"/zk/n/b", b"", 0)])
        await until(lambda: len(sink.told) == 4)
        assert repr(sink.told[3]) == "(4, [], again)"


@on_loop
async def test_a_deposed_writer_writes_nothing_and_moves_no_fence(tmp_path: Path) -> None:
    async with writer(tmp_path) as (backend, sink, fence):
        await decide(backend.member, Put(FENCE_KEY, b"somebody else"))
        submit(backend, fence, "late", SESSION, [(b"/zk/n/a", b"", 0)])
        await until(lambda: len(sink.told) == 2)
        assert sink.told[0] == (3, [FENCE_KEY], None)
        assert repr(sink.told[1]) == f"('refused', late, '{REFUSED_FENCE}', 0)"
        assert backend.revision() == 3


@on_loop
async def test_foreign_keys_move_the_revision_without_events(tmp_path: Path) -> None:
    async with writer(tmp_path) as (backend, sink, _):
        await decide(backend.member, Put(b"/other", b""))
        await decide(backend.member, Put(b"/zk/n/a", b""))
        assert sink.told == [(3, [], None), (4, [b"/zk/n/a"], None)]


@on_loop
async def test_a_put_with_an_unknown_lease_is_refused_with_the_error_of_the_store(tmp_path: Path) -> None:
    async with writer(tmp_path) as (backend, sink, fence):
        submit(backend, fence, "leased", None, [(b"/zk/n/a", b"", 99)])
        await until(lambda: bool(sink.told))
        assert repr(sink.told) == "[('refused', leased, 'etcdserver: requested lease not found', 0)]"


@on_loop
async def test_a_lease_is_there_for_the_write_behind_its_grant_and_its_revocation_deletes_the_key(
    tmp_path: Path,
) -> None:
    async with writer(tmp_path) as (backend, sink, fence):
        backend.grant_lease(7, 60)
        submit(backend, fence, "open", None, [(SESSION, b"", 7)])
        await until(lambda: len(sink.told) == 1)
        backend.revoke_lease(7)
        await until(lambda: len(sink.told) == 2)
        assert sink.told[1] == (4, [SESSION], None)
        assert not sink.events[-1].is_put
        backend.revoke_lease(7)
        backend.renew_leases([7, 8])


@on_loop
async def test_pages_hold_every_key_of_the_prefix_once_as_of_the_revision(tmp_path: Path) -> None:
    async with writer(tmp_path) as (backend, _, fence):
        for number in range(10):
            submit(backend, fence, "create", None, [(b"/zk/n/%d" % number, b"old", 0)])
        await decide(backend.member, Put(b"/zl", b"outside"))
        revision = backend.revision()
        await decide(backend.member, Put(b"/zk/n/3", b"new"))
        for page in (1, 3, 11, 100):
            pages = await load(backend, revision, page)
            assert all(len(events) <= page for events in pages)
            events = [event for events in pages for event in events]
            assert [event.key for event in events] == [*(b"/zk/n/%d" % number for number in range(10)), FENCE_KEY]
            assert {event.value for event in events[:10]} == {b"old"}


@on_loop
async def test_a_barrier_is_reached_at_the_revision_of_what_was_decided_before_it(tmp_path: Path) -> None:
    async with writer(tmp_path) as (backend, _, _fence):
        await decide(backend.member, Put(b"/zk/n/a", b""))
        barrier = Barrier()
        backend.request_barrier(barrier)
        await until(lambda: bool(barrier.answers))
        assert barrier.answers == [3]
    late = Barrier()
    backend.request_barrier(late)
    assert len(late.answers) == 1 and isinstance(late.answers[0], str)


@on_loop
async def test_after_a_stop_writes_are_dropped_as_decided(tmp_path: Path) -> None:
    async with writer(tmp_path) as (backend, sink, fence):
        pass
    submit(backend, fence, "late")
    assert repr(sink.told) == "[('dropped', late, True)]"


def test_a_directory_in_use_cannot_be_opened_a_second_time(tmp_path: Path) -> None:
    first = Member.open(quick_config(tmp_path))
    try:
        with pytest.raises(BackendError, match="in use by process"):
            open_embedded(tmp_path, 3600)
    finally:
        first._parts.close()
