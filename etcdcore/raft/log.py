"""The log as Raft sees it: the storage, what is not durable yet, and how far it is committed and applied.

Invariants:
1. applied <= applying <= committed <= last index. None of the four but the last ever goes back.
2. Nothing is handed out to be applied that is not durable here: the store must never be ahead of the disk's log.
3. Terms never decrease along the log.
"""

from typing import Final, final

from etcdcore.errors import LogCompacted, LogUnavailable
from etcdcore.raft.messages import ENTRY_CONF_CHANGE, ENTRY_HEADER_BYTES, NO_INDEX, NO_TERM, Entry, Snapshot
from etcdcore.raft.storage import Storage, limit_entries
from etcdcore.raft.unstable import Unstable
from etcdcore.types import LogIndex, Term

COMMITTED_BYTES_MAX: Final = 8 << 20
"""Of committed entries in one Ready, so that applying never holds up the loop for long."""

SCAN_BYTES_MAX: Final = 1 << 20

NO_MATCH: Final = LogIndex(-1)


@final
class RaftLog:
    """One member's log. `applied` is where the shell's store stands; `commit` what the disk knows of."""

    __slots__ = ("applied", "applying", "committed", "storage", "unstable")

    def __init__(self, storage: Storage, commit: LogIndex, applied: LogIndex) -> None:
        self.storage: Final = storage
        last = storage.last_index()
        start = max(applied, storage.first_index() - 1)
        # A commit index is written without a sync, so what the store has applied may be ahead of it.
        self.committed = LogIndex(max(commit, start))
        assert self.committed <= last, f"committed or applied up to {self.committed}, the log ends at {last}"
        self.applied = LogIndex(start)
        self.applying = LogIndex(start)
        self.unstable: Final = Unstable(LogIndex(last + 1))

    def first_index(self) -> LogIndex:
        snapshot = self.unstable.snapshot
        if snapshot is not None:
            return LogIndex(snapshot.meta.index + 1)
        return self.storage.first_index()

    def last_index(self) -> LogIndex:
        return self.unstable.last_index()

    def last_term(self) -> Term:
        entries = self.unstable.entries
        if entries:
            return entries[len(entries) - 1].term
        return self.term(self.last_index())

    def stable_index(self) -> LogIndex:
        """Everything up to here is durable."""
        if self.unstable.snapshot is not None:
            return self.applied
        return LogIndex(self.unstable.offset - 1)

    def term(self, index: LogIndex) -> Term:
        """Raises LogCompacted below first_index - 1 and LogUnavailable past the end."""
        unstable = self.unstable
        if index >= unstable.offset:
            position = index - unstable.offset
            if position >= len(unstable.entries):
                raise LogUnavailable(f"the log ends at {self.last_index()}, asked for {index}")
            return unstable.entries[position].term
        snapshot = unstable.snapshot
        if snapshot is not None:
            if snapshot.meta.index == index:
                return snapshot.meta.term
            raise LogCompacted(f"a snapshot at {snapshot.meta.index} is being installed, asked for {index}")
        return self.storage.term(index)

    def term_or_zero(self, index: LogIndex) -> Term:
        """The term, or 0, which no entry has, where the log has none."""
        if index > self.last_index() or index + 1 < self.first_index():
            return NO_TERM
        return self.term(index)

    def is_match(self, index: LogIndex, term: Term) -> bool:
        """Is this very position in the log? Position (0, 0) always is."""
        if index > self.last_index() or index + 1 < self.first_index():
            return False
        return self.term(index) == term

    def is_up_to_date(self, index: LogIndex, term: Term) -> bool:
        """Does a log with this end have all that this one may have promised? Raft paper §5.4.1."""
        last_term = self.last_term()
        return term > last_term or (term == last_term and index >= self.last_index())

    def entries(self, low: LogIndex, high: LogIndex, bytes_max: int) -> list[Entry]:
        """From low up to but without high, one at least if there is any, as far as they fit. Raises LogCompacted."""
        if low >= high:
            return []
        unstable = self.unstable
        offset = unstable.offset
        if low >= offset:
            return limit_entries(unstable.entries[low - offset : high - offset], bytes_max)
        if unstable.snapshot is not None:
            raise LogCompacted(f"a snapshot is being installed, asked for {low}")
        stable_high = min(high, offset)
        stable = self.storage.entries(low, stable_high, bytes_max)
        if high <= offset or len(stable) < stable_high - low:
            return stable
        size = 0
        for entry in stable:
            size += ENTRY_HEADER_BYTES + len(entry.data)
        rest = unstable.entries[: high - offset]
        if size + ENTRY_HEADER_BYTES + len(rest[0].data) > bytes_max:
            return stable
        return stable + limit_entries(rest, bytes_max - size)

    # --- growing ---

    def append_one(self, entry: Entry) -> None:
        """A leader's own entry."""
        self.unstable.append_one(entry)

    def maybe_append(self, index: LogIndex, log_term: Term, commit: LogIndex, entries: list[Entry]) -> LogIndex:
        """A leader's append. Returns the last index it covers, or NO_MATCH if (index, log_term) is not in the log.

        Entries that are there already are left alone: a late, shorter append must not cut the log. Raft paper §5.3.
        """
        if not self.is_match(index, log_term):
            return NO_MATCH
        last_new = LogIndex(index + len(entries))
        position = self._first_conflict(entries)
        if position < len(entries):
            first = entries[position].index
            assert first > self.committed, f"entry {first} conflicts with a committed one"
            self.unstable.append(entries if position == 0 else entries[position:])
        self.commit_to(LogIndex(min(commit, last_new)))
        return last_new

    def find_conflict_by_term(self, index: LogIndex, term: Term) -> tuple[LogIndex, Term]:
        """The last position at or before index whose term is at most the given one: where the logs may agree.

        The term is 0 where this log can't tell. Skips whole terms of the other side's log in one round trip.
        """
        at: int = min(index, self.last_index())
        first = self.first_index()
        while at > 0:
            if at + 1 < first:
                return LogIndex(at), NO_TERM
            ours = self.term(LogIndex(at))
            if ours <= term:
                return LogIndex(at), ours
            at -= 1
        return NO_INDEX, NO_TERM

    def restore(self, snapshot: Snapshot) -> None:
        """Replaces the whole log by a snapshot that is ahead of the commit index."""
        assert snapshot.meta.index > self.committed
        self.unstable.restore(snapshot)
        self.committed = snapshot.meta.index

    # --- commit, apply ---

    def commit_to(self, index: LogIndex) -> None:
        """Never goes back (I1)."""
        if index > self.committed:
            assert index <= self.last_index(), f"commit {index}, the log ends at {self.last_index()}"  # I1
            self.committed = index

    def applicable_index(self) -> LogIndex:
        """Up to where entries may be handed out to be applied (I2)."""
        if self.unstable.snapshot is not None:
            return self.applying
        return LogIndex(min(self.committed, self.unstable.offset - 1))

    def has_next_committed(self) -> bool:
        return self.applicable_index() > self.applying

    def take_committed(self) -> list[Entry]:
        """The next entries to apply; they are being applied from now on."""
        high = self.applicable_index()
        if high <= self.applying:
            return []
        entries = self.entries(LogIndex(self.applying + 1), LogIndex(high + 1), COMMITTED_BYTES_MAX)
        self.applying = entries[len(entries) - 1].index
        return entries

    def applied_to(self, index: LogIndex) -> None:
        """The shell has applied up to here, or installed the snapshot that ends here."""
        if index <= self.applied:
            return
        if self.unstable.snapshot is not None:
            self.unstable.snapshot_applied(index)
        assert index <= self.committed, f"applied {index}, committed {self.committed}"  # I1
        self.applied = index
        if index > self.applying:
            self.applying = index

    def has_unapplied_conf_change(self) -> bool:
        """Is there a membership change that is committed, but not applied?"""
        low: int = self.applied + 1
        if self.unstable.snapshot is not None:
            return True
        while low <= self.committed:
            page = self.entries(LogIndex(low), LogIndex(self.committed + 1), SCAN_BYTES_MAX)
            for entry in page:
                if entry.kind == ENTRY_CONF_CHANGE:
                    return True
            low += len(page)
        return False

    def check_invariants(self) -> None:
        """Asserts I1 to I3."""
        self.unstable.check_invariants()
        assert self.applied <= self.applying <= self.committed <= self.last_index()  # I1
        assert self.unstable.snapshot is not None or self.applying < self.unstable.offset  # I2
        term: int = self.term_or_zero(LogIndex(self.unstable.offset - 1))
        for entry in self.unstable.entries:
            assert entry.term >= term  # I3
            term = entry.term

    def _first_conflict(self, entries: list[Entry]) -> int:
        last = self.last_index()
        for position in range(len(entries)):
            entry = entries[position]
            if entry.index > last or self.term(entry.index) != entry.term:
                return position
        return len(entries)
