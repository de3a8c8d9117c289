"""The write-ahead log: creating it, reading it back, and turning records into bytes for its writer.

segment: crc (format version) | metadata | hard state, if there is one | entries, hard states, snapshot markers ...

Example: segments of 1 MiB, entries 1 to 900 in segment 0, 901 to 1700 in segment 1. A snapshot at 1000: segment 0 is
dropped, the log opens with `after_index=1000` and gives entries 1001 to 1700, metadata and hard state from segment 1.

Invariants:
1. Entries read back have consecutive indexes; one that comes again replaces it and all behind it (Raft paper §5.3).
2. Only the last segment may be torn, and only behind its metadata; all else that is damaged is refused.
3. What `open` returns is on the disk, though the process that wrote it may have died before its sync.
"""

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Final, final

from etcdcore.errors import DecodeError
from etcdcore.raft.messages import (
    Entry,
    HardState,
    SnapshotMeta,
    decode_entry,
    decode_hard_state,
    decode_snapshot_meta,
    encode_entry,
    encode_hard_state,
    encode_snapshot_meta,
)
from etcdcore.storage.errors import WalCorrupted, WalWriteFailed
from etcdcore.storage.file_ops import FileOps, OsFileOps
from etcdcore.storage.segments import (
    SEGMENT_BYTES,
    TEMPORARY_SUFFIX,
    SegmentFiles,
    SegmentName,
    SegmentWrite,
    list_segments,
    new_salt,
    position_of,
)
from etcdcore.storage.wal_records import (
    CRC,
    ENTRY,
    HARD_STATE,
    HEADER_BYTES,
    METADATA,
    SNAPSHOT,
    SNAPSHOT_INSTALLED,
    STARTS_GROUP,
    Record,
    RecordChain,
    SegmentScan,
    find_corruption,
    scan_segment,
)
from etcdcore.types import LogIndex

FORMAT_VERSION: Final = 1
_VERSION: Final = struct.Struct("<I")


@final
class TornTail:
    """A write that never finished was cut from the end of the log: it had been acknowledged to nobody."""

    __slots__ = ("dropped_bytes", "offset", "path")

    def __init__(self, path: Path, offset: int, dropped_bytes: int) -> None:
        self.path: Final = path
        self.offset: Final = offset
        self.dropped_bytes: Final = dropped_bytes

    def __repr__(self) -> str:
        return f"TornTail({str(self.path)!r}, offset={self.offset}, dropped_bytes={self.dropped_bytes})"


@final
class WalContents:
    """What the log held behind `after_index`; the hard state and the markers are all that was read."""

    __slots__ = ("entries", "hard_state", "metadata", "snapshot_markers", "torn_tail")

    def __init__(self, metadata: bytes) -> None:
        self.metadata: Final = metadata
        self.hard_state: HardState | None = None
        self.entries: Final[list[Entry]] = []
        self.snapshot_markers: Final[list[SnapshotMeta]] = []
        self.torn_tail: TornTail | None = None


@final
class WalGroup:
    """What one round of the writer brings to the disk. The writer thread has it alone once it was taken."""

    __slots__ = ("byte_count", "drops", "must_sync", "token", "writes")

    def __init__(self) -> None:
        self.writes: Final[list[SegmentWrite]] = []
        self.drops: Final[list[SegmentName]] = []
        self.token: int | None = None
        self.must_sync = False
        self.byte_count = 0


