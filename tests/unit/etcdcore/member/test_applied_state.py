"""A commit that finds no room loses nothing, is told to nobody, and is made good later."""

from pathlib import Path

from etcdcore import NoSpace, Put, PutResult
from etcdcore.apply.commands import encode_batch
from etcdcore.member.applied_state import AppliedState
from etcdcore.member.batches import Batch
from etcdcore.raft.messages import Entry
from etcdcore.raft.storage import MemoryStorage
from etcdcore.storage.memory_engine import MemoryEngine
from etcdcore.types import LogIndex, Term
from tests.unit.etcdcore.member.fakes import contents, decide, on_loop, quick_config, running, submit, until


def _applied(state: AppliedState, log: MemoryStorage, number: int) -> None:
    command = Put(b"k%d" % number, b"v%d" % number)
    log.append([Entry(LogIndex(number), Term(1), 0, encode_batch([command]))])
    state.apply_batch(Batch([command], (), b""), [])
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
