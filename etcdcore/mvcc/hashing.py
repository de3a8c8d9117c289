"""The hash over a store's history that members compare with each other, and tests with a real etcd.

It is CRC-32C over the table's name and then, in order, the stored key and value of each record up to a revision,
without those that compaction removes or may have removed already. So two members agree however far each one's
compaction has come.
Source: etcd server/storage/mvcc/hash.go, reference sections 2.5 and 8.2.
"""

from typing import Final, final

from etcdcore.errors import CoreError, RevisionCompacted, RevisionInFuture
from etcdcore.mvcc.engine import KEY, TABLE_NAMES
from etcdcore.mvcc.revision import decode_record_key, decode_varint, record_key
from etcdcore.mvcc.store import Store

_POLYNOMIAL: Final = 0x82F63B78
"""Castagnoli, reflected."""


def _make_table() -> list[int]:
    table: list[int] = []
    for byte in range(256):
        remainder = byte
        for _ in range(8):
            remainder = remainder >> 1 ^ _POLYNOMIAL if remainder & 1 else remainder >> 1
        table.append(remainder)
    return table


_TABLE: Final = _make_table()


def crc32c(data: bytes, crc: int = 0) -> int:
    """CRC-32C of `data` behind whatever gave `crc`."""
    table = _TABLE
    crc ^= 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF


@final
class HashRun:
    """One hash in progress: the caller steps it, with other work in between, then reads `hash` and the revisions."""

    __slots__ = ("_start", "_store", "compacted_revision", "done", "hash", "revision")

    def __init__(self, store: Store, revision: int) -> None:
        self._store: Final = store
        self.revision: Final = revision
        self.done = False
        self._begin()

    def _begin(self) -> None:
        self.compacted_revision = self._store.compacted_revision
        self._start = b""
        self.hash = crc32c(TABLE_NAMES[KEY])

    def step(self, budget: int) -> CoreError | None:
        """Takes in about `budget` records; `done` says when it is over. Refuses RevisionCompacted if overtaken."""
        store = self._store
        if store.compacted_revision != self.compacted_revision:
            # A compaction came in between: what counts is different now, from the beginning.
            if self.revision < store.compacted_revision:
                return RevisionCompacted()
            self._begin()
        end = record_key(self.revision + 1, 0)
        page = store.engine.scan(KEY, self._start, end, budget)
        crc = self.hash
        for stored_key, data in page:
            main, sub, _ = decode_record_key(stored_key)
            if main <= self.compacted_revision and not self._stays(data, main, sub):
                continue
            crc = crc32c(data, crc32c(stored_key, crc))
        self.hash = crc
        if len(page) < budget:
            self.done = True
        else:
            self._start = page[-1][0] + b"\0"
        return None

    def _stays(self, data: bytes, main: int, sub: int) -> bool:
        """Whether a record not after the compacted revision is its key's newest one there, and no tombstone."""
        length, start = decode_varint(data, 1)
        entry = self._store.index.get(data[start : start + length])
        return entry is not None and entry.find(self.compacted_revision) == (main, sub)


def begin_hash(store: Store, revision: int) -> HashRun | CoreError:
    """Begins the hash up to a revision, 0 for the current one. Refuses RevisionCompacted, RevisionInFuture."""
    current = store.current_revision
    if revision == 0:
        revision = current
    if revision > current:
        return RevisionInFuture()
    if revision < store.compacted_revision:
        return RevisionCompacted()
    return HashRun(store, revision)
