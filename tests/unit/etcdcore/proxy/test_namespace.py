from etcdcore.pb import rpc_pb2
from etcdcore.proxy.namespace import Namespace


def test_intervals_stay_inside_the_namespace() -> None:
    namespace = Namespace(b"n/")
    assert namespace.interval(b"k", b"") == (b"n/k", b"")
    assert namespace.interval(b"a", b"b") == (b"n/a", b"n/b")
    assert namespace.interval(b"a", b"\0") == (b"n/a", b"n0")
    assert namespace.interval(b"\0", b"\0") == (b"n/\0", b"n0")


def test_an_empty_key_stays_empty_for_the_server_to_refuse() -> None:
    request = rpc_pb2.RangeRequest()
    Namespace(b"n/").range_up(request)
    assert request.key == b""


def test_transactions_are_changed_to_their_depth_and_back() -> None:
    namespace = Namespace(b"n/")
    inner = rpc_pb2.TxnRequest(success=[rpc_pb2.RequestOp(request_put=rpc_pb2.PutRequest(key=b"deep"))])
    request = rpc_pb2.TxnRequest(
        compare=[rpc_pb2.Compare(key=b"c", range_end=b"\0")], failure=[rpc_pb2.RequestOp(request_txn=inner)]
    )
    namespace.txn_up(request)
    assert (request.compare[0].key, request.compare[0].range_end) == (b"n/c", b"n0")
    assert request.failure[0].request_txn.success[0].request_put.key == b"n/deep"
    response = rpc_pb2.TxnResponse(
        responses=[
            rpc_pb2.ResponseOp(
                response_txn=rpc_pb2.TxnResponse(
                    responses=[rpc_pb2.ResponseOp(response_range=rpc_pb2.RangeResponse(kvs=[{"key": b"n/deep"}]))]
                )
            )
        ]
    )
    namespace.txn_down(response)
    assert response.responses[0].response_txn.responses[0].response_range.kvs[0].key == b"deep"


def test_keys_of_others_on_a_lease_are_not_shown() -> None:
    response = rpc_pb2.LeaseTimeToLiveResponse(keys=[b"n/mine", b"other"])
    Namespace(b"n/").lease_down(response)
    assert list(response.keys) == [b"mine"]
