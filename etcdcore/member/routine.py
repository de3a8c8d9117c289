"""What a member does by time: ticks, commits of the engine, expiry of leases, retention, compaction, cutting the log.

Invariants:
1. All of it runs on the member's loop, in pieces of a few milliseconds; what waits for a disk awaits it.
2. A failure ends the task that met it and goes to the member, which stops.
"""

import asyncio
from abc import ABC, abstractmethod
from time import perf_counter, thread_time
from typing import Final, final

from etcdcore.apply.commands import Command, Compaction, LeaseRevoke
from etcdcore.config import MemberConfig
from etcdcore.errors import CoreError
from etcdcore.member.applied_state import AppliedState
from etcdcore.member.checkpoint import Checkpoints
from etcdcore.member.clock import Interval
from etcdcore.member.compaction_pace import CompactionPace
from etcdcore.member.driver import Driver
from etcdcore.member.proposals import Proposal
from etcdcore.member.retention import RevisionRetention
from etcdcore.mvcc.compaction import CompactionRun
from etcdcore.mvcc.hashing import HashRun

EXPIRED_LEASES_MAX: Final = 500
"""Leases reported at a time, as etcd."""
CHECKPOINT_PAUSE_S: Final = 0.1
"""How often the growth of the log is looked at."""
STEP_PIECE: Final = 100
"""Records of a compaction between two looks at the time."""
ROUTINE_S: Final = 1.0
"""How often retention is looked at, and a full engine tried again."""


class TimedWork(ABC):
    """The member, as its tasks see it."""

    @abstractmethod
    def tick(self) -> None:
        """One tick of raft's clock."""

    @abstractmethod
    def process_ready(self) -> None:
        """Performs what raft has ready."""

    @abstractmethod
    def commit(self) -> None:
        """Commits the engine's open batch."""

    @abstractmethod
    async def cut_log(self) -> None:
        """Syncs the engine and drops the log below what is synced."""

    @abstractmethod
    def submit(self, command: Command, proposal: Proposal | None) -> None:
        """Proposes a command."""

    @abstractmethod
    def fail(self, error: BaseException) -> None:
        """The outer boundary of every task: the member stops."""


