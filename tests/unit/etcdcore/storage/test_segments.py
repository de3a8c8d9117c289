"""Which segments there are, and where reading must begin."""

import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from etcdcore.storage.errors import DiskFull, WalCorrupted, WalWriteFailed
from etcdcore.storage.segments import SegmentFiles, SegmentName, SegmentWrite, list_segments, position_of
from etcdcore.types import LogIndex
from tests.unit.etcdcore.storage.fakes import FaultyFileOps

SEGMENT_BYTES = 4096


def name(sequence: int, first_index: int) -> SegmentName:
    return SegmentName(sequence, LogIndex(first_index), 0xABCD0000 + sequence)


def open_first(directory: Path, ops: FaultyFileOps) -> SegmentFiles:
    return SegmentFiles(directory, ops, SEGMENT_BYTES, name(0, 1), ops.create(directory / name(0, 1).text), 0)


def write_of(segment: SegmentName, offset: int = 0) -> SegmentWrite:
    return SegmentWrite(segment, offset)


def test_names_are_read_back_in_order(tmp_path: Path) -> None:
    written = [name(sequence, sequence * 100 + 1) for sequence in range(9, 13)]
    for each in reversed(written):
        (tmp_path / each.text).touch()
    (tmp_path / "spare.tmp").touch()
    found = list_segments(FaultyFileOps(), tmp_path)
    assert [(each.sequence, each.first_index, each.salt) for each in found] == [
        (each.sequence, each.first_index, each.salt) for each in written
    ]


def test_two_segments_of_one_sequence_are_refused(tmp_path: Path) -> None:
    (tmp_path / name(1, 1).text).touch()
    (tmp_path / name(1, 50).text).touch()
    with pytest.raises(WalCorrupted, match="segment 0x2 before it is missing or doubled"):
        list_segments(FaultyFileOps(), tmp_path)


def test_reading_begins_in_the_last_segment_that_begins_low_enough() -> None:
    # The fourth was started after the log's tail had been replaced from below 250 on.
    segments = [name(0, 1), name(1, 101), name(2, 301), name(3, 250)]
    wanted = {1: 0, 100: 0, 101: 1, 249: 1, 250: 3, 300: 3, 301: 3, 999: 3}
    assert {index: position_of(segments, LogIndex(index)) for index in wanted} == wanted
    assert position_of(segments[1:], LogIndex(100)) == -1


def test_a_segment_gets_its_room_before_it_gets_its_name(tmp_path: Path) -> None:
    ops = FaultyFileOps()
    files = open_first(tmp_path, ops)
    ops.calls.clear()
    files.write(write_of(name(1, 5)), b"x" * 10)
    assert ops.calls == [
        "create",
        "allocate",
        "sync",
        "close",
        "rename",
        "sync_directory",
        "open",
        "close",
        "write_synced",
    ]
    assert (tmp_path / name(1, 5).text).stat().st_size == SEGMENT_BYTES


def test_a_failed_reservation_leaves_nothing_behind(tmp_path: Path) -> None:
    ops = FaultyFileOps()
    files = open_first(tmp_path, ops)
    ops.is_full = True
    with pytest.raises(DiskFull) as caught:
        files.reserve_spare()
    assert (caught.value.needed_bytes, caught.value.blocked) == (SEGMENT_BYTES, False)
    assert [path.name for path in tmp_path.iterdir()] == [name(0, 1).text]
    with pytest.raises(DiskFull) as caught:
        files.write(write_of(name(1, 5)), b"x" * 10)
    assert caught.value.blocked
    ops.is_full = False
    files.write(write_of(name(1, 5)), b"x" * 10)
    assert (tmp_path / name(1, 5).text).read_bytes()[:11] == b"x" * 10 + b"\0"


def test_a_reservation_that_fails_otherwise_is_final(tmp_path: Path) -> None:
    ops = FaultyFileOps()
    files = open_first(tmp_path, ops)
    ops.errors["sync"] = 5
    with pytest.raises(WalWriteFailed):
        files.reserve_spare()


def test_the_oldest_segment_goes_first_and_one_that_is_gone_already_does_not_matter(tmp_path: Path) -> None:
    ops = FaultyFileOps()
    files = open_first(tmp_path, ops)
    dropped = [name(sequence, sequence) for sequence in (1, 2, 3)]
    (tmp_path / dropped[0].text).touch()
    (tmp_path / dropped[2].text).touch()
    files.drop(dropped)
    assert ops.calls[-3:] == ["unlink", "unlink", "sync_directory"]
    assert [path.name for path in tmp_path.iterdir()] == [name(0, 1).text]


