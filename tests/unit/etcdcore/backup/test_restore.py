"""Data directories from snapshots: a member is started on each. Snapshots of a real etcd: integration/etcd/snapshot."""

import asyncio
import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from etcdcore import Command, Compaction, CoreError, DeleteRange, LeaseGrant, Member, MemberConfig, Put, Range, Txn
from etcdcore.apply.members import ClusterMember, Members, derive_cluster_id, derive_member_id
from etcdcore.backup.export import Export
from etcdcore.backup.restore import RestoreConfig, restore
from etcdcore.backup.snapshot_file import SnapshotRefused
from etcdcore.bbolt.writer import DatabaseWriter
from etcdcore.errors import RevisionCompacted
from etcdcore.mvcc.hashing import begin_hash
from etcdcore.mvcc.revision import encode_mod_field, encode_record, record_key
from etcdcore.mvcc.store import Store
from etcdcore.storage.datadir import RESTORING_NAME, DataDir
from etcdcore.storage.errors import DataDirUnusable
from etcdcore.storage.lmdb_engine import LmdbEngine
from tests.unit.etcdcore.member.fakes import decide, on_loop, quick_config, running


async def answers(member: Member, *commands: Command) -> None:
    for command in commands:
        assert not isinstance(await decide(member, command), CoreError)


async def make_snapshot(folder: Path) -> Path:
    """Of a member with a history: keys put twice, deleted, on a lease; compacted below revision 4."""
    path = folder / "snapshot.db"
    async with running(quick_config(folder / "source")) as (member, _):
        await answers(
            member,
            Put(b"a", b"1", 0),
            Put(b"a", b"2", 0),
            LeaseGrant(77, 3600),
            Put(b"b", b"leased", 77),
            DeleteRange(b"a", b""),
            Put(b"c", b"x" * 5000, 0),
            Compaction(4),
        )
        view = member.open_view()
        assert not isinstance(view, CoreError)
        with path.open("w+b") as file:
            Export(view.engine, view.index, view.term, view.conf_state, file, 0).run()
        view.engine.close()
    data = path.read_bytes()
    path.write_bytes(data + hashlib.sha256(data).digest())
    return path


def config_for(snapshot: Path, folder: Path) -> RestoreConfig:
    return RestoreConfig(snapshot, folder / "restored")


def hash_of(store: Store) -> int:
    run = begin_hash(store, 0)
    assert not isinstance(run, CoreError)
    while not run.done:
        assert run.step(1000) is None
    return run.hash


@on_loop
async def test_a_member_starts_on_it_with_every_revision_and_lease(tmp_path: Path) -> None:
    snapshot = await make_snapshot(tmp_path)
    report = await asyncio.to_thread(restore, config_for(snapshot, tmp_path))
    assert report.revision == 6
    expected = derive_member_id(["http://localhost:2380"], "etcd-cluster")
    assert (report.member_id, report.cluster_id) == (expected, derive_cluster_id([expected]))
    for _ in range(2):
        async with running(quick_config(tmp_path / "restored")) as (member, _):
            assert member.member_id == expected
            assert member.cluster_id == report.cluster_id
            assert not member.recovery_report.is_new
            assert (member.revision() >= 6, member.compacted_revision()) == (True, 4)
            assert isinstance(member.range(Range(b"a", b"", revision=3)), RevisionCompacted)
            found = member.range(Range(b"a", b"\0", revision=6))
            assert not isinstance(found, CoreError)
            assert [(pair.key, pair.mod_revision, pair.lease) for pair in found.kvs] == [(b"b", 4, 77), (b"c", 6, 0)]
            assert member.lease_time_to_live(77)[1] == 3600
            await answers(member, Put(b"after", b"", 0))
    engine = LmdbEngine(str(tmp_path / "restored" / "member" / "db"))
    founder = ClusterMember(expected, "default", ["http://localhost:2380"], (), False)
    assert Members(engine, None).listed() == [founder]
    engine.close()


@on_loop
async def test_the_hash_is_that_of_the_source_also_with_a_raised_revision(tmp_path: Path) -> None:
    snapshot = await make_snapshot(tmp_path)
    plain = config_for(snapshot, tmp_path)
    raised = replace(plain, data_dir=tmp_path / "raised", bump_revision=1000, mark_compacted=True)
    await asyncio.to_thread(restore, plain)
    report = await asyncio.to_thread(restore, raised)
    assert report.revision == 1006
    async with running(quick_config(tmp_path / "restored")) as (member, _):
        restored_hash = hash_of(member.store)
    async with running(quick_config(tmp_path / "source")) as (member, _):
        assert hash_of(member.store) == restored_hash
    for _ in range(2):
        async with running(quick_config(tmp_path / "raised")) as (member, _):
            assert (member.revision(), member.compacted_revision()) == (1006, 1006)
            hash_of(member.store)
            assert isinstance(member.range(Range(b"b", b"", revision=1005)), RevisionCompacted)
            found = member.range(Range(b"\0", b"\0"))
            assert not isinstance(found, CoreError)
            assert [pair.key for pair in found.kvs] == [b"b", b"c"]
            member.store.check_invariants()


