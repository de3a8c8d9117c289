"""Removes what a compaction made unreachable, a bounded piece at a time.

Only keys that have older records, or are deleted, are visited: the store keeps a table of them. So the work is that of
the changes since the last compaction, not of the whole store. Source: etcd key_index.compact, reference section 2.5.

Invariants:
1. Of each key the newest record not after the revision stays, unless it is a tombstone before the revision.
2. Stopping anywhere and beginning anew, also after a crash, ends in the same state.
"""

from typing import Final, final

from etcdcore.mvcc.engine import KEY, META, Engine
from etcdcore.mvcc.key_index import KeyIndex
from etcdcore.mvcc.revision import record_key, tombstone_key
from etcdcore.mvcc.sorted_keys import SortedKeys

SCHEDULED: Final = b"scheduledCompactRev"
FINISHED: Final = b"finishedCompactRev"


@final
class CompactionRun:
    """One compaction in progress. The caller steps it until it is done, with other work in between."""

    __slots__ = (
        "_engine",
        "_index",
        "_keys",
        "_position",
        "_sorted_keys",
        "_stale",
        "done",
        "removed_count",
        "revision",
    )

    def __init__(
        self,
        engine: Engine,
        index: dict[bytes, KeyIndex],
        sorted_keys: SortedKeys,
        stale: dict[bytes, KeyIndex],
        revision: int,
    ) -> None:
        self._engine: Final = engine
        self._index: Final = index
        self._sorted_keys: Final = sorted_keys
        self._stale: Final = stale
        self._keys: Final = list(stale)
        self._position = 0
        self.revision: Final = revision
        self.removed_count = 0
        self.done = False

    def step(self, budget: int) -> bool:
        """Visits keys until about `budget` keys and records are dealt with; True when all is done."""
        if self.done:
            return True
        keys = self._keys
        stale = self._stale
        position = self._position
        removed_end = self.removed_count + budget
        position_end = min(position + budget, len(keys))
        while position < position_end and self.removed_count < removed_end:
            key = keys[position]
            entry = stale.get(key)
            if entry is None or self._compact_key(key, entry, removed_end - self.removed_count):
                position += 1
        self._position = position
        if position < len(keys):
            return False
        self._engine.put(META, FINISHED, record_key(self.revision, 0))
        self.done = True
        return True

    def _compact_key(self, key: bytes, entry: KeyIndex, budget: int) -> bool:
        """Removes at most about `budget` records of a key, the oldest first; False when there are more to remove."""
        revision = self.revision
        position = entry.position_at(revision)
        history = entry.history
        if position == -1:
            # 1. The present record is the newest one: all the history goes.
            if history is not None:
                if len(history) > 2 * budget:
                    self._remove(history[: 2 * budget].tolist())
                    del history[: 2 * budget]
                    return False
                self._remove(history.tolist())
                entry.history = None
            if entry.version:
                del self._stale[key]
            elif entry.mod_main < revision:
                self._engine.delete(KEY, tombstone_key(entry.mod_main, entry.mod_sub))
                self.removed_count += 1
                del self._stale[key]
                del self._index[key]
                self._sorted_keys.discard(key)
            return True
        if position == -2:
            # 2. Every record is after the revision.
            return True
        # 3. The newest one is in the history: what is before it goes, and it goes too if it is an old tombstone.
        assert history is not None
        if history[position + 1] & 1 and history[position] < revision:
            position += 2
        is_whole = position <= 2 * budget
        if not is_whole:
            position = 2 * budget
        if position:
            self._remove(history[:position].tolist())
            del history[:position]
        return is_whole

    def _remove(self, history: list[int]) -> None:
        engine = self._engine
        for position in range(0, len(history), 2):
            marked_sub = history[position + 1]
            if marked_sub & 1:
                engine.delete(KEY, tombstone_key(history[position], marked_sub >> 1))
            else:
                engine.delete(KEY, record_key(history[position], marked_sub >> 1))
        self.removed_count += len(history) >> 1
