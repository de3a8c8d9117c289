"""Unions of key intervals: what a user may read, and what it may write.

Example: [a,c) + [b,d) + point x + [y,open) is kept as [a,d) [x,x\\0) [y,open): [b,d) is covered, so is x; [c,e) is not.
Source: etcd server/auth/range_perm_cache.go. An end of None is open.
"""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final, final

OPEN_END: Final = b"\0"


@final
class Intervals:
    """A union, merged and in order; overlapping and adjacent intervals become one. Never changed."""

    __slots__ = ("_ends", "_starts")

    def __init__(self, ranges: Sequence[tuple[bytes, bytes]]) -> None:
        """Each a key and a range end, as in etcd's requests: an empty end is the one key, a zero byte is open."""
        starts: list[bytes] = []
        ends: list[bytes | None] = []
        for start, end in sorted([_interval(key, range_end) for key, range_end in ranges], key=_start_of):
            if starts:
                last = ends[-1]
                if last is None or start <= last:
                    if last is not None and (end is None or end > last):
                        ends[-1] = end
                    continue
            starts.append(start)
            ends.append(end)
        self._starts: Final = starts
        self._ends: Final = ends

    def covers(self, key: bytes, range_end: bytes) -> bool:
        """Whether every key of the asked interval is in the union.

        One whose end is not after its key holds no key at all: as in etcd it is covered if its key is. (With several
        intervals etcd may refuse it all the same, by the shape of its tree.)
        """
        position = bisect_right(self._starts, key) - 1
        if position < 0:
            return False
        if not range_end or (range_end <= key and range_end != OPEN_END):
            return self._is_before_end(key, position)
        end = self._ends[position]
        if end is None:
            return True
        return range_end != OPEN_END and range_end <= end

    def _is_before_end(self, key: bytes, position: int) -> bool:
        end = self._ends[position]
        return end is None or key < end


def is_valid_range(key: bytes, range_end: bytes) -> bool:
    """Whether a permission can be given for it: a key, and an end that is absent, open or after the key."""
    return len(key) > 0 and (not range_end or range_end == OPEN_END or key < range_end)


def _interval(key: bytes, range_end: bytes) -> tuple[bytes, bytes | None]:
    if not range_end:
        return key, key + b"\0"
    return key, None if range_end == OPEN_END else range_end


def _start_of(interval: tuple[bytes, bytes | None]) -> bytes:
    return interval[0]
