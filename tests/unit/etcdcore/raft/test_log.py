"""The log as Raft sees it: storage, unstable end, commit and applied."""

import pytest

from etcdcore.errors import LogCompacted, LogUnavailable
from etcdcore.raft.log import NO_MATCH, RaftLog
from etcdcore.raft.messages import ENTRY_CONF_CHANGE, ConfState, Entry, Snapshot, SnapshotMeta
from etcdcore.raft.storage import NO_LIMIT, MemoryStorage
from etcdcore.types import LogIndex, Term


def entries(*positions: tuple[int, int]) -> list[Entry]:
    return [Entry(LogIndex(index), Term(term), data=b"x" * 10) for index, term in positions]


def log_of(*terms: int, commit: int = 0, applied: int = 0) -> RaftLog:
    """A durable log with these terms from index 1 on."""
    storage = MemoryStorage()
    storage.append(entries(*((position + 1, term) for position, term in enumerate(terms))))
    return RaftLog(storage, LogIndex(commit), LogIndex(applied))


def append(log: RaftLog, index: int, term: int, commit: int, *positions: tuple[int, int]) -> int:
    result = log.maybe_append(LogIndex(index), Term(term), LogIndex(commit), entries(*positions))
    log.check_invariants()
    return result


def write(log: RaftLog) -> None:
    """The shell's part: what is new goes to the storage and to the disk."""
    new = log.unstable.take_entries()
    assert isinstance(log.storage, MemoryStorage)
    log.storage.append(new)
    if new:
        log.unstable.persisted(new[-1].index, new[-1].term)


def test_an_append_that_matches_extends_the_log_and_moves_the_commit() -> None:
    log = log_of(1, 1)
    assert append(log, 2, 1, 3, (3, 2), (4, 2)) == 4
    assert (log.last_index(), log.last_term(), log.committed) == (4, 2, 3)


def test_an_append_behind_a_gap_or_another_term_is_refused() -> None:
    log = log_of(1, 1)
    assert append(log, 3, 1, 0) == NO_MATCH
    assert append(log, 2, 2, 0) == NO_MATCH
    assert log.last_index() == 2


def test_a_late_shorter_append_does_not_cut_the_log() -> None:
    log = log_of(1, 1, 1, 1)
    assert append(log, 1, 1, 0, (2, 1)) == 2
    assert log.last_index() == 4


def test_a_conflict_cuts_the_log_from_there_on() -> None:
    log = log_of(1, 1, 1, 1)
    assert append(log, 1, 1, 0, (2, 1), (3, 2)) == 3
    assert (log.last_index(), log.last_term()) == (3, 2)
    assert log.stable_index() == 2


def test_the_commit_never_passes_what_the_append_has_proven() -> None:
    log = log_of(1, 1, 1, 1)
    append(log, 2, 1, 4)
    assert log.committed == 2


def test_a_conflict_with_a_committed_entry_is_a_bug() -> None:
    with pytest.raises(AssertionError, match="conflicts with a committed one"):
        append(log_of(1, 1, commit=2), 1, 1, 0, (2, 2))


def test_only_durable_entries_are_handed_out_to_be_applied() -> None:
    log = log_of(1)
    append(log, 1, 1, 3, (2, 1), (3, 1))
    assert [entry.index for entry in log.take_committed()] == [1]
    assert not log.has_next_committed()
    write(log)
    assert [entry.index for entry in log.take_committed()] == [2, 3]
    assert log.take_committed() == []
    log.applied_to(LogIndex(3))
    log.check_invariants()


def test_applying_more_than_is_committed_is_a_bug() -> None:
    with pytest.raises(AssertionError):
        log_of(1, 1, commit=1).applied_to(LogIndex(2))


def test_a_commit_index_behind_the_applied_one_is_raised_at_the_start() -> None:
    log = log_of(1, 1, 1, commit=1, applied=2)
    assert (log.committed, log.applied) == (2, 2)


def test_entries_are_read_across_the_storage_and_the_unstable_end() -> None:
    log = log_of(1, 1)
    append(log, 2, 1, 0, (3, 1), (4, 1))
    read = log.entries(LogIndex(1), LogIndex(5), NO_LIMIT)
    assert [entry.index for entry in read] == [1, 2, 3, 4]
    assert [entry.index for entry in log.entries(LogIndex(2), LogIndex(4), NO_LIMIT)] == [2, 3]
    assert len(log.entries(LogIndex(1), LogIndex(5), 93)) == 3
    assert len(log.entries(LogIndex(1), LogIndex(5), 92)) == 2
    assert len(log.entries(LogIndex(1), LogIndex(5), 1)) == 1
    assert log.entries(LogIndex(5), LogIndex(5), NO_LIMIT) == []


def test_the_hint_skips_whole_terms() -> None:
    """Raft paper §5.3: terms 1 1 4 4 4 against a leader whose entry at 5 has term 3 may agree at 2."""
    log = log_of(1, 1, 4, 4, 4)
    assert log.find_conflict_by_term(LogIndex(5), Term(3)) == (2, 1)
    assert log.find_conflict_by_term(LogIndex(9), Term(4)) == (5, 4)
    assert log.find_conflict_by_term(LogIndex(5), Term(0)) == (0, 0)


def test_a_log_is_up_to_date_by_last_term_then_by_length() -> None:
    log = log_of(1, 2)
    assert log.is_up_to_date(LogIndex(1), Term(3))
    assert log.is_up_to_date(LogIndex(2), Term(2))
    assert not log.is_up_to_date(LogIndex(1), Term(2))
    assert not log.is_up_to_date(LogIndex(9), Term(1))


def test_terms_outside_the_log_are_refused_or_zero() -> None:
    log = log_of(1, 1, 2, commit=3, applied=3)
    assert isinstance(log.storage, MemoryStorage)
    log.storage.compact(LogIndex(2))
    with pytest.raises(LogCompacted):
        log.term(LogIndex(1))
    with pytest.raises(LogUnavailable):
        log.term(LogIndex(4))
    assert log.term_or_zero(LogIndex(1)) == 0
    assert log.term_or_zero(LogIndex(4)) == 0
    assert log.term_or_zero(LogIndex(2)) == 1


def test_a_snapshot_replaces_the_log_and_holds_up_applying_until_installed() -> None:
    log = log_of(1, 1)
    log.restore(Snapshot(SnapshotMeta(LogIndex(7), Term(3), ConfState())))
    assert (log.first_index(), log.last_index(), log.last_term(), log.committed) == (8, 7, 3, 7)
    assert append(log, 7, 3, 8, (8, 3)) == 8
    assert not log.has_next_committed()
    log.unstable.take_snapshot()
    assert isinstance(log.storage, MemoryStorage)
    log.storage.apply_snapshot(Snapshot(SnapshotMeta(LogIndex(7), Term(3), ConfState())))
    log.applied_to(LogIndex(7))
    write(log)
    assert [entry.index for entry in log.take_committed()] == [8]


def test_a_committed_membership_change_is_seen_until_applied() -> None:
    storage = MemoryStorage()
    storage.append([*entries((1, 1)), Entry(LogIndex(2), Term(1), ENTRY_CONF_CHANGE)])
    log = RaftLog(storage, LogIndex(1), LogIndex(0))
    assert not log.has_unapplied_conf_change()
    log.commit_to(LogIndex(2))
    assert log.has_unapplied_conf_change()
    log.take_committed()
    log.applied_to(LogIndex(2))
    assert not log.has_unapplied_conf_change()
