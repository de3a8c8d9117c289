"""The store with everything built on it, how far the log is applied to it, and what the engine's disk knows of that.

Example: entries 1 to 90 applied, committed to the engine up to 80, synced up to 60. If a commit fails (no room), store
and lessor are built anew at 80 and entries 81 to 90 are applied again, in silence: the listeners have heard of them.
Reads go on; the commit is tried again once there is room.

Invariants:
1. The applied index is in the same engine batch as the effects of the entries up to it.
2. The log in memory holds every entry behind `committed_index`.
"""

from struct import Struct
from time import perf_counter
from typing import Final, final

from etcdcore.apply.admin import AdminState, decode_change
from etcdcore.apply.applier import Applier
from etcdcore.apply.commands import Compaction, Txn, decode_batch
from etcdcore.apply.members import ClusterMember
from etcdcore.auth.tokens import SimpleTokens
from etcdcore.errors import CoreError, EngineCommitFailed, EngineFull
from etcdcore.lease.lessor import Lessor
from etcdcore.member.batches import Batch
from etcdcore.member.conf_state import decode_conf_state, encode_conf_state
from etcdcore.member.proposals import RevisionListener
from etcdcore.mvcc.engine import META, Engine
from etcdcore.mvcc.hashing import CompactionHashes
from etcdcore.mvcc.store import Store
from etcdcore.mvcc.watchers import WatchHub
from etcdcore.raft.messages import ENTRY_CONF_CHANGE, ENTRY_NORMAL, ConfChangeV2, ConfState, decode_conf_change
from etcdcore.raft.storage import NO_LIMIT, MemoryStorage
from etcdcore.statistics import MemberCounts, StoreCounts
from etcdcore.types import LogIndex

APPLIED_INDEX: Final = b"consistent_index"
CONF_STATE: Final = b"confState"
_INDEX: Final = Struct(">Q")
_DONE: Final = Compaction(0)
"""Stands where a command was."""


