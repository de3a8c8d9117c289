"""What clients record: their operations with the time of call and return, and everything that watches delivered.

Every value that is written is unique, so a value tells the operation that wrote it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

NEVER = 1 << 62
"""The return of an operation whose result is unknown: it may take effect at any time, or not at all."""
OPEN_END = b"\0"


@dataclass(frozen=True, slots=True)
class Pair:
    """A key as it was seen; `key` is empty nowhere."""

    key: bytes
    value: bytes
    create_revision: int
    mod_revision: int
    version: int
    lease: int = 0


@dataclass(frozen=True, slots=True)
class Get:
    key: bytes


@dataclass(frozen=True, slots=True)
class PutAll:
    """One put, or several keys in one transaction, in this order."""

    pairs: tuple[tuple[bytes, bytes], ...]
    lease: int = 0


@dataclass(frozen=True, slots=True)
class Delete:
    key: bytes


@dataclass(frozen=True, slots=True)
class Exchange:
    """A transaction: if the key is at this mod_revision (0: missing) put the value, or delete without one; else get."""

    key: bytes
    expected_revision: int
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Revoke:
    """Deletes the keys that hang on the lease then. Its answer does not say whether there were any."""

    lease: int


Request = Get | PutAll | Delete | Exchange | Revoke


@dataclass(frozen=True, slots=True)
class Result:
    """`revision` is the header's. `pair`: what a get, or the else branch, found. `has_changed`: a revision was made."""

    revision: int
    has_changed: bool
    pair: Pair | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """Without a result it may or may not have happened, at any time after the call."""

    request: Request
    called: int
    returned: int
    result: Result | None


@dataclass(frozen=True, slots=True)
class Event:
    """`pair` of a deletion has only key and mod_revision."""

    is_delete: bool
    pair: Pair
    previous: Pair | None
    """What the server said was there before, if it was asked to."""
    is_create: bool


@dataclass(frozen=True, slots=True)
class Delivery:
    """One response of a watch. Without events it is progress: nothing at or below `revision` is still to come."""

    revision: int
    events: tuple[Event, ...] = ()
    compact_revision: int = 0
    """Not 0: the watch was cancelled, as what it wanted is compacted."""
    is_fragment: bool = False
    """The next delivery goes on with the same revisions."""
    received: int = 0
    """When it came."""


@dataclass(frozen=True, slots=True)
class Compaction:
    """History up to this revision, itself left out, may be gone from the call on."""

    revision: int
    called: int


@dataclass(slots=True)
class WatchRecord:
    """One watch on one connection. `first_revision`: asked for, or one more than the header of its creation said."""

    key: bytes
    range_end: bytes
    first_revision: int
    with_previous: bool
    no_puts: bool = False
    no_deletes: bool = False
    deliveries: list[Delivery] = field(default_factory=list)

    def wants(self, event: Event) -> bool:
        key = event.pair.key
        if self.no_deletes if event.is_delete else self.no_puts:
            return False
        if not self.range_end:
            return key == self.key
        return key >= self.key and (self.range_end == OPEN_END or key < self.range_end)


@dataclass(frozen=True, slots=True)
class Violation:
    """Which promise was broken, and where."""

    promise: str
    text: str
