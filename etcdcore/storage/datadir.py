"""The data directory of one member: its layout, who holds it, what wrote it, and the room that is left.

<data-dir>/lock, <data-dir>/member/{format,wal,snap,db}

Invariants:
1. One process at a time: everything but the lock file is touched only while the lock is held.
2. A directory that something else wrote is never written to.
"""

import fcntl
import os
from pathlib import Path
from time import sleep
from typing import Final, final

from etcdcore.storage.errors import DataDirLocked, DataDirUnusable
from etcdcore.storage.file_ops import DIRECTORY_MODE, FILE_MODE, FileOps, OsFileOps

FORMAT: Final = b"etcdcore data directory, format 1\n"
RESTORING_NAME: Final = "restoring"
"""Where a restore builds what it renames to `member` in the end. Beside it nothing starts: it would start empty."""
_LOCK_NAME: Final = "lock"
# The owner writes its process id right after it got the lock; who comes in between waits this long for it.
_OWNER_TRIES: Final = 20
_OWNER_WAIT_S: Final = 0.01


@final
class DataDir:
    """An open, locked data directory. Closing it lets others in."""

    __slots__ = ("_file_ops", "_lock", "db_path", "member_path", "path", "snapshot_path", "wal_path")

    def __init__(self, path: Path, lock: int, file_ops: FileOps) -> None:
        self._lock: int | None = lock
        self._file_ops: Final = file_ops
        self.path: Final = path
        self.member_path: Final = path / "member"
        self.wal_path: Final = self.member_path / "wal"
        self.snapshot_path: Final = self.member_path / "snap"
        self.db_path: Final = self.member_path / "db"

    @classmethod
    def open(cls, path: Path, file_ops: FileOps | None = None) -> "DataDir":
        """Makes the directory if need be, locks it and checks its format.

        Raises DataDirLocked, which names the owner's process id, DataDirUnusable, and OSError as it comes.
        """
        ops = OsFileOps() if file_ops is None else file_ops
        path.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
        data_dir = cls(path, _lock(path), ops)
        try:
            data_dir._check_format()
        except BaseException:
            data_dir.close()
            raise
        return data_dir

    def free_bytes(self) -> int:
        """What is left on the file system for this user."""
        return self._file_ops.free_bytes(self.path)

    def close(self) -> None:
        if self._lock is not None:
            # Emptied first: a process id left behind would be named as the owner to whoever finds the next one's lock
            # before it wrote its own.
            os.ftruncate(self._lock, 0)
            os.close(self._lock)
            self._lock = None

    def _check_format(self) -> None:
        ops = self._file_ops
        format_path = self.member_path / "format"
        if ops.exists(self.path / RESTORING_NAME) and not ops.exists(format_path):
            raise DataDirUnusable(f"a restore to {self.path} has not finished: remove the directory and restore again")
        ops.make_directory(self.member_path)
        if ops.exists(format_path):
            found = ops.read(format_path)
            if found != FORMAT:
                raise DataDirUnusable(f"{format_path}: expected {FORMAT!r}, found {found[:80]!r}")
            self._make_directories()
            return
        strangers = [name for name in ops.list_names(self.member_path) if name != "format.tmp"]
        if strangers:
            raise DataDirUnusable(self._not_ours(strangers))
        temporary = self.member_path / "format.tmp"
        descriptor = ops.create(temporary)
        try:
            ops.write_synced(descriptor, FORMAT, 0)
            ops.sync(descriptor)
        finally:
            ops.close(descriptor)
        # Before anything else is made here: what has no format file is taken for somebody else's (I2).
        ops.rename(temporary, format_path)
        ops.sync_directory(self.member_path)
        ops.sync_directory(self.path)
        ops.sync_directory(self.path.parent)
        self._make_directories()

    def _not_ours(self, strangers: list[str]) -> str:
        found = f"{self.member_path} holds {', '.join(strangers)} but no format file: not ours"
        if not {"snap", "wal"} <= set(strangers):
            return found
        database = self.member_path / "snap" / "db"
        return (
            f"{found} but that of a real etcd, or of etcdutl snapshot restore; make one of ours from a snapshot, or "
            f"from its store: etcdcore snapshot restore --skip-hash-check {database} --data-dir DIRECTORY"
        )

    def _make_directories(self) -> None:
        """The engine makes its own, and a log's directory with a log in it comes from `Wal.create`."""
        self._file_ops.make_directory(self.wal_path)
        self._file_ops.make_directory(self.snapshot_path)
        self._file_ops.sync_directory(self.member_path)


def _lock(path: Path) -> int:
    lock_path = path / _LOCK_NAME
    descriptor = os.open(lock_path, os.O_RDWR | os.O_CREAT, FILE_MODE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        try:
            raise DataDirLocked(path, _owner(descriptor)) from error
        finally:
            os.close(descriptor)
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor


def _owner(descriptor: int) -> int | None:
    for _ in range(_OWNER_TRIES):
        text = os.pread(descriptor, 32, 0).strip()
        if text.isdigit() and _is_alive(int(text)):
            return int(text)
        sleep(_OWNER_WAIT_S)
    return None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
