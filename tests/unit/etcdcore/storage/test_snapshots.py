"""Snapshot markers: the newest valid one wins, damaged ones are reported, few are kept."""

from pathlib import Path

import pytest

from etcdcore.raft.messages import ConfState, SnapshotMeta
from etcdcore.storage.errors import SnapshotUnreadable
from etcdcore.storage.snapshots import RETAINED_MAX, SnapshotStore
from etcdcore.types import LogIndex, MemberId, Term
from tests.unit.etcdcore.storage.fakes import FaultyFileOps


def meta(index: int, term: int = 1) -> SnapshotMeta:
    voters = (MemberId(1), MemberId(2), MemberId(3))
    return SnapshotMeta(LogIndex(index), Term(term), ConfState(voters, (MemberId(9),)))


def test_an_empty_store_has_no_snapshot(tmp_path: Path) -> None:
    assert SnapshotStore(tmp_path / "snap").load_newest() == (None, [])


def test_the_newest_marker_comes_back_whole(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    for index, term in ((10, 1), (300, 2), (20, 1)):
        store.save(meta(index, term))
    assert SnapshotStore(tmp_path).load_newest() == (meta(300, 2), [])


def test_only_the_newest_few_are_kept(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    paths = [store.save(meta(index)) for index in range(1, 9)]
    assert sorted(tmp_path.iterdir()) == paths[-RETAINED_MAX:]


def test_any_damaged_byte_is_noticed_and_the_one_before_is_taken(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    store.save(meta(1))
    path = store.save(meta(2))
    whole = path.read_bytes()
    for at in range(len(whole)):
        for damaged in (whole[:at], whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :]):
            path.write_bytes(damaged)
            newest, unreadable = store.load_newest()
            assert newest == meta(1), at
            (problem,) = unreadable
            assert isinstance(problem, SnapshotUnreadable)
            assert problem.path == path
            assert str(path) in str(problem)


def test_a_marker_under_anothers_name_is_unreadable(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    path = store.save(meta(5))
    path.rename(path.with_name(f"{1:016x}-{6:016x}.snap"))
    newest, unreadable = store.load_newest()
    assert newest is None
    assert "it is the marker of index 5" in str(unreadable[0])


def test_a_marker_that_the_log_does_not_know_is_passed_over(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    store.save(meta(5))
    store.save(meta(8))
    assert store.load_newest({(5, 1)}) == (meta(5), [])
    assert store.load_newest({(5, 1), (8, 1)}) == (meta(8), [])
    assert store.load_newest(set()) == (None, [])


@pytest.mark.parametrize("operation", ["create", "write", "sync", "rename"])
def test_a_failed_save_leaves_the_one_before_in_force(tmp_path: Path, operation: str) -> None:
    ops = FaultyFileOps()
    store = SnapshotStore(tmp_path, ops)
    store.save(meta(5))
    ops.errors[operation] = 28
    with pytest.raises(OSError, match="injected"):
        store.save(meta(6))
    ops.errors.clear()
    assert store.load_newest() == (meta(5), [])
    store.save(meta(6))
    assert store.load_newest() == (meta(6), [])


def test_a_save_is_synced_before_its_name_and_the_name_before_it_returns(tmp_path: Path) -> None:
    ops = FaultyFileOps()
    store = SnapshotStore(tmp_path, ops)
    ops.calls.clear()
    store.save(meta(5))
    assert ops.calls == ["create", "write", "sync", "close", "rename", "sync_directory"]
