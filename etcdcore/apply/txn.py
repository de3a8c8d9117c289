"""Transactions with everything etcd allows: nested ones, reads in between, previous pairs.

Three strictly separate passes: `choose` evaluates all compares on the state before, `check` finds whatever would fail,
`execute` cannot fail any more. Source: etcd server/etcdserver/txn/txn.go, reference section 2.4.
"""

from collections.abc import Sequence
from typing import Final, final

from etcdcore.apply.commands import DeleteRange, Op, Put, Range, Txn
from etcdcore.apply.compare import holds
from etcdcore.apply.reads import read_range
from etcdcore.apply.results import DeleteRangeResult, OpResult, PutResult, RangeResult, TxnResult
from etcdcore.errors import CoreError, KeyNotFound, LeaseNotFound, RevisionCompacted, RevisionInFuture
from etcdcore.lease.lessor import Lessor
from etcdcore.mvcc.store import Store
from etcdcore.types import KeyValue


@final
class Path:
    """Which branch a transaction takes, and in `nested` the same for the transactions in that branch, in order."""

    __slots__ = ("branch", "nested", "succeeded")

    def __init__(self, succeeded: bool, branch: Sequence[Op], nested: "list[Path]") -> None:
        self.succeeded: Final = succeeded
        self.branch: Final = branch
        self.nested: Final = nested


def choose(store: Store, txn: Txn) -> Path:
    """Evaluates the compares of the transaction and of every nested one on the chosen path, all on the state before."""
    succeeded = True
    for compare in txn.compares:
        if not holds(store, compare):
            succeeded = False
            break
    branch = txn.success if succeeded else txn.failure
    return Path(succeeded, branch, [choose(store, op) for op in branch if isinstance(op, Txn)])


def check(store: Store, lessor: Lessor, path: Path) -> CoreError | None:
    """What would fail on the chosen path. Refuses RevisionInFuture, RevisionCompacted, KeyNotFound, LeaseNotFound."""
    nested = 0
    for op in path.branch:
        error: CoreError | None = None
        if isinstance(op, Put):
            error = check_put_now(store, lessor, op)
        elif isinstance(op, Range):
            error = _check_range_now(store, op)
        elif isinstance(op, Txn):
            error = check(store, lessor, path.nested[nested])
            nested += 1
        if error is not None:
            return error
    return None


def _check_range_now(store: Store, wanted: Range) -> CoreError | None:
    revision = wanted.revision
    if revision == 0:
        return None
    if revision > store.current_revision:
        return RevisionInFuture()
    # A negative revision is compared as it is here; a range of its own takes it as the latest.
    return RevisionCompacted() if revision < store.compacted_revision else None


def check_put_now(store: Store, lessor: Lessor, put: Put) -> CoreError | None:
    """Refuses KeyNotFound, LeaseNotFound."""
    if put.ignore_value or put.ignore_lease:
        entry = store.index.get(put.key)
        if entry is None or entry.version == 0:
            return KeyNotFound()
    if put.lease and put.lease not in lessor.leases:
        return LeaseNotFound()
    return None


def execute(store: Store, lessor: Lessor, path: Path) -> list[OpResult]:
    """Does every operation of the chosen path, in order; each sees those before it."""
    results: list[OpResult] = []
    nested = 0
    for op in path.branch:
        if isinstance(op, Put):
            results.append(execute_put(store, lessor, op))
        elif isinstance(op, DeleteRange):
            results.append(execute_delete(store, lessor, op))
        elif isinstance(op, Range):
            result = read_range(store, op)
            assert isinstance(result, RangeResult), "a range passed its check and failed"
            results.append(result)
        else:
            inner = path.nested[nested]
            nested += 1
            responses = execute(store, lessor, inner)
            results.append(TxnResult(store.visible_revision, inner.succeeded, responses))
    return results


def is_read_only(txn: Txn) -> bool:
    """Only ranges in both branches: such a transaction need not enter the log. A nested one always does."""
    for op in txn.success:
        if not isinstance(op, Range):
            return False
    return all(isinstance(op, Range) for op in txn.failure)


def is_serializable(txn: Txn) -> bool:
    """Whether all ranges of a transaction that only reads are serializable; it has none at all: so too."""
    for branch in (txn.success, txn.failure):
        for op in branch:
            if isinstance(op, Range) and not op.serializable:
                return False
    return True


def read_txn(store: Store, lessor: Lessor, txn: Txn) -> TxnResult | CoreError:
    """A transaction that only reads, from the state applied here. Refuses as `check`."""
    path = choose(store, txn)
    error = check(store, lessor, path)
    if error is not None:
        return error
    return TxnResult(store.current_revision, path.succeeded, execute(store, lessor, path))


def execute_put(store: Store, lessor: Lessor, put: Put) -> PutResult:
    """A put that passed its check."""
    key = put.key
    value = put.value
    lease = put.lease
    former: KeyValue | None = None
    if put.prev_kv or put.ignore_value:
        former = store.key_now(key)
        if put.ignore_value and former is not None:
            value = former.value
    if put.ignore_lease:
        entry = store.index.get(key)
        lease = 0 if entry is None else entry.lease
    former_lease = store.put(key, value, lease)
    if former_lease != lease:
        lessor.move(key, former_lease, lease)
    return PutResult(store.current_revision + 1, former if put.prev_kv else None)


def execute_delete(store: Store, lessor: Lessor, op: DeleteRange) -> DeleteRangeResult:
    store.counts.delete_count += 1
    keys = store.live_keys_between(op.key, op.range_end)
    former: list[KeyValue] = []
    if op.prev_kv:
        for key in keys:
            pair = store.key_now(key)
            assert pair is not None
            former.append(pair)
    delete_keys(store, lessor, keys)
    return DeleteRangeResult(store.visible_revision, len(keys), former)


def delete_keys(store: Store, lessor: Lessor, keys: Sequence[bytes]) -> None:
    """Deletes existing keys, in the given order, and takes them off their leases."""
    for key in keys:
        former_lease = store.delete(key)
        if former_lease:
            lessor.move(key, former_lease, 0)
