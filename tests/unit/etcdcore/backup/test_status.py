"""What a real etcdutl says of the same files is compared in integration/etcd/snapshot."""

from dataclasses import dataclass
from pathlib import Path

import google_crc32c
import pytest

from etcdcore.backup.snapshot_file import SnapshotRefused
from etcdcore.backup.status import FORMATS, SnapshotStatus, humanize_bytes, read_status
from etcdcore.bbolt.writer import DatabaseWriter
from etcdcore.mvcc.revision import encode_mod_field, encode_record, encode_tombstone, record_key, tombstone_key

STATUS = SnapshotStatus(0xCF1550FB, 3, 3, 24576, "3.6.0")


def record(key: bytes, revision: int) -> bytes:
    return encode_record(key, revision, encode_mod_field(revision), 1, b"v", 0)


def write(path: Path, pairs: list[tuple[bytes, bytes]]) -> None:
    with path.open("w+b") as file:
        writer = DatabaseWriter(file)
        writer.write_bucket(b"key", pairs)
        writer.write_bucket(b"meta", [(b"storageVersion", b"3.6.0")])
        writer.finish()


def test_keys_are_counted_that_live_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "snapshot.db"
    pairs = [
        (record_key(2, 0), record(b"a", 2)),
        (record_key(3, 0), record(b"b", 3)),
        (record_key(4, 0), record(b"a", 4)),
        (tombstone_key(5, 0), encode_tombstone(b"b")),
    ]
    write(path, pairs)
    status = read_status(path)
    data = b"key" + b"".join(key + value for key, value in pairs) + b"metastorageVersion3.6.0"
    assert status == SnapshotStatus(google_crc32c.value(data), 5, 1, path.stat().st_size, "3.6.0")


def test_a_digest_behind_the_pages_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "snapshot.db"
    write(path, [])
    before = read_status(path)
    path.write_bytes(path.read_bytes() + b"d" * 32)
    assert read_status(path) == before


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "snapshot.db"
    write(path, [(record_key(2, 0), record(b"a", 2))])
    path.write_bytes(path.read_bytes()[:-4096])
    with pytest.raises(SnapshotRefused, match="integrity check failed"):
        read_status(path)


def test_a_record_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "snapshot.db"
    write(path, [(b"not a revision", b"")])
    with pytest.raises(SnapshotRefused, match="expected a revision"):
        read_status(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SnapshotRefused, match="cannot open"):
        read_status(tmp_path / "none")


def test_json_is_etcdutls() -> None:
    expected = '{"hash":3474280699,"revision":3,"totalKey":3,"totalSize":24576,"version":"3.6.0"}'
    assert FORMATS["json"](STATUS) == expected


def test_simple_and_fields_are_etcdutls() -> None:
    assert FORMATS["simple"](STATUS) == "cf1550fb, 3, 3, 25 kB, 3.6.0"
    assert (
        FORMATS["fields"](STATUS)
        == '"Hash" : 3474280699\n"Revision" : 3\n"Keys" : 3\n"Size" : 24576\n"Version" : 3.6.0'
    )


@dataclass(frozen=True)
class Size:
    count: int
    text: str


@pytest.mark.parametrize(
    "size",
    [
        Size(0, "0 B"),
        Size(9, "9 B"),
        Size(10, "10 B"),
        Size(999, "999 B"),
        Size(1000, "1.0 kB"),
        Size(24576, "25 kB"),
        Size(9_949_000, "9.9 MB"),
        Size(9_960_000, "10 MB"),
        Size(2_147_483_648, "2.1 GB"),
    ],
)
def test_sizes_read_as_gos_humanize_writes_them(size: Size) -> None:
    assert humanize_bytes(size.count) == size.text
