"""One member of a cluster: the loop that turns commands into log entries, and committed entries into answers.

submit -> one flush an iteration of the loop -> raft entry -> log writer thread -> durable -> committed -> applied

Invariants:
1. Raft, store and lessor are touched on the loop only. Other threads write the log and sync the engine.
2. The steps of a Ready are done in the order that `raft.raw_node` documents.
3. Each proposal is answered exactly once: applied, or dropped (undecided only when the member stops or is deposed).
4. Applying never waits for a disk: the log is what is durable, and it is cut only below what the engine has synced.
5. After a failure nothing is written any more: the member stops, `serve` raises, a restart recovers from the log.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Final, final

import structlog

from etcdcore.apply.admin import AdminState
from etcdcore.apply.commands import Command, Range, decode_batch
from etcdcore.apply.permissions import Permissions
from etcdcore.apply.reads import read_range
from etcdcore.apply.results import AdminResult, RangeResult
from etcdcore.auth.tokens import SimpleTokens
from etcdcore.config import MemberConfig
from etcdcore.errors import (
    CoreError,
    EngineSwapFailed,
    LeaderChanged,
    NoLeader,
    NoSpace,
    NotLeader,
    ProposalDropped,
    ServerStopped,
    TooManyRequests,
)
from etcdcore.lease.lessor import Lessor
from etcdcore.member.administration import Administration
from etcdcore.member.applied_state import AppliedState
from etcdcore.member.authentication import Authentication
from etcdcore.member.batches import Batch, InFlight, drop_proposals, pack_batches
from etcdcore.member.checkpoint import Checkpoints
from etcdcore.member.proposals import Proposal, RevisionListener
from etcdcore.member.reads import ReadBarriers
from etcdcore.member.recovery import OpenedParts, RecoveryReport, check_applied, open_parts
from etcdcore.member.routine import Routine, TimedWork
from etcdcore.member.state_view import StateView
from etcdcore.member.write_state import WriteState
from etcdcore.mvcc.engine import Engine
from etcdcore.mvcc.store import Store
from etcdcore.mvcc.watchers import WatchHub
from etcdcore.raft.messages import (
    CHANGE_UPDATE,
    ENTRY_CONF_CHANGE,
    NO_INDEX,
    NO_MEMBER,
    ConfChange,
    ConfChangeV2,
    Entry,
    Message,
    decode_conf_change,
)
from etcdcore.raft.raw_node import RawNode, Ready, SoftState, Status
from etcdcore.raft.replicator import ROLE_LEADER, RaftConfig
from etcdcore.statistics import MemberCounts, StoreCounts
from etcdcore.storage.errors import DiskFull, StorageError
from etcdcore.storage.file_ops import FileOps
from etcdcore.storage.wal_writer import DiskRecovered, WalFact, WalWriter
from etcdcore.types import KeyValue, LogIndex, MemberId, Term

GATHERING_TURNS_MAX: Final = 16
"""Turns of the loop for which a log entry waits at most while each brings more commands; a turn is a fraction of the
time that a sync takes, and no timer is involved."""
GROUP_COMMANDS_MANY: Final = 128
"""So many commands go to the log as soon as it is free, and the disk works while what it has just synced is applied.
Fewer wait for that: those who are answered send more, and the log's thread, which gets the interpreter only between the
steps of the loop, costs more than it saves if it is woken for a few."""
_log = structlog.get_logger()

APPLY_SLICE_S: Final = 0.02
"""After so long the apply loop lets others have the loop; an entry is never cut in two."""
STOP_DRAIN_S: Final = 5.0
"""What is in flight when the member is asked to stop has so long to be applied; after that its fate is unknown."""


@final
class _Unpersisted:
    """A Ready on its way to the disk: what to tell raft, and whom to tell, once it is there."""

    __slots__ = ("index", "messages", "term", "token")

    def __init__(self, token: int, index: LogIndex, term: Term, messages: list[Message]) -> None:
        self.token: Final = token
        self.index: Final = index
        self.term: Final = term
        self.messages: Final = messages


@final
class Member(TimedWork):
    """Life: `open`, `serve` in a task of the caller's group, `wait_writable`, ..., `stop`, which ends `serve`."""

    def __init__(self, config: MemberConfig, parts: OpenedParts, rng: Random) -> None:
        self._config: Final = config
        self._parts: Final = parts
        self._log: Final = parts.log
        tokens = SimpleTokens(config.auth_token_ttl_s)
        self._state: Final = AppliedState(parts.engine, parts.log, tokens, parts.founder)
        if self._state.conf_state is not None:
            # Entries up to the applied index are not applied again, nor are the membership changes among them.
            parts.log.set_conf_state(self._state.conf_state)
        check_applied(parts, self._state.applied_index)
        raft_config = RaftConfig(
            parts.member_id, election_ticks=config.election_ticks, applied=self._state.applied_index
        )
        self._raft: Final = RawNode(raft_config, parts.log, rng)
        self._state.counts.slow_apply_s = config.slow_apply_s
        self._listeners: Final[list[RevisionListener]] = []
        self._write_state: Final = WriteState(self._listeners)
        self._conf_state = parts.log.initial_state()[1]
        self._leader_seen = NO_MEMBER
        self.admin: Final = Administration(self, config, self._state)
        """What operators ask for."""
        self.authentication: Final = Authentication(self, config)
        """Passwords and tokens."""
        self._checkpoints: Final = Checkpoints(config, parts, self._state)
        self._routine: Final = Routine(self, config, self._state, self._checkpoints, self._write_state, self._listeners)
        # Waiting for the next flush.
        self._commands: list[Command] = []
        self._proposals: list[Proposal | None] = []
        self._reads: Final = ReadBarriers(self._state.counts)
        self._is_flush_due = False
        self._gathered_count = 0
        self._gathering_turns = 0
        self._flushed_count = 0
        """Commands of the last flush: as many clients at least seem to be at it."""
        self._waiting_since_s = 0.0
        """When the first of them came."""
        # In flight, in order.
        self._in_flight: Final = InFlight()
        self._unpersisted: Final[deque[_Unpersisted]] = deque()
        self._syncing_count = 0
        """Of the unpersisted, those with entries: what the next flush waits for."""
        self._token = 0
        self._to_apply: Final[deque[Entry]] = deque()
        self._is_apply_due = False
        self._changes: Final[dict[LogIndex, Proposal]] = {}
        """Who waits for the membership change of which entry."""
        # Life.
        self._failure: BaseException | None = None
        self._is_stopping = False
        self._is_closed = False
        self._end_requested: Final = asyncio.Event()
        self._progressed: Final = asyncio.Event()
        self._ended: Final = asyncio.Event()

    @classmethod
    def open(
        cls,
        config: MemberConfig,
        file_ops: FileOps | None = None,
        engine: Engine | None = None,
        rng: Random | None = None,
    ) -> "Member":
        """Locks the data directory, reads the log and opens the store; blocks meanwhile.

        `file_ops`, `engine` and `rng` are for tests that inject faults. Raises StorageError (locked, corrupted,
        unusable) and EngineError.
        """
        parts = open_parts(config, file_ops, engine)
        try:
            return cls(config, parts, Random() if rng is None else rng)
        except BaseException:
            parts.wal.files.close()
            parts.close()
            raise

    # --- facts ---

    @property
    def recovery_report(self) -> RecoveryReport:
        return self._parts.report

    @property
    def member_id(self) -> MemberId:
        return self._parts.member_id

    @property
    def data_path(self) -> Path:
        """The data directory, for files without a name."""
        return self._parts.data_dir.path

    @property
    def cluster_id(self) -> int:
        return self._parts.cluster_id

    @property
    def is_leader(self) -> bool:
        return self._raft.is_leader

    @property
    def has_leader(self) -> bool:
        return self._raft.leader_id != NO_MEMBER

    @property
    def term(self) -> Term:
        return self._raft.term

    @property
    def config(self) -> MemberConfig:
        return self._config

    @property
    def admin_state(self) -> AdminState:
        """Auth, alarms and members as applied here; not to be kept, since a failed commit makes a new one."""
        return self._state.applier.admin

    @property
    def permissions(self) -> Permissions:
        """Who may do what, as applied here; not to be kept either."""
        return self._state.applier.permissions

    @property
    def commit_index(self) -> LogIndex:
        return self._raft.commit_index

    def store_bytes(self) -> tuple[int, int]:
        """Of the engine's file and of what is in use, as of its last commit."""
        return self._state.size()

    @property
    def applied_index(self) -> LogIndex:
        return self._state.applied_index

    @property
    def leader_id(self) -> MemberId:
        """NO_MEMBER when none is known."""
        return self._raft.leader_id

    def raft_status(self) -> Status:
        """A copy, for people and metrics."""
        return self._raft.status()

    @property
    def pending_count(self) -> int:
        """Commands proposed here and not applied yet."""
        return self._in_flight.count

    @property
    def counts(self) -> MemberCounts:
        return self._state.counts

    @property
    def log_writer(self) -> WalWriter:
        """For its counts; there is one while the member serves."""
        return self._wal

    @property
    def store_counts(self) -> StoreCounts:
        return self._state.store.counts

    @property
    def store(self) -> Store:
        """As it is now: another one after the engine had to be rolled back, so nobody keeps it."""
        return self._state.store

    @property
    def lessor(self) -> Lessor:
        """As it is now: see `store`."""
        return self._state.lessor

    @property
    def watch_hub(self) -> WatchHub:
        """Whoever opens streams on it also tells it of the revisions, as a listener, and lets it catch up."""
        return self._state.watch_hub

    def revision(self) -> int:
        """The last revision applied here."""
        return self._state.store.current_revision

    def compacted_revision(self) -> int:
        return self._state.store.compacted_revision

    # --- requests ---

    def submit(self, command: Command, proposal: Proposal | None) -> None:
        """Commands of one loop are decided in the order in which they come here."""
        refusal = self._write_state.refusal
        if refusal is not None:
            if proposal is not None:
                proposal.dropped(refusal, True)
            return
        self._flush_soon()
        if not self._commands:
            self._waiting_since_s = self._loop.time()
        self._commands.append(command)
        self._proposals.append(proposal)

    def overdue(self, age_s: float) -> list[Proposal | None]:
        """Those who have waited longer than that for what they proposed: the disk has stalled. They are answered when
        it goes on, as everybody is; until then this tells them again."""
        before_s = self._loop.time() - age_s
        waiting = self._in_flight.proposed_before(before_s)
        if self._commands and self._waiting_since_s < before_s:
            waiting.extend(self._proposals)
        return waiting

    def read_index(self, proposal: Proposal) -> None:
        """A linearizable barrier: the proposal is applied with the revision, once all that is committed now is."""
        if self._is_closed or self._is_stopping:
            proposal.dropped(ServerStopped(), True)
            return
        self._flush_soon()
        self._reads.asked.append(proposal)

    def is_current(self) -> bool:
        """Whether a linearizable read may be served at once: the read index is known here, and applied.

        So it is on the only voter, but for the moments when what it has committed is not applied yet. Otherwise
        `read_index` finds out when it is.
        """
        index = self._raft.lone_read_index()
        return NO_INDEX < index <= self._state.applied_index and not (self._is_stopping or self._is_closed)

    def propose_conf_change(self, change: ConfChangeV2, proposal: Proposal) -> None:
        """A membership change, answered when it is applied; its context is a `MemberChange`.

        Raises ProposalDropped, ConfChangeRefused: then the proposal hears nothing.
        """
        if self._write_state.refusal is not None:
            raise ProposalDropped(self._write_state.refusal.text)
        self._changes[self._raft.propose_conf_change(change)] = proposal
        self._loop.call_soon(self._on_apply)

    def transfer_leadership(self, target: MemberId) -> None:
        """Begins to; it is given up after an election timeout."""
        self._raft.transfer_leadership(target)
        self._loop.call_soon(self._on_apply)

    async def rewrite_engine(self) -> None:
        """Defragments: reads go on, commands are logged meanwhile and applied after. Refuses NoSpace, ServerStopped."""
        try:
            await self._checkpoints.rewrite()
        except EngineSwapFailed as error:
            self.fail(error)
            raise ServerStopped from error
        finally:
            if not self._is_closed and self._failure is None:
                self._loop.call_soon(self._on_apply)

    def range(self, request: Range) -> RangeResult | CoreError:
        """From the state applied here, without asking anybody (etcd's serializable read)."""
        return read_range(self._state.store, request)

    def when_compacted(self, proposal: Proposal) -> None:
        """The proposal is applied with the revision once the compaction in progress has removed all it removes."""
        self._routine.when_compacted(proposal)

    def read_page(self, key: bytes, range_end: bytes, revision: int, limit: int) -> list[KeyValue] | CoreError:
        """The first so many pairs of an interval at a revision. Unlike `range` it does not count those behind them."""
        store = self._state.store
        error = store.check_revision(revision)
        if error is not None:
            return error
        pairs: list[KeyValue] = []
        for found in store.keys_between(key, range_end):
            pair = store.key_at(found, revision)
            if pair is not None:
                pairs.append(pair)
                if len(pairs) == limit:
                    break
        return pairs

    def open_view(self) -> StateView | CoreError:
        """All that is applied now, for a copy that another thread makes. The caller closes it, soon."""
        if self._is_closed or self._failure is not None:
            return ServerStopped()
        if not self._state.commit():
            return NoSpace()
        index = self._state.committed_index
        return StateView(self._state.engine.open_view(), index, self._log.term(index), self._conf_state)

    def renew_leases(self, lease_ids: Sequence[int]) -> None:
        """From now on each has its full time again. Missing ones, and those that have run out, are passed over."""
        lessor = self._state.lessor
        now_ms = self._now_ms()
        for lease_id in lease_ids:
            lessor.renew(lease_id, now_ms)

    def renew_lease(self, lease_id: int) -> int:
        """Full time again from now: the granted seconds, or 0 for a lease that is missing or has run out."""
        return self._state.lessor.renew(lease_id, self._now_ms())

    def is_lease_due(self, lease_id: int) -> bool:
        """Whether it has run out, and is revoked in a moment."""
        return self._state.lessor.is_due(lease_id, self._now_ms())

    def lease_time_to_live(self, lease_id: int) -> tuple[int, int]:
        """Whole seconds left, and seconds granted; (-1, 0) for a missing lease."""
        return self._state.lessor.time_to_live(lease_id, self._now_ms())

    def subscribe(self, listener: RevisionListener) -> int:
        """From now on the listener hears of every revision; returns the last one that it won't hear of."""
        self._listeners.append(listener)
        return self.revision()

    def unsubscribe(self, listener: RevisionListener) -> None:
        self._listeners.remove(listener)

    # --- life ---

    async def serve(self) -> None:
        """Long-lived. Returns after `stop`; raises what made the member fail."""
        self._loop = asyncio.get_running_loop()
        self._wal: WalWriter = WalWriter(self._parts.wal, self._loop, self._on_durable, self._on_wal_fact)
        # Before anything is applied: the time of a token begins at the clock's, not at 0.
        self._state.tokens.advance(self._now_ms())
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(self._routine.serve_clock(), name="member_clock"),
                    group.create_task(self._routine.serve_checkpoints(), name="member_checkpoints"),
                    group.create_task(self._routine.serve_compaction(), name="member_compaction"),
                ]
                self._start()
                await self._end_requested.wait()
                for task in tasks:
                    task.cancel()
        finally:
            await self._close()
        if self._failure is not None:
            raise self._failure

    async def wait_writable(self) -> None:
        """Raises ServerStopped when that will never be."""
        await self._write_state.wait_writable()

    async def stop(self) -> None:
        """Applies what is in flight, syncs, cuts the log so that the next start is quick, and closes."""
        if not self._is_stopping:
            self._is_stopping = True
            self._write_state.stop(ServerStopped())
            await self._drain()
            self._end_requested.set()
        await self._ended.wait()

    def _start(self) -> None:
        try:
            if self._log.initial_state()[1].voters == (self.member_id,):
                # The only voter need not wait for a leader that might still be there.
                self._raft.campaign()
            self.process_ready()
        except Exception as error:  # an outer boundary: see fail
            self.fail(error)

    async def _drain(self) -> None:
        try:
            async with asyncio.timeout(STOP_DRAIN_S):
                while (
                    (self._commands or self._in_flight.count)
                    and self._failure is None
                    and not self._write_state.is_full
                ):
                    self._progressed.clear()
                    await self._progressed.wait()
        except TimeoutError:
            return  # what is still in flight is dropped as undecided

    async def _close(self) -> None:
        self._is_closed = True
        self._drop_all(ServerStopped())
        try:
            await self._checkpoints.wait_idle()
            if self._failure is None:
                await self.cut_log()
            await self._wal.close()
        except (StorageError, OSError) as error:
            self._failure = self._failure or error
        finally:
            self.authentication.close()
            self._parts.close()
            self._write_state.stop(ServerStopped())
            self._ended.set()

    def fail(self, error: BaseException) -> None:
        """The outer boundary of everything that the loop calls: say it once, drop what is in flight, stop."""
        if self._failure is not None or self._is_closed:
            return
        self._failure = error
        self._is_stopping = True
        self._write_state.stop(ServerStopped())
        self._drop_all(ServerStopped())
        for listener in list(self._listeners):  # some leave when they hear of it
            listener.member_failed(error)
        self._end_requested.set()
        self._progressed.set()

    def _drop_all(self, error: CoreError) -> None:
        """Whatever waits, in order: in flight (fate unknown), not yet proposed (surely without effect), reads."""
        self._to_apply.clear()
        self._in_flight.drop(error)
        self._drop_changes(error)
        proposals, self._proposals, self._commands = self._proposals, [], []
        drop_proposals(proposals, error, True)
        self._reads.drop_all(error)
        self._routine.drop_waiting(error)

    def _drop_changes(self, error: CoreError) -> None:
        changes = list(self._changes.values())
        self._changes.clear()
        drop_proposals(changes, error, False)

    # --- called by the loop ---

    def _on_flush(self) -> None:
        self._is_flush_due = False
        if self._is_closed or self._failure is not None:
            return
        try:
            # While a group is being synced the log's thread would not take another one; what comes meanwhile becomes
            # one entry and one write when that one is done (see _on_durable), instead of one for each turn of the loop.
            if self._reads.asked or not (self._syncing_count or self._gathers()):
                self._flush()
                self.process_ready()
        except Exception as error:  # an outer boundary: see fail
            self.fail(error)

    def _on_durable(self, token: int) -> None:
        if self._is_closed or self._failure is not None:
            return
        try:
            unpersisted = self._unpersisted
            while unpersisted and unpersisted[0].token <= token:
                done = unpersisted.popleft()
                if done.index:
                    self._syncing_count -= 1
                    self._raft.persisted(done.index, done.term)
                self._send(done.messages)
            if not self._syncing_count and len(self._commands) >= GROUP_COMMANDS_MANY:
                self._flush()
            self.process_ready()
            if not self._syncing_count and self._commands:
                self._flush_soon()
        except Exception as error:  # an outer boundary: see fail
            self.fail(error)

    def _on_wal_fact(self, fact: WalFact) -> None:
        if self._is_closed:
            return
        if isinstance(fact, DiskFull):
            self._write_state.set_log_full(True)
            self._progressed.set()
        elif isinstance(fact, DiskRecovered):
            self._write_state.set_log_full(False)
        else:
            self.fail(fact)

    def _on_apply(self) -> None:
        self._is_apply_due = False
        if self._is_closed or self._failure is not None:
            return
        try:
            self.process_ready()
        except Exception as error:  # an outer boundary: see fail
            self.fail(error)

    # --- called by the tasks of `routine` ---

    def tick(self) -> None:
        self._raft.tick()
        self._state.tokens.advance(self._now_ms())

    async def cut_log(self) -> None:
        meta = await self._checkpoints.sync(self._conf_state)
        if meta is None:
            self._write_state.set_engine_full(self._state.is_full)
            return
        self._token += 1
        self._wal.append_snapshot(meta, False, self._token)
        self._wal.release_before(LogIndex(meta.index + 1))
        self._checkpoints.cut_memory(meta)

    # --- proposing ---

    def _gathers(self) -> bool:
        """Whether to look at the sockets once more before the log gets its next entry: fewer commands are here than
        last time, and more come with every turn. Else the first of many clients who were answered together would have
        a sync of their own, for which all others wait."""
        count = len(self._commands)
        if count >= self._flushed_count or count == self._gathered_count:
            return False
        if self._gathering_turns >= GATHERING_TURNS_MAX:
            return False
        self._gathered_count = count
        self._gathering_turns += 1
        self._flush_soon()
        return True

    def _flush_soon(self) -> None:
        if not self._is_flush_due:
            self._is_flush_due = True
            self._loop.call_soon(self._on_flush)

    def _flush(self) -> None:
        self._gathered_count = self._gathering_turns = 0
        if self._reads.asked:
            self._reads.propose(self._raft)
        if not self._commands:
            return
        commands, proposals = self._commands, self._proposals
        self._commands, self._proposals = [], []
        self._flushed_count = len(commands)
        if self._in_flight.count + len(commands) > self._config.pending_commands_max:
            self._state.counts.proposals_failed += len(commands)
            drop_proposals(proposals, TooManyRequests(), True)
            return
        config = self._config
        now_s = self._loop.time()
        for batch in pack_batches(commands, proposals, config.entry_bytes_max, config.entry_commands_max):
            try:
                self._raft.propose(batch.data, batch)
            except ProposalDropped:
                self._state.counts.proposals_failed += len(batch.commands)
                drop_proposals(batch.proposals, NotLeader(), True)
                continue
            self._in_flight.add(batch, now_s)

    # --- Ready ---

    def process_ready(self) -> None:
        raft = self._raft
        while True:
            while raft.has_ready():
                self._perform(raft.ready())
            if not self._to_apply or not self._apply():
                return

    def _perform(self, ready: Ready) -> None:
        assert ready.snapshot is None, "a snapshot comes from a leader, and this member has no peers"
        if ready.soft_state is not None:
            self._change_role(ready.soft_state)
        entries = ready.entries
        hard_state = ready.hard_state
        if hard_state is not None:
            self._log.set_hard_state(hard_state)
        self._send(ready.messages_before_persist)
        if entries or hard_state is not None:
            self._token += 1
            index, term = LogIndex(0), Term(0)
            if entries:
                self._log.append(entries)
                index, term = entries[-1].index, entries[-1].term
                self._syncing_count += 1
            self._unpersisted.append(_Unpersisted(self._token, index, term, ready.messages_after_persist))
            self._wal.append(entries, hard_state, ready.must_sync, self._token)
            self._checkpoints.note_entries(entries)
        elif ready.messages_after_persist:
            if self._unpersisted:
                self._unpersisted[-1].messages.extend(ready.messages_after_persist)
            else:
                self._send(ready.messages_after_persist)
        if ready.read_states:
            self._reads.take_states(ready.read_states)
        self._to_apply.extend(ready.committed_entries)
        if self._reads.is_waiting:
            self._reads.answer(self._state.applied_index, self.revision())

    def _send(self, messages: list[Message]) -> None:
        """There is no way to any peer yet: a learner that was added, or a voter, is unreachable."""
        for message in messages:
            if message.snapshot is not None:
                self._raft.report_snapshot(message.target, False)
            self._raft.report_unreachable(message.target)

    def _change_role(self, soft_state: SoftState) -> None:
        if soft_state.leader_id not in (NO_MEMBER, self._leader_seen):
            self._leader_seen = soft_state.leader_id
            self._state.counts.leader_changes += 1
        if soft_state.role == ROLE_LEADER:
            # Writable once the first entry of the new term is applied, and with it all that came before.
            self._state.lessor.promote(self._now_ms(), self._config.tick_ms * self._config.election_ticks)
            return
        if self._state.lessor.is_primary:
            self._state.lessor.demote()
            self._state.counts.proposals_failed += self._in_flight.count
            self._in_flight.drop(LeaderChanged())
            self._drop_changes(LeaderChanged())
        self._reads.drop_rounds(LeaderChanged())
        self._write_state.set_leading(NoLeader() if soft_state.leader_id == NO_MEMBER else NotLeader())

    # --- applying ---

    def _apply(self) -> bool:
        """Applies what is committed, for one slice of time. False when the rest has to wait for the next one."""
        to_apply = self._to_apply
        if self._state.is_paused:
            return False
        deadline_s = self._loop.time() + APPLY_SLICE_S
        raft = self._raft
        counts = self._state.counts
        while to_apply:
            entry = to_apply.popleft()
            started = perf_counter()
            self._apply_entry(entry)
            seconds = perf_counter() - started
            if counts.observe_apply(seconds):
                _log.warning("apply request took too long", took_ms=int(seconds * 1000), log_index=entry.index)
            if self._failure is not None:
                return False
            raft.applied(entry.index)
            if self._reads.is_waiting:
                self._reads.answer(self._state.applied_index, self.revision())
            if to_apply and self._loop.time() >= deadline_s:
                if not self._is_apply_due:
                    self._is_apply_due = True
                    self._loop.call_soon(self._on_apply)
                break
        for listener in list(self._listeners):  # some leave when what they send cannot be sent
            listener.batch_applied()
        self._progressed.set()
        return not to_apply

    def _apply_entry(self, entry: Entry) -> None:
        state = self._state
        payload = entry.payload
        if isinstance(payload, Batch):
            # Proposed here. The log may keep the entry for long, but nobody needs the decoded form again.
            entry.payload = None
            state.apply_batch(payload, self._listeners)
            self._in_flight.remove(payload)
        elif entry.kind == ENTRY_CONF_CHANGE:
            self._apply_conf_change(entry)
        elif entry.data:
            state.apply_batch(Batch(decode_batch(entry.data), [], b""), self._listeners)
        state.applied_index = entry.index
        alarms = state.applier.admin.alarms
        if alarms.is_active or self._write_state.is_alarmed:
            self._write_state.set_alarm(alarms.refusal(True))
        if state.uncommitted_count >= self._config.commit_operations and not state.is_full:
            self.commit()
        if self._raft.is_leader and entry.term == self._raft.term and not self._write_state.is_leading:
            self._write_state.set_leading(None)

    def _apply_conf_change(self, entry: Entry) -> None:
        """What does not fit the table of members any more is a change of nobody, on all members alike."""
        change = decode_conf_change(entry.data)
        error = self._state.apply_change(change)
        if error is not None:
            change = ConfChangeV2((ConfChange(CHANGE_UPDATE, NO_MEMBER),))
        self._conf_state = self._raft.apply_conf_change(change)
        self._state.set_conf_state(self._conf_state)
        self.admin.note_change()
        proposal = self._changes.pop(entry.index, None)
        if proposal is not None:
            proposal.applied(AdminResult(self.revision()) if error is None else error)

    # --- routine ---

    def _now_ms(self) -> int:
        return int(self._loop.time() * 1000)

    def commit(self) -> None:
        self._write_state.set_engine_full(not self._state.commit())
        self.admin.note_commit()
