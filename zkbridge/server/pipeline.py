"""What a connection waits for: the requests that can't be answered yet, in the order in which they came; and how much
of that the server takes on before sockets have to wait.

Kinds of an entry, and when it may leave the head of the queue:

| kind | is | leaves |
|---|---|---|
| IN_FLIGHT | a write whose plan is with the store | when its revision is applied |
| REFUSED | an error about a view with plans in flight | when those plans are decided |
| READ | a read, ping or watch request behind one of these | at once when it is the head |
| UNPLANNED | a write that can't be planned yet (STALL), or one behind such | when it can be planned |
| BARRIER | a sync | when the store's barrier is reached |

Invariants:
1. What every pipeline holds is counted in the `Intake` that they share, from `append` until `popleft` or `clear`.
2. A connection that waits for nothing is always read, so nobody's unanswered requests shut another one out.
"""

from __future__ import annotations

from collections import deque
from typing import Final, final

from mypy_extensions import mypyc_attr

from zkbridge.commit.ordered import OrderedCommitter
from zkbridge.tree.acl import Credentials

PENDING_REQUESTS_MAX: Final = 1000
"""Unanswered requests of one connection past which its socket is not read, whoever it is that they wait for."""

HELD_BYTES_MAX: Final = 4 * 1024 * 1024
"""Bytes of one connection's unanswered requests past which its socket is not read: several of the longest requests, and
small enough that many clients who never read their answers can't fill the memory."""

HELD_BYTES_OF_SERVER_MAX: Final = 256 * 1024 * 1024
"""The same of all connections together; past it those that wait for anything are not read."""

ENTRY_BYTES: Final = 256
"""What an entry takes beside its frame, about: a thousand tiny requests are not free either."""

IN_FLIGHT: Final = 0
REFUSED: Final = 1
READ: Final = 2
UNPLANNED: Final = 3
BARRIER: Final = 4


@final
@mypyc_attr(acyclic=True)
class Pending:
    """One unanswered request.

    `credentials`: the ids that the connection had when the request came. `code`, `body` and `after_sequence` count for
    REFUSED (the code is 0 for a refused multi, whose body carries the codes); `is_ready` for IN_FLIGHT and BARRIER.
    """

    __slots__ = (
        "after_sequence",
        "body",
        "code",
        "credentials",
        "frame",
        "is_ready",
        "kind",
        "opcode",
        "received_ms",
        "xid",
    )

    def __init__(
        self, kind: int, xid: int, opcode: int, frame: bytes, credentials: Credentials, received_ms: int
    ) -> None:
        self.kind = kind
        self.xid: Final = xid
        self.opcode: Final = opcode
        self.frame: Final = frame
        self.credentials: Final = credentials
        self.received_ms: Final = received_ms
        self.code = 0
        self.body = b""
        self.after_sequence = 0
        self.is_ready = False


@final
class Intake:
    """How much unanswered work the whole server has taken on. Past a bound, a connection that waits for some of it is
    not read until its requests are answered or the server is below the bound again, as in ZooKeeper's
    `shouldThrottle`. In process is what is with the store: requests that wait for their own client don't count, lest
    one that does not read its answers slow down the others."""

    __slots__ = ("_committer", "_requests_max", "held_bytes")

    def __init__(self, committer: OrderedCommitter, requests_max: int) -> None:
        self._committer: Final = committer
        self._requests_max: Final = requests_max
        self.held_bytes = 0

    @property
    def is_full(self) -> bool:
        return self._committer.in_flight_count > self._requests_max or self.held_bytes > HELD_BYTES_OF_SERVER_MAX


@final
class Pipeline:
    """One connection's unanswered requests, oldest first. `entries` is for looking; changes go through the methods."""

    __slots__ = ("_intake", "entries", "held_bytes")

    def __init__(self, intake: Intake) -> None:
        self._intake: Final = intake
        self.entries: Final[deque[Pending]] = deque()
        self.held_bytes = 0

    def __len__(self) -> int:
        return len(self.entries)

    def append(self, pending: Pending) -> None:
        size = ENTRY_BYTES + len(pending.frame)
        self.held_bytes += size
        self._intake.held_bytes += size
        self.entries.append(pending)

    def popleft(self) -> Pending:
        pending = self.entries.popleft()
        size = ENTRY_BYTES + len(pending.frame)
        self.held_bytes -= size
        self._intake.held_bytes -= size
        return pending

    def clear(self) -> None:
        self.entries.clear()
        self._intake.held_bytes -= self.held_bytes
        self.held_bytes = 0

    def has_to_wait(self) -> bool:
        """Whether the connection has enough to wait for: its socket is not read any further."""
        count = len(self.entries)
        if not count:
            return False  # I2
        return count >= PENDING_REQUESTS_MAX or self.held_bytes > HELD_BYTES_MAX or self._intake.is_full

    def may_go_on(self) -> bool:
        """Whether a socket that was not read may be read again: half the bounds, so that it does not flutter."""
        count = len(self.entries)
        if not count:
            return True  # I2
        return count < PENDING_REQUESTS_MAX // 2 and self.held_bytes <= HELD_BYTES_MAX // 2 and not self._intake.is_full
