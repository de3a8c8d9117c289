"""The operating system's file operations."""

import errno
import os
from pathlib import Path

import pytest

from etcdcore.storage.file_ops import CLEAR_BYTES, OsFileOps


def test_a_synced_write_is_complete_with_one_system_call_and_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ops = OsFileOps()
    descriptor = ops.create(tmp_path / "file")
    ops.write_synced(descriptor, b"a" * 100_000, 0)

    def refuse(*_: object) -> int:
        raise OSError(errno.EOPNOTSUPP, "not here")

    monkeypatch.setattr(os, "pwritev", refuse)
    ops.write_synced(descriptor, b"b" * 100_000, 50_000)
    ops.close(descriptor)
    assert ops.read(tmp_path / "file") == b"a" * 50_000 + b"b" * 100_000


def test_short_writes_go_on_behind_what_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ops = OsFileOps()
    descriptor = ops.create(tmp_path / "file")
    real_write, real_writev = os.pwrite, os.pwritev

    def short_write(target: int, data: bytes, offset: int) -> int:
        return real_write(target, data[:7], offset)

    def short_writev(target: int, buffers: list[bytes], offset: int, flags: int) -> int:
        return real_writev(target, [buffers[0][:7]], offset, flags)

    monkeypatch.setattr(os, "pwrite", short_write)
    monkeypatch.setattr(os, "pwritev", short_writev)
    data = bytes(range(100))
    ops.write(descriptor, data, 0)
    ops.write_synced(descriptor, data, 100)
    ops.close(descriptor)
    assert ops.read(tmp_path / "file") == data + data


def test_an_error_of_a_synced_write_is_not_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ops = OsFileOps()
    descriptor = ops.create(tmp_path / "file")

    def fail(*_: object) -> int:
        raise OSError(errno.EIO, "the disk is gone")

    monkeypatch.setattr(os, "pwritev", fail)
    monkeypatch.setattr(os, "pwrite", fail)
    with pytest.raises(OSError, match="the disk is gone"):
        ops.write_synced(descriptor, b"data", 0)
    ops.close(descriptor)


def test_allocated_room_is_real_and_reads_as_zeros(tmp_path: Path) -> None:
    ops = OsFileOps()
    descriptor = ops.create(tmp_path / "file")
    ops.allocate(descriptor, 0, 1 << 20)
    stats = os.fstat(descriptor)
    ops.close(descriptor)
    assert stats.st_size == 1 << 20
    assert stats.st_blocks * 512 >= 1 << 20
    assert not ops.read(tmp_path / "file").strip(b"\0")


def test_a_cleared_file_has_its_length_and_blocks_and_nothing_but_zeros(tmp_path: Path) -> None:
    """Longer than what is written at once, and not a multiple of it."""
    ops = OsFileOps()
    length = 2 * CLEAR_BYTES + 12_345
    (tmp_path / "file").write_bytes(b"x" * length)
    blocks = os.stat(tmp_path / "file").st_blocks
    ops.clear(tmp_path / "file")
    assert ops.read(tmp_path / "file") == bytes(length)
    assert ops.size(tmp_path / "file") == length
    assert os.stat(tmp_path / "file").st_blocks == blocks