@final
class Wal:
    """The log's end: which segment, where in it, chained to what. Encodes; only `SegmentFiles` writes."""

    __slots__ = (
        "_chain",
        "_hard_state",
        "_last_index",
        "_metadata",
        "_segments",
        "directory",
        "files",
        "segment_bytes",
    )

    def __init__(
        self,
        directory: Path,
        segment_bytes: int,
        metadata: bytes,
        hard_state: bytes | None,
        last_index: LogIndex,
        segments: list[SegmentName],
        chain: RecordChain,
        files: SegmentFiles,
    ) -> None:
        self.directory: Final = directory
        self.segment_bytes: Final = segment_bytes
        self.files: Final = files
        self._metadata: Final = metadata
        self._hard_state = hard_state
        self._last_index = last_index
        self._segments: Final = segments
        self._chain = chain

    @classmethod
    def create(
        cls,
        directory: Path,
        metadata: bytes,
        segment_bytes: int = SEGMENT_BYTES,
        file_ops: FileOps | None = None,
    ) -> "Wal":
        """A new log in `directory`, which is made unless it is there, and must hold no segment.

        Raises WalWriteFailed; on a full disk as well, as there is nothing yet that could wait.
        """
        ops = OsFileOps() if file_ops is None else file_ops
        name = SegmentName(0, LogIndex(1), new_salt())
        chain = RecordChain(name.seed, 0, 0)
        parts: list[bytes] = []
        _encode_head(parts, chain, metadata, None)
        path = directory / name.text
        temporary = directory / (name.text + TEMPORARY_SUFFIX)
        try:
            ops.make_directory(directory)
            ops.sync_directory(directory.parent)
            assert not list_segments(ops, directory), f"{directory} holds a log"
            _remove_temporaries(ops, directory)
            descriptor = ops.create(temporary)
            ops.allocate(descriptor, 0, segment_bytes)
            ops.write_synced(descriptor, b"".join(parts), 0)
            # Only a complete first segment gets its name: the metadata in it must never be torn (I2).
            ops.rename(temporary, path)
            ops.sync_directory(directory)
        except OSError as error:
            raise WalWriteFailed(path, str(error)) from error
        files = SegmentFiles(directory, ops, segment_bytes, name, descriptor, segment_bytes)
        return cls(directory, segment_bytes, metadata, None, LogIndex(0), [name], chain, files)

    @classmethod
    def exists(cls, directory: Path, file_ops: FileOps | None = None) -> bool:
        ops = OsFileOps() if file_ops is None else file_ops
        return ops.exists(directory) and bool(list_segments(ops, directory))

    @classmethod
    def open(
        cls,
        directory: Path,
        after_index: LogIndex,
        segment_bytes: int = SEGMENT_BYTES,
        file_ops: FileOps | None = None,
    ) -> tuple["Wal", WalContents]:
        """Reads the entries behind `after_index` (the snapshot's index, 0 without one) and prepares to append.

        A torn tail is cut and reported in the contents. Raises WalCorrupted, which names file and offset, and
        WalWriteFailed if the tail cannot be brought to the disk. A full disk does not hinder opening.
        """
        ops = OsFileOps() if file_ops is None else file_ops
        _remove_temporaries(ops, directory)
        return _WalReader(directory, ops, segment_bytes).open(after_index)

    @property
    def last_index(self) -> LogIndex:
        return self._last_index

    def encode_entries(self, group: WalGroup, entries: Sequence[Entry]) -> None:
        for entry in entries:
            assert entry.index <= self._last_index + 1, (entry.index, self._last_index)  # I1
            self._encode(group, ENTRY, encode_entry(entry))
            self._last_index = entry.index

    def encode_hard_state(self, group: WalGroup, hard_state: HardState) -> None:
        body = encode_hard_state(hard_state)
        self._encode(group, HARD_STATE, body)
        self._hard_state = body

    def encode_snapshot_marker(self, group: WalGroup, meta: SnapshotMeta, is_installed: bool) -> None:
        """`is_installed`: the snapshot replaces the log, whatever it holds; else it is of the log's own entries."""
        self._encode(group, SNAPSHOT_INSTALLED if is_installed else SNAPSHOT, encode_snapshot_meta(meta))
        if is_installed:
            self._last_index = meta.index

    def release_before(self, group: WalGroup, index: LogIndex) -> None:
        """Takes the segments that hold no entry from `index` on out of the log, to be removed behind the group."""
        position = position_of(self._segments, index)
        if position > 0:
            group.drops.extend(self._segments[:position])
            del self._segments[:position]

    def _encode(self, group: WalGroup, kind: int, body: bytes) -> None:
        chain = self._chain
        need = HEADER_BYTES + len(body)
        if chain.offset + need > self.segment_bytes:
            # A record that is larger than a whole segment makes its own one longer.
            self._start_segment(group)
            chain = self._chain
        if group.writes:
            write = group.writes[-1]
        else:
            write = SegmentWrite(self._segments[-1], chain.offset)
            group.writes.append(write)
        chain.encode(write.parts, kind, 0 if write.parts else STARTS_GROUP, body)
        group.byte_count += need

    def _start_segment(self, group: WalGroup) -> None:
        before = self._segments[-1]
        name = SegmentName(before.sequence + 1, LogIndex(self._last_index + 1), new_salt())
        self._segments.append(name)
        self._chain = RecordChain(name.seed, 0, self._chain.crc)
        write = SegmentWrite(name, 0)
        _encode_head(write.parts, self._chain, self._metadata, self._hard_state)
        group.writes.append(write)
        group.byte_count += self._chain.offset


