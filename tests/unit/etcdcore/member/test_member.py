"""The member's loop: order, exactly one answer, restarts, and what happens when the disk or an assertion fails."""

import asyncio
import errno
from pathlib import Path

import pytest

from etcdcore import (
    Compaction,
    Compare,
    CoreError,
    DeleteRange,
    KeyEvent,
    Member,
    NoSpace,
    Proposal,
    Put,
    PutResult,
    Range,
    RangeResult,
    ServerStopped,
    Txn,
    TxnResult,
)
from etcdcore.errors import LeaseNotFound
from etcdcore.storage.errors import WalWriteFailed
from tests.unit.etcdcore.member.fakes import (
    Answer,
    Recorder,
    contents,
    decide,
    on_loop,
    quick_config,
    running,
    submit,
    until,
)
from tests.unit.etcdcore.storage.fakes import FaultyFileOps


@on_loop
async def test_a_put_is_told_to_the_listener_before_it_is_answered(tmp_path: Path) -> None:
    order: list[str] = []

    class Told(Recorder):
        def revision_applied(self, revision: int, events: list[KeyEvent], proposal: Proposal | None) -> None:
            order.append(f"revision {revision}")

        def batch_applied(self) -> None:
            order.append("batch")

    class Noted(Answer):
        def applied(self, result: object) -> None:
            order.append("answer")
            self.future.set_result(0)

    async with running(quick_config(tmp_path, tick_ms=10_000)) as (member, _):
        member.subscribe(Told())
        order.clear()
        first, second = Noted(), Noted()
        member.submit(Put(b"a", b"1"), first)
        member.submit(Put(b"b", b"2"), second)
        await second.future
        await asyncio.sleep(0)
    assert order[:5] == ["revision 2", "answer", "revision 3", "answer", "batch"]


@on_loop
async def test_commands_are_decided_in_the_order_of_their_submission(tmp_path: Path) -> None:
    async with running(quick_config(tmp_path, entry_commands_max=7)) as (member, recorder):
        answers = [submit(member, Put(b"k%d" % (number % 10), b"%d" % number)) for number in range(100)]
        results = [await answer.future for answer in answers]
        assert [result.revision for result in results if isinstance(result, PutResult)] == list(range(2, 102))
        assert recorder.revisions == list(range(2, 102))
        assert contents(member) == {b"k%d" % number: b"%d" % (90 + number) for number in range(10)}


@on_loop
async def test_commands_of_turns_that_each_bring_more_share_an_entry_and_one_alone_waits_for_nobody(
    tmp_path: Path,
) -> None:
    async with running(quick_config(tmp_path)) as (member, _):
        await asyncio.gather(*(submit(member, Put(b"k%d" % number, b"")).future for number in range(10)))
        before = member.applied_index
        answers = []
        for number in range(5):
            answers.append(submit(member, Put(b"k%d" % number, b"")).future)
            await asyncio.sleep(0)
        await asyncio.gather(*answers)
        assert member.applied_index == before + 1
        await decide(member, Put(b"alone", b""))
        alone = submit(member, Put(b"alone", b""))
        await asyncio.sleep(0)
        assert member.pending_count == 1
        await alone.future


@on_loop
@pytest.mark.parametrize(("count", "goes_at_once"), [(1, False), (127, False), (128, True)])
async def test_commands_that_came_during_a_sync_go_to_the_log_before_what_it_made_durable_is_applied_if_they_are_many(
    tmp_path: Path, count: int, goes_at_once: bool
) -> None:
    file_ops = FaultyFileOps()
    async with running(quick_config(tmp_path, tick_ms=10_000), file_ops) as (member, _):
        indexes: list[int] = []

        class Watching(Recorder):
            def revision_applied(self, revision: int, events: list[KeyEvent], proposal: Proposal | None) -> None:
                indexes.append(member.raft_status().last_index)

        member.subscribe(Watching())
        file_ops.gate.clear()
        file_ops.write_started.clear()
        first = submit(member, Put(b"k", b""))
        await until(file_ops.write_started.is_set)
        index = member.raft_status().last_index
        others = [submit(member, Put(b"k", b"")) for _ in range(count)]
        await asyncio.sleep(0)
        file_ops.gate.set()
        await first.future
        assert indexes[0] == index + goes_at_once
        for other in others:
            await other.future
        assert member.raft_status().last_index == index + 1


