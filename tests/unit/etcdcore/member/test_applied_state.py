"""A commit that finds no room loses nothing, is told to nobody, and is made good later."""

from pathlib import Path

import pytest

from etcdcore import CoreError, EngineError, NoSpace, Outcome, Proposal, Put, PutResult, RevisionListener, TxnResult
from etcdcore.apply.commands import GREATER, TARGET_VERSION, Compare, DeleteRange, Range, Txn, encode_batch
from etcdcore.member.applied_state import AppliedState
from etcdcore.member.batches import Batch
from etcdcore.raft.messages import Entry
from etcdcore.raft.storage import MemoryStorage
from etcdcore.storage.memory_engine import MemoryEngine
from etcdcore.types import KeyEvent, LogIndex, Term
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


def _applied(state: AppliedState, log: MemoryStorage, number: int) -> None:
    command = Put(b"k%d" % number, b"v%d" % number)
    log.append([Entry(LogIndex(number), Term(1), 0, encode_batch([command]))])
    state.apply_batch(Batch([command], [], b""), [])
    state.applied_index = LogIndex(number)


def test_after_a_failed_commit_the_state_is_where_it_was_and_the_next_commit_holds_it_all() -> None:
    engine, log = MemoryEngine(), MemoryStorage()
    state = AppliedState(engine, log)
    for number in (1, 2):
        _applied(state, log, number)
    assert state.commit()
    for number in (3, 4):
        _applied(state, log, number)
    engine.fail_next_commit = True
    assert not state.commit()
    assert (state.is_full, state.applied_index, state.committed_index) == (True, 4, 2)
    assert state.store.current_revision == 5
    assert state.commit()
    assert (state.is_full, state.committed_index) == (False, 4)
    engine.rollback()
    again = AppliedState(engine, log)
    assert (again.applied_index, again.store.current_revision) == (4, 5)
    again.store.check_invariants()


class _BriefAnswer(Answer):
    """Contents itself with a revision."""

    def is_brief(self) -> bool:
        return True

    def written(self, revision: int) -> None:
        self.future.set_result(revision)


async def _apply_brief(state: AppliedState, txn: Txn, listeners: list[RevisionListener]) -> Outcome | int:
    answer = _BriefAnswer()
    state.apply_batch(Batch([txn], [answer], b""), listeners)
    return await answer.future


class _Indifferent(Recorder):
    def wants_brief(self) -> bool:
        return False


@on_loop
async def test_a_brief_proposal_hears_its_revision_and_only_who_wants_its_events_hears_them() -> None:
    state = AppliedState(MemoryEngine(), MemoryStorage())
    curious, indifferent = Recorder(), _Indifferent()
    plain = Txn((), (Put(b"a", b"1"), DeleteRange(b"none")), ())
    listeners: list[RevisionListener] = [indifferent]
    assert await _apply_brief(state, plain, listeners) == 2
    assert indifferent.revisions == []
    listeners.append(curious)
    result = await _apply_brief(state, plain, listeners)
    assert isinstance(result, TxnResult) and result.revision == 3
    assert indifferent.revisions == curious.revisions == [3]
    state.applier.check_invariants()


@on_loop
async def test_a_brief_proposal_that_fails_its_compare_or_reads_is_answered_in_full() -> None:
    state = AppliedState(MemoryEngine(), MemoryStorage())
    never = Compare(TARGET_VERSION, GREATER, b"no such key", 0)
    for txn in (Txn((never,), (Put(b"a", b"1"),), ()), Txn((), (Range(b"a"),), ()), Txn((), (Put(b"a", b"1", 7),), ())):
        assert not isinstance(await _apply_brief(state, txn, [_Indifferent()]), int)
    assert state.store.current_revision == 1


@on_loop
async def test_a_full_engine_refuses_writes_until_there_is_room_and_tells_no_revision_twice(tmp_path: Path) -> None:
    engine = MemoryEngine()
    async with running(quick_config(tmp_path, commit_interval_ms=10_000), engine=engine) as (member, recorder):
        for number in range(10):
            assert isinstance(await decide(member, Put(b"k%d" % number, b"v")), PutResult)
        engine.fail_next_commit = True
        member.commit()
        refused = submit(member, Put(b"refused", b""))
        assert refused.future.result() == NoSpace() and refused.is_decided
        assert len(contents(member)) == 10
        await until(lambda: recorder.write_states[-1] is None)
        assert isinstance(await decide(member, Put(b"more", b"v")), PutResult)
        assert recorder.revisions == list(range(2, 13))


class _Told(Proposal):
    """Notes what it is told."""

    def __init__(self) -> None:
        self.results: list[Outcome | int] = []

    def applied(self, result: Outcome | int) -> None:
        self.results.append(result)

    def dropped(self, error: CoreError, is_decided: bool) -> None:
        self.results.append(error)


class _Failing(Recorder):
    """Fails at one key's event."""

    def revision_applied(self, revision: int, events: list[KeyEvent], proposal: Proposal | None) -> None:
        if events[0].kv.key == b"broken":
            raise EngineError("broken")


def test_a_command_leaves_its_batch_when_it_is_done_and_those_that_a_failure_meets_stay() -> None:
    told = [_Told(), _Told(), _Told()]
    puts = [Put(key, b"") for key in (b"a", b"broken", b"c")]
    batch = Batch([*puts], [*told], b"")
    with pytest.raises(EngineError):
        AppliedState(MemoryEngine(), MemoryStorage()).apply_batch(batch, [_Failing()])
    assert batch.proposals == told[1:]
    assert [len(proposal.results) for proposal in told] == [1, 0, 0]
    assert puts[0] not in batch.commands and batch.commands[2] is puts[2]
