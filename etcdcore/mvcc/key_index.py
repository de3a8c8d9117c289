"""What is kept in memory of one key: its present state, and where its older records are.

Worked example, key "a": put at (2,0), put at (5,0), deleted at (7,1), put at (9,0):

| after | create | mod   | version | history (main, 2 * sub + tombstone)  |
|-------|--------|-------|---------|---------------------------------------|
| (2,0) | 2      | (2,0) | 1       | none                                  |
| (5,0) | 2      | (5,0) | 2       | 2,0                                   |
| (7,1) | 0      | (7,1) | 0       | 2,0 5,0                               |
| (9,0) | 9      | (9,0) | 1       | 2,0 5,0 7,3                           |

Differs from etcd's key_index: no generations. A life is told by the tombstones in the history, and create revision and
version of an old revision are in its record.

Invariants:
1. The history is in ascending order and below the present revision.
2. A deleted key has version, create revision and lease 0.
3. The records of the first `gone` numbers of a history are compacted, so nobody asks for a revision at which they hold.
"""

from array import array
from typing import Final, final

from mypy_extensions import mypyc_attr


@final
@mypyc_attr(acyclic=True)
class KeyIndex:
    """Mutable, owned by the store."""

    __slots__ = ("create", "gone", "history", "lease", "mod_main", "mod_sub", "version")

    def __init__(self, create: int, mod_main: int, mod_sub: int, version: int, lease: int) -> None:
        self.create = create
        self.mod_main = mod_main
        self.mod_sub = mod_sub
        self.version = version
        self.lease = lease
        self.history: array[int] | None = None
        self.gone = 0

    def supersede(self) -> None:
        """The present record becomes the newest of the history; the caller sets what is present now."""
        marked_sub = self.mod_sub << 1 if self.version else self.mod_sub << 1 | 1
        history = self.history
        if history is None:
            self.history = array("q", (self.mod_main, marked_sub))
        else:
            history.append(self.mod_main)
            history.append(marked_sub)

    def forget_before(self, position: int) -> None:
        """The records before that position of the history are gone. What stays has to be moved when the numbers leave,
        so not before they are half of all."""
        history = self.history
        assert history is not None
        if position == len(history):
            self.history = None
            position = 0
        elif position << 1 >= len(history):
            del history[:position]
            position = 0
        self.gone = position

    def position_at(self, revision: int) -> int:
        """Where the newest record not after `revision` is: an index of the history, -1 the present one, -2 none."""
        if self.mod_main <= revision:
            return -1
        history = self.history
        if history is None:
            return -2
        low = 0
        high = len(history) >> 1
        while low < high:
            middle = (low + high) >> 1
            if history[middle << 1] <= revision:
                low = middle + 1
            else:
                high = middle
        return (low - 1) << 1 if low else -2

    def find(self, revision: int) -> tuple[int, int] | None:
        """Main and sub revision of the record that holds at `revision`; None when the key did not exist then."""
        position = self.position_at(revision)
        if position == -1:
            return (self.mod_main, self.mod_sub) if self.version else None
        if position == -2:
            return None
        history = self.history
        assert history is not None
        marked_sub = history[position + 1]
        return None if marked_sub & 1 else (history[position], marked_sub >> 1)


NO_KEY: Final = KeyIndex(0, 0, 0, 0, 0)
"""Stands for a key that does not exist, in comparisons: every number is 0."""
