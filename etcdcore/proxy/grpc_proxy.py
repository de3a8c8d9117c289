"""The gRPC proxy: every service of etcd, answered by a cluster behind it. Read this first of the room.

KV goes through the namespace and the cache, equal watches are one, a lease is renewed once for all; locks and elections
are our own services over the proxied KV, so the namespace holds for them too; everything else goes up as it is.
"""

import asyncio
import time
from dataclasses import dataclass
from typing import Final, final

from etcdcore.api.contest_services import add_contests
from etcdcore.api.health import HealthService, add_health
from etcdcore.api.kv import COMPACT, DELETE_RANGE, PUT, RANGE, TXN
from etcdcore.api.lease import KEEP_ALIVE, REVOKE, TIME_TO_LIVE
from etcdcore.api.range_stream import RANGE_STREAM
from etcdcore.api.reflection import add_reflection
from etcdcore.api.tasks import CallStream, CallTasks, TaskMethod, TaskServerStreamMethod, TaskStreamMethod
from etcdcore.api.watch import WATCH
from etcdcore.pb import rpc_pb2
from etcdcore.proxy.counts import ProxyCounts
from etcdcore.proxy.kv import Forward, ProxyKv
from etcdcore.proxy.lease import ProxyLease
from etcdcore.proxy.members import ProxyMembers
from etcdcore.proxy.namespace import Namespace
from etcdcore.proxy.range_cache import RangeCache
from etcdcore.proxy.upstream import Upstream
from etcdcore.proxy.watch import ProxyWatch
from etcdcore.rpc.calls import MethodTable
from etcdcore.rpc.http import HttpHandler, HttpRequest, HttpResponse
from etcdcore.rpc.local import LocalChannel
from etcdcore.rpc.status import EtcdError

MEMBER_LIST: Final = "/etcdserverpb.Cluster/MemberList"
HEALTH_TIMEOUT_S: Final = 5.0
HEALTH_KEY: Final = b"health"
PERMISSION_DENIED: Final = 7


@dataclass(frozen=True, slots=True)
class ProxyConfig:
    namespace: str = ""
    advertise_client_url: str = "127.0.0.1:23790"
    resolver_prefix: str = ""
    resolver_ttl_s: int = 0


@final
class GrpcProxy:
    """`table` is for the carriers; `serve` runs beside them."""

    def __init__(self, upstream: Upstream, config: ProxyConfig) -> None:
        namespace = Namespace(config.namespace.encode())
        self.counts: Final = ProxyCounts()
        self.table: Final = MethodTable()
        self.pages: Final = ProxyPages(upstream, self.counts)
        self._upstream: Final = upstream
        self._tasks: Final = CallTasks()
        self._watch: Final = ProxyWatch(upstream, namespace, self.counts)
        self._lease: Final = ProxyLease(upstream, namespace, self.counts)
        self._members: Final = ProxyMembers(
            upstream, config.advertise_client_url, config.resolver_prefix, config.resolver_ttl_s
        )
        kv = ProxyKv(upstream, namespace, RangeCache(self.counts))
        for path, handler in (
            (RANGE, kv.range),
            (PUT, kv.put),
            (DELETE_RANGE, kv.delete_range),
            (TXN, kv.txn),
            (COMPACT, kv.compact),
            (REVOKE, self._lease.revoke),
            (TIME_TO_LIVE, self._lease.time_to_live),
            (MEMBER_LIST, self._members.member_list),
        ):
            self.table.add(TaskMethod(path, self._tasks, handler))
        self.table.add(TaskServerStreamMethod(RANGE_STREAM, self._tasks, kv.range_stream))
        self.table.add(TaskStreamMethod(WATCH, self._tasks, self._watch.serve_stream))
        self.table.add(TaskStreamMethod(KEEP_ALIVE, self._tasks, self._lease.keep_alive))
        add_contests(self.table, self._tasks, LocalChannel(self.table))
        self._forward_the_rest()
        add_health(self.table, HealthService())
        add_reflection(self.table)

    def _forward_the_rest(self) -> None:
        for service in rpc_pb2.DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                path = f"/{service.full_name}/{method.name}"
                if path in self.table.methods:
                    continue
                assert not method.client_streaming, f"{path} needs a handler of its own"
                if method.server_streaming:
                    forward = _ForwardStream(self._upstream, path)
                    self.table.add(TaskServerStreamMethod(path, self._tasks, forward.call))
                else:
                    self.table.add(TaskMethod(path, self._tasks, Forward(self._upstream, path).call))

    async def serve(self) -> None:
        """Long-lived: cancel it to end all that is in progress."""
        async with asyncio.TaskGroup() as group:
            for name, work in (
                ("proxy_tasks", self._tasks.serve()),
                ("proxy_watches", self._watch.serve()),
                ("proxy_leases", self._lease.serve()),
                ("proxy_registration", self._members.serve()),
            ):
                group.create_task(work, name=name)


@final
class _ForwardStream:
    """A server-streaming method that goes up as it is."""

    def __init__(self, upstream: Upstream, path: str) -> None:
        self._upstream: Final = upstream
        self._path: Final = path

    async def call(self, request: bytes, call: CallStream) -> None:
        stream = self._upstream.stream(self._path, call.call.metadata)
        try:
            await stream.send(request)
            stream.end_input()
            while (message := await stream.receive()) is not None:
                await call.send(message)
        finally:
            stream.cancel()


@final
class ProxyPages(HttpHandler):
    """`/health` and `/metrics`, of the proxy and, under `/proxy`, of the same."""

    def __init__(self, upstream: Upstream, counts: ProxyCounts) -> None:
        self._upstream: Final = upstream
        self._counts: Final = counts

    async def handle(self, request: HttpRequest) -> HttpResponse:
        page = request.path.removeprefix("/proxy")
        if page not in ("/health", "/metrics"):
            return HttpResponse(404, {"Content-Type": "text/plain; charset=utf-8"}, b"404 page not found\n")
        if request.method != "GET":
            return HttpResponse(405, {"Allow": "GET", "Content-Type": "text/plain"}, b"Method Not Allowed\n")
        if page == "/metrics":
            return HttpResponse(200, {"Content-Type": "text/plain; version=0.0.4"}, self._counts.metrics().encode())
        return await self._health()

    async def _health(self) -> HttpResponse:
        """Whether the cluster answers a linearizable read; a refusal for want of permission is an answer."""
        started_s = time.monotonic()
        read = rpc_pb2.RangeRequest(key=HEALTH_KEY).SerializeToString()
        reason = ""
        try:
            await self._upstream.unary(RANGE, read, {}, HEALTH_TIMEOUT_S)
        except EtcdError as error:
            if error.code != PERMISSION_DENIED and "user name is empty" not in error.text:
                reason = f"GET ERROR:{error.text} after {time.monotonic() - started_s:.1f} s"
        body = f'{{"health":"{"false" if reason else "true"}","reason":"{_escape(reason)}"}}'
        return HttpResponse(503 if reason else 200, {"Content-Type": "application/json"}, body.encode())


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
