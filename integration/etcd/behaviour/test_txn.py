"""Transactions: checks, compares, nesting, revisions (reference section 2.4)."""

from __future__ import annotations

import pytest

from etcdcore.pb import rpc_pb2 as pb
from integration.etcd.behaviour.client import Client, Refused, delete_op, put_op, range_op, txn_op

C = pb.Compare
DUPLICATE = (3, "etcdserver: duplicate key given in txn request")
TOO_MANY = (3, "etcdserver: too many operations in txn request")
NO_KEY = (3, "etcdserver: key is not provided")
NOT_FOUND = (3, "etcdserver: key not found")
COMPACTED = (11, "etcdserver: mvcc: required revision has been compacted")
FUTURE = (11, "etcdserver: mvcc: required revision is a future revision")


def run(client: Client, branch: str, ops: list[pb.RequestOp]) -> pb.TxnResponse:
    """With the operations on one of the two branches."""
    return client.txn(success=ops) if branch == "success" else client.txn(failure=ops)


def refused_txn(client: Client, success: list[pb.RequestOp], branch: str = "success") -> tuple[int, str]:
    with pytest.raises(Refused) as refused:
        run(client, branch, success)
    return refused.value.code, refused.value.text


@pytest.mark.parametrize(("count", "is_fine"), [(128, True), (129, False)])
@pytest.mark.parametrize("kind", ["compare", "success", "failure"])
def test_a_branch_has_at_most_128_operations(
    client: Client, prefix: bytes, kind: str, count: int, is_fine: bool
) -> None:
    """V3TxnTooManyOps."""
    puts = [put_op(prefix + b"%d" % number) for number in range(count)]
    compares = [C(key=prefix + b"%d" % number) for number in range(count)]

    def ask() -> None:
        if kind == "compare":
            client.txn(compare=compares)
        else:
            run(client, kind, puts)

    if is_fine:
        ask()
        return
    with pytest.raises(Refused) as refused:
        ask()
    assert (refused.value.code, refused.value.text) == TOO_MANY


def test_nested_transactions_share_the_bound(client: Client, prefix: bytes) -> None:
    def nested(depth: int) -> pb.RequestOp:
        return put_op(prefix + b"k") if depth == 0 else txn_op(success=[nested(depth - 1)])

    inner = [put_op(prefix + b"%d" % number) for number in range(127)]
    client.txn(success=[txn_op(success=inner)])
    assert refused_txn(client, [txn_op(success=[*inner, put_op(prefix + b"x")])]) == TOO_MANY
    client.txn(success=[nested(20)])


@pytest.mark.parametrize(
    ("success", "is_fine"),
    [
        # V3TxnDuplicateKeys
        ([put_op(b"%a"), put_op(b"%a")], False),
        ([put_op(b"%a"), put_op(b"%b")], True),
        ([put_op(b"%b"), delete_op(b"%a", b"%c")], False),
        ([delete_op(b"%a", b"%c"), put_op(b"%b")], False),
        ([put_op(b"%c"), delete_op(b"%a", b"%c")], True),
        ([delete_op(b"%a", b"%c"), delete_op(b"%b", b"%d")], True),
        ([put_op(b"%a"), range_op(b"%a")], True),
        ([txn_op(success=[put_op(b"%a")], failure=[put_op(b"%a")])], True),
        ([txn_op(success=[put_op(b"%a")]), put_op(b"%a")], False),
        ([put_op(b"%a"), txn_op(failure=[put_op(b"%a")])], False),
        ([txn_op(success=[put_op(b"%a")]), txn_op(success=[put_op(b"%a")])], False),
        ([txn_op(success=[delete_op(b"%a", b"%b")]), put_op(b"%a")], False),
        ([put_op(b"%a"), txn_op(success=[delete_op(b"%a", b"%b")])], False),
        # A delete in an earlier sibling is held against a put, one in a later sibling is not.
        ([txn_op(success=[delete_op(b"%a", b"%b")]), txn_op(success=[put_op(b"%a")])], False),
        ([txn_op(success=[put_op(b"%a")]), txn_op(success=[delete_op(b"%a", b"%b")])], True),
        ([txn_op(failure=[txn_op(success=[put_op(b"%a"), put_op(b"%a")])])], False),
    ],
)
@pytest.mark.parametrize("branch", ["success", "failure"])
def test_a_key_is_written_once_in_a_branch(
    client: Client, success: list[pb.RequestOp], is_fine: bool, branch: str
) -> None:
    if is_fine:
        run(client, branch, success)
    else:
        assert refused_txn(client, success, branch) == DUPLICATE


