"""The end of the log that is not durable yet, and the writes that are on their way to the disk.

An entry is in one of three states: new, in progress (handed out in a Ready, so the storage has it and the disk will),
stable (reported durable; it has left this module).

Example, offset 5: append 5, 6 (new) -> take: 5, 6 in progress, one write [6] -> append 7 -> take: two writes [6], [7]
-> persisted 6: offset 7, 7 in progress -> a new leader's append of 7': the write [7] vouches for 6 only, 7' is new.

Invariants:
1. entries[i].index == offset + i; offset <= in_progress <= offset + len(entries).
2. Writes end in the order in which they began, and one that was overtaken by a conflicting append vouches for nothing
   above the conflict: the disk still is to receive what replaces it.
"""

from typing import Final, final

from etcdcore.raft.messages import Entry, Snapshot
from etcdcore.types import LogIndex, Term


@final
class _Write:
    """One Ready's entries (or snapshot) on their way to the disk: its last position, and up to where it vouches."""

    __slots__ = ("index", "is_snapshot", "term", "vouched")

    def __init__(self, index: LogIndex, term: Term, is_snapshot: bool) -> None:
        self.index: Final = index
        self.term: Final = term
        self.is_snapshot: Final = is_snapshot
        self.vouched = index


@final
class Unstable:
    """Entries (and a snapshot before them) that are not known to be durable."""

    __slots__ = ("_writes", "entries", "in_progress", "offset", "snapshot", "snapshot_in_progress")

    def __init__(self, offset: LogIndex) -> None:
        self.offset = offset
        self.in_progress = offset
        self.entries: list[Entry] = []
        self.snapshot: Snapshot | None = None
        self.snapshot_in_progress = False
        self._writes: list[_Write] = []

    def last_index(self) -> LogIndex:
        """The last index of the whole log: the storage ends where this begins."""
        return LogIndex(self.offset + len(self.entries) - 1)

    def append_one(self, entry: Entry) -> None:
        """Adds the next entry of a leader, which never conflicts."""
        assert entry.index == self.offset + len(self.entries)  # I1
        self.entries.append(entry)

    def append(self, entries: list[Entry]) -> None:
        """Adds entries in place of all from the first one's index on."""
        first = entries[0].index
        count = len(self.entries)
        if first == self.offset + count:
            self.entries.extend(entries)
            return
        assert first < self.offset + count, f"a gap before {first}, the log ends at {self.last_index()}"  # I1
        self._clip_writes(LogIndex(first - 1))
        if first <= self.offset:
            self.offset = first
            self.in_progress = first
            self.entries = list(entries)
            return
        if first < self.in_progress:
            self.in_progress = first
        del self.entries[first - self.offset :]
        self.entries.extend(entries)

    def restore(self, snapshot: Snapshot) -> None:
        """Starts anew behind a snapshot."""
        self._clip_writes(snapshot.meta.index)
        self.offset = LogIndex(snapshot.meta.index + 1)
        self.in_progress = self.offset
        self.entries = []
        self.snapshot = snapshot
        self.snapshot_in_progress = False

    def has_new(self) -> bool:
        """Is there something to hand out?"""
        return self.in_progress - self.offset < len(self.entries) or (
            self.snapshot is not None and not self.snapshot_in_progress
        )

    def take_snapshot(self) -> Snapshot | None:
        """The snapshot, if it was not handed out yet."""
        snapshot = self.snapshot
        if snapshot is None or self.snapshot_in_progress:
            return None
        self.snapshot_in_progress = True
        self._writes.append(_Write(snapshot.meta.index, snapshot.meta.term, True))
        return snapshot

    def take_entries(self) -> list[Entry]:
        """The new entries, which are in progress from now on."""
        new = self.entries[self.in_progress - self.offset :]
        if new:
            last = new[len(new) - 1]
            self.in_progress = LogIndex(last.index + 1)
            self._writes.append(_Write(last.index, last.term, False))
        return new

    def persisted(self, index: LogIndex, term: Term) -> bool:
        """The write that ended at (index, term) is durable, as are those before it. Says if the log got more stable.

        Of several such writes the oldest is meant: to take it for a later one would promise what may be lost (I2).
        """
        position = -1
        for i in range(len(self._writes)):
            if self._writes[i].index == index and self._writes[i].term == term:
                position = i
                break
        if position < 0:
            return False
        vouched = self._writes[position].vouched
        for i in range(position + 1):
            if self._writes[i].is_snapshot:
                self._snapshot_written(self._writes[i].index)
        del self._writes[: position + 1]
        if vouched < self.offset or self.snapshot is not None:
            return False
        assert vouched < self.in_progress, f"{vouched} is durable, handed out up to {self.in_progress - 1}"
        del self.entries[: vouched - self.offset + 1]
        self.offset = LogIndex(vouched + 1)
        return True

    def snapshot_applied(self, index: LogIndex) -> None:
        """The shell has installed a snapshot up to the index: it is durable."""
        self._snapshot_written(index)

    def check_invariants(self) -> None:
        """Asserts I1."""
        expected: int = self.offset
        for entry in self.entries:
            assert entry.index == expected, f"expected index {expected}, got {entry.index}"  # I1
            expected += 1
        assert self.offset <= self.in_progress <= expected  # I1
        snapshot = self.snapshot
        assert snapshot is None or snapshot.meta.index == self.offset - 1

    def _snapshot_written(self, index: LogIndex) -> None:
        snapshot = self.snapshot
        if snapshot is not None and self.snapshot_in_progress and snapshot.meta.index <= index:
            self.snapshot = None
            self.snapshot_in_progress = False

    def _clip_writes(self, index: LogIndex) -> None:
        for write in self._writes:
            if write.vouched > index:
                write.vouched = index
