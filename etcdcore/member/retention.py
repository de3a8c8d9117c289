"""Decides how far history may be cut: by age and by number of revisions. Pure: time is an argument.

Invariants:
1. A revision younger than the retention is never given up because of its age: only samples older than it count.
2. The number of samples is bounded by SAMPLES_MAX whatever the retention is.
"""

from collections import deque
from typing import Final, final

SAMPLES_MAX: Final = 120
"""So age is known to within 1/60 of the retention, in two kilobytes."""
_SLACK_PARTS: Final = 10
"""The bound on revisions is enforced each time it is exceeded by a tenth: a compaction costs a log entry and a scan."""


@final
class RevisionRetention:
    """Example, retention 60 s: at 0 s revision 5, at 30 s revision 9, at 65 s revision 12: `target` is 5 (65 s old),
    as 9 is only 35 s old."""

    __slots__ = ("_interval_ms", "_retention_ms", "_revisions_max", "_samples")

    def __init__(self, retention_ms: int, revisions_max: int) -> None:
        """Zero switches the respective bound off."""
        self._retention_ms: Final = retention_ms
        self._revisions_max: Final = revisions_max
        self._interval_ms: Final = max(retention_ms * 2 // SAMPLES_MAX, 1)
        self._samples: Final[deque[tuple[int, int]]] = deque()

    def target(self, now_ms: int, revision: int, compacted: int) -> int:
        """Take a sample if it is time, and say up to which revision to compact now; 0 if nothing is to be done."""
        target = 0
        if self._retention_ms > 0:
            samples = self._samples
            if not samples or now_ms - samples[-1][0] >= self._interval_ms:
                samples.append((now_ms, revision))
            while samples and now_ms - samples[0][0] >= self._retention_ms:
                target = samples.popleft()[1]
        kept = revision - max(compacted, target)
        if self._revisions_max > 0 and kept > self._revisions_max + self._revisions_max // _SLACK_PARTS:
            target = revision - self._revisions_max
        return target if target > compacted else 0
