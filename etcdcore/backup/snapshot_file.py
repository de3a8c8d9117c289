"""A snapshot as a file: a bbolt file, and behind it, if it came over the network, the SHA-256 of it.

Which of the two it is shows in its size: pages are whole sectors, the digest is 32 bytes more.
"""

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

SECTOR_BYTES: Final = 512
DIGEST_BYTES: Final = 32
_CHUNK_BYTES: Final = 1 << 20


class SnapshotRefused(Exception):
    """The file is no snapshot that could be used as asked; the text says why."""


@contextmanager
def open_snapshot(path: Path) -> Iterator[BinaryIO]:
    """The file, locked as readers of bbolt lock it. Refuses one that a running etcd has open."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise SnapshotRefused(f"cannot open {path}: {error.strerror}") from error
    with file:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SnapshotRefused(f"{path} is in use by a running etcd: stop it, or save a snapshot of it") from error
        yield file


def has_digest(size: int) -> bool:
    return size % SECTOR_BYTES == DIGEST_BYTES


def check_digest(file: BinaryIO) -> None:
    """Raises SnapshotRefused when the digest is missing or wrong."""
    size = file.seek(0, 2)
    if not has_digest(size):
        raise SnapshotRefused("snapshot missing hash but --skip-hash-check=false")
    file.seek(0)
    digest = hashlib.sha256()
    left = size - DIGEST_BYTES
    while left:
        chunk = file.read(min(left, _CHUNK_BYTES))
        if not chunk:
            raise SnapshotRefused("the snapshot became shorter while it was read")
        digest.update(chunk)
        left -= len(chunk)
    expected = file.read(DIGEST_BYTES)
    if expected != digest.digest():
        raise SnapshotRefused(f"expected sha256 {expected.hex()}, got {digest.hexdigest()}")
