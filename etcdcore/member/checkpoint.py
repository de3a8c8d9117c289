"""When the engine is synced, and up to where the log may be cut then.

commit -> sync in a thread -> snapshot marker, durable -> marker in the log -> segments and entries below go

Invariants:
1. At most one sync is under way, and none when the engine is closed.
2. The log is cut only below an applied index that the engine has durably, and that a marker names.
"""

import asyncio
from time import perf_counter
from typing import Final, final

from etcdcore.config import MemberConfig
from etcdcore.errors import EngineError, EngineFull, NoSpace, ServerStopped
from etcdcore.member.applied_state import AppliedState
from etcdcore.member.clock import Interval
from etcdcore.member.log_growth import LogGrowth
from etcdcore.member.recovery import OpenedParts
from etcdcore.raft.messages import ConfState, SnapshotMeta
from etcdcore.storage.segments import is_no_room
from etcdcore.types import LogIndex


@final
class Checkpoints:
    """Used on the loop; only the sync itself is in a thread. In memory nothing is ever synced, and so nothing cut."""

    __slots__ = ("_config", "_growth", "_interval", "_parts", "_state", "_syncing", "synced_index")

    def __init__(self, config: MemberConfig, parts: OpenedParts, state: AppliedState, growth: LogGrowth) -> None:
        self._config: Final = config
        self._parts: Final = parts
        self._state: Final = state
        self._interval = Interval(config.checkpoint_interval_s, 0.0)
        self._growth: Final = growth
        self._syncing: asyncio.Future[bool] | None = None
        self.synced_index: LogIndex = LogIndex(parts.log.first_index() - 1)

    def is_due(self, now_s: float) -> bool:
        is_time = self._interval.is_due(now_s)
        if self._config.in_memory or self._syncing is not None or self._state.is_full or self._state.is_paused:
            return False
        config = self._config
        growth = self._growth
        is_full = growth.bytes >= config.checkpoint_bytes or growth.entries >= config.checkpoint_entries
        return (is_time or is_full) and self._state.applied_index > self.synced_index

    async def sync(self, conf_state: ConfState) -> SnapshotMeta | None:
        """Commits, syncs and marks. The log may be cut below the position that comes back; None: not this time."""
        state = self._state
        if (
            self._config.in_memory
            or state.is_paused
            or not state.commit()
            or state.committed_index <= self.synced_index
        ):
            return None
        self._growth.reset()
        revision = state.store.current_revision
        meta = SnapshotMeta(state.committed_index, self._parts.log.term(state.committed_index), conf_state)
        self._syncing = asyncio.get_running_loop().run_in_executor(None, self._sync_engine, meta)
        try:
            # Shielded: who cancels us still has to wait for the thread before the engine is closed.
            is_marked = await asyncio.shield(self._syncing)
        except asyncio.CancelledError:
            raise
        except BaseException:
            self._syncing = None
            raise
        self._syncing = None
        if not is_marked:
            return None
        self.synced_index = meta.index
        state.counts.checkpoint_revision = revision
        state.counts.checkpointed_at_s = asyncio.get_running_loop().time()
        return meta

    async def rewrite(self) -> None:
        """The engine's file without its holes; nothing is applied meanwhile. Refuses NoSpace. Raises EngineError."""
        state = self._state
        while self._syncing is not None or state.is_paused:  # noqa: ASYNC110  # rare, and a thread sets nothing
            await asyncio.sleep(REWRITE_PAUSE_S)
        if not state.commit():
            raise NoSpace
        state.is_paused = True
        work = self._syncing = asyncio.get_running_loop().run_in_executor(None, self._rewrite_engine)
        try:
            has_room = await asyncio.shield(work)
            while state.engine.is_viewed and self._syncing is not None:  # noqa: ASYNC110  # one opened meanwhile
                await asyncio.sleep(REWRITE_PAUSE_S)
            if self._syncing is None:
                raise ServerStopped
            if has_room:
                state.engine.swap()
        except asyncio.CancelledError:
            work.add_done_callback(self._resume)
            raise
        except BaseException:
            self._resume(work)
            raise
        self._resume(work)
        if not has_room:
            raise NoSpace

    def _resume(self, done: asyncio.Future[bool]) -> None:
        """What a thread met for a caller who has gone is nobody's: the old file is as it was."""
        if not done.cancelled():
            done.exception()
        self._syncing = None
        self._state.forget_size()
        self._state.is_paused = False

    def _rewrite_engine(self) -> bool:
        """In a thread. False when the disk had no room for it."""
        try:
            self._state.engine.rewrite()
        except EngineFull:
            return False
        except EngineError as error:
            if isinstance(error.__cause__, OSError) and is_no_room(error.__cause__):
                return False
            raise
        return True

    def cut_memory(self, meta: SnapshotMeta) -> None:
        """Forgets the entries in memory, but for those that a follower close behind may still want."""
        log = self._parts.log
        kept = 0 if len(meta.conf_state.voters) == 1 else self._config.kept_entries
        log.create_snapshot(meta.index, meta.conf_state)
        log.compact(LogIndex(meta.index - kept))

    async def wait_idle(self) -> None:
        """Until no thread is at the engine. What it met there is for who started it."""
        if self._syncing is not None:
            await asyncio.wait([self._syncing])
            self._syncing = None

    def has_room(self) -> bool:
        """Whether it is worth trying to commit again after the disk was full."""
        return self._parts.data_dir.free_bytes() >= ROOM_BYTES_MIN

    def _sync_engine(self, meta: SnapshotMeta) -> bool:
        """In a thread. False when the disk had no room for it: a later one will do."""
        started = perf_counter()
        try:
            self._state.engine.sync()
            marking = perf_counter()
            self._parts.snapshots.save(meta)
            self._state.counts.marker_s.observe(perf_counter() - marking)
        except OSError as error:
            if is_no_room(error):
                return False
            raise
        except EngineError as error:
            if isinstance(error.__cause__, OSError) and is_no_room(error.__cause__):
                return False
            raise
        self._state.counts.checkpoint_s.observe(perf_counter() - started)
        return True


REWRITE_PAUSE_S: Final = 0.01
"""How often a rewrite that waits for a sync looks again."""
ROOM_BYTES_MIN: Final = 1 << 20
"""With less room than this a commit is not tried again."""