@on_loop
async def test_each_revision_names_the_local_proposal_that_caused_it(tmp_path: Path) -> None:
    async with running(quick_config(tmp_path)) as (member, recorder):
        answer = submit(member, Put(b"a", b"1"))
        member.submit(Put(b"b", b"2"), None)
        await decide(member, Put(b"c", b"3"))
        assert recorder.told[:2] == [(2, [b"a"], answer), (3, [b"b"], None)]


@on_loop
async def test_what_changes_nothing_is_answered_without_a_revision(tmp_path: Path) -> None:
    async with running(quick_config(tmp_path)) as (member, recorder):
        failed = await decide(member, Txn([Compare(1, 2, b"a", 0)], [Put(b"a", b"1")], []))
        assert isinstance(failed, TxnResult) and not failed.succeeded
        assert isinstance(await decide(member, DeleteRange(b"a")), object)
        assert await decide(member, Put(b"a", b"1", 77)) == LeaseNotFound()
        assert recorder.revisions == []


@on_loop
async def test_what_was_answered_is_there_after_a_stop_and_a_start(tmp_path: Path) -> None:
    config = quick_config(tmp_path)
    async with running(config) as (member, _):
        for number in range(50):
            await decide(member, Put(b"k%d" % number, b"v"))
        before = contents(member)
    async with running(config) as (member, recorder):
        assert contents(member) == before
        assert member.revision() == 51
        assert recorder.revisions == []
        assert member.recovery_report.replayed_entries == 0, "a clean stop leaves nothing to replay"


@on_loop
async def test_the_first_start_of_a_member_is_reported_as_such_and_the_second_is_not(tmp_path: Path) -> None:
    async with running(quick_config(tmp_path)) as (member, _):
        assert member.recovery_report.is_new
        first_id = member.member_id
    async with running(quick_config(tmp_path, tick_ms=7)) as (member, _):
        assert not member.recovery_report.is_new
        assert member.member_id == first_id


@on_loop
async def test_a_stop_lets_what_is_in_flight_be_answered(tmp_path: Path) -> None:
    async with running(quick_config(tmp_path)) as (member, _):
        answers = [submit(member, Put(b"k", b"v")) for _ in range(500)]
    assert all(isinstance(answer.future.result(), PutResult) for answer in answers)


@on_loop
async def test_after_a_stop_everything_is_dropped_as_decided(tmp_path: Path) -> None:
    async with running(quick_config(tmp_path)) as (member, recorder):
        pass
    late = submit(member, Put(b"k", b"v"))
    assert late.future.result() == ServerStopped() and late.is_decided
    read = Answer()
    member.read_index(read)
    assert read.future.result() == ServerStopped()
    assert recorder.write_states[-1] == ServerStopped()
    with pytest.raises(ServerStopped):
        await member.wait_writable()


@on_loop
async def test_who_waits_to_write_goes_on_when_writable_and_hears_of_a_stop(tmp_path: Path) -> None:
    file_ops = FaultyFileOps()
    async with running(quick_config(tmp_path), file_ops) as (member, recorder):
        file_ops.is_write_full = True
        submit(member, Put(b"b", b"2"))
        await until(lambda: recorder.write_states[-1:] == [NoSpace()])
        waiting = [asyncio.ensure_future(member.wait_writable()) for _ in range(2)]  # noqa: TID251  # awaited below
        await asyncio.sleep(0.02)
        assert not any(task.done() for task in waiting)
        file_ops.is_write_full = False
        await asyncio.gather(*waiting)
    with pytest.raises(ServerStopped):
        await member.wait_writable()


