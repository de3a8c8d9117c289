"""What is kept in memory of one key: its present state, and where its older records are.

Worked example, key "a": put at (2,0), put at (5,0), deleted at (7,1), put at (9,0):

| after | create | mod   | version | history (main, 2 * sub + tombstone)  |
|-------|--------|-------|---------|---------------------------------------|
| (2,0) | 2      | (2,0) | 1       | none                                  |
| (5,0) | 2      | (5,0) | 2       | 2,0                                   |
| (7,1) | 0      | (7,1) | 0       | 2,0 5,0                               |
| (9,0) | 9      | (9,0) | 1       | 2,0 5,0 7,3                           |

`item of a history: main u64 BE | 2 * sub + tombstone u64 BE`, in a bytearray: it grows at one end with one call a write
and shrinks at the other for nothing, and the garbage collector, which walks arrays, knows nothing of it.

Differs from etcd's key_index: no generations. A life is told by the tombstones in the history, and create revision and
version of an old revision are in its record.

Invariants:
1. The history is in ascending order and below the present revision.
2. A deleted key has version, create revision and lease 0.
"""

from struct import Struct
from typing import Final, final

from mypy_extensions import mypyc_attr

_ITEM: Final = Struct(">QQ")
ITEM_BYTES: Final = 16


@final
@mypyc_attr(acyclic=True)
class KeyIndex:
    """Mutable, owned by the store."""

    __slots__ = ("create", "history", "lease", "mod_main", "mod_sub", "version")

    def __init__(self, create: int, mod_main: int, mod_sub: int, version: int, lease: int) -> None:
        self.create = create
        self.mod_main = mod_main
        self.mod_sub = mod_sub
        self.version = version
        self.lease = lease
        self.history: bytearray | None = None

    def marked_sub(self) -> int:
        """Of the present record, 2 * sub + tombstone."""
        return self.mod_sub << 1 if self.version else self.mod_sub << 1 | 1

    def supersede(self) -> None:
        """The present record becomes the newest of the history; the caller sets what is present now."""
        item = _ITEM.pack(self.mod_main, self.marked_sub())
        history = self.history
        if history is None:
            self.history = bytearray(item)
        else:
            history += item

    def forget_oldest(self) -> None:
        """The oldest record of the history is gone."""
        history = self.history
        assert history is not None
        if len(history) == ITEM_BYTES:
            self.history = None
        else:
            del history[:ITEM_BYTES]

    def items(self) -> list[tuple[int, int]]:
        """The history, each record's main revision and 2 * sub + tombstone."""
        return [] if self.history is None else list(_ITEM.iter_unpack(self.history))

    def item(self, position: int) -> tuple[int, int]:
        """One of them."""
        history = self.history
        assert history is not None
        main, marked_sub = _ITEM.unpack_from(history, position * ITEM_BYTES)
        return main, marked_sub

    def position_at(self, revision: int) -> int:
        """Where the newest record not after `revision` is: its position in the history, -1 the present one, -2 none."""
        if self.mod_main <= revision:
            return -1
        history = self.history
        if history is None:
            return -2
        low = 0
        high = len(history) // ITEM_BYTES
        while low < high:
            middle = (low + high) >> 1
            if self.item(middle)[0] <= revision:
                low = middle + 1
            else:
                high = middle
        return low - 1 if low else -2

    def find(self, revision: int) -> tuple[int, int] | None:
        """Main and sub revision of the record that holds at `revision`; None when the key did not exist then."""
        position = self.position_at(revision)
        if position == -1:
            return (self.mod_main, self.mod_sub) if self.version else None
        if position == -2:
            return None
        main, marked_sub = self.item(position)
        return None if marked_sub & 1 else (main, marked_sub >> 1)


NO_KEY: Final = KeyIndex(0, 0, 0, 0, 0)
"""Stands for a key that does not exist, in comparisons: every number is 0."""
