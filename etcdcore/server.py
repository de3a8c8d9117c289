"""One etcd server: a member, the services around it, and the ports they are reached on. Read this first.

Start: open the member (lock, replay) -> it leads -> bind the ports -> serve clients -> ready.
Stop, in this order and nowhere else: watches and other long calls are cut -> no more connections, calls in progress
end -> the member applies what is in flight, syncs and unlocks.
"""

import asyncio
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, final

import structlog

from etcdcore.api.services import Services, build_services
from etcdcore.api.settings import ApiSettings
from etcdcore.config import ConfigError, ServerConfig, Url
from etcdcore.errors import EngineError
from etcdcore.member.member import Member
from etcdcore.ports import MemberPage, Ports, StartError
from etcdcore.storage.errors import StorageError
from etcdcore.storage.file_ops import UnsyncedFileOps
from etcdcore.web.facts import MemberFacts
from etcdcore.web.handler import WebHandler

_log = structlog.get_logger()

DISK_TIMEOUT_S: Final = 5.0
"""Of a request's time, what the disk may take; the rest is two elections."""
LOG_PATH: Final = Path("member") / "wal"
"""Below the data directory. With one there, what etcd's flags call initial is of no more interest."""
STOP_GRACE_S: Final = 7.0
"""Calls in progress may take as long as a request may take at most, as in etcd."""


@final
class EtcdServer:
    """The services of one member on its ports. Whoever opens the member also serves and stops it."""

    def __init__(self, config: ServerConfig, member: Member) -> None:
        self.config: Final = config
        self.member: Final = member
        self.services: Final[Services] = build_services(member, api_settings(config))
        self._ports: Final = Ports(config)
        self._serving: asyncio.Task[None] | None = None

    @property
    def client_urls(self) -> tuple[Url, ...]:
        """Where clients are served; empty until `start`."""
        return self._ports.client_urls

    async def start(self, group: asyncio.TaskGroup) -> None:
        """Binds and serves, with tasks of the group until `stop`, which is due even if this raises StartError."""
        table, member = self.services.table, self.member
        self._serving = group.create_task(self.services.serve(), name="services")
        await self.services.tasks.wait_started()
        pages = WebHandler(self.config, table, MemberFacts(member), group, member)
        try:
            await self._ports.start(group, table, pages, MemberPage(self.config, member.member_id, member.cluster_id))
        except ConfigError as error:
            raise StartError(str(error)) from error

    async def stop(self) -> None:
        """Cuts watches and other long calls, and lets the rest end; the member is still there meanwhile."""
        if self._serving is not None:
            self._serving.cancel()
        await self._ports.stop(STOP_GRACE_S)

    async def serve(self, stop: asyncio.Event, serving: Callable[[list[str]], None]) -> None:
        """`start`, tell `serving` the addresses, and `stop` when it is time. Raises StartError."""
        try:
            async with asyncio.TaskGroup() as group:
                try:
                    await self.start(group)
                    serving([str(url) for url in self.client_urls])
                    await stop.wait()
                finally:
                    await self.stop()
        except* StartError as errors:
            raise errors.exceptions[0] from None


def api_settings(config: ServerConfig) -> ApiSettings:
    """What the services are told."""
    election_s = config.election_timeout_ms / 1000
    return ApiSettings(
        request_bytes_max=config.max_request_bytes,
        transaction_operations_max=config.max_txn_ops,
        progress_interval_s=config.progress_interval_s,
        lease_ttl_min_s=max(math.ceil(1.5 * election_s), 1),
        request_timeout_s=DISK_TIMEOUT_S + 2 * election_s,
        stop_on_defrag="StopGRPCServiceOnDefrag" in config.feature_gates,
        client_cert_auth=config.client_tls.client_cert_auth,
    )


