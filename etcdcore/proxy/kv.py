"""KV through the proxy: the namespace, the cache of ranges, and what writes make of it."""

from typing import Final, final

from google.protobuf.message import Message

from etcdcore.api.convert_slow import parse
from etcdcore.api.kv import COMPACT, DELETE_RANGE, PUT, RANGE, TXN
from etcdcore.api.range_stream import RANGE_STREAM
from etcdcore.api.tasks import CallStream
from etcdcore.pb import rpc_pb2
from etcdcore.proxy.namespace import Namespace
from etcdcore.proxy.range_cache import RangeCache
from etcdcore.proxy.upstream import Upstream
from etcdcore.rpc.calls import Call
from etcdcore.rpc.status import EtcdError


@final
class ProxyKv:
    def __init__(self, upstream: Upstream, namespace: Namespace, cache: RangeCache) -> None:
        self._upstream: Final = upstream
        self._namespace: Final = namespace
        self._cache: Final = cache

    async def range(self, message: bytes, call: Call) -> bytes:
        request = parse(rpc_pb2.RangeRequest, message)
        self._namespace.range_up(request)
        token = call.metadata.get("token", "") or call.metadata.get("authorization", "")
        if request.serializable and (found := self._cache.get(token, request)) is not None:
            return found
        epoch = self._cache.epoch
        answer = await self._ask(RANGE, request, call)
        if self._namespace.prefix:
            response = rpc_pb2.RangeResponse.FromString(answer)
            self._namespace.range_down(response)
            answer = response.SerializeToString()
        self._cache.keep(token, request, answer, epoch)
        return answer

    async def range_stream(self, message: bytes, stream: CallStream) -> None:
        """etcd's own proxy has none. Pieces are not kept for others."""
        request = parse(rpc_pb2.RangeRequest, message)
        self._namespace.range_up(request)
        upstream = self._upstream.stream(RANGE_STREAM, stream.call.metadata)
        try:
            await upstream.send(request.SerializeToString())
            upstream.end_input()
            while (piece := await upstream.receive()) is not None:
                if self._namespace.prefix:
                    response = rpc_pb2.RangeStreamResponse.FromString(piece)
                    self._namespace.range_down(response.range_response)
                    piece = response.SerializeToString()
                await stream.send(piece)
        finally:
            upstream.cancel()

    async def put(self, message: bytes, call: Call) -> bytes:
        request = parse(rpc_pb2.PutRequest, message)
        self._namespace.put_up(request)
        response = rpc_pb2.PutResponse.FromString(await self._write(PUT, request, call, [(request.key, b"")]))
        self._namespace.put_down(response)
        return response.SerializeToString()

    async def delete_range(self, message: bytes, call: Call) -> bytes:
        request = parse(rpc_pb2.DeleteRangeRequest, message)
        self._namespace.delete_up(request)
        touched = [(request.key, request.range_end)]
        response = rpc_pb2.DeleteRangeResponse.FromString(await self._write(DELETE_RANGE, request, call, touched))
        self._namespace.delete_down(response)
        return response.SerializeToString()

    async def txn(self, message: bytes, call: Call) -> bytes:
        request = parse(rpc_pb2.TxnRequest, message)
        self._namespace.txn_up(request)
        touched: list[tuple[bytes, bytes]] = []
        _collect_writes(request, touched)
        response = rpc_pb2.TxnResponse.FromString(await self._write(TXN, request, call, touched))
        self._namespace.txn_down(response)
        return response.SerializeToString()

    async def compact(self, message: bytes, call: Call) -> bytes:
        """An answer at a revision that is gone must not live on."""
        self._cache.clear()
        return await self._upstream.unary(COMPACT, message, call.metadata, None)

    async def _write(self, path: str, request: Message, call: Call, touched: list[tuple[bytes, bytes]]) -> bytes:
        try:
            return await self._ask(path, request, call)
        finally:
            # Also after a failure: it may have been written all the same.
            for key, range_end in touched:
                self._cache.forget(key, range_end)

    async def _ask(self, path: str, request: Message, call: Call) -> bytes:
        return await self._upstream.unary(path, request.SerializeToString(), call.metadata, None)


def _collect_writes(request: rpc_pb2.TxnRequest, touched: list[tuple[bytes, bytes]]) -> None:
    for ops in (request.success, request.failure):
        for op in ops:
            if op.HasField("request_put"):
                touched.append((op.request_put.key, b""))
            elif op.HasField("request_delete_range"):
                touched.append((op.request_delete_range.key, op.request_delete_range.range_end))
            elif op.HasField("request_txn"):
                _collect_writes(op.request_txn, touched)


@final
class Forward:
    """A unary method that goes up as it is."""

    def __init__(self, upstream: Upstream, path: str) -> None:
        self._upstream: Final = upstream
        self._path: Final = path

    async def call(self, message: bytes, call: Call) -> bytes:
        return await self._upstream.unary(self._path, message, call.metadata, None)


def is_lost(error: EtcdError) -> bool:
    """Whether a stream ended because its server or the way to it is gone, so that it may be opened again."""
    return error.code in (13, 14)
