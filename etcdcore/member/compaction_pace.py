"""How much of the loop a compaction takes. Pure: the caller brings the times.

What is due at once is bound by nothing: one revision may have deleted thousands of keys. So a compaction that meets
other work takes a tenth of the loop, and more the longer it goes on. After a minute, while nobody else has work, or
when an operator waits for it, it holds back no more: its steps end by their number of records alone, and only the least
pause lies between them.

Worked example, least pause 2 ms, beside others: at first steps of 1 ms and pauses of 9; after half a minute (a share of
0.55) steps of 2.4 ms and pauses of 2.

Invariant: no pause is shorter than the least one.
"""

from typing import Final, final

STEP_S: Final = 0.001
"""A step goes on for at least this long, if there are records for it."""
SHARE_MIN: Final = 0.1
"""Of the loop's time, beside others."""
FULL_SHARE_AFTER_S: Final = 60.0
BUSY_PART: Final = 0.25
"""With more of a pause used by others, as processor time of the loop's thread, they have work."""


@final
class CompactionPace:
    """From `begin` until nothing is left to compact; times in seconds, `cpu_s` is the thread's processor time."""

    __slots__ = ("_began_s", "_pause_s_min", "_paused_cpu_s", "_paused_s", "_share", "_stepped_s")

    def __init__(self, pause_s_min: float) -> None:
        self._pause_s_min: Final = pause_s_min
        self._began_s = self._paused_s = self._stepped_s = 0.0
        self._paused_cpu_s = 0.0
        self._share = SHARE_MIN

    def begin(self, now_s: float) -> None:
        self._began_s = self._paused_s = now_s
        self._share = SHARE_MIN

    def step_begins(self, now_s: float, cpu_s: float, is_awaited: bool = False) -> None:
        paused_s = now_s - self._paused_s
        used_s = cpu_s - self._paused_cpu_s
        if is_awaited or (paused_s > 0 and used_s <= paused_s * BUSY_PART):
            self._share = 1.0
        else:
            part = (now_s - self._began_s) / FULL_SHARE_AFTER_S
            self._share = min(SHARE_MIN + (1 - SHARE_MIN) * part, 1.0)
        self._stepped_s = now_s

    def is_step_over(self, now_s: float) -> bool:
        """When with the pause behind it, the least one or longer, it makes the share."""
        stepped_s = now_s - self._stepped_s
        return stepped_s >= STEP_S and stepped_s * (1 - self._share) >= self._pause_s_min * self._share

    def step_ends(self, now_s: float, cpu_s: float) -> float:
        """The pause until the next."""
        self._paused_s = now_s
        self._paused_cpu_s = cpu_s
        return max((now_s - self._stepped_s) * (1 / self._share - 1), self._pause_s_min)
