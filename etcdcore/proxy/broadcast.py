"""One watch of the cluster, and all the watchers of clients that it serves.

Upstream it always asks for the former pairs and for progress; each watcher is told what it asked for. The responses of
one broadcast are encoded once for each form that some watcher wants.

Invariants:
1. `next_revision` is the first that upstream has not told yet: every receiver has been told all that it wants below.
2. A receiver is told of no revision twice, and of none below its `start_revision`.
3. When upstream is lost the broadcast asks again from `next_revision`: nothing is passed over, receivers stay.
"""

import asyncio
from abc import ABC, abstractmethod
from typing import Final, final

import structlog

from etcdcore.api.watch import WATCH
from etcdcore.mvcc.revision import varint
from etcdcore.pb import kv_pb2, rpc_pb2
from etcdcore.proxy.counts import ProxyCounts
from etcdcore.proxy.kv import is_lost
from etcdcore.proxy.namespace import Namespace
from etcdcore.proxy.upstream import Upstream
from etcdcore.rpc.channel import Stream
from etcdcore.rpc.status import EtcdError, status_text

_log = structlog.get_logger()

RETRY_S: Final = 0.1
RETRY_S_MAX: Final = 2.0
_PUT: Final = kv_pb2.Event.EventType.PUT


class Receiver(ABC):
    """One watcher of a client."""

    __slots__ = ("broadcast", "filters_delete", "filters_put", "start_revision", "wants_prev_kv", "wants_progress")

    def __init__(self, request: rpc_pb2.WatchCreateRequest, start_revision: int) -> None:
        self.start_revision = start_revision
        self.wants_prev_kv: Final = request.prev_kv
        self.wants_progress: Final = request.progress_notify
        self.filters_put: Final = rpc_pb2.WatchCreateRequest.FilterType.NOPUT in request.filters
        self.filters_delete: Final = rpc_pb2.WatchCreateRequest.FilterType.NODELETE in request.filters
        self.broadcast: Broadcast | None = None

    @abstractmethod
    def tell(self, body: bytes, revision: int, is_progress: bool) -> None:
        """A response without its watch id, and the revision in its header."""

    @abstractmethod
    def progressed(self) -> None:
        """The broadcast has learned that it is at a revision without being told of events."""

    @abstractmethod
    def canceled(self, compact_revision: int, reason: str) -> None:
        """Upstream ended it for good."""


class Audience(ABC):
    """Who keeps the broadcasts."""

    @abstractmethod
    def advanced(self, broadcast: "Broadcast") -> None:
        """Its next revision is another: perhaps it can join another broadcast now."""

    @abstractmethod
    def ended(self, broadcast: "Broadcast") -> None:
        """Nobody is left in it."""


