"""setWatches and setWatches2 (reference 4.8): what a client hears that was away, and what is registered."""

import struct

import pytest

from zkbridge.errors import MARSHALLING_ERROR, NO_WATCHER, OK
from zkbridge.tree.acl import ALL, OPEN_ACL, AclEntry, Credentials
from zkbridge.tree.changes import DataSet, ZnodeCreated, ZnodeDeleted
from zkbridge.tree.replica import Replica
from zkbridge.watches.resume import resume_watches
from zkbridge.watches.table import (
    WATCHER_ANY,
    WATCHER_CHILDREN,
    WATCHER_DATA,
    WATCHER_PERSISTENT,
    WATCHER_PERSISTENT_RECURSIVE,
    Watcher,
    WatchTable,
)


class RecordingWatcher(Watcher):
    """Keeps (zxid, type, path) of what it is told."""

    def __init__(self) -> None:
        self.credentials = Credentials()
        self.events: list[tuple[int, int, str]] = []

    def notify(self, frame: bytes) -> None:
        _, _, zxid, _, event_type, _, _ = struct.unpack_from(">iiqiiii", frame)
        self.events.append((zxid, event_type, frame[32:].decode()))


@pytest.fixture
def replica() -> Replica:
    """/old at 1, /new at 2, /parent at 3 with a child at 4; /changed at 5, set at 6."""
    replica = Replica()
    for revision, path in enumerate(("/old", "/new", "/parent", "/parent/child", "/changed"), start=1):
        replica.apply(revision, [ZnodeCreated(path, b"", OPEN_ACL, 0, 0)])
    replica.apply(6, [DataSet("/changed", b"x", 1, 0)])
    return replica


def test_data_watches_tell_deleted_or_changed_and_else_register(replica: Replica) -> None:
    table, watcher = WatchTable(), RecordingWatcher()
    assert resume_watches(table, replica, watcher, 5, ["/gone", "/changed", "/old"], [], []) == OK
    assert watcher.events == [(-1, 2, "/gone"), (-1, 3, "/changed")]
    assert table.check("/old", WATCHER_DATA, watcher) == OK
    assert table.check("/gone", WATCHER_ANY, watcher) == NO_WATCHER
    assert table.check("/changed", WATCHER_ANY, watcher) == NO_WATCHER


def test_a_change_at_the_last_seen_zxid_is_not_told_again(replica: Replica) -> None:
    table, watcher = WatchTable(), RecordingWatcher()
    assert resume_watches(table, replica, watcher, 6, ["/changed"], [], []) == OK
    assert watcher.events == []


def test_exist_watches_tell_created_even_if_nothing_changed_and_else_register(replica: Replica) -> None:
    table, watcher = WatchTable(), RecordingWatcher()
    assert resume_watches(table, replica, watcher, 100, [], ["/old", "/missing"], []) == OK
    assert watcher.events == [(-1, 1, "/old")]
    assert table.check("/missing", WATCHER_DATA, watcher) == OK


def test_child_watches_go_by_pzxid(replica: Replica) -> None:
    table, watcher = WatchTable(), RecordingWatcher()
    assert resume_watches(table, replica, watcher, 3, [], [], ["/parent", "/gone", "/new"]) == OK
    assert watcher.events == [(-1, 4, "/parent"), (-1, 2, "/gone")]
    assert table.check("/new", WATCHER_CHILDREN, watcher) == OK


def test_a_recreated_znode_shows_as_changed(replica: Replica) -> None:
    replica.apply(7, [ZnodeDeleted("/old")])
    replica.apply(8, [ZnodeCreated("/old", b"", OPEN_ACL, 0, 0)])
    watcher = RecordingWatcher()
    assert resume_watches(WatchTable(), replica, watcher, 6, ["/old"], [], ["/old"]) == OK
    assert watcher.events == [(-1, 3, "/old"), (-1, 4, "/old")]


def test_persistent_watches_are_registered_without_catching_up(replica: Replica) -> None:
    table, watcher = WatchTable(), RecordingWatcher()
    assert resume_watches(table, replica, watcher, 0, [], [], [], ["/changed"], ["/parent"]) == OK
    assert watcher.events == []
    assert table.check("/changed", WATCHER_PERSISTENT, watcher) == OK
    assert table.check("/parent", WATCHER_PERSISTENT_RECURSIVE, watcher) == OK


def test_no_acl_is_checked(replica: Replica) -> None:
    replica.apply(7, [ZnodeCreated("/secret", b"", (AclEntry(ALL, "digest", "joe:hash"),), 0, 0)])
    watcher = RecordingWatcher()
    assert resume_watches(WatchTable(), replica, watcher, 0, ["/secret"], [], []) == OK
    assert watcher.events == [(-1, 3, "/secret")]


@pytest.mark.parametrize("position", range(5))
def test_a_null_vector_or_path_is_a_marshalling_error(replica: Replica, position: int) -> None:
    # A null path does no harm where nothing is looked up: in the last two lists.
    nulls: list[list[str | None] | None] = [None, [None]] if position < 3 else [None]
    for null in nulls:
        vectors: list[list[str | None] | None] = [[], [], [], [], []]
        vectors[position] = null
        assert resume_watches(WatchTable(), replica, RecordingWatcher(), 0, *vectors) == MARSHALLING_ERROR


def test_a_null_path_among_the_lasting_watches_is_passed_over(replica: Replica) -> None:
    table, watcher = WatchTable(), RecordingWatcher()
    assert resume_watches(table, replica, watcher, 0, [], [], [], [None, "/old"], [None, "/new"]) == OK
    assert table.check("/old", WATCHER_PERSISTENT, watcher) == OK
    assert table.check("/new", WATCHER_PERSISTENT_RECURSIVE, watcher) == OK


def test_the_empty_path_is_the_root(replica: Replica) -> None:
    watcher = RecordingWatcher()
    assert resume_watches(WatchTable(), replica, watcher, 0, [""], [""], [""]) == OK
    assert watcher.events == [(-1, 1, ""), (-1, 4, "")]
