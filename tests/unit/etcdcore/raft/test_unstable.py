"""The end of the log that is not durable yet."""

from etcdcore.raft.messages import ConfState, Entry, Snapshot, SnapshotMeta
from etcdcore.raft.unstable import Unstable
from etcdcore.types import LogIndex, Term


def entries(*positions: tuple[int, int]) -> list[Entry]:
    return [Entry(LogIndex(index), Term(term)) for index, term in positions]


def persisted(unstable: Unstable, index: int, term: int) -> bool:
    changed = unstable.persisted(LogIndex(index), Term(term))
    unstable.check_invariants()
    return changed


def is_installing(unstable: Unstable) -> bool:
    return unstable.snapshot is not None and unstable.snapshot_in_progress


def test_entries_are_handed_out_once_and_leave_when_durable() -> None:
    unstable = Unstable(LogIndex(5))
    unstable.append(entries((5, 1), (6, 1)))
    assert unstable.has_new()
    assert unstable.take_entries() == entries((5, 1), (6, 1))
    assert unstable.take_entries() == []
    assert not unstable.has_new()
    assert unstable.offset == 5
    assert persisted(unstable, 6, 1)
    assert (unstable.offset, unstable.entries) == (7, [])


def test_writes_overlap_and_a_later_report_covers_the_earlier() -> None:
    unstable = Unstable(LogIndex(1))
    for index in (1, 2, 3):
        unstable.append(entries((index, 1)))
        unstable.take_entries()
    assert persisted(unstable, 2, 1)
    assert unstable.offset == 3
    assert not persisted(unstable, 1, 1)
    assert persisted(unstable, 3, 1)
    assert unstable.offset == 4


def test_a_conflicting_append_makes_entries_new_again() -> None:
    unstable = Unstable(LogIndex(1))
    unstable.append(entries((1, 1), (2, 1), (3, 1)))
    unstable.take_entries()
    unstable.append(entries((2, 2)))
    assert unstable.last_index() == 2
    assert unstable.take_entries() == entries((2, 2))


def test_an_overtaken_write_vouches_for_nothing_above_the_conflict() -> None:
    """Entry 2 of term 1 is written, overwritten and written again; only the last write may speak for it."""
    unstable = Unstable(LogIndex(1))
    unstable.append(entries((1, 1), (2, 1)))
    unstable.take_entries()
    unstable.append(entries((2, 2)))
    unstable.take_entries()
    unstable.append(entries((2, 1)))
    unstable.take_entries()
    assert persisted(unstable, 2, 1)
    assert unstable.offset == 2
    assert not persisted(unstable, 2, 2)
    assert persisted(unstable, 2, 1)
    assert unstable.offset == 3


def test_an_append_below_all_replaces_all() -> None:
    unstable = Unstable(LogIndex(5))
    unstable.append(entries((5, 1), (6, 1)))
    unstable.append(entries((3, 2)))
    assert (unstable.offset, unstable.last_index()) == (3, 3)
    unstable.check_invariants()


def test_a_snapshot_is_handed_out_once_and_gone_when_installed() -> None:
    unstable = Unstable(LogIndex(5))
    unstable.append(entries((5, 1)))
    unstable.take_entries()
    snapshot = Snapshot(SnapshotMeta(LogIndex(9), Term(2), ConfState()))
    unstable.restore(snapshot)
    assert unstable.has_new()
    assert unstable.take_snapshot() is snapshot
    assert unstable.take_snapshot() is None
    assert not persisted(unstable, 5, 1)
    assert is_installing(unstable)
    persisted(unstable, 9, 2)
    assert not is_installing(unstable)
    assert unstable.last_index() == 9


def test_entries_behind_a_snapshot_become_durable_with_the_same_report() -> None:
    unstable = Unstable(LogIndex(1))
    unstable.restore(Snapshot(SnapshotMeta(LogIndex(9), Term(2), ConfState())))
    unstable.append(entries((10, 2)))
    unstable.take_snapshot()
    unstable.take_entries()
    assert persisted(unstable, 10, 2)
    assert (unstable.offset, unstable.snapshot) == (11, None)
