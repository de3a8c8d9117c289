"""Time as a member knows it: a monotonic clock, and when periodic work is due by it."""

from time import monotonic
from typing import Final, final

from etcdcore.member.ports import Clock


@final
class MonotonicClock(Clock):
    """The system's. The loop's own time stands still within a turn, so it can't tell how long one takes."""

    __slots__ = ()

    def now_s(self) -> float:
        return monotonic()


@final
class Interval:
    """Due once a period. Periods missed in a stall count as one: nobody else's answers could be heard meanwhile, and
    several ticks in a row would depose a healthy leader.

    Example, period 0.1 s: asked at 0.05 no, 0.10 yes, 0.19 no, 0.20 yes, 0.95 (a stall) yes, 1.04 no, 1.05 yes.
    """

    __slots__ = ("_next_s", "_period_s")

    def __init__(self, period_s: float, now_s: float) -> None:
        self._period_s: Final = period_s
        self._next_s = now_s + period_s

    def is_due(self, now_s: float) -> bool:
        if now_s < self._next_s:
            return False
        self._next_s += self._period_s
        if self._next_s <= now_s:
            self._next_s = now_s + self._period_s
        return True
