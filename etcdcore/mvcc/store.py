"""The store: keys at revisions over an engine, with an index of every key in memory.

Values are in the engine only; the index says where. A write is one engine append for each changed key and reads nothing
back. Who writes calls `put` and `delete` for one request and then `end_revision`: all of it is one main revision.

Invariants:
1. `current_revision` never decreases, also over restarts and compaction. A fresh store is at 1.
2. Each request that changes a key takes exactly one main revision, sub revisions 0, 1, ... in order of the changes.
3. The index always agrees with the engine's KEY table, the open batch included. Only of tombstones in histories, before
   the compacted revision, the record may be removed.
4. `deleted` holds exactly the keys that the index knows and that do not exist now.

Source: etcd server/storage/mvcc/kvstore.go, kvstore_txn.go.
"""

from typing import Final, final

from etcdcore.errors import CoreError, RevisionCompacted, RevisionInFuture
from etcdcore.mvcc.compaction import FINISHED, SCHEDULED, CompactionRun
from etcdcore.mvcc.engine import KEY, META, SCAN_BYTES_MAX, Engine
from etcdcore.mvcc.key_index import KeyIndex
from etcdcore.mvcc.loading import load_index
from etcdcore.mvcc.revision import (
    decode_record,
    decode_record_key,
    encode_mod_field,
    encode_record,
    encode_tombstone,
    record_key,
    tombstone_key,
)
from etcdcore.mvcc.sorted_keys import SortedKeys
from etcdcore.mvcc.superseded import Superseded
from etcdcore.statistics import StoreCounts
from etcdcore.types import DELETE, PUT, KeyEvent, KeyValue

OPEN_END: Final = b"\0"
_SCAN_RECORDS: Final = 512


