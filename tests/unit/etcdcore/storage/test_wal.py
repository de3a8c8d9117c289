"""The log as a whole: reopening, segments, what is cut and what is refused."""

import stat
from pathlib import Path

import pytest

from etcdcore.raft.messages import ConfState, Entry, SnapshotMeta
from etcdcore.storage.errors import WalCorrupted, WalWriteFailed
from etcdcore.storage.wal import Wal, WalContents, WalGroup
from etcdcore.types import LogIndex, MemberId, Term
from tests.unit.etcdcore.storage.fakes import FaultyFileOps, append, entry, hard_state, persist

METADATA = b"cluster 1, member 2"
SEGMENT_BYTES = 4096
BEGINNING = LogIndex(0)


def create(directory: Path) -> Wal:
    return Wal.create(directory, METADATA, SEGMENT_BYTES)


def reopen(directory: Path, after_index: int = 0) -> tuple[Wal, WalContents]:
    return Wal.open(directory, LogIndex(after_index), SEGMENT_BYTES)


def indexes(contents: WalContents) -> list[int]:
    return [each.index for each in contents.entries]


def files(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.wal"))


def snapshot(index: int, term: int = 1) -> SnapshotMeta:
    return SnapshotMeta(LogIndex(index), Term(term), ConfState((MemberId(2),)))


def used_length(path: Path) -> int:
    return len(path.read_bytes().rstrip(b"\0"))


def test_a_new_log_opens_with_its_metadata_and_nothing_else(tmp_path: Path) -> None:
    directory = tmp_path / "wal"
    assert not Wal.exists(directory)
    create(directory).files.close()
    assert Wal.exists(directory)
    _, contents = reopen(directory)
    assert contents.metadata == METADATA
    assert (contents.hard_state, contents.entries, contents.snapshot_markers) == (None, [], [])
    assert contents.torn_tail is None


def test_the_directory_is_the_owners_alone(tmp_path: Path) -> None:
    create(tmp_path / "wal")
    assert stat.S_IMODE((tmp_path / "wal").stat().st_mode) == 0o700
    assert [stat.S_IMODE(path.stat().st_mode) for path in files(tmp_path / "wal")] == [0o600]


def test_creating_and_starting_a_segment_sync_the_directory_after_each_rename(tmp_path: Path) -> None:
    ops = FaultyFileOps()
    wal = Wal.create(tmp_path / "wal", METADATA, SEGMENT_BYTES, ops)
    for index in range(1, 6):
        append(wal, entry(index, data=b"x" * 1500))
    renames = [position for position, name in enumerate(ops.calls) if name == "rename"]
    assert len(renames) == len(files(tmp_path / "wal"))
    assert [ops.calls[position + 1] for position in renames] == ["sync_directory"] * len(renames)


def test_entries_and_the_last_hard_state_come_back(tmp_path: Path) -> None:
    wal = create(tmp_path)
    append(wal, entry(1), entry(2), state=hard_state(1, 2, 0))
    append(wal, entry(3), state=hard_state(3, 2, 2))
    again, contents = reopen(tmp_path)
    assert contents.entries == [entry(1), entry(2), entry(3)]
    assert contents.hard_state == hard_state(3, 2, 2)
    assert again.last_index == 3


def test_a_reopened_log_goes_on_where_it_ended(tmp_path: Path) -> None:
    create(tmp_path).files.close()
    for index in range(1, 120):
        wal, contents = reopen(tmp_path)
        assert indexes(contents) == list(range(1, index))
        append(wal, entry(index, data=b"y" * 100), state=hard_state(index, 2, index))
        wal.files.close()
    assert len(files(tmp_path)) > 3


def test_every_segment_repeats_metadata_and_hard_state(tmp_path: Path) -> None:
    wal = create(tmp_path)
    append(wal, state=hard_state(7, 2, 0))
    for index in range(1, 100):
        append(wal, entry(index, data=b"z" * 200))
    assert len(files(tmp_path)) > 4
    group = WalGroup()
    wal.release_before(group, LogIndex(99))
    persist(wal, group)
    assert len(files(tmp_path)) == 1
    _, contents = reopen(tmp_path, 98)
    assert (contents.metadata, contents.hard_state, indexes(contents)) == (METADATA, hard_state(7, 2, 0), [99])


def test_opening_behind_a_snapshot_gives_only_what_follows_it(tmp_path: Path) -> None:
    wal = create(tmp_path)
    for index in range(1, 61):
        append(wal, entry(index, data=b"z" * 200))
    for after in range(61):
        opened, contents = reopen(tmp_path, after)
        assert indexes(contents) == list(range(after + 1, 61))
        opened.files.close()


def test_release_drops_only_segments_that_are_wholly_below(tmp_path: Path) -> None:
    wal = create(tmp_path)
    for index in range(1, 61):
        append(wal, entry(index, data=b"z" * 200))
    for before in range(1, 61):
        group = WalGroup()
        wal.release_before(group, LogIndex(before))
        persist(wal, group)
        opened, contents = reopen(tmp_path, before - 1)
        assert indexes(contents) == list(range(before, 61))
        opened.files.close()
    assert len(files(tmp_path)) == 1


def test_opening_before_the_first_kept_entry_is_refused(tmp_path: Path) -> None:
    wal = create(tmp_path)
    for index in range(1, 61):
        append(wal, entry(index, data=b"z" * 200))
    group = WalGroup()
    wal.release_before(group, LogIndex(40))
    persist(wal, group)
    with pytest.raises(WalCorrupted, match="entry 1 is needed, the log begins at"):
        reopen(tmp_path)


def test_entries_that_come_again_replace_the_tail(tmp_path: Path) -> None:
    """Raft paper §5.3."""
    wal = create(tmp_path)
    append(wal, entry(1), entry(2), entry(3), entry(4))
    append(wal, entry(2, term=2), entry(3, term=2))
    _, contents = reopen(tmp_path)
    assert contents.entries == [entry(1), entry(2, term=2), entry(3, term=2)]


def test_a_tail_replaced_across_segments_reads_right_from_every_index(tmp_path: Path) -> None:
    wal = create(tmp_path)
    for index in range(1, 41):
        append(wal, entry(index, data=b"a" * 300))
    for index in range(25, 37):
        append(wal, entry(index, 2, b"b" * 300))
    for index in range(30, 51):
        append(wal, entry(index, 3, b"c" * 300))
    expected = [entry(i, 1, b"a" * 300) for i in range(1, 25)]
    expected += [entry(i, 2, b"b" * 300) for i in range(25, 30)]
    expected += [entry(i, 3, b"c" * 300) for i in range(30, 51)]
    for after in range(51):
        opened, contents = reopen(tmp_path, after)
        assert contents.entries == expected[after:], after
        opened.files.close()


def test_an_installed_snapshot_voids_the_log_before_it(tmp_path: Path) -> None:
    wal = create(tmp_path)
    append(wal, *(entry(index) for index in range(1, 21)))
    group = WalGroup()
    wal.encode_snapshot_marker(group, snapshot(10, term=5), is_installed=True)
    persist(wal, group)
    append(wal, entry(11, term=5))
    _, contents = reopen(tmp_path, 10)
    assert contents.entries == [entry(11, term=5)]
    assert contents.snapshot_markers == [snapshot(10, term=5)]


def test_an_installed_snapshot_may_lie_beyond_the_logs_end(tmp_path: Path) -> None:
    wal = create(tmp_path)
    append(wal, entry(1), entry(2))
    group = WalGroup()
    wal.encode_snapshot_marker(group, snapshot(100, term=5), is_installed=True)
    persist(wal, group)
    append(wal, entry(101, term=5))
    opened, contents = reopen(tmp_path, 100)
    assert (indexes(contents), opened.last_index) == ([101], 101)
    with pytest.raises(WalCorrupted, match="entry 1 is needed, 101 comes next"):
        reopen(tmp_path, 0)


def test_a_marker_of_the_logs_own_snapshot_keeps_the_entries(tmp_path: Path) -> None:
    wal = create(tmp_path)
    append(wal, *(entry(index) for index in range(1, 21)))
    group = WalGroup()
    wal.encode_snapshot_marker(group, snapshot(10), is_installed=False)
    persist(wal, group)
    append(wal, entry(21))
    _, contents = reopen(tmp_path, 10)
    assert indexes(contents) == list(range(11, 22))
    assert contents.snapshot_markers == [snapshot(10)]


def test_a_record_larger_than_a_segment_fits(tmp_path: Path) -> None:
    wal = create(tmp_path)
    large = entry(2, data=b"L" * (5 * SEGMENT_BYTES))
    append(wal, entry(1))
    append(wal, large)
    append(wal, entry(3))
    _, contents = reopen(tmp_path)
    assert contents.entries == [entry(1), large, entry(3)]


def test_reservations_left_by_a_crash_are_removed(tmp_path: Path) -> None:
    create(tmp_path)
    (tmp_path / "spare.tmp").write_bytes(b"junk")
    reopen(tmp_path)
    assert not list(tmp_path.glob("*.tmp"))


# --- torn tails ---


@pytest.mark.parametrize("is_zeroed", [False, True], ids=["cut off", "zeroed"])
def test_a_log_torn_at_any_byte_of_its_last_records_starts_and_says_what_it_cut(
    tmp_path: Path, is_zeroed: bool
) -> None:
    wal = create(tmp_path / "wal")
    path = files(tmp_path / "wal")[0]
    ends = []
    for index in range(1, 9):
        append(wal, entry(index))
        ends.append(used_length(path))
    whole = path.read_bytes()
    for at in range(ends[4], ends[7]):
        path.write_bytes(whole[:at] + (bytes(len(whole) - at) if is_zeroed else b""))
        reopened, contents = reopen(tmp_path / "wal")
        complete = sum(end <= at for end in ends)
        assert indexes(contents) == list(range(1, complete + 1)), at
        if at == ends[complete - 1]:
            assert contents.torn_tail is None, at
        else:
            assert contents.torn_tail is not None, at
            assert contents.torn_tail.path == path
            assert contents.torn_tail.offset == ends[complete - 1]
            assert 0 < contents.torn_tail.dropped_bytes <= at - ends[complete - 1]
        append(reopened, entry(complete + 1, term=9))
        reopened.files.close()
        _, contents = reopen(tmp_path / "wal")
        assert contents.torn_tail is None
        assert contents.entries[-1] == entry(complete + 1, term=9)
        assert len(contents.entries) == complete + 1


def test_a_group_of_many_records_torn_at_any_byte_keeps_its_complete_records(tmp_path: Path) -> None:
    wal = create(tmp_path / "wal")
    append(wal, entry(1))
    path = files(tmp_path / "wal")[0]
    begin = used_length(path)
    append(wal, *(entry(index) for index in range(2, 30)), state=hard_state(1, 2, 1))
    whole = path.read_bytes()
    for at in range(begin, used_length(path)):
        path.write_bytes(whole[:at])
        reopened, contents = reopen(tmp_path / "wal")
        assert indexes(contents) == list(range(1, len(contents.entries) + 1))
        assert len(contents.entries) >= 1
        reopened.files.close()


def test_nothing_of_a_cut_tail_reappears_behind_a_record_of_the_same_length(tmp_path: Path) -> None:
    wal = create(tmp_path / "wal")
    append(wal, entry(1))
    path = files(tmp_path / "wal")[0]
    second = used_length(path)
    append(wal, entry(2), entry(3))
    data = bytearray(path.read_bytes())
    # The whole write is cut at its first record, whose length the next append repeats.
    end = used_length(path)
    data[second + 20] ^= 1
    data[end - 1] ^= 1
    path.write_bytes(bytes(data))
    reopened, contents = reopen(tmp_path / "wal")
    assert contents.torn_tail is not None
    append(reopened, entry(2, term=2))
    _, contents = reopen(tmp_path / "wal")
    assert contents.entries == [entry(1), entry(2, term=2)]


def test_a_crash_at_any_byte_while_a_segment_is_started_leaves_its_predecessor_as_the_tail(tmp_path: Path) -> None:
    directory = tmp_path / "wal"
    wal = create(directory)
    append(wal, entry(1, data=b"a" * 3000), state=hard_state(4, 2, 1))
    append(wal, entry(2, data=b"b" * 3000))
    path = files(directory)[1]
    whole = path.read_bytes()
    first_entry = whole.index(b"b" * 3000) - 21 - 16
    for at in [*range(first_entry), first_entry]:
        path.write_bytes(whole[:at] + bytes(len(whole) - at))
        reopened, contents = reopen(directory)
        assert contents.entries == [entry(1, data=b"a" * 3000)], at
        assert contents.hard_state == hard_state(4, 2, 1), at
        append(reopened, entry(2, data=b"c" * 3000))
        reopened.files.close()
        assert reopen(directory)[1].entries[1] == entry(2, data=b"c" * 3000)
        for made in files(directory)[1:]:
            made.unlink()


# --- damage ---


def damage(path: Path, at: int, bit: int) -> bytes:
    whole = path.read_bytes()
    damaged = bytearray(whole)
    damaged[at] ^= 1 << bit
    path.write_bytes(bytes(damaged))
    return whole


def test_a_flipped_bit_before_the_last_record_is_refused_with_file_and_offset(tmp_path: Path) -> None:
    wal = create(tmp_path)
    path = files(tmp_path)[0]
    starts = [0]
    for index in range(1, 12):
        starts.append(used_length(path))
        append(wal, entry(index))
    for at in range(starts[-1]):
        whole = damage(path, at, at % 8)
        with pytest.raises(WalCorrupted) as caught:
            reopen(tmp_path)
        record = max(start for start in starts if start <= at)
        assert caught.value.path == path
        assert record <= caught.value.offset <= at
        assert str(path) in str(caught.value)
        assert f"offset {caught.value.offset}" in str(caught.value)
        path.write_bytes(whole)
    reopen(tmp_path)


def test_any_damage_to_a_segment_that_another_follows_is_refused(tmp_path: Path) -> None:
    wal = create(tmp_path)
    for index in range(1, 30):
        append(wal, entry(index, data=b"q" * 300))
    first, second, *_ = files(tmp_path)
    for path in (first, second):
        used = used_length(path)
        for at in range(0, used, 7):
            whole = damage(path, at, at % 8)
            with pytest.raises(WalCorrupted) as caught:
                reopen(tmp_path)
            assert caught.value.path == path
            path.write_bytes(whole)
        whole = path.read_bytes()
        last_record = used - 16 - 21 - 300
        for cut in (last_record, used - 1, 0):
            path.write_bytes(whole[:cut] + bytes(len(whole) - cut))
            with pytest.raises(WalCorrupted) as caught:
                reopen(tmp_path)
            assert caught.value.path == path
        path.write_bytes(whole)
    reopen(tmp_path)


def test_a_missing_segment_is_refused(tmp_path: Path) -> None:
    wal = create(tmp_path)
    for index in range(1, 30):
        append(wal, entry(index, data=b"q" * 300))
    files(tmp_path)[1].unlink()
    with pytest.raises(WalCorrupted, match="segment 0x1 before it is missing"):
        reopen(tmp_path)


def test_a_log_without_segments_or_with_a_damaged_first_head_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WalCorrupted, match="no log segment"):
        reopen(tmp_path)
    create(tmp_path)
    path = files(tmp_path)[0]
    whole = path.read_bytes()
    for at in (0, 1, 20, used_length(path) - 1):
        path.write_bytes(whole[:at])
        with pytest.raises(WalCorrupted, match="the start of the only segment is damaged"):
            reopen(tmp_path)


