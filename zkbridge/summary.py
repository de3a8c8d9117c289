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


_NO_VALUE: Final = -(2**61)
"""What nobody notes."""


@final
class Summary:
    """Of integers, milliseconds or counts. `count` and `total` never go back, since Prometheus counts with them.

    Most values are as the one before. Such a run is one addition each; only its end is worked into the rest.
    """

    __slots__ = (
        "_count",
        "_count_before",
        "_kept",
        "_lengths",
        "_next",
        "_run_length",
        "_run_value",
        "_total",
        "_total_before",
        "_values",
        "highest",
        "lowest",
    )

    def __init__(self, kept: int = KEPT) -> None:
        self._kept: Final = kept
        # The run that goes on, and a ring of the runs before it: as many as values are kept, so never too few.
        self._run_value = _NO_VALUE
        self._run_length = 0
        self._values: list[int] = []
        self._lengths: list[int] = []
        self._next = 0
        # Of the runs that have ended.
        self._count = 0
        self._total = 0
        self._count_before = 0
        self._total_before = 0
        self.lowest = 0
        self.highest = 0
        """Since the last reset; 0 before anything is noted."""

    def note(self, value: int) -> None:
        if value == self._run_value:
            self._run_length += 1
        else:
            self._begin_run(value, 1)

    def note_many(self, value: int, count: int) -> None:
        """So many at once that are all alike."""
        if count > 0:
            if value == self._run_value:
                self._run_length += count
            else:
                self._begin_run(value, count)

    def _begin_run(self, value: int, length: int) -> None:
        ended = self._run_length
        if ended:
            ended_value = self._run_value
            self._count += ended
            self._total += ended * ended_value
            values = self._values
            if len(values) < self._kept:
                values.append(ended_value)
                self._lengths.append(ended)
            else:
                at = self._next
                values[at] = ended_value
                self._lengths[at] = ended
                self._next = at + 1 if at + 1 < self._kept else 0
        if value > self.highest:
            self.highest = value
        if value < self.lowest or self._count == self._count_before:
            self.lowest = value
        self._run_value = value
        self._run_length = length

    def show(self, count: int, total: int, lowest: int, highest: int, recent: list[int]) -> None:
        """Takes over what was counted elsewhere, in place of all that was noted."""
        self._count = count
        self._total = total
        self.lowest = lowest
        self.highest = highest
        self._run_value = _NO_VALUE
        self._run_length = 0
        self._values = recent
        self._lengths = [1] * len(recent)
        self._next = 0

    def reset(self) -> None:
        """`srst`."""
        self._count = self._count_before = self.count
        self._total = self._total_before = self.total
        self._run_value = _NO_VALUE
        self._run_length = 0
        self._values = []
        self._lengths = []
        self._next = 0
        self.lowest = 0
        self.highest = 0

    @property
    def count(self) -> int:
        """Since the start."""
        return self._count + self._run_length

    @property
    def total(self) -> int:
        """Since the start."""
        return self._total + self._run_length * self._run_value

    @property
    def recent(self) -> list[int]:
        """The last values, in no order that means anything."""
        kept = self._kept
        found = [self._run_value] * min(self._run_length, kept)
        place = self._next
        for _ in range(len(self._values)):
            if len(found) >= kept:
                break
            place = (place if place else len(self._values)) - 1
            found += [self._values[place]] * min(self._lengths[place], kept - len(found))
        return found

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
