"""How much of the loop a compaction takes. Pure: the caller brings the times.

What is due at once is bound by nothing: one revision may have deleted thousands of keys. So a compaction that meets
other work takes a tenth of the loop, and more the longer it goes on; after a minute it holds back no more, and what it
has to remove cannot grow without end. While nobody else has work it only makes room for them between its steps.

Worked example, steps of 1 ms: alone a pause of 2 ms after each; beside others 9 ms at first, 1 ms after half a minute.

Invariant: the pause after a step is never shorter than the least one, nor longer than nine times the step and that.
"""

from typing import Final, final

STEP_S: Final = 0.001
"""A step ends after this time."""
SHARE_MIN: Final = 0.1
"""Of the loop's time, beside others."""
FULL_SHARE_AFTER_S: Final = 60.0
BUSY_PART: Final = 0.25
"""With more of a pause used by others, as processor time of the loop's thread, they have work."""


@final
class CompactionPace:
    """From `begin` until nothing is left to compact; times in seconds, `cpu_s` is the thread's processor time."""

    __slots__ = ("_began_s", "_is_beside_others", "_pause_s_min", "_paused_cpu_s", "_paused_s", "_stepped_s")

    def __init__(self, pause_s_min: float) -> None:
        self._pause_s_min: Final = pause_s_min
        self._began_s = self._paused_s = self._stepped_s = 0.0
        self._paused_cpu_s = 0.0
        self._is_beside_others = True

    def begin(self, now_s: float) -> None:
        self._began_s = self._paused_s = now_s
        self._is_beside_others = True

    def step_begins(self, now_s: float, cpu_s: float) -> None:
        paused_s = now_s - self._paused_s
        if paused_s > 0:
            self._is_beside_others = cpu_s - self._paused_cpu_s > paused_s * BUSY_PART
        self._stepped_s = now_s

    def is_step_over(self, now_s: float) -> bool:
        return now_s - self._stepped_s >= STEP_S

    def step_ends(self, now_s: float, cpu_s: float) -> float:
        """The pause until the next."""
        self._paused_s = now_s
        self._paused_cpu_s = cpu_s
        if not self._is_beside_others:
            return self._pause_s_min
        part = (now_s - self._began_s) / FULL_SHARE_AFTER_S
        share = min(SHARE_MIN + (1 - SHARE_MIN) * part, 1.0)
        return max((now_s - self._stepped_s) * (1 / share - 1), self._pause_s_min)