@on_loop
async def test_a_raised_revision_can_be_raised_again(tmp_path: Path) -> None:
    snapshot = await make_snapshot(tmp_path)
    first = replace(config_for(snapshot, tmp_path), bump_revision=10, mark_compacted=True)
    await asyncio.to_thread(restore, first)
    async with running(quick_config(tmp_path / "restored")) as (member, _):
        view = member.open_view()
        assert not isinstance(view, CoreError)
        with (tmp_path / "second.db").open("w+b") as file:
            Export(view.engine, view.index, view.term, view.conf_state, file, 0).run()
    second = replace(first, snapshot_path=tmp_path / "second.db", data_dir=tmp_path / "again", skip_hash_check=True)
    assert (await asyncio.to_thread(restore, second)).revision == 26
    async with running(quick_config(tmp_path / "again")) as (member, _):
        assert member.revision() == 26
        await answers(member, Txn([], [Put(b"d", b"", 0)], []))
        member.store.check_invariants()


@on_loop
async def test_a_wrong_or_missing_digest_is_refused_unless_it_is_not_asked_for(tmp_path: Path) -> None:
    snapshot = await make_snapshot(tmp_path)
    data = bytearray(await asyncio.to_thread(snapshot.read_bytes))
    config = config_for(snapshot, tmp_path)
    data[-1] ^= 1
    await asyncio.to_thread(snapshot.write_bytes, data)
    with pytest.raises(SnapshotRefused, match="expected sha256"):
        restore(config)
    await asyncio.to_thread(snapshot.write_bytes, data[:-32])
    with pytest.raises(SnapshotRefused, match="missing hash"):
        restore(config)
    assert not _exists(tmp_path / "restored")
    restore(replace(config, skip_hash_check=True))


def _exists(path: Path) -> bool:
    return path.exists()


@on_loop
async def test_a_directory_with_anything_in_it_is_refused_and_left_alone(tmp_path: Path) -> None:
    snapshot = await make_snapshot(tmp_path)
    (tmp_path / "restored").mkdir()
    restore(config_for(snapshot, tmp_path))
    with pytest.raises(SnapshotRefused, match="not empty"):
        restore(config_for(snapshot, tmp_path))
    async with running(quick_config(tmp_path / "restored")) as (member, _):
        assert member.revision() == 6


def write_snapshot(path: Path, buckets: dict[bytes, list[tuple[bytes, bytes]]]) -> None:
    with path.open("w+b") as file:
        writer = DatabaseWriter(file)
        for name, pairs in buckets.items():
            writer.write_bucket(name, pairs)
        writer.finish()


@pytest.mark.parametrize(
    "buckets",
    [
        {},
        {b"key": []},
        {b"key": [(b"k", b"no revision")], b"meta": []},
        {b"key": [(record_key(2, 0), b"no record")], b"meta": []},
        {b"key": [], b"meta": [], b"lease": [(b"l" * 600, b"longer than a key of ours can be")]},
    ],
    ids=["nothing", "no meta", "no revision", "no record", "long key"],
)
def test_a_file_that_is_no_store_is_refused_and_nothing_is_left(
    tmp_path: Path, buckets: dict[bytes, list[tuple[bytes, bytes]]]
) -> None:
    snapshot = tmp_path / "snapshot.db"
    write_snapshot(snapshot, buckets)
    with pytest.raises(SnapshotRefused):
        restore(replace(config_for(snapshot, tmp_path), skip_hash_check=True))
    assert list(tmp_path.iterdir()) == [snapshot]


@on_loop
async def test_keys_of_a_lease_that_is_gone_are_keys_without_one(tmp_path: Path) -> None:
    """A real etcd passes them over as well."""
    snapshot = tmp_path / "snapshot.db"
    record = encode_record(b"k", 2, encode_mod_field(2), 1, b"v", 404)
    write_snapshot(snapshot, {b"key": [(record_key(2, 0), record)], b"meta": []})
    restore(replace(config_for(snapshot, tmp_path), skip_hash_check=True))
    async with running(quick_config(tmp_path / "restored")) as (member, _):
        await answers(member, Put(b"k", b"w", 0), DeleteRange(b"k", b""))


@pytest.mark.parametrize(
    ("config", "text"),
    [
        (RestoreConfig(Path("s"), name="n"), "couldn't find local name"),
        (RestoreConfig(Path("s"), initial_cluster="nonsense"), "expected name=URL"),
        (RestoreConfig(Path("s"), initial_cluster="default=http://a:1"), "--initial-advertise-peer-urls"),
        (RestoreConfig(Path("s"), bump_revision=1), "--mark-compacted"),
        (RestoreConfig(Path("s"), mark_compacted=True), "--mark-compacted"),
        (RestoreConfig(Path("s"), initial_cluster="default=http://localhost:2380,b=http://b:1"), "clusters of one"),
    ],
)
def test_settings_that_no_member_could_have_are_refused_first(config: RestoreConfig, text: str) -> None:
    with pytest.raises(SnapshotRefused, match=text):
        restore(config)


def test_a_member_does_not_start_empty_where_a_restore_broke_off(tmp_path: Path) -> None:
    DataDir.open(tmp_path / RESTORING_NAME).close()
    with pytest.raises(DataDirUnusable, match="has not finished"):
        Member.open(MemberConfig(tmp_path))
