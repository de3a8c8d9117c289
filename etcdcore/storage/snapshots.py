"""Snapshot markers: which log position a snapshot of the store stands for, and the configuration there.

name: term (16 hex digits) `-` log index (16) `.snap`
file: magic 8 bytes | crc u32 | length u32 | encoded SnapshotMeta, integers little-endian; crc of the meta
The state itself is in the engine's file, which carries its own applied index.

Invariants:
1. A file has its name only when it is complete and on the disk.
2. Saving never touches an older marker before the new one is durable.
"""

import re
import struct
from collections.abc import Collection
from pathlib import Path
from typing import Final, final
from zlib import crc32

from etcdcore.errors import DecodeError
from etcdcore.raft.messages import SnapshotMeta, decode_snapshot_meta, encode_snapshot_meta
from etcdcore.storage.errors import SnapshotUnreadable
from etcdcore.storage.file_ops import FileOps, OsFileOps

RETAINED_MAX: Final = 3
_MAGIC: Final = b"ecsnap01"
_HEADER: Final = struct.Struct("<8sII")
_NAME: Final = re.compile(r"([0-9a-f]{16})-([0-9a-f]{16})\.snap")
_TEMPORARY: Final = "marker.tmp"


@final
class SnapshotStore:
    """The snapshot markers of one member. Raises OSError as it comes."""

    __slots__ = ("_directory", "_file_ops")

    def __init__(self, directory: Path, file_ops: FileOps | None = None) -> None:
        self._directory: Final = directory
        self._file_ops: Final = OsFileOps() if file_ops is None else file_ops
        self._file_ops.make_directory(directory)

    def save(self, meta: SnapshotMeta) -> Path:
        """Writes the marker durably, then drops the oldest past RETAINED_MAX. Returns its path."""
        ops = self._file_ops
        path = self._directory / f"{meta.term:016x}-{meta.index:016x}.snap"
        temporary = self._directory / _TEMPORARY
        body = encode_snapshot_meta(meta)
        descriptor = ops.create(temporary)
        try:
            ops.write(descriptor, _HEADER.pack(_MAGIC, crc32(body), len(body)) + body, 0)
            ops.sync(descriptor)
        finally:
            ops.close(descriptor)
        ops.rename(temporary, path)
        ops.sync_directory(self._directory)
        for old in self._names()[RETAINED_MAX:]:
            ops.unlink(self._directory / old)
        return path

    def load_newest(
        self, known: Collection[tuple[int, int]] | None = None
    ) -> tuple[SnapshotMeta | None, list[SnapshotUnreadable]]:
        """The newest marker that can be read, and the newer ones that cannot.

        `known`: pairs of index and term that the log confirms; a marker that is not among them is passed over, as its
        save had not been completed.
        """
        unreadable: list[SnapshotUnreadable] = []
        for text in self._names():
            try:
                meta = self._read(text)
            except SnapshotUnreadable as error:
                unreadable.append(error)
                continue
            if known is None or (meta.index, meta.term) in known:
                return meta, unreadable
        return None, unreadable

    def _names(self) -> list[str]:
        """Newest first: terms never fall along a log, so ordering by term and then index is ordering by both."""
        return [text for text in reversed(self._file_ops.list_names(self._directory)) if _NAME.fullmatch(text)]

    def _read(self, text: str) -> SnapshotMeta:
        path = self._directory / text
        data = self._file_ops.read(path)
        if len(data) < _HEADER.size:
            raise SnapshotUnreadable(path, f"expected {_HEADER.size} bytes at least, found {len(data)}")
        magic, crc, length = _HEADER.unpack_from(data)
        body = data[_HEADER.size :]
        if magic != _MAGIC:
            raise SnapshotUnreadable(path, f"expected {_MAGIC!r} at the start, found {magic!r}")
        if len(body) != length:
            raise SnapshotUnreadable(path, f"expected {length} bytes, found {len(body)}")
        if crc32(body) != crc:
            raise SnapshotUnreadable(path, "the checksum is wrong")
        try:
            meta = decode_snapshot_meta(body)
        except DecodeError as error:
            raise SnapshotUnreadable(path, str(error)) from error
        if f"{meta.term:016x}-{meta.index:016x}.snap" != text:
            raise SnapshotUnreadable(path, f"it is the marker of index {meta.index} in term {meta.term}")
        return meta
