"""Whether a condition of a transaction holds. Source: etcd server/etcdserver/txn/txn.go applyCompare, reference 2.4."""

from etcdcore.apply.commands import (
    EQUAL,
    GREATER,
    LESS,
    NOT_EQUAL,
    TARGET_CREATE,
    TARGET_MOD,
    TARGET_VALUE,
    TARGET_VERSION,
    Compare,
)
from etcdcore.mvcc.key_index import NO_KEY, KeyIndex
from etcdcore.mvcc.store import Store


def holds(store: Store, compare: Compare) -> bool:
    """On the store as it is now; with a range end, for every key of the interval (an empty one is a missing key)."""
    if compare.range_end:
        keys = store.live_keys_between(compare.key, compare.range_end)
        if keys:
            return all(_holds_for(store, compare, key, store.index[key]) for key in keys)
        return _holds_for(store, compare, compare.key, NO_KEY)
    return _holds_for(store, compare, compare.key, store.index.get(compare.key, NO_KEY))


def _holds_for(store: Store, compare: Compare, key: bytes, entry: KeyIndex) -> bool:
    operand = compare.operand
    result = compare.result
    target = compare.target
    if target == TARGET_VALUE:
        pair = store.key_now(key) if entry.version else None
        if pair is None:
            # A quirk that clients know: no value compares with a missing one, not even as different.
            return False
        expected = b"" if isinstance(operand, int) else operand
        value = pair.value
        if result == EQUAL:
            return value == expected
        if result == GREATER:
            return value > expected
        if result == LESS:
            return value < expected
        return result == NOT_EQUAL and value != expected
    if target == TARGET_MOD:
        # The index still knows when a deleted key was deleted.
        actual = entry.mod_main if entry.version else 0
    elif target == TARGET_VERSION:
        actual = entry.version
    elif target == TARGET_CREATE:
        actual = entry.create
    else:
        actual = entry.lease
    number = operand if isinstance(operand, int) else 0
    if result == EQUAL:
        return actual == number
    if result == GREATER:
        return actual > number
    if result == LESS:
        return actual < number
    return result == NOT_EQUAL and actual != number
