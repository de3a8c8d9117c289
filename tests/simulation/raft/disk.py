"""A member's disk in the simulation: what survives a crash, and the writes that may not."""

from random import Random

from etcdcore.raft.messages import ConfState, Entry, HardState, Message, Snapshot, SnapshotMeta
from etcdcore.raft.raw_node import Ready
from etcdcore.raft.storage import MemoryStorage
from etcdcore.types import LogIndex, Term


class Store:
    """The replicated state: the values applied, in order. Snapshots carry all of it."""

    def __init__(self, conf_state: ConfState) -> None:
        self.applied = LogIndex(0)
        self.term = Term(0)
        self.conf_state = conf_state
        self.values: list[bytes] = []

    def copy(self) -> "Store":
        other = Store(self.conf_state)
        other.applied = self.applied
        other.term = self.term
        other.values = list(self.values)
        return other

    def snapshot(self) -> Snapshot:
        return Snapshot(SnapshotMeta(self.applied, self.term, self.conf_state), b",".join(self.values))

    def restore(self, snapshot: Snapshot) -> None:
        self.applied = snapshot.meta.index
        self.term = snapshot.meta.term
        self.conf_state = snapshot.meta.conf_state
        self.values = snapshot.data.split(b",") if snapshot.data else []


class Write:
    """One Ready on its way to the disk, and the messages that wait for it."""

    def __init__(self, due: int, ready: Ready) -> None:
        self.due = due
        self.entries: list[Entry] = ready.entries
        self.hard_state: HardState | None = ready.hard_state
        self.messages: list[Message] = ready.messages_after_persist


class Disk:
    """Log, hard state and the last checkpoint of the store, with writes pending in order."""

    def __init__(self, conf_state: ConfState) -> None:
        self.hard_state = HardState()
        self.base = SnapshotMeta(LogIndex(0), Term(0), conf_state)
        self.entries: list[Entry] = []
        self.checkpoint = Store(conf_state)
        self.pending: list[Write] = []

    def last_index(self) -> int:
        return self.base.index + len(self.entries)

    def complete(self) -> Write:
        """The oldest pending write becomes durable."""
        write = self.pending.pop(0)
        self._write_entries(write.entries)
        if write.hard_state is not None:
            self.hard_state = write.hard_state
        return write

    def crash(self, rng: Random) -> None:
        """Some of the pending writes arrived, and of the next one some entries, but not the hard state after them."""
        for _ in range(rng.randint(0, len(self.pending))):
            self.complete()
        if self.pending and rng.random() < 0.5:
            entries = self.pending[0].entries
            self._write_entries(entries[: rng.randint(0, len(entries))])
        self.pending = []

    def save_checkpoint(self, store: Store) -> None:
        self.checkpoint = store.copy()

    def install(self, snapshot: Snapshot, store: Store) -> None:
        """The log starts anew behind a snapshot; the hard state follows with the rest of the Ready."""
        assert not self.pending
        self.base = snapshot.meta
        self.entries = []
        self.checkpoint = store.copy()

    def compact(self, index: LogIndex) -> None:
        """Cuts the log, below what the checkpoint has."""
        assert index <= self.checkpoint.applied
        count = index - self.base.index
        if count > 0:
            self.base = SnapshotMeta(index, self.entries[count - 1].term, self.base.conf_state)
            del self.entries[:count]

    def load(self) -> MemoryStorage:
        """The storage as a restarted member finds it; payloads are gone."""
        storage = MemoryStorage()
        storage.apply_snapshot(Snapshot(self.base))
        storage.append([Entry(entry.index, entry.term, entry.kind, entry.data) for entry in self.entries])
        storage.set_hard_state(self.hard_state)
        if self.checkpoint.applied > 0:
            storage.create_snapshot(
                self.checkpoint.applied, self.checkpoint.conf_state, self.checkpoint.snapshot().data
            )
        storage.set_conf_state(self.checkpoint.conf_state)
        return storage

    def _write_entries(self, entries: list[Entry]) -> None:
        if not entries:
            return
        position = entries[0].index - self.base.index - 1
        assert 0 <= position <= len(self.entries), f"a gap on the disk before {entries[0].index}"
        del self.entries[position:]
        self.entries.extend(entries)
