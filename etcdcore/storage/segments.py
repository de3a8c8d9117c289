"""The files of the log: their names, their reservation ahead of need, and writing to the one in use.

name: sequence (16 hex digits) `-` first log index (16) `-` salt (8) `.wal`; `*.tmp` is a reservation, worth nothing
The first index is that of the first entry that may be in it; the salt is random and seeds the checksums.

A new segment is room that the file system has promised: writing into it changes the file system's own records, and each
sync then waits for its journal, with all that others wrote meanwhile: now and then for 100 ms and more. So a segment
that is not needed any more is filled with zeros and becomes the next one: its blocks are its own already.

Invariants:
1. A segment gets its name only after everything in the segments before it is on the disk, and the name is durable
   before anything in the segment counts as durable.
2. Bytes behind the last record are zeros: a cut tail is truncated away, never overwritten, and the zeros of a recycled
   segment are on the disk before it is used again.
"""

import errno
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, final
from zlib import crc32

from etcdcore.storage.errors import DiskFull, WalCorrupted, WalWriteFailed
from etcdcore.storage.file_ops import FileOps
from etcdcore.types import LogIndex

SEGMENT_BYTES: Final = 64 << 20
RECYCLING_ROOM: Final = 4
"""With less room than for so many segments on the disk, none is kept to be used again."""
TEMPORARY_SUFFIX: Final = ".tmp"
_SPARE_NAME: Final = "spare" + TEMPORARY_SUFFIX
_RECYCLED_NAME: Final = "recycled" + TEMPORARY_SUFFIX
_NAME: Final = re.compile(r"([0-9a-f]{16})-([0-9a-f]{16})-([0-9a-f]{8})\.wal")
_NO_ROOM: Final[tuple[int, ...]] = (errno.ENOSPC, errno.EDQUOT)


def is_no_room(error: OSError) -> bool:
    return error.errno in _NO_ROOM


@final
class SegmentName:
    __slots__ = ("first_index", "salt", "sequence", "text")

    def __init__(self, sequence: int, first_index: LogIndex, salt: int) -> None:
        self.sequence: Final = sequence
        self.first_index: Final = first_index
        self.salt: Final = salt
        self.text: Final = f"{sequence:016x}-{first_index:016x}-{salt:08x}.wal"

    @property
    def seed(self) -> int:
        """What the checksums of this segment start from; see wal_records I2."""
        return crc32(self.text.encode())


def new_salt() -> int:
    return int.from_bytes(os.urandom(4), "little")


def list_segments(file_ops: FileOps, directory: Path) -> list[SegmentName]:
    """The segments in order. Raises WalCorrupted if one in between is missing or a name is not ours."""
    segments: list[SegmentName] = []
    for text in file_ops.list_names(directory):
        if text.endswith(TEMPORARY_SUFFIX):
            continue
        match = _NAME.fullmatch(text)
        if match is None:
            raise WalCorrupted(directory / text, 0, "this is no name of a log segment")
        name = SegmentName(int(match[1], 16), LogIndex(int(match[2], 16)), int(match[3], 16))
        if segments and name.sequence != segments[-1].sequence + 1:
            expected = segments[-1].sequence + 1
            raise WalCorrupted(directory / text, 0, f"segment {expected:#x} before it is missing or doubled")
        segments.append(name)
    return segments


def position_of(segments: Sequence[SegmentName], first_wanted: LogIndex) -> int:
    """Where reading must begin to see every entry from `first_wanted` on; -1 if that part of the log was dropped.

    From the back, because an overwritten tail makes a later segment begin at a lower index: what lies before the last
    segment that begins low enough is either older or overwritten in it.
    """
    for position in range(len(segments) - 1, -1, -1):
        if segments[position].first_index <= first_wanted:
            return position
    return -1


@final
class SegmentWrite:
    """Bytes for one segment, in one write. If the segment is not the one in use, it is started first."""

    __slots__ = ("name", "offset", "parts")

    def __init__(self, name: SegmentName, offset: int) -> None:
        self.name: Final = name
        self.offset: Final = offset
        self.parts: Final[list[bytes]] = []


