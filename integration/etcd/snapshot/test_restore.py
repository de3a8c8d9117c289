"""Both ways: every key, revision, lease and user of the one in the other, and old revisions to read and watch from."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import grpc
import pytest

from etcdcore.pb import rpc_pb2
from integration.etcd.snapshot.tools import (
    Caller,
    Contents,
    etcdcore,
    etcdutl,
    make_history,
    member_ids,
    read_contents,
    restore_flags,
    save,
)
from integration.peers.etcd import TARGETS, Answer, Etcdctl, EtcdServer, OurEtcd, RealEtcd
from integration.peers.process import wait_until

ROUTES = [("etcdcore", "etcd"), ("etcd", "etcdcore"), ("etcdcore", "etcdcore")]


def restore(server: EtcdServer, snapshot: Path, *flags: str) -> Answer:
    """By the tool that belongs to the server."""
    arguments = ["snapshot", "restore", str(snapshot), *restore_flags(server), *flags]
    return etcdutl(*arguments) if isinstance(server, RealEtcd) else etcdcore(*arguments)


def contents_and_snapshot(source: EtcdServer, folder: Path) -> tuple[int, Contents, Path]:
    compacted = make_history(source)
    return compacted, read_contents(source, compacted), save(source, folder / "snapshot.db")


@pytest.mark.parametrize(("source_kind", "target_kind"), ROUTES)
def test_everything_is_there_after_a_restore(source_kind: str, target_kind: str, tmp_path: Path) -> None:
    with TARGETS[source_kind](tmp_path / "source") as source:
        compacted, contents, snapshot = contents_and_snapshot(source, tmp_path)
        # That of the compacted revision is kept from the compaction, when more was there.
        revisions = range(compacted + 1, contents.revision + 1)
        hashes = [hash_at(source, revision) for revision in revisions]
    target = TARGETS[target_kind](tmp_path / "target", name="restored")
    restore(target, snapshot).checked()
    with target:
        assert read_contents(target, compacted) == contents
        assert [hash_at(target, revision) for revision in revisions] == hashes
        with Caller(target) as caller:
            with pytest.raises(grpc.RpcError, match="required revision has been compacted"):
                caller.range(key=b"k", revision=compacted - 1)
            assert caller.put(b"after", b"", 7) == contents.revision + 1
        target.kill()
        target.start()
        with Caller(target) as caller:
            assert caller.range(key=b"after").kvs[0].lease == 7
            assert caller.range(key=b"log", revision=compacted).header.revision == contents.revision + 1


def hash_at(server: EtcdServer, revision: int) -> tuple[int, int, int]:
    with Caller(server) as caller:
        return caller.hash_kv(revision)


def test_there_and_back_again_nothing_is_lost(real_etcd: RealEtcd, tmp_path: Path) -> None:
    """etcd -> ours -> etcd; users, roles and their passwords too."""
    compacted = make_history(real_etcd)
    etcdctl = Etcdctl.of(real_etcd)
    etcdctl("role", "add", "reader")
    etcdctl("role", "grant-permission", "reader", "read", "key/", "--prefix")
    etcdctl("user", "add", "ann:secret")
    etcdctl("user", "grant-role", "ann", "reader")
    etcdctl("user", "add", "root:pw")
    etcdctl("user", "grant-role", "root", "root")
    contents = read_contents(real_etcd, compacted)
    etcdctl("auth", "enable")
    first = save(real_etcd, tmp_path / "first.db", "--user=root:pw")
    ours = OurEtcd(tmp_path / "ours")
    restore(ours, first).checked()
    with ours:
        check_users(ours)
        second = save(ours, tmp_path / "second.db", "--user=root:pw")
    back = RealEtcd(tmp_path / "back")
    restore(back, second).checked()
    with back:
        check_users(back)
        Etcdctl.of(back, "--user=root:pw")("auth", "disable")
        assert read_contents(back, compacted) == contents


def check_users(server: EtcdServer) -> None:
    found = Etcdctl.of(server, "--user=ann:secret")("get", "key/", "--prefix", "--keys-only")
    assert "key/1" in found
    refused = Etcdctl.of(server, "--user=ann:secret").run("put", "key/1", "x")
    assert "permission denied" in refused.errors
    assert "invalid user ID or password" in Etcdctl.of(server, "--user=ann:wrong").run("get", "key/1").errors
    assert Etcdctl.of(server, "--user=root:pw")("user", "list").split() == ["ann", "root"]


def test_a_real_etcds_data_directory_moves_to_ours(real_etcd: RealEtcd, tmp_path: Path) -> None:
    """Straight from its db file, which has no digest, once it is stopped."""
    compacted = make_history(real_etcd)
    contents = read_contents(real_etcd, compacted)
    real_etcd.stop()
    database = real_etcd.data_dir / "member" / "snap" / "db"
    before = hashlib.sha256(database.read_bytes()).digest()
    ours = OurEtcd(tmp_path / "ours")
    refused = restore(ours, database)
    assert (refused.status, "missing hash" in refused.errors) == (1, True)
    assert not ours.data_dir.exists()
    restore(ours, database, "--skip-hash-check").checked()
    with ours:
        assert read_contents(ours, compacted) == contents
    assert hashlib.sha256(database.read_bytes()).digest() == before


@pytest.mark.parametrize("source_kind", list(TARGETS))
def test_a_raised_revision_is_the_same_on_both(source_kind: str, tmp_path: Path) -> None:
    """So that watch caches see no time go back: all that was is compacted, and the hash is equal still."""
    with TARGETS[source_kind](tmp_path / "source") as source:
        compacted, contents, snapshot = contents_and_snapshot(source, tmp_path)
    observed = []
    for kind, target_type in TARGETS.items():
        target = target_type(tmp_path / f"raised-{kind}")
        restore(target, snapshot, "--bump-revision", "1000", "--mark-compacted").checked()
        with target, Caller(target) as caller:
            now = caller.range(key=b"\0", range_end=b"\0")
            assert now.header.revision == contents.revision + 1000
            assert list(now.kvs) == contents.pairs[contents.revision]
            with pytest.raises(grpc.RpcError, match="required revision has been compacted"):
                caller.range(key=b"a", revision=now.header.revision - 1)
            assert watch_from(caller, compacted).compact_revision == now.header.revision
            revision = caller.put(b"after", b"v")
            assert revision == now.header.revision + 1
            observed.append((caller.events(now.header.revision, revision), caller.hash_kv()))
    assert observed[0] == observed[1]


def watch_from(caller: Caller, revision: int) -> rpc_pb2.WatchResponse:
    """The response that cancels a watch from a compacted revision."""
    create = rpc_pb2.WatchCreateRequest(key=b"a", start_revision=revision)
    request = rpc_pb2.WatchRequest(create_request=create).SerializeToString()
    call = caller.channel.stream_stream("/etcdserverpb.Watch/Watch")(iter([request]), timeout=20)
    for data in call:
        response = rpc_pb2.WatchResponse.FromString(data)
        if response.canceled:
            call.cancel()
            return response
    raise AssertionError("the watch was not cancelled")


@pytest.mark.parametrize("kind", list(TARGETS))
def test_the_restored_member_has_new_ids_the_same_from_both_tools(
    kind: str, real_etcd: RealEtcd, tmp_path: Path
) -> None:
    snapshot = save(real_etcd, tmp_path / "snapshot.db")
    real_etcd.stop()
    client_port, peer_port = real_etcd.client_port, real_etcd.peer_port
    target = TARGETS[kind](tmp_path / "target", name="m1", client_port=client_port, peer_port=peer_port)
    other = RealEtcd(tmp_path / "other", name="m1", client_port=client_port, peer_port=peer_port)
    restore(target, snapshot, "--initial-cluster-token", "another").checked()
    restore(other, snapshot, "--initial-cluster-token", "another").checked()
    with target:
        ids = member_ids(target)
        listed = Etcdctl.of(target)("member", "list")
        target.stop()
    with other:
        assert member_ids(other) == ids
        assert Etcdctl.of(other)("member", "list") == listed


@pytest.mark.parametrize("source_kind", list(TARGETS))
def test_alarms_come_over_as_with_etcdutl(source_kind: str, tmp_path: Path) -> None:
    """They name a member that is no more; whoever restores takes them back. Until then writes are refused."""
    with TARGETS[source_kind](tmp_path / "source") as source, Caller(source) as caller:
        request = rpc_pb2.AlarmRequest(action="ACTIVATE", memberID=77, alarm="NOSPACE")
        caller.channel.unary_unary("/etcdserverpb.Maintenance/Alarm")(request.SerializeToString(), timeout=20)
        snapshot = save(source, tmp_path / "snapshot.db")
    for kind, target_type in TARGETS.items():
        target = target_type(tmp_path / kind)
        restore(target, snapshot).checked()
        with target:
            etcdctl = Etcdctl.of(target)
            assert etcdctl("alarm", "list") == "memberID:77 alarm:NOSPACE \n"
            assert "database space exceeded" in etcdctl.run("put", "a", "1").errors
            etcdctl("alarm", "disarm")
            etcdctl("put", "a", "1")


def test_damage_is_refused_by_both_tools(real_etcd: RealEtcd, tmp_path: Path) -> None:
    make_history(real_etcd, count=20)
    snapshot = save(real_etcd, tmp_path / "snapshot.db")
    data = bytearray(snapshot.read_bytes())
    data[len(data) // 2] ^= 1
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(data)
    for kind, target_type in TARGETS.items():
        target = target_type(tmp_path / f"of-{kind}")
        refused = restore(target, damaged)
        assert refused.status == 1
        assert "expected sha256" in refused.errors
    assert not (tmp_path / "of-etcdcore" / "data").exists()


def test_a_directory_of_etcdutl_is_refused_by_a_line_that_names_the_way(real_etcd: RealEtcd, tmp_path: Path) -> None:
    snapshot = save(real_etcd, tmp_path / "snapshot.db")
    ours = OurEtcd(tmp_path / "ours")
    etcdutl("snapshot", "restore", str(snapshot), *restore_flags(ours)).checked()
    ours.child.spawn()
    wait_until(lambda: not ours.child.is_running(), 60, "it ends")
    said = ours.child.log_text()
    place = f"{ours.data_dir}/member/snap/db"
    assert f"etcdcore snapshot restore --skip-hash-check {place}" in said
    restored = OurEtcd(tmp_path / "restored")
    restore(restored, Path(place), "--skip-hash-check").checked()


def test_the_tools_tell_the_new_member_alike(real_etcd: RealEtcd, tmp_path: Path) -> None:
    """Scripts take the ids from there. Flags may stand before the word."""
    snapshot = save(real_etcd, tmp_path / "snapshot.db")
    told = []
    for name, tool in (("etcdutl", etcdutl), ("etcdcore", etcdcore)):
        answer = tool("snapshot", f"--data-dir={tmp_path}/{name}", "restore", str(snapshot))
        answer.checked()
        line = next(line for line in answer.errors.splitlines() if "added member" in line)
        told.append(json.loads(line.rpartition("\t")[2]))
        assert "\trestored snapshot\t" in answer.errors
    assert told[0] == told[1]
