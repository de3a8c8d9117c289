"""The ordered committer: one writer, any number of plans in flight, no conflict, no retry in the common case.

Every transaction carries the writer's fence and, for a session's own writes, the session's key. When that key is gone,
the store puts the fence key in the same transaction; so all plans behind it fail on the fence, in order, and their
requests are planned again from the replica (design section 4).

    in flight: p4 p5 p6     p4 applied -> audience.plan_applied(p4)
                            p5 refused (session) -> new fence at its revision; p6 refused (fence)
                            queue empty -> overlay.clear(), audience.replan([p5, p6])

Invariants:
1. `in_flight` holds the submitted, undecided plans, oldest first; sequences in it rise by one.
2. While refused or dropped plans may still show on the overlay nothing is planned or submitted: `can_submit` is false.
3. A fence is replaced only by a revision that this writer's own transaction made.
"""

from abc import ABC, abstractmethod
from collections import deque
from typing import Final, final

from mypy_extensions import mypyc_attr

from zkbridge.backend.interface import REFUSED_FENCE, REFUSED_SESSION, Backend, Fence, WriteToken
from zkbridge.plan.plan import Plan
from zkbridge.tree.overlay import Overlay


@mypyc_attr(allow_interpreted_subclasses=True)
class PlanAudience(ABC):
    """Who submitted the plans."""

    @abstractmethod
    def replan(self, plans: list[Plan]) -> None:
        """These took no effect, in this order; the overlay is empty again."""

    @abstractmethod
    def plan_lost(self, plan: Plan, reason: str, is_decided: bool) -> None:
        """The store dropped it: surely without effect if `is_decided`, else its fate is unknown."""

    @abstractmethod
    def writer_deposed(self) -> None:
        """Another writer has taken over the fence."""


@final
class TakeOver(WriteToken):
    """Stands for the fence put with which a writer begins."""

    __slots__ = ()


@final
class OrderedCommitter:
    """Owner of the order of writes."""

    __slots__ = (
        "_backend",
        "_fence",
        "_fence_key",
        "_in_flight",
        "_is_tainted",
        "_overlay",
        "_refused",
        "_take_over",
        "audience",
        "decided_sequence",
        "last_sequence",
    )

    def __init__(self, backend: Backend, overlay: Overlay, fence_key: bytes) -> None:
        self._backend: Final = backend
        self._overlay: Final = overlay
        self._fence_key: Final = fence_key
        self.audience: PlanAudience
        # Set once by the wiring: the dispatcher needs the committer and the committer the dispatcher.
        self._take_over: Final = TakeOver()
        self._fence: Fence | None = None
        self._in_flight: deque[Plan] = deque()
        self._refused: list[Plan] = []
        self._is_tainted = False
        self.last_sequence = 0
        self.decided_sequence = 0

    # Becoming the writer

    def take_over(self) -> None:
        """Puts the fence key; `fence_taken` follows when the store has applied it."""
        self._backend.take_over(self._fence_key, self._take_over)

    def fence_taken(self, token: WriteToken, revision: int) -> bool:
        """True if the token was the take-over, which makes this committer the writer."""
        if token is not self._take_over:
            return False
        self._fence = Fence(self._fence_key, revision)
        return True

    # Plans

    @property
    def in_flight_count(self) -> int:
        return len(self._in_flight)

    @property
    def can_submit(self) -> bool:
        return self._fence is not None and not self._refused and not self._is_tainted

    def submit(self, plan: Plan) -> None:
        """Sends a plan on its way. The planner has recorded it on the overlay."""
        fence = self._fence
        assert fence is not None and not self._refused and not self._is_tainted  # I2
        self.last_sequence += 1
        plan.seq = self.last_sequence
        self._overlay.record(plan)
        self._in_flight.append(plan)
        self._backend.submit(fence, plan.session_key, plan.puts, plan.deletes, plan)

    def plan_applied(self, plan: Plan) -> None:
        """The store has applied it and the replica too."""
        oldest = self._in_flight.popleft()
        assert oldest is plan  # I1
        self.decided_sequence = plan.seq
        self._overlay.settle(plan)
        if self._is_tainted and not self._in_flight:
            self._forget_dropped()

    def plan_refused(self, plan: Plan, reason: str, revision: int) -> None:
        """The store refused it; it took no effect, and none behind it that was submitted under this fence will."""
        oldest = self._in_flight.popleft()
        assert oldest is plan  # I1
        self.decided_sequence = plan.seq
        if reason == REFUSED_SESSION:
            self._fence = Fence(self._fence_key, revision)  # I3
        elif reason != REFUSED_FENCE:
            raise AssertionError(f"the store refused a transaction that the planner holds valid: {reason}")
        elif not self._refused:
            # Nobody ahead of it moved the fence, so somebody else did.
            self._fence = None
            self.audience.writer_deposed()
        self._refused.append(plan)
        if not self._in_flight:
            plans, self._refused = self._refused, []
            self._overlay.clear()
            self.audience.replan(plans)

    def plan_dropped(self, plan: Plan, reason: str, is_decided: bool) -> None:
        """The store will not say what became of it (disk full, stopping)."""
        self._in_flight.remove(plan)
        self._is_tainted = True
        if not self._in_flight:
            self._forget_dropped()
        self.audience.plan_lost(plan, reason, is_decided)

    def _forget_dropped(self) -> None:
        """The overlay still shows what was dropped; with nothing in flight the replica alone is the truth (I2)."""
        self._overlay.clear()
        self._is_tainted = False
        self.decided_sequence = self.last_sequence
