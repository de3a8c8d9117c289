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
from random import Random
from typing import Final, final

from etcdcore.apply.commands import Command, Range, decode_batch
from etcdcore.apply.reads import read_range
from etcdcore.apply.results import RangeResult
from etcdcore.config import MemberConfig
from etcdcore.errors import (
    CoreError,
    LeaderChanged,
    NoLeader,
    NotLeader,
    ProposalDropped,
    ServerStopped,
    TooManyRequests,
)
from etcdcore.member.applied_state import AppliedState
from etcdcore.member.batches import Batch, InFlight, drop_proposals, pack_batches
from etcdcore.member.checkpoint import Checkpoints
from etcdcore.member.proposals import Proposal, RevisionListener
from etcdcore.member.reads import ReadBarriers
from etcdcore.member.recovery import OpenedParts, RecoveryReport, check_applied, open_parts
from etcdcore.member.routine import Routine, TimedWork
from etcdcore.member.write_state import WriteState
from etcdcore.mvcc.engine import Engine
from etcdcore.raft.messages import ENTRY_CONF_CHANGE, NO_MEMBER, Entry, Message, decode_conf_change
from etcdcore.raft.raw_node import RawNode, Ready, SoftState
from etcdcore.raft.replicator import ROLE_LEADER, RaftConfig
from etcdcore.storage.errors import DiskFull, StorageError
from etcdcore.storage.file_ops import FileOps
from etcdcore.storage.wal_writer import DiskRecovered, WalFact, WalWriter
from etcdcore.types import KeyValue, LogIndex, MemberId, Term

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
        self._state: Final = AppliedState(parts.engine, parts.log)
        check_applied(parts, self._state.applied_index)
        raft_config = RaftConfig(
            parts.member_id, election_ticks=config.election_ticks, applied=self._state.applied_index
        )
        self._raft: Final = RawNode(raft_config, parts.log, rng)
        self._listeners: Final[list[RevisionListener]] = []
        self._write_state: Final = WriteState(self._listeners)
        self._conf_state = parts.log.initial_state()[1]
        self._checkpoints: Final = Checkpoints(config, parts, self._state)
        self._routine: Final = Routine(self, config, self._state, self._checkpoints, self._write_state, self._listeners)
        # Waiting for the next flush.
        self._commands: list[Command] = []
        self._proposals: list[Proposal | None] = []
        self._reads: Final = ReadBarriers()
        self._is_flush_due = False
        # In flight, in order.
        self._in_flight: Final = InFlight()
        self._unpersisted: Final[deque[_Unpersisted]] = deque()
        self._syncing_count = 0
        """Of the unpersisted, those with entries: what the next flush waits for."""
        self._token = 0
        self._to_apply: Final[deque[Entry]] = deque()
        self._is_apply_due = False
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
    def cluster_id(self) -> int:
        return self._parts.cluster_id

    @property
    def is_leader(self) -> bool:
        return self._raft.is_leader

    @property
    def applied_index(self) -> LogIndex:
        return self._state.applied_index

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
        if not self._is_flush_due:
            self._is_flush_due = True
            self._loop.call_soon(self._on_flush)
        self._commands.append(command)
        self._proposals.append(proposal)

    def read_index(self, proposal: Proposal) -> None:
        """A linearizable barrier: the proposal is applied with the revision, once all that is committed now is."""
        if self._is_closed or self._is_stopping:
            proposal.dropped(ServerStopped(), True)
            return
        if not self._is_flush_due:
            self._is_flush_due = True
            self._loop.call_soon(self._on_flush)
        self._reads.asked.append(proposal)

    def range(self, request: Range) -> RangeResult | CoreError:
        """From the state applied here, without asking anybody (etcd's serializable read)."""
        return read_range(self._state.store, request)

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

    def renew_leases(self, lease_ids: Sequence[int]) -> None:
        """From now on each has its full time again. Missing ones, and those that have run out, are passed over."""
        lessor = self._state.lessor
        now_ms = self._now_ms()
        for lease_id in lease_ids:
            lessor.renew(lease_id, now_ms)

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
        for listener in self._listeners:
            listener.member_failed(error)
        self._end_requested.set()
        self._progressed.set()

    def _drop_all(self, error: CoreError) -> None:
        """Whatever waits, in order: in flight (fate unknown), not yet proposed (surely without effect), reads."""
        self._to_apply.clear()
        self._in_flight.drop(error)
        proposals, self._proposals, self._commands = self._proposals, [], []
        drop_proposals(proposals, error, True)
        self._reads.drop_all(error)

    # --- called by the loop ---

    def _on_flush(self) -> None:
        self._is_flush_due = False
        if self._is_closed or self._failure is not None:
            return
        try:
            # While a group is being synced the log's thread would not take another one; what comes meanwhile becomes
            # one entry and one write when that one is done (see _on_durable), instead of one for each turn of the loop.
            if not self._syncing_count or self._reads.asked:
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
            if not self._syncing_count and self._commands:
                # Before what is durable now is applied, so that the disk works meanwhile.
                self._flush()
            self.process_ready()
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

    def _flush(self) -> None:
        if self._reads.asked:
            self._reads.propose(self._raft)
        if not self._commands:
            return
        commands, proposals = self._commands, self._proposals
        self._commands, self._proposals = [], []
        if self._in_flight.count + len(commands) > self._config.pending_commands_max:
            drop_proposals(proposals, TooManyRequests(), True)
            return
        config = self._config
        for batch in pack_batches(commands, proposals, config.entry_bytes_max, config.entry_commands_max):
            try:
                self._raft.propose(batch.data, batch)
            except ProposalDropped:
                drop_proposals(batch.proposals, NotLeader(), True)
                continue
            self._in_flight.add(batch)

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
            assert not self._unpersisted, "messages wait for a write of an earlier Ready"
            self._send(ready.messages_after_persist)
        if ready.read_states:
            self._reads.take_states(ready.read_states)
        self._to_apply.extend(ready.committed_entries)
        if self._reads.is_waiting:
            self._reads.answer(self._state.applied_index, self.revision())

    def _send(self, messages: list[Message]) -> None:
        assert not messages, "this member has no peers"

    def _change_role(self, soft_state: SoftState) -> None:
        if soft_state.role == ROLE_LEADER:
            # Writable once the first entry of the new term is applied, and with it all that came before.
            self._state.lessor.promote(self._now_ms(), self._config.tick_ms * self._config.election_ticks)
            return
        if self._state.lessor.is_primary:
            self._state.lessor.demote()
            self._in_flight.drop(LeaderChanged())
        self._reads.drop_rounds(LeaderChanged())
        self._write_state.set_leading(NoLeader() if soft_state.leader_id == NO_MEMBER else NotLeader())

    # --- applying ---

    def _apply(self) -> bool:
        """Applies what is committed, for one slice of time. False when the rest has to wait for the next one."""
        to_apply = self._to_apply
        deadline_s = self._loop.time() + APPLY_SLICE_S
        raft = self._raft
        while to_apply:
            entry = to_apply.popleft()
            self._apply_entry(entry)
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
        for listener in self._listeners:
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
            self._conf_state = self._raft.apply_conf_change(decode_conf_change(entry.data))
        elif entry.data:
            state.apply_batch(Batch(decode_batch(entry.data), (), b""), self._listeners)
        state.applied_index = entry.index
        if state.uncommitted_count >= self._config.commit_operations and not state.is_full:
            self.commit()
        if self._raft.is_leader and entry.term == self._raft.term and not self._write_state.is_leading:
            self._write_state.set_leading(None)

    # --- routine ---

    def _now_ms(self) -> int:
        return int(self._loop.time() * 1000)

    def commit(self) -> None:
        self._write_state.set_engine_full(not self._state.commit())
