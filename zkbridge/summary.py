"""How often, how much in all, between which bounds: a quantity as `mntr` and Prometheus show it.

The last values are kept for percentiles, and are what is recent: with 4096 of them, those of a busy second.

Worked example, 2 values kept: note(5), note(2), note(9), reset(), note(4)
    after the third   count 3  total 16  lowest 2  highest 9   recent [9, 2]
    after reset       count 3  total 16  lowest 0  highest 0   recent []     count_since_reset 0
    at the end        count 4  total 20  lowest 4  highest 4   recent [4]    count_since_reset 1, total_since_reset 4

Source: ZooKeeper AvgMinMaxCounter, AvgMinMaxPercentileCounter.
Differs: ZooKeeper's 4096 values are a random choice of all since the last reset; ours are the last ones.
"""

from typing import Final, final

KEPT_FOR_PERCENTILES: Final = 4096
"""As many as ZooKeeper keeps of a quantity with percentiles."""
KEPT: Final = 256
"""Of a quantity for which only Prometheus is told a median."""


@final
class Summary:
    """Of integers, milliseconds or counts. `count` and `total` never go back, since Prometheus counts with them."""

    __slots__ = ("_count_before", "_kept", "_next", "_total_before", "count", "highest", "lowest", "recent", "total")

    def __init__(self, kept: int = KEPT) -> None:
        self._kept: Final = kept
        self._next = 0
        self.recent: list[int] = []
        """The last values, in no order that means anything."""
        self.count = 0
        self.total = 0
        self._count_before = 0
        self._total_before = 0
        self.lowest = 0
        self.highest = 0
        """Since the last reset; 0 before anything is noted."""

    def note(self, value: int) -> None:
        if value > self.highest:
            self.highest = value
        if value < self.lowest or self.count == self._count_before:
            self.lowest = value
        self.count += 1
        self.total += value
        recent = self.recent
        if len(recent) < self._kept:
            recent.append(value)
        else:
            at = self._next
            recent[at] = value
            self._next = at + 1 if at + 1 < self._kept else 0

    def note_many(self, value: int, count: int) -> None:
        """So many at once that are all alike."""
        if count <= 0:
            return
        if value > self.highest:
            self.highest = value
        if value < self.lowest or self.count == self._count_before:
            self.lowest = value
        self.count += count
        self.total += value * count
        kept = self._kept
        recent = self.recent
        left = count if count < kept else kept
        while left:
            left -= 1
            if len(recent) < kept:
                recent.append(value)
            else:
                at = self._next
                recent[at] = value
                self._next = at + 1 if at + 1 < kept else 0

    def reset(self) -> None:
        """`srst`."""
        self._count_before = self.count
        self._total_before = self.total
        self.lowest = 0
        self.highest = 0
        self.recent = []
        self._next = 0

    @property
    def count_since_reset(self) -> int:
        return self.count - self._count_before

    @property
    def total_since_reset(self) -> int:
        return self.total - self._total_before

    @property
    def average(self) -> float:
        """Since the last reset, 0.0 before anything is noted."""
        count = self.count - self._count_before
        return (self.total - self._total_before) / count if count else 0.0

    def quantiles(self, shares: list[float]) -> list[int]:
        """Of the recent values; all 0 while there are none. Between two values as ZooKeeper's histogram does it."""
        values = sorted(self.recent)
        found: list[int] = []
        for share in shares:
            found.append(_quantile(values, share))
        return found


def _quantile(values: list[int], share: float) -> int:
    """Source: com.codahale.metrics UniformSnapshot.getValue, then Math.round."""
    count = len(values)
    if count == 0:
        return 0
    place = share * (count + 1)
    index = int(place)
    if index < 1:
        return values[0]
    if index >= count:
        return values[count - 1]
    lower = values[index - 1]
    return int(lower + (place - index) * (values[index] - lower) + 0.5)
