"""A client that records: each operation with its times and its result, each watch with all that it delivered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import grpc
import grpc.aio

from etcdcore.pb import kv_pb2, rpc_pb2
from integration.etcd.guarantees.history import (
    NEVER,
    Delete,
    Delivery,
    Event,
    Exchange,
    Get,
    Operation,
    Pair,
    PutAll,
    Request,
    Result,
    Revoke,
    WatchRecord,
)

CALL_TIMEOUT_S = 5.0
RECONNECT_S = 0.1
FIRST_ID = 10
PROGRESS_OF_ALL = -1
# Nothing happened: the server says so. Anything else leaves the result open.
DECIDED = (
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.OUT_OF_RANGE,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.INVALID_ARGUMENT,
)
OPTIONS = (
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_retries", 0),
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 200),
)


def open_channel(address: str) -> Any:
    """grpcio has no types."""
    return grpc.aio.insecure_channel(address, OPTIONS)


class RecordingClient:
    """One operation at a time, as one thread of a program would."""

    def __init__(self, address: str, operations: list[Operation]) -> None:
        self.channel = open_channel(address)
        self._operations = operations

    async def close(self) -> None:
        await self.channel.close()

    async def do(self, request: Request) -> Result | None:
        """The result, or None when it is unknown or was refused."""
        called = time.monotonic_ns()
        try:
            result = await self._ask(request)
        except grpc.aio.AioRpcError as error:
            if error.code() not in DECIDED and not isinstance(request, Get):
                self._operations.append(Operation(request, called, NEVER, None))
            return None
        self._operations.append(Operation(request, called, time.monotonic_ns(), result))
        return result

    async def _ask(self, request: Request) -> Result:
        if isinstance(request, Get):
            asked = rpc_pb2.RangeRequest(key=request.key)
            found = await self._unary("KV/Range", asked, rpc_pb2.RangeResponse)
            return Result(found.header.revision, False, _pair(found.kvs[0]) if found.kvs else None)
        if isinstance(request, PutAll):
            return await self._put(request)
        if isinstance(request, Delete):
            deletion = rpc_pb2.DeleteRangeRequest(key=request.key)
            deleted = await self._unary("KV/DeleteRange", deletion, rpc_pb2.DeleteRangeResponse)
            return Result(deleted.header.revision, deleted.deleted > 0)
        if isinstance(request, Exchange):
            return await self._exchange(request)
        assert isinstance(request, Revoke)
        revocation = rpc_pb2.LeaseRevokeRequest(ID=request.lease)
        revoked = await self._unary("Lease/LeaseRevoke", revocation, rpc_pb2.LeaseRevokeResponse)
        return Result(revoked.header.revision, False)

    async def _put(self, request: PutAll) -> Result:
        puts = [rpc_pb2.PutRequest(key=key, value=value, lease=request.lease) for key, value in request.pairs]
        if len(puts) == 1:
            put = await self._unary("KV/Put", puts[0], rpc_pb2.PutResponse)
            return Result(put.header.revision, True)
        operations = [rpc_pb2.RequestOp(request_put=put) for put in puts]
        done = await self._unary("KV/Txn", rpc_pb2.TxnRequest(success=operations), rpc_pb2.TxnResponse)
        return Result(done.header.revision, True)

    async def _exchange(self, request: Exchange) -> Result:
        compare = rpc_pb2.Compare(
            key=request.key,
            target=rpc_pb2.Compare.MOD,
            result=rpc_pb2.Compare.EQUAL,
            mod_revision=request.expected_revision,
        )
        if request.value is None:
            deletion = rpc_pb2.DeleteRangeRequest(key=request.key)
            change = rpc_pb2.RequestOp(request_delete_range=deletion)
        else:
            change = rpc_pb2.RequestOp(request_put=rpc_pb2.PutRequest(key=request.key, value=request.value))
        otherwise = rpc_pb2.RequestOp(request_range=rpc_pb2.RangeRequest(key=request.key))
        txn = rpc_pb2.TxnRequest(compare=[compare], success=[change], failure=[otherwise])
        done = await self._unary("KV/Txn", txn, rpc_pb2.TxnResponse)
        if done.succeeded:
            return Result(done.header.revision, True)
        kvs = done.responses[0].response_range.kvs
        return Result(done.header.revision, False, _pair(kvs[0]) if kvs else None)

    async def grant(self, lease: int, ttl_s: int) -> bool:
        """Whether it is there for sure."""
        try:
            request = rpc_pb2.LeaseGrantRequest(ID=lease, TTL=ttl_s)
            await self._unary("Lease/LeaseGrant", request, rpc_pb2.LeaseGrantResponse)
        except grpc.aio.AioRpcError:
            return False
        return True

    async def compact(self, revision: int) -> None:
        """What becomes of it does not matter: watches and reads behind it are told."""
        try:
            request = rpc_pb2.CompactionRequest(revision=revision)
            await self._unary("KV/Compact", request, rpc_pb2.CompactionResponse)
        except grpc.aio.AioRpcError:
            return

    async def _unary(self, method: str, request: Any, kind: Any) -> Any:
        call = self.channel.unary_unary(
            f"/etcdserverpb.{method}", request_serializer=_serialize, response_deserializer=kind.FromString
        )
        return await call(request, timeout=CALL_TIMEOUT_S)


def _serialize(message: Any) -> bytes:
    data: bytes = message.SerializeToString()
    return data


class _Watch:
    """One watch of a stream, over all its connections."""

    def __init__(self, template: WatchRecord) -> None:
        self.template = template
        self.next_revision = template.first_revision
        self.reached = template.first_revision - 1
        self.record: WatchRecord | None = None
        """While it is created on the server."""

    def begin(self) -> WatchRecord:
        self.record = replace(self.template, first_revision=self.next_revision, deliveries=[])
        return self.record

    def take(self, response: rpc_pb2.WatchResponse) -> None:
        assert self.record is not None, f"not created yet: {response}"
        events = tuple(_event(event) for event in response.events)
        received = time.monotonic_ns()
        self.record.deliveries.append(Delivery(response.header.revision, events, 0, response.fragment, received))
        if events and response.fragment:
            return
        reached = max((event.pair.mod_revision for event in events), default=response.header.revision)
        self.reached = max(self.reached, reached)
        self.next_revision = self.reached + 1

    def end(self, response: rpc_pb2.WatchResponse) -> None:
        """Cancelled for a compaction: it begins again where that ends."""
        assert self.record is not None and response.compact_revision, f"the watch was cancelled: {response}"
        self.record.deliveries.append(Delivery(0, compact_revision=response.compact_revision))
        self.record = None
        self.next_revision = response.compact_revision


class Watcher:
    """One stream with a watch or more, over cut connections and compactions; each connection makes records of its own.

    The templates say what to watch, and from where. A watch resumes behind the last revision that it reached for sure:
    that of an event whose response was complete, or of progress.
    """

    def __init__(self, address: str, templates: Sequence[WatchRecord], progress_s: float, fragments: bool) -> None:
        self._address = address
        self._watches = [_Watch(template) for template in templates]
        self._progress_s = progress_s
        self._fragments = fragments
        self.records: list[WatchRecord] = []

    @property
    def reached(self) -> int:
        return min(watch.reached for watch in self._watches)

    async def serve(self) -> None:
        while True:
            channel = open_channel(self._address)
            try:
                await self._serve_connection(channel)
            except (grpc.aio.AioRpcError, asyncio.InvalidStateError, grpc.aio.UsageError):
                await asyncio.sleep(RECONNECT_S)
            finally:
                await channel.close()

    async def _serve_connection(self, channel: Any) -> None:
        call = channel.stream_stream(
            "/etcdserverpb.Watch/Watch",
            request_serializer=_serialize,
            response_deserializer=rpc_pb2.WatchResponse.FromString,
        )()
        by_id: dict[int, _Watch] = {}
        ended: set[int] = set()
        for watch in self._watches:
            watch.record = None
            await call.write(self._creation(by_id, watch))
        asking = asyncio.gather(self._ask_for_progress(call))
        try:
            while (response := await call.read()) is not grpc.aio.EOF:
                assert not (response.created and response.canceled), f"refused: {response}"
                if response.watch_id == PROGRESS_OF_ALL:
                    for watch in self._watches:
                        if watch.record is not None:
                            watch.take(response)
                    continue
                if response.canceled and not response.compact_revision:
                    assert response.watch_id in ended, f"cancelled: {response}"
                    continue
                watch = by_id[response.watch_id]
                if response.created:
                    self.records.append(watch.begin())
                elif response.canceled:
                    watch.end(response)
                    ended.add(response.watch_id)
                    # Until the client cancels it too, etcd keeps the id for taken, and progress waits for this watch.
                    cancellation = rpc_pb2.WatchCancelRequest(watch_id=response.watch_id)
                    await call.write(rpc_pb2.WatchRequest(cancel_request=cancellation))
                    await call.write(self._creation(by_id, watch))
                else:
                    watch.take(response)
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)

    def _creation(self, by_id: dict[int, _Watch], watch: _Watch) -> rpc_pb2.WatchRequest:
        template = watch.template
        watch_id = FIRST_ID + len(by_id)
        by_id[watch_id] = watch
        filters = []
        if template.no_puts:
            filters.append(rpc_pb2.WatchCreateRequest.NOPUT)
        if template.no_deletes:
            filters.append(rpc_pb2.WatchCreateRequest.NODELETE)
        request = rpc_pb2.WatchCreateRequest(
            key=template.key,
            range_end=template.range_end,
            start_revision=watch.next_revision,
            prev_kv=template.with_previous,
            progress_notify=True,
            filters=filters,
            fragment=self._fragments,
            watch_id=watch_id,
        )
        return rpc_pb2.WatchRequest(create_request=request)

    async def _ask_for_progress(self, call: Any) -> None:
        request = rpc_pb2.WatchRequest(progress_request=rpc_pb2.WatchProgressRequest())
        while True:
            await asyncio.sleep(self._progress_s)
            try:
                await call.write(request)
            except (grpc.aio.AioRpcError, asyncio.InvalidStateError, grpc.aio.UsageError):
                return


def _pair(kv: kv_pb2.KeyValue) -> Pair:
    return Pair(kv.key, kv.value, kv.create_revision, kv.mod_revision, kv.version, kv.lease)


def _event(event: kv_pb2.Event) -> Event:
    is_delete = event.type == kv_pb2.Event.DELETE
    pair = _pair(event.kv)
    previous = _pair(event.prev_kv) if event.HasField("prev_kv") else None
    return Event(is_delete, pair, previous, not is_delete and pair.create_revision == pair.mod_revision)


async def until(condition: Callable[[], bool], seconds: float, what: Callable[[], str]) -> None:
    try:
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110  # watches know nothing of who waits for them
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"not within {seconds} s: {what()}") from None
