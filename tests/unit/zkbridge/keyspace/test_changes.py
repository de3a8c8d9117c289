"""Loading, and revisions that were not planned here. Source: design sections 2, 5."""

import pytest

from tests.property.plan.world import KEYSPACE
from tests.unit.zkbridge.plan.worlds import SESSION, World, create
from zkbridge.backend.interface import StoreEvent
from zkbridge.jute.records import DeleteRequest
from zkbridge.keyspace.changes import ReplicaLoader, changes_from_events, unsettled_parents
from zkbridge.keyspace.records import KeyspaceError, encode_format, encode_znode
from zkbridge.plan.plan import STALL, Plan
from zkbridge.plan.session import plan_settle_parents
from zkbridge.tree.changes import Change, CreatedCountSet, SessionClosed, ZnodeCreated, ZnodeDeleted
from zkbridge.tree.replica import Replica


def lease_ended(world: World) -> list[Change]:
    """The store drops a session's keys by itself, and the replica hears of it."""
    store = world.store
    store.revision += 1
    keys = [key for key, record in store.records.items() if record.lease == SESSION]
    events = [StoreEvent(False, key, b"", 0, store.revision, 0) for key in keys]
    for key in keys:
        del store.records[key]
    changes = changes_from_events(events, world.replica, KEYSPACE)
    world.replica.apply(store.revision, changes)
    return changes


def test_the_end_of_a_lease_is_the_close_of_its_session() -> None:
    world = World()
    world.create("/p")
    world.create("/p/e", flags=1)
    changes = lease_ended(world)
    assert [type(change) for change in changes] == [ZnodeDeleted, SessionClosed]
    assert world.replica.znodes["/p"].pzxid == world.store.revision
    assert world.replica.sessions == {}
    world.replica.check_invariants()


def test_the_pzxid_that_a_lease_moved_is_settled_by_one_plan() -> None:
    world = World()
    world.create("/p")
    world.create("/p/e", flags=1)
    parents = unsettled_parents(lease_ended(world))
    ended = world.store.revision
    assert parents == ["/p"]
    assert world.store.load().znodes["/p"].pzxid != ended
    plan = plan_settle_parents(parents, world.overlay, world.context)
    assert isinstance(plan, Plan)
    world.done(plan)
    assert world.store.revision > ended
    assert world.replica.znodes["/p"].pzxid == ended
    assert world.store.load().znodes["/p"].stat() == world.replica.znodes["/p"].stat()


def test_settling_waits_for_plans_in_flight() -> None:
    world = World()
    world.create("/p")
    world.hold = True
    world.create("/p/x")
    assert plan_settle_parents(["/p"], world.overlay, world.context) == STALL


def test_a_planned_delete_leaves_nothing_to_settle() -> None:
    world = World()
    world.create("/p")
    plan = world.multi((2, DeleteRequest("/p", -1)), create("/q"))
    assert isinstance(plan, Plan)
    assert unsettled_parents([ZnodeDeleted("/p"), CreatedCountSet("/", 2)]) == []
    assert unsettled_parents([ZnodeDeleted("/p/x"), ZnodeDeleted("/p")]) == ["/"]


def test_foreign_deletes_go_children_first_and_creates_parents_first() -> None:
    world = World()
    world.create("/a")
    world.create("/a/b")
    revision = world.store.revision + 1
    events = [
        StoreEvent(False, b"/zk/n/a", b"", 0, revision, 0),
        StoreEvent(False, b"/zk/n/a/b", b"", 0, revision, 0),
        StoreEvent(True, b"/zk/n/c/d", encode_znode(1, 1, 0, None), revision, revision, 0),
        StoreEvent(True, b"/zk/n/c", encode_znode(1, 1, 0, None), revision, revision, 0),
    ]
    changes = changes_from_events(events, world.replica, KEYSPACE)
    assert [(type(change), change.path) for change in changes if isinstance(change, (ZnodeCreated, ZnodeDeleted))] == [
        (ZnodeDeleted, "/a/b"),
        (ZnodeDeleted, "/a"),
        (ZnodeCreated, "/c"),
        (ZnodeCreated, "/c/d"),
    ]


def test_keys_of_others_are_left_alone() -> None:
    foreign = [StoreEvent(True, key, b"\xff", 1, 1, 0) for key in (b"/zk/w", b"/zk/b1", b"/zk", b"/other/n/a")]
    assert changes_from_events(foreign, Replica(), KEYSPACE) == []


def test_an_older_childrens_key_does_not_count_for_a_newer_znode() -> None:
    world = World()
    world.create("/a")
    world.create("/a/b")
    stale = world.store.records[b"/zk/c/a"]
    world.delete("/a/b")
    world.delete("/a")
    world.create("/a")
    world.store.records[b"/zk/c/a"] = stale
    assert world.store.load().znodes["/a"].stat() == world.replica.znodes["/a"].stat()


def test_a_store_that_cannot_be_understood_is_refused() -> None:
    loader = ReplicaLoader(Replica(), KEYSPACE)
    with pytest.raises(KeyspaceError, match="no parent"):
        loader.add([StoreEvent(True, b"/zk/n/a/b", encode_znode(1, 1, 0, None), 5, 5, 0)])
    with pytest.raises(KeyspaceError, match="schema version 9"):
        loader.add([StoreEvent(True, b"/zk/format", encode_format(9), 5, 5, 0)])
    with pytest.raises(KeyspaceError, match="ends beyond"):
        loader.add([StoreEvent(True, b"/zk/n/a", b"\x09\x00", 5, 5, 0)])
