"""Linearizable reads without log entries: ReadIndex in rounds. Raft thesis §6.4.

A read may be served at the commit index of the moment, once a quorum has shown, after the read came in, that this
leader is still the leader. All reads that come in while one round of heartbeats is out share the next round.

Example: read a -> round 1 [a] starts; reads b, c wait; a quorum acknowledges round 1 -> a is answered, round 2 [b c].

Invariants:
1. A read never joins a round that has started before it came.
2. A round's index is the commit index at its start; it starts only once an entry of the leader's own term is committed.
"""

import struct
from typing import Final, final

from etcdcore.raft.messages import NO_INDEX
from etcdcore.types import LogIndex, MemberId

WAITING_MAX: Final = 65536
"""Reads that may wait; more are dropped, and asked again by those who still want them."""

_ROUND: Final = struct.Struct(">Q")


@final
class ReadRequest:
    """One read (the shell may have put many behind one context) of this member or of a follower."""

    __slots__ = ("context", "member_id")

    def __init__(self, member_id: MemberId, context: bytes) -> None:
        self.member_id: Final = member_id
        self.context: Final = context


@final
class ReadState:
    """The answer to a read: it may be served once this index is applied."""

    __slots__ = ("context", "index")

    def __init__(self, index: LogIndex, context: bytes) -> None:
        self.index: Final = index
        self.context: Final = context

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ReadState) and self.index == other.index and self.context == other.context

    def __hash__(self) -> int:
        return hash((self.index, self.context))

    def __repr__(self) -> str:
        return f"ReadState({self.index}, {self.context!r})"


@final
class ReadRounds:
    """The reads a leader has yet to answer. Round numbers go on from term to term, so a late answer matches nothing."""

    __slots__ = ("_number", "_running", "acks", "index", "waiting")

    def __init__(self) -> None:
        self._number = 0
        self._running: list[ReadRequest] = []
        self.waiting: list[ReadRequest] = []
        self.acks: dict[MemberId, bool] = {}
        self.index: LogIndex = NO_INDEX

    def reset(self) -> None:
        """Forgets all: whoever waits asks again, the new leader then."""
        self._running = []
        self.waiting = []
        self.acks = {}

    def add(self, request: ReadRequest) -> None:
        if len(self.waiting) < WAITING_MAX:
            self.waiting.append(request)

    def take_waiting(self) -> list[ReadRequest]:
        """All that wait, for a leader that is a quorum by itself."""
        waiting = self.waiting
        self.waiting = []
        return waiting

    def is_running(self) -> bool:
        return len(self._running) > 0

    def start(self, index: LogIndex, self_id: MemberId) -> None:
        """Starts a round for all that wait (I1), at the commit index (I2)."""
        assert not self._running and self.waiting
        self._number += 1
        self._running = self.take_waiting()
        self.index = index
        self.acks = {self_id: True}

    def context(self) -> bytes:
        """What the heartbeats of the running round carry, and their answers bring back."""
        return _ROUND.pack(self._number) if self._running else b""

    def acknowledge(self, member_id: MemberId, context: bytes) -> bool:
        """Counts an answer; False if it belongs to no running round."""
        if not self._running or context != _ROUND.pack(self._number):
            return False
        self.acks[member_id] = True
        return True

    def finish(self) -> list[ReadRequest]:
        """Ends the round. Returns the reads that may be answered with `index`."""
        running = self._running
        self._running = []
        self.acks = {}
        return running
