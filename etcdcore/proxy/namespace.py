"""A namespace: every key of a client gets a prefix on its way up, and loses it on its way down.

Source: etcd client/v3/namespace; reference section 4.4.
"""

from typing import Final, final

from etcdcore.mvcc.store import OPEN_END
from etcdcore.pb import kv_pb2, rpc_pb2
from etcdcore.types import prefix_end


@final
class Namespace:
    """Changes messages in place. An empty prefix changes nothing."""

    def __init__(self, prefix: bytes) -> None:
        self.prefix: Final = prefix
        self._end: Final = prefix_end(prefix)

    def interval(self, key: bytes, range_end: bytes) -> tuple[bytes, bytes]:
        if range_end == OPEN_END:
            return self.prefix + key, self._end
        return self.prefix + key, self.prefix + range_end if range_end else b""

    def key_down(self, key: bytes) -> bytes:
        return key[len(self.prefix) :]

    def range_up(self, request: rpc_pb2.RangeRequest) -> None:
        if request.key:  # an empty one is the server's to refuse
            request.key, request.range_end = self.interval(request.key, request.range_end)

    def put_up(self, request: rpc_pb2.PutRequest) -> None:
        if request.key:
            request.key = self.prefix + request.key

    def delete_up(self, request: rpc_pb2.DeleteRangeRequest) -> None:
        if request.key:
            request.key, request.range_end = self.interval(request.key, request.range_end)

    def txn_up(self, request: rpc_pb2.TxnRequest) -> None:
        for compare in request.compare:
            if compare.key:
                compare.key, compare.range_end = self.interval(compare.key, compare.range_end)
        for ops in (request.success, request.failure):
            for op in ops:
                self._op_up(op)

    def _op_up(self, op: rpc_pb2.RequestOp) -> None:
        if op.HasField("request_range"):
            self.range_up(op.request_range)
        elif op.HasField("request_put"):
            self.put_up(op.request_put)
        elif op.HasField("request_delete_range"):
            self.delete_up(op.request_delete_range)
        elif op.HasField("request_txn"):
            self.txn_up(op.request_txn)

    def pair_down(self, pair: kv_pb2.KeyValue) -> None:
        pair.key = self.key_down(pair.key)

    def range_down(self, response: rpc_pb2.RangeResponse) -> None:
        for pair in response.kvs:
            self.pair_down(pair)

    def put_down(self, response: rpc_pb2.PutResponse) -> None:
        if response.HasField("prev_kv"):
            self.pair_down(response.prev_kv)

    def delete_down(self, response: rpc_pb2.DeleteRangeResponse) -> None:
        for pair in response.prev_kvs:
            self.pair_down(pair)

    def txn_down(self, response: rpc_pb2.TxnResponse) -> None:
        for op in response.responses:
            if op.HasField("response_range"):
                self.range_down(op.response_range)
            elif op.HasField("response_put"):
                self.put_down(op.response_put)
            elif op.HasField("response_delete_range"):
                self.delete_down(op.response_delete_range)
            elif op.HasField("response_txn"):
                self.txn_down(op.response_txn)

    def events_down(self, response: rpc_pb2.WatchResponse) -> None:
        for event in response.events:
            self.pair_down(event.kv)
            if event.HasField("prev_kv"):
                self.pair_down(event.prev_kv)

    def lease_down(self, response: rpc_pb2.LeaseTimeToLiveResponse) -> None:
        """Keys of others on the same lease are nobody's business here."""
        keys = [self.key_down(key) for key in response.keys if key.startswith(self.prefix)]
        del response.keys[:]
        response.keys.extend(keys)
