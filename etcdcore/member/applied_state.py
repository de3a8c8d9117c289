"""The store with everything built on it, how far the log is applied to it, and what the engine's disk knows of that.

Example: entries 1 to 90 applied, committed to the engine up to 80, synced up to 60. If a commit fails (no room), store
and lessor are built anew at 80 and entries 81 to 90 are applied again, in silence: the listeners have heard of them.
Reads go on; the commit is tried again once there is room.

Invariants:
1. The applied index is in the same engine batch as the effects of the entries up to it.
2. The log in memory holds every entry behind `committed_index`.
"""

from collections.abc import Sequence
from struct import Struct
from typing import Final, final

from etcdcore.apply.applier import Applier
from etcdcore.apply.commands import decode_batch
from etcdcore.errors import EngineCommitFailed, EngineFull
from etcdcore.lease.lessor import Lessor
from etcdcore.member.batches import Batch
from etcdcore.member.proposals import RevisionListener
from etcdcore.mvcc.engine import META, Engine
from etcdcore.mvcc.store import Store
from etcdcore.raft.messages import ENTRY_NORMAL
from etcdcore.raft.storage import NO_LIMIT, MemoryStorage
from etcdcore.types import LogIndex

APPLIED_INDEX: Final = b"consistent_index"
_INDEX: Final = Struct(">Q")


@final
class AppliedState:
    """One owner, the member. `is_full`: the last commit found no room, what is behind it is in memory only."""

    __slots__ = (
        "_log",
        "applied_index",
        "applier",
        "committed_index",
        "engine",
        "is_full",
        "lessor",
        "store",
        "uncommitted_count",
    )

    def __init__(self, engine: Engine, log: MemoryStorage) -> None:
        self._log: Final = log
        self.engine: Final = engine
        self.is_full = False
        self._open()

    def _open(self) -> None:
        data = self.engine.get(META, APPLIED_INDEX)
        self.applied_index = LogIndex(0 if data is None else _INDEX.unpack(data)[0])
        self.committed_index = self.applied_index
        self.uncommitted_count = 0
        self.store = Store(self.engine)
        self.lessor = Lessor(self.engine)
        self.applier = Applier(self.store, self.lessor)

    def apply_batch(self, batch: Batch, listeners: Sequence[RevisionListener]) -> None:
        """The hot loop: a direct call for each listener and proposal, and nothing kept."""
        apply = self.applier.apply
        take_events = self.applier.take_events
        proposals = batch.proposals
        is_local = len(proposals) > 0
        self.uncommitted_count += len(batch.commands)
        position = 0
        try:
            for command in batch.commands:
                result = apply(command)
                revision, events = take_events()
                proposal = proposals[position] if is_local else None
                if events:
                    for listener in listeners:
                        listener.revision_applied(revision, events, proposal)
                position += 1
                if proposal is not None:
                    proposal.applied(result)
        except BaseException:
            batch.proposals = proposals[position:]  # these get to hear that the member failed
            raise

    def commit(self) -> bool:
        """Ends the engine's batch, if there is anything in it. False when there was no room for it."""
        if self.uncommitted_count == 0 and self.committed_index == self.applied_index:
            return True
        try:
            self.engine.put(META, APPLIED_INDEX, _INDEX.pack(self.applied_index))
            self.engine.commit()
        except (EngineFull, EngineCommitFailed):
            self.is_full = True
            self._build_anew()
            return False
        self.is_full = False
        self.committed_index = self.applied_index
        self.uncommitted_count = 0
        return True

    def step_compaction(self, budget: int) -> None:
        """Goes on with the compaction in progress; its removals are part of the open batch like any change."""
        self.store.step_compaction(budget)
        self.uncommitted_count += 1

    def _build_anew(self) -> None:
        """From the engine's last commit, by the log, to where we were."""
        reached = self.applied_index
        revision = self.store.current_revision
        was_primary = self.lessor.is_primary
        now_ms = self.lessor.now_ms
        self._open()
        for entry in self._log.entries(LogIndex(self.applied_index + 1), LogIndex(reached + 1), NO_LIMIT):  # I2
            if entry.kind == ENTRY_NORMAL and entry.data:
                for command in decode_batch(entry.data):
                    self.applier.apply(command)
                    self.applier.take_events()
                    self.uncommitted_count += 1
            self.applied_index = entry.index
        assert self.store.current_revision == revision, "the log does not lead where it led before"
        if was_primary:
            # Renewals are not in the log: every lease has its full time again.
            self.lessor.promote(now_ms, 0)
