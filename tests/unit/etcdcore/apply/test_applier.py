"""Commands as sentences: what they answer and leave. Source: reference sections 2.1 to 2.6 and 8.3."""

import pytest

from etcdcore.apply.applier import Applier
from etcdcore.apply.commands import (
    EQUAL,
    GREATER,
    LESS,
    NOT_EQUAL,
    SORT_ASCEND,
    SORT_BY_MOD,
    SORT_BY_VALUE,
    SORT_BY_VERSION,
    SORT_DESCEND,
    TARGET_CREATE,
    TARGET_LEASE,
    TARGET_MOD,
    TARGET_VALUE,
    TARGET_VERSION,
    Command,
    Compaction,
    Compare,
    DeleteRange,
    LeaseGrant,
    LeaseRevoke,
    Op,
    Put,
    Range,
    Txn,
)
from etcdcore.apply.results import DeleteRangeResult, LeaseGrantResult, Outcome, PutResult, RangeResult, TxnResult
from etcdcore.errors import (
    CoreError,
    KeyNotFound,
    LeaseExists,
    LeaseNotFound,
    RevisionCompacted,
    RevisionInFuture,
)
from etcdcore.lease.lessor import Lessor
from etcdcore.mvcc.engine import KEY
from etcdcore.mvcc.store import Store
from etcdcore.storage.memory_engine import MemoryEngine
from etcdcore.types import KeyValue

ALWAYS_FALSE = Compare(TARGET_VERSION, GREATER, b"no such key", 0)


@pytest.fixture
def applier() -> Applier:
    engine = MemoryEngine()
    return Applier(Store(engine), Lessor(engine))


def apply(applier: Applier, *commands: Command) -> Outcome:
    """The result of the last one; all must leave the invariants."""
    result: Outcome | None = None
    for command in commands:
        result = applier.apply(command)
    applier.check_invariants()
    assert result is not None
    return result


def txn_of(result: Outcome) -> TxnResult:
    assert isinstance(result, TxnResult)
    return result


def read(applier: Applier, wanted: Range) -> RangeResult:
    result = applier.range(wanted)
    assert isinstance(result, RangeResult)
    return result


def test_the_first_write_makes_revision_two(applier: Applier) -> None:
    assert applier.store.current_revision == 1
    result = apply(applier, Put(b"k", b"v"))
    assert isinstance(result, PutResult) and result.revision == 2 and result.prev_kv is None
    assert read(applier, Range(b"k")).kvs == [KeyValue(b"k", 2, 2, 1, b"v", 0)]


def test_an_identical_put_is_a_change(applier: Applier) -> None:
    apply(applier, Put(b"k", b"v"), Put(b"k", b"v"))
    assert read(applier, Range(b"k")).kvs == [KeyValue(b"k", 2, 3, 2, b"v", 0)]


def test_brief_or_not_a_plain_transaction_leaves_the_same_state() -> None:
    commands = [
        Txn((), (Put(b"a", b"1"), Put(b"b", b"2", 7)), ()),
        Txn((), (DeleteRange(b"a"), DeleteRange(b"none"), Put(b"c", b"3", 7)), ()),
        Txn((), (Put(b"b", b"4"), Put(b"a", b"5")), ()),
        Txn((), (DeleteRange(b"none"),), ()),
    ]
    states = []
    for is_brief in (False, True):
        engine = MemoryEngine()
        applier = Applier(Store(engine), Lessor(engine))
        applier.apply(LeaseGrant(7, 10))
        revisions = []
        for command in commands:
            revisions.append(applier.apply_brief(command) if is_brief else txn_of(applier.apply(command)).revision)
            if is_brief:
                assert applier.take_events() == (revisions[-1], [])
            applier.check_invariants()
        keys = applier.lessor.keys_of(7)
        states.append((revisions, engine.scan(KEY, b"", b""), keys, applier.store.counts.txn_count))
    assert states[0] == states[1] and states[0][0] == [2, 3, 4, 4]


def test_a_deleted_key_begins_a_new_life(applier: Applier) -> None:
    apply(applier, Put(b"k", b"v"), Put(b"k", b"v"), DeleteRange(b"k"), Put(b"k", b"w"))
    assert read(applier, Range(b"k")).kvs == [KeyValue(b"k", 5, 5, 1, b"w", 0)]
    assert read(applier, Range(b"k", revision=4)).kvs == []
    assert read(applier, Range(b"k", revision=3)).kvs == [KeyValue(b"k", 2, 3, 2, b"v", 0)]


