"""What clients did and what they were told, in order, for the checkers."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Final

OK: Final = 0
UNKNOWN: Final = None


class Kind(Enum):
    """What a client asked for."""

    SET = "set"
    GET = "get"
    SYNC_GET = "sync and get"
    CREATE_SEQUENTIAL = "create sequential"
    CREATE_EPHEMERAL = "create ephemeral"
    DELETE = "delete"
    MULTI = "multi"
    CHILDREN = "children"
    CLOSE = "close session"


WRITES: Final = frozenset(
    {Kind.SET, Kind.CREATE_SEQUENTIAL, Kind.CREATE_EPHEMERAL, Kind.DELETE, Kind.MULTI, Kind.CLOSE}
)


@dataclass(slots=True)
class Operation:
    """One request. `code` is None while nobody knows what became of it: no answer came.

    `values` are what a write puts where; `result` is what a read saw, or the name of what was created.
    """

    number: int
    client: str
    session_id: int
    connection: int
    kind: Kind
    path: str
    values: dict[str, bytes]
    called_s: float
    returned_s: float = 0.0
    code: int | None = UNKNOWN
    zxid: int = 0
    result: bytes | str | tuple[str, ...] | None = None
    mzxid: int = 0
    version: int = 0
    watch: bool = False
    place: int = -1
    """Of its answer among all that its client received."""

    @property
    def is_acknowledged(self) -> bool:
        return self.code == OK


@dataclass(slots=True)
class Event:
    """A watch that fired."""

    client: str
    connection: int
    path: str
    type: int
    place: int
    at_s: float


@dataclass(slots=True)
class SessionLife:
    """One session as its client knows it."""

    session_id: int
    client: str
    timeout_ms: int
    opened_s: float
    heard_s: float
    """When the client last sent what the server may have received."""
    silence_s: float = 0.0
    """The longest time for which it sent nothing of the kind."""
    ended: str = ""
    """closed: the client was told so; expired: the server said so; empty: it lives, for all the client knows."""
    ended_s: float = 0.0
    ephemerals: dict[str, Operation] = field(default_factory=dict)

    def speaks(self, now_s: float) -> None:
        """The client sends something that the server may receive."""
        self.silence_s = max(self.silence_s, now_s - self.heard_s)
        self.heard_s = now_s


@dataclass(slots=True)
class History:
    """Everything of a run."""

    operations: list[Operation] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    sessions: dict[int, SessionLife] = field(default_factory=dict)
    resumes: list[tuple[str, int, int]] = field(default_factory=list)
    """(client, connection, place of the answer to its setWatches)."""

    def acknowledged_writes(self) -> list[Operation]:
        """Of which somebody was told that they are done."""
        return [operation for operation in self.operations if operation.kind in WRITES and operation.is_acknowledged]
