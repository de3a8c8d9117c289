"""etcdcore.api.convert_txn and convert_kv: the codecs by hand say what the generated classes say."""

from hypothesis import example, given
from hypothesis import strategies as st

from etcdcore.api import convert_kv, convert_slow, convert_txn
from etcdcore.apply.checks import EMPTY_OP
from etcdcore.apply.commands import Command, Txn
from etcdcore.apply.results import DeleteRangeResult, OpResult, PutResult, RangeResult, TxnResult
from etcdcore.mvcc.revision import varint
from etcdcore.pb import kv_pb2, rpc_pb2
from etcdcore.types import KeyValue

_INT64 = st.integers(-(1 << 63), (1 << 63) - 1) | st.integers(0, 300)
_ENUM = st.integers(-2, 6)
_BYTES = st.binary(max_size=200)
_RANGES = st.builds(
    rpc_pb2.RangeRequest,
    key=_BYTES,
    range_end=_BYTES,
    limit=_INT64,
    revision=_INT64,
    sort_order=st.just(0) | _ENUM,
    sort_target=st.just(0) | _ENUM,
    serializable=st.booleans(),
    keys_only=st.booleans(),
    count_only=st.booleans(),
    min_mod_revision=st.just(0) | _INT64,
    max_create_revision=st.just(0) | _INT64,
)
_PUTS = st.builds(
    rpc_pb2.PutRequest,
    key=_BYTES,
    value=_BYTES,
    lease=_INT64,
    prev_kv=st.booleans(),
    ignore_value=st.booleans(),
    ignore_lease=st.booleans(),
)
_DELETES = st.builds(rpc_pb2.DeleteRangeRequest, key=_BYTES, range_end=_BYTES, prev_kv=st.booleans())
_UNIONS = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"value": _BYTES}),
    *(st.fixed_dictionaries({name: _INT64}) for name in ("version", "create_revision", "mod_revision", "lease")),
)
_COMPARES = st.builds(
    lambda result, target, key, range_end, union: rpc_pb2.Compare(
        result=result, target=target, key=key, range_end=range_end, **union
    ),
    _ENUM,
    _ENUM,
    _BYTES,
    _BYTES,
    _UNIONS,
)


def _ops(inner: st.SearchStrategy[rpc_pb2.TxnRequest]) -> st.SearchStrategy[rpc_pb2.RequestOp]:
    return st.one_of(
        st.just(rpc_pb2.RequestOp()),
        st.builds(rpc_pb2.RequestOp, request_range=_RANGES),
        st.builds(rpc_pb2.RequestOp, request_put=_PUTS),
        st.builds(rpc_pb2.RequestOp, request_delete_range=_DELETES),
        st.builds(rpc_pb2.RequestOp, request_txn=inner),
    )


_TXNS: st.SearchStrategy[rpc_pb2.TxnRequest] = st.recursive(
    st.just(rpc_pb2.TxnRequest()),
    lambda inner: st.builds(
        rpc_pb2.TxnRequest,
        compare=st.lists(_COMPARES, max_size=3),
        success=st.lists(_ops(inner), max_size=3),
        failure=st.lists(_ops(inner), max_size=2),
    ),
    max_leaves=4,
)


def _fields(command: Command) -> object:
    """All that makes two commands equal."""
    if command is EMPTY_OP:
        return "empty"
    if isinstance(command, Txn):
        compares = [(one.target, one.result, one.key, one.operand, one.range_end) for one in command.compares]
        return (compares, [_fields(op) for op in command.success], [_fields(op) for op in command.failure])
    values = [(name, getattr(command, name)) for name in dir(command) if not name.startswith("_")]
    return (type(command).__name__, [(name, value) for name, value in values if not callable(value)])


@given(_RANGES)
def test_ranges_are_read_as_by_the_generated_classes(request: rpc_pb2.RangeRequest) -> None:
    data = request.SerializeToString()
    assert _fields(convert_kv.decode_range(data)) == _fields(convert_slow.slow_range(data))


@given(_PUTS)
def test_puts_are_read_as_by_the_generated_classes(request: rpc_pb2.PutRequest) -> None:
    data = request.SerializeToString()
    assert _fields(convert_kv.decode_put(data)) == _fields(convert_slow.slow_put(data))


@given(_DELETES)
def test_deletes_are_read_as_by_the_generated_classes(request: rpc_pb2.DeleteRangeRequest) -> None:
    data = request.SerializeToString()
    assert _fields(convert_kv.decode_delete_range(data)) == _fields(convert_slow.slow_delete_range(data))


@given(_TXNS)
def test_transactions_are_read_as_by_the_generated_classes(request: rpc_pb2.TxnRequest) -> None:
    data = request.SerializeToString()
    assert _fields(convert_txn.decode_txn(data)) == _fields(convert_slow.slow_txn(data))


def _outcome(decode: object, data: bytes) -> object:
    assert callable(decode)
    try:
        return _fields(decode(data))
    except convert_slow.MessageInvalid:
        return "invalid"


