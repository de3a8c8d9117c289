"""Removes what a compaction made unreachable, a bounded piece at a time, in the order in which it was replaced.

So its work is that of the records it removes, and only tombstones are read for it. Neighbours in this order are mostly
neighbours in the engine too, so its pages are each written once, not once for each of their records. Source: etcd
key_index.compact, reference section 2.5.

Worked example, "a" put at 2, 5 and 8, "b" at 3, compacted at 6: 2 was replaced at 5, so it goes. 5 was replaced at 8,
which is after the revision: it stays, and so does all that was replaced later.

Invariants:
1. Of each key the newest record not after the revision stays, unless it is a tombstone before the revision.
2. Stopping anywhere and beginning anew, also after a crash, ends in the same state.
3. A removed tombstone that was replaced after the revision stays in the history, where it says the same as nothing.
"""

from typing import Final, final

from etcdcore.mvcc.engine import KEY, META, Engine
from etcdcore.mvcc.key_index import ITEM_BYTES, KeyIndex
from etcdcore.mvcc.revision import decode_record_key, key_of_record, record_key, tombstone_key
from etcdcore.mvcc.sorted_keys import SortedKeys
from etcdcore.mvcc.superseded import Superseded

SCHEDULED: Final = b"scheduledCompactRev"
FINISHED: Final = b"finishedCompactRev"


@final
class CompactionRun:
    """One compaction in progress. The caller steps it until it is done, with other work in between, or drops it for one
    of a later revision."""

    __slots__ = (
        "_deleted",
        "_engine",
        "_index",
        "_mark",
        "_sorted_keys",
        "_superseded",
        "done",
        "removed_count",
        "revision",
    )

    def __init__(
        self,
        engine: Engine,
        index: dict[bytes, KeyIndex],
        sorted_keys: SortedKeys,
        deleted: dict[bytes, KeyIndex],
        superseded: Superseded,
        revision: int,
    ) -> None:
        self._engine: Final = engine
        self._index: Final = index
        self._sorted_keys: Final = sorted_keys
        self._deleted: Final = deleted
        self._superseded: Final = superseded
        self._mark: Final = record_key(max(revision, 0), 0)
        self.revision: Final = revision
        self.removed_count = 0
        self.done = False

    def step(self, budget: int) -> bool:
        """Removes at most `budget` records, and their tombstones; True when all is done."""
        if self.done:
            return True
        left = budget - self._remove_spared(budget)
        if left:
            left -= self._remove_superseded(left)
        if not left:
            return False
        self._engine.put(META, FINISHED, self._mark)
        self.done = True
        return True

    def _remove_spared(self, budget: int) -> int:
        """The tombstones at earlier compactions' revisions. Returns how many there were."""
        spared = self._superseded.spared
        count = 0
        while count < budget and count < len(spared) and spared[count] < self._mark:
            self._remove_tombstone(spared[count])
            count += 1
        if count:
            del spared[:count]
        return count

    def _remove_superseded(self, budget: int) -> int:
        """What was replaced up to the revision. Returns how many records that were."""
        superseded = self._superseded
        keys = superseded.keys
        revision = self.revision
        at = first = superseded.taken_count
        end = min(len(keys), first + budget)
        while at < end:
            entry = keys[at]
            history = entry.history
            assert history is not None, "a key is due more often than its history is long"
            oldest, former = entry.item(0)
            is_present = len(history) == ITEM_BYTES
            if is_present:
                main, marked_sub = entry.mod_main, entry.marked_sub()
            else:
                main, marked_sub = entry.item(1)
            if main > revision:
                break
            encode = tombstone_key if former & 1 else record_key
            # Not there: a tombstone that an earlier compaction removed (I3).
            if self._engine.delete(KEY, encode(oldest, former >> 1)):
                self.removed_count += 1
            entry.forget_oldest()
            if marked_sub & 1:
                tombstone = tombstone_key(main, marked_sub >> 1)
                if main == revision:
                    superseded.spared.append(tombstone)
                elif is_present:
                    self._remove_tombstone(tombstone)
                elif self._engine.delete(KEY, tombstone):
                    self.removed_count += 1
            at += 1
        superseded.take(at - first)
        return at - first

    def _remove_tombstone(self, stored_key: bytes) -> None:
        """And with it its key, if it is all that is left of that."""
        data = self._engine.get(KEY, stored_key)
        if data is None:
            return  # Spared, and then removed since its key was put again in the same revision.
        self._engine.delete(KEY, stored_key)
        self.removed_count += 1
        key = key_of_record(data)
        main, sub, _ = decode_record_key(stored_key)
        entry = self._index[key]
        if entry.version == 0 and entry.mod_main == main and entry.mod_sub == sub:
            del self._deleted[key]
            del self._index[key]
            self._sorted_keys.discard(key)
