"""From a store's histograms to what the bridge shows of them: summaries since the last `srst`, and families of metrics.

Worked example, bounds (0.001, 0.002), counts [3, 1, 0]: of four times three were below a millisecond and one between
one and two; spread over 4 values in milliseconds they are 0, 0, 0 and 1, of which a percentile can be taken.
"""

from collections.abc import Sequence
from typing import Final, final

from zkbridge.summary import Summary

SPREAD_VALUES: Final = 400
"""How many values stand for a histogram when its percentiles are taken: enough for one in a hundred."""

Family = tuple[str, str, str, list[tuple[str, str]]]
"""Name, kind, what it is, [(labels or more of the name, value as text)]."""


@final
class TimesSinceReset:
    """One histogram of seconds as a summary of milliseconds. The histogram goes on; what was before a reset is taken
    off its counts."""

    __slots__ = ("_counts_before", "_summary")

    def __init__(self) -> None:
        self._summary: Final = Summary()
        self._counts_before: list[int] = []

    def summary_ms(
        self, bounds_s: Sequence[float], counts: list[int], sum_s: float, lowest_s: float, highest_s: float
    ) -> Summary:
        """As of now; the same object each time."""
        summary = self._summary
        before = self._counts_before
        since = [count - before[place] if before else count for place, count in enumerate(counts)]
        recent = spread_ms(bounds_s, since, highest_s)
        summary.show(sum(counts), int(sum_s * 1000), int(lowest_s * 1000), int(highest_s * 1000), recent)
        return summary

    def reset(self, counts: list[int]) -> None:
        self._counts_before = counts.copy()
        self._summary.reset()


def spread_ms(bounds_s: Sequence[float], counts: list[int], highest_s: float) -> list[int]:
    """Values that lie in the classes as the observations do, evenly within each."""
    total = sum(counts)
    values: list[int] = []
    if not total:
        return values
    lower = 0.0
    for place, count in enumerate(counts):
        upper = bounds_s[place] if place < len(bounds_s) else highest_s
        upper = max(min(upper, highest_s), lower)
        share = -(-count * SPREAD_VALUES // total)  # rounded up, so that the one slow time in a thousand is there
        for step in range(share):
            values.append(int((lower + (upper - lower) * (step + 0.5) / share) * 1000))
        lower = upper
    return values


def number(name: str, kind: str, about: str, value: float) -> Family:
    return name, kind, about, [("", text_of(value))]


def histogram(name: str, about: str, bounds: Sequence[float], counts: list[int], total: float) -> Family:
    samples: list[tuple[str, str]] = []
    so_far = 0
    for place, count in enumerate(counts):
        so_far += count
        bound = text_of(bounds[place]) if place < len(bounds) else "+Inf"
        samples.append((f'_bucket{{le="{bound}"}}', str(so_far)))
    samples.append(("_sum", text_of(total)))
    samples.append(("_count", str(so_far)))
    return name, "histogram", about, samples


def text_of(value: float) -> str:
    """A whole number without a point."""
    return str(int(value)) if value == int(value) else repr(value)
