"""Watch tables: ZooKeeper 3.9's rules of who is told of what (reference 4.7, 4.9)."""

import struct
from collections.abc import Sequence

import pytest

from zkbridge.errors import MARSHALLING_ERROR, NO_WATCHER, OK, ProtocolError
from zkbridge.tree.acl import ALL, OPEN_ACL, WRITE, Acl, AclEntry, Credentials
from zkbridge.tree.changes import AclSet, Change, DataSet, SessionClosed, ZnodeCreated, ZnodeDeleted
from zkbridge.tree.replica import Replica
from zkbridge.watches.events import NODE_CHILDREN_CHANGED, NODE_CREATED, NODE_DATA_CHANGED, NODE_DELETED
from zkbridge.watches.table import (
    WATCHER_ANY,
    WATCHER_CHILDREN,
    WATCHER_DATA,
    WATCHER_PERSISTENT,
    WATCHER_PERSISTENT_RECURSIVE,
    Watcher,
    WatchTable,
)

JOE = ("digest", "joe:hash")
JOES_ACL: Acl = (AclEntry(ALL, *JOE),)


class RecordingWatcher(Watcher):
    """Keeps (type, path, zxid) of what it is told."""

    def __init__(self, credentials: Credentials | None = None) -> None:
        self.credentials = Credentials() if credentials is None else credentials
        self.events: list[tuple[int, str, int]] = []

    def notify(self, frame: bytes) -> None:
        length, xid, zxid, error, event_type, state, size = struct.unpack_from(">iiqiiii", frame)
        assert (length, xid, error, state, size) == (len(frame) - 4, -1, 0, 3, len(frame) - 32)
        self.events.append((event_type, frame[32:].decode(), zxid))

    def take(self) -> list[tuple[int, str]]:
        """Type and path of what came since the last time."""
        taken = [(event_type, path) for event_type, path, _ in self.events]
        self.events.clear()
        return taken


class Bench:
    """A replica and a table that follow the same changes."""

    def __init__(self) -> None:
        self.replica = Replica()
        self.table = WatchTable()

    def run(self, *changes: Change) -> None:
        """One revision."""
        revision = self.replica.zxid + 1
        self.replica.apply(revision, list(changes))
        self.table.fire(list(changes), self.replica, revision)
        self.table.check_invariants()

    def tree(self, *paths: str) -> None:
        """Create znodes, parents first."""
        for path in paths:
            self.run(created(path))


def created(path: str, acl: Acl = OPEN_ACL) -> ZnodeCreated:
    return ZnodeCreated(path, b"", acl, 0, 0)


def data_set(path: str) -> DataSet:
    return DataSet(path, b"new", 1, 0)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_data_watch_fires_once_on_a_change_of_data(bench: Bench) -> None:
    bench.tree("/a")
    watcher = RecordingWatcher()
    bench.table.add_data("/a", watcher)
    bench.run(data_set("/a"))
    bench.run(data_set("/a"))
    assert watcher.events == [(NODE_DATA_CHANGED, "/a", 2)]


def test_exists_on_a_missing_znode_fires_on_its_creation(bench: Bench) -> None:
    watcher = RecordingWatcher()
    bench.table.add_data("/a", watcher)
    bench.run(created("/a"))
    assert watcher.take() == [(NODE_CREATED, "/a")]


def test_exists_and_get_data_on_one_path_share_one_event(bench: Bench) -> None:
    bench.tree("/a")
    watcher = RecordingWatcher()
    bench.table.add_data("/a", watcher)
    bench.table.add_data("/a", watcher)
    bench.run(data_set("/a"))
    assert watcher.take() == [(NODE_DATA_CHANGED, "/a")]


def test_a_child_watch_fires_on_creation_and_deletion_of_a_child_with_the_parents_path(bench: Bench) -> None:
    bench.tree("/a")
    watcher = RecordingWatcher()
    bench.table.add_child("/a", watcher)
    bench.run(created("/a/b"))
    assert watcher.take() == [(NODE_CHILDREN_CHANGED, "/a")]
    bench.table.add_child("/a", watcher)
    bench.run(data_set("/a/b"))
    assert watcher.take() == []
    bench.run(ZnodeDeleted("/a/b"))
    assert watcher.take() == [(NODE_CHILDREN_CHANGED, "/a")]