_DAMAGED = st.binary(max_size=40) | st.builds(
    lambda message, at, byte: message[: at % (len(message) + 1)] + byte + message[at % (len(message) + 1) + 1 :],
    st.one_of(_RANGES, _PUTS, _DELETES, _TXNS).map(lambda message: message.SerializeToString()),
    st.integers(0, 1000),
    st.binary(max_size=2),
)


@given(_DAMAGED)
@example(b"\n\x01k\n\x01l")  # a field twice: the last one counts
@example(b"\x12\x04\x12\x02\n\x00\x12\x02\x12\x00")
@example(b"\n\x05P\x01P\x02P")
@example(b"\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f")
def test_whatever_the_bytes_both_ways_say_the_same(data: bytes) -> None:
    for fast, slow in (
        (convert_kv.decode_put, convert_slow.slow_put),
        (convert_kv.decode_range, convert_slow.slow_range),
        (convert_kv.decode_delete_range, convert_slow.slow_delete_range),
        (convert_txn.decode_txn, convert_slow.slow_txn),
    ):
        assert _outcome(fast, data) == _outcome(slow, data)


def test_nesting_past_every_limit_is_a_transaction_that_no_check_lets_pass() -> None:
    data = b""
    for _ in range(400):
        data = rpc_pb2.RequestOp().SerializeToString() + b"\x22" + varint(len(data)) + data
        data = b"\x12" + varint(len(data)) + data
    txn = convert_txn.decode_txn(data)
    depth = 0
    while isinstance(txn, Txn) and isinstance(txn.success[0], Txn):
        txn = txn.success[0]
        depth += 1
    assert depth > 128


_PAIRS = st.builds(
    KeyValue,
    st.binary(min_size=1, max_size=20),
    st.integers(1, 1 << 40),
    st.integers(1, 1 << 40),
    st.integers(1, 1 << 20),
    st.binary(max_size=300),
    _INT64,
)
_REVISIONS = st.integers(1, 1 << 50)
_RESULTS: st.SearchStrategy[OpResult] = st.recursive(
    st.one_of(
        st.builds(RangeResult, _REVISIONS, st.lists(_PAIRS, max_size=3), st.booleans(), st.integers(0, 1000)),
        st.builds(PutResult, _REVISIONS, st.none() | _PAIRS),
        st.builds(DeleteRangeResult, _REVISIONS, st.integers(0, 10), st.lists(_PAIRS, max_size=3)),
    ),
    lambda inner: st.builds(TxnResult, _REVISIONS, st.booleans(), st.lists(inner, max_size=3)),
    max_leaves=5,
)


def _pair(pair: KeyValue) -> kv_pb2.KeyValue:
    return kv_pb2.KeyValue(
        key=pair.key,
        create_revision=pair.create_revision,
        mod_revision=pair.mod_revision,
        version=pair.version,
        value=pair.value,
        lease=pair.lease,
    )


def _response_op(result: OpResult) -> rpc_pb2.ResponseOp:
    header = rpc_pb2.ResponseHeader(revision=result.revision)
    if isinstance(result, TxnResult):
        return rpc_pb2.ResponseOp(response_txn=_txn_response(rpc_pb2.ResponseHeader(), result))
    if isinstance(result, PutResult):
        prev_kv = None if result.prev_kv is None else _pair(result.prev_kv)
        return rpc_pb2.ResponseOp(response_put=rpc_pb2.PutResponse(header=header, prev_kv=prev_kv))
    if isinstance(result, RangeResult):
        kvs = [_pair(pair) for pair in result.kvs]
        answer = rpc_pb2.RangeResponse(header=header, kvs=kvs, more=result.more, count=result.count)
        return rpc_pb2.ResponseOp(response_range=answer)
    prev_kvs = [_pair(pair) for pair in result.prev_kvs]
    deleted = rpc_pb2.DeleteRangeResponse(header=header, deleted=result.deleted, prev_kvs=prev_kvs)
    return rpc_pb2.ResponseOp(response_delete_range=deleted)


def _txn_response(header: rpc_pb2.ResponseHeader, result: TxnResult) -> rpc_pb2.TxnResponse:
    responses = [_response_op(response) for response in result.responses]
    return rpc_pb2.TxnResponse(header=header, succeeded=result.succeeded, responses=responses)


@given(st.builds(TxnResult, _REVISIONS, st.booleans(), st.lists(_RESULTS, max_size=4)))
def test_results_are_written_as_by_the_generated_classes(result: TxnResult) -> None:
    header = rpc_pb2.ResponseHeader(cluster_id=1 << 63, member_id=3, revision=result.revision, raft_term=2)
    expected = _txn_response(header, result).SerializeToString()
    encoded = header.SerializeToString()
    encoded_header = b"\n" + varint(len(encoded)) + encoded
    assert convert_kv.encode_txn(encoded_header, result) == expected