def test_deleting_nothing_changes_nothing(applier: Applier) -> None:
    result = apply(applier, DeleteRange(b"a", b"\0"))
    assert isinstance(result, DeleteRangeResult) and (result.revision, result.deleted) == (1, 0)
    assert applier.take_events() == (1, [])


def test_a_range_of_keys_is_deleted_in_one_revision_in_key_order(applier: Applier) -> None:
    apply(applier, Put(b"b", b"1"), Put(b"a", b"2"), Put(b"c", b"3"))
    result = apply(applier, DeleteRange(b"a", b"c", True))
    assert isinstance(result, DeleteRangeResult)
    assert [pair.key for pair in result.prev_kvs] == [b"a", b"b"] and result.deleted == 2
    revision, events = applier.take_events()
    assert revision == result.revision == 5
    assert [event.kv for event in events] == [KeyValue(b"a", 0, 5, 0, b"", 0), KeyValue(b"b", 0, 5, 0, b"", 0)]


def test_a_put_answers_with_the_former_pair_when_asked(applier: Applier) -> None:
    result = apply(applier, Put(b"k", b"1"), Put(b"k", b"2", prev_kv=True))
    assert isinstance(result, PutResult) and result.prev_kv == KeyValue(b"k", 2, 2, 1, b"1", 0)


def test_value_and_lease_can_be_kept(applier: Applier) -> None:
    apply(applier, LeaseGrant(7, 10), Put(b"k", b"1", 7))
    apply(applier, Put(b"k", b"2", 0, ignore_lease=True))
    apply(applier, Put(b"k", b"", 7, ignore_value=True))
    assert read(applier, Range(b"k")).kvs == [KeyValue(b"k", 2, 4, 3, b"2", 7)]


@pytest.mark.parametrize("wrap", [False, True])
def test_keeping_what_a_missing_key_has_is_refused(applier: Applier, wrap: bool) -> None:
    for op in (Put(b"k", b"", ignore_value=True), Put(b"k", b"1", ignore_lease=True)):
        assert apply(applier, Txn([], [op], []) if wrap else op) == KeyNotFound()


def test_a_put_on_a_missing_lease_is_refused_and_leaves_no_trace(applier: Applier) -> None:
    assert apply(applier, Put(b"k", b"", 9)) == LeaseNotFound()
    assert apply(applier, Txn([], [Put(b"a", b""), Put(b"k", b"", 9)], [])) == LeaseNotFound()
    assert applier.take_events() == (1, [])
    assert read(applier, Range(b"\0", b"\0")).count == 0


# Compares.


@pytest.mark.parametrize(
    ("target", "actual"),
    [(TARGET_VERSION, 2), (TARGET_CREATE, 2), (TARGET_MOD, 4), (TARGET_LEASE, 7), (TARGET_VALUE, b"m")],
)
@pytest.mark.parametrize("missing", ["never was", "deleted", "is there"])
def test_every_compare_of_every_target(applier: Applier, target: int, actual: int | bytes, missing: str) -> None:
    """A missing key counts as 0, but a value compare with it is false whatever the operator."""
    apply(applier, LeaseGrant(7, 10), Put(b"k", b"x", 7), Put(b"other", b""), Put(b"k", b"m", 7))
    key = b"k"
    if missing == "deleted":
        apply(applier, DeleteRange(b"k"))
    elif missing == "never was":
        key = b"nothing"
    if missing != "is there":
        actual = 0 if target != TARGET_VALUE else b""
    below: int | bytes = actual - 1 if isinstance(actual, int) else b"a"
    above: int | bytes = actual + 1 if isinstance(actual, int) else b"z"
    never = missing != "is there" and target == TARGET_VALUE
    expected = {
        (EQUAL, actual): True,
        (EQUAL, above): False,
        (GREATER, below): True,
        (GREATER, actual): False,
        (LESS, above): True,
        (LESS, actual): False,
        (NOT_EQUAL, above): True,
        (NOT_EQUAL, actual): False,
    }
    for (result, operand), held in expected.items():
        answer = txn_of(apply(applier, Txn([Compare(target, result, key, operand)], [], [])))
        assert answer.succeeded == (held and not never), (result, operand)


def test_a_compare_on_an_interval_must_hold_for_every_key(applier: Applier) -> None:
    apply(applier, Put(b"a", b"x"), Put(b"b", b"x"), Put(b"c", b"y"))

    def holds(target: int, result: int, key: bytes, operand: int | bytes, end: bytes) -> bool:
        return txn_of(apply(applier, Txn([Compare(target, result, key, operand, end)], [], []))).succeeded

    assert holds(TARGET_VALUE, EQUAL, b"a", b"x", b"c")
    assert not holds(TARGET_VALUE, EQUAL, b"a", b"x", b"\0")
    assert holds(TARGET_VERSION, EQUAL, b"d", 0, b"f")
    assert not holds(TARGET_VALUE, NOT_EQUAL, b"d", b"x", b"f")