def test_a_child_watch_of_the_root_fires_for_a_top_level_znode(bench: Bench) -> None:
    watcher = RecordingWatcher()
    bench.table.add_child("/", watcher)
    bench.run(created("/a"))
    assert watcher.take() == [(NODE_CHILDREN_CHANGED, "/")]


def test_a_delete_tells_a_connection_with_both_watches_once_and_consumes_both(bench: Bench) -> None:
    bench.tree("/a")
    both, child_only = RecordingWatcher(), RecordingWatcher()
    bench.table.add_child("/a", child_only)
    bench.table.add_child("/a", both)
    bench.table.add_data("/a", both)
    bench.run(ZnodeDeleted("/a"))
    assert both.take() == [(NODE_DELETED, "/a")]
    assert child_only.take() == [(NODE_DELETED, "/a")]
    bench.run(created("/a"), created("/a/b"))
    assert both.take() == [] and child_only.take() == []


def test_set_acl_and_sessions_fire_nothing(bench: Bench) -> None:
    bench.tree("/a")
    watcher = RecordingWatcher()
    bench.table.add_data("/a", watcher)
    bench.table.add_persistent("/", watcher, True)
    bench.table.fire([AclSet("/a", JOES_ACL, 1), SessionClosed(1)], bench.replica, 9)
    assert watcher.take() == []


def test_a_persistent_watch_gets_its_path_and_its_child_list_but_no_grandchildren(bench: Bench) -> None:
    bench.tree("/a")
    watcher = RecordingWatcher()
    bench.table.add_persistent("/a", watcher, False)
    bench.run(data_set("/a"))
    bench.run(created("/a/b"))
    bench.run(data_set("/a/b"))
    bench.run(created("/a/b/c"))
    bench.run(ZnodeDeleted("/a/b/c"), ZnodeDeleted("/a/b"), ZnodeDeleted("/a"))
    bench.run(created("/a"))
    assert watcher.take() == [
        (NODE_DATA_CHANGED, "/a"),
        (NODE_CHILDREN_CHANGED, "/a"),
        (NODE_CHILDREN_CHANGED, "/a"),
        (NODE_DELETED, "/a"),
        (NODE_CREATED, "/a"),
    ]


def test_a_recursive_watch_gets_descendants_and_never_a_child_event(bench: Bench) -> None:
    bench.tree("/a")
    watcher = RecordingWatcher()
    bench.table.add_persistent("/a", watcher, True)
    bench.run(created("/a/b"), created("/a/b/c"), data_set("/a/b/c"), created("/ab"))
    bench.run(ZnodeDeleted("/a/b/c"), data_set("/a"))
    assert watcher.take() == [
        (NODE_CREATED, "/a/b"),
        (NODE_CREATED, "/a/b/c"),
        (NODE_DATA_CHANGED, "/a/b/c"),
        (NODE_DELETED, "/a/b/c"),
        (NODE_DATA_CHANGED, "/a"),
    ]


def test_a_recursive_watch_of_the_root_sees_the_root_itself_and_everything_else(bench: Bench) -> None:
    watcher = RecordingWatcher()
    bench.table.add_persistent("/", watcher, True)
    bench.run(data_set("/"), created("/a"))
    assert watcher.take() == [(NODE_DATA_CHANGED, "/"), (NODE_CREATED, "/a")]


def test_persistent_and_recursive_on_a_parent_give_two_packets_for_a_created_child(bench: Bench) -> None:
    bench.tree("/a")
    watcher = RecordingWatcher()
    bench.table.add_persistent("/a", watcher, False)
    bench.table.add_persistent("/a", watcher, True)
    bench.run(created("/a/b"))
    assert watcher.take() == [(NODE_CREATED, "/a/b"), (NODE_CHILDREN_CHANGED, "/a")]


def test_any_number_of_watches_on_path_and_ancestors_give_one_packet_a_fire(bench: Bench) -> None:
    bench.tree("/a", "/a/b")
    watcher = RecordingWatcher()
    bench.table.add_data("/a/b", watcher)
    bench.table.add_persistent("/a/b", watcher, False)
    for path in ("/", "/a", "/a/b"):
        bench.table.add_persistent(path, watcher, True)
    bench.run(data_set("/a/b"))
    assert watcher.take() == [(NODE_DATA_CHANGED, "/a/b")]
    bench.run(data_set("/a/b"))
    assert watcher.take() == [(NODE_DATA_CHANGED, "/a/b")]


