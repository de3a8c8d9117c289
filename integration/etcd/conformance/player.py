"""Plays a script on one server and records its answers in a form that can be compared.

Steps are played one after the other, on whatever connection they name, so that both servers see one order. Only reads
that follow one another are sent together: nothing they see can change. Before anything that would make what watchers
get depend on time (a compaction, the end of a watcher or of its stream), the watchers are let have what is theirs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import grpc

from etcdcore.pb import rpc_pb2 as rpc
from integration.etcd.conformance import steps
from integration.etcd.conformance.comparable import comparable
from integration.etcd.conformance.revisions import Position
from integration.etcd.conformance.script import CONNECTIONS, FUTURE_STREAM
from integration.etcd.conformance.steps import KeepAlive, Settle, Step, Unary, WatchCancel, WatchClose, WatchCreate
from integration.etcd.conformance.watching import SENTINEL_KEY, WatchStream

KEEP_ALIVE = "/etcdserverpb.Lease/LeaseKeepAlive"
CALL_TIMEOUT_S = 30.0
READS_TOGETHER_MAX = 8
# Whoever waits for this watcher's event on the stream of future watchers has seen all that came before it.
SENTINEL_ID = 1 << 40
OPTIONS = [
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.enable_retries", 0),
]

Record = list[str | bytes]
"""What one step brought, for each step: the comparable bytes of a response, or a text."""


class Player:
    """One server's side of a script."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._position = Position()
        self._streams: dict[int, WatchStream] = {}

    async def play(self, script: Sequence[Step]) -> Record:
        """What each step brought."""
        async with asyncio.TaskGroup() as self._group:
            self._channels = [grpc.aio.insecure_channel(self._address, options=OPTIONS) for _ in range(CONNECTIONS)]
            self._renewals = self._channels[0].stream_stream(KEEP_ALIVE)()
            try:
                record: Record = []
                while len(record) < len(script):
                    record += await self._play_some(script[len(record) : len(record) + READS_TOGETHER_MAX])
            finally:
                self._renewals.cancel()
                for stream in self._streams.values():
                    await stream.close()
                for channel in self._channels:
                    await channel.close()
        return record

    async def _play_some(self, script: Sequence[Step]) -> Record:
        reads = 0
        for step in script:
            if not (isinstance(step, Unary) and step.method.reads):
                break
            reads += 1
        if reads > 1:
            return await asyncio.gather(*(self._call(step) for step in script[:reads] if isinstance(step, Unary)))
        return [await self._play_one(script[0])]

    async def _play_one(self, step: Step) -> str | bytes:
        match step:
            case Unary():
                before = await self._settle() if step.method is steps.COMPACT else ""
                return before or await self._call(step)
            case KeepAlive():
                return await self._keep_alive(step.lease_id)
            case WatchCreate():
                return await self._create(step)
            case WatchCancel():
                before = await self._settle()
                return before or await self._cancel(step)
            case WatchClose():
                return await self._close(step.stream)
            case Settle():
                failure = await self._settle()
                return failure or "\n".join(
                    f"stream {number} {stream.ended}:\n{stream.log.take()}"
                    for number, stream in sorted(self._streams.items())
                )

    async def _call(self, step: Unary) -> str | bytes:
        message = type(step.message)()
        message.CopyFrom(step.message)
        self._position.resolve_all(message)
        # At the compacted revision HashKV answers with what the compaction notes on its way, if it is done already; and
        # after a compaction to revision 0 etcd takes its note for the current revision. Both are no matter of order.
        if isinstance(message, rpc.HashKVRequest) and message.revision:
            message.revision = max(message.revision, self._position.compacted + 1)
        elif isinstance(message, rpc.CompactionRequest) and message.revision == 0:
            message.revision = 1
        call = self._channels[step.connection].unary_unary(step.method.path)
        request = message.SerializeToString() + step.surplus
        try:
            answer = await call(request, metadata=step.metadata, timeout=CALL_TIMEOUT_S)
        except grpc.aio.AioRpcError as error:
            return f"{error.code().name} {error.details()}"
        response = step.method.response.FromString(answer)
        self._position.current = max(self._position.current, response.header.revision)  # type: ignore[attr-defined]
        if isinstance(message, rpc.CompactionRequest):
            self._position.compacted = message.revision
        return comparable(message, response)

    async def _keep_alive(self, lease_id: int) -> str | bytes:
        request = rpc.LeaseKeepAliveRequest(ID=lease_id)
        try:
            async with asyncio.timeout(CALL_TIMEOUT_S):
                await self._renewals.write(request.SerializeToString())
                answer = await self._renewals.read()
        except grpc.aio.AioRpcError as error:
            return f"{error.code().name} {error.details()}"
        return comparable(request, rpc.LeaseKeepAliveResponse.FromString(answer))

    async def _stream(self, number: int) -> WatchStream:
        stream = self._streams.get(number)
        if stream is None:
            stream = self._streams[number] = WatchStream(self._channels[number % CONNECTIONS], self._group)
            if number == FUTURE_STREAM:
                await stream.create(rpc.WatchCreateRequest(key=SENTINEL_KEY, watch_id=SENTINEL_ID))
        return stream

    async def _create(self, step: WatchCreate) -> str:
        stream = await self._stream(step.stream)
        request = rpc.WatchCreateRequest()
        request.CopyFrom(step.message)
        self._position.resolve_all(request)
        if step.stream != FUTURE_STREAM:
            # Or no progress could be asked for on this stream until then.
            request.start_revision = min(request.start_revision, self._position.current)
        refused_before = stream.log.refused_count
        if not await stream.create(request):
            return f"not created, {stream.ended}"
        is_late = 0 < request.start_revision < self._position.compacted
        if is_late and stream.log.refused_count == refused_before and not await stream.bury():
            return f"not canceled for the compaction, {stream.ended}"
        return "created"

    async def _cancel(self, step: WatchCancel) -> str:
        stream = self._streams.get(step.stream)
        if stream is None or step.watch_id == SENTINEL_ID:
            return "no such stream"
        return "canceled" if await stream.cancel(step.watch_id) else f"not canceled, {stream.ended}"

    async def _close(self, number: int) -> str:
        failure = await self._settle()
        stream = self._streams.pop(number, None)
        if stream is None:
            return failure or "no such stream"
        await stream.close()
        return failure or f"closed, after\n{stream.log.take()}"

    async def _settle(self) -> str:
        """Lets every watcher have what is its own. What went wrong, if anything did."""
        failures = ""
        waiting = self._streams.get(FUTURE_STREAM)
        if waiting is not None:
            put = Unary(steps.PUT, rpc.PutRequest(key=SENTINEL_KEY))
            await self._call(put)
            log, revision = waiting.log, self._position.current
            if not await waiting.wait(lambda: log.revision_seen(SENTINEL_ID) >= revision):
                failures += f"stream {FUTURE_STREAM} did not get its sentinel; "
        for number, stream in sorted(self._streams.items()):
            if number != FUTURE_STREAM and not await stream.settle(self._position.current):
                failures += f"stream {number} was told no progress to {self._position.current}, {stream.ended}; "
        return failures
