"""The log's tail in memory."""

import pytest

from etcdcore.errors import LogCompacted, LogUnavailable
from etcdcore.raft.messages import ConfState, Entry, HardState, Snapshot, SnapshotMeta
from etcdcore.raft.storage import NO_LIMIT, MemoryStorage
from etcdcore.types import LogIndex, MemberId, Term


def entries(*positions: tuple[int, int]) -> list[Entry]:
    return [Entry(LogIndex(index), Term(term), data=b"x" * 10) for index, term in positions]


def storage() -> MemoryStorage:
    memory = MemoryStorage(ConfState((MemberId(1),)))
    memory.append(entries((1, 1), (2, 1), (3, 2), (4, 2)))
    return memory


def test_a_new_log_is_empty_and_has_term_zero_before_its_first_entry() -> None:
    memory = MemoryStorage()
    assert (memory.first_index(), memory.last_index()) == (1, 0)
    assert memory.term(LogIndex(0)) == 0
    assert memory.snapshot() is None


def test_append_replaces_conflicting_entries_and_all_behind_them() -> None:
    memory = storage()
    memory.append(entries((3, 3)))
    assert memory.last_index() == 3
    assert memory.term(LogIndex(3)) == 3
    memory.check_invariants()


def test_append_ignores_what_is_compacted() -> None:
    memory = storage()
    memory.compact(LogIndex(2))
    memory.append(entries((2, 1), (3, 2), (4, 2), (5, 2)))
    assert (memory.first_index(), memory.last_index()) == (3, 5)
    memory.append(entries((1, 1)))
    assert memory.last_index() == 5


def test_append_with_a_gap_is_a_bug() -> None:
    with pytest.raises(AssertionError):
        storage().append(entries((6, 2)))


def test_compaction_keeps_the_term_before_the_first_entry() -> None:
    memory = storage()
    memory.compact(LogIndex(3))
    memory.compact(LogIndex(1))
    assert memory.first_index() == 4
    assert memory.term(LogIndex(3)) == 2
    with pytest.raises(LogCompacted):
        memory.term(LogIndex(2))
    with pytest.raises(LogCompacted):
        memory.entries(LogIndex(3), LogIndex(5), NO_LIMIT)


def test_reading_past_the_end_is_refused() -> None:
    with pytest.raises(LogUnavailable):
        storage().term(LogIndex(5))
    with pytest.raises(LogUnavailable):
        storage().entries(LogIndex(4), LogIndex(6), NO_LIMIT)


def test_entries_stop_at_the_limit_but_one_always_comes() -> None:
    memory = storage()
    assert len(memory.entries(LogIndex(1), LogIndex(5), NO_LIMIT)) == 4
    assert len(memory.entries(LogIndex(1), LogIndex(5), 62)) == 2
    assert len(memory.entries(LogIndex(1), LogIndex(5), 61)) == 1
    assert len(memory.entries(LogIndex(1), LogIndex(5), 0)) == 1


def test_a_received_snapshot_starts_the_log_anew() -> None:
    memory = storage()
    state = ConfState((MemberId(7),))
    memory.apply_snapshot(Snapshot(SnapshotMeta(LogIndex(9), Term(4), state)))
    assert (memory.first_index(), memory.last_index(), memory.term(LogIndex(9))) == (10, 9, 4)
    assert memory.initial_state()[1] == state


def test_a_made_snapshot_is_what_is_sent() -> None:
    memory = storage()
    made = memory.create_snapshot(LogIndex(3), ConfState((MemberId(1),)), b"state")
    assert made.meta.term == 2
    assert memory.snapshot() == made


def test_the_initial_state_is_what_was_set() -> None:
    memory = storage()
    memory.set_hard_state(HardState(Term(3), MemberId(1), LogIndex(2)))
    memory.set_conf_state(ConfState((MemberId(2),)))
    assert memory.initial_state() == (HardState(Term(3), MemberId(1), LogIndex(2)), ConfState((MemberId(2),)))
