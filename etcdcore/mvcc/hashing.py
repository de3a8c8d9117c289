"""The hash over a store's history that members compare with each other, and tests with a real etcd.

It is CRC-32C over the table's name and then, in order, the stored key and value of each record up to a revision,
without those that compaction removes or may have removed already. So two members agree however far each one's
compaction has come.
Source: etcd server/storage/mvcc/hash.go, reference sections 2.5 and 8.2.
"""

from typing import Final, final

from google_crc32c import extend

from etcdcore.errors import CoreError, RevisionCompacted, RevisionInFuture
from etcdcore.mvcc.engine import KEY, SCAN_BYTES_MAX, TABLE_NAMES
from etcdcore.mvcc.key_index import KeyIndex
from etcdcore.mvcc.revision import decode_record_key, key_of_record, record_key
from etcdcore.mvcc.store import Store


def crc32c(data: bytes, crc: int = 0) -> int:
    """CRC-32C of `data` behind whatever gave `crc`."""
    return int(extend(crc, data))


HASHES_KEPT_MAX: Final = 10
"""Of the last compactions, as etcd."""


@final
class KvHash:
    """A hash, the revision up to which it goes, and the compacted revision that it goes by."""

    __slots__ = ("compacted_revision", "hash", "revision")

    def __init__(self, digest: int, revision: int, compacted_revision: int) -> None:
        self.hash: Final = digest
        self.revision: Final = revision
        self.compacted_revision: Final = compacted_revision


@final
class CompactionHashes:
    """The hashes made by the last compactions: afterwards nobody could make them any more."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: Final[dict[int, KvHash]] = {}

    def keep(self, made: KvHash) -> None:
        """Revisions only grow from one compaction to the next."""
        self._kept[made.revision] = made
        if len(self._kept) > HASHES_KEPT_MAX:
            del self._kept[min(self._kept)]

    def find(self, revision: int) -> KvHash | None:
        return self._kept.get(revision)


@final
class HashRun:
    """One hash in progress: the caller steps it, with other work in between, then reads `hash` and the revisions.

    That of a compaction is made before it removes anything, as of the compaction before (`compacted_before`).
    """

    __slots__ = (
        "_compacted_before",
        "_has_live_keys",
        "_start",
        "_store",
        "compacted_revision",
        "done",
        "hash",
        "revision",
    )

    def __init__(self, store: Store, revision: int, compacted_before: int | None = None) -> None:
        self._store: Final = store
        self._compacted_before: Final = compacted_before
        self.revision: Final = revision
        self.done = False
        self._has_live_keys = False
        self._begin()

    def result(self) -> "KvHash":
        """Once it is done."""
        return KvHash(self.hash, self.revision, self.compacted_revision)

    def _begin(self) -> None:
        before = self._compacted_before
        self.compacted_revision = self._store.compacted_revision if before is None else before
        self._start = b""
        self._has_live_keys = any(self._is_kept(entry) for entry in self._store.index.values())
        self.hash = crc32c(TABLE_NAMES[KEY])

    def step(self, budget: int) -> CoreError | None:
        """Takes in at most `budget` records, fewer when they are long; `done` says when it is over.

        Refuses RevisionCompacted if overtaken.
        """
        store = self._store
        if self._compacted_before is None and store.compacted_revision != self.compacted_revision:
            # A compaction came in between: what counts is different now, from the beginning.
            if self.revision < store.compacted_revision:
                return RevisionCompacted()
            self._begin()
        end = record_key(max(self.revision, 0) + 1, 0)
        page = store.engine.scan(KEY, self._start, end, budget, bytes_max=SCAN_BYTES_MAX)
        crc = self.hash
        for stored_key, data in page:
            main, sub, _ = decode_record_key(stored_key)
            if main <= self.compacted_revision and not self._stays(data, main, sub):
                continue
            crc = crc32c(data, crc32c(stored_key, crc))
        self.hash = crc
        if page:
            self._start = page[-1][0] + b"\0"
        else:
            self.done = True
        return None

    def _is_kept(self, entry: KeyIndex) -> bool:
        """Whether a compaction at the hashed revision would keep something of a key that etcd counts."""
        if entry.find(self.revision) is not None:
            return True
        if self._compacted_before is None:
            return False
        position = entry.position_at(self.revision)  # of a tombstone, if anything: it stays if it is of this revision
        if position == -1:
            return entry.mod_main == self.revision
        return position >= 0 and entry.item(position)[0] == self.revision

    def _stays(self, data: bytes, main: int, sub: int) -> bool:
        """Whether a record not after the compacted revision counts.

        As in etcd, it does when it is what its key holds at the hashed revision, not at the compacted one; unless no
        key holds anything there, when what the compaction has left counts.
        """
        entry = self._store.index.get(key_of_record(data))
        at = self.revision if self._has_live_keys else self.compacted_revision
        return entry is not None and entry.find(at) == (main, sub)


def begin_hash(store: Store, revision: int) -> HashRun | CoreError:
    """Begins the hash up to a revision, 0 for the current one. Refuses RevisionCompacted, RevisionInFuture."""
    current = store.current_revision
    if revision == 0:
        revision = current
    if revision > current:
        return RevisionInFuture()
    if 0 < revision < store.compacted_revision:
        return RevisionCompacted()
    return HashRun(store, revision)
