"""Wiring, start and end of one bridge. Read this first.

Start: open the store (lock, replay) -> load the replica -> take over the fence -> listen.
End (SIGTERM, SIGINT), in this order and nowhere else: stop accepting -> answer what is in flight -> close the
connections -> stop the store (sync, checkpoint, unlock) -> exit 0.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import resource
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, final

import structlog
import uvloop

from zkbridge.backend.embedded import BackendError, open_embedded
from zkbridge.backend.interface import Backend
from zkbridge.commit.ordered import OrderedCommitter
from zkbridge.config import Config
from zkbridge.keyspace.changes import load_changes
from zkbridge.keyspace.keys import FORMAT_VERSION, Keyspace
from zkbridge.keyspace.records import KeyspaceError, encode_format
from zkbridge.plan.plan import OP_SET_DATA, Plan
from zkbridge.server.clock import monotonic_ms, wall_ms
from zkbridge.server.dispatcher import Dispatcher
from zkbridge.server.feed import RevisionFeed
from zkbridge.server.four_letter_facts import LiveDesk, LiveFacts
from zkbridge.server.listener import Listener
from zkbridge.server.pauses import note_pauses
from zkbridge.server.pipeline import Intake
from zkbridge.server.read_requests import ReadRequests
from zkbridge.server.reaper import Reaper
from zkbridge.server.session_keeper import SessionKeeper
from zkbridge.server.start_report import WaitReport, report_wait
from zkbridge.server.statistics import ServerStatistics
from zkbridge.server.write_requests import WriteRequests
from zkbridge.sessions.table import SessionTable
from zkbridge.tree.overlay import Overlay
from zkbridge.tree.replica import Replica
from zkbridge.watches.table import WatchTable

if TYPE_CHECKING:
    from zkbridge.admin.http_port import HttpPort

_log = structlog.get_logger()

LOAD_PAGE: Final = 10_000
START_PATIENCE_S: Final = 2.0
DRAIN_TIMEOUT_S: Final = 10.0
"""How long the end waits for writes in flight; their clients see a closed connection after it."""

SPARE_DESCRIPTORS: Final = 64
"""Descriptors kept for files and the like when connections are limited by the process's limit."""

SWITCH_INTERVAL_S: Final = 0.0002
"""How long the loop may keep the interpreter from the log's thread when that comes back from its sync. Under Python's
default, 5 ms, a loaded server's groups took 12 ms in the median; so they take 1.4 ms."""

GARBAGE_THRESHOLDS: Final = (50_000, 20, 1000)
"""The tree is millions of objects without cycles: the default thresholds would have the collector walk it all day."""