def test_an_unset_operand_counts_as_nothing(applier: Applier) -> None:
    assert txn_of(apply(applier, Txn([Compare(TARGET_VERSION, EQUAL, b"k", b"")], [], []))).succeeded
    apply(applier, Put(b"k", b""))
    assert txn_of(apply(applier, Txn([Compare(TARGET_VALUE, EQUAL, b"k", 0)], [], []))).succeeded


# Transactions.


def test_all_writes_of_a_transaction_share_one_revision(applier: Applier) -> None:
    apply(applier, Put(b"old", b""))
    result = txn_of(apply(applier, Txn([], [Put(b"b", b""), DeleteRange(b"old"), Put(b"a", b"")], [])))
    assert result.revision == 3 and result.succeeded
    assert [response.revision for response in result.responses] == [3, 3, 3]
    revision, events = applier.take_events()
    assert (revision, [(event.kind, event.kv.key) for event in events]) == (3, [(0, b"b"), (1, b"old"), (0, b"a")])
    assert applier.take_events() == (3, [])


def test_a_transaction_that_changes_nothing_has_no_revision(applier: Applier) -> None:
    result = txn_of(apply(applier, Txn([], [DeleteRange(b"k")], [])))
    assert result.revision == 1
    result = txn_of(apply(applier, Txn([ALWAYS_FALSE], [Put(b"k", b"")], [])))
    assert (result.revision, result.succeeded, result.responses) == (1, False, [])


def test_the_else_branch_of_a_fenced_write_moves_the_fence_once(applier: Applier) -> None:
    """Every transaction behind one that failed must fail on the fence."""
    apply(applier, Put(b"fence", b""))
    fence = Compare(TARGET_MOD, EQUAL, b"fence", 2)
    session = Compare(TARGET_VERSION, GREATER, b"session", 0)
    failure: list[Op] = [Txn([fence], [Put(b"fence", b"")], [])]
    result = txn_of(apply(applier, Txn([fence, session], [Put(b"n", b"")], failure)))
    assert not result.succeeded and result.revision == 3
    nested = result.responses[0]
    assert isinstance(nested, TxnResult) and nested.succeeded
    result = txn_of(apply(applier, Txn([fence], [Put(b"n", b"")], failure)))
    assert not result.succeeded and result.revision == 3
    nested = result.responses[0]
    assert isinstance(nested, TxnResult) and not nested.succeeded


def test_compares_of_nested_transactions_see_the_state_before(applier: Applier) -> None:
    missing = Compare(TARGET_VERSION, EQUAL, b"k", 0)
    result = txn_of(apply(applier, Txn([], [Put(b"k", b""), Txn([missing], [Put(b"seen", b"")], [])], [])))
    nested = result.responses[1]
    assert isinstance(nested, TxnResult) and nested.succeeded
    assert read(applier, Range(b"seen")).count == 1


def test_ranges_in_a_transaction_see_the_writes_before_them(applier: Applier) -> None:
    apply(applier, Put(b"k", b"old"))
    ops: list[Op] = [
        Range(b"k"),
        Put(b"k", b"new"),
        Range(b"k"),
        Range(b"k", revision=2),
        DeleteRange(b"k"),
        Range(b"k"),
    ]
    result = txn_of(apply(applier, Txn([], [ops[0]], [])))
    assert result.revision == 2
    result = txn_of(apply(applier, Txn([], ops[:4], [])))
    ranges = [response for response in result.responses if isinstance(response, RangeResult)]
    assert [found.kvs[0].value for found in ranges] == [b"old", b"new", b"old"]
    assert [found.revision for found in ranges] == [2, 3, 3]


@pytest.mark.parametrize(
    ("op", "error"),
    [
        (Range(b"k", revision=9), RevisionInFuture()),
        (Range(b"k", revision=4), RevisionInFuture()),
        (Range(b"k", revision=1), RevisionCompacted()),
        (Range(b"k", revision=-5), RevisionCompacted()),
        (Put(b"x", b"", 9), LeaseNotFound()),
        (Put(b"x", b"", ignore_value=True), KeyNotFound()),
        (Txn([], [Put(b"x", b"", 9)], []), LeaseNotFound()),
    ],
)
def test_one_operation_that_fails_at_apply_fails_the_whole_transaction(
    applier: Applier, op: Op, error: CoreError
) -> None:
    apply(applier, Put(b"k", b""), Put(b"k", b""), Compaction(2))
    assert apply(applier, Txn([], [Put(b"first", b""), op], [])) == error
    assert applier.take_events() == (3, [])
    assert read(applier, Range(b"first")).count == 0
    assert isinstance(apply(applier, Txn([ALWAYS_FALSE], [op], [])), TxnResult)