@final
class AppliedState:
    """One owner, the member. `is_full`: the last commit found no room, what is behind it is in memory only.

    `is_paused`: the engine's file is being rewritten, nothing is applied or committed meanwhile; reads go on.
    """

    __slots__ = (
        "_founder",
        "_is_conf_state_new",
        "_log",
        "_size",
        "applied_index",
        "applier",
        "committed_index",
        "conf_state",
        "counts",
        "engine",
        "hashes",
        "is_full",
        "is_paused",
        "lessor",
        "store",
        "tokens",
        "uncommitted_count",
        "watch_hub",
    )

    def __init__(
        self,
        engine: Engine,
        log: MemoryStorage,
        tokens: SimpleTokens | None = None,
        founder: ClusterMember | None = None,
    ) -> None:
        self._log: Final = log
        self._founder: Final = founder
        self.engine: Final = engine
        self.tokens: Final = SimpleTokens() if tokens is None else tokens
        self.is_full = False
        self.is_paused = False
        stored = engine.get(META, CONF_STATE)
        self.conf_state = None if stored is None else decode_conf_state(stored)
        """Raft's configuration at the applied index; None as long as no change of it was applied."""
        self._is_conf_state_new = False
        self._size: tuple[int, int] | None = None
        self.hashes: Final = CompactionHashes()
        self.counts: Final = MemberCounts()
        self._open(StoreCounts())
        self.watch_hub: Final = WatchHub(self.store)

    def _open(self, counts: StoreCounts) -> None:
        data = self.engine.get(META, APPLIED_INDEX)
        self.applied_index = LogIndex(0 if data is None else _INDEX.unpack(data)[0])
        self.committed_index = self.applied_index
        self.uncommitted_count = 0
        self.store = Store(self.engine)
        self.lessor = Lessor(self.engine)
        self.store.counts = self.lessor.counts = counts
        self.applier = Applier(self.store, self.lessor, AdminState(self.engine, self.tokens, self._founder))

    def apply_batch(self, batch: Batch, listeners: list[RevisionListener]) -> None:
        """The hot loop: a direct call for each listener and proposal, and nothing kept.

        Each command and proposal leaves the batch when it is done, while the processor still has it at hand.
        """
        applier = self.applier
        commands = batch.commands
        proposals = batch.proposals
        is_local = len(proposals) > 0
        may_be_brief = is_local
        for listener in listeners:
            if listener.wants_brief():
                may_be_brief = False
        self.uncommitted_count += len(commands)
        self.applier.admin.entry_index = self.applied_index + 1
        position = 0
        try:
            for command in commands:
                commands[position] = _DONE
                proposal = proposals[position] if is_local else None
                if may_be_brief and proposal is not None and isinstance(command, Txn) and proposal.is_brief():
                    revision = applier.apply_brief(command)
                    if revision:
                        proposals[position] = None
                        position += 1
                        proposal.written(revision)
                        continue
                result = applier.apply(command)
                revision, events = applier.take_events()
                if events:
                    for listener in listeners:
                        listener.revision_applied(revision, events, proposal)
                if is_local:
                    proposals[position] = None
                position += 1
                if proposal is not None:
                    proposal.applied(result)
        except BaseException:
            batch.proposals = proposals[position:]  # these get to hear that the member failed
            raise

    def apply_change(self, change: ConfChangeV2) -> CoreError | None:
        """The table's part of a membership change; when it refuses, raft must not make the change either."""
        self.uncommitted_count += 1
        if not change.context:
            return None
        admin = self.applier.admin
        wanted = decode_change(change.context)
        error = admin.check_change(wanted)
        if error is None:
            admin.apply_change(wanted)
        return error

    def set_conf_state(self, conf_state: ConfState) -> None:
        """What raft made of the change."""
        self.conf_state = conf_state
        self._is_conf_state_new = True

    def commit(self) -> bool:
        """Ends the engine's batch, if there is anything in it. False when there was no room for it."""
        if self.is_paused or (self.uncommitted_count == 0 and self.committed_index == self.applied_index):
            return True
        try:
            self.engine.put(META, APPLIED_INDEX, _INDEX.pack(self.applied_index))
            if self._is_conf_state_new and self.conf_state is not None:
                self.engine.put(META, CONF_STATE, encode_conf_state(self.conf_state))
            self.lessor.write()
            started = perf_counter()
            self.engine.commit()
            self.counts.commit_s.observe(perf_counter() - started)
        except (EngineFull, EngineCommitFailed):
            self.is_full = True
            self._build_anew()
            return False
        self.is_full = False
        self._is_conf_state_new = False
        self.committed_index = self.applied_index
        self.uncommitted_count = 0
        self._size = None
        return True

    def size(self) -> tuple[int, int]:
        """Bytes of the engine's file and bytes in use, as of the last commit: asked for each write under a quota."""
        size = self._size
        if size is None:
            size = self._size = self.engine.size()
        return size

    def forget_size(self) -> None:
        """The file has been rewritten."""
        self._size = None

    def step_compaction(self, budget: int) -> None:
        """Goes on with the compaction in progress; its removals are part of the open batch like any change."""
        if not self.is_paused:
            self.store.step_compaction(budget)
            self.uncommitted_count += 1

    def _build_anew(self) -> None:
        """From the engine's last commit, by the log, to where we were."""
        reached = self.applied_index
        revision = self.store.current_revision
        was_primary = self.lessor.is_primary
        now_ms = self.lessor.now_ms
        counts = self.store.counts
        self._open(StoreCounts())  # what is applied again below was counted before
        self._is_conf_state_new = self.conf_state is not None
        for entry in self._log.entries(LogIndex(self.applied_index + 1), LogIndex(reached + 1), NO_LIMIT):  # I2
            self.applier.admin.entry_index = entry.index
            if entry.kind == ENTRY_CONF_CHANGE:
                self.apply_change(decode_conf_change(entry.data))
            elif entry.kind == ENTRY_NORMAL and entry.data:
                for command in decode_batch(entry.data):
                    self.applier.apply(command)
                    self.applier.take_events()
                    self.uncommitted_count += 1
            self.applied_index = entry.index
        assert self.store.current_revision == revision, "the log does not lead where it led before"
        self.store.counts = self.lessor.counts = counts
        self.watch_hub.restore(self.store)
        if was_primary:
            # Renewals are not in the log: every lease has its full time again.
            self.lessor.promote(now_ms, 0)