@on_loop
async def test_a_member_that_never_served_can_be_stopped_and_opened_again(tmp_path: Path) -> None:
    await Member.open(quick_config(tmp_path)).stop()
    async with running(quick_config(tmp_path)) as (member, _):
        assert isinstance(await decide(member, Put(b"a", b"1")), PutResult)


@on_loop
async def test_a_barrier_is_answered_with_the_revision_of_all_that_was_answered_before(tmp_path: Path) -> None:
    async with running(quick_config(tmp_path)) as (member, _):
        await decide(member, Put(b"a", b"1"))
        barrier = Answer()
        member.read_index(barrier)
        assert await barrier.future == 2


@on_loop
async def test_a_member_is_current_but_for_the_time_in_which_what_is_committed_is_being_applied(tmp_path: Path) -> None:
    async with running(quick_config(tmp_path, tick_ms=10_000, entry_commands_max=1)) as (member, _):
        seen: list[tuple[int, bool]] = []

        class Watching(Recorder):
            def revision_applied(self, revision: int, events: list[KeyEvent], proposal: Proposal | None) -> None:
                seen.append((revision, member.is_current()))

        member.subscribe(Watching())
        assert member.is_current()
        for answer in [submit(member, Put(b"k", b"v")) for _ in range(3)]:
            await answer.future
        assert seen == [(2, False), (3, False), (4, False)]
        assert member.is_current()
    assert not member.is_current()


@on_loop
async def test_an_error_of_a_listener_stops_the_member_and_answers_everybody(tmp_path: Path) -> None:
    class Broken(Recorder):
        def revision_applied(self, revision: int, events: list[KeyEvent], proposal: Proposal | None) -> None:
            assert revision != 3, "injected"

    member = Member.open(quick_config(tmp_path))
    broken = Broken()
    member.subscribe(broken)
    with pytest.raises(ExceptionGroup) as raised:
        async with asyncio.TaskGroup() as group:
            group.create_task(member.serve())
            await member.wait_writable()
            answers = [submit(member, Put(b"k%d" % number, b"v")) for number in range(5)]
    assert isinstance(raised.value.exceptions[0], AssertionError)
    assert [answer.was_dropped for answer in answers] == [False, True, True, True, True]
    assert [answer.is_decided for answer in answers[1:]] == [False] * 4
    assert len(broken.failures) == 1


@on_loop
async def test_a_failed_sync_stops_the_member_and_a_restart_has_what_was_answered(tmp_path: Path) -> None:
    file_ops = FaultyFileOps()
    member = Member.open(quick_config(tmp_path), file_ops)
    recorder = Recorder()
    member.subscribe(recorder)
    with pytest.raises(ExceptionGroup) as raised:
        async with asyncio.TaskGroup() as group:
            group.create_task(member.serve())
            await member.wait_writable()
            assert isinstance(await decide(member, Put(b"a", b"1")), PutResult)
            file_ops.errors["write_synced"] = errno.EIO
            doubtful = submit(member, Put(b"b", b"2"))
    assert isinstance(raised.value.exceptions[0], WalWriteFailed)
    assert doubtful.was_dropped and doubtful.is_decided is False
    assert recorder.failures and recorder.write_states[-1] == ServerStopped()
    async with running(quick_config(tmp_path)) as (member, _):
        assert contents(member)[b"a"] == b"1"


@on_loop
async def test_on_a_full_disk_writes_are_refused_reads_go_on_and_it_recovers(tmp_path: Path) -> None:
    file_ops = FaultyFileOps()
    async with running(quick_config(tmp_path), file_ops) as (member, recorder):
        await decide(member, Put(b"a", b"1"))
        file_ops.is_write_full = True
        queued = submit(member, Put(b"b", b"2"))
        await until(lambda: recorder.write_states[-1:] == [NoSpace()])
        refused = submit(member, Put(b"c", b"3"))
        assert refused.future.result() == NoSpace() and refused.is_decided
        assert contents(member) == {b"a": b"1"}
        assert not queued.future.done()
        file_ops.is_write_full = False
        assert isinstance(await queued.future, PutResult), "what was queued is not lost"
        await member.wait_writable()
        await decide(member, Put(b"c", b"3"))
        assert recorder.write_states == [None, NoSpace(), None]
    async with running(quick_config(tmp_path)) as (member, _):
        assert contents(member) == {b"a": b"1", b"b": b"2", b"c": b"3"}


