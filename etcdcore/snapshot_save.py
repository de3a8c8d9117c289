"""Takes a snapshot of a running server into a file: nothing has the file's name before it is whole and on the disk."""

import hashlib
import os
from pathlib import Path

from etcdcore.backup.snapshot_file import DIGEST_BYTES, SnapshotRefused, has_digest
from etcdcore.client.client import Client
from etcdcore.storage.file_ops import FILE_MODE


async def save_snapshot(path: Path, client: Client) -> None:
    """Closes the client. Raises SnapshotRefused for a wrong digest, EtcdError and OSError."""
    part = path.with_name(path.name + ".part")
    async with client:
        try:
            await _fetch(part, client)
            part.rename(path)
        finally:
            part.unlink(missing_ok=True)


async def _fetch(part: Path, client: Client) -> None:
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        digest = hashlib.sha256()
        # The digest at the end is of what came before, and nothing says which piece is the last.
        held = b""
        size = 0
        async for blob in client.maintenance.snapshot():
            file.write(blob)
            size += len(blob)
            held += blob
            digest.update(held[:-DIGEST_BYTES])
            held = held[-DIGEST_BYTES:]
        if not has_digest(size):
            raise SnapshotRefused(f"sha256 checksum not found [bytes: {size}]")
        if held != digest.digest():
            raise SnapshotRefused(f"expected sha256 {held.hex()}, got {digest.hexdigest()}")
        file.flush()
        os.fsync(file.fileno())
