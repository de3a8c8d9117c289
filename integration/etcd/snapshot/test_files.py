"""The files themselves: ours under bbolt's and etcd's own tools, theirs under ours."""

from __future__ import annotations

from pathlib import Path

from etcdcore.bbolt.reader import Database, FileSource
from etcdcore.bbolt.writer import DatabaseWriter
from integration.etcd.snapshot.tools import (
    bbolt,
    etcdcore,
    etcdutl,
    make_history,
    save,
)
from integration.peers.etcd import EtcdServer, RealEtcd

BUCKETS = ["alarm", "auth", "authRoles", "authUsers", "cluster", "key", "lease", "members", "members_removed", "meta"]


def test_bbolt_finds_nothing_wrong_with_a_large_file_of_ours(tmp_path: Path) -> None:
    """Three levels of branches, values over many pages, empty and inline buckets."""
    path = tmp_path / "large.db"
    with path.open("w+b") as file:
        writer = DatabaseWriter(file)
        writer.write_bucket(b"empty", [])
        writer.write_bucket(b"few", [(b"a", b"1"), (b"b", b"x" * 10_000)])
        writer.write_bucket(b"many", ((b"%010d" % number, b"v" * (number % 97)) for number in range(200_000)))
        writer.write_bucket(b"long keys", ((b"%05d" % number + b"k" * 3000, b"") for number in range(500)))
        writer.finish()
    assert bbolt("check", str(path)).checked().strip() == "OK"
    assert bbolt("buckets", str(path)).checked().split("\n")[:4] == ["empty", "few", "long keys", "many"]
    assert len(bbolt("keys", str(path), "many").checked().split()) == 200_000
    assert bbolt("get", str(path), "many", f"{199_999:010d}").checked().strip() == "v" * (199_999 % 97)
    assert bbolt("get", str(path), "few", "b").checked().strip() == "x" * 10_000
    assert "unreachable" not in bbolt("pages", str(path)).checked()


def test_bbolt_can_go_on_writing_to_a_file_of_ours(tmp_path: Path) -> None:
    """`compact` copies it by bbolt's own transactions, and all of it is there after."""
    path, copy = tmp_path / "ours.db", tmp_path / "copy.db"
    with path.open("w+b") as file:
        writer = DatabaseWriter(file)
        writer.write_bucket(b"key", ((b"%07d" % number, b"v" * 50) for number in range(20_000)))
        writer.finish()
    bbolt("compact", "-o", str(copy), str(path)).checked()
    assert read_keys(path) == read_keys(copy)


def read_keys(path: Path) -> list[tuple[bytes, bytes]]:
    with path.open("rb") as file:
        database = Database(FileSource(file))
        database.check()
        bucket = database.root.bucket(b"key")
        assert bucket is not None
        return list(bucket.pairs())


def test_a_snapshot_is_whole_for_bbolt_and_for_us(etcd: EtcdServer, tmp_path: Path) -> None:
    """One page of ours and of etcd's own writing, read by both."""
    make_history(etcd)
    path = save(etcd, tmp_path / "snapshot.db")
    assert path.stat().st_size % 512 == 32
    assert bbolt("check", str(path)).checked().strip() == "OK"
    assert bbolt("buckets", str(path)).checked().split() == BUCKETS
    with path.open("rb") as snapshot:
        database = Database(FileSource(snapshot))
        database.check()
        for name, bucket in database.root.buckets():
            keys = bbolt("keys", "--format", "hex", str(path), name.decode()).checked().split()
            assert [key.hex() for key, _ in bucket.pairs()] == keys


def test_both_tools_say_the_same_of_a_snapshot(etcd: EtcdServer, tmp_path: Path) -> None:
    make_history(etcd)
    path = save(etcd, tmp_path / "snapshot.db")
    for form in ("json", "simple", "table"):
        theirs = etcdutl("snapshot", "status", str(path), "-w", form).checked()
        assert etcdcore("snapshot", "status", str(path), "-w", form).checked() == theirs


def test_our_save_is_as_good_as_etcdctls(etcd: EtcdServer, tmp_path: Path) -> None:
    make_history(etcd, count=20)
    path = tmp_path / "ours.db"
    saved = etcdcore("snapshot", "save", str(path), "--endpoints", etcd.address)
    assert saved.checked() == f"Snapshot saved at {path}\n"
    assert not list(tmp_path.glob("*.part"))
    theirs = save(etcd, tmp_path / "theirs.db")
    ours_status = etcdutl("snapshot", "status", str(path), "-w", "json").checked()
    assert ours_status == etcdutl("snapshot", "status", str(theirs), "-w", "json").checked()


def test_our_reader_opens_the_file_of_a_running_and_of_a_stopped_etcd(real_etcd: RealEtcd) -> None:
    """With free pages and room at the end. Running, it is refused, as it changes under the reader."""
    make_history(real_etcd)
    path = real_etcd.data_dir / "member" / "snap" / "db"
    refused = etcdcore("snapshot", "status", str(path))
    assert (refused.status, "in use by a running etcd" in refused.errors) == (1, True)
    real_etcd.stop()
    theirs = etcdutl("snapshot", "status", str(path), "-w", "json").checked()
    assert etcdcore("snapshot", "status", str(path), "-w", "json").checked() == theirs