def _encode_head(parts: list[bytes], chain: RecordChain, metadata: bytes, hard_state: bytes | None) -> None:
    chain.encode(parts, CRC, STARTS_GROUP, _VERSION.pack(FORMAT_VERSION))
    chain.encode(parts, METADATA, 0, metadata)
    if hard_state is not None:
        chain.encode(parts, HARD_STATE, 0, hard_state)


def _remove_temporaries(ops: FileOps, directory: Path) -> None:
    for text in ops.list_names(directory):
        if text.endswith(TEMPORARY_SUFFIX):
            ops.unlink(directory / text)


@final
class _WalReader:
    """Opens one log, once."""

    __slots__ = ("_directory", "_ops", "_segment_bytes", "_torn_tail")

    def __init__(self, directory: Path, ops: FileOps, segment_bytes: int) -> None:
        self._directory: Final = directory
        self._ops: Final = ops
        self._segment_bytes: Final = segment_bytes
        self._torn_tail: TornTail | None = None

    def open(self, after_index: LogIndex) -> tuple[Wal, WalContents]:
        segments = list_segments(self._ops, self._directory)
        if not segments:
            raise WalCorrupted(self._directory, 0, "there is no log segment")
        tail, tail_length = self._read_tail(segments)
        position = position_of(segments, LogIndex(after_index + 1))
        if position < 0:
            reason = f"entry {after_index + 1} is needed, the log begins at {segments[0].first_index}"
            raise WalCorrupted(self._directory / segments[0].text, 0, reason)
        scans = [self._read_full(name)[0] for name in segments[position:-1]]
        scans.append(tail)
        self._check_chain(segments[position:], scans)
        contents = WalContents(scans[0].records[1].body)
        contents.torn_tail = self._torn_tail
        last_index = LogIndex(segments[position].first_index - 1)
        for name, scan in zip(segments[position:], scans, strict=True):
            last_index = self._collect(name, scan, contents, after_index, last_index)
        files = self._open_tail(segments[-1], tail, tail_length)
        state = None if contents.hard_state is None else encode_hard_state(contents.hard_state)
        chain = RecordChain(segments[-1].seed, tail.end, tail.records[-1].crc)
        wal = Wal(self._directory, self._segment_bytes, contents.metadata, state, last_index, segments, chain, files)
        return wal, contents

    def _read_tail(self, segments: list[SegmentName]) -> tuple[SegmentScan, int]:
        """The last segment's scan and its file's length; one whose start never got written is taken off `segments`."""
        name = segments[-1]
        path = self._directory / name.text
        data = self._ops.read(path)
        scan = scan_segment(data, name.seed)
        if not scan.is_clean:
            reason = find_corruption(data, name.seed, scan)
            if reason is not None:
                raise WalCorrupted(path, scan.end, reason)
            self._torn_tail = TornTail(path, scan.end, scan.used_end - scan.end)
        if len(scan.records) >= 2:
            return scan, len(data)
        # The crash came while the segment was started. Its predecessor was durable by then (segments I1) and is the
        # tail again; without one this is the first segment, which was complete before it got its name.
        if len(segments) == 1:
            raise WalCorrupted(path, scan.end, "the start of the only segment is damaged")
        self._ops.unlink(path)
        self._ops.sync_directory(self._directory)
        segments.pop()
        return self._read_full(segments[-1])

    def _read_full(self, name: SegmentName) -> tuple[SegmentScan, int]:
        """A segment that others follow, all of which had been durable, and its file's length."""
        data = self._ops.read(self._directory / name.text)
        scan = scan_segment(data, name.seed)
        if not scan.is_clean or len(scan.records) < 2:
            raise WalCorrupted(self._directory / name.text, scan.end, "the record is damaged, and a segment follows")
        return scan, len(data)

    def _check_chain(self, names: Sequence[SegmentName], scans: Sequence[SegmentScan]) -> None:
        for position in range(1, len(scans)):
            if scans[position].records[0].previous != scans[position - 1].records[-1].crc:
                before = scans[position - 1]
                path = self._directory / names[position - 1].text
                raise WalCorrupted(path, before.end, "records at the end of the segment are missing")

    def _collect(
        self, name: SegmentName, scan: SegmentScan, contents: WalContents, after_index: LogIndex, last_index: LogIndex
    ) -> LogIndex:
        """Adds the segment's records to the contents. Returns the index of the last entry so far."""
        path = self._directory / name.text
        self._check_head(path, scan, contents.metadata)
        for record in scan.records[2:]:
            try:
                if record.kind == ENTRY:
                    entry = decode_entry(record.body)
                    if entry.index > last_index + 1:  # I1
                        raise WalCorrupted(path, record.offset, f"entry {entry.index} follows entry {last_index}")
                    last_index = entry.index
                    self._take_entry(path, record, contents.entries, entry, after_index)
                elif record.kind == HARD_STATE:
                    contents.hard_state = decode_hard_state(record.body)
                elif record.kind == SNAPSHOT:
                    contents.snapshot_markers.append(decode_snapshot_meta(record.body))
                elif record.kind == SNAPSHOT_INSTALLED:
                    meta = decode_snapshot_meta(record.body)
                    contents.snapshot_markers.append(meta)
                    contents.entries.clear()
                    last_index = meta.index
                else:
                    raise WalCorrupted(path, record.offset, f"unknown kind of record {record.kind}")
            except DecodeError as error:
                raise WalCorrupted(path, record.offset, str(error)) from error
        return last_index

    def _take_entry(
        self, path: Path, record: Record, entries: list[Entry], entry: Entry, after_index: LogIndex
    ) -> None:
        position = entry.index - after_index - 1
        del entries[max(position, 0) :]
        if position > len(entries):
            needed = after_index + 1 + len(entries)
            raise WalCorrupted(path, record.offset, f"entry {needed} is needed, {entry.index} comes next")
        if position >= 0:
            entries.append(entry)

    def _check_head(self, path: Path, scan: SegmentScan, metadata: bytes) -> None:
        crc = scan.records[0]
        if crc.kind != CRC or scan.records[1].kind != METADATA:
            raise WalCorrupted(path, 0, "the segment does not begin with crc and metadata")
        version = crc.body
        if version != _VERSION.pack(FORMAT_VERSION):
            raise WalCorrupted(path, 0, f"unknown format version {version.hex()}")
        if scan.records[1].body != metadata:
            raise WalCorrupted(path, scan.records[1].offset, "the metadata is another cluster's or member's")

    def _open_tail(self, name: SegmentName, scan: SegmentScan, length: int) -> SegmentFiles:
        path = self._directory / name.text
        try:
            descriptor = self._ops.open(path)
            if scan.used_end > scan.end:
                # Bytes of the cut records must not reappear behind new ones. The room is reserved again by the writer,
                # as a full disk must not hinder a start.
                self._ops.truncate(descriptor, scan.end)
                length = scan.end
            self._ops.sync(descriptor)  # I3
            self._ops.sync_directory(self._directory)
        except OSError as error:
            raise WalWriteFailed(path, str(error)) from error
        return SegmentFiles(self._directory, self._ops, self._segment_bytes, name, descriptor, length)
