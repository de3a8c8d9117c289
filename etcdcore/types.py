"""Integers with a meaning, the two values every room of the core passes around, a pair and its change, and what keys
begin with as an interval."""

from typing import Final, NewType, final

from mypy_extensions import mypyc_attr

Revision = NewType("Revision", int)
"""Main revision of the store, signed 64 bit. A fresh store is at 1, its first write makes 2."""

LeaseId = NewType("LeaseId", int)
"""Signed 64 bit, never 0 (0 means: no lease); prints as hexadecimal."""

Term = NewType("Term", int)
"""Raft term, unsigned 64 bit."""

LogIndex = NewType("LogIndex", int)
"""Position in the raft log, from 1; 0 is the empty log."""

MemberId = NewType("MemberId", int)
"""Unsigned 64 bit, 0 means: none; prints as hexadecimal."""

PUT: Final = 0
DELETE: Final = 1


def prefix_end(prefix: bytes) -> bytes:
    """The first key behind all that begin with the prefix; b"\\0", which is no end, if there is none."""
    stem = prefix.rstrip(b"\xff")
    return stem[:-1] + bytes((stem[-1] + 1,)) if stem else b"\0"


@final
@mypyc_attr(acyclic=True)
class KeyValue:
    """One key at one revision, as etcd's mvccpb.KeyValue. Never changed after it is built.

    Of a deleted key only `key` and `mod_revision` (the revision of the deletion) are set, all else is 0 or empty.
    """

    __slots__ = ("create_revision", "key", "lease", "mod_revision", "value", "version")

    def __init__(
        self, key: bytes, create_revision: int, mod_revision: int, version: int, value: bytes, lease: int
    ) -> None:
        self.key: Final = key
        self.create_revision: Final = create_revision
        self.mod_revision: Final = mod_revision
        self.version: Final = version
        self.value: Final = value
        self.lease: Final = lease

    def fields(self) -> tuple[bytes, int, int, int, bytes, int]:
        """Everything that makes two pairs equal, in the order of the constructor."""
        return (self.key, self.create_revision, self.mod_revision, self.version, self.value, self.lease)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KeyValue) and self.fields() == other.fields()

    def __hash__(self) -> int:
        return hash(self.fields())

    def __repr__(self) -> str:
        return f"KeyValue{self.fields()!r}"


@final
@mypyc_attr(acyclic=True)
class KeyEvent:
    """One change of one key: `kind` is PUT or DELETE; `prev_kv` only when somebody asked for it."""

    __slots__ = ("kind", "kv", "prev_kv")

    def __init__(self, kind: int, kv: KeyValue, prev_kv: KeyValue | None) -> None:
        self.kind: Final = kind
        self.kv: Final = kv
        self.prev_kv: Final = prev_kv

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, KeyEvent)
            and self.kind == other.kind
            and self.kv == other.kv
            and self.prev_kv == other.prev_kv
        )

    def __hash__(self) -> int:
        return hash((self.kind, self.kv))

    def __repr__(self) -> str:
        return f"KeyEvent({'DELETE' if self.kind else 'PUT'}, {self.kv!r}, prev_kv={self.prev_kv!r})"
