"""`zkbridge serve --etcd-addr`: the member that holds the znodes serves etcd's API too."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from kazoo.client import KazooClient
from kazoo.exceptions import ConnectionLoss, NoNodeError, SessionExpiredError

from etcdcore.client import Client, connect
from integration.conformance.raw_client import RawClient
from integration.peers.etcd import Etcdctl, OurEtcd
from integration.peers.process import free_port
from zkbridge.keyspace.records import encode_children, encode_session, encode_znode
from zkbridge.testing import RunningServer, ServerDidNotStart
from zkbridge.tree.acl import AclEntry

PATIENCE_S = 20.0


class Bridge:
    """A server with both ports, and a kazoo client of the one."""

    def __init__(self, folder: Path) -> None:
        self.etcd_addr = f"127.0.0.1:{free_port()}"
        self.server = RunningServer(folder, {"etcd-addr": self.etcd_addr, "tick-time": "200"})
        self.server.start()
        self.kazoo = self.new_kazoo()

    def new_kazoo(self) -> KazooClient:
        kazoo = KazooClient(self.server.hosts, timeout=2.0)
        kazoo.start(timeout=PATIENCE_S)
        return kazoo

    def etcd(self, story: Callable[[Client], Awaitable[None]]) -> None:
        async def act() -> None:
            async with asyncio.timeout(PATIENCE_S), connect(self.etcd_addr) as client:
                await story(client)

        asyncio.run(act())


@pytest.fixture
def bridge(tmp_path: Path) -> Iterator[Bridge]:
    bridge = Bridge(tmp_path)
    try:
        yield bridge
    finally:
        bridge.kazoo.stop()
        bridge.kazoo.close()
        bridge.server.stop()


def _still_serves(bridge: Bridge) -> None:
    """The process lives, and a client old or new writes and reads."""
    kazoo = bridge.new_kazoo()
    try:
        path = f"/after-{time.monotonic_ns()}"
        kazoo.create(path, b"1")
        assert kazoo.get(path)[0] == b"1"
    finally:
        kazoo.stop()
        kazoo.close()


def _until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s, "nothing came of it"
        time.sleep(0.05)


def test_znodes_are_keys_of_an_etcd_client_and_their_changes_its_events(bridge: Bridge) -> None:
    bridge.kazoo.create("/app", b"hello")

    async def story(client: Client) -> None:
        found = await client.get("/zk/n/app")
        assert found.count == 1 and b"hello" in found.kvs[0].value
        stat = bridge.kazoo.get("/app")[1]
        assert (stat.czxid, stat.mzxid) == (found.kvs[0].create_revision, found.kvs[0].mod_revision)
        async with client.watch("/zk/n/app", prefix=True) as watch:
            bridge.kazoo.set("/app", b"again")
            events = (await anext(watch)).events
            assert b"again" in events[0].kv.value
            assert events[0].kv.mod_revision == bridge.kazoo.get("/app")[1].mzxid

    bridge.etcd(story)
    assert "/zk/n/app" in Etcdctl(bridge.etcd_addr)("get", "/zk/", "--prefix", "--keys-only")


def test_foreign_keys_move_the_zxid_and_nothing_else(bridge: Bridge) -> None:
    before = bridge.kazoo.create("/a", b"", include_data=True)[1].czxid

    async def story(client: Client) -> None:
        for number in range(50):
            await client.put(f"elsewhere/{number}", "x")
        assert (await client.delete("elsewhere/", prefix=True)).deleted == 50

    bridge.etcd(story)
    after = bridge.kazoo.create("/b", b"", include_data=True)[1].czxid
    assert after == before + 52
    assert set(bridge.kazoo.get_children("/")) == {"a", "b", "zookeeper"}


def test_a_session_whose_key_is_deleted_behind_the_bridges_back_ends_and_others_go_on(bridge: Bridge) -> None:
    victim = bridge.new_kazoo()
    victim.create("/mine", b"", ephemeral=True)
    session = f"/zk/s{victim.client_id[0] & 0xFFFFFFFFFFFFFFFF:016x}"

    async def story(client: Client) -> None:
        assert (await client.delete(session)).deleted == 1

    bridge.etcd(story)
    bridge.kazoo.create("/goes-on", b"")
    with pytest.raises((SessionExpiredError, ConnectionLoss)):
        victim.create("/too-late", b"")
    victim.stop()
    victim.close()
    _still_serves(bridge)


def test_a_session_whose_lease_is_revoked_behind_the_bridges_back_loses_its_ephemerals(bridge: Bridge) -> None:
    victim = bridge.new_kazoo()
    victim.create("/mine", b"", ephemeral=True)
    lease_id = victim.client_id[0]

    async def story(client: Client) -> None:
        await client.lease_revoke(lease_id)

    bridge.etcd(story)
    _until(lambda: bridge.kazoo.exists("/mine") is None)
    victim.stop()
    victim.close()
    _still_serves(bridge)


@pytest.mark.parametrize("key", ["/zk/w", "/zk/format", "/zk/n/parent", "/zk/c/parent", "/zk/n/parent/child"])
def test_a_key_of_the_tree_deleted_by_a_foreign_hand_stops_nobody(bridge: Bridge, key: str) -> None:
    bridge.kazoo.create("/parent", b"")
    bridge.kazoo.create("/parent/child", b"")

    async def story(client: Client) -> None:
        assert (await client.delete(key)).deleted == 1

    bridge.etcd(story)
    if key == "/zk/n/parent/child":
        with pytest.raises(NoNodeError):
            bridge.kazoo.get("/parent/child")
    _still_serves(bridge)


def test_what_no_tree_could_be_is_passed_over_and_mended_by_the_next_write(bridge: Bridge) -> None:
    bridge.kazoo.create("/a", b"good")
    bridge.kazoo.create("/a/b", b"")

    async def story(client: Client) -> None:
        for key in (
            "n/a",
            "n/x",
            "n/no/parent",
            "nonsense",
            "n",
            "c/a",
            "c/none",
            "s0",
            "s" + "0" * 15 + "g",
            "n/\x00",
        ):
            await client.put(f"/zk/{key}", b"\xff\xfe garbage")
        await client.put("/zk/n/no/other", b"")
        await client.put(b"/zk/n/\xff", b"")
        await client.delete("/zk/n/a")

    bridge.etcd(story)
    assert bridge.kazoo.get("/a")[0] == b"good"
    bridge.kazoo.set("/a", b"mended")
    _still_serves(bridge)
    assert bridge.kazoo.get_children("/a") == ["b"]
    log = bridge.server.log_path.read_text()
    assert "foreign_write_ignored" in log and "no parent" in log


def test_a_restart_on_a_bad_key_names_it_and_etcdcore_on_the_same_data_mends_it(bridge: Bridge, tmp_path: Path) -> None:
    bridge.kazoo.create("/a", b"good")

    async def story(client: Client) -> None:
        await client.put("/zk/n/bad", b"\xff\xfe garbage")

    bridge.etcd(story)
    bridge.kazoo.stop()
    bridge.server.stop()
    with pytest.raises(ServerDidNotStart, match=r"/zk/n/bad.*etcdcore"):
        bridge.server.start()
    with OurEtcd(tmp_path / "etcd", data_dir=bridge.server.data_dir) as etcd:
        assert Etcdctl.of(etcd)("del", "/zk/n/bad").strip() == "1"
        etcd.stop()
    bridge.server.start()
    again = bridge.new_kazoo()
    assert again.get("/a")[0] == b"good"
    again.stop()
    again.close()


def test_etcd_clients_and_kazoo_work_side_by_side(bridge: Bridge) -> None:
    """Both write at once; each sees all of its own, and the znodes' order is the store's."""

    async def story(client: Client) -> None:
        async def foreign() -> None:
            for number in range(200):
                await client.put(f"other/{number}", str(number))

        async def own() -> None:
            for number in range(200):
                await asyncio.to_thread(bridge.kazoo.create, f"/k{number}", b"")

        async with asyncio.TaskGroup() as group:
            group.create_task(foreign())
            group.create_task(own())
        assert (await client.get("other/", prefix=True)).count == 200

    bridge.etcd(story)
    stats = [bridge.kazoo.exists(f"/k{number}") for number in range(200)]
    zxids = [stat.czxid for stat in stats if stat is not None]
    assert len(zxids) == 200 and zxids == sorted(zxids)


def test_every_field_that_a_foreign_put_changes_is_the_same_before_and_after_a_restart(bridge: Bridge) -> None:
    """ACL, versions, times, owner, children count, the session's password: seen at once, loaded the same."""
    bridge.kazoo.create("/a", b"data")
    bridge.kazoo.create("/a/child", b"")
    owner = RawClient(int(bridge.server.hosts.rpartition(":")[2]))
    session_id = owner.connect(30_000).session_id
    events: list[str] = []
    bridge.kazoo.get("/a", watch=lambda event: events.append(event.type))
    acl = (AclEntry(1, "digest", "user:hash"), AclEntry(17, "world", "anyone"))

    async def story(client: Client) -> None:
        await client.put("/zk/n/a", encode_znode(11, 12, 5, b"data", 7, 0, acl))
        await client.put("/zk/n/a/child", encode_znode(13, 14, 0, b"mine", 0, session_id))
        await client.put("/zk/c/a", encode_children(40))
        await client.put(f"/zk/s{session_id:016x}", encode_session(b"n" * 16, 4_000, ""))

    bridge.etcd(story)
    _until(lambda: bridge.kazoo.get_acls("/a")[1].cversion == 79)
    before = _image(bridge.kazoo)
    stat = bridge.kazoo.get_acls("/a")[1]
    assert (stat.ctime, stat.mtime, stat.version, stat.aversion) == (11, 12, 5, 7)
    assert bridge.kazoo.exists("/a/child").ephemeralOwner == session_id
    _until(lambda: events == ["CHANGED"])
    bridge.kazoo.stop()
    bridge.kazoo.close()
    bridge.server.stop()
    bridge.server.start()
    bridge.kazoo = bridge.new_kazoo()
    assert _image(bridge.kazoo) == before
    again = RawClient(owner.port)
    assert again.connect(4_000, session_id, b"n" * 16).session_id == session_id
    again.close_session()
    assert bridge.kazoo.exists("/a/child") is None
    owner.drop()
    again.drop()


def _image(kazoo: KazooClient) -> dict[str, tuple[object, object]]:
    found: dict[str, tuple[object, object]] = {}
    for path in ("/a", "/a/child"):
        if kazoo.exists(path) is not None:
            acls, stat = kazoo.get_acls(path)
            found[path] = ([(acl.perms, acl.id.scheme, acl.id.id) for acl in acls], stat)
    return found
