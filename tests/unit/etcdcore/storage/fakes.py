"""File operations that fail on demand, and shorthands for writing a log without a loop or thread."""

import errno
import threading
from pathlib import Path
from typing import Final

from etcdcore.raft.messages import Entry, HardState
from etcdcore.storage.file_ops import FileOps, OsFileOps
from etcdcore.storage.wal import Wal, WalGroup
from etcdcore.types import LogIndex, MemberId, Term


class FaultyFileOps(FileOps):
    """The real thing, but for a bounded disk, errors by an operation's name, and gates for some operations."""

    def __init__(self) -> None:
        self._real: Final = OsFileOps()
        self.is_full = False
        self.is_write_full = False
        self.errors: Final[dict[str, int]] = {}
        self.calls: Final[list[str]] = []
        self.writes: Final[list[int]] = []
        self.gate: Final = threading.Event()
        self.gate.set()
        self.write_started: Final = threading.Event()
        self.allocation_gate: Final = threading.Event()
        self.allocation_gate.set()
        self.allocation_started: Final = threading.Event()
        self.removal_gate: Final = threading.Event()
        self.removal_gate.set()
        self.removal_started: Final = threading.Event()

    def exists(self, path: Path) -> bool:
        return self._real.exists(path)

    def make_directory(self, path: Path) -> None:
        self._call("make_directory")
        self._real.make_directory(path)

    def create(self, path: Path) -> int:
        self._call("create")
        return self._real.create(path)

    def open(self, path: Path) -> int:
        self._call("open")
        return self._real.open(path)

    def close(self, descriptor: int) -> None:
        self._call("close")
        self._real.close(descriptor)

    def read(self, path: Path) -> bytes:
        self._call("read")
        return self._real.read(path)

    def allocate(self, descriptor: int, offset: int, length: int) -> None:
        self._call("allocate")
        self.allocation_started.set()
        assert self.allocation_gate.wait(10)
        if self.is_full:
            raise OSError(errno.ENOSPC, "No space left on device")
        self._real.allocate(descriptor, offset, length)

    def write(self, descriptor: int, data: bytes, offset: int) -> None:
        self._call("write")
        self._real.write(descriptor, data, offset)

    def write_synced(self, descriptor: int, data: bytes, offset: int) -> None:
        self.write_started.set()
        assert self.gate.wait(10)
        if self.is_write_full:
            self._real.write_synced(descriptor, data[: len(data) // 2], offset)
            raise OSError(errno.ENOSPC, "No space left on device")
        self._call("write_synced")
        self.writes.append(len(data))
        self._real.write_synced(descriptor, data, offset)

    def clear(self, path: Path) -> None:
        self._call("clear")
        self._real.clear(path)

    def sync(self, descriptor: int) -> None:
        self._call("sync")
        self._real.sync(descriptor)

    def truncate(self, descriptor: int, length: int) -> None:
        self._call("truncate")
        self._real.truncate(descriptor, length)

    def rename(self, source: Path, target: Path) -> None:
        self._call("rename")
        self._wait_to_remove(source)
        self._real.rename(source, target)

    def unlink(self, path: Path) -> None:
        self._call("unlink")
        self._wait_to_remove(path)
        self._real.unlink(path)

    def size(self, path: Path) -> int:
        return self._real.size(path)

    def list_names(self, directory: Path) -> list[str]:
        return self._real.list_names(directory)

    def sync_directory(self, path: Path) -> None:
        self._call("sync_directory")
        self._real.sync_directory(path)

    def free_bytes(self, path: Path) -> int:
        return 0 if self.is_full else self._real.free_bytes(path)

    def _wait_to_remove(self, path: Path) -> None:
        if path.suffix == ".wal":
            self.removal_started.set()
            assert self.removal_gate.wait(10)

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if name in self.errors:
            raise OSError(self.errors[name], "injected")


def entry(index: int, term: int = 1, data: bytes = b"") -> Entry:
    return Entry(LogIndex(index), Term(term), 0, data or b"value of %d" % index)


def hard_state(term: int, vote: int, commit: int) -> HardState:
    return HardState(Term(term), MemberId(vote), LogIndex(commit))


def persist(wal: Wal, group: WalGroup) -> None:
    """What the writer thread does with a group."""
    for write in group.writes:
        wal.files.write(write, b"".join(write.parts))
    if group.drops:
        wal.files.drop(group.drops)


def append(wal: Wal, *entries: Entry, state: HardState | None = None) -> None:
    """One group."""
    group = WalGroup()
    wal.encode_entries(group, entries)
    if state is not None:
        wal.encode_hard_state(group, state)
    persist(wal, group)
