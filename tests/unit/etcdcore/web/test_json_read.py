"""What etcd's gateway takes for JSON of a message; each refusal was seen on etcd 3.6.16."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etcdcore.pb import rpc_pb2
from etcdcore.web.json_read import DEPTH_MAX, JsonError, read_message


def read_range(data: str) -> rpc_pb2.RangeRequest:
    message = rpc_pb2.RangeRequest()
    read_message(data.encode(), message)
    return message


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("", rpc_pb2.RangeRequest()),
        (" \n", rpc_pb2.RangeRequest()),
        ("{}", rpc_pb2.RangeRequest()),
        ('{"range_end":"Zm9v"}', rpc_pb2.RangeRequest(range_end=b"foo")),
        ('{"rangeEnd":"Zm9v"}', rpc_pb2.RangeRequest(range_end=b"foo")),
        ('{"key":"Zm8"}', rpc_pb2.RangeRequest(key=b"fo")),
        ('{"key":"Zm\\r\\n9v\\n\\n"}', rpc_pb2.RangeRequest(key=b"foo")),
        ('{"key":"_-8="}', rpc_pb2.RangeRequest(key=b"\xff\xef")),
        ('{"key":"/+8"}', rpc_pb2.RangeRequest(key=b"\xff\xef")),
        ('{"limit":5}', rpc_pb2.RangeRequest(limit=5)),
        ('{"limit":"5"}', rpc_pb2.RangeRequest(limit=5)),
        ('{"limit":5.0}', rpc_pb2.RangeRequest(limit=5)),
        ('{"limit":"1.5e1"}', rpc_pb2.RangeRequest(limit=15)),
        ('{"limit":-9223372036854775808}', rpc_pb2.RangeRequest(limit=-(1 << 63))),
        ('{"limit":null}', rpc_pb2.RangeRequest()),
        ('{"sort_order":"DESCEND","sortTarget":3}', rpc_pb2.RangeRequest(sort_order="DESCEND", sort_target="MOD")),
        ('{"sort_order":"NOBODY"}', rpc_pb2.RangeRequest()),
        ('{"sort_order":77}', rpc_pb2.RangeRequest(sort_order=77)),  # type: ignore[arg-type]  # the wire allows it
        ('{"unknown":{"deep":[{}]},"limit":1}', rpc_pb2.RangeRequest(limit=1)),
        ('{"unknown":1,"unknown":2}', rpc_pb2.RangeRequest()),
        ('{"limit":1} and more', rpc_pb2.RangeRequest(limit=1)),
    ],
)
def test_these_are_read(data: str, expected: rpc_pb2.RangeRequest) -> None:
    assert read_range(data) == expected


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("{", "unexpected EOF"),
        ('{"key":"Zm9', "unexpected EOF"),
        ("[]", "unexpected token ["),
        ("null", "unexpected token null"),
        ("7", "unexpected token 7"),
        ('{"key":5}', "invalid value for bytes field key: 5"),
        ('{"key":"%"}', 'invalid value for bytes field key: "%"'),
        ('{"key":"Y\\nQ=="}', "invalid value for bytes field key"),
        ('{"key":"Zm9v="}', "invalid value for bytes field key"),
        ('{"limit":"x"}', 'invalid value for int64 field limit: "x"'),
        ('{"limit":" 1"}', "invalid value for int64 field limit"),
        ('{"limit":1.5}', "invalid value for int64 field limit: 1.5"),
        ('{"limit":9223372036854775808}', "invalid value for int64 field limit"),
        ('{"limit":1e999}', "invalid value for int64 field limit"),
        ('{"limit":true}', "invalid value for int64 field limit: true"),
        ('{"serializable":"true"}', "invalid value for bool field serializable"),
        ('{"sort_order":true}', "invalid value for enum field sortOrder: true"),
        ('{"limit":1,"limit":2}', 'duplicate field "limit"'),
        ('{"rangeEnd":"","range_end":""}', 'duplicate field "range_end"'),
        ("{'a':1}", "invalid character"),
        ('{"a":NaN}', "invalid character"),
        ("xx", "invalid character"),
    ],
)
def test_these_are_refused(data: str, text: str) -> None:
    with pytest.raises(JsonError) as caught:
        read_range(data)
    assert text in str(caught.value)


def test_the_choices_of_a_oneof_exclude_each_other() -> None:
    message = rpc_pb2.WatchRequest()
    with pytest.raises(JsonError, match=r"oneof etcdserverpb[.]WatchRequest[.]request_union is already set"):
        read_message(b'{"create_request":{},"cancel_request":{}}', message)


def test_an_empty_choice_of_a_oneof_is_chosen() -> None:
    message = rpc_pb2.WatchRequest()
    read_message(b'{"progress_request":{}}', message)
    assert message.WhichOneof("request_union") == "progress_request"


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(JsonError, match="invalid UTF-8"):
        read_message(b'{"name":"\xff"}', rpc_pb2.AuthUserAddRequest())
    with pytest.raises(JsonError, match="invalid escape code"):
        read_message(b'{"name":"\\ud800"}', rpc_pb2.AuthUserAddRequest())


def test_nesting_is_bounded_in_what_is_read_and_in_what_is_passed_over() -> None:
    def nested(levels: int) -> bytes:
        return b'{"success":[{"request_txn":' * levels + b"{}" + b"}]}" * levels

    read_message(nested(DEPTH_MAX // 2 - 1), rpc_pb2.TxnRequest())
    with pytest.raises(JsonError, match="max recursion depth"):
        read_message(nested(DEPTH_MAX // 2), rpc_pb2.TxnRequest())
    with pytest.raises(JsonError, match="max depth"):
        read_message(b'{"unknown":' + b"[" * 100_000, rpc_pb2.TxnRequest())


_anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["compare", "success", "requestPut", "request_range", "key", "version", "target", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(_anything)
def test_any_json_is_a_message_or_an_error(value: object) -> None:
    message = rpc_pb2.TxnRequest()
    try:
        read_message(json.dumps(value).encode(), message)
    except JsonError:
        return
    message.SerializeToString()


@given(st.binary(max_size=40))
def test_any_bytes_are_a_message_or_an_error(data: bytes) -> None:
    try:
        read_message(data, rpc_pb2.TxnRequest())
    except JsonError:
        return
