"""A range over the store: which pairs, in which order, how many, and whether there are more.

Source: etcd server/etcdserver/txn/range.go, reference section 2.2.
"""

from typing import Final, final

from etcdcore.apply.commands import (
    SORT_BY_CREATE,
    SORT_BY_KEY,
    SORT_BY_MOD,
    SORT_BY_VALUE,
    SORT_BY_VERSION,
    SORT_DESCEND,
    SORT_NONE,
    Range,
)
from etcdcore.apply.results import RangeResult
from etcdcore.errors import CoreError
from etcdcore.mvcc.store import Store
from etcdcore.types import KeyValue


def read_range(store: Store, wanted: Range) -> RangeResult | CoreError:
    """Serves a range from the store as it is now. Refuses RevisionCompacted, RevisionInFuture."""
    store.counts.range_count += 1
    visible = store.visible_revision
    revision = wanted.revision
    if revision <= 0:
        revision = visible
    else:
        error = store.check_revision(revision)
        if error is not None:
            return error
    if wanted.count_only:
        _, count = store.collect(wanted.key, wanted.range_end, revision, -1, True)
        return RangeResult(visible, [], False, count)
    limit = max(wanted.limit, 0)
    has_filter = _has_filter(wanted)
    # etcd hands the limit down only where neither order nor filters need all pairs. One more than wanted tells `more`.
    fetched = limit + 1 if limit and wanted.sort_order == SORT_NONE and not has_filter else 0
    needs_values = not wanted.keys_only or wanted.sort_target == SORT_BY_VALUE
    pairs, count = store.collect(wanted.key, wanted.range_end, revision, fetched, not needs_values)
    if has_filter:
        pairs = [pair for pair in pairs if _passes(pair, wanted)]
    _sort(pairs, wanted)
    more = limit > 0 and len(pairs) > limit
    if more:
        del pairs[limit:]
    if wanted.keys_only and needs_values:
        pairs = [
            KeyValue(pair.key, pair.create_revision, pair.mod_revision, pair.version, b"", pair.lease) for pair in pairs
        ]
    return RangeResult(visible, pairs, more, count)


@final
class RecordsResult:
    """As a RangeResult, its pairs as the store's records: serialised KeyValues."""

    __slots__ = ("count", "more", "records", "revision")

    def __init__(self, revision: int, records: list[bytes], more: bool, count: int) -> None:
        self.revision: Final = revision
        self.records: Final = records
        self.more: Final = more
        self.count: Final = count


def is_plain(wanted: Range) -> bool:
    """Whether the answer is nothing but records in key order, so that `read_records` may serve it."""
    return (
        wanted.sort_order == SORT_NONE
        and wanted.sort_target == SORT_BY_KEY
        and not wanted.keys_only
        and not wanted.count_only
        and not _has_filter(wanted)
    )


def read_records(store: Store, wanted: Range) -> RecordsResult | CoreError:
    """As `read_range` for a plain range, without decoding a record. Refuses RevisionCompacted, RevisionInFuture."""
    store.counts.range_count += 1
    visible = store.visible_revision
    revision = wanted.revision
    if revision <= 0:
        revision = visible
    else:
        error = store.check_revision(revision)
        if error is not None:
            return error
    limit = max(wanted.limit, 0)
    records, count = store.collect_records(wanted.key, wanted.range_end, revision, limit + 1 if limit else 0)
    more = limit > 0 and len(records) > limit
    if more:
        records.pop()
    return RecordsResult(visible, records, more, count)


def _has_filter(wanted: Range) -> bool:
    return (
        wanted.min_mod_revision != 0
        or wanted.max_mod_revision != 0
        or wanted.min_create_revision != 0
        or wanted.max_create_revision != 0
    )


def _passes(pair: KeyValue, wanted: Range) -> bool:
    """Bounds are inclusive, 0 is no bound."""
    mod = pair.mod_revision
    create = pair.create_revision
    return (
        (wanted.min_mod_revision == 0 or mod >= wanted.min_mod_revision)
        and (wanted.max_mod_revision == 0 or mod <= wanted.max_mod_revision)
        and (wanted.min_create_revision == 0 or create >= wanted.min_create_revision)
        and (wanted.max_create_revision == 0 or create <= wanted.max_create_revision)
    )


def _sort(pairs: list[KeyValue], wanted: Range) -> None:
    """The pairs come in key order; another target without an order means ascending."""
    target = wanted.sort_target
    descend = wanted.sort_order == SORT_DESCEND
    if target == SORT_BY_KEY:
        if descend:
            pairs.reverse()
    elif target == SORT_BY_VERSION:
        pairs.sort(key=_version_of, reverse=descend)
    elif target == SORT_BY_CREATE:
        pairs.sort(key=_create_of, reverse=descend)
    elif target == SORT_BY_MOD:
        pairs.sort(key=_mod_of, reverse=descend)
    else:
        assert target == SORT_BY_VALUE, f"sort target {target} passed the static checks"
        pairs.sort(key=_value_of, reverse=descend)


def _version_of(pair: KeyValue) -> int:
    return pair.version


def _create_of(pair: KeyValue) -> int:
    return pair.create_revision


def _mod_of(pair: KeyValue) -> int:
    return pair.mod_revision


def _value_of(pair: KeyValue) -> bytes:
    return pair.value
