"""That a file is written back in pieces with pauses between them, and that a failure is told."""

import ctypes
import errno
import sys
import time
from pathlib import Path

import pytest

from etcdcore.storage.write_back import PIECE_BYTES, find_write_range, write_back


def make_file(directory: Path, size: int) -> Path:
    path = directory / "data"
    path.write_bytes(bytes(size))
    return path


def test_every_piece_of_the_file_is_written_in_order(tmp_path: Path) -> None:
    offsets = []

    def write_range(descriptor: int, offset: int, length: int, flags: int) -> int:
        offsets.append((offset, length))
        return 0

    write_back(make_file(tmp_path, 2 * PIECE_BYTES + 1), write_range)
    assert offsets == [(0, PIECE_BYTES), (PIECE_BYTES, PIECE_BYTES), (2 * PIECE_BYTES, PIECE_BYTES)]


def test_the_disk_is_left_to_others_for_as_long_as_a_piece_took(tmp_path: Path) -> None:
    begun: list[float] = []

    def write_range(descriptor: int, offset: int, length: int, flags: int) -> int:
        begun.append(time.perf_counter())
        time.sleep(0.01)
        return 0

    write_back(make_file(tmp_path, 2 * PIECE_BYTES), write_range)
    assert begun[1] - begun[0] >= 0.02


def test_a_failure_names_the_file(tmp_path: Path) -> None:
    def write_range(descriptor: int, offset: int, length: int, flags: int) -> int:
        ctypes.set_errno(errno.EIO)
        return -1

    path = make_file(tmp_path, 1)
    with pytest.raises(OSError, match=str(path)) as caught:
        write_back(path, write_range)
    assert caught.value.errno == errno.EIO


def test_without_the_call_nothing_is_done(tmp_path: Path) -> None:
    write_back(tmp_path / "missing", None)


def test_linux_has_the_call_and_takes_it(tmp_path: Path) -> None:
    write_range = find_write_range()
    assert (write_range is not None) == (sys.platform == "linux")
    write_back(make_file(tmp_path, 3 * PIECE_BYTES), write_range)