def test_a_put_of_its_own_asks_for_the_lease_before_the_key_and_one_in_a_transaction_after_it(applier: Applier) -> None:
    put = Put(b"missing", b"", 9, ignore_value=True)
    assert apply(applier, put) == LeaseNotFound()
    assert apply(applier, Txn([], [put], [])) == KeyNotFound()


def test_a_key_deleted_with_an_open_end_may_be_put_again_in_the_same_transaction(applier: Applier) -> None:
    apply(applier, Put(b"k", b"old"))
    txn_of(apply(applier, Txn([], [DeleteRange(b"a", b"\0"), Put(b"k", b"new")], [])))
    _, events = applier.take_events()
    assert [event.kv.mod_revision for event in events] == [3, 3]
    pair = read(applier, Range(b"k")).kvs[0]
    assert (pair.value, pair.create_revision, pair.version) == (b"new", 3, 1)
    assert isinstance(
        apply(applier, Txn([], [DeleteRange(b"a", b"\0"), Put(b"k", b"", ignore_value=True)], [])), TxnResult
    )


def test_former_pairs_in_a_transaction_are_those_of_its_own_earlier_writes(applier: Applier) -> None:
    first = Txn([], [Put(b"k", b"1")], [])
    second = Txn([], [DeleteRange(b"k", b"", True)], [])
    result = txn_of(apply(applier, Txn([], [first, second], [])))
    nested = result.responses[1]
    assert isinstance(nested, TxnResult)
    deleted = nested.responses[0]
    assert isinstance(deleted, DeleteRangeResult) and deleted.prev_kvs == [KeyValue(b"k", 2, 2, 1, b"1", 0)]
    assert read(applier, Range(b"k")).count == 0


# Ranges.


@pytest.fixture
def filled(applier: Applier) -> Applier:
    """Keys a to e; versions and values differ in order from the keys."""
    for key, value, puts in ((b"c", b"2", 3), (b"a", b"5", 2), (b"e", b"1", 1), (b"b", b"4", 1), (b"d", b"3", 4)):
        for _ in range(puts):
            applier.apply(Put(key, value))
    return applier


@pytest.mark.parametrize(
    ("wanted", "keys", "more"),
    [
        (Range(b"a", b"c"), b"ab", False),
        (Range(b"b", b"\0"), b"bcde", False),
        (Range(b"c", b"a"), b"", False),
        (Range(b"\0", b"\0", 2), b"ab", True),
        (Range(b"\0", b"\0", 5), b"abcde", False),
        (Range(b"\0", b"\0", -1), b"abcde", False),
        (Range(b"\0", b"\0", 2, sort_order=SORT_DESCEND), b"ed", True),
        (Range(b"\0", b"\0", sort_order=SORT_ASCEND, sort_target=SORT_BY_VALUE), b"ecdba", False),
        (Range(b"\0", b"\0", sort_order=SORT_ASCEND, sort_target=SORT_BY_VALUE, keys_only=True), b"ecdba", False),
        (Range(b"\0", b"\0", 2, sort_order=SORT_DESCEND, sort_target=SORT_BY_VERSION), b"dc", True),
        # Without an order only the first limit + 1 keys are sorted: a quirk that real servers have.
        (Range(b"\0", b"\0", 2, sort_target=SORT_BY_VALUE), b"cb", True),
        (Range(b"\0", b"\0", sort_target=SORT_BY_MOD), b"caebd", False),
        (Range(b"\0", b"\0", min_mod_revision=6), b"abde", False),
        (Range(b"\0", b"\0", max_create_revision=5), b"ac", False),
        (Range(b"\0", b"\0", 1, max_mod_revision=7, min_create_revision=3), b"a", True),
        (Range(b"\0", b"\0", 1, count_only=True, min_mod_revision=6), b"", False),
    ],
)
def test_what_a_range_gives(filled: Applier, wanted: Range, keys: bytes, more: bool) -> None:
    result = read(filled, wanted)
    assert b"".join(pair.key for pair in result.kvs) == keys
    assert result.more == more
    if wanted.key == b"\0":
        assert result.count == 5
    if wanted.keys_only:
        assert all(pair.value == b"" and pair.version for pair in result.kvs)


