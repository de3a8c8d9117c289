"""A disk: files whose writes are in the page cache until they are synced, and the engine's pages beside them.

A killed process leaves the page cache as it is; of the write that was under way any prefix may have got there. A power
failure leaves what was synced, of later writes any sectors, and of names those that a synced directory holds.

Worked example, a file of 8 synced bytes to which `write_synced(b"xyz", 8)` is under way:
    killed          8 bytes, and 0 to 3 more
    power failure   8 bytes, and each unsynced sector with a chance of a half
    completed       11 bytes whatever happens
"""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Final

from etcdcore.errors import EngineError
from etcdcore.mvcc.engine import Engine, EngineView
from etcdcore.storage.file_ops import FileOps
from etcdcore.storage.memory_engine import MemoryEngine
from tests.simulation.system.threads import current_threads
from tests.simulation.system.world import World

SECTOR_BYTES: Final = 512
ROOM_BYTES: Final = 1 << 40


class _File:
    """What readers see, and what a power failure leaves of it."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.synced = b""
        self.under_way: tuple[bytes, int] | None = None


class SimDisk:
    """One machine's disk. It outlives processes; faults are its attributes."""

    def __init__(self, world: World) -> None:
        self.world: Final = world
        self.files: Final[dict[Path, _File]] = {}
        self.synced_names: Final[dict[Path, _File]] = {}
        self.directories: Final[set[Path]] = set()
        self.engine: Final = MemoryEngine()
        self.latency_s = (0.0001, 0.002)
        self.stalled_until_s = 0.0
        self.is_full = False
        self.is_failing = False
        self.refused_count = 0

    def rest(self) -> None:
        """How long one operation takes: only threads wait for it, as the loop never touches a disk while it serves."""
        threads = current_threads()
        if threads is not None:
            stall_s = max(self.stalled_until_s - self.world.now_s, 0.0)
            threads.rest(stall_s + self.world.rng.uniform(*self.latency_s))

    def kill(self) -> None:
        """The process has died: the page cache stays, and of writes under way some of the bytes."""
        for file in self.files.values():
            if file.under_way is not None:
                data, offset = file.under_way
                _put(file.data, data[: self.world.rng.randint(0, len(data))], offset)
                file.under_way = None
        self.engine.rollback()

    def lose_power(self) -> None:
        """The machine has died: what was not synced is lost, in sectors; of the engine all of it, as LMDB's meta page
        that was put back says."""
        for file in self.files.values():
            after = bytearray(file.data)
            if file.under_way is not None:
                _put(after, *file.under_way)
                file.under_way = None
            self._lose_sectors(file, after)
        for path in list(self.files):
            if path not in self.synced_names:
                del self.files[path]
        for path, file in self.synced_names.items():
            self.files.setdefault(path, file)
        self.engine.crash()

    def _lose_sectors(self, file: _File, after: bytearray) -> None:
        kept = bytearray(file.synced)
        for start in range(0, len(after), SECTOR_BYTES):
            sector = bytes(after[start : start + SECTOR_BYTES])
            before = bytes(file.synced[start : start + SECTOR_BYTES])
            if sector != before and self.world.rng.random() < 0.5:
                _put(kept, sector, start)
        file.data = kept
        file.synced = bytes(kept)

    def flip_bit(self, path: Path, offset: int) -> None:
        """One bit of what is on the disk."""
        file = self.files[path]
        file.data[offset] ^= 1 << self.world.rng.randint(0, 7)
        file.synced = bytes(file.data)


def _put(target: bytearray, data: bytes, offset: int) -> None:
    if len(target) < offset:
        target.extend(bytes(offset - len(target)))
    target[offset : offset + len(data)] = data


