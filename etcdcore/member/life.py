"""The life of a member: one state, and the moves between states that may be made.

    OPENED --serve--> SERVING --stop--> STOPPING --all applied--> CLOSED
       |                 |  \\               |                       ^
       |                 |   `--failure--> FAILED ------------------|
       `-----stop--------`------------cancelled---------------------'
"""

from enum import Enum
from typing import Final, final


class LifeState(Enum):
    """Where a member is in its life."""

    OPENED = "opened"
    """The directory is locked, log and store are read; nothing is proposed yet."""
    SERVING = "serving"
    STOPPING = "stopping"
    """No new requests; what is in flight is still applied."""
    FAILED = "failed"
    """Nothing is written any more; what was in flight has been dropped."""
    CLOSED = "closed"


MOVES: Final = {
    LifeState.OPENED: frozenset({LifeState.SERVING, LifeState.FAILED, LifeState.CLOSED}),
    LifeState.SERVING: frozenset({LifeState.STOPPING, LifeState.FAILED, LifeState.CLOSED}),
    LifeState.STOPPING: frozenset({LifeState.FAILED, LifeState.CLOSED}),
    LifeState.FAILED: frozenset({LifeState.CLOSED}),
    LifeState.CLOSED: frozenset(),
}


@final
class Life:
    """The state of one member. The two booleans are derived from it at each move, since every request asks them."""

    __slots__ = ("does_work", "state", "takes_requests")

    def __init__(self) -> None:
        self.state = LifeState.OPENED
        self.takes_requests = True
        """Barriers and reads may be asked for."""
        self.does_work = True
        """What is under way is carried on."""

    def move(self, state: LifeState) -> None:
        """Asserts that the move is legal."""
        assert state in MOVES[self.state], f"a member that is {self.state.value} cannot become {state.value}"
        self.state = state
        self.takes_requests = state in (LifeState.OPENED, LifeState.SERVING)
        self.does_work = state not in (LifeState.FAILED, LifeState.CLOSED)
