"""Keepalives through the proxy: one stream upstream for each caller's name, a lease renewed once for all its clients.

A renewal younger than FRESH_S answers another client too, with a TTL that is a second less, so that nobody is promised
more time than the lease has.
"""

import asyncio
from typing import Final, final

from etcdcore.api.convert_slow import parse
from etcdcore.api.lease import KEEP_ALIVE, TIME_TO_LIVE
from etcdcore.api.tasks import CallStream
from etcdcore.pb import rpc_pb2
from etcdcore.proxy.counts import ProxyCounts
from etcdcore.proxy.namespace import Namespace
from etcdcore.proxy.upstream import Upstream, forwarded
from etcdcore.rpc.calls import Call
from etcdcore.rpc.channel import Stream
from etcdcore.rpc.status import EtcdError, cut_off

FRESH_S: Final = 0.5
FRESH_MAX: Final = 65_536
"""Leases whose last renewal is remembered."""
IDLE_S: Final = 60.0
"""A stream upstream that nobody has used for so long is closed."""


@final
class _Renewals:
    """One stream upstream: requests go up in order, answers come back in order."""

    def __init__(self, upstream: Upstream, headers: dict[str, str], counts: ProxyCounts) -> None:
        self._upstream: Final = upstream
        self._headers: Final = headers
        self._counts: Final = counts
        self._stream: Stream | None = None
        self._reader: asyncio.Task[None] | None = None
        self._waiting: Final[dict[int, list[asyncio.Future[rpc_pb2.LeaseKeepAliveResponse]]]] = {}
        self._fresh: Final[dict[int, tuple[float, rpc_pb2.LeaseKeepAliveResponse]]] = {}
        self.used_s = 0.0

    @property
    def is_idle(self) -> bool:
        return not self._waiting and asyncio.get_running_loop().time() - self.used_s > IDLE_S

    async def renew(self, lease_id: int, group: asyncio.TaskGroup) -> rpc_pb2.LeaseKeepAliveResponse:
        loop = asyncio.get_running_loop()
        self.used_s = now_s = loop.time()
        self._counts.renewals += 1
        fresh = self._fresh.get(lease_id)
        if fresh is not None and now_s - fresh[0] < FRESH_S:
            self._counts.renewals_merged += 1
            answer = rpc_pb2.LeaseKeepAliveResponse()
            answer.CopyFrom(fresh[1])
            answer.TTL = max(answer.TTL - 1, 1)
            return answer
        future: asyncio.Future[rpc_pb2.LeaseKeepAliveResponse] = loop.create_future()
        waiting = self._waiting.get(lease_id)
        if waiting is not None:
            self._counts.renewals_merged += 1
            waiting.append(future)
            return await future
        self._waiting[lease_id] = [future]
        if self._stream is None:
            self._stream = self._upstream.stream(KEEP_ALIVE, self._headers)
            self._reader = group.create_task(self._read(self._stream), name="proxy_renewals")
        try:
            await self._stream.send(rpc_pb2.LeaseKeepAliveRequest(ID=lease_id).SerializeToString())
        except EtcdError as error:
            self._fail(error)
        return await future

    async def _read(self, stream: Stream) -> None:
        loop = asyncio.get_running_loop()
        try:
            while (message := await stream.receive()) is not None:
                answer = rpc_pb2.LeaseKeepAliveResponse.FromString(message)
                if answer.TTL > 1:
                    while len(self._fresh) >= FRESH_MAX:
                        del self._fresh[next(iter(self._fresh))]
                    self._fresh[answer.ID] = (loop.time(), answer)
                else:
                    self._fresh.pop(answer.ID, None)
                for future in self._waiting.pop(answer.ID, ()):
                    if not future.done():
                        future.set_result(answer)
            self._fail(cut_off("etcdserver: server stopped"))
        except EtcdError as error:
            self._fail(error)

    def _fail(self, error: EtcdError) -> None:
        """The stream is gone: everybody who waits is told, the next renewal opens another."""
        if self._stream is not None:
            self._stream.cancel()
            self._stream = None
            self._upstream.try_another()
        for futures in list(self._waiting.values()):
            for future in futures:
                if not future.done():
                    future.set_exception(EtcdError(error.code, error.text))
        self._waiting.clear()

    def forget(self, lease_id: int) -> None:
        self._fresh.pop(lease_id, None)

    def close(self) -> None:
        if self._reader is not None:
            self._reader.cancel()
        if self._stream is not None:
            self._stream.cancel()
            self._stream = None


@final
class ProxyLease:
    """Keepalive streams and times to live; grants and revocations go up as they are."""

    def __init__(self, upstream: Upstream, namespace: Namespace, counts: ProxyCounts) -> None:
        self._upstream: Final = upstream
        self._namespace: Final = namespace
        self._counts: Final = counts
        self._streams: Final[dict[tuple[tuple[str, str], ...], _Renewals]] = {}
        self._tasks: asyncio.TaskGroup | None = None

    async def serve(self) -> None:
        """Long-lived: cancel it to end the streams upstream."""
        async with asyncio.TaskGroup() as group:
            self._tasks = group
            try:
                while True:
                    await asyncio.sleep(IDLE_S)
                    for name in [name for name, renewals in self._streams.items() if renewals.is_idle]:
                        self._streams.pop(name).close()
            finally:
                self._tasks = None
                for renewals in self._streams.values():
                    renewals.close()

    async def keep_alive(self, call: CallStream) -> None:
        """One client's stream: an answer for each request, in order."""
        headers = forwarded(call.call.metadata)
        name = tuple(sorted(headers.items()))
        revision = 0
        while (message := await call.receive()) is not None:
            request = parse(rpc_pb2.LeaseKeepAliveRequest, message)
            renewals = self._streams.setdefault(name, _Renewals(self._upstream, headers, self._counts))
            assert self._tasks is not None, "the proxy serves"
            answer = await renewals.renew(request.ID, self._tasks)
            # A renewal that is answered again, or by another server, may be from before what this client has seen.
            revision = max(revision, answer.header.revision)
            if answer.header.revision != revision:
                seen = rpc_pb2.LeaseKeepAliveResponse()
                seen.CopyFrom(answer)
                seen.header.revision = revision
                answer = seen
            await call.send(answer.SerializeToString())

    async def revoke(self, message: bytes, call: Call) -> bytes:
        """A lease that is gone must not be answered from a renewal of before."""
        request = parse(rpc_pb2.LeaseRevokeRequest, message)
        try:
            return await self._upstream.unary("/etcdserverpb.Lease/LeaseRevoke", message, call.metadata, None)
        finally:
            for renewals in self._streams.values():
                renewals.forget(request.ID)

    async def time_to_live(self, message: bytes, call: Call) -> bytes:
        answer = await self._upstream.unary(TIME_TO_LIVE, message, call.metadata, None)
        if not self._namespace.prefix:
            return answer
        response = rpc_pb2.LeaseTimeToLiveResponse.FromString(answer)
        self._namespace.lease_down(response)
        return response.SerializeToString()