def test_a_one_shot_watch_beside_a_persistent_one_is_consumed_alone(bench: Bench) -> None:
    """The 3.9 rule; 3.6 to 3.8 kept one mode only."""
    bench.tree("/a")
    watcher = RecordingWatcher()
    bench.table.add_persistent("/a", watcher, False)
    bench.table.add_data("/a", watcher)
    bench.run(data_set("/a"))
    assert bench.table.check("/a", WATCHER_DATA, watcher) == NO_WATCHER
    assert bench.table.check("/a", WATCHER_PERSISTENT, watcher) == OK


def test_one_connections_lasting_watch_does_not_hide_anothers_one_shot(bench: Bench) -> None:
    bench.tree("/a")
    lasting, once = RecordingWatcher(), RecordingWatcher()
    bench.table.add_persistent("/a", lasting, False)
    bench.table.add_data("/a", once)
    bench.table.add_child("/a", once)
    bench.run(data_set("/a"), created("/a/b"))
    both = [(NODE_DATA_CHANGED, "/a"), (NODE_CHILDREN_CHANGED, "/a")]
    assert (lasting.take(), once.take()) == (both, both)


def test_delete_and_create_in_one_revision_fire_in_that_order(bench: Bench) -> None:
    bench.tree("/a")
    lasting, once = RecordingWatcher(), RecordingWatcher()
    bench.table.add_persistent("/a", lasting, False)
    bench.table.add_data("/a", once)
    bench.run(ZnodeDeleted("/a"), created("/a"))
    assert lasting.take() == [(NODE_DELETED, "/a"), (NODE_CREATED, "/a")]
    assert once.take() == [(NODE_DELETED, "/a")]


def test_a_closed_session_tells_a_persistent_child_watch_once_for_each_ephemeral(bench: Bench) -> None:
    bench.tree("/a", "/a/x", "/a/y")
    once, lasting = RecordingWatcher(), RecordingWatcher()
    bench.table.add_child("/a", once)
    bench.table.add_persistent("/a", lasting, False)
    bench.run(ZnodeDeleted("/a/x"), ZnodeDeleted("/a/y"))
    assert once.take() == [(NODE_CHILDREN_CHANGED, "/a")]
    assert lasting.take() == [(NODE_CHILDREN_CHANGED, "/a")] * 2


def test_who_may_not_read_is_not_told_but_loses_the_watch(bench: Bench) -> None:
    bench.run(created("/a", JOES_ACL))
    stranger, joe, admin = RecordingWatcher(), RecordingWatcher(Credentials((JOE,))), RecordingWatcher()
    admin.credentials = Credentials((("super", ""),), True)
    for watcher in (stranger, joe, admin):
        bench.table.add_data("/a", watcher)
    bench.run(data_set("/a"))
    assert stranger.take() == []
    assert joe.take() == [(NODE_DATA_CHANGED, "/a")]
    assert admin.take() == [(NODE_DATA_CHANGED, "/a")]
    assert bench.table.check("/a", WATCHER_ANY, stranger) == NO_WATCHER


def test_a_child_event_is_filtered_by_the_parents_acl_and_a_delete_by_the_last_one(bench: Bench) -> None:
    bench.run(created("/a", JOES_ACL))
    bench.run(created("/b"))
    stranger = RecordingWatcher()
    for path in ("/a", "/b"):
        bench.table.add_persistent(path, stranger, False)
    bench.run(created("/a/x"))  # Open itself, under a parent that is not.
    assert stranger.take() == []
    bench.run(created("/b/x", (AclEntry(WRITE, "world", "anyone"),)))
    assert stranger.take() == [(NODE_CHILDREN_CHANGED, "/b")]
    bench.run(ZnodeDeleted("/a/x"), ZnodeDeleted("/a"))
    assert stranger.take() == []


def test_a_parent_deleted_later_in_the_revision_still_filters_with_its_last_acl(bench: Bench) -> None:
    bench.run(created("/a", JOES_ACL))
    bench.run(created("/a/x"))
    stranger, joe = RecordingWatcher(), RecordingWatcher(Credentials((JOE,)))
    bench.table.add_child("/a", stranger)
    bench.table.add_child("/a", joe)
    bench.run(ZnodeDeleted("/a/x"), ZnodeDeleted("/a"))
    assert stranger.take() == []
    assert joe.take() == [(NODE_CHILDREN_CHANGED, "/a")]


