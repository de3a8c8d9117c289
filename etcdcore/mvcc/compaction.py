"""Removes what a compaction made unreachable, a bounded piece at a time, in the order of the revisions.

The records since the last compaction are read in order, and those that a later one, not after the revision, replaced
are deleted. Neighbours in time are neighbours in the engine, so its pages are each written once, not once for each of
their records. Only what a key held at the last compaction may be further back, one record of a key. The work is that
of the changes since then, not of the whole store. Source: etcd key_index.compact, reference section 2.5.

Worked example, "a" put at 2, 5 and 8, "b" at 3, compacted at 4, now at 8: the records 5 and 8 are read. At 5 the older
record of "a" in the history is 2, which goes, and so does 5 itself, for 8 is not after the revision. 8 and 3 stay.

Invariants:
1. Of each key the newest record not after the revision stays, unless it is a tombstone before the revision.
2. Stopping anywhere and beginning anew, also after a crash, ends in the same state.
3. Of each key at most one record before `resumption` is left, and no tombstone.
4. While it is in progress a history may still begin with records that are gone: as many items as `removed` says.
"""

from array import array
from typing import Final, final

from etcdcore.mvcc.engine import KEY, META, SCAN_BYTES_MAX, Engine
from etcdcore.mvcc.key_index import KeyIndex
from etcdcore.mvcc.revision import decode_record_key, key_of_record, record_key, tombstone_key
from etcdcore.mvcc.sorted_keys import SortedKeys

SCHEDULED: Final = b"scheduledCompactRev"
FINISHED: Final = b"finishedCompactRev"


@final
class CompactionRun:
    """One compaction in progress. The caller steps it until it is done, with other work in between.

    It begins at the `resumption` of the one that it takes over, else at the revision of the last one.
    """

    __slots__ = (
        "_end",
        "_engine",
        "_index",
        "_mark",
        "_position",
        "_sorted_keys",
        "_stale",
        "done",
        "removed",
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
        resumption: bytes,
    ) -> None:
        self._engine: Final = engine
        self._index: Final = index
        self._sorted_keys: Final = sorted_keys
        self._stale: Final = stale
        self._mark: Final = record_key(max(revision, 0), 0)
        self._end: Final = record_key(max(revision, 0) + 1, 0)
        self.revision: Final = revision
        self._position = resumption
        self.removed: Final[dict[KeyIndex, int]] = {}
        """Of each key whose history shrinks: how many of its items are gone, two for each record."""
        self.removed_count = 0
        self.done = False

    def resumption(self) -> bytes:
        """Where the next one begins: at the revision itself at the latest, for a tombstone that is left there."""
        return min(self._position, self._mark)

    def step(self, budget: int) -> bool:
        """Reads at most `budget` records, fewer when they are long; True when all is done."""
        if self.done:
            return True
        page = self._engine.scan(KEY, self._position, self._end, budget, bytes_max=SCAN_BYTES_MAX)
        for stored_key, data in page:
            self._visit(key_of_record(data), stored_key)
        if page:
            self._position = page[-1][0] + b"\0"
            return False
        self.settle()
        self._engine.put(META, FINISHED, self._mark)
        self.done = True
        return True

    def _visit(self, key: bytes, stored_key: bytes) -> None:
        """Deletes a record if it may go, and before it what its key held at the compaction before."""
        main, sub, is_tombstone = decode_record_key(stored_key)
        entry = self._index[key]
        history = entry.history
        is_old_tombstone = is_tombstone and main < self.revision
        if history is not None:
            begin = at = self.removed.get(entry, 0)
            end = len(history)
            found = history[at]
            while found < main or (found == main and history[at + 1] >> 1 < sub):
                marked_sub = history[at + 1]
                encode = tombstone_key if marked_sub & 1 else record_key
                self._delete(encode(found, marked_sub >> 1))
                at += 2
                if at == end:
                    break
                found = history[at]
            is_present = at == end
            if not is_present:
                next_main = history[at + 2] if at + 2 < end else entry.mod_main
                if next_main <= self.revision or is_old_tombstone:
                    self._delete(stored_key)
                    at += 2
            if at != begin:
                self._forget(key, entry, history, at)
            if not is_present:
                return
        if is_old_tombstone:
            # It is all that is left of its key.
            self._delete(stored_key)
            del self._stale[key]
            del self._index[key]
            self._sorted_keys.discard(key)

    def _delete(self, stored_key: bytes) -> None:
        self._engine.delete(KEY, stored_key)
        self.removed_count += 1

    def _forget(self, key: bytes, entry: KeyIndex, history: "array[int]", count: int) -> None:
        """Takes what is gone from a history. Not sooner than half of it is: what stays has to be moved each time."""
        if count == len(history):
            entry.history = None
            self.removed.pop(entry, None)
            if entry.version:
                del self._stale[key]
        elif count << 1 >= len(history):
            del history[:count]
            self.removed.pop(entry, None)
        else:
            self.removed[entry] = count

    def settle(self) -> None:
        """Takes from the histories what is left of that: before the run is dropped."""
        for entry, count in self.removed.items():
            history = entry.history
            assert history is not None
            del history[:count]
        self.removed.clear()