def test_a_strange_file_in_the_directory_is_refused(tmp_path: Path) -> None:
    create(tmp_path)
    (tmp_path / "0.wal").write_bytes(b"etcd's own")
    with pytest.raises(WalCorrupted, match="no name of a log segment"):
        reopen(tmp_path)


def test_segments_of_another_member_are_refused(tmp_path: Path) -> None:
    wal = create(tmp_path / "a")
    other = Wal.create(tmp_path / "b", b"cluster 1, member 3", SEGMENT_BYTES)
    for index in range(1, 30):
        append(wal, entry(index, data=b"q" * 300))
        append(other, entry(index, data=b"q" * 300))
    mine, theirs = files(tmp_path / "a"), files(tmp_path / "b")
    mine[1].unlink()
    theirs[1].rename(tmp_path / "a" / theirs[1].name)
    with pytest.raises(WalCorrupted):
        reopen(tmp_path / "a")


def test_appending_behind_a_gap_is_a_bug(tmp_path: Path) -> None:
    wal = create(tmp_path)
    with pytest.raises(AssertionError):
        append(wal, entry(2))


def test_a_full_disk_does_not_hinder_opening_a_torn_log(tmp_path: Path) -> None:
    wal = create(tmp_path / "wal")
    append(wal, entry(1))
    append(wal, entry(2))
    path = files(tmp_path / "wal")[0]
    path.write_bytes(path.read_bytes()[: used_length(path) - 3])
    ops = FaultyFileOps()
    ops.is_full = True
    _, contents = Wal.open(tmp_path / "wal", BEGINNING, SEGMENT_BYTES, ops)
    assert indexes(contents) == [1]