def fill(directory: Path, segment: SegmentName, length: int = SEGMENT_BYTES) -> int:
    """A segment full of something; its inode."""
    path = directory / segment.text
    path.write_bytes(b"x" * length)
    return path.stat().st_ino


def test_one_dropped_segment_becomes_the_next_one_full_of_zeros(tmp_path: Path) -> None:
    """Its name is durably gone before anything in it changes; one of another size and a second one just go."""
    ops = FaultyFileOps()
    files = open_first(tmp_path, ops)
    fill(tmp_path, name(1, 1), SEGMENT_BYTES + 1)
    inode = fill(tmp_path, name(2, 2))
    fill(tmp_path, name(3, 3))
    files.drop([name(1, 1), name(2, 2), name(3, 3)])
    assert ops.calls[-5:] == ["unlink", "rename", "unlink", "sync_directory", "clear"]
    fill(tmp_path, name(4, 4))
    files.drop([name(4, 4)])
    assert ops.calls[-2:] == ["unlink", "sync_directory"]
    ops.calls.clear()
    files.write(write_of(name(5, 5)), b"y" * 10)
    assert ops.calls == ["rename", "rename", "sync_directory", "open", "close", "write_synced"]
    path = tmp_path / name(5, 5).text
    assert path.stat().st_ino == inode
    assert path.read_bytes() == b"y" * 10 + bytes(SEGMENT_BYTES - 10)
    inode = fill(tmp_path, name(6, 6))
    files.drop([name(6, 6)])
    files.reserve_spare()
    fill(tmp_path, name(7, 7))
    files.drop([name(7, 7)])
    assert sorted(path.name for path in tmp_path.glob("*.tmp")) == ["recycled.tmp", "spare.tmp"]
    files.close()
    assert not list(tmp_path.glob("*.tmp"))


class RemovalBetween(FaultyFileOps):
    """Something else happens while the spare segment gets its name."""

    def __init__(self) -> None:
        super().__init__()
        self.between: Callable[[], None] | None = None

    def rename(self, source: Path, target: Path) -> None:
        if target.name == "spare.tmp" and self.between is not None:
            self.between()
        super().rename(source, target)


def test_a_removal_while_the_recycled_segment_is_taken_does_not_take_its_place(tmp_path: Path) -> None:
    """They run in two threads; here the one runs in the middle of the other."""
    ops = RemovalBetween()
    files = open_first(tmp_path, ops)
    inode = fill(tmp_path, name(1, 1))
    files.drop([name(1, 1)])
    fill(tmp_path, name(2, 2))
    ops.between = lambda: files.drop([name(2, 2)])
    files.reserve_spare()
    assert (tmp_path / "spare.tmp").stat().st_ino == inode


def test_none_is_kept_where_room_is_scarce(tmp_path: Path) -> None:
    ops = FaultyFileOps()
    files = open_first(tmp_path, ops)
    fill(tmp_path, name(1, 1))
    ops.is_full = True
    files.drop([name(1, 1)])
    assert [path.name for path in tmp_path.iterdir()] == [name(0, 1).text]


def test_where_nothing_can_be_written_in_place_the_segment_goes(tmp_path: Path) -> None:
    ops = FaultyFileOps()
    files = open_first(tmp_path, ops)
    fill(tmp_path, name(1, 1))
    ops.errors["clear"] = errno.ENOSPC
    files.drop([name(1, 1)])
    assert [path.name for path in tmp_path.iterdir()] == [name(0, 1).text]
    files.reserve_spare()
    assert "allocate" in ops.calls


@pytest.mark.parametrize("operation", ["unlink", "rename", "sync_directory", "clear"])
def test_a_removal_that_fails_otherwise_is_final(tmp_path: Path, operation: str) -> None:
    ops = FaultyFileOps()
    files = open_first(tmp_path, ops)
    fill(tmp_path, name(1, 1))
    fill(tmp_path, name(2, 2))
    ops.errors[operation] = errno.EIO
    with pytest.raises(WalWriteFailed, match="injected"):
        files.drop([name(1, 1), name(2, 2)])
