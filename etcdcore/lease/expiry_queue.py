"""Deadlines in order. A renewal costs nothing here: a lease found before its time is put back at its real deadline.

Invariants:
1. Each lease with a deadline has an entry at or before that deadline. Entries of leases that are gone, or were granted
   anew, stay until they are due: the user knows which entry of a lease counts.
"""

from heapq import heappop, heappush
from typing import Final, final


@final
class ExpiryQueue:
    """A heap of (deadline in ms, lease id)."""

    __slots__ = ("_heap",)

    def __init__(self) -> None:
        self._heap: Final[list[tuple[int, int]]] = []

    def push(self, deadline_ms: int, lease_id: int) -> None:
        heappush(self._heap, (deadline_ms, lease_id))

    def next_deadline(self) -> int | None:
        return self._heap[0][0] if self._heap else None

    def pop_due(self, now_ms: int) -> tuple[int, int] | None:
        """Takes out the first entry that is due, deadline and lease; None when none is."""
        if self._heap and self._heap[0][0] <= now_ms:
            return heappop(self._heap)
        return None

    def clear(self) -> None:
        self._heap.clear()
