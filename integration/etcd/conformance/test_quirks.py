"""Scripts written by hand, for what a random one leaves out: gaps in etcd's checks, large events, short leases."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from etcdcore.pb import rpc_pb2 as rpc
from integration.etcd.conformance import steps
from integration.etcd.conformance.steps import KeepAlive, Settle, Step, Unary, WatchCancel, WatchCreate, describe
from integration.etcd.conformance.test_differential import CONTENTS, Search, show

EVERYTHING = rpc.RangeRequest(key=b"\x00", range_end=b"\x00")


def put(key: bytes, value: bytes = b"", **options: bool) -> rpc.RequestOp:
    """A put of a transaction."""
    return rpc.RequestOp(request_put=rpc.PutRequest(key=key, value=value, **options))


def delete(key: bytes, range_end: bytes = b"") -> rpc.RequestOp:
    """A delete of a transaction."""
    return rpc.RequestOp(request_delete_range=rpc.DeleteRangeRequest(key=key, range_end=range_end, prev_kv=True))


def read(key: bytes, revision: int = 0) -> rpc.RequestOp:
    """A range of a transaction."""
    return rpc.RequestOp(request_range=rpc.RangeRequest(key=key, revision=revision))


def nested(*operations: rpc.RequestOp) -> rpc.RequestOp:
    """A transaction inside another, without compares."""
    return rpc.RequestOp(request_txn=rpc.TxnRequest(success=operations))


def txn(*operations: rpc.RequestOp) -> Unary:
    """A transaction without compares."""
    return Unary(steps.TXN, rpc.TxnRequest(success=operations))


def watch(**wanted: object) -> WatchCreate:
    """A watch of everything on stream 1."""
    return WatchCreate(1, rpc.WatchCreateRequest(key=b"\x00", range_end=b"\x00", **wanted))  # type: ignore[arg-type]


READ_ALL = Unary(steps.RANGE, EVERYTHING)

# One key changed twice in one revision, which the check for that overlooks.
TWICE: list[Step] = [
    watch(),
    watch(prev_kv=True),
    txn(put(b"a", b"1"), put(b"b", b"1")),
    txn(delete(b"a", b"\x00"), put(b"b", b"2"), read(b"b"), read(b"a")),
    READ_ALL,
    txn(nested(put(b"c", b"1")), nested(delete(b"c"), read(b"c")), read(b"c")),
    READ_ALL,
    Settle(),
    watch(start_revision=1, prev_kv=True),
    Settle(),
    Unary(steps.HASH_KV, rpc.HashKVRequest()),
]

# A transaction that is refused while it is applied leaves nothing behind, wherever in it the reason lies.
REFUSED: list[Step] = [
    watch(),
    txn(put(b"a", b"1")),
    txn(put(b"a", b"2"), read(b"a", revision=1000)),
    txn(put(b"a", b"2"), nested(put(b"b"), nested(put(b"c", b"", ignore_value=True)))),
    txn(put(b"a", b"2"), nested(delete(b"a"), read(b"a", revision=-5))),
    txn(nested(put(b"a", b"2")), put(b"a", b"3")),
    txn(nested(delete(b"a")), put(b"a", b"3")),
    txn(rpc.RequestOp()),
    txn(put(b"a", b"2"), rpc.RequestOp(request_txn=rpc.TxnRequest(failure=[rpc.RequestOp()]))),
    txn(put(b"")),
    txn(read(b"")),
    txn(delete(b"")),
    Unary(steps.TXN, rpc.TxnRequest(compare=[rpc.Compare()])),
    Unary(steps.TXN, rpc.TxnRequest()),
    READ_ALL,
    Settle(),
]

SHORT_LEASES: list[Step] = [
    Unary(steps.GRANT, rpc.LeaseGrantRequest(ID=1, TTL=1)),
    Unary(steps.GRANT, rpc.LeaseGrantRequest(ID=2, TTL=0)),
    Unary(steps.GRANT, rpc.LeaseGrantRequest(ID=3, TTL=-7)),
    Unary(steps.GRANT, rpc.LeaseGrantRequest(ID=-1, TTL=3)),
    KeepAlive(1),
    KeepAlive(-1),
    KeepAlive(77),
    KeepAlive(0),
    *(Unary(steps.REVOKE, rpc.LeaseRevokeRequest(ID=lease_id)) for lease_id in (1, 2, 3, -1, 0)),
    Unary(steps.LEASES, rpc.LeaseLeasesRequest()),
]

# 2 MiB and 2 KiB of events: what a watcher without fragments gets in one message, and one with them in several.
LARGE_EVENTS: list[Step] = [
    *(Unary(steps.PUT, rpc.PutRequest(key=b"large", value=bytes([65 + number]) * 700_000)) for number in range(6)),
    watch(start_revision=2),
    watch(start_revision=2, fragment=True),
    watch(start_revision=2, fragment=True, prev_kv=True),
    Settle(),
    txn(*(put(b"k%d" % number, b"x" * 110_000) for number in range(14))),
    Settle(),
]

# Ids of watchers: the server's own numbering goes round those that are taken, and an id can be had again.
WATCH_IDS: list[Step] = [
    watch(watch_id=1),
    watch(watch_id=2),
    watch(),
    watch(),
    watch(watch_id=3),
    WatchCancel(1, 1),
    WatchCancel(1, 1),
    watch(watch_id=1),
    watch(),
    WatchCancel(1, 0),
    watch(),
    Unary(steps.PUT, rpc.PutRequest(key=b"a")),
    Settle(),
]

SCRIPTS = {
    "one key twice in a revision": TWICE,
    "transactions refused": REFUSED,
    "short leases": SHORT_LEASES,
    "large events": LARGE_EVENTS,
    "watch ids": WATCH_IDS,
}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS.keys())
def test_etcdcore_answers_as_etcd(script: Sequence[Step], tmp_path: Path) -> None:
    """Step by step, and with equal contents after a restart."""
    found = Search(tmp_path).difference(script)
    if found is not None:
        number, real, ours = found
        step = [*script, *CONTENTS][number]
        answers = f"  etcd: {show(step, real[number])}\n  ours: {show(step, ours[number])}"
        pytest.fail(f"step {number}: {describe(step)}\n{answers}", pytrace=False)
