"""Random requests of the KV service: every option, and what no well-behaved client sends."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from etcdcore.pb import rpc_pb2 as rpc
from integration.etcd.conformance.revisions import COMPACTED, CURRENT, HISTORY

# Few and close together, so that puts, deletes and ranges meet; bytes that carry over and the smallest key among them.
KEYS = [
    *(f"k{number}".encode() for number in range(12)),
    *(b"dir/" + bytes([letter]) for letter in b"abcdefgh"),
    b"\x00",
    b"\x00\x00",
    b"d",
    b"dir",
    b"dir/",
    b"dir/a\x00",
    b"dir/\xff",
    b"dir/\xff\xff",
    b"dir0",
    b"\xff",
    b"\xff\xff",
    b"k",
]
LEASE_IDS = [*range(1, 13), -3, 0x7FFFFFFFFFFFFFFF, 0x1234567890ABCDEF]
LEASE_UNKNOWN = 999
TXN_OPERATIONS_MAX = 128
TXN_DEPTH_MAX = 3
WRITTEN_VALUES = [b"", b"0", b"1", b"2", b"value", b"value" * 20, b"\x00\xff"]


def prefix_end(key: bytes) -> bytes:
    """The end of the interval of all keys with a prefix, as clients compute it."""
    trimmed = key.rstrip(b"\xff")
    return trimmed[:-1] + bytes([trimmed[-1] + 1]) if trimmed else b"\x00"


def spare(request: rpc.TxnRequest) -> None:
    """Takes out of a transaction what lets it write one key twice past etcd's check of that.

    A real etcd may end with a panic then, at once (a put that keeps the value of what was just deleted) or in a range
    after a compaction. It takes an open end for an empty interval, and holds nothing against a put in one nested
    transaction that a later one beside it deletes.
    """
    has_several = sum(1 for _ in _nested(request)) > 1
    for txn in (request, *_nested(request)):
        for operation in (*txn.success, *txn.failure):
            if not operation.HasField("request_delete_range"):
                continue
            delete = operation.request_delete_range
            if delete.range_end == b"\x00":
                delete.range_end = b"\xff" * 8
            if has_several and txn is not request:
                operation.request_range.CopyFrom(rpc.RangeRequest(key=delete.key, range_end=delete.range_end))


def _nested(request: rpc.TxnRequest) -> Iterator[rpc.TxnRequest]:
    for operation in (*request.success, *request.failure):
        if operation.HasField("request_txn"):
            yield operation.request_txn
            yield from _nested(operation.request_txn)


class KvRequests:
    """Makes requests out of one seeded generator."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def chance(self, probability: float) -> bool:
        """Whether something rare happens now."""
        return self.rng.random() < probability

    def key(self) -> bytes:
        """A key: rarely none or one of its own."""
        chosen = self.rng.random()
        if chosen < 0.003:
            return b""
        return self.rng.randbytes(self.rng.randint(1, 6)) if chosen < 0.02 else self.rng.choice(KEYS)

    def interval(self, wide: float = 0.2) -> tuple[bytes, bytes]:
        """key and range_end; `wide` is how often many keys are meant."""
        key = self.key()
        if not self.chance(wide):
            end = {0: key, 1: self.key(), 2: key + b"\x00"}.get(self.rng.randrange(12), b"")
            return key, end
        match self.rng.randrange(8):
            case 0:
                return key, b"\x00"
            case 1:
                return b"\x00", b"\x00"
            case 2 | 3:
                return key, prefix_end(key)
            case 4:
                return b"k", b"l"
            case 5:
                return b"dir/", b"dir0"
            case _:
                other = self.key()
                return min(key, other), max(key, other)

    def value(self) -> bytes:
        """Mostly small; now and then a page, so that sizes matter somewhere."""
        return self.rng.randbytes(4096) if self.chance(0.01) else self.rng.choice(WRITTEN_VALUES)

    def read_revision(self, latest: float = 0.7) -> int:
        """A revision to read or watch at: mostly the latest, else anywhere and around the edges."""
        if self.chance(latest):
            return 0
        match self.rng.randrange(12):
            case 0 | 1 | 2 | 3:
                return HISTORY + self.rng.randrange(1001)
            case 4 | 5:
                return CURRENT - self.rng.randrange(6)
            case 6:
                return CURRENT + self.rng.choice([1, 2, 1000])
            case 7:
                return COMPACTED
            case 8:
                return COMPACTED + self.rng.choice([-1, 1])
            case 9:
                return self.rng.choice([-1, -5, -(1 << 63)])
            case 10:
                return self.rng.choice([1, 2, (1 << 63) - 1])
            case _:
                return CURRENT

    def range(self, wide: float = 0.5) -> rpc.RangeRequest:
        """A range with any of its options."""
        key, range_end = self.interval(wide)
        request = rpc.RangeRequest(key=key, range_end=range_end, revision=self.read_revision())
        if self.chance(0.4):
            request.limit = self.rng.choice([1, 2, 3, 5, 10, 1000, -1, (1 << 63) - 1])
        if self.chance(0.4):
            # Beyond 2 there is no order and beyond 4 no target, which the types of the fields know: hence Any.
            order: Any = self.rng.choices([0, 1, 2, 3, 77, -1], [9, 30, 30, 1, 1, 1])[0]
            target: Any = self.rng.choices([0, 1, 2, 3, 4, 5, 99, -1], [20, 20, 20, 20, 20, 1, 1, 1])[0]
            request.sort_order, request.sort_target = order, target
        request.serializable = self.chance(0.4)
        # Sorted by values that are not shown, equal ones could not be told.
        request.keys_only = request.sort_target != rpc.RangeRequest.VALUE and self.chance(0.15)
        request.count_only = self.chance(0.1)
        if self.chance(0.2):
            for bound in ("min_mod_revision", "max_mod_revision", "min_create_revision", "max_create_revision"):
                if self.chance(0.4):
                    setattr(request, bound, self.read_revision(latest=0.0))
        return request

    def lease_id(self) -> int:
        """One that is granted now and then; rarely one that never is."""
        return LEASE_UNKNOWN if self.chance(0.05) else self.rng.choice(LEASE_IDS)

    def put(self) -> rpc.PutRequest:
        """A put with any of its options, contradicting ones included."""
        request = rpc.PutRequest(key=self.key(), prev_kv=self.chance(0.3))
        request.ignore_value = self.chance(0.07)
        request.ignore_lease = self.chance(0.07)
        if not request.ignore_value or self.chance(0.1):
            request.value = self.value()
        if self.chance(0.25) and (not request.ignore_lease or self.chance(0.3)):
            request.lease = self.lease_id()
        return request

    def delete(self, wide: float = 0.1) -> rpc.DeleteRangeRequest:
        """A delete of one key or of an interval."""
        key, range_end = self.interval(wide)
        return rpc.DeleteRangeRequest(key=key, range_end=range_end, prev_kv=self.chance(0.4))

    def compare(self) -> rpc.Compare:
        """A compare: rarely with unknown kinds, an operand for another target, or none."""
        compare = rpc.Compare(key=self.key())
        result: Any = self.rng.choices([0, 1, 2, 3, 9, -1], [12, 6, 6, 6, 1, 1])[0]
        target: Any = self.rng.choices([0, 1, 2, 3, 4, 8], [9, 9, 9, 9, 9, 1])[0]
        compare.result, compare.target = result, target
        match self.rng.randrange(5) if self.chance(0.1) else target:
            case 0:
                compare.version = self.rng.choice([0, 0, 1, 1, 2, 3, -1])
            case 1:
                compare.create_revision = self.read_revision(latest=0.4)
            case 2:
                compare.mod_revision = self.read_revision(latest=0.4)
            case 3:
                compare.value = self.rng.choice(WRITTEN_VALUES)
            case 4:
                compare.lease = self.rng.choice([0, self.lease_id()])
            case _:
                pass
        if self.chance(0.2):
            compare.key, compare.range_end = self.interval(wide=0.8)
        return compare

    def operation(self, depth: int) -> rpc.RequestOp:
        """One operation of a branch; rarely an empty one."""
        kind = self.rng.random()
        if kind < 0.005:
            return rpc.RequestOp()
        if kind < 0.32:
            return rpc.RequestOp(request_range=self.range(wide=0.3))
        if kind < 0.72:
            return rpc.RequestOp(request_put=self.put())
        if kind < 0.87 or depth >= TXN_DEPTH_MAX:
            return rpc.RequestOp(request_delete_range=self.delete(wide=0.06))
        return rpc.RequestOp(request_txn=self.txn(depth + 1))

    def txn(self, depth: int = 1) -> rpc.TxnRequest:
        """A transaction, with others in it down to a depth."""
        if depth == 1 and self.chance(0.01):
            return self.large_txn()
        if depth == 1 and self.chance(0.15):
            return self.reading_txn()
        request = rpc.TxnRequest(compare=[self.compare() for _ in range(self.rng.choice([0, 0, 1, 1, 1, 2, 3]))])
        for branch in (request.success, request.failure):
            branch.extend(self.operation(depth) for _ in range(self.rng.choice([0, 1, 1, 1, 2, 2, 3, 4])))
        if depth == 1:
            spare(request)
        return request

    def reading_txn(self) -> rpc.TxnRequest:
        """One that needs no log entry."""
        request = rpc.TxnRequest(compare=[self.compare() for _ in range(self.rng.randrange(3))])
        for branch in (request.success, request.failure):
            branch.extend(rpc.RequestOp(request_range=self.range()) for _ in range(self.rng.randrange(3)))
        return request

    def large_txn(self) -> rpc.TxnRequest:
        """One at the limit of operations, or past it; inside another, what the outer one uses is taken off."""
        count = TXN_OPERATIONS_MAX + self.rng.choice([-2, -1, 0, 0, 1])
        puts = [rpc.RequestOp(request_put=rpc.PutRequest(key=b"t%03d" % number)) for number in range(count)]
        request = rpc.TxnRequest(success=puts)
        match self.rng.randrange(4):
            case 0:
                return rpc.TxnRequest(success=[rpc.RequestOp(request_txn=request)])
            case 1:
                request.failure.extend(puts)
                return request
            case 2:
                compares = [rpc.Compare(key=b"t%03d" % number) for number in range(count)]
                return rpc.TxnRequest(compare=compares, failure=puts[:3])
            case _:
                return request

    def compaction(self) -> rpc.CompactionRequest:
        """Mostly somewhere in the history, so that there is some left; also what is refused."""
        revision = self.rng.choices(
            [
                HISTORY + self.rng.randrange(1001),
                CURRENT - self.rng.randrange(20),
                CURRENT,
                CURRENT + 1,
                COMPACTED,
                COMPACTED + 1,
                -1,
            ],
            [10, 6, 2, 1, 1, 1, 1],
        )[0]
        return rpc.CompactionRequest(revision=revision, physical=self.chance(0.3))
