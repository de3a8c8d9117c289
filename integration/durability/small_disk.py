"""A small disk that really fills up, for whoever may mount one."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def mounted(path: Path, size_mib: int) -> Iterator[Path]:
    """A tmpfs at `path`. Where none can be mounted the test is skipped, but never in CI."""
    path.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size_mib}m", "tmpfs", str(path)], capture_output=True, text=True
    )
    if mount.returncode != 0:
        reason = f"a tmpfs cannot be mounted here: {mount.stderr.strip()}"
        assert os.environ.get("CI") != "true", reason
        pytest.skip(reason)
    try:
        yield path
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


def fill(ballast: Path) -> None:
    """Takes all the room that is left, though others write meanwhile."""
    with ballast.open("ab", buffering=0) as file:
        for piece in (bytes(1 << 20), bytes(1 << 12)):
            with contextlib.suppress(OSError):
                while file.write(piece):
                    continue
