"""One member of a cluster: the asyncio shell around its `driver`, and what its services ask it.

Invariants:
1. Driver, store and lessor are touched on the loop only. Other threads write the log and sync the engine.
2. After a failure nothing is written any more: the member stops, `serve` raises, a restart recovers from the log.
3. The log is cut only below what the engine has synced.
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Final, final

import structlog

from etcdcore.apply.admin import AdminState
from etcdcore.apply.commands import Command, Range
from etcdcore.apply.permissions import Permissions
from etcdcore.apply.reads import read_range
from etcdcore.apply.results import RangeResult
from etcdcore.auth.tokens import SimpleTokens
from etcdcore.config import MemberConfig
from etcdcore.errors import CoreError, EngineSwapFailed, NoSpace, ServerStopped
from etcdcore.lease.lessor import Lessor
from etcdcore.member.administration import Administration
from etcdcore.member.applied_state import AppliedState
from etcdcore.member.authentication import Authentication
from etcdcore.member.checkpoint import Checkpoints
from etcdcore.member.clock import MonotonicClock
from etcdcore.member.driver import Driver
from etcdcore.member.life import Life, LifeState
from etcdcore.member.log import WalLog
from etcdcore.member.ports import Clock, Host, PeersPort
from etcdcore.member.proposals import Proposal, RevisionListener
from etcdcore.member.recovery import OpenedParts, RecoveryReport, check_applied, open_parts
from etcdcore.member.routine import Routine, TimedWork
from etcdcore.member.state_view import StateView
from etcdcore.mvcc.engine import Engine
from etcdcore.mvcc.store import Store
from etcdcore.mvcc.watchers import WatchHub
from etcdcore.raft.messages import NO_MEMBER, Message
from etcdcore.raft.raw_node import RawNode, Status
from etcdcore.raft.replicator import RaftConfig
from etcdcore.statistics import MemberCounts, StoreCounts
from etcdcore.storage.errors import DiskFull, StorageError
from etcdcore.storage.file_ops import FileOps
from etcdcore.storage.wal_writer import DiskRecovered, WalFact, WalWriter
from etcdcore.types import KeyValue, LogIndex, MemberId, Term

_log = structlog.get_logger()

STOP_DRAIN_S: Final = 5.0
"""What is in flight when the member is asked to stop has so long to be applied; after that its fate is unknown."""


@final
class NoPeers(PeersPort):
    """There is no way to any peer yet: a learner that was added, or a voter, is unreachable."""

    def __init__(self, member: "Member") -> None:
        self._member: Final = member

    def send(self, messages: Sequence[Message]) -> None:
        self._member.peers_unreachable(messages)


@final
class MemberHost(Host):
    """The driver's turns are the member's, on its loop."""

    def __init__(self, member: "Member") -> None:
        self._member: Final = member

    def want_flush(self) -> None:
        self._member.call_soon(self._member.flush_turn)

    def want_apply(self) -> None:
        self._member.call_soon(self._member.apply_turn)

    def progressed(self) -> None:
        self._member.progressed.set()

    def refusal_changed(self) -> None:
        self._member.note_refusal()

    def apply_was_slow(self, index: LogIndex, took_s: float) -> None:
        _log.warning("apply request took too long", took_ms=int(took_s * 1000), log_index=index)

    def committed(self) -> None:
        self._member.admin.note_commit()

    def membership_changed(self) -> None:
        self._member.admin.note_change()


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
        self._life: Final = Life()
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._clock: Final[Clock] = MonotonicClock()
        self._wal: Final = WalLog(parts.wal)
        self._end_requested: Final = asyncio.Event()
        self.progressed: Final = asyncio.Event()
        """Set whenever something was applied; whoever waits clears it."""
        self._settled: Final = asyncio.Event()
        """Set while commands are taken, and once they never will be again."""
        self._ended: Final = asyncio.Event()
        self._driver: Final = Driver(
            config,
            self._raft,
            parts.log,
            self._state,
            self._life,
            self._wal,
            NoPeers(self),
            self._clock,
            MemberHost(self),
        )
        self._checkpoints: Final = Checkpoints(config, parts, self._state, self._driver.growth)
        self.admin: Final = Administration(self._driver, config, self.rewrite_engine)
        """What operators ask for."""
        self.authentication: Final = Authentication(self.admin, config)
        """Passwords and tokens."""
        self._routine: Final = Routine(self, config, self._state, self._checkpoints, self._driver)

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
        return self._driver.in_flight.count

    @property
    def counts(self) -> MemberCounts:
        return self._state.counts

    @property
    def log_writer(self) -> WalWriter:
        """For its counts; there is one while the member serves."""
        return self._wal.writer

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
        self._driver.submit(command, proposal)

    def overdue(self, age_s: float) -> list[Proposal | None]:
        """Those who have waited longer than that for what they proposed: see `Driver.overdue`."""
        return self._driver.overdue(age_s)

    def read_index(self, proposal: Proposal) -> None:
        """A linearizable barrier: the proposal is applied with the revision, once all that is committed now is."""
        self._driver.read_index(proposal)

    def is_current(self) -> bool:
        """Whether a linearizable read may be served at once; otherwise `read_index` finds out when."""
        return self._driver.is_current()

    async def rewrite_engine(self) -> None:
        """Defragments: reads go on, commands are logged meanwhile and applied after. Refuses NoSpace, ServerStopped."""
        try:
            await self._checkpoints.rewrite()
        except EngineSwapFailed as error:
            self.fail(error)
            raise ServerStopped from error
        finally:
            if self._life.does_work:
                self._driver.work_resumed()

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
        return store.page(key, range_end, revision, limit) if error is None else error

    def open_view(self) -> StateView | CoreError:
        """All that is applied now, for a copy that another thread makes. The caller closes it, soon."""
        if not self._life.does_work:
            return ServerStopped()
        if not self._state.commit():
            return NoSpace()
        index = self._state.committed_index
        return StateView(self._state.engine.open_view(), index, self._log.term(index), self._driver.conf_state)

    def renew_leases(self, lease_ids: Sequence[int]) -> None:
        """From now on each has its full time again. Missing ones, and those that have run out, are passed over."""
        lessor = self._state.lessor
        now_ms = self._driver.now_ms()
        for lease_id in lease_ids:
            lessor.renew(lease_id, now_ms)

    def renew_lease(self, lease_id: int) -> int:
        """Full time again from now: the granted seconds, or 0 for a lease that is missing or has run out."""
        return self._state.lessor.renew(lease_id, self._driver.now_ms())

    def is_lease_due(self, lease_id: int) -> bool:
        """Whether it has run out, and is revoked in a moment."""
        return self._state.lessor.is_due(lease_id, self._driver.now_ms())

    def lease_time_to_live(self, lease_id: int) -> tuple[int, int]:
        """Whole seconds left, and seconds granted; (-1, 0) for a missing lease."""
        return self._state.lessor.time_to_live(lease_id, self._driver.now_ms())

    def subscribe(self, listener: RevisionListener) -> int:
        """From now on the listener hears of every revision; returns the last one that it won't hear of."""
        self._driver.listeners.append(listener)
        return self.revision()

    def unsubscribe(self, listener: RevisionListener) -> None:
        self._driver.listeners.remove(listener)

    # --- life ---

    async def serve(self) -> None:
        """Long-lived. Returns after `stop`; raises what made the member fail."""
        self._loop = asyncio.get_running_loop()
        self._life.move(LifeState.SERVING)
        self._wal.start(self._loop, self._on_durable, self._on_wal_fact)
        # Before anything is applied: the time of a token begins at the clock's, not at 0.
        self._state.tokens.advance(self._driver.now_ms())
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(self._routine.serve_clock(), name="member_clock"),
                    group.create_task(self._routine.serve_checkpoints(), name="member_checkpoints"),
                    group.create_task(self._routine.serve_compaction(), name="member_compaction"),
                ]
                self._guard(self._driver.start)
                await self._end_requested.wait()
                for task in tasks:
                    task.cancel()
        finally:
            await self._close()
        if self._failure is not None:
            raise self._failure

    async def wait_writable(self) -> None:
        """Raises ServerStopped when that will never be."""
        write_state = self._driver.write_state
        while write_state.refusal is not None:
            if write_state.is_stopped:
                raise ServerStopped
            await self._settled.wait()

    @property
    def is_out_of_room(self) -> bool:
        """Whether the last write of the log or of the store found no room on the disk."""
        return self._driver.write_state.is_full

    def note_refusal(self) -> None:
        """Called by the host: whoever waits to write looks again."""
        write_state = self._driver.write_state
        if write_state.refusal is None or write_state.is_stopped:
            self._settled.set()
        else:
            self._settled.clear()

    async def stop(self) -> None:
        """Applies what is in flight, syncs, cuts the log so that the next start is quick, and closes."""
        if self._life.state is LifeState.SERVING:
            self._life.move(LifeState.STOPPING)
            self._driver.write_state.stop(ServerStopped())
            await self._drain()
            self._end_requested.set()
        elif self._life.state is LifeState.OPENED:
            await self._close()
        await self._ended.wait()

    async def _drain(self) -> None:
        try:
            async with asyncio.timeout(STOP_DRAIN_S):
                while not self._driver.is_idle and self._failure is None and not self._driver.write_state.is_full:
                    self.progressed.clear()
                    await self.progressed.wait()
        except TimeoutError:
            return  # what is still in flight is dropped as undecided

    async def _close(self) -> None:
        has_served = self._loop is not None
        self._life.move(LifeState.CLOSED)
        self._driver.drop_all(ServerStopped())
        self._routine.drop_waiting(ServerStopped())
        try:
            await self._checkpoints.wait_idle()
            if self._failure is None and has_served:
                await self.cut_log()
            await self._wal.close()
        except (StorageError, OSError) as error:
            self._failure = self._failure or error
        finally:
            self.authentication.close()
            self._parts.close()
            self._driver.write_state.stop(ServerStopped())
            self._ended.set()

    def fail(self, error: BaseException) -> None:
        """The outer boundary of everything that the loop calls: say it once, drop what is in flight, stop."""
        if not self._life.does_work:
            return
        self._failure = error
        self._life.move(LifeState.FAILED)
        self._driver.fail(error)
        self._routine.drop_waiting(ServerStopped())
        self._end_requested.set()

    # --- called by the loop ---

    def call_soon(self, turn: Callable[[], None]) -> None:
        """In the next turn of the loop; before the member serves nothing is due."""
        if self._loop is not None:
            self._loop.call_soon(turn)

    def flush_turn(self) -> None:
        """The driver's, guarded."""
        self._guard(self._driver.flush_turn)

    def apply_turn(self) -> None:
        """The driver's, guarded."""
        self._guard(self._driver.apply_turn)

    def _guard(self, work: Callable[[], None]) -> None:
        if not self._life.does_work:
            return
        try:
            work()
        except Exception as error:  # an outer boundary: see fail
            self.fail(error)

    def _on_durable(self, token: int) -> None:
        if not self._life.does_work:
            return
        try:
            self._driver.durable(token)
        except Exception as error:  # an outer boundary: see fail
            self.fail(error)

    def _on_wal_fact(self, fact: WalFact) -> None:
        if self._life.state is LifeState.CLOSED:
            return
        if isinstance(fact, DiskFull):
            self._driver.set_log_full(True)
        elif isinstance(fact, DiskRecovered):
            self._driver.set_log_full(False)
        else:
            self.fail(fact)

    def peers_unreachable(self, messages: Sequence[Message]) -> None:
        """Called by the port without peers."""
        for message in messages:
            if message.snapshot is not None:
                self._driver.snapshot_sent(message.target, False)
            self._driver.peer_unreachable(message.target)

    # --- called by the tasks of `routine` ---

    def tick(self) -> None:
        self._driver.tick()

    def process_ready(self) -> None:
        self._driver.process_ready()

    def commit(self) -> None:
        self._driver.commit()

    async def cut_log(self) -> None:
        meta = await self._checkpoints.sync(self._driver.conf_state)
        if meta is None:
            self._driver.write_state.set_engine_full(self._state.is_full)
            return
        self._driver.checkpointed(meta)
        self._checkpoints.cut_memory(meta)
