"""The Watch service of the proxy: equal watches of any number of clients are one watch upstream.

A watcher joins the broadcast of its interval if that has not told anything yet of what the watcher wants; else it gets
one of its own, from the revision it wants, which merges with the other as soon as both are equally far.
Differs from etcd's proxy: progress requests, client-chosen ids and resuming after a lost server work through it.

Invariants:
1. A watcher is created only after a read in its client's name: it may read the interval, and the revision is known.
2. The revisions of a stream's headers never go back, though its watchers hear from several watches upstream: what was
   told last is the least that is told next. Progress is not told at all rather than from before, since it promises that
   nothing below it will come. Only a watcher that was compacted away has etcd's own header, with revision 0.
3. A client that does not read leaves its broadcast and comes back, with one of its own, from where it was: it holds
   nobody up, and costs no more memory than what its connection holds.
"""

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Final, final

from etcdcore.api.convert_slow import parse
from etcdcore.api.kv import RANGE
from etcdcore.api.tasks import CallStream
from etcdcore.errors import INVALID_ARGUMENT, PERMISSION_DENIED, UNAUTHENTICATED
from etcdcore.mvcc.store import OPEN_END
from etcdcore.pb import rpc_pb2
from etcdcore.proxy.broadcast import Audience, Broadcast, Receiver, with_revision, with_watch_id
from etcdcore.proxy.counts import ProxyCounts
from etcdcore.proxy.namespace import Namespace
from etcdcore.proxy.upstream import Upstream, forwarded
from etcdcore.rpc.status import EtcdError, status_text

INVALID_WATCH_ID: Final = -1
_REFUSALS: Final = (INVALID_ARGUMENT, PERMISSION_DENIED, UNAUTHENTICATED)


