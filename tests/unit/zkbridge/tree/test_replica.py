"""What a Stat says, and what a fresh server holds. Source: reference section 4.3."""

from tests.unit.zkbridge.plan.worlds import World
from zkbridge.jute.records import ACL, Id, Stat
from zkbridge.tree.acl import READ, AclEntry
from zkbridge.tree.changes import DataSet, ZnodeCreated, ZnodeDeleted
from zkbridge.tree.replica import Replica


def stat_of(replica: Replica, path: str) -> Stat:
    return Stat.decode(replica.znodes[path].stat())


def test_a_fresh_tree_has_zookeepers_four_znodes() -> None:
    replica = Replica()
    assert stat_of(replica, "/") == Stat(0, 0, 0, 0, 0, -1, 0, 0, 0, 1, 0)
    assert stat_of(replica, "/zookeeper") == Stat(0, 0, 0, 0, 0, -2, 0, 0, 0, 2, 0)
    assert stat_of(replica, "/zookeeper/config") == Stat(0, 0, 0, 0, 0, 0, -1, 0, 0, 0, 0)
    assert stat_of(replica, "/zookeeper/quota") == Stat(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    assert replica.znodes["/zookeeper/config"].acl == (AclEntry(READ, "world", "anyone"),)
    assert replica.znode_count() == 4


def test_a_stat_tells_the_znodes_history() -> None:
    world = World()
    world.create("/p")
    born = world.store.revision
    world.create("/p/x")
    world.create("/p/y")
    world.delete("/p/x")
    child_revision = world.store.revision
    world.set_data("/p", b"12345")
    data_revision = world.store.revision
    world.set_acl("/p", [ACL(31, Id("ip", "127.0.0.1"))])
    stat = stat_of(world.replica, "/p")
    assert (stat.czxid, stat.mzxid, stat.pzxid) == (born, data_revision, child_revision)
    assert (stat.version, stat.cversion, stat.aversion) == (1, 3, 1)
    assert (stat.data_length, stat.num_children, stat.ephemeral_owner) == (5, 1, 0)


def test_only_a_session_shows_as_ephemeral_owner() -> None:
    world = World()
    world.create("/e", flags=1)
    world.create("/c", opcode=19)
    world.create_ttl("/t")
    owners = [stat_of(world.replica, path).ephemeral_owner for path in ("/e", "/c", "/t")]
    assert owners == [world.context.session_id, 0, 0]


def test_system_znodes_keep_their_times_when_the_store_is_loaded_again() -> None:
    world = World()
    world.set_acl("/", [ACL(31, Id("world", "anyone")), ACL(1, Id("ip", "10.0.0.1"))])
    loaded = world.store.load()
    assert (stat_of(loaded, "/").czxid, stat_of(loaded, "/").mzxid, stat_of(loaded, "/").aversion) == (0, 0, 1)
    world.set_data("/zookeeper", b"x")
    loaded = world.store.load()
    assert (stat_of(loaded, "/zookeeper").czxid, stat_of(loaded, "/zookeeper").ctime) == (0, 0)
    assert stat_of(loaded, "/zookeeper").mzxid == world.store.revision


def test_null_and_empty_data_are_kept_apart() -> None:
    world = World()
    world.create("/null", data=None)
    world.create("/empty", data=b"")
    loaded = world.store.load()
    assert (loaded.znodes["/null"].data, loaded.znodes["/empty"].data) == (None, b"")


def test_apply_captures_stats_in_order_and_the_last_acl() -> None:
    replica = Replica()
    acl = (AclEntry(READ, "ip", "10.0.0.1"),)
    created = ZnodeCreated("/a", b"", acl, 0, 1, False, True)
    changed = DataSet("/a", b"xyz", 1, 2)
    deleted = ZnodeDeleted("/a")
    replica.apply(7, [created, changed, deleted])
    assert created.stat is not None and changed.stat is not None
    assert (Stat.decode(created.stat).version, Stat.decode(changed.stat).data_length) == (0, 3)
    assert deleted.acl is acl
    replica.check_invariants()