@pytest.mark.parametrize(
    ("op", "refusal"),
    [
        (pb.RequestOp(), NOT_FOUND),
        (put_op(b""), NO_KEY),
        (range_op(b""), NO_KEY),
        (delete_op(b""), NO_KEY),
        (range_op(b"a", sort_order=9), (3, "etcdserver: invalid sort option")),
        (put_op(b"a", b"v", ignore_value=True), (3, "etcdserver: value is provided")),
        (put_op(b"a", b"v", ignore_lease=True, lease=5), (3, "etcdserver: lease is provided")),
        (txn_op(compare=[C()]), NO_KEY),
        (txn_op(success=[pb.RequestOp()]), NOT_FOUND),
    ],
)
@pytest.mark.parametrize("branch", ["success", "failure"])
def test_each_operation_is_checked_on_both_branches(
    client: Client, op: pb.RequestOp, refusal: tuple[int, str], branch: str
) -> None:
    assert refused_txn(client, [put_op(b"fine"), op], branch) == refusal


def test_the_number_of_operations_is_looked_at_first_then_keys_then_duplicates(client: Client) -> None:
    many = [put_op(b"") for _ in range(129)]
    assert refused_txn(client, many) == TOO_MANY
    assert refused_txn(client, [put_op(b"a"), put_op(b"a"), put_op(b"")]) == NO_KEY
    with pytest.raises(Refused) as refused:
        client.txn(compare=[C()], success=[pb.RequestOp()])
    assert (refused.value.code, refused.value.text) == NO_KEY


def _compares(key: bytes, revision: int) -> list[tuple[pb.Compare, bool]]:
    """On a key put twice, first at the revision, value b"m", no lease."""
    return [
        (C(target=C.VERSION, result=C.EQUAL, key=key, version=2), True),
        (C(target=C.VERSION, result=C.GREATER, key=key, version=2), False),
        (C(target=C.VERSION, result=C.LESS, key=key, version=3), True),
        (C(target=C.VERSION, result=C.NOT_EQUAL, key=key, version=3), True),
        (C(target=C.CREATE, result=C.EQUAL, key=key, create_revision=revision), True),
        (C(target=C.MOD, result=C.EQUAL, key=key, mod_revision=revision), False),
        (C(target=C.MOD, result=C.GREATER, key=key, mod_revision=revision), True),
        (C(target=C.VALUE, result=C.EQUAL, key=key, value=b"m"), True),
        (C(target=C.VALUE, result=C.GREATER, key=key, value=b"lzz"), True),
        (C(target=C.VALUE, result=C.LESS, key=key, value=b"m\0"), True),
        (C(target=C.VALUE, result=C.NOT_EQUAL, key=key, value=b"m"), False),
        (C(target=C.LEASE, result=C.EQUAL, key=key, lease=0), True),
        (C(target=C.LEASE, result=C.NOT_EQUAL, key=key, lease=7), True),
        # The operand of another target counts as nothing.
        (C(target=C.VERSION, result=C.GREATER, key=key, mod_revision=1 << 40), True),
        (C(target=C.VALUE, result=C.GREATER, key=key, version=5), True),
        (C(target=C.VERSION, result=C.EQUAL, key=key), False),
    ]


def test_compares_of_each_target_and_result(client: Client, prefix: bytes) -> None:
    key = prefix + b"k"
    revision = client.put(key, b"x").header.revision
    client.put(key, b"m")
    for compare, holds in _compares(key, revision):
        assert client.txn(compare=[compare]).succeeded is holds, compare


@pytest.mark.parametrize("result", [C.EQUAL, C.GREATER, C.LESS, C.NOT_EQUAL])
def test_a_missing_key_compares_as_zero_but_its_value_never(client: Client, prefix: bytes, result: int) -> None:
    """8.3.6."""
    key = prefix + b"missing"
    for target, operand in (
        (C.VERSION, {"version": 0}),
        (C.CREATE, {"create_revision": 0}),
        (C.MOD, {"mod_revision": 0}),
        (C.LEASE, {"lease": 0}),
    ):
        compare = C(target=target, result=result, key=key, **operand)  # type: ignore[arg-type]  # enums by number
        assert client.txn(compare=[compare]).succeeded is (result == C.EQUAL)
    value = C(target=C.VALUE, result=result, key=key, value=b"x")  # type: ignore[arg-type]  # an enum by number
    assert not client.txn(compare=[value]).succeeded
    interval = C(target=C.VALUE, result=result, key=key, value=b"x", range_end=key + b"z")  # type: ignore[arg-type]
    assert not client.txn(compare=[interval]).succeeded


