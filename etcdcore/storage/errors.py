"""What can go wrong with files, mapped once from `OSError` at this room's edge.

`DiskFull` is the one that heals; every other failure of a write or a sync stops the member, because after a failed
fsync nobody knows what the disk holds.
"""

from pathlib import Path


class StorageError(Exception):
    """A file of the data directory cannot be used as it should."""


class DataDirLocked(StorageError):
    """Another process holds the data directory."""

    def __init__(self, path: Path, owner_pid: int | None) -> None:
        owner = f"process {owner_pid}" if owner_pid is not None else "another process"
        super().__init__(f"data directory {path} is in use by {owner}")
        self.path = path
        self.owner_pid = owner_pid


class DataDirUnusable(StorageError):
    """The data directory was written by another program, or by a version this one does not know."""


class WalCorrupted(StorageError):
    """The log is damaged where it had been durable: nothing is guessed, nothing is cut."""

    def __init__(self, path: Path, offset: int, reason: str) -> None:
        super().__init__(f"write-ahead log corrupted in {path} at offset {offset}: {reason}")
        self.path = path
        self.offset = offset
        self.reason = reason


class WalWriteFailed(StorageError):
    """A write, sync or directory operation of the log failed: the member must stop."""

    def __init__(self, path: Path, cause: str) -> None:
        super().__init__(f"write-ahead log {path} cannot be written: {cause}")
        self.path = path


class WalClosed(StorageError):
    """Something was appended to a log whose writer was closed."""


class DiskFull(StorageError):
    """There is no room for the log. What was handed over stays queued, in order, and is tried again.

    `blocked` says whether records already handed over wait for room. If not, the disk filled while the next segment was
    reserved: the segment in use still has room for what is in flight, and new writes should be refused from now on.
    """

    def __init__(self, path: Path, needed_bytes: int, blocked: bool) -> None:
        state = "the log waits for room" if blocked else "the next log segment cannot be reserved"
        super().__init__(f"no space left for {path}: {needed_bytes} bytes needed, {state}")
        self.path = path
        self.needed_bytes = needed_bytes
        self.blocked = blocked


class SnapshotUnreadable(StorageError):
    """A snapshot marker file is damaged; an older one may still be good."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"snapshot marker {path} is unreadable: {reason}")
        self.path = path
        self.reason = reason
