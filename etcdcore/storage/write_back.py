"""Has a file's changed pages written to the disk gently, before a sync that would write them all at once.

A sync of a hundred megabytes keeps the disk busy for tens of milliseconds, and a write of the log that comes meanwhile
waits behind it all. Written a piece at a time, with a pause as long as the piece took, it waits for one piece at most.
Nothing is durable by this: the sync comes after it. Source: sync_file_range(2).
"""

import ctypes
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

PIECE_BYTES: Final = 1 << 20
_WAIT_BEFORE_WRITE_AND_WAIT_AFTER: Final = 7
_CLEAN_S: Final = 0.0001
"""A piece that took less had nothing to write."""
_PAUSE_S_MAX: Final = 0.02

WriteRange = Callable[[int, int, int, int], int]
"""Descriptor, offset, length, flags; 0, or -1 with errno set."""


def find_write_range() -> WriteRange | None:
    """The C library's sync_file_range; None where the system has none: then the sync does all the work."""
    function = getattr(ctypes.CDLL(None, use_errno=True), "sync_file_range", None)
    if function is not None:
        function.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)
    return function


_WRITE_RANGE: Final = find_write_range()


def write_back(path: Path, write_range: WriteRange | None = _WRITE_RANGE) -> None:
    """Returns when every page of the file that was changed before is written. Raises OSError."""
    if write_range is None:
        return
    with path.open("rb") as file:
        descriptor = file.fileno()
        for offset in range(0, os.fstat(descriptor).st_size, PIECE_BYTES):
            began_s = time.perf_counter()
            if write_range(descriptor, offset, PIECE_BYTES, _WAIT_BEFORE_WRITE_AND_WAIT_AFTER):
                number = ctypes.get_errno()
                raise OSError(number, os.strerror(number), str(path))
            taken_s = time.perf_counter() - began_s
            if taken_s > _CLEAN_S:
                time.sleep(min(taken_s, _PAUSE_S_MAX))