@on_loop
async def test_a_slow_disk_changes_neither_order_nor_answers(tmp_path: Path) -> None:
    file_ops = FaultyFileOps()
    async with running(quick_config(tmp_path), file_ops) as (member, recorder):
        answers: list[Answer] = []
        for round_number in range(5):
            file_ops.gate.clear()
            for number in range(20):
                answers.append(submit(member, Put(b"k", b"%d" % (round_number * 20 + number))))
                await asyncio.sleep(0)
            assert not answers[-1].future.done(), "nothing is answered before it is on the disk"
            file_ops.gate.set()
        results = [await answer.future for answer in answers]
        assert [result.revision for result in results if isinstance(result, PutResult)] == list(range(2, 102))
        assert recorder.revisions == list(range(2, 102))


@on_loop
async def test_checkpoints_cut_the_log_in_memory_and_on_disk(tmp_path: Path) -> None:
    config = quick_config(tmp_path, checkpoint_interval_s=0.01, kept_entries=4, segment_bytes=1 << 14)
    async with running(config) as (member, _):
        for _ in range(60):
            await decide(member, Put(b"k", bytes(1000)))
        segments = list((tmp_path / "member" / "wal").glob("*.wal"))
        await until(lambda: member._log.first_index() > 30)
        await until(lambda: len(list((tmp_path / "member" / "wal").glob("*.wal"))) <= 2)
        assert segments, "the log is where this test looks"


@on_loop
async def test_history_past_the_bound_is_compacted_and_the_present_is_kept(tmp_path: Path) -> None:
    config = quick_config(tmp_path, compaction_revisions_max=100, compaction_retention_s=0)
    async with running(config) as (member, _):
        for number in range(300):
            member.submit(Put(b"k%d" % (number % 3), b"%d" % number), None)
        await decide(member, Put(b"last", b""))
        await until(lambda: member.compacted_revision() > 0)
        await until(lambda: member._state.store.compaction is None)
        assert member.revision() - member.compacted_revision() >= 100
        assert contents(member) == {b"k0": b"297", b"k1": b"298", b"k2": b"299", b"last": b""}
        assert isinstance(member.range(Range(b"k0", revision=2)), CoreError)
        member._state.store.check_invariants()


@on_loop
async def test_pages_read_a_revision_while_it_is_written_to(tmp_path: Path) -> None:
    async with running(quick_config(tmp_path)) as (member, _):
        for number in range(10):
            await decide(member, Put(b"k%d" % number, b"old"))
        revision = member.revision()
        first = member.read_page(b"k", b"l", revision, 4)
        await decide(member, DeleteRange(b"k5"))
        await decide(member, Put(b"k6", b"new"))
        second = member.read_page(b"k3\0", b"l", revision, 100)
        assert not isinstance(first, CoreError) and not isinstance(second, CoreError)
        assert [kv.key for kv in first] == [b"k0", b"k1", b"k2", b"k3"]
        assert [(kv.key, kv.value) for kv in second] == [(b"k%d" % number, b"old") for number in range(4, 10)]


@on_loop
async def test_a_read_at_a_compacted_revision_is_refused(tmp_path: Path) -> None:
    async with running(quick_config(tmp_path)) as (member, _):
        for _ in range(5):
            await decide(member, Put(b"k", b""))
        await decide(member, Compaction(4))
        assert isinstance(member.read_page(b"k", b"", 3, 1), CoreError)
        assert isinstance(member.range(Range(b"k", revision=5)), RangeResult)
