"""What is not the newest of its key any more, in the order in which it was replaced: what compactions will remove.

Worked example, "a" put at 2 and 5 and deleted at 7, "b" put at 3 and 8: the keys are a, a, b. The oldest record of "a"
was replaced first (at 5), then the one that replaced it (at 7), then the oldest of "b" (at 8). A compaction takes keys
from the front for as long as what replaced their oldest record is not after its revision.

Invariants:
1. Among `keys` from `taken_count` on, a key stands as many times as its history has items.
2. `spared` is in ascending order: tombstones at the revision of a compaction, which the next one removes.
"""

from typing import Final, final

from etcdcore.mvcc.key_index import KeyIndex


@final
class Superseded:
    """Owned by the store: it adds, a compaction takes."""

    __slots__ = ("keys", "spared", "taken_count")

    def __init__(self) -> None:
        self.keys: Final[list[KeyIndex]] = []
        self.taken_count = 0
        self.spared: Final[list[bytes]] = []

    def take(self, count: int) -> None:
        """So many more are done. What stays has to be moved when they leave, so not before they are half of all."""
        taken_count = self.taken_count + count
        if taken_count << 1 >= len(self.keys):
            del self.keys[:taken_count]
            taken_count = 0
        self.taken_count = taken_count