@final
class Store:
    """Opens what the engine holds. The owner alone calls it; `compaction` is the run in progress or None."""

    __slots__ = (
        "_change_count",
        "_events",
        "_mod_field",
        "compacted_before",
        "compacted_revision",
        "compaction",
        "counts",
        "current_revision",
        "deleted",
        "engine",
        "index",
        "is_silent",
        "sorted_keys",
        "superseded",
    )

    def __init__(self, engine: Engine) -> None:
        self.engine: Final = engine
        self.counts = StoreCounts()
        self.index: Final[dict[bytes, KeyIndex]] = {}
        self.sorted_keys: Final = SortedKeys()
        self.deleted: Final[dict[bytes, KeyIndex]] = {}
        self.superseded: Final = Superseded()
        self._events: list[KeyEvent] = []
        self._change_count = 0
        """Of the request that is being applied: the next sub revision."""
        self.is_silent = False
        """While it is set no events are made."""
        self._mod_field = b""
        newest = load_index(engine, self.index, self.sorted_keys, self.deleted, self.superseded)
        finished = self._read_mark(FINISHED)
        scheduled = max(self._read_mark(SCHEDULED), finished)
        self.compacted_revision: int = scheduled
        self.current_revision: int = max(newest, scheduled, 1)
        self.compacted_before: int = finished
        """What was compacted when the compaction in progress came."""
        self.compaction: CompactionRun | None = None
        if scheduled > finished:
            self._begin_compaction(scheduled)

    def _read_mark(self, name: bytes) -> int:
        data = self.engine.get(META, name)
        return -1 if data is None else decode_record_key(data)[0]

    # Writing.

    @property
    def visible_revision(self) -> int:
        """The revision that a read sees now: within a request that has changed something, already its own."""
        return self.current_revision + 1 if self._change_count else self.current_revision

    def put(self, key: bytes, value: bytes, lease: int) -> int:
        """Sets a key. Returns the lease it was attached to before (0: none)."""
        main = self.current_revision + 1
        sub = self._change_count
        self._change_count = sub + 1
        if sub == 0:
            self._mod_field = encode_mod_field(main)
        entry = self.index.get(key)
        if entry is None:
            self.index[key] = KeyIndex(main, main, sub, 1, lease)
            self.sorted_keys.add(key)
            create = main
            version = 1
            former_lease = 0
        else:
            version = entry.version
            entry.supersede()
            self.superseded.keys.append(entry)
            if version:
                create = entry.create
            else:
                create = entry.create = main
                del self.deleted[key]
            version += 1
            former_lease = entry.lease
            entry.mod_main = main
            entry.mod_sub = sub
            entry.version = version
            entry.lease = lease
        self.engine.append(
            KEY, record_key(main, sub), encode_record(key, create, self._mod_field, version, value, lease)
        )
        if not self.is_silent:
            self._events.append(KeyEvent(PUT, KeyValue(key, create, main, version, value, lease), None))
        counts = self.counts
        counts.put_count += 1
        counts.put_bytes += len(key) + len(value)
        return former_lease

    def delete(self, key: bytes) -> int:
        """Deletes a key that exists. Returns the lease it was attached to (0: none)."""
        entry = self.index[key]
        assert entry.version, f"{key!r} is deleted already"
        main = self.current_revision + 1
        sub = self._change_count
        self._change_count = sub + 1
        if sub == 0:
            self._mod_field = encode_mod_field(main)
        former_lease = entry.lease
        entry.supersede()
        self.superseded.keys.append(entry)
        self.deleted[key] = entry
        entry.mod_main = main
        entry.mod_sub = sub
        entry.create = entry.version = entry.lease = 0
        self.engine.append(KEY, tombstone_key(main, sub), encode_tombstone(key))
        if not self.is_silent:
            self._events.append(KeyEvent(DELETE, KeyValue(key, 0, main, 0, b"", 0), None))
        return former_lease

    def end_revision(self) -> list[KeyEvent]:
        """Ends the request: its changes, in sub-revision order, are the new current revision. Empty if none changed,
        or if they were made in silence."""
        events = self._events
        if self._change_count:
            self.current_revision += 1
            self._change_count = 0
            if events:
                self._events = []
        return events

    # Reading.

    def keys_between(self, key: bytes, range_end: bytes) -> list[bytes]:
        """The keys of an interval that the index knows, in order; deleted ones may be among them."""
        if not range_end:
            return [key] if key in self.index else []
        if range_end == OPEN_END:
            return self.sorted_keys.between(key, b"")
        return self.sorted_keys.between(key, range_end)

    def exists(self, key: bytes) -> bool:
        entry = self.index.get(key)
        return entry is not None and entry.version != 0

    def live_keys_between(self, key: bytes, range_end: bytes) -> list[bytes]:
        """The keys of an interval that exist now, in order."""
        index = self.index
        return [found for found in self.keys_between(key, range_end) if index[found].version]

    def key_now(self, key: bytes) -> KeyValue | None:
        """The pair as it is now, within a request its own changes included."""
        entry = self.index.get(key)
        if entry is None or entry.version == 0:
            return None
        return self._read(entry.mod_main, entry.mod_sub)

    def key_at(self, key: bytes, revision: int) -> KeyValue | None:
        """The pair as it was at a revision; None too when that is compacted."""
        entry = self.index.get(key)
        if entry is None or revision < self.compacted_revision:
            return None
        found = entry.find(revision)
        return None if found is None else self._read(found[0], found[1])

    def collect(
        self, key: bytes, range_end: bytes, revision: int, limit: int, keys_only: bool
    ) -> tuple[list[KeyValue], int]:
        """The first `limit` (0: all, -1: none) pairs of an interval at a revision, and how many there are in all."""
        if not keys_only:
            records, count = self.collect_records(key, range_end, revision, limit)
            return [decode_record(record) for record in records], count
        index = self.index
        pairs: list[KeyValue] = []
        count = 0
        keys = self.keys_between(key, range_end)
        is_latest = revision >= self.visible_revision
        for position, found_key in enumerate(keys):
            if limit and len(pairs) >= limit and is_latest:
                return pairs, count + self._count_live(keys, position)
            entry = index[found_key]
            if entry.mod_main <= revision:
                version = entry.version
                if version:
                    count += 1
                    if not limit or len(pairs) < limit:
                        pairs.append(KeyValue(found_key, entry.create, entry.mod_main, version, b"", entry.lease))
                continue
            found = entry.find(revision)
            if found is not None:
                count += 1
                if not limit or len(pairs) < limit:
                    pair = self._read(found[0], found[1])
                    pairs.append(
                        KeyValue(pair.key, pair.create_revision, pair.mod_revision, pair.version, b"", pair.lease)
                    )
        return pairs, count

    def collect_records(self, key: bytes, range_end: bytes, revision: int, limit: int) -> tuple[list[bytes], int]:
        """As `collect`, the pairs as records."""
        index = self.index
        records: list[bytes] = []
        count = 0
        keys = self.keys_between(key, range_end)
        is_latest = revision >= self.visible_revision
        for position, found_key in enumerate(keys):
            is_enough = limit != 0 and len(records) >= limit
            if is_enough and is_latest:
                return records, count + self._count_live(keys, position)
            entry = index[found_key]
            if entry.mod_main <= revision:
                if entry.version:
                    count += 1
                    if not is_enough:
                        records.append(self._read_record(entry.mod_main, entry.mod_sub))
                continue
            found = entry.find(revision)
            if found is not None:
                count += 1
                if not is_enough:
                    records.append(self._read_record(found[0], found[1]))
        return records, count

    def _count_live(self, keys: list[bytes], position: int) -> int:
        """How many of the keys from `position` on exist now."""
        count = len(keys) - position
        if count <= len(self.deleted):
            index = self.index
            return sum(1 for key in keys[position:] if index[key].version)
        first = keys[position]
        last = keys[-1]
        for key in self.deleted:
            if first <= key <= last:
                count -= 1
        return count

    def page(self, key: bytes, range_end: bytes, revision: int, limit: int) -> list[KeyValue]:
        """The first `limit` pairs of an interval at a revision, without counting: the cost is that of the page.

        The next page begins at the last key and a zero byte; fewer pairs than `limit` are the last page.
        """
        index = self.index
        pairs: list[KeyValue] = []
        end = b"" if range_end == OPEN_END else range_end or key + b"\0"
        start = key
        while len(pairs) < limit:
            keys = self.sorted_keys.between(start, end, limit)
            for found_key in keys:
                found = index[found_key].find(revision)
                if found is not None:
                    pairs.append(self._read(found[0], found[1]))
                    if len(pairs) == limit:
                        return pairs
            if len(keys) < limit:
                return pairs
            start = keys[-1] + b"\0"
        return pairs

    def _read(self, main: int, sub: int) -> KeyValue:
        return decode_record(self._read_record(main, sub))

    def _read_record(self, main: int, sub: int) -> bytes:
        data = self.engine.get(KEY, record_key(main, sub))
        assert data is not None, f"the index names revision {main}.{sub}, the engine has no such record"  # I3
        return data

    def read_history(self, first_revision: int, revisions_max: int, bytes_max: int) -> tuple[list[list[KeyEvent]], int]:
        """Whole revisions of events from `first_revision` on, at most so many, and the next revision to read.

        None begins once their records have reached `bytes_max`. The caller makes sure that `first_revision` is not
        below the compacted one.
        """
        revisions: list[list[KeyEvent]] = []
        current = -1
        size = 0
        start = record_key(max(first_revision, 0), 0)
        while True:
            page = self.engine.scan(KEY, start, b"", _SCAN_RECORDS, bytes_max=SCAN_BYTES_MAX)
            for stored_key, data in page:
                main, _, is_tombstone = decode_record_key(stored_key)
                if main != current:
                    if len(revisions) == revisions_max or size >= bytes_max:
                        return revisions, main
                    current = main
                    revisions.append([])
                size += len(data)
                pair = decode_record(data)
                if is_tombstone:
                    pair = KeyValue(pair.key, 0, main, 0, b"", 0)
                revisions[-1].append(KeyEvent(DELETE if is_tombstone else PUT, pair, None))
            if not page:
                return revisions, self.current_revision + 1
            start = page[-1][0] + b"\0"

    def check_revision(self, revision: int) -> CoreError | None:
        """Whether a read at a revision can be served: refuses RevisionInFuture, RevisionCompacted."""
        if revision > self.visible_revision:
            return RevisionInFuture()
        if revision < self.compacted_revision:
            return RevisionCompacted()
        return None

    # Compaction.

    def compact(self, revision: int) -> CoreError | None:
        """Makes everything before `revision` unreadable at once; the caller steps `compaction` to free the room.

        Refuses RevisionCompacted, RevisionInFuture.
        """
        if revision <= self.compacted_revision:
            return RevisionCompacted()
        if revision > self.current_revision:
            return RevisionInFuture()
        self.engine.put(META, SCHEDULED, record_key(max(revision, 0), 0))
        self.compacted_before = self.compacted_revision
        self.compacted_revision = revision
        self._begin_compaction(revision)
        return None

    def _begin_compaction(self, revision: int) -> None:
        """One in progress is dropped: what it would remove, this one removes too."""
        self.compaction = CompactionRun(
            self.engine, self.index, self.sorted_keys, self.deleted, self.superseded, revision
        )

    def step_compaction(self, budget: int) -> bool:
        """Goes on with the compaction in progress; True when there is nothing (more) to do."""
        run = self.compaction
        if run is None:
            return True
        if run.step(budget):
            self.compaction = None
            return True
        return False

    def check_invariants(self) -> None:
        self.sorted_keys.check_invariants()
        assert len(self.sorted_keys) == len(self.index)
        assert {key: entry for key, entry in self.index.items() if not entry.version} == self.deleted  # I4
        records: set[bytes] = set()
        removable: set[bytes] = set()
        due: list[tuple[int, int, KeyIndex]] = []
        for entry in self.index.values():
            pairs = [*entry.items(), (entry.mod_main, entry.marked_sub())]
            assert pairs == sorted(pairs)
            for main, marked_sub in pairs:
                encode = tombstone_key if marked_sub & 1 else record_key
                records.add(encode(main, marked_sub >> 1))
            for main, marked_sub in pairs[:-1]:
                if marked_sub & 1 and main < self.compacted_revision:
                    removable.add(tombstone_key(main, marked_sub >> 1))
            due += [(main, marked_sub >> 1, entry) for main, marked_sub in pairs[1:]]
        stored = {stored_key for stored_key, _ in self.engine.scan(KEY, b"", b"")}
        assert stored <= records and records - stored <= removable, "index and engine disagree"  # I3
        due.sort(key=lambda replaced: replaced[:2])
        superseded = self.superseded
        assert superseded.keys[superseded.taken_count :] == [entry for _, _, entry in due]
        assert superseded.spared == sorted(superseded.spared)
        assert self.compacted_revision <= self.current_revision  # I1
