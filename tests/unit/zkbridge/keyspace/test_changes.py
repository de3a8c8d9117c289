"""Loading, and revisions that were not planned here. Source: design sections 2, 5."""

import pytest

from tests.property.plan.world import KEYSPACE
from tests.unit.zkbridge.plan.worlds import NOW_MS, SESSION, World, create
from zkbridge.backend.interface import StoreEvent
from zkbridge.jute.records import DeleteRequest
from zkbridge.keyspace.changes import ReplicaLoader, changes_from_events, unsettled_parents
from zkbridge.keyspace.records import KeyspaceError, encode_format, encode_varint, encode_znode
from zkbridge.plan.plan import STALL, Plan
from zkbridge.plan.session import plan_settle_parents
from zkbridge.tree.acl import AclEntry
from zkbridge.tree.changes import (
    Change,
    CreatedCountSet,
    DataSet,
    RecordSet,
    SessionClosed,
    ZnodeCreated,
    ZnodeDeleted,
)
from zkbridge.tree.replica import Replica


def lease_ended(world: World) -> tuple[list[Change], list[str]]:
    """The store drops a session's keys by itself, and the replica hears of it: what it changes, what is to settle."""
    store = world.store
    store.revision += 1
    keys = [key for key, record in store.records.items() if record.lease == SESSION]
    events = [StoreEvent(False, key, b"", 0, store.revision, 0) for key in keys]
    for key in keys:
        del store.records[key]
    changes = changes_from_events(events, world.replica, KEYSPACE)
    unsettled = unsettled_parents(changes, world.replica)
    world.replica.apply(store.revision, changes)
    return changes, unsettled


def test_the_end_of_a_lease_is_the_close_of_its_session() -> None:
    world = World()
    world.create("/p")
    world.create("/p/e", flags=1)
    changes, _ = lease_ended(world)
    assert [type(change) for change in changes] == [ZnodeDeleted, SessionClosed]
    assert world.replica.znodes["/p"].pzxid == world.store.revision
    assert world.replica.sessions == {}
    world.replica.check_invariants()


def test_the_pzxid_that_a_lease_moved_is_settled_by_one_plan() -> None:
    world = World()
    world.create("/p")
    world.create("/p/e", flags=1)
    _, parents = lease_ended(world)
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
    assert unsettled_parents([ZnodeDeleted("/p"), CreatedCountSet("/", 2)], Replica()) == []
    assert unsettled_parents([ZnodeDeleted("/p/x"), ZnodeDeleted("/p")], Replica()) == ["/"]


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


# What a foreign put changes beside the data


def foreign_put(world: World, path: str, value: bytes) -> tuple[list[Change], list[str]]:
    """One put of a znode's key by an etcd client; what was passed over."""
    old = world.store.records.get(KEYSPACE.znode_key(path))
    revision = world.store.revision + 1
    created = revision if old is None else old.create_revision
    strange: list[str] = []
    event = StoreEvent(True, KEYSPACE.znode_key(path), value, created, revision, 0)
    return changes_from_events([event], world.replica, KEYSPACE, strange), strange


def test_a_foreign_acl_is_taken_at_once_and_fires_no_data_watch_if_it_leaves_mzxid_alone() -> None:
    world = World()
    world.create("/a", data=b"d")
    znode = world.replica.znodes["/a"]
    acl = (AclEntry(1, "digest", "u:h"),)
    value = encode_znode(NOW_MS, NOW_MS, 0, b"d", 4, 0, acl, mzxid=znode.mzxid)
    changes, _ = foreign_put(world, "/a", value)
    assert [type(change) for change in changes] == [RecordSet]
    world.replica.apply(world.store.revision + 1, changes)
    assert (znode.acl, znode.aversion, znode.mzxid) == (acl, 4, znode.czxid)
    changes, _ = foreign_put(world, "/a", encode_znode(NOW_MS, NOW_MS, 0, b"d", 4, 0, acl))
    assert [type(change) for change in changes] == [DataSet]


def test_a_foreign_owner_makes_an_ephemeral_of_an_open_session_only() -> None:
    world = World()
    world.create("/a")
    world.create("/a/b")
    changes, strange = foreign_put(world, "/a/b", encode_znode(1, 1, 0, None, owner=SESSION))
    assert strange == []
    world.replica.apply(world.store.revision + 1, changes)
    assert world.replica.ephemerals[SESSION].ordered() == ["/a/b"]
    for path, owner, reason in (
        ("/a", SESSION, "cannot have its children"),
        ("/c", 77, "no session that is open"),
        ("/a/b/c", 0, "its parent is an ephemeral"),
    ):
        changes, strange = foreign_put(world, path, encode_znode(1, 1, 0, None, owner=owner))
        assert changes == [] and reason in strange[0]


def test_the_key_of_a_system_znode_deleted_makes_it_as_on_a_fresh_server() -> None:
    world = World()
    world.set_data("/zookeeper/config", b"ours")
    events = [StoreEvent(False, KEYSPACE.znode_key("/zookeeper/config"), b"", 0, world.store.revision + 1, 0)]
    world.replica.apply(world.store.revision + 1, changes_from_events(events, world.replica, KEYSPACE))
    fresh, znode = Replica().znodes["/zookeeper/config"], world.replica.znodes["/zookeeper/config"]
    assert (znode.stat(), znode.data, znode.acl) == (fresh.stat(), b"", fresh.acl)


@pytest.mark.parametrize(
    "value",
    [
        b"\x18" + encode_varint(2**31),  # version
        b"\x28" + encode_varint(2**31),  # aversion
        b"\x08" + encode_varint(2**63),  # ctime
        b"\x30" + encode_varint(2**64 - 1),  # owner
        b"\x41" + (-2).to_bytes(8, "little", signed=True),  # mzxid
        b"\x49" + (-1).to_bytes(8, "little", signed=True),  # czxid
    ],
)
def test_numbers_that_no_stat_can_hold_are_passed_over(value: bytes) -> None:
    changes, strange = foreign_put(World(), "/a", value)
    assert changes == [] and len(strange) == 1


def test_a_tree_with_children_under_an_ephemeral_is_refused_at_load() -> None:
    loader = ReplicaLoader(Replica(), KEYSPACE)
    loader.add([StoreEvent(True, b"/zk/n/e", encode_znode(1, 1, 0, None, owner=SESSION), 5, 5, 0)])
    loader.add([StoreEvent(True, b"/zk/n/e/child", encode_znode(1, 1, 0, None), 5, 5, 0)])
    with pytest.raises(KeyspaceError, match="ephemeral and has children"):
        loader.finish(5)