@pytest.mark.parametrize("operation", ["create", "allocate", "write_synced", "rename", "sync_directory"])
def test_creating_a_log_fails_with_one_error_and_can_be_tried_again(tmp_path: Path, operation: str) -> None:
    ops = FaultyFileOps()
    ops.errors[operation] = 5
    with pytest.raises(WalWriteFailed):
        Wal.create(tmp_path / "wal", METADATA, SEGMENT_BYTES, ops)
    ops.errors.clear()
    if not Wal.exists(tmp_path / "wal"):
        Wal.create(tmp_path / "wal", METADATA, SEGMENT_BYTES, ops)
    assert reopen(tmp_path / "wal")[1].metadata == METADATA


def test_opening_brings_the_tail_to_the_disk(tmp_path: Path) -> None:
    """The process that wrote it may have died between its write and its sync; what is read must not vanish later."""
    create(tmp_path)
    ops = FaultyFileOps()
    Wal.open(tmp_path, BEGINNING, SEGMENT_BYTES, ops)
    assert "sync" in ops.calls
    ops.errors["sync"] = 5
    with pytest.raises(WalWriteFailed):
        Wal.open(tmp_path, BEGINNING, SEGMENT_BYTES, ops)


def test_entry_payloads_do_not_reach_the_disk(tmp_path: Path) -> None:
    wal = create(tmp_path)
    append(wal, Entry(LogIndex(1), Term(1), 0, b"data", payload=object()))
    (read,) = reopen(tmp_path)[1].entries
    assert (read.data, read.payload) == (b"data", None)
