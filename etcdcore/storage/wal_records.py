"""The records of the write-ahead log: their frame, and what a damaged place in a segment means.

record: magic 2 bytes | kind u8 | flags u8 | length u32 | previous u32 | crc u32 | body, integers little-endian
`length` counts the body, `previous` is the crc of the record before (across segments), and `crc` is the CRC-32 of the
twelve bytes before it and the body, seeded with the segment's name and the record's offset.

Worked example, three groups in one segment (a group is what one write and one sync carried; * starts a group):
    *crc *metadata | *entry 1, entry 2, hard state | *entry 3, entry 4 | zeros
    a bit of entry 2 flips    entry 3 is valid and starts a group, so entry 2 had been durable    corrupted
    the file ends in entry 4  nothing valid follows                                             torn, cut at entry 4
    the sectors of entry 3 never reached the disk, entry 4 is there                             torn, cut at entry 3
    a bit of entry 3 flips    entry 4 follows in the same group and no sector is missing          corrupted

Invariants:
1. A record that starts a group is written only after everything before it is on the disk.
2. A record is valid at the one place it was written to: the seed holds a random number that no client knows, so bytes
   in a client's value are never taken for a record.

Differs from etcd, which chains its checksums only: there no record can be checked once one before it is lost, and
damage is told from a torn write by zeroed sectors alone.
"""

import struct
from typing import Final, final
from zlib import crc32

METADATA: Final = 1
ENTRY: Final = 2
HARD_STATE: Final = 3
CRC: Final = 4
SNAPSHOT: Final = 5
"""A snapshot of the log's own entries was taken."""
SNAPSHOT_INSTALLED: Final = 6
"""A snapshot came from the leader: the log before it is void, the next entry follows the snapshot."""

STARTS_GROUP: Final = 0x80  # a flag

MAGIC: Final = b"\xd7\x6b"
_MAGIC_NUMBER: Final = int.from_bytes(MAGIC, "little")
HEADER_BYTES: Final = 16
# Past any request the API takes in; a longer length in a header is damage, not a record.
RECORD_BYTES_MAX: Final = 1 << 30
# The smallest piece that a disk writes or loses as a whole.
SECTOR_BYTES: Final = 512

_HEAD: Final = struct.Struct("<HBBII")
_CRC: Final = struct.Struct("<I")
_HEADER: Final = struct.Struct("<HBBIII")
_MASK: Final = 0xFFFFFFFF
_ZEROS: Final = bytes(1 << 16)


@final
class RecordChain:
    """Where the next record of one segment goes, and what it is chained to."""

    __slots__ = ("_seed", "crc", "offset")

    def __init__(self, seed: int, offset: int, crc: int) -> None:
        self._seed: Final = seed
        self.offset = offset
        self.crc = crc

    def encode(self, parts: list[bytes], kind: int, flags: int, body: bytes) -> None:
        """Appends the record's bytes to `parts` and moves on behind it."""
        length = len(body)
        assert length <= RECORD_BYTES_MAX, length
        head = _HEAD.pack(_MAGIC_NUMBER, kind, flags, length, self.crc)
        crc = crc32(body, crc32(head, (self._seed + self.offset) & _MASK))
        parts.append(head)
        parts.append(_CRC.pack(crc))
        parts.append(body)
        self.crc = crc
        self.offset += HEADER_BYTES + length


@final
class Record:
    __slots__ = ("body", "crc", "kind", "offset", "previous", "starts_group")

    def __init__(self, kind: int, starts_group: bool, previous: int, crc: int, offset: int, body: bytes) -> None:
        self.kind: Final = kind
        self.starts_group: Final = starts_group
        self.previous: Final = previous
        self.crc: Final = crc
        self.offset: Final = offset
        self.body: Final = body

    @property
    def end(self) -> int:
        return self.offset + HEADER_BYTES + len(self.body)


def decode_record(data: bytes, offset: int, seed: int) -> Record | None:
    """The valid record that begins at `offset`, or None."""
    if offset + HEADER_BYTES > len(data):
        return None
    magic, kind, flags, length, previous, crc = _HEADER.unpack_from(data, offset)
    end = offset + HEADER_BYTES + length
    if magic != _MAGIC_NUMBER or length > RECORD_BYTES_MAX or end > len(data):
        return None
    body = data[offset + HEADER_BYTES : end]
    if crc32(body, crc32(data[offset : offset + 12], (seed + offset) & _MASK)) != crc:
        return None
    return Record(kind, flags & STARTS_GROUP != 0, previous, crc, offset, body)


@final
class SegmentScan:
    """What one segment holds: its records up to the first place that is not a record, and where that is.

    `used_end` is the offset behind the last byte that is not zero; beyond `end` it means damage or a torn write.
    """

    __slots__ = ("broken_chain", "end", "records", "used_end")

    def __init__(self, records: list[Record], end: int, used_end: int, broken_chain: bool) -> None:
        self.records: Final = records
        self.end: Final = end
        self.used_end: Final = used_end
        self.broken_chain: Final = broken_chain

    @property
    def is_clean(self) -> bool:
        return self.used_end <= self.end and not self.broken_chain


def scan_segment(data: bytes, seed: int) -> SegmentScan:
    """Reads records from the start for as long as each is valid and names the one before it.

    The first record's `previous` is left to the caller, who knows the segment before.
    """
    records: list[Record] = []
    offset = 0
    chain = 0
    while True:
        record = decode_record(data, offset, seed)
        if record is None:
            return SegmentScan(records, offset, _used_end(data, offset), False)
        if records and record.previous != chain:
            return SegmentScan(records, offset, _used_end(data, offset), True)
        records.append(record)
        offset = record.end
        chain = record.crc


def find_corruption(data: bytes, seed: int, scan: SegmentScan) -> str | None:
    """Why the damage behind the valid records of the last segment cannot be a torn write; None if it can.

    Three cases, by what valid records lie behind the damage:
    1. none: the write was torn (or the very last record damaged, which looks the same); cut.
    2. one that starts a group: the damage was durable (I1); corrupted.
    3. only such as the same write carried: torn if a sector in between is missing, else corrupted.
    """
    if scan.broken_chain:
        return "the record is valid but does not follow the one before it"
    first_later = -1
    at = data.find(MAGIC, scan.end + 1)
    while at >= 0:
        record = decode_record(data, at, seed)
        if record is None:
            at = data.find(MAGIC, at + 1)
            continue
        if record.starts_group:
            return f"valid records follow at offset {at}"
        if first_later < 0:
            first_later = at
        at = data.find(MAGIC, record.end)
    if first_later < 0 or _has_missing_sector(data, scan.end, first_later):
        return None
    return f"valid records of the same write follow at offset {first_later}"


def _has_missing_sector(data: bytes, start: int, end: int) -> bool:
    """Whether a sector that `start` to `end` touches reads as zeros, from `start` on.

    The magic bytes at `start` are not zero, so a flipped bit cannot make its sector look missing.
    """
    at = start
    while at < end:
        sector_end = (at // SECTOR_BYTES + 1) * SECTOR_BYTES
        piece = data[at:sector_end]
        if piece == _ZEROS[: len(piece)]:
            return True
        at = sector_end
    return False


def _used_end(data: bytes, start: int) -> int:
    """The offset behind the last byte from `start` on that is not zero, or `start`."""
    end = len(data)
    while end > start:
        begin = max(start, end - len(_ZEROS))
        piece = data[begin:end]
        if piece != _ZEROS[: end - begin]:
            return begin + len(piece.rstrip(b"\0"))
        end = begin
    return start
