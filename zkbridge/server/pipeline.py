"""What a connection waits for: the requests that can't be answered yet, in the order in which they came.

Kinds of an entry, and when it may leave the head of the queue:

| kind | is | leaves |
|---|---|---|
| IN_FLIGHT | a write whose plan is with the store | when its revision is applied |
| REFUSED | an error about a view with plans in flight | when those plans are decided |
| READ | a read, ping or watch request behind one of these | at once when it is the head |
| UNPLANNED | a write that can't be planned yet (STALL), or one behind such | when it can be planned |
| BARRIER | a sync | when the store's barrier is reached |
"""

from __future__ import annotations

from typing import Final, final

from zkbridge.tree.acl import Credentials

IN_FLIGHT: Final = 0
REFUSED: Final = 1
READ: Final = 2
UNPLANNED: Final = 3
BARRIER: Final = 4


@final
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
