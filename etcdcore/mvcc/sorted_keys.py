"""All keys in order, for intervals. Adding is a list append; the order is made when an interval asks for it.

Invariants:
1. Chunks are sorted, not empty, and each ends below where the next begins; no key is in it twice.
2. A key is in a chunk or among the pending ones, never both.
"""

from bisect import bisect_left, bisect_right
from itertools import pairwise
from typing import Final, final

CHUNK_KEYS_MAX: Final = 2048
"""A bigger chunk is halved: inserting moves at most this many references."""

_REBUILD_FRACTION: Final = 8
"""With more pending keys than this part of all, sorting everything anew is cheaper than inserting one by one."""


@final
class SortedKeys:
    """An ordered set of keys; who adds a key knows that it is new."""

    __slots__ = ("_chunks", "_count", "_firsts", "pending")

    def __init__(self) -> None:
        self._chunks: list[list[bytes]] = []
        self._firsts: list[bytes] = []
        self._count = 0
        self.pending: Final[list[bytes]] = []

    def add(self, key: bytes) -> None:
        self.pending.append(key)

    def __len__(self) -> int:
        return self._count + len(self.pending)

    def discard(self, key: bytes) -> None:
        """Removes a key that is there."""
        self._settle()
        number = bisect_right(self._firsts, key) - 1
        chunk = self._chunks[number]
        position = bisect_left(chunk, key)
        assert chunk[position] == key, f"{key!r} is not among the keys"
        del chunk[position]
        self._count -= 1
        if not chunk:
            del self._chunks[number]
            del self._firsts[number]
        elif position == 0:
            self._firsts[number] = chunk[0]

    def between(self, start: bytes, end: bytes, limit: int = 0) -> list[bytes]:
        """The keys with start <= key < end, in order; empty `end`: no upper bound; `limit` 0: all of them."""
        self._settle()
        firsts = self._firsts
        chunks = self._chunks
        number = max(bisect_right(firsts, start) - 1, 0)
        found: list[bytes] = []
        while number < len(chunks):
            chunk = chunks[number]
            if end and chunk[0] >= end:
                break
            if chunk[0] >= start and (not end or chunk[-1] < end):
                found += chunk
            else:
                low = bisect_left(chunk, start)
                high = bisect_left(chunk, end) if end else len(chunk)
                found += chunk[low:high]
            if 0 < limit <= len(found):
                return found[:limit]
            number += 1
        return found

    def _settle(self) -> None:
        pending = self.pending
        if not pending:
            return
        if len(pending) * _REBUILD_FRACTION > self._count:
            self._rebuild()
        else:
            for key in pending:
                self._insert(key)
        pending.clear()

    def _rebuild(self) -> None:
        every: list[bytes] = []
        for chunk in self._chunks:
            every += chunk
        every += self.pending
        every.sort()
        half = CHUNK_KEYS_MAX >> 1
        self._chunks = [every[start : start + half] for start in range(0, len(every), half)]
        self._firsts = [chunk[0] for chunk in self._chunks]
        self._count = len(every)

    def _insert(self, key: bytes) -> None:
        number = max(bisect_right(self._firsts, key) - 1, 0)
        chunk = self._chunks[number]
        position = bisect_left(chunk, key)
        chunk.insert(position, key)
        self._count += 1
        if position == 0:
            self._firsts[number] = key
        if len(chunk) > CHUNK_KEYS_MAX:
            half = len(chunk) >> 1
            self._chunks.insert(number + 1, chunk[half:])
            self._firsts.insert(number + 1, chunk[half])
            del chunk[half:]

    def check_invariants(self) -> None:
        assert self._count == sum(len(chunk) for chunk in self._chunks)
        assert self._firsts == [chunk[0] for chunk in self._chunks]
        every: list[bytes] = []
        for chunk in self._chunks:
            assert chunk and len(chunk) <= CHUNK_KEYS_MAX
            every += chunk
        assert all(left < right for left, right in pairwise(every))  # I1
        assert not set(every) & set(self.pending)  # I2