def test_a_compare_over_an_interval_holds_for_every_key(client: Client, prefix: bytes) -> None:
    """V3TxnRangeCompare."""
    end = prefix + b"\xff"
    client.put(prefix + b"a", b"1")
    client.put(prefix + b"b", b"2")
    for value, result, holds in ((b"0", C.GREATER, True), (b"1", C.GREATER, False), (b"3", C.LESS, True)):
        compare = C(target=C.VALUE, result=result, key=prefix, range_end=end, value=value)
        assert client.txn(compare=[compare]).succeeded is holds
    none = C(target=C.VERSION, result=C.EQUAL, key=prefix + b"x", range_end=end, version=0)
    assert client.txn(compare=[none]).succeeded
    client.delete(prefix + b"a")
    assert client.txn(compare=[C(target=C.VALUE, key=prefix, range_end=end, value=b"2")]).succeeded


def test_all_compares_must_hold_and_none_always_do(client: Client, prefix: bytes) -> None:
    missing, present = C(key=prefix + b"x", version=0), C(key=prefix + b"x", version=1)
    assert client.txn().succeeded
    assert client.txn(compare=[missing, missing]).succeeded
    assert not client.txn(compare=[missing, present]).succeeded


def test_the_branch_that_ran_answers_operation_by_operation(client: Client, prefix: bytes) -> None:
    client.put(prefix + b"old", b"1")
    answer = client.txn(
        success=[
            put_op(prefix + b"new", b"2", prev_kv=True),
            range_op(prefix, prefix + b"\xff"),
            delete_op(prefix + b"old", prev_kv=True),
            range_op(prefix, prefix + b"\xff", count_only=True),
            put_op(prefix + b"last", b"3"),
        ],
        failure=[put_op(prefix + b"never")],
    )
    revision = answer.header.revision
    put, found, deleted, counted, last = answer.responses
    assert answer.succeeded and not put.response_put.HasField("prev_kv")
    assert [pair.key for pair in found.response_range.kvs] == [prefix + b"new", prefix + b"old"]
    assert [pair.value for pair in deleted.response_delete_range.prev_kvs] == [b"1"]
    assert counted.response_range.count == 1
    headers = [
        put.response_put.header,
        found.response_range.header,
        deleted.response_delete_range.header,
        counted.response_range.header,
        last.response_put.header,
    ]
    assert headers == [pb.ResponseHeader(revision=revision)] * 5
    pairs = client.range(pb.RangeRequest(key=prefix, range_end=prefix + b"\xff")).kvs
    assert [(pair.key, pair.mod_revision) for pair in pairs] == [
        (prefix + b"last", revision),
        (prefix + b"new", revision),
    ]


def test_ranges_before_the_first_write_tell_the_revision_before(client: Client, prefix: bytes) -> None:
    """V3TxnCmpHeaderRev, and the headers inside."""
    before = client.revision()
    answer = client.txn(
        success=[range_op(prefix + b"k"), delete_op(prefix + b"x"), put_op(prefix + b"k"), range_op(prefix + b"k")]
    )
    revisions = [
        answer.responses[0].response_range.header.revision,
        answer.responses[1].response_delete_range.header.revision,
        answer.responses[2].response_put.header.revision,
        answer.responses[3].response_range.header.revision,
    ]
    assert revisions == [before, before, before + 1, before + 1]
    assert answer.header.revision == before + 1


def test_a_transaction_that_changes_nothing_takes_no_revision(client: Client, prefix: bytes) -> None:
    """8.3.5; V3TxnRevision."""
    before = client.put(prefix + b"k").header.revision
    for success in ([delete_op(prefix + b"none")], [range_op(prefix + b"k")], [txn_op()], []):
        assert client.txn(success=success).header.revision == before
    assert (
        client.txn(compare=[C(key=prefix + b"k", version=9)], success=[put_op(prefix + b"x")]).header.revision == before
    )
    assert client.txn(success=[put_op(prefix + b"x")]).header.revision == before + 1