@final
class SegmentFiles:
    """The open segment and the spare one; used by one thread at a time, the writer's. Only `drop` may run beside it."""

    __slots__ = (
        "_allocated",
        "_descriptor",
        "_directory",
        "_file_ops",
        "_has_recycled",
        "_has_spare",
        "_name",
        "_segment_bytes",
    )

    def __init__(
        self,
        directory: Path,
        file_ops: FileOps,
        segment_bytes: int,
        name: SegmentName,
        descriptor: int,
        allocated: int,
    ) -> None:
        self._directory: Final = directory
        self._file_ops: Final = file_ops
        self._segment_bytes: Final = segment_bytes
        self._name = name
        self._descriptor = descriptor
        self._allocated = allocated
        self._has_spare = False
        self._has_recycled = False
        """`drop` alone makes it true, the writer's thread alone makes it false."""

    @property
    def has_spare(self) -> bool:
        return self._has_spare

    @property
    def path(self) -> Path:
        return self._directory / self._name.text

    def write(self, write: SegmentWrite, data: bytes) -> None:
        """Puts the bytes on the disk. Raises DiskFull, after which it can be tried again, or WalWriteFailed."""
        if write.name.text != self._name.text:
            self._start(write.name)
        end = write.offset + len(data)
        try:
            if end > self._allocated:
                target = max(end, self._segment_bytes)
                self._file_ops.allocate(self._descriptor, self._allocated, target - self._allocated)
                self._allocated = target
            self._file_ops.write_synced(self._descriptor, data, write.offset)
        except OSError as error:
            if not is_no_room(error):
                raise WalWriteFailed(self.path, str(error)) from error
            self._cut(write.offset)
            raise DiskFull(self.path, len(data), blocked=True) from error

    def reserve_spare(self) -> None:
        """Prepares the next segment. Raises DiskFull or WalWriteFailed."""
        path = self._directory / _SPARE_NAME
        try:
            if self._has_recycled:
                self._file_ops.rename(self._directory / _RECYCLED_NAME, path)
                self._has_recycled = False  # not before: `drop` may put the next one there at once
                self._has_spare = True
                return
            descriptor = self._file_ops.create(path)
            try:
                self._file_ops.allocate(descriptor, 0, self._segment_bytes)
                self._file_ops.sync(descriptor)
            finally:
                self._file_ops.close(descriptor)
        except OSError as error:
            if not is_no_room(error):
                raise WalWriteFailed(path, str(error)) from error
            self._drop_reserved(path)
            raise DiskFull(path, self._segment_bytes, blocked=False) from error
        self._has_spare = True

    def drop(self, names: Sequence[SegmentName]) -> None:
        """Removes segments, the oldest first, so that a crash in between leaves no hole, and recycles one of them.

        None where room is scarce: what the segment takes may be what others wait for. Raises WalWriteFailed.
        """
        recycled = self._directory / _RECYCLED_NAME
        is_recycling = False
        try:
            may_recycle = (
                not self._has_recycled
                and self._file_ops.free_bytes(self._directory) >= self._segment_bytes * RECYCLING_ROOM
            )
            for name in names:
                path = self._directory / name.text
                try:
                    if may_recycle and not is_recycling and self._file_ops.size(path) == self._segment_bytes:
                        self._file_ops.rename(path, recycled)
                        is_recycling = True
                    else:
                        self._file_ops.unlink(path)
                except FileNotFoundError:
                    continue  # somebody made room by hand; it was to go anyway
            self._file_ops.sync_directory(self._directory)
            if is_recycling:
                self._clear(recycled)
        except OSError as error:
            raise WalWriteFailed(self._directory, str(error)) from error

    def _clear(self, recycled: Path) -> None:
        try:
            self._file_ops.clear(recycled)
        except OSError as error:
            if not is_no_room(error):
                raise
            # A file system that writes nothing in place: here a new segment is as good.
            self._file_ops.unlink(recycled)
            return
        self._has_recycled = True

    def close(self) -> None:
        if self._has_spare:
            self._has_spare = False
            self._drop_reserved(self._directory / _SPARE_NAME)
        if self._has_recycled:
            self._has_recycled = False
            self._drop_reserved(self._directory / _RECYCLED_NAME)
        self._file_ops.close(self._descriptor)

    def _start(self, name: SegmentName) -> None:
        if not self._has_spare:
            try:
                self.reserve_spare()
            except DiskFull as full:
                raise DiskFull(self._directory / name.text, full.needed_bytes, blocked=True) from full
        path = self._directory / name.text
        try:
            self._file_ops.rename(self._directory / _SPARE_NAME, path)
            self._file_ops.sync_directory(self._directory)  # I1
            descriptor = self._file_ops.open(path)
            self._file_ops.close(self._descriptor)
        except OSError as error:
            raise WalWriteFailed(path, str(error)) from error
        self._has_spare = False
        self._name = name
        self._descriptor = descriptor
        self._allocated = self._segment_bytes

    def _cut(self, offset: int) -> None:
        """Takes back a write that may have happened in part, so that a restart meanwhile finds no torn tail."""
        try:
            self._file_ops.truncate(self._descriptor, offset)
        except OSError as error:
            raise WalWriteFailed(self.path, str(error)) from error
        self._allocated = offset

    def _drop_reserved(self, path: Path) -> None:
        try:
            self._file_ops.unlink(path)
        except FileNotFoundError:
            return
        except OSError as error:
            raise WalWriteFailed(path, str(error)) from error