def test_a_range_at_a_revision_tells_the_stores_revision(filled: Applier) -> None:
    result = read(filled, Range(b"c", revision=3))
    assert (result.revision, result.kvs) == (12, [KeyValue(b"c", 2, 3, 2, b"2", 0)])
    assert filled.range(Range(b"c", revision=13)) == RevisionInFuture()
    assert read(filled, Range(b"c", revision=-7)).kvs[0].version == 3


# Compaction.


def test_compaction_refuses_what_is_compacted_or_to_come(applier: Applier) -> None:
    assert not isinstance(apply(applier, Compaction(0)), CoreError)
    assert apply(applier, Compaction(0)) == RevisionCompacted()
    apply(applier, Put(b"k", b""), Put(b"k", b""))
    assert apply(applier, Compaction(4)) == RevisionInFuture()
    assert not isinstance(apply(applier, Compaction(3)), CoreError)
    assert apply(applier, Compaction(3)) == RevisionCompacted()
    assert read(applier, Range(b"k", revision=3)).count == 1
    assert applier.range(Range(b"k", revision=2)) == RevisionCompacted()
    assert applier.store.current_revision == 3


# Leases.


def test_a_lease_is_granted_once_and_without_a_revision(applier: Applier) -> None:
    result = apply(applier, LeaseGrant(-3, 10))
    assert isinstance(result, LeaseGrantResult) and (result.revision, result.lease_id, result.ttl_s) == (1, -3, 10)
    assert apply(applier, LeaseGrant(-3, 10)) == LeaseExists()


def test_revoking_deletes_the_keys_sorted_in_one_revision(applier: Applier) -> None:
    apply(applier, LeaseGrant(-1, 10), Put(b"b", b"", -1), Put(b"a", b"", -1), Put(b"c", b""))
    apply(applier, LeaseRevoke(-1))
    revision, events = applier.take_events()
    assert revision == 5
    assert [event.kv for event in events] == [KeyValue(b"a", 0, 5, 0, b"", 0), KeyValue(b"b", 0, 5, 0, b"", 0)]
    assert apply(applier, LeaseRevoke(-1)) == LeaseNotFound()


def test_revoking_a_lease_without_keys_has_no_revision(applier: Applier) -> None:
    apply(applier, LeaseGrant(7, 10), LeaseRevoke(7))
    assert applier.take_events() == (1, [])


def test_a_put_without_the_lease_detaches_the_key(applier: Applier) -> None:
    apply(applier, LeaseGrant(7, 10), LeaseGrant(8, 10), Put(b"a", b"", 7), Put(b"b", b"", 7), Put(b"c", b"", 7))
    apply(applier, Put(b"a", b""), Txn([], [Put(b"b", b"", 8)], []), Txn([], [DeleteRange(b"c")], []))
    assert applier.lessor.keys_of(7) == []
    apply(applier, LeaseRevoke(7))
    assert [pair.key for pair in read(applier, Range(b"\0", b"\0")).kvs] == [b"a", b"b"]
    assert applier.lessor.keys_of(8) == [b"b"]


def test_leases_and_their_keys_survive_a_restart() -> None:
    engine = MemoryEngine()
    applier = Applier(Store(engine), Lessor(engine))
    apply(applier, LeaseGrant(7, 10), Put(b"a", b"", 7), Put(b"b", b"", 7), DeleteRange(b"b"))
    applier.lessor.write()
    engine.commit()
    again = Applier(Store(engine), Lessor(engine))
    again.check_invariants()
    assert again.lessor.keys_of(7) == [b"a"]


def test_what_is_done_is_counted_by_operation_and_a_transaction_only_from_two_on(applier: Applier) -> None:
    """etcd server/storage/mvcc/metrics_txn.go; a delete is one, whatever it deletes."""
    one = Put(b"a", b"12")
    apply(applier, one, Put(b"b", b""), Txn([], [one], []), Txn([], [one, DeleteRange(b"b")], []))
    apply(applier, DeleteRange(b"a", b"\0"), Range(b"a"))
    apply(applier, LeaseGrant(7, 10), LeaseGrant(8, 10), LeaseRevoke(7))
    counts = applier.store.counts
    assert (counts.put_count, counts.put_bytes, counts.delete_count) == (4, 10, 2)
    assert (counts.range_count, counts.txn_count) == (1, 1)
    lease_counts = applier.lessor.counts
    assert (lease_counts.lease_granted_count, lease_counts.lease_revoked_count) == (2, 1)