@pytest.mark.parametrize(
    ("watcher_type", "satisfied_by"),
    [
        (WATCHER_CHILDREN, {"child"}),
        (WATCHER_DATA, {"data"}),
        (WATCHER_ANY, {"child", "data", "persistent", "recursive"}),
        (WATCHER_PERSISTENT, {"persistent"}),
        (WATCHER_PERSISTENT_RECURSIVE, {"recursive"}),
    ],
)
def test_each_watcher_type_finds_and_removes_its_own_kinds_only(
    bench: Bench, watcher_type: int, satisfied_by: set[str]
) -> None:
    for kind in ("child", "data", "persistent", "recursive"):
        watcher = RecordingWatcher()
        register(bench.table, kind, "/a", watcher)
        expected = OK if kind in satisfied_by else NO_WATCHER
        assert bench.table.check("/a", watcher_type, watcher) == expected, kind
        assert bench.table.remove("/a", watcher_type, watcher) == expected, kind
        left = NO_WATCHER if kind in satisfied_by else OK
        assert bench.table.check("/a", WATCHER_ANY, watcher) == left, kind
        assert bench.table.check("/b", WATCHER_ANY, watcher) == NO_WATCHER
        bench.table.check_invariants()


def test_an_unknown_watcher_type_is_a_marshalling_error(bench: Bench) -> None:
    watcher = RecordingWatcher()
    assert bench.table.check("/a", 0, watcher) == MARSHALLING_ERROR
    assert bench.table.remove("/a", 6, watcher) == MARSHALLING_ERROR


def test_a_dropped_connection_hears_nothing_and_leaves_nothing(bench: Bench) -> None:
    bench.tree("/a")
    gone, stays = RecordingWatcher(), RecordingWatcher()
    for kind in ("child", "data", "persistent", "recursive"):
        register(bench.table, kind, "/a", gone)
    bench.table.add_data("/a", stays)
    bench.table.drop(gone)
    bench.table.drop(gone)
    bench.run(data_set("/a"))
    assert gone.take() == []
    assert stays.take() == [(NODE_DATA_CHANGED, "/a")]
    assert bench.table.watch_count() == 0


def test_counts_are_of_cells_in_zookeepers_two_tables(bench: Bench) -> None:
    """A persistent watch stands in both tables, several modes of one connection on a path are one cell."""
    first, second = RecordingWatcher(), RecordingWatcher()
    bench.table.add_data("/a", first)
    bench.table.add_persistent("/a", first, False)
    bench.table.add_persistent("/b", first, True)
    bench.table.add_child("/a", second)
    assert bench.table.watch_count() == 4
    assert bench.table.data_summary() == (1, 2, 2)
    assert list(bench.table.data_paths()) == [(first, {"/a", "/b"})]


def test_a_connection_past_its_bound_of_watches_is_in_violation() -> None:
    table = WatchTable(watches_max=2)
    watcher = RecordingWatcher()
    table.add_data("/a", watcher)
    table.add_data("/b", watcher)
    table.add_data("/b", watcher)
    with pytest.raises(ProtocolError):
        table.add_data("/c", watcher)
    table.check_invariants()


def register(table: WatchTable, kind: str, path: str, watcher: Watcher) -> None:
    """One watch of a kind by its name."""
    if kind == "child":
        table.add_child(path, watcher)
    elif kind == "data":
        table.add_data(path, watcher)
    else:
        table.add_persistent(path, watcher, kind == "recursive")


def test_watchers_are_told_in_the_order_in_which_they_registered(bench: Bench) -> None:
    bench.tree("/a")
    order: list[int] = []

    class Numbered(Watcher):
        def __init__(self, number: int) -> None:
            self.number = number
            self.credentials = Credentials()

        def notify(self, frame: bytes) -> None:
            order.append(self.number)

    watchers: Sequence[Numbered] = [Numbered(number) for number in range(50)]
    for watcher in watchers:
        bench.table.add_data("/a", watcher)
    bench.run(data_set("/a"))
    assert order == list(range(50))