def test_nested_compares_see_the_state_before_the_transaction(client: Client, prefix: bytes) -> None:
    """8.3.7; V3TxnNestedPath."""
    key = prefix + b"k"
    answer = client.txn(
        success=[
            put_op(key, b"outer"),
            txn_op(
                compare=[C(key=key, version=0)],
                success=[put_op(prefix + b"inner"), txn_op(compare=[C(key=key, version=1)], failure=[range_op(key)])],
                failure=[put_op(prefix + b"wrong")],
            ),
        ]
    )
    nested = answer.responses[1].response_txn
    assert nested.succeeded
    innermost = nested.responses[1].response_txn
    assert not innermost.succeeded
    assert [pair.value for pair in innermost.responses[0].response_range.kvs] == [b"outer"]
    assert [name for name, _ in client.get(prefix)] == [prefix + b"inner", key]


def test_nested_headers_are_as_etcds(client: Client, prefix: bytes) -> None:
    answer = client.txn(success=[txn_op(success=[put_op(prefix + b"k")])])
    nested = answer.responses[0].response_txn
    assert nested.HasField("header") and nested.header == pb.ResponseHeader()
    assert nested.responses[0].response_put.header == pb.ResponseHeader(revision=answer.header.revision)


def test_what_fails_on_the_chosen_path_fails_all_and_leaves_no_trace(client: Client, prefix: bytes) -> None:
    """8.3.4; V3TxnInvalidRange, V3PutMissingLease."""
    lease = client.grant(100).ID
    before = client.put(prefix + b"k").header.revision
    for op, refusal in (
        (range_op(prefix + b"k", revision=1 << 40), FUTURE),
        (put_op(prefix + b"y", lease=987654321), (5, "etcdserver: requested lease not found")),
        (put_op(prefix + b"none", b"", ignore_value=True), NOT_FOUND),
        (put_op(prefix + b"none", ignore_lease=True), NOT_FOUND),
        (range_op(prefix + b"k", revision=-2), COMPACTED),
        (txn_op(success=[range_op(prefix + b"k", revision=1 << 40)]), FUTURE),
    ):
        assert refused_txn(client, [put_op(prefix + b"x", lease=lease), op]) == refusal
        assert client.txn(compare=[C(key=prefix + b"x", version=0)], failure=[op]).succeeded
    assert (client.revision(), client.get(prefix)) == (before, [(prefix + b"k", b"v")])
    assert list(client.time_to_live(lease, keys=True).keys) == []


def test_transactions_that_only_read_are_checked_as_others(client: Client, prefix: bytes) -> None:
    revision = client.put(prefix + b"k", b"1").header.revision
    client.put(prefix + b"k", b"2")
    for serializable in (False, True):
        ops = [range_op(prefix + b"k", serializable=serializable), range_op(prefix + b"k", revision=revision)]
        answer = client.txn(success=ops)
        assert [op.response_range.kvs[0].value for op in answer.responses] == [b"2", b"1"]
        assert answer.header.revision == revision + 1
    assert refused_txn(client, [range_op(prefix + b"k", revision=1 << 40)]) == FUTURE
    assert refused_txn(client, [range_op(prefix + b"k", revision=-2)]) == COMPACTED


def test_a_put_after_a_delete_in_another_transaction_begins_a_new_life(client: Client, prefix: bytes) -> None:
    client.put(prefix + b"k")
    client.txn(success=[delete_op(prefix + b"k")])
    answer = client.txn(
        compare=[C(target=C.CREATE, key=prefix + b"k", create_revision=0)], success=[put_op(prefix + b"k")]
    )
    assert answer.succeeded
    assert client.range(pb.RangeRequest(key=prefix + b"k")).kvs[0].version == 1


def test_a_range_below_the_compacted_revision_fails_the_transaction(fresh: Client) -> None:
    """#18667: members must not differ over it."""
    for _ in range(4):
        fresh.put(b"k")
    fresh.compact(4)
    for revision, refusal in ((3, COMPACTED), (-1, COMPACTED), (99, FUTURE)):
        assert refused_txn(fresh, success=[put_op(b"x"), range_op(b"k", revision=revision)]) == refusal
    assert fresh.txn(success=[put_op(b"x"), range_op(b"k", revision=4)]).header.revision == 6


def test_puts_of_one_transaction_share_the_revision_and_keep_their_order(client: Client, prefix: bytes) -> None:
    names = [prefix + name for name in (b"z", b"a", b"m")]
    watch = client.watch()
    watch.create(pb.WatchCreateRequest(key=prefix, range_end=prefix + b"\xff"))
    revision = client.txn(success=[put_op(name) for name in names]).header.revision
    response = watch.next()
    assert [(event.kv.key, event.kv.mod_revision) for event in response.events] == [(name, revision) for name in names]
