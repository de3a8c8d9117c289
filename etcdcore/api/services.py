"""Every service of the API over one member, as one table of methods, and what they do by time.

A service is added in `build_services`: hot ones as methods of their own (`kv`, `watch`, `lease`), cold ones as async
functions by `unary`, `stream` and `server_stream`. Life: build, hand `table` to the carriers, `serve` in a task of the
owner's group beside the member's own; cancelling it ends what is in progress.
"""

import asyncio
from random import Random
from typing import Final, final

import structlog

from etcdcore.api.admin_calls import AdminCalls
from etcdcore.api.auth import AuthService
from etcdcore.api.cluster import ClusterService
from etcdcore.api.contest_services import add_contests
from etcdcore.api.gate import Gate
from etcdcore.api.header import Headers
from etcdcore.api.health import HealthService, add_health
from etcdcore.api.kv import add_kv
from etcdcore.api.leader_watch import LeaderWatch
from etcdcore.api.lease import LeaseService, add_lease
from etcdcore.api.maintenance import MaintenanceService
from etcdcore.api.range_stream import RANGE_STREAM, RangeStreamService
from etcdcore.api.reflection import add_reflection
from etcdcore.api.settings import ApiSettings
from etcdcore.api.snapshot import SNAPSHOT_PATH, SnapshotService
from etcdcore.api.tasks import (
    CallTasks,
    ServerStreamHandler,
    StreamHandler,
    TaskMethod,
    TaskServerStreamMethod,
    TaskStreamMethod,
    UnaryHandler,
)
from etcdcore.api.watch import WatchService, add_watch
from etcdcore.api.write_call import time_out_all
from etcdcore.errors import CoreError, ServerStopped
from etcdcore.member.member import Member
from etcdcore.rpc.calls import MethodTable
from etcdcore.rpc.local import LocalChannel

_log = structlog.get_logger()

CLOCK_PAUSE_S: Final = 0.05
"""How often streams that wait for a leader, or for a lease to be revoked, are looked at."""


VERSION_PAUSE_S: Final = 4.0
"""How often the leader decides on the cluster's version, as etcd's does."""
PUBLISH_PAUSE_S: Final = 0.5
"""Between two attempts of a new member to publish its name and URLs."""


@final
class Services:
    """What a service is built from, and the table that it is put into."""

    def __init__(self, member: Member, settings: ApiSettings) -> None:
        self.member: Final = member
        self.settings: Final = settings
        self.table: Final = MethodTable()
        self.gate: Final = Gate(member, settings)
        self.headers: Final = Headers(member)
        self.tasks: Final = CallTasks()
        self.health: Final = HealthService()
        rng = Random()
        self.leader_watch: Final = LeaderWatch(settings.election_timeout_s)
        self.leases: Final = LeaseService(
            member, self.gate, self.headers, settings, self.leader_watch, rng.getrandbits(63)
        )
        self.watches: Final = WatchService(member, self.gate, self.headers, settings, self.leader_watch, rng)

    def unary(self, path: str, handler: UnaryHandler) -> None:
        self.table.add(TaskMethod(path, self.tasks, handler))

    def stream(self, path: str, handler: StreamHandler) -> None:
        self.table.add(TaskStreamMethod(path, self.tasks, handler))

    def server_stream(self, path: str, handler: ServerStreamHandler) -> None:
        self.table.add(TaskServerStreamMethod(path, self.tasks, handler))

    async def serve(self) -> None:
        """Long-lived: cancel it to end all that the services have under way."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.tasks.serve(), name="api_tasks")
                group.create_task(self._serve_clock(), name="api_clock")
                group.create_task(self._serve_versions(), name="api_versions")
                group.create_task(self.watches.serve_catch_up(), name="api_watch_catch_up")
                group.create_task(self.watches.serve_progress(), name="api_watch_progress")
        finally:
            self.watches.end_all()

    async def _serve_versions(self) -> None:
        """Tells the cluster who this member is, once it can, again and again until that is known; and then now and
        then which version the cluster is of."""
        admin = self.member.admin
        is_published = False
        while True:
            try:
                if is_published:
                    await admin.update_version()
                else:
                    await self.member.wait_writable()
                    await admin.publish()
                    is_published = True
            except ServerStopped:
                return
            except CoreError:
                _log.debug("version_not_published")  # no leader, say: it is tried again
            await asyncio.sleep(VERSION_PAUSE_S if is_published else PUBLISH_PAUSE_S)

    async def _serve_clock(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(CLOCK_PAUSE_S)
            self.leader_watch.look(self.member.has_leader, loop.time())
            self.leases.step()
            overdue = self.member.overdue(self.settings.request_timeout_s)
            self.member.counts.proposals_failed += time_out_all(overdue)


def build_services(member: Member, settings: ApiSettings | None = None) -> Services:
    """All services of a member that is open; it need not be serving yet."""
    services = Services(member, ApiSettings() if settings is None else settings)
    add_kv(services.table, member, services.gate, services.headers, services.settings)
    add_lease(services.table, services.leases)
    add_watch(services.table, services.watches)
    calls = AdminCalls(member, services.gate, services.headers)
    maintenance = MaintenanceService(calls, services.health, services.settings.stop_on_defrag)
    for service in (AuthService(calls), ClusterService(calls), maintenance):
        for path, handler in service.methods():
            services.unary(path, handler)
    ranges = RangeStreamService(calls, services.settings.request_bytes_max)
    services.server_stream(RANGE_STREAM, ranges.serve_call)
    services.server_stream(SNAPSHOT_PATH, SnapshotService(member, services.gate).serve_call)
    add_health(services.table, services.health)
    add_reflection(services.table)
    add_contests(services.table, services.tasks, LocalChannel(services.table))
    return services
