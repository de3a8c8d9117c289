"""Revisions as a script can name them: figures far above any real one, that stand for a place in the history.

Layout: CURRENT + n is the current revision plus n, COMPACTED + n the compacted one plus n, and HISTORY + n lies n
thousandths of the way from the compacted to the current revision.
"""

from __future__ import annotations

from typing import Any, Final

CURRENT: Final = 1 << 50
COMPACTED: Final = 1 << 51
HISTORY: Final = 1 << 52
NEAR_MAX: Final = 10_000
"""How far from CURRENT or COMPACTED a symbolic revision may be; HISTORY takes 0 to 1000."""

# Of every message that a script sends: the fields with revisions.
REVISION_FIELDS: Final = frozenset(
    {
        "revision",
        "min_mod_revision",
        "max_mod_revision",
        "min_create_revision",
        "max_create_revision",
        "create_revision",
        "mod_revision",
        "start_revision",
    }
)


class Position:
    """Where a server's history stands, as its own answers told."""

    def __init__(self) -> None:
        self.current = 1
        self.compacted = 0

    def resolve(self, revision: int) -> int:
        """The real figure of a symbolic one; others are themselves."""
        for base, at in ((CURRENT, self.current), (COMPACTED, self.compacted)):
            if abs(revision - base) <= NEAR_MAX:
                return at + revision - base
        if 0 <= revision - HISTORY <= 1000:
            return self.compacted + (self.current - self.compacted) * (revision - HISTORY) // 1000
        return revision

    def resolve_all(self, message: Any) -> None:
        """In a message and in all under it. Messages of protobuf's reflection have no common type, hence Any."""
        for field, value in message.ListFields():
            if field.name in REVISION_FIELDS:
                setattr(message, field.name, self.resolve(value))
            elif field.message_type is not None:
                for inner in value if field.is_repeated else (value,):
                    self.resolve_all(inner)
