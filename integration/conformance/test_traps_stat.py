"""Traps of the Stat (reference section 4.3), on the bridge and on ZooKeeper."""

from __future__ import annotations

import time

import pytest

from integration.conformance import wire
from integration.conformance.conftest import Connect, FreshServer
from integration.conformance.raw_client import (
    EPHEMERAL,
    OPEN_ACL,
    RawClient,
    Stat,
    create_body,
    path_version,
    path_watch,
    read_stat,
    read_texts,
    set_data_body,
)

# What a new server shows.
FRESH = {
    "/": Stat(0, 0, 0, 0, 0, -1, 0, 0, 0, 1, 0),
    "/zookeeper": Stat(0, 0, 0, 0, 0, -2, 0, 0, 0, 2, 0),
    "/zookeeper/config": Stat(0, 0, 0, 0, 0, 0, -1, 0, 0, 0, 0),
    "/zookeeper/quota": Stat(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
}


@pytest.mark.parametrize("path", FRESH)
def test_a_fresh_servers_znodes_have_zookeepers_stat(fresh: FreshServer, path: str) -> None:
    assert fresh.stats[path] == FRESH[path]


def test_a_fresh_servers_znodes_have_empty_data(fresh: FreshServer) -> None:
    assert fresh.data == dict.fromkeys(FRESH, b"")


def test_a_fresh_servers_znodes_are_open_but_the_config_is_read_only(fresh: FreshServer) -> None:
    everybody = {path: list(OPEN_ACL) for path in FRESH}
    assert fresh.acls == {**everybody, "/zookeeper/config": [(1, b"world", b"anyone")]}


def test_a_new_znodes_stat(client: RawClient, root: str) -> None:
    before_ms = int(time.time() * 1000)
    client.create(f"{root}/x", b"12345")
    after_ms = int(time.time() * 1000)
    stat = client.stat(f"{root}/x")
    assert stat.czxid == stat.mzxid == stat.pzxid > 0
    assert before_ms <= stat.ctime == stat.mtime <= after_ms
    assert stat[4:10] == (0, 0, 0, 0, 5, 0)


def test_set_data_moves_version_mzxid_and_mtime_even_if_nothing_changes(client: RawClient, root: str) -> None:
    client.create(f"{root}/x", b"12345")
    before = client.stat(f"{root}/x")
    time.sleep(0.005)
    after = client.set_data(f"{root}/x", b"12345")
    assert after.version == 1 and after.mzxid > before.mzxid and after.mtime > before.mtime
    assert after._replace(version=0, mzxid=before.mzxid, mtime=before.mtime) == before
    assert client.stat(f"{root}/x") == after


def test_set_acl_moves_the_aversion_only(client: RawClient, root: str) -> None:
    client.create(f"{root}/x", b"12345")
    client.set_data(f"{root}/x", b"1")
    before = client.stat(f"{root}/x")
    assert client.set_acl(f"{root}/x", OPEN_ACL) == before._replace(aversion=1)
    assert client.stat(f"{root}/x") == before._replace(aversion=1)


def test_set_data_after_set_acl_in_the_pipeline_gets_both_right(client: RawClient, root: str) -> None:
    acl = wire.acl_vector(list(OPEN_ACL))
    for _ in range(5):
        client.send(wire.SET_DATA, set_data_body(root, b"x"))
        client.send(wire.SET_ACL, wire.buffer(root.encode()) + acl + wire.i32(-1))
    stats = [read_stat(client.reply().cursor) for _ in range(10)]
    assert [stat.version for stat in stats] == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert [stat.aversion for stat in stats] == [0, 1, 1, 2, 2, 3, 3, 4, 4, 5]
    assert [stat.mzxid for stat in stats[0::2]] == [stat.mzxid for stat in stats[1::2]]
    assert len({stat.mzxid for stat in stats}) == 5


def test_the_cversion_counts_creates_and_deletes_and_sets_the_pzxid(client: RawClient, root: str) -> None:
    born = client.stat(root)
    for name in ("a", "b", "c"):
        client.create(f"{root}/{name}")
    grown = client.stat(root)
    assert (grown.cversion, grown.child_count) == (3, 3)
    assert grown.pzxid == client.stat(f"{root}/c").czxid > born.pzxid
    client.delete(f"{root}/b")
    shrunk = client.stat(root)
    assert (shrunk.cversion, shrunk.child_count) == (4, 2)
    assert shrunk.pzxid > grown.pzxid
    assert shrunk._replace(cversion=0, child_count=0, pzxid=born.pzxid) == born


def test_a_childs_data_and_grandchildren_leave_the_stat_alone(client: RawClient, root: str) -> None:
    client.create(f"{root}/x")
    before = client.stat(root)
    client.set_data(f"{root}/x", b"new")
    client.set_acl(f"{root}/x", OPEN_ACL)
    client.create(f"{root}/x/y")
    assert client.stat(root) == before


def test_an_ephemerals_end_moves_its_parents_pzxid(connect: Connect, client: RawClient, root: str) -> None:
    owner = connect()
    owner.create(f"{root}/e", flags=EPHEMERAL)
    before = client.stat(root)
    assert owner.close_session().error == 0
    after = client.stat(root)
    assert after.pzxid > before.pzxid
    assert (after.cversion, after.child_count) == (2, 0)


def test_a_znode_born_again_starts_anew(client: RawClient, root: str) -> None:
    client.create(f"{root}/x", b"1")
    client.create(f"{root}/x/y")
    client.delete(f"{root}/x/y")
    client.set_data(f"{root}/x", b"2")
    first = client.set_acl(f"{root}/x", OPEN_ACL)
    client.delete(f"{root}/x")
    client.create(f"{root}/x", b"3")
    again = client.stat(f"{root}/x")
    assert again.czxid == again.mzxid == again.pzxid > first.mzxid
    assert again[4:10] == (0, 0, 0, 0, 1, 0)


def test_data_length_is_bytes(client: RawClient, root: str) -> None:
    assert client.set_data(root, "é中".encode()).data_length == 5
    assert client.set_data(root, None).data_length == 0


def test_a_version_is_expected_as_it_is_and_minus_one_is_any(client: RawClient, root: str) -> None:
    assert client.set_data(root, b"a", 0).version == 1
    assert client.error(wire.SET_DATA, set_data_body(root, b"b", 0)) == -103
    assert client.set_data(root, b"b", -1).version == 2
    assert client.error(wire.SET_DATA, set_data_body(root, b"c", -2)) == -103
    client.create(f"{root}/x")
    client.set_acl(f"{root}/x", OPEN_ACL)
    assert client.error(wire.DELETE, path_version(f"{root}/x", 1)) == -103  # the aversion is not the version
    assert client.error(wire.DELETE, path_version(f"{root}/x", 0)) == 0


def test_all_reads_show_the_same_stat(client: RawClient, root: str) -> None:
    client.create(f"{root}/x")
    stat = client.stat(root)
    assert client.get_data(root)[1] == stat
    assert client.get_acl(root)[1] == stat
    cursor = client.ok(wire.GET_CHILDREN2, path_watch(root))
    assert (read_texts(cursor), read_stat(cursor), cursor.rest()) == (["x"], stat, b"")


def test_children_of_a_childless_znode_are_an_empty_list(client: RawClient, root: str) -> None:
    assert client.ok(wire.GET_CHILDREN, path_watch(root)).rest() == wire.i32(0)


def test_the_empty_path_reads_the_root(client: RawClient) -> None:
    assert "zookeeper" in client.children("")
    assert client.get_data("")[1].ctime == client.stat("/").ctime == 0


def test_the_root_and_zookeeper_may_be_written(connect: Connect, client: RawClient, root: str) -> None:
    version = client.stat("/").version
    assert client.set_data("/", b"root").version == version + 1
    assert client.get_data("/")[0] == b"root"
    assert client.set_data("/zookeeper", b"").version > 0
    name = root[1:]
    before = client.stat("/zookeeper")
    client.create(f"/zookeeper/{name}")
    assert client.stat("/zookeeper").cversion == before.cversion + 1
    assert name in client.children("/zookeeper")
    client.delete(f"/zookeeper/{name}")
    assert client.stat("/zookeeper").cversion == before.cversion + 2


def test_the_super_user_may_write_the_config(client: RawClient) -> None:
    assert client.error(wire.SET_DATA, set_data_body("/zookeeper/config", b"")) == -102
    client.add_auth("digest", b"super:test")
    assert client.error(wire.SET_DATA, set_data_body("/zookeeper/config", b"")) == 0


def test_prefixes_are_not_parents(client: RawClient, root: str) -> None:
    for name in ("a", "ab", "a0", "a!", "a.b"):
        client.create(f"{root}/{name}")
        client.create(f"{root}/{name}/x")
    assert client.stat(f"{root}/a").child_count == 1
    assert client.children(f"{root}/a") == ["x"]
    assert client.error(wire.DELETE, path_version(f"{root}/a")) == -111
    client.delete(f"{root}/a/x")
    client.delete(f"{root}/a")
    assert client.children(root) == sorted(["ab", "a0", "a!", "a.b"])
    assert client.error(wire.CREATE, create_body(f"{root}/a/x")) == -101
