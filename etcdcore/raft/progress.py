"""What a leader knows of one member's log, and how fast it may send to it. Etcd raft tracker/progress.

    PROBE      one append at a time until an answer shows where the logs agree; then REPLICATE
    REPLICATE  appends leave without waiting for answers, up to a window; a rejection or a lost member: PROBE
    SNAPSHOT   nothing is sent until the snapshot is reported, or an answer shows that the log reaches the member

Invariants:
1. match < next; match never goes back in a term.
2. Only REPLICATE has appends in flight, and no more than the window.
"""

from collections import deque
from typing import Final, final

from etcdcore.raft.messages import NO_INDEX
from etcdcore.types import LogIndex

PROBE: Final = 0
REPLICATE: Final = 1
SNAPSHOT: Final = 2

STATE_NAMES: Final = ("probe", "replicate", "snapshot")


@final
class Progress:
    """One member as its leader sees it."""

    __slots__ = (
        "_inflight",
        "inflight_max",
        "is_learner",
        "is_recently_active",
        "is_sending_paused",
        "match",
        "next",
        "pending_snapshot",
        "state",
    )

    def __init__(self, match: LogIndex, next_index: LogIndex, inflight_max: int, is_learner: bool) -> None:
        self.match = match
        self.next = next_index
        self.state = PROBE
        self.pending_snapshot: LogIndex = NO_INDEX
        self.is_learner = is_learner
        # A new member gets one election timeout's time to show itself before it counts as lost.
        self.is_recently_active = True
        self.is_sending_paused = False
        self.inflight_max: Final = inflight_max
        self._inflight: deque[LogIndex] = deque()

    def become_probe(self) -> None:
        """After a snapshot the probe starts behind it."""
        pending = self.pending_snapshot if self.state == SNAPSHOT else NO_INDEX
        self._reset(PROBE)
        self.next = LogIndex(max(self.match, pending) + 1)

    def become_replicate(self) -> None:
        self._reset(REPLICATE)
        self.next = LogIndex(self.match + 1)

    def become_snapshot(self, index: LogIndex) -> None:
        self._reset(SNAPSHOT)
        self.pending_snapshot = index
        self.next = LogIndex(index + 1)

    def is_paused(self) -> bool:
        """May nothing be sent just now, but heartbeats?"""
        return self.state == SNAPSHOT or self.is_sending_paused

    def is_window_full(self) -> bool:
        return len(self._inflight) >= self.inflight_max

    def inflight_count(self) -> int:
        return len(self._inflight)

    def sent(self, entry_count: int) -> None:
        """An append with so many entries from `next` on has left."""
        if self.state == REPLICATE:
            if entry_count > 0:
                self.next = LogIndex(self.next + entry_count)
                self._inflight.append(LogIndex(self.next - 1))
            self.is_sending_paused = len(self._inflight) >= self.inflight_max
        elif entry_count > 0:
            self.is_sending_paused = True

    def maybe_update(self, index: LogIndex) -> bool:
        """The member has everything up to the index. Says if that is news."""
        if index <= self.match:
            return False
        self.match = index
        if self.next <= index:
            self.next = LogIndex(index + 1)
        self.is_sending_paused = False
        return True

    def free_up_to(self, index: LogIndex) -> None:
        """Answers came for the appends in flight up to the index."""
        inflight = self._inflight
        while inflight and inflight[0] <= index:
            inflight.popleft()
        self.is_sending_paused = False

    def maybe_back_up(self, rejected: LogIndex, hint: LogIndex) -> bool:
        """The member refused an append after `rejected` and hints where to look. False for a late answer."""
        if self.state == REPLICATE:
            if rejected <= self.match:
                return False
            self.next = LogIndex(self.match + 1)
            return True
        if self.next - 1 != rejected:
            return False
        self.next = LogIndex(max(min(rejected, hint + 1), self.match + 1))
        self.is_sending_paused = False
        return True

    def check_invariants(self) -> None:
        """Asserts I1 and I2."""
        assert self.match < self.next, f"match {self.match}, next {self.next}"  # I1
        assert self.state == REPLICATE or not self._inflight  # I2
        assert len(self._inflight) <= self.inflight_max  # I2
        assert self.state == SNAPSHOT or self.pending_snapshot == 0

    def _reset(self, state: int) -> None:
        self.state = state
        self.is_sending_paused = False
        self.pending_snapshot = NO_INDEX
        self._inflight.clear()
