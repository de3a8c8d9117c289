"""Frames of the log, and how a torn write is told from damage."""

from etcdcore.storage.wal_records import (
    ENTRY,
    HEADER_BYTES,
    SECTOR_BYTES,
    STARTS_GROUP,
    RecordChain,
    decode_record,
    find_corruption,
    scan_segment,
)

SEED = 0x1234ABCD
# The sizes of bodies in each group: in one sector, across sectors, and one of several sectors.
GROUPS = [[10, 0, 33], [5], [700, 20, 1500, 40], [1]]


def write_groups(groups: list[list[int]]) -> tuple[bytes, list[int]]:
    """The segment's bytes and each record's offset."""
    chain = RecordChain(SEED, 0, 0)
    parts: list[bytes] = []
    offsets: list[int] = []
    for group in groups:
        for position, size in enumerate(group):
            offsets.append(chain.offset)
            body = bytes(1 + (len(offsets) * 37 + byte) % 255 for byte in range(size))
            chain.encode(parts, ENTRY, STARTS_GROUP if position == 0 else 0, body)
    return b"".join(parts), offsets


def judge(data: bytes) -> tuple[int, str | None]:
    """How many records are valid, and why the rest is no torn write, if it is none."""
    scan = scan_segment(data, SEED)
    return len(scan.records), None if scan.is_clean else find_corruption(data, SEED, scan)


def test_records_read_back_as_written_up_to_the_zeros() -> None:
    data, offsets = write_groups(GROUPS)
    scan = scan_segment(data + bytes(5000), SEED)
    assert [record.offset for record in scan.records] == offsets
    assert [len(record.body) for record in scan.records] == [size for group in GROUPS for size in group]
    starts = [record.starts_group for record in scan.records]
    assert starts == [position == 0 for group in GROUPS for position in range(len(group))]
    assert (scan.is_clean, scan.end) == (True, len(data))


def test_a_record_is_valid_only_where_it_was_written() -> None:
    data, offsets = write_groups(GROUPS)
    assert decode_record(data, offsets[2], SEED) is not None
    assert decode_record(data, offsets[2], SEED + 1) is None
    assert decode_record(bytes(8) + data, 8 + offsets[2], SEED) is None


def test_every_flipped_bit_before_the_last_group_is_corruption() -> None:
    data, offsets = write_groups(GROUPS)
    for at in range(offsets[-1]):
        for bit in range(8):
            damaged = bytearray(data)
            damaged[at] ^= 1 << bit
            count, reason = judge(bytes(damaged) + bytes(600))
            assert reason is not None, (at, bit)
            assert offsets[count] <= at < offsets[count] + HEADER_BYTES + 1500, (at, bit)
            assert count == sum(offset <= at for offset in offsets) - 1, (at, bit)


def test_every_flipped_bit_of_the_last_groups_first_record_is_corruption_as_no_sector_is_missing() -> None:
    data, offsets = write_groups([[100], [900, 50]])
    for at in range(offsets[1], offsets[2]):
        damaged = bytearray(data)
        damaged[at] ^= 1 << (at % 8)
        assert judge(bytes(damaged) + bytes(600))[1] is not None, at


def test_a_flipped_bit_of_the_very_last_record_looks_torn() -> None:
    data, offsets = write_groups(GROUPS)
    for at in range(offsets[-1], len(data)):
        damaged = bytearray(data)
        damaged[at] ^= 0x10
        assert judge(bytes(damaged) + bytes(600)) == (len(offsets) - 1, None), at


def test_a_file_that_ends_or_turns_to_zeros_at_any_byte_is_torn_not_corrupted() -> None:
    data, offsets = write_groups(GROUPS)
    for at in range(len(data)):
        complete = sum(offset <= at for offset in offsets) - 1
        assert judge(data[:at]) == (complete, None), at
        # A record that ends in zeros itself may still be complete; the bodies here hold none.
        zeroed = data[:at] + bytes(len(data) - at + 600)
        assert judge(zeroed) == (complete, None), at


def test_any_set_of_sectors_of_the_last_write_may_be_missing() -> None:
    data, offsets = write_groups([[100, 60], [700, 20, 1500, 40, 900]])
    group = offsets[2]
    sectors = range(group // SECTOR_BYTES, (len(data) - 1) // SECTOR_BYTES + 1)
    for mask in range(1, 1 << len(sectors)):
        torn = bytearray(data)
        for position, sector in enumerate(sectors):
            if mask >> position & 1:
                begin = max(group, sector * SECTOR_BYTES)
                end = min(len(data), (sector + 1) * SECTOR_BYTES)
                torn[begin:end] = bytes(end - begin)
        count, reason = judge(bytes(torn) + bytes(600))
        assert reason is None, bin(mask)
        assert count >= 2


def test_a_missing_sector_of_an_earlier_write_is_corruption() -> None:
    data, offsets = write_groups([[100], [2000], [50]])
    damaged = bytearray(data)
    damaged[SECTOR_BYTES : 2 * SECTOR_BYTES] = bytes(SECTOR_BYTES)
    count, reason = judge(bytes(damaged) + bytes(600))
    assert (count, reason) == (1, f"valid records follow at offset {offsets[2]}")


def test_a_whole_valid_record_inside_a_torn_value_is_not_taken_for_one() -> None:
    inner, _ = write_groups([[300]])
    chain = RecordChain(SEED, 0, 0)
    parts: list[bytes] = []
    chain.encode(parts, ENTRY, STARTS_GROUP, b"x" * 40)
    chain.encode(parts, ENTRY, STARTS_GROUP, inner * 4)
    torn = b"".join(parts)[:-7]
    assert judge(torn) == (1, None)


def test_a_valid_record_that_follows_another_one_is_corruption() -> None:
    data, offsets = write_groups([[10], [10], [10]])
    other = RecordChain(SEED, offsets[1], 99)
    parts: list[bytes] = []
    other.encode(parts, ENTRY, STARTS_GROUP, bytes(10))
    count, reason = judge(data[: offsets[1]] + b"".join(parts) + data[offsets[2] :])
    assert count == 1
    assert reason is not None
