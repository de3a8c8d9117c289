"""Synced watchers by what they watch, and which of them a changed key concerns: sublinear in their number.

Watchers of one key or of one equal interval are a group. Intervals lie in an array sorted by their starts, read as a
balanced tree (the middle is the root): each node knows the greatest end below it, so that a look-up passes over whole
subtrees that end before the key. New intervals wait in a short list until they are worth a new array.

Example: [a,c) [b,z) [d,f) is the tree of root [b,z) with greatest end z; for key y its right side [d,f) ends at f:
passed over; its left side [a,c) ends at c: passed over; found: [b,z).

Invariants:
1. A watcher is in exactly one group, an empty group in no table. The array may still hold groups that became empty.
2. `_end_max[at]` is the greatest end of the subtree whose root is `at`; None is no upper bound.
"""

from typing import Final, final

from etcdcore.mvcc.watch_stream import Watcher
from etcdcore.types import KeyEvent

FRESH_MAX: Final = 32
"""So many new intervals are looked through one by one, or this part of the array if that is more..."""
FRESH_PARTS: Final = 32


@final
class WatchGroup:
    """Watchers of one key (`end` is empty) or one interval. `events` are those of the revision that is being told."""

    __slots__ = ("end", "events", "key", "watchers")

    def __init__(self, key: bytes, end: bytes | None) -> None:
        self.key: Final = key
        self.end: Final = end
        self.watchers: Final[dict[Watcher, None]] = {}
        self.events: list[KeyEvent] = []

    def covers(self, key: bytes) -> bool:
        """Of an interval."""
        return key >= self.key and (self.end is None or key < self.end)


@final
class WatchGroups:
    __slots__ = ("_by_key", "_emptied_count", "_end_max", "_fresh", "_intervals", "_sorted")

    def __init__(self) -> None:
        self._by_key: Final[dict[bytes, WatchGroup]] = {}
        self._intervals: Final[dict[tuple[bytes, bytes | None], WatchGroup]] = {}
        self._sorted: list[WatchGroup] = []
        self._end_max: list[bytes | None] = []
        self._fresh: list[WatchGroup] = []
        self._emptied_count = 0

    @property
    def is_empty(self) -> bool:
        return not self._by_key and not self._intervals

    def add(self, watcher: Watcher) -> None:
        key, end = watcher.key, watcher.end
        if end == b"":
            group = self._by_key.get(key)
            if group is None:
                group = self._by_key[key] = WatchGroup(key, end)
        else:
            group = self._intervals.get((key, end))
            if group is None:
                group = self._intervals[key, end] = WatchGroup(key, end)
                self._fresh.append(group)
        group.watchers[watcher] = None

    def remove(self, watcher: Watcher) -> None:
        key, end = watcher.key, watcher.end
        group = self._by_key[key] if end == b"" else self._intervals[key, end]
        del group.watchers[watcher]
        if group.watchers:
            return
        if end == b"":
            del self._by_key[key]
        else:
            del self._intervals[key, end]
            self._emptied_count += 1

    def all(self) -> list[Watcher]:
        groups = [*self._by_key.values(), *self._intervals.values()]
        return [watcher for group in groups for watcher in group.watchers]

    def collect(self, event: KeyEvent, touched: list[WatchGroup]) -> None:
        """Gives the event to every group whose key or interval it is in; those that had none before join `touched`."""
        key = event.kv.key
        group = self._by_key.get(key)
        if group is not None:
            if not group.events:
                touched.append(group)
            group.events.append(event)
        if self._intervals:
            fresh_max = max(FRESH_MAX, len(self._sorted) // FRESH_PARTS)
            if len(self._fresh) > fresh_max or self._emptied_count > fresh_max:
                self._rebuild()
            for group in self._fresh:
                if group.covers(key):
                    _give(group, event, touched)
            self._search(0, len(self._sorted), event, touched)

    def _search(self, low: int, high: int, event: KeyEvent, touched: list[WatchGroup]) -> None:
        """The subtree of the array from `low` up to `high`."""
        key = event.kv.key
        while low < high:
            middle = (low + high) >> 1
            end_max = self._end_max[middle]
            if end_max is not None and end_max <= key:
                return
            self._search(low, middle, event, touched)
            group = self._sorted[middle]
            if group.key > key:
                return
            if group.end is None or key < group.end:
                _give(group, event, touched)
            low = middle + 1

    def _rebuild(self) -> None:
        self._sorted = sorted(self._intervals.values(), key=_start_of)
        self._fresh = []
        self._emptied_count = 0
        self._end_max = [None] * len(self._sorted)
        self._find_end_max(0, len(self._sorted))

    def _find_end_max(self, low: int, high: int) -> bytes | None:
        """Of a subtree that is not empty."""
        middle = (low + high) >> 1
        end_max = self._sorted[middle].end
        if low < middle:
            end_max = _later(end_max, self._find_end_max(low, middle))
        if middle + 1 < high:
            end_max = _later(end_max, self._find_end_max(middle + 1, high))
        self._end_max[middle] = end_max
        return end_max

    def check_invariants(self) -> None:
        for (key, end), group in self._intervals.items():
            assert group.watchers and (group.key, group.end) == (key, end)  # I1
            assert group in self._sorted or group in self._fresh
        assert all(group.watchers and not group.events for group in self._by_key.values())
        assert [group.key for group in self._sorted] == sorted(group.key for group in self._sorted)


def _give(group: WatchGroup, event: KeyEvent, touched: list[WatchGroup]) -> None:
    if not group.watchers:
        return
    if not group.events:
        touched.append(group)
    group.events.append(event)


def _later(one: bytes | None, other: bytes | None) -> bytes | None:
    return None if one is None or other is None else max(one, other)


def _start_of(group: WatchGroup) -> bytes:
    return group.key
