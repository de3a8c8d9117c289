"""When the engine is synced, and up to where the log may be cut then.

commit -> sync in a thread -> snapshot marker, durable -> marker in the log -> segments and entries below go

Invariants:
1. At most one sync is under way, and none when the engine is closed.
2. The log is cut only below an applied index that the engine has durably, and that a marker names.
"""

import asyncio
from collections.abc import Sequence
from typing import Final, final

from etcdcore.config import MemberConfig
from etcdcore.errors import EngineError
from etcdcore.member.applied_state import AppliedState
from etcdcore.member.clock import Interval
from etcdcore.member.recovery import OpenedParts
from etcdcore.raft.messages import ConfState, Entry, SnapshotMeta
from etcdcore.storage.segments import is_no_room
from etcdcore.types import LogIndex


@final
class Checkpoints:
    """Used on the loop; only the sync itself is in a thread. In memory nothing is ever synced, and so nothing cut."""

    __slots__ = ("_bytes", "_config", "_interval", "_parts", "_state", "_syncing", "synced_index")

    def __init__(self, config: MemberConfig, parts: OpenedParts, state: AppliedState) -> None:
        self._config: Final = config
        self._parts: Final = parts
        self._state: Final = state
        self._interval = Interval(config.checkpoint_interval_s, 0.0)
        self._bytes = 0
        self._syncing: asyncio.Future[bool] | None = None
        self.synced_index: LogIndex = LogIndex(parts.log.first_index() - 1)

    def note_entries(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            self._bytes += len(entry.data)

    def is_due(self, now_s: float) -> bool:
        is_time = self._interval.is_due(now_s)
        if self._config.in_memory or self._syncing is not None or self._state.is_full:
            return False
        return (is_time or self._bytes >= self._config.checkpoint_bytes) and (
            self._state.applied_index > self.synced_index
        )

    async def sync(self, conf_state: ConfState) -> SnapshotMeta | None:
        """Commits, syncs and marks. The log may be cut below the position that comes back; None: not this time."""
        state = self._state
        if self._config.in_memory or not state.commit() or state.committed_index <= self.synced_index:
            return None
        self._bytes = 0
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
        return meta

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
        try:
            self._state.engine.sync()
            self._parts.snapshots.save(meta)
        except OSError as error:
            if is_no_room(error):
                return False
            raise
        except EngineError as error:
            if isinstance(error.__cause__, OSError) and is_no_room(error.__cause__):
                return False
            raise
        return True


ROOM_BYTES_MIN: Final = 1 << 20
"""With less room than this a commit is not tried again."""