@final
class Routine:
    """Three tasks of the member's group."""

    def __init__(
        self,
        work: TimedWork,
        config: MemberConfig,
        state: AppliedState,
        checkpoints: Checkpoints,
        driver: Driver,
    ) -> None:
        self._work: Final = work
        self._config: Final = config
        self._state: Final = state
        self._checkpoints: Final = checkpoints
        self._driver: Final = driver
        self._retention: Final = RevisionRetention(
            config.compaction_retention_s * 1000, config.compaction_revisions_max
        )
        self._is_compaction_urgent: Final = asyncio.Event()
        self._waiting: list[Proposal] = []
        """For the end of the compaction in progress."""
        self._pace: Final = CompactionPace(config.compaction_pause_s)

    async def serve_clock(self) -> None:
        """Everything that is short and due by time."""
        loop = asyncio.get_running_loop()
        tick_s, commit_s = self._config.tick_ms / 1000, self._config.commit_interval_ms / 1000
        ticks = Interval(tick_s, loop.time())
        commits = Interval(commit_s, loop.time())
        routine = Interval(ROUTINE_S, loop.time())
        pause_s = min(tick_s, commit_s)
        while True:
            await asyncio.sleep(pause_s)
            now_s = loop.time()
            try:
                if ticks.is_due(now_s):
                    self._work.tick()
                    self._expire_leases(int(now_s * 1000))
                    self._work.process_ready()
                if commits.is_due(now_s) and not self._state.is_full:
                    self._work.commit()
                if routine.is_due(now_s):
                    self._retain(int(now_s * 1000))
            except Exception as error:  # I2
                self._work.fail(error)
                return

    async def serve_checkpoints(self) -> None:
        """Cuts the log when it has grown."""
        loop = asyncio.get_running_loop()
        pause_s = min(CHECKPOINT_PAUSE_S, self._config.checkpoint_interval_s)
        while True:
            await asyncio.sleep(pause_s)
            if not self._checkpoints.is_due(loop.time()):
                continue
            try:
                await self._work.cut_log()
            except Exception as error:  # I2
                self._work.fail(error)
                return

    async def serve_compaction(self) -> None:
        """A little at a time, so that nobody waits for it."""
        loop = asyncio.get_running_loop()
        while True:
            await self._pause_compaction()
            counts = self._state.counts
            began_s = loop.time()
            self._pace.begin(perf_counter())
            hashed: CompactionRun | None = None
            while (run := self._state.store.compaction) is not None and not self._state.is_full:
                if self._config.hash_compactions and run is not hashed:
                    hashed = run
                    await self._hash_before(run)
                    continue
                removed = run.removed_count
                try:
                    pause_s = self._step_compaction(run)
                except Exception as error:  # I2
                    self._work.fail(error)
                    return
                counts.compacted_keys += run.removed_count - removed
                if run.done:
                    counts.compaction_ms.observe((loop.time() - began_s) * 1000)
                    counts.compacted_at_s = loop.time()
                await asyncio.sleep(pause_s)
            if self._state.store.compaction is None:
                waiting, self._waiting = self._waiting, []
                for proposal in waiting:
                    proposal.applied(self._state.store.current_revision)

    def _step_compaction(self, run: CompactionRun) -> float:
        """As many records as the configuration and the time of a step allow. Returns the pause until the next."""
        started = perf_counter()
        self._pace.step_begins(started, thread_time(), bool(self._waiting))
        left = self._config.compaction_step
        while True:
            piece = min(left, STEP_PIECE)
            self._state.step_compaction(piece)
            left -= piece
            now = perf_counter()
            if run.done or not left or self._pace.is_step_over(now):
                break
        self._state.counts.compaction_step_ms.observe((now - started) * 1000)
        return self._pace.step_ends(now, thread_time())

    async def _hash_before(self, run: CompactionRun) -> None:
        """The hash that a compaction makes impossible; none if another compaction takes over meanwhile."""
        store = self._state.store
        hashing = HashRun(store, run.revision, store.compacted_before)
        while self._state.store.compaction is run:
            self._pace.step_begins(perf_counter(), thread_time(), bool(self._waiting))
            hashing.step(self._config.compaction_step)
            if hashing.done:
                self._state.hashes.keep(hashing.result())
                return
            await asyncio.sleep(self._pace.step_ends(perf_counter(), thread_time()))

    async def _pause_compaction(self) -> None:
        self._is_compaction_urgent.clear()
        try:
            async with asyncio.timeout(ROUTINE_S):
                await self._is_compaction_urgent.wait()
        except TimeoutError:
            return

    def when_compacted(self, proposal: Proposal) -> None:
        """Applied with the revision once no compaction is in progress; the one that is does not wait any longer."""
        self._waiting.append(proposal)
        self._is_compaction_urgent.set()

    def drop_waiting(self, error: CoreError) -> None:
        waiting, self._waiting = self._waiting, []
        for proposal in waiting:
            proposal.dropped(error, True)

    def _expire_leases(self, now_ms: int) -> None:
        lessor = self._state.lessor
        lessor.advance(now_ms)
        if not lessor.is_primary or not self._driver.write_state.is_leading:
            return
        expired = lessor.expired(now_ms, EXPIRED_LEASES_MAX)
        if not expired:
            return
        self._state.counts.lease_expired_count += len(expired)
        handled: set[int] = set()
        for listener in self._driver.listeners:
            handled.update(listener.leases_expired(expired))
        for lease_id in expired:
            if lease_id not in handled:
                self._work.submit(LeaseRevoke(lease_id), None)

    def _retain(self, now_ms: int) -> None:
        if self._state.is_full and self._checkpoints.has_room():
            self._work.commit()
        if not self._driver.write_state.is_leading:
            return
        store = self._state.store
        target = self._retention.target(now_ms, store.current_revision, store.compacted_revision)
        if target:
            self._work.submit(Compaction(target), None)