@final
class Broadcast:
    """`name` is what equal watches have in common: the interval, and in whose name it is asked."""

    def __init__(
        self,
        audience: Audience,
        upstream: Upstream,
        namespace: Namespace,
        counts: ProxyCounts,
        name: tuple[bytes, bytes, tuple[tuple[str, str], ...]],
        start_revision: int,
    ) -> None:
        self._audience: Final = audience
        self._upstream: Final = upstream
        self._namespace: Final = namespace
        self._counts: Final = counts
        self.name: Final = name
        self.next_revision = start_revision
        self.told_revision = 0
        """The last revision that upstream said it had told everything of, by events or by progress."""
        self.receivers: Final[dict[Receiver, None]] = {}
        self.task: asyncio.Task[None] | None = None
        self._stream: Stream | None = None
        self._is_progress_due = False
        self._header = rpc_pb2.ResponseHeader()

    def join(self, receiver: Receiver) -> None:
        assert receiver.start_revision >= self.next_revision, "what it wants was told already"
        receiver.broadcast = self
        self.receivers[receiver] = None

    def leave(self, receiver: Receiver) -> None:
        receiver.broadcast = None
        del self.receivers[receiver]
        if not self.receivers:
            self._audience.ended(self)

    async def request_progress(self) -> None:
        """Asks upstream how far it is; `Receiver.progressed` follows."""
        stream = self._stream
        if stream is None:
            self._is_progress_due = True
            return
        request = rpc_pb2.WatchRequest(progress_request=rpc_pb2.WatchProgressRequest())
        try:
            await stream.send(request.SerializeToString())
        except EtcdError:
            self._is_progress_due = True  # asked again on the next stream

    async def serve(self) -> None:
        """Long-lived: until it is cancelled, or upstream ends the watch for good."""
        retry_s = RETRY_S
        while True:
            try:
                await self._follow()
                return
            except EtcdError as error:
                self._stream = None
                if not is_lost(error):
                    self._cancel(0, status_text(error.code, error.text))
                    return
                _log.warning("watch_lost", error=error.text, next_revision=self.next_revision)
                self._upstream.try_another()
            await asyncio.sleep(retry_s)
            retry_s = min(retry_s * 2, RETRY_S_MAX)

    async def _follow(self) -> None:
        key, range_end, headers = self.name
        stream = self._upstream.stream(WATCH, dict(headers))
        try:
            create = rpc_pb2.WatchCreateRequest(
                key=key, range_end=range_end, start_revision=self.next_revision, prev_kv=True, progress_notify=True
            )
            await stream.send(rpc_pb2.WatchRequest(create_request=create).SerializeToString())
            while (message := await stream.receive()) is not None:
                response = rpc_pb2.WatchResponse.FromString(message)
                if response.canceled:
                    self._cancel(response.compact_revision, response.cancel_reason)
                    return
                if response.created:
                    self._stream = stream
                    if self._is_progress_due:
                        self._is_progress_due = False
                        await self.request_progress()
                else:
                    self._tell(response)
        finally:
            self._stream = None
            stream.cancel()
        raise EtcdError(14, "etcdserver: server stopped")

    def _cancel(self, compact_revision: int, reason: str) -> None:
        for receiver in list(self.receivers):
            self.leave(receiver)
            receiver.canceled(compact_revision, reason)

    def _tell(self, response: rpc_pb2.WatchResponse) -> None:
        self._header.CopyFrom(response.header)
        if not response.events:
            self.told_revision = max(self.told_revision, response.header.revision)
            self.next_revision = max(self.next_revision, response.header.revision + 1)
            if response.watch_id >= 0:
                self._tell_progress()
            for receiver in list(self.receivers):
                receiver.progressed()
            self._audience.advanced(self)
            return
        last = response.events[-1].kv.mod_revision
        self.told_revision = max(self.told_revision, last)
        self.next_revision = max(self.next_revision, last + 1)
        self._namespace.events_down(response)
        first = response.events[0].kv.mod_revision
        bodies: dict[tuple[bool, bool, bool], bytes] = {}
        for receiver in list(self.receivers):
            if receiver.start_revision > first:
                body = _encode(response, receiver, receiver.start_revision)
            else:
                form = (receiver.wants_prev_kv, receiver.filters_put, receiver.filters_delete)
                if form not in bodies:
                    bodies[form] = _encode(response, receiver, 0)
                else:
                    self._counts.events_merged += len(response.events)
                body = bodies[form]
            receiver.start_revision = max(receiver.start_revision, last + 1)
            if body:
                receiver.tell(body, response.header.revision, False)
        self._audience.advanced(self)

    def _tell_progress(self) -> None:
        """Upstream's own timer: those who asked for it are told."""
        body = rpc_pb2.WatchResponse(header=self._header).SerializeToString()
        for receiver in list(self.receivers):
            if receiver.wants_progress and receiver.start_revision <= self.next_revision:
                receiver.tell(body, self._header.revision, True)


def _encode(response: rpc_pb2.WatchResponse, receiver: Receiver, start_revision: int) -> bytes:
    """What a receiver wants of a response; empty if that is nothing."""
    wanted = rpc_pb2.WatchResponse(header=response.header)
    for event in response.events:
        if event.kv.mod_revision < start_revision:
            continue
        if receiver.filters_put if event.type == _PUT else receiver.filters_delete:
            continue
        if receiver.wants_prev_kv:
            wanted.events.append(event)
        else:
            wanted.events.append(kv_pb2.Event(type=event.type, kv=event.kv))
    return wanted.SerializeToString() if wanted.events else b""


def with_watch_id(body: bytes, watch_id: int) -> bytes:
    """A response for one watcher: fields of a message may come in any order."""
    return body + b"\x10" + varint(watch_id) if watch_id else body


def with_revision(body: bytes, revision: int) -> bytes:
    """A response whose header has another revision: of a field that comes twice, messages are merged, numbers replaced.

    `0a` header, `18` its revision."""
    number = varint(revision)
    return body + b"\x0a" + varint(len(number) + 1) + b"\x18" + number
