"""What a snapshot holds, as `etcdutl snapshot status` says it: the same hash, numbers and texts.

The hash is CRC-32C over every bucket's name, keys and values in order. Keys are counted as etcdutl does: those whose
last record is no tombstone. Source: etcd etcdutl/snapshot/v3_snapshot.go, etcdutl/etcdutl/printer.go.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import google_crc32c

from etcdcore.backup.schema import STORAGE_VERSION_NAME
from etcdcore.backup.snapshot_file import SnapshotRefused, open_snapshot
from etcdcore.bbolt.layout import BboltCorrupt
from etcdcore.bbolt.reader import Database, FileSource
from etcdcore.errors import EngineCorrupt
from etcdcore.mvcc.engine import KEY, META, TABLE_NAMES
from etcdcore.mvcc.revision import decode_record, decode_record_key

_UNITS: Final = ("B", "kB", "MB", "GB", "TB", "PB", "EB")
_UNIT: Final = 1000
_DECIMAL_BELOW: Final = 10


@dataclass(frozen=True, slots=True)
class SnapshotStatus:
    """`total_bytes` is that of the pages, without the digest; `version` is empty for servers before 3.6."""

    hash: int
    revision: int
    key_count: int
    total_bytes: int
    version: str


def read_status(path: Path) -> SnapshotStatus:
    """Raises SnapshotRefused, also for a damaged file."""
    with open_snapshot(path) as file:
        try:
            return _read(file)
        except (BboltCorrupt, EngineCorrupt) as error:
            raise SnapshotRefused(f"snapshot file integrity check failed: {error}") from error


def _read(file: BinaryIO) -> SnapshotStatus:
    database = Database(FileSource(file))
    database.check()
    crc = 0
    revision = 0
    version = ""
    live: set[bytes] = set()
    for name, bucket in database.root.buckets():
        crc = google_crc32c.extend(crc, name)
        for key, value in bucket.pairs():
            crc = google_crc32c.extend(crc, key + value)
            if name == TABLE_NAMES[KEY]:
                revision, _, is_tombstone = decode_record_key(key)
                changed = decode_record(value).key
                if is_tombstone:
                    live.discard(changed)
                else:
                    live.add(changed)
            elif name == TABLE_NAMES[META] and key == STORAGE_VERSION_NAME:
                version = value.decode(errors="replace")
    return SnapshotStatus(crc, revision, len(live), database.size, version)


def format_json(status: SnapshotStatus) -> str:
    return json.dumps(
        {
            "hash": status.hash,
            "revision": status.revision,
            "totalKey": status.key_count,
            "totalSize": status.total_bytes,
            "version": status.version,
        },
        separators=(",", ":"),
    )


def format_simple(status: SnapshotStatus) -> str:
    return ", ".join(_cells(status))


def format_fields(status: SnapshotStatus) -> str:
    lines = (
        ("Hash", status.hash),
        ("Revision", status.revision),
        ("Keys", status.key_count),
        ("Size", status.total_bytes),
        ("Version", status.version),
    )
    return "\n".join([f'"{name}" : {value}' for name, value in lines])


def format_table(status: SnapshotStatus) -> str:
    header = ["HASH", "REVISION", "TOTAL KEYS", "TOTAL SIZE", "VERSION"]
    cells = _cells(status)
    widths = [max(len(title), len(cell)) for title, cell in zip(header, cells, strict=True)]
    rule = "+" + "+".join("-" * (width + 2) for width in widths) + "+"
    titles = "|" + "|".join(f" {title:^{width}} " for title, width in zip(header, widths, strict=True)) + "|"
    row = "|" + "|".join(f" {cell:>{width}} " for cell, width in zip(cells, widths, strict=True)) + "|"
    return "\n".join([rule, titles, rule, row, rule])


FORMATS: Final[dict[str, Callable[[SnapshotStatus], str]]] = {
    "simple": format_simple,
    "json": format_json,
    "table": format_table,
    "fields": format_fields,
}


def _cells(status: SnapshotStatus) -> list[str]:
    return [
        f"{status.hash:x}",
        str(status.revision),
        str(status.key_count),
        humanize_bytes(status.total_bytes),
        status.version,
    ]


def humanize_bytes(count: int) -> str:
    """As Go's humanize.Bytes: powers of 1000, one decimal below ten."""
    if count < _DECIMAL_BELOW:
        return f"{count} B"
    number = float(count)
    exponent = 0
    while number >= _UNIT and exponent < len(_UNITS) - 1:
        number /= _UNIT
        exponent += 1
    number = int(number * 10 + 0.5) / 10
    return f"{number:.1f} {_UNITS[exponent]}" if number < _DECIMAL_BELOW else f"{number:.0f} {_UNITS[exponent]}"