@final
class ProxyWatch(Audience):
    """All broadcasts. `serve` gives the group that they run in."""

    def __init__(self, upstream: Upstream, namespace: Namespace, counts: ProxyCounts) -> None:
        self.upstream: Final = upstream
        self.namespace: Final = namespace
        self.counts: Final = counts
        self._groups: Final[dict[tuple[bytes, bytes, tuple[tuple[str, str], ...]], list[Broadcast]]] = {}
        self._tasks: asyncio.TaskGroup | None = None

    async def serve(self) -> None:
        """Long-lived: cancel it to end all broadcasts."""
        async with asyncio.TaskGroup() as group:
            self._tasks = group
            try:
                await asyncio.Event().wait()
            finally:
                self._tasks = None

    async def serve_stream(self, call: CallStream) -> None:
        """One client's stream."""
        stream = _ClientStream(self, call)
        try:
            while (message := await call.receive()) is not None:
                await stream.requested(parse(rpc_pb2.WatchRequest, message))
            await asyncio.Event().wait()  # a client that will ask for nothing more still listens
        finally:
            stream.close()

    def join(self, receiver: Receiver, key: bytes, range_end: bytes, metadata: Mapping[str, str]) -> None:
        """Into a broadcast that has what it wants still ahead, or a new one."""
        name = (key, range_end, tuple(sorted(forwarded(metadata).items())))
        group = self._groups.setdefault(name, [])
        for broadcast in group:
            if broadcast.next_revision <= receiver.start_revision:
                broadcast.join(receiver)
                return
        assert self._tasks is not None, "the proxy serves"
        broadcast = Broadcast(self, self.upstream, self.namespace, self.counts, name, receiver.start_revision)
        group.append(broadcast)
        self.counts.upstream_watches += 1
        broadcast.join(receiver)
        broadcast.task = self._tasks.create_task(broadcast.serve(), name="proxy_broadcast")

    def start_waiting(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """A task of the proxy's group."""
        assert self._tasks is not None, "the proxy serves"
        return self._tasks.create_task(work, name="proxy_watcher_waits")

    def advanced(self, broadcast: Broadcast) -> None:
        for other in self._groups.get(broadcast.name, ()):
            if other is not broadcast and other.next_revision == broadcast.next_revision:
                few, many = sorted((broadcast, other), key=lambda each: len(each.receivers))
                for receiver in list(few.receivers):
                    # What neither has been told of yet is ahead for both.
                    receiver.start_revision = max(receiver.start_revision, many.next_revision)
                    many.join(receiver)
                few.receivers.clear()
                self.ended(few)
                return

    def ended(self, broadcast: Broadcast) -> None:
        group = self._groups.get(broadcast.name, [])
        if broadcast in group:
            group.remove(broadcast)
            self.counts.upstream_watches -= 1
            if not group:
                del self._groups[broadcast.name]
            if broadcast.task is not None:
                broadcast.task.cancel()


@final
class _ClientStream:
    """One client's watchers, and its progress requests."""

    def __init__(self, watch: ProxyWatch, call: CallStream) -> None:
        self._watch: Final = watch
        self._call: Final = call
        self.watchers: Final[dict[int, _Watcher]] = {}
        self._next_id = 0
        self._progress: dict[Broadcast, int] | None = None
        """While a progress request waits: its broadcasts, and how far each had been told before."""
        self._header: Final = rpc_pb2.ResponseHeader()
        """The last one told, with the greatest revision (I2)."""

    @property
    def call(self) -> CallStream:
        return self._call

    @property
    def watch(self) -> ProxyWatch:
        return self._watch

    async def requested(self, request: rpc_pb2.WatchRequest) -> None:
        if request.HasField("create_request"):
            await self._create(request.create_request)
        elif request.HasField("cancel_request"):
            await self._cancel(request.cancel_request.watch_id)
        elif request.HasField("progress_request"):
            await self._request_progress()

    async def _create(self, request: rpc_pb2.WatchCreateRequest) -> None:
        key, range_end = self._watch.namespace.interval(request.key or b"\0", request.range_end)
        if self._watch.namespace.prefix and not request.key:
            key = self._watch.namespace.prefix
        reason = await self._look(key, range_end)
        header = self._header
        if range_end and range_end != OPEN_END and key >= range_end:
            reason = reason or "mvcc: watcher range is empty"
        if request.start_revision < 0:
            reason = reason or "etcdserver: mvcc: required revision has been compacted"
        if request.watch_id and request.watch_id in self.watchers:
            reason = reason or "mvcc: duplicate watch ID provided on the WatchStream"
        if reason:
            refused = rpc_pb2.WatchResponse(
                header=header, watch_id=INVALID_WATCH_ID, created=True, canceled=True, cancel_reason=reason
            )
            await self._call.send(refused.SerializeToString())
            return
        watch_id = request.watch_id or self._new_id()
        watcher = _Watcher(self, watch_id, request, request.start_revision or header.revision + 1, key, range_end)
        created = rpc_pb2.WatchResponse(header=header, watch_id=watch_id, created=True)
        await self._call.send(created.SerializeToString())
        self.watchers[watch_id] = watcher
        self._watch.counts.client_watchers += 1
        self._watch.join(watcher, key, range_end, self._call.call.metadata)

    async def _look(self, key: bytes, range_end: bytes) -> str:
        """Asks in the client's name (I1). Not serializable: another server may be behind what the client has seen.

        Returns why he may not watch, and notes the header."""
        request = rpc_pb2.RangeRequest(key=key, range_end=range_end, limit=1, keys_only=True)
        try:
            answer = await self._watch.upstream.unary(
                RANGE, request.SerializeToString(), self._call.call.metadata, None
            )
        except EtcdError as error:
            if error.code not in _REFUSALS:
                raise
            return status_text(error.code, error.text)
        header = rpc_pb2.RangeResponse.FromString(answer).header
        header.revision = max(header.revision, self._header.revision)
        self._header.CopyFrom(header)
        return ""

    def _new_id(self) -> int:
        while self._next_id in self.watchers:
            self._next_id += 1
        self._next_id += 1
        return self._next_id - 1

    async def _cancel(self, watch_id: int) -> None:
        watcher = self.watchers.get(watch_id)
        if watcher is not None:
            self._forget(watcher)
            canceled = rpc_pb2.WatchResponse(header=self._header, watch_id=watch_id, canceled=True)
            await self._call.send(canceled.SerializeToString())

    def _forget(self, watcher: "_Watcher") -> None:
        del self.watchers[watcher.watch_id]
        self._watch.counts.client_watchers -= 1
        watcher.detach()

    def close(self) -> None:
        for watcher in list(self.watchers.values()):
            self._forget(watcher)

    def canceled(self, watcher: "_Watcher", compact_revision: int, reason: str) -> None:
        """By upstream."""
        self._forget(watcher)
        header = rpc_pb2.ResponseHeader()
        header.CopyFrom(self._header)
        if compact_revision:
            header.revision = 0  # as etcd's; but clientv3 falls over a response without a header
        response = rpc_pb2.WatchResponse(
            header=header,
            watch_id=watcher.watch_id,
            canceled=True,
            compact_revision=compact_revision,
            cancel_reason=reason,
        )
        self._call.call.send(response.SerializeToString())

    async def _request_progress(self) -> None:
        if not self.watchers or any(watcher.broadcast is None for watcher in self.watchers.values()):
            return
        broadcasts = {watcher.broadcast for watcher in self.watchers.values() if watcher.broadcast is not None}
        self._progress = dict.fromkeys(broadcasts, -1)
        for broadcast in broadcasts:
            await broadcast.request_progress()

    def progressed(self, broadcast: Broadcast) -> None:
        """Once all have said how far they are, the least of it holds for the whole stream."""
        waiting = self._progress
        if waiting is None or broadcast not in waiting:
            return
        waiting[broadcast] = broadcast.told_revision
        present = {watcher.broadcast for watcher in self.watchers.values()}
        told = [revision for each, revision in waiting.items() if each in present]
        if min(told, default=-1) < 0 or None in present or not present <= waiting.keys():
            return
        self._progress = None
        revision = min(told)
        if any(watcher.start_revision > revision + 1 for watcher in self.watchers.values()):
            return
        if revision < self._header.revision:
            # Another of its watches has told more meanwhile: they are all asked again (I2).
            self._watch.start_waiting(self._request_progress())
            return
        self._header.revision = revision
        response = rpc_pb2.WatchResponse(header=self._header, watch_id=INVALID_WATCH_ID)
        self._call.call.send(response.SerializeToString())

    def told(self, body: bytes, revision: int, is_progress: bool) -> None:
        """Sends a response whose header has this revision, or a greater one that was told before (I2)."""
        if revision < self._header.revision:
            if is_progress:
                return
            body = with_revision(body, self._header.revision)
        else:
            self._header.revision = revision
        self._call.call.send(body)


@final
class _Watcher(Receiver):
    __slots__ = ("_key", "_range_end", "_stream", "_waiting", "watch_id")

    def __init__(
        self,
        stream: _ClientStream,
        watch_id: int,
        request: rpc_pb2.WatchCreateRequest,
        start_revision: int,
        key: bytes,
        range_end: bytes,
    ) -> None:
        super().__init__(request, start_revision)
        self._stream: Final = stream
        self._key: Final = key
        self._range_end: Final = range_end
        self._waiting: asyncio.Task[None] | None = None
        self.watch_id: Final = watch_id

    def tell(self, body: bytes, revision: int, is_progress: bool) -> None:
        self._stream.told(with_watch_id(body, self.watch_id), revision, is_progress)
        if not self._stream.call.call.is_writable and self.broadcast is not None:
            self.broadcast.leave(self)  # I3
            self._waiting = self._stream.watch.start_waiting(self._come_back())

    async def _come_back(self) -> None:
        await self._stream.call.wait_writable()
        self._waiting = None
        if self._stream.watchers.get(self.watch_id) is self:
            self._stream.watch.join(self, self._key, self._range_end, self._stream.call.call.metadata)

    def progressed(self) -> None:
        if self.broadcast is not None:
            self._stream.progressed(self.broadcast)

    def canceled(self, compact_revision: int, reason: str) -> None:
        self._stream.canceled(self, compact_revision, reason)

    def detach(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
        if self.broadcast is not None:
            self.broadcast.leave(self)
