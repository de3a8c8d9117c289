"""The file operations that durability rests on, as one interface, so that tests can fail each of them.

Invariants:
1. Nothing here catches an `OSError`; its callers decide what an errno means.
2. A name is durable once `sync_directory` returned after the call that made it.
"""

import contextlib
import errno
import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import final

from etcdcore.storage.write_back import write_back

DIRECTORY_MODE = 0o700
FILE_MODE = 0o600
CLEAR_BYTES = 4 << 20
"""Written at once when a file is cleared."""


class FileOps(ABC):
    """Each method is one step that can fail by itself."""

    @abstractmethod
    def exists(self, path: Path) -> bool:
        """Whether a file or directory has this name."""

    @abstractmethod
    def make_directory(self, path: Path) -> None:
        """Creates the directory with mode 0700 unless it exists; its parent must exist."""

    @abstractmethod
    def create(self, path: Path) -> int:
        """Opens a new, empty file for reading and writing, emptying one that is there. Returns the descriptor."""

    @abstractmethod
    def open(self, path: Path) -> int: ...

    @abstractmethod
    def close(self, descriptor: int) -> None: ...

    @abstractmethod
    def read(self, path: Path) -> bytes: ...

    @abstractmethod
    def allocate(self, descriptor: int, offset: int, length: int) -> None:
        """Reserves real blocks, reading as zeros, so that ENOSPC comes here and not when writing."""

    @abstractmethod
    def write(self, descriptor: int, data: bytes, offset: int) -> None:
        """Writes all of `data`; on error an unknown part of it is written."""

    @abstractmethod
    def write_synced(self, descriptor: int, data: bytes, offset: int) -> None:
        """As `write`, and the data is on the disk when this returns."""

    @abstractmethod
    def clear(self, path: Path) -> None:
        """Puts zeros in the place of all that is in the file; they are on the disk when this returns."""

    @abstractmethod
    def sync(self, descriptor: int) -> None: ...

    @abstractmethod
    def truncate(self, descriptor: int, length: int) -> None: ...

    @abstractmethod
    def rename(self, source: Path, target: Path) -> None: ...

    @abstractmethod
    def unlink(self, path: Path) -> None: ...

    @abstractmethod
    def size(self, path: Path) -> int:
        """Its length in bytes."""

    @abstractmethod
    def list_names(self, directory: Path) -> list[str]:
        """The names in the directory, sorted."""

    @abstractmethod
    def sync_directory(self, path: Path) -> None: ...

    @abstractmethod
    def free_bytes(self, path: Path) -> int:
        """The room that is left to this user on the file system of `path`."""


class OsFileOps(FileOps):
    """The operating system's own."""

    __slots__ = ("_has_synced_writes",)

    def __init__(self) -> None:
        self._has_synced_writes = hasattr(os, "RWF_DSYNC")

    def exists(self, path: Path) -> bool:
        return path.exists()

    def make_directory(self, path: Path) -> None:
        with contextlib.suppress(FileExistsError):
            os.mkdir(path, DIRECTORY_MODE)

    def create(self, path: Path) -> int:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, FILE_MODE)

    def open(self, path: Path) -> int:
        return os.open(path, os.O_RDWR)

    def close(self, descriptor: int) -> None:
        os.close(descriptor)

    def read(self, path: Path) -> bytes:
        with open(path, "rb") as file:
            return file.read()

    def allocate(self, descriptor: int, offset: int, length: int) -> None:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, offset, length)
        else:
            # Platforms without it (macOS) get the length only; there ENOSPC shows when writing, which is handled too.
            os.truncate(descriptor, max(os.fstat(descriptor).st_size, offset + length))

    def write(self, descriptor: int, data: bytes, offset: int) -> None:
        written = os.pwrite(descriptor, data, offset)
        while written < len(data):
            written += os.pwrite(descriptor, data[written:], offset + written)

    def write_synced(self, descriptor: int, data: bytes, offset: int) -> None:
        # Write and sync in one system call where there is one (Linux): a thread gives up the interpreter's lock at each
        # call and, beside a busy loop, waits long to get it back.
        if self._has_synced_writes:
            try:
                written = os.pwritev(descriptor, [data], offset, os.RWF_DSYNC)
                while written < len(data):
                    written += os.pwritev(descriptor, [data[written:]], offset + written, os.RWF_DSYNC)
                return
            except OSError as error:
                if error.errno not in (errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL):
                    raise
                self._has_synced_writes = False  # a file system or sandbox without the flag
        self.write(descriptor, data, offset)
        self.sync(descriptor)

    def clear(self, path: Path) -> None:
        descriptor = self.open(path)
        try:
            length = os.fstat(descriptor).st_size
            zeros = bytes(min(length, CLEAR_BYTES))
            for offset in range(0, length, CLEAR_BYTES):
                self.write(descriptor, zeros[: length - offset], offset)
            self._settle(path, descriptor)
        finally:
            self.close(descriptor)

    def _settle(self, path: Path, descriptor: int) -> None:
        write_back(path)  # the log's own writes do not wait for all of it
        self.sync(descriptor)

    def sync(self, descriptor: int) -> None:
        if hasattr(os, "fdatasync"):
            os.fdatasync(descriptor)
        else:
            os.fsync(descriptor)

    def truncate(self, descriptor: int, length: int) -> None:
        os.ftruncate(descriptor, length)

    def rename(self, source: Path, target: Path) -> None:
        os.rename(source, target)

    def unlink(self, path: Path) -> None:
        os.unlink(path)

    def size(self, path: Path) -> int:
        return os.stat(path).st_size

    def list_names(self, directory: Path) -> list[str]:
        return sorted(os.listdir(directory))

    def sync_directory(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def free_bytes(self, path: Path) -> int:
        stats = os.statvfs(path)
        return stats.f_bavail * stats.f_frsize


@final
class UnsyncedFileOps(OsFileOps):
    """Nothing is synced: what the system has not written by itself is lost when the machine stops."""

    __slots__ = ()

    def write_synced(self, descriptor: int, data: bytes, offset: int) -> None:
        self.write(descriptor, data, offset)

    def _settle(self, path: Path, descriptor: int) -> None:
        """Left out."""

    def sync(self, descriptor: int) -> None:
        """Left out."""

    def sync_directory(self, path: Path) -> None:
        """Left out."""
