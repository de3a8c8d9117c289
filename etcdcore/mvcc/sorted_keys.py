"""All keys in order, for intervals. Adding and removing are notes; the order is made when an interval asks for it, or
when many keys are noted, chunk by chunk: neighbours that come or go together cost one look for their chunk.

Invariants:
1. Chunks are sorted, not empty, and each ends below where the next begins; no key is in it twice.
2. A key is in a chunk or among the pending ones, never both; a dropped one is still in one of them.
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

    __slots__ = ("_chunks", "_count", "_dropped", "_firsts", "pending")

    def __init__(self) -> None:
        self._chunks: list[list[bytes]] = []
        self._firsts: list[bytes] = []
        self._count = 0
        """Of the keys in chunks."""
        self._dropped: Final[set[bytes]] = set()
        self.pending: Final[list[bytes]] = []
        """Added since; who knows that none of its keys was ever dropped may append."""

    def add(self, key: bytes) -> None:
        if key in self._dropped:
            self._dropped.remove(key)
        else:
            self.pending.append(key)

    def __len__(self) -> int:
        return self._count + len(self.pending) - len(self._dropped)

    def discard(self, key: bytes) -> None:
        """Removes a key that is there."""
        self._dropped.add(key)
        if len(self._dropped) >= DROPPED_KEYS_MAX:
            self._settle()

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
        dropped = self._dropped
        if dropped:
            kept = [key for key in pending if key not in dropped]
            if len(kept) < len(pending):
                dropped.difference_update(pending)
                pending[:] = kept
            if dropped:
                self._remove(sorted(dropped))
                dropped.clear()
        if not pending:
            return
        pending.sort()
        if len(pending) * _REBUILD_FRACTION > self._count:
            self._rebuild()
        else:
            self._insert()
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

    def _insert(self) -> None:
        """The pending keys, in order; there are chunks already."""
        pending = self.pending
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

    def _remove(self, keys: list[bytes]) -> None:
        """Keys that are in chunks, in order."""
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
        assert not set(every) & set(self.pending)  # I2
        assert self._dropped <= set(every) | set(self.pending)  # I2