@final
class ServerLife:
    """A server with its member, from start to stop."""

    def __init__(
        self, config: ServerConfig, starting_line: Mapping[str, object] | None = None, defrag_threshold_bytes: int = 0
    ) -> None:
        """`starting_line`: what a process of its own says of its settings; the threshold is that of etcd's flag."""
        self.config: Final = config
        self._starting_line: Final = starting_line
        self._defrag_threshold_bytes: Final = defrag_threshold_bytes
        self.ready: Final = asyncio.Event()
        self.server: EtcdServer | None = None
        """Once it is ready."""
        self._stop: Final = asyncio.Event()

    def stop(self) -> None:
        """Asks for the end; again is nothing."""
        self._stop.set()

    async def serve(self) -> None:
        """Long-lived: until `stop`. Raises StartError, and what made the member fail."""
        if self._starting_line is not None:
            _log.info("starting an etcd server", **self._starting_line)
        if self.config.discovery.endpoints and not await self._discover():
            return
        member = _open_member(self.config)
        self._skip_defragmentation(member)
        async with asyncio.TaskGroup() as group:
            life = group.create_task(member.serve(), name="member")
            try:
                if await self._until_writable(group, member):
                    await self._serve_clients(group, EtcdServer(self.config, member))
            finally:
                await member.stop()
            await life

    async def _discover(self) -> bool:
        """False when `stop` came before the cluster was complete. Raises StartError."""
        wal_path = self.config.data_path / LOG_PATH
        if wal_path.exists():
            text = "discovery token is ignored since cluster already initialized; valid logs are found"
            _log.warning(text, **{"wal-dir": str(wal_path)})
            return True
        # Few clusters are put together so, and grpcio takes long to load.
        from etcdcore.discovery import join_cluster

        async with asyncio.TaskGroup() as group:
            stopping = group.create_task(self._stop.wait(), name="wait_stop")
            joining = group.create_task(join_cluster(self.config), name="discovery")
            await asyncio.wait((joining, stopping), return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            joining.cancel()
        if joining.cancelled():
            return False
        if joining.result():
            raise StartError(f"failed to join discovery cluster ({joining.result()})")
        return True

    def _skip_defragmentation(self, member: Member) -> None:
        """Says what etcd says when there is little to gain; here that is always so."""
        threshold = self._defrag_threshold_bytes
        if threshold:
            file_bytes, used_bytes = member.store_bytes()
            sizes = (
                ("current-db-size", file_bytes),
                ("current-db-size-in-use", used_bytes),
                ("experimental-bootstrap-defrag-threshold", threshold),
            )
            fields: dict[str, object] = {}
            for name, size in sizes:
                fields |= {f"{name}-bytes": size, name: f"{size / 1e6:.1f} MB"}
            _log.info("Skipping defragmentation", **fields)

    async def _serve_clients(self, group: asyncio.TaskGroup, server: EtcdServer) -> None:
        try:
            await server.start(group)
            self._announce(server)
            await self._stop.wait()
            _log.info("stopping: watches are cut, calls in progress end")
        finally:
            await server.stop()

    async def _until_writable(self, group: asyncio.TaskGroup, member: Member) -> bool:
        """False when `stop` came before."""
        leading = group.create_task(member.wait_writable(), name="wait_writable")
        stopping = group.create_task(self._stop.wait(), name="wait_stop")
        await asyncio.wait((leading, stopping), return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        leading.cancel()
        return not self._stop.is_set()

    def _announce(self, server: EtcdServer) -> None:
        member_id = f"{server.member.member_id:x}"
        _log.info("elected leader", local_member_id=member_id)
        _log.info("published local member to cluster through raft", local_member_id=member_id, name=self.config.name)
        _log.info("ready to serve client requests")
        for url in server.client_urls:
            what = "secure" if url.is_secure else "insecurely"
            _log.info(f"serving client traffic {what}", address=str(url))
        self.server = server
        self.ready.set()


def _open_member(config: ServerConfig) -> Member:
    try:
        if not (config.data_path / LOG_PATH).exists():
            config.check_new_cluster()
        return Member.open(config.member(), UnsyncedFileOps() if config.unsafe_no_fsync else None)
    except ConfigError as error:
        raise StartError(str(error)) from error
    except (StorageError, EngineError, OSError) as error:
        raise StartError(f"the data directory cannot be opened: {error}") from error