class SimFileOps(FileOps):
    """One process's way to the disk. `is_dead`: nothing reaches it any more."""

    def __init__(self, disk: SimDisk) -> None:
        self._disk: Final = disk
        self._open: Final[dict[int, Path]] = {}
        self._next = 3
        self.is_dead = False

    def _check(self, needs_room: bool = False) -> None:
        self._disk.rest()
        if self.is_dead:
            raise OSError(errno.EIO, "this process is dead")
        if needs_room and self._disk.is_full:
            self._disk.refused_count += 1
            raise OSError(errno.ENOSPC, "No space left on device")

    def _file(self, descriptor: int) -> _File:
        return self._disk.files[self._open[descriptor]]

    def exists(self, path: Path) -> bool:
        return path in self._disk.files or path in self._disk.directories

    def make_directory(self, path: Path) -> None:
        self._check()
        self._disk.directories.add(path)

    def create(self, path: Path) -> int:
        self._check(True)
        self._disk.files[path] = _File()
        return self._descriptor(path)

    def open(self, path: Path) -> int:
        self._check()
        if path not in self._disk.files:
            raise FileNotFoundError(errno.ENOENT, "No such file", str(path))
        return self._descriptor(path)

    def _descriptor(self, path: Path) -> int:
        self._next += 1
        self._open[self._next] = path
        return self._next

    def close(self, descriptor: int) -> None:
        self._open.pop(descriptor, None)

    def read(self, path: Path) -> bytes:
        if path not in self._disk.files:
            raise FileNotFoundError(errno.ENOENT, "No such file", str(path))
        return bytes(self._disk.files[path].data)

    def allocate(self, descriptor: int, offset: int, length: int) -> None:
        self._check(True)
        file = self._file(descriptor)
        if len(file.data) < offset + length:
            file.data.extend(bytes(offset + length - len(file.data)))

    def write(self, descriptor: int, data: bytes, offset: int) -> None:
        self._check(True)
        _put(self._file(descriptor).data, data, offset)

    def write_synced(self, descriptor: int, data: bytes, offset: int) -> None:
        file = self._file(descriptor)
        file.under_way = (data, offset)
        self._check(True)
        file.under_way = None
        if self._disk.is_failing:
            self._disk.refused_count += 1
            _put(file.data, data[: len(data) // 2], offset)
            raise OSError(errno.EIO, "Input/output error")
        _put(file.data, data, offset)
        file.synced = bytes(file.data)

    def clear(self, path: Path) -> None:
        self._check()
        file = self._disk.files[path]
        file.data[:] = bytes(len(file.data))
        file.synced = bytes(file.data)

    def sync(self, descriptor: int) -> None:
        self._check()
        file = self._file(descriptor)
        file.synced = bytes(file.data)

    def truncate(self, descriptor: int, length: int) -> None:
        self._check()
        file = self._file(descriptor)
        del file.data[length:]

    def rename(self, source: Path, target: Path) -> None:
        self._check()
        if source not in self._disk.files:
            raise FileNotFoundError(errno.ENOENT, "No such file", str(source))
        self._disk.files[target] = self._disk.files.pop(source)
        for descriptor, path in self._open.items():
            if path == source:
                self._open[descriptor] = target

    def unlink(self, path: Path) -> None:
        self._check()
        if self._disk.files.pop(path, None) is None:
            raise FileNotFoundError(errno.ENOENT, "No such file", str(path))

    def size(self, path: Path) -> int:
        if path not in self._disk.files:
            raise FileNotFoundError(errno.ENOENT, "No such file", str(path))
        return len(self._disk.files[path].data)

    def list_names(self, directory: Path) -> list[str]:
        return sorted({path.relative_to(directory).parts[0] for path in self._paths() if directory in path.parents})

    def _paths(self) -> list[Path]:
        return [*self._disk.files, *self._disk.directories]

    def sync_directory(self, path: Path) -> None:
        self._check()
        names = self._disk.synced_names
        for known in [known for known in names if known.parent == path]:
            if known not in self._disk.files:
                del names[known]
        for known, file in self._disk.files.items():
            if known.parent == path:
                names[known] = file

    def free_bytes(self, path: Path) -> int:
        return 0 if self._disk.is_full else ROOM_BYTES


class SimEngine(Engine):
    """The machine's engine, as one process has it open; its sync takes as long as the disk does."""

    def __init__(self, disk: SimDisk) -> None:
        self._disk: Final = disk
        self._engine: Final = disk.engine
        self.is_dead = False

    def _alive(self) -> MemoryEngine:
        if self.is_dead:
            raise EngineError("this process is dead")
        return self._engine

    def get(self, table: int, key: bytes) -> bytes | None:
        return self._alive().get(table, key)

    def put(self, table: int, key: bytes, value: bytes) -> None:
        self._alive().put(table, key, value)

    def append(self, table: int, key: bytes, value: bytes) -> None:
        self._alive().append(table, key, value)

    def delete(self, table: int, key: bytes) -> bool:
        return self._alive().delete(table, key)

    def scan(
        self, table: int, start: bytes, end: bytes, limit: int = 0, reverse: bool = False, bytes_max: int = 0
    ) -> list[tuple[bytes, bytes]]:
        return self._alive().scan(table, start, end, limit, reverse, bytes_max)

    def commit(self) -> None:
        engine = self._alive()
        if self._disk.is_full:
            self._disk.refused_count += 1
            engine.fail_next_commit = True
        engine.commit()

    def rollback(self) -> None:
        self._alive().rollback()

    def sync(self) -> None:
        self._alive()
        self._disk.rest()
        self._alive().sync()

    def backup(self, path: str) -> None:
        self._alive().backup(path)

    def open_view(self) -> EngineView:
        return self._alive().open_view()

    @property
    def is_viewed(self) -> bool:
        return self._alive().is_viewed

    def rewrite(self) -> None:
        self._disk.rest()

    def swap(self) -> None:
        self._alive()

    def size(self) -> tuple[int, int]:
        return self._alive().size()

    def close(self) -> None:
        if not self.is_dead:
            self._engine.close()
