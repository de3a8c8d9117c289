"""Requests say what was meant."""

import pytest

from etcdcore.client.requests import delete, get, lease, put, txn, value, version, watch
from etcdcore.pb import rpc_pb2


def test_intervals() -> None:
    for request in (get, delete, watch):
        assert (request("a", prefix=True).key, request("a", prefix=True).range_end) == (b"a", b"b")
        assert (request("", prefix=True).key, request("", prefix=True).range_end) == (b"\0", b"\0")
        assert request("a", from_key=True).range_end == b"\0"
        assert request(b"a", range_end="c").range_end == b"c"
        assert request("a").range_end == b""


def test_options_go_where_they_belong() -> None:
    found = get("a", limit=3, revision=7, sort_order="DESCEND", sort_target="MOD", serializable=True)
    assert (found.limit, found.revision, found.serializable) == (3, 7, True)
    assert found.sort_order == rpc_pb2.RangeRequest.DESCEND and found.sort_target == rpc_pb2.RangeRequest.MOD
    assert put("a", "ä", lease=9, prev_kv=True) == rpc_pb2.PutRequest(
        key=b"a", value="ä".encode(), lease=9, prev_kv=True
    )
    assert list(watch("a", filters=["NOPUT"]).filters) == [rpc_pb2.WatchCreateRequest.NOPUT]
    assert delete("a", prev_kv=True).prev_kv


def test_a_transaction_holds_operations_of_each_kind() -> None:
    request = txn(
        [version("a", "==", 0), value("b", "!=", "x"), lease("c", "<", 4)], [put("a"), get("b")], [delete("c")]
    )
    assert [operation.WhichOneof("request") for operation in request.success] == ["request_put", "request_range"]
    assert request.failure[0].WhichOneof("request") == "request_delete_range"
    assert [compare.WhichOneof("target_union") for compare in request.compare] == ["version", "value", "lease"]
    assert txn([], [request]).success[0].request_txn == request
    with pytest.raises(ValueError, match="a compare is one of"):
        version("a", "=", 0)
