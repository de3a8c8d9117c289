"""What Raft asks of the shell's log: the Storage ABC, and MemoryStorage, the log's tail in memory.

Invariants of MemoryStorage:
1. Entries are contiguous: entry i has index offset + 1 + i, where offset is the last compacted index.
2. The term at offset is kept, because an append starts with the entry before it.
"""

from abc import ABC, abstractmethod
from typing import Final, final

from etcdcore.errors import LogCompacted, LogUnavailable
from etcdcore.raft.messages import (
    ENTRY_HEADER_BYTES,
    NO_INDEX,
    NO_TERM,
    ConfState,
    Entry,
    HardState,
    Snapshot,
    SnapshotMeta,
)
from etcdcore.types import LogIndex, Term


class Storage(ABC):
    """The log as the shell holds it. It contains what every Ready handed out, at once; durability is told apart."""

    @abstractmethod
    def initial_state(self) -> tuple[HardState, ConfState]:
        """The hard state, and the configuration at the applied index."""

    @abstractmethod
    def first_index(self) -> LogIndex:
        """The first index whose entry is there; one past the last if there is none."""

    @abstractmethod
    def last_index(self) -> LogIndex:
        """The last index there is, that of the snapshot if no entry follows it."""

    @abstractmethod
    def term(self, index: LogIndex) -> Term:
        """The term at an index from first_index - 1 to last_index. Raises LogCompacted, LogUnavailable."""

    @abstractmethod
    def entries(self, low: LogIndex, high: LogIndex, bytes_max: int) -> list[Entry]:
        """The entries from low up to but without high, one at least, as far as they fit. Raises as `term` does."""

    @abstractmethod
    def snapshot(self) -> Snapshot | None:
        """A snapshot to send to a member that the log can't reach; None if there is none just now."""


NO_LIMIT: Final = 1 << 62
"""Bytes, for a caller that wants all entries."""


def limit_entries(entries: list[Entry], bytes_max: int) -> list[Entry]:
    """The longest head of the entries that fits, and one entry at least."""
    size = 0
    for position in range(len(entries)):
        size += ENTRY_HEADER_BYTES + len(entries[position].data)
        if size > bytes_max and position > 0:
            return entries[:position]
    return entries


@final
class MemoryStorage(Storage):
    """A log in memory. The configuration passed in is that of a new cluster, at index 0, the same on all its members.

    A member that joins later starts with none, and gets it with a snapshot.
    """

    def __init__(self, conf_state: ConfState | None = None) -> None:
        initial = ConfState() if conf_state is None else conf_state
        self._hard_state = HardState()
        self._conf_state = initial
        self._snapshot = Snapshot(SnapshotMeta(NO_INDEX, NO_TERM, initial))
        self._offset: LogIndex = NO_INDEX
        self._offset_term: Term = NO_TERM
        self._entries: list[Entry] = []

    def initial_state(self) -> tuple[HardState, ConfState]:
        return self._hard_state, self._conf_state

    def first_index(self) -> LogIndex:
        return LogIndex(self._offset + 1)

    def last_index(self) -> LogIndex:
        return LogIndex(self._offset + len(self._entries))

    def term(self, index: LogIndex) -> Term:
        position = index - self._offset - 1
        if position == -1:
            return self._offset_term
        if position < 0:
            raise LogCompacted(f"the log starts at {self._offset + 1}, asked for {index}")
        if position >= len(self._entries):
            raise LogUnavailable(f"the log ends at {self.last_index()}, asked for {index}")
        return self._entries[position].term

    def entries(self, low: LogIndex, high: LogIndex, bytes_max: int) -> list[Entry]:
        start = low - self._offset - 1
        end = high - self._offset - 1
        if start < 0:
            raise LogCompacted(f"the log starts at {self._offset + 1}, asked for {low}")
        if end > len(self._entries):
            raise LogUnavailable(f"the log ends at {self.last_index()}, asked for up to {high}")
        return limit_entries(self._entries[start:end], bytes_max)

    def snapshot(self) -> Snapshot | None:
        return self._snapshot if self._snapshot.meta.index > NO_INDEX else None

    # --- the shell's side ---

    def set_hard_state(self, state: HardState) -> None:
        """Takes over the hard state of a Ready, or the one that was read from the disk at the start."""
        self._hard_state = state

    def set_conf_state(self, state: ConfState) -> None:
        """Takes over the configuration at the applied index, read from the store at the start."""
        self._conf_state = state

    def append(self, entries: list[Entry]) -> None:
        """Adds a Ready's entries, in place of those that conflict with them and all that follow."""
        if not entries:
            return
        first = entries[0].index
        if first <= self._offset:
            entries = [entry for entry in entries if entry.index > self._offset]
            if not entries:
                return
            first = entries[0].index
        position = first - self._offset - 1
        if position == len(self._entries):
            self._entries.extend(entries)
            return
        assert position < len(self._entries), f"a gap before {first}, the log ends at {self.last_index()}"  # I1
        del self._entries[position:]
        self._entries.extend(entries)

    def compact(self, index: LogIndex) -> None:
        """Forgets the entries up to and with the index, which must have been applied. Older calls change nothing."""
        count = index - self._offset
        if count <= 0:
            return
        assert count <= len(self._entries), f"compaction at {index}, the log ends at {self.last_index()}"
        self._offset_term = self._entries[count - 1].term  # I2
        self._offset = index
        del self._entries[:count]

    def create_snapshot(self, index: LogIndex, conf_state: ConfState, data: bytes = b"") -> Snapshot:
        """Makes the snapshot that `snapshot` returns from now on. The index must have been applied."""
        snapshot = Snapshot(SnapshotMeta(index, self.term(index), conf_state), data)
        self._snapshot = snapshot
        self._conf_state = conf_state
        return snapshot

    def apply_snapshot(self, snapshot: Snapshot) -> None:
        """Starts the log anew behind a snapshot, received or read from the disk."""
        self._snapshot = snapshot
        self._conf_state = snapshot.meta.conf_state
        self._offset = snapshot.meta.index
        self._offset_term = snapshot.meta.term
        self._entries = []

    def check_invariants(self) -> None:
        """Asserts I1 and that terms never go back."""
        expected = self._offset + 1
        term: int = self._offset_term
        for entry in self._entries:
            assert entry.index == expected, f"expected index {expected}, got {entry.index}"  # I1
            assert entry.term >= term, f"term goes back from {term} to {entry.term} at {entry.index}"
            expected += 1
            term = entry.term