@final
class Bridge:
    """Every room of one bridge, wired."""

    def __init__(self, config: Config, backend: Backend) -> None:
        self._config: Final = config
        self._backend: Final = backend
        self._keyspace: Final = Keyspace(config.prefix.encode())
        self.replica: Final = Replica()
        if config.leader is not None:
            self.replica.show_config(config.leader.config_text.encode(), config.leader.version, wall_ms())
        self.watches: Final = WatchTable()
        overlay = Overlay(self.replica)
        statistics = self.statistics = ServerStatistics(wall_ms())
        sessions = SessionTable(
            config.tick_time_ms, config.min_session_timeout_ms, config.max_session_timeout_ms, monotonic_ms()
        )
        auth_rules = config.auth_rules()
        self.committer: Final = OrderedCommitter(backend, overlay, self._keyspace.fence_key)
        self.keeper: Final = SessionKeeper(
            backend,
            self.committer,
            overlay,
            self.replica,
            sessions,
            self._keyspace,
            config.tick_time_ms,
            config.server_id,
            config.extended_types,
            config.enforce_quota,
            config.digest_enabled,
        )
        dispatcher = Dispatcher(
            backend,
            self.replica,
            ReadRequests(self.replica, self.watches, statistics.reads),
            WriteRequests(overlay, config.reconfig_enabled),
            self.committer,
            self.keeper,
            auth_rules,
            statistics,
        )
        self.committer.audience = dispatcher
        self.listener: Final = Listener(
            dispatcher,
            self.keeper,
            self.watches,
            statistics,
            auth_rules,
            config.jute_maxbuffer,
            _connections_max(config.max_cnxns),
            config.max_client_cnxns,
            config.sessionless_timeout_ms,
            Intake(self.committer, config.global_outstanding_limit),
            config.client_keep_alive,
        )
        facts = self.facts = LiveFacts(
            config,
            self.replica,
            self.watches,
            sessions,
            self.listener,
            self.committer,
            statistics,
            self.keeper,
            backend,
            dispatcher,
        )
        self.listener.four_letter = LiveDesk(facts, config.whitelist)
        self.feed: Final = RevisionFeed(
            self.replica,
            self.watches,
            self.committer,
            dispatcher,
            self.keeper,
            self._keyspace,
            self.listener,
            statistics,
        )
        self.reaper: Final = Reaper(
            self.committer,
            overlay,
            self.replica,
            self._keyspace,
            config.container_check_interval_ms,
            config.container_max_per_minute,
            config.container_max_never_used_ms,
        )

    async def serve(self, stop: asyncio.Event) -> None:
        """Serves until `stop` is set, then ends in order."""
        async with asyncio.TaskGroup() as group:
            store = group.create_task(self._backend.serve(), name="store")
            ports: list[HttpPort] = []
            try:
                started_ms = monotonic_ms()
                if not await self.start(stop):
                    return
                ports = await self._open_monitoring()
                await self._listen(started_ms)
                keepers = [
                    group.create_task(self.keeper.serve(), name="session keeper"),
                    group.create_task(self.keeper.log.serve(), name="session log"),
                    group.create_task(self.listener.serve(), name="silent connections"),
                    group.create_task(self.reaper.serve(), name="reaper"),
                    group.create_task(note_pauses(self.statistics.pauses_ms), name="pauses"),
                ]
                await stop.wait()
                await self._drain()
                for task in keepers:
                    task.cancel()
            finally:
                for port in ports:
                    await port.close()
                await self._backend.stop()
            await store

    async def start(self, stop: asyncio.Event) -> bool:
        """Loads the replica and becomes the writer; the port is still closed. False if `stop` was set meanwhile."""
        if not await self._wait_writable(stop):
            return False
        prefix = self._keyspace.prefix
        began_ms = monotonic_ms()
        revision = self._backend.subscribe(self.feed, prefix)
        pages = self._backend.load(prefix, revision, LOAD_PAGE)
        has_format = await load_changes(pages, self.replica, self._keyspace, revision)
        self.statistics.load_ms.note(monotonic_ms() - began_ms)
        self.keeper.restored()
        self.feed.loaded()
        self.committer.take_over()
        while not await self.feed.wait_writer():
            if not await self._wait_writable(stop):
                return False
            self.committer.take_over()
        if not has_format:
            self._write_format()
        gc.collect()
        gc.freeze()
        return True

    async def _wait_writable(self, stop: asyncio.Event) -> bool:
        """A store that takes no writes (its disk is full, say) is waited for; False when `stop` is set before."""
        told: WaitReport | None = None
        started_ms = monotonic_ms()
        while not stop.is_set():
            try:
                async with asyncio.timeout(START_PATIENCE_S):
                    await self._backend.wait_writable()
                return True
            except TimeoutError:
                found = report_wait(self._backend.is_out_of_room())
                if found != told:
                    told = found
                    getattr(_log, found.level)(
                        found.event,
                        reason=found.reason,
                        cure=found.cure,
                        waited_ms=monotonic_ms() - started_ms,
                        free_bytes=_free_bytes(self._config.data_dir),
                    )
        self.feed.ending()
        return False

    def _write_format(self) -> None:
        """Marks the tree with the schema version that its keys have; the loader has refused an unknown one."""
        record = (self._keyspace.format_key, encode_format(FORMAT_VERSION), 0)
        self.committer.submit(Plan(OP_SET_DATA, 0, None, [], [record], [], []))

    async def _listen(self, started_ms: int) -> None:
        config = self._config
        try:
            host, port = await self.listener.listen(config.client_host, config.client_port, config.client_backlog)
        except OSError as error:
            wanted = f"{config.client_host or '*'}:{config.client_port}"
            raise OSError(
                f"clients can't be served at {wanted}: {error.strerror or error}; give another address by "
                "--client-addr (in a zoo.cfg clientPort, clientPortAddress, server.N)"
            ) from error
        _log.info(
            "server_started",
            client_addr=f"{host}:{port}",
            zxid=hex(self.replica.zxid),
            znodes=len(self.replica.znodes),
            sessions=len(self.replica.sessions),
            duration_ms=monotonic_ms() - started_ms,
        )

    async def _open_monitoring(self) -> list[HttpPort]:
        """The AdminServer and the metrics port, where they are asked for; before clients come, since one that can't be
        had is the end."""
        admin, metrics = self._config.admin, self._config.metrics
        if admin is None and metrics is None:
            return []
        # Late: a bridge without them does not wait for the HTTP library.
        from zkbridge.admin.ports import open_ports

        return await open_ports(admin, metrics, self.facts, self._config.auth_rules())

    async def _drain(self) -> None:
        _log.info("server_stopping", in_flight=self.committer.in_flight_count)
        self.listener.stop_accepting()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_TIMEOUT_S):
                await self.feed.wait_decided()
        self.listener.flush_dirty()
        self.listener.close_clients()
        self.feed.ending()


def _free_bytes(directory: Path) -> int:
    """What an ordinary user may still write there; -1 if nobody knows."""
    try:
        disk = os.statvfs(directory)
    except OSError:
        return -1
    return disk.f_bavail * disk.f_frsize


def _connections_max(configured: int) -> int:
    """What the descriptor limit allows, raised as far as it goes; less if the configuration says so."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
    allowed = max(soft - SPARE_DESCRIPTORS, 1)
    return min(configured, allowed) if configured else allowed


async def _serve(config: Config) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    backend = open_embedded(config.data_dir, config.compaction_retention_s, config.wal_segment_bytes, config.etcd_addr)
    for fact in backend.opening_facts():
        getattr(_log, fact.level)(fact.event, **fact.fields)
    bridge = Bridge(config, backend)
    if not config.etcd_addr:
        await bridge.serve(stop)
        return
    async with asyncio.TaskGroup() as group:
        group.create_task(backend.serve_etcd(stop, _etcd_serving), name="etcd port")
        await bridge.serve(stop)


def _etcd_serving(addresses: list[str]) -> None:
    _log.info("etcd_port_opened", etcd_addr=addresses)


def _leaves(errors: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    """What is inside, and inside of groups inside."""
    found: list[BaseException] = []
    for error in errors.exceptions:
        found += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found


def run(config: Config) -> int:
    """Serves until a signal. Returns the exit status."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    status = 0
    try:
        uvloop.run(_serve(config))
    except* (BackendError, KeyspaceError, OSError) as group:
        status = 1
        for error in _leaves(group):
            _log.error("server_failed", reason=str(error))
    if status == 0:
        _log.info("server_stopped")
    return status
