"""All keys in order, for intervals. A key that comes is noted, and put in order when an interval asks: one that goes
before that never was. Those that go from the order are noted too and taken out together, chunk by chunk: neighbours
cost one look for their chunk.

Invariants:
1. Chunks are sorted, not empty, and each ends below where the next begins; no key is in it twice.
2. A key is in a chunk or among the pending ones, never both; a dropped one is still in a chunk.
"""

from bisect import bisect_left, bisect_right
from itertools import pairwise
from typing import Final, final

CHUNK_KEYS_MAX: Final = 2048
"""A bigger chunk is halved: inserting moves at most this many references."""

_REBUILD_FRACTION: Final = 8
"""With more pending keys than this part of all, sorting everything anew is cheaper than looking for their chunks."""

DROPPED_KEYS_MAX: Final = 1024
"""So many are removed together: about a millisecond."""


@final
class SortedKeys:
    """An ordered set of keys; who adds a key knows that it is new."""

    __slots__ = ("_chunks", "_count", "_dropped", "_firsts", "_pending")

    def __init__(self) -> None:
        self._chunks: list[list[bytes]] = []
        self._firsts: list[bytes] = []
        self._count = 0
        """Of the keys in chunks."""
        self._dropped: Final[set[bytes]] = set()
        self._pending: Final[set[bytes]] = set()

    def load(self, keys: list[bytes]) -> None:
        """The first ones, in any order."""
        assert not self, "there are keys already"
        keys.sort()
        self._rebuild(keys)

    def add(self, key: bytes) -> None:
        if key in self._dropped:
            self._dropped.remove(key)
        else:
            self._pending.add(key)

    def __len__(self) -> int:
        return self._count + len(self._pending) - len(self._dropped)

    def discard(self, key: bytes) -> None:
        """Removes a key that is there."""
        if key in self._pending:
            self._pending.remove(key)
            return
        self._dropped.add(key)
        if len(self._dropped) >= DROPPED_KEYS_MAX:
            self._remove_dropped()

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
        if self._dropped:
            self._remove_dropped()
        if not self._pending:
            return
        pending = sorted(self._pending)
        self._pending.clear()
        if len(pending) * _REBUILD_FRACTION > self._count:
            for chunk in self._chunks:
                pending += chunk
            pending.sort()  # ascending runs: they are merged
            self._rebuild(pending)
        else:
            self._insert(pending)

    def _rebuild(self, every: list[bytes]) -> None:
        """All keys, in order."""
        half = CHUNK_KEYS_MAX >> 1
        self._chunks = [every[start : start + half] for start in range(0, len(every), half)]
        self._firsts = [chunk[0] for chunk in self._chunks]
        self._count = len(every)

    def _insert(self, pending: list[bytes]) -> None:
        """More keys, in order; there are chunks already."""
        chunks = self._chunks
        firsts = self._firsts
        self._count += len(pending)
        position = 0
        while position < len(pending):
            number = max(bisect_right(firsts, pending[position]) - 1, 0)
            chunk = chunks[number]
            end = bisect_left(pending, firsts[number + 1]) if number + 1 < len(firsts) else len(pending)
            if end == position + 1:
                chunk.insert(bisect_left(chunk, pending[position]), pending[position])
            else:
                chunk += pending[position:end]
                chunk.sort()  # two ascending runs: they are merged
            position = end
            firsts[number] = chunk[0]
            if len(chunk) > CHUNK_KEYS_MAX:
                half = CHUNK_KEYS_MAX >> 1
                parts = [chunk[start : start + half] for start in range(0, len(chunk), half)]
                chunks[number : number + 1] = parts
                firsts[number : number + 1] = [part[0] for part in parts]

    def _remove_dropped(self) -> None:
        keys = sorted(self._dropped)
        self._dropped.clear()
        chunks = self._chunks
        firsts = self._firsts
        self._count -= len(keys)
        position = 0
        while position < len(keys):
            number = bisect_right(firsts, keys[position]) - 1
            chunk = chunks[number]
            end = bisect_left(keys, firsts[number + 1]) if number + 1 < len(firsts) else len(keys)
            if end == position + 1:
                found = bisect_left(chunk, keys[position])
                assert chunk[found] == keys[position], f"{keys[position]!r} is not among the keys"
                del chunk[found]
            else:
                gone = set(keys[position:end])
                left = [key for key in chunk if key not in gone]
                assert len(left) == len(chunk) - len(gone), f"not all of {end - position} keys are in their chunk"
                chunk[:] = left
            position = end
            if chunk:
                firsts[number] = chunk[0]
            else:
                del chunks[number]
                del firsts[number]

    def check_invariants(self) -> None:
        assert self._count == sum(len(chunk) for chunk in self._chunks)
        assert self._firsts == [chunk[0] for chunk in self._chunks]
        every: list[bytes] = []
        for chunk in self._chunks:
            assert chunk and len(chunk) <= CHUNK_KEYS_MAX
            every += chunk
        assert all(left < right for left, right in pairwise(every))  # I1
        assert not set(every) & self._pending  # I2
        assert self._dropped <= set(every)  # I2
