"""Everything that the server measures, gathered when somebody asks: ZooKeeper's metrics and our own.

Counters are read where they are counted. What `srst` resets is subtracted here, so that Prometheus, which gets them as
they are, never sees one go back.
"""

from __future__ import annotations

import gc
import os
import resource
import time
from pathlib import Path
from typing import Final, final

from zkbridge import __version__
from zkbridge.backend.interface import Backend
from zkbridge.build import is_compiled
from zkbridge.commit.ordered import OrderedCommitter
from zkbridge.protocol.four_letter import ZOOKEEPER_VERSION
from zkbridge.protocol.monitor import (
    COUNTER,
    GAUGE,
    Metric,
    Number,
    NumberSet,
    Samples,
    SummaryMetric,
    SummarySet,
    gauge,
)
from zkbridge.server.clock import wall_ms
from zkbridge.server.dispatcher import Dispatcher
from zkbridge.server.listener import Listener
from zkbridge.server.session_keeper import SessionKeeper
from zkbridge.server.statistics import ServerStatistics
from zkbridge.summary import Summary
from zkbridge.tree.quota import namespace_figures
from zkbridge.tree.replica import Replica
from zkbridge.watches.table import WatchTable

NEVER_HAPPENS: Final = (
    "cnxn_closed_without_zk_server_running",
    "connection_drop_count",
    "connection_revalidate_count",
    "digest_mismatches_count",
    "ensemble_auth_fail",
    "ensemble_auth_skip",
    "ensemble_auth_success",
    "insecure_admin_count",
    "large_requests_rejected",
    "looking_count",
    "request_throttle_wait_count",
    "restore_error_count",
    "restore_rate_limited_count",
    "revalidate_count",
    "snapshot_error_count",
    "snapshot_rate_limited_count",
    "stale_replies",
    "stale_requests",
    "stale_requests_dropped",
    "throttled_ops",
    "tls_handshake_exceeded",
    "unrecoverable_error_count",
    "unsuccessful_handshake",
)
"""Counters of things that this server does not do, so that 0 is the truth and an alert on them stays quiet."""
_NEVER: Final = "Always 0: this does not happen here."


@final
class Meters:
    """Keeps nothing but what the counters were at the last `srst`."""

    def __init__(
        self,
        replica: Replica,
        watches: WatchTable,
        listener: Listener,
        committer: OrderedCommitter,
        statistics: ServerStatistics,
        keeper: SessionKeeper,
        backend: Backend,
        dispatcher: Dispatcher,
    ) -> None:
        self._replica: Final = replica
        self._watches: Final = watches
        self._listener: Final = listener
        self._committer: Final = committer
        self._statistics: Final = statistics
        self._keeper: Final = keeper
        self._backend: Final = backend
        self._dispatcher: Final = dispatcher
        self._counted_before: dict[str, int] = {}
        self._exceeded_before: dict[str, int] = {}
        self._reply_bytes = 0
        self._opened: Final = Summary()
        self._replayed: Final = Summary()
        self._initialized: Final = Summary()

    def reset(self) -> None:
        """`srst`, but for what `ServerStatistics` resets itself."""
        self._counted_before = {name: count for name, count, _ in self._counters()}
        self._exceeded_before = dict(self._replica.quotas.exceeded)
        watches = self._watches
        for summary in (watches.created, watches.deleted, watches.changed, watches.children_changed):
            summary.reset()
        self._note_start()
        for summary in (self._opened, self._replayed, self._initialized):
            summary.reset()
        self._backend.reset_facts()

    def _note_start(self) -> None:
        """Once: how the start went."""
        facts = self._backend.facts()
        if facts is not None and not self._opened.count:
            self._opened.note(facts.open_ms)
            self._replayed.note(facts.replayed_count)
            self._initialized.note(facts.open_ms + self._statistics.load_ms.highest)

    def _counters(self) -> list[tuple[str, int, str]]:
        """Name, count since the start, what it is."""
        statistics = self._statistics
        event_bytes = self._watches.event_bytes
        # Events for connections that ended before they were sent are no loss to what replies have taken so far.
        self._reply_bytes = max(self._reply_bytes, statistics.response_sizes.total - event_bytes)
        return [
            ("connection_rejected", statistics.connections_refused_count, "Connections refused by a limit."),
            ("connection_request_count", statistics.connection_request_count, "Handshakes that clients began."),
            (
                "sessionless_connections_expired",
                statistics.sessionless_expired_count,
                "Connections closed because no session came.",
            ),
            ("stale_sessions_expired", self._keeper.expired_count, "Sessions that were silent for too long."),
            ("bytes_received_count", self._listener.received_bytes, "Bytes received from clients."),
            ("response_bytes", self._reply_bytes, "Bytes of replies."),
            ("watch_bytes", event_bytes, "Bytes of watch events."),
            ("commit_count", self._committer.decided_sequence, "Writes that the store has decided."),
        ]

    def zookeeper_metrics(self) -> list[Metric]:
        """ZooKeeper's counters and summaries that have a meaning here."""
        statistics, watches = self._statistics, self._watches
        before = self._counted_before
        metrics: list[Metric] = [
            Number(name, COUNTER, count - before.get(name, 0), count, about) for name, count, about in self._counters()
        ]
        metrics += [Number(name, COUNTER, 0, 0, _NEVER) for name in NEVER_HAPPENS]
        for event, summary in (
            ("created", watches.created),
            ("deleted", watches.deleted),
            ("changed", watches.changed),
            ("children", watches.children_changed),
        ):
            about = "Watches that one event fired, of those that fired any."
            metrics.append(SummaryMetric(f"node_{event}_watch_count", summary, False, about))
        metrics += self._store_metrics()
        metrics += self._quota_metrics()
        metrics += [
            SummaryMetric(
                "updatelatency", statistics.update_latency_ms, True, "Milliseconds from reading a write to its answer."
            ),
            SummaryMetric(
                "readlatency", statistics.read_latency_ms, True, "Milliseconds from reading a read to its answer."
            ),
            SummaryMetric(
                "jvm_pause_time_ms",
                statistics.pauses_ms,
                True,
                "Milliseconds by which the server came later than it should, looked at twice a second.",
            ),
            SummarySet("read_per_namespace", statistics.reads.summaries, "Bytes of reads by top-level znode."),
            SummarySet("write_per_namespace", statistics.writes.summaries, "Bytes of writes by top-level znode."),
            # A number, since monitors take words for nothing or for a fault.
            gauge("zkbridge_compiled", int(is_compiled()), "1 for the compiled build, 0 for the plain one."),
        ]
        return metrics

    def _quota_metrics(self) -> list[Metric]:
        """Limits and use of all quotas below each top-level znode, and what was refused because of them."""
        figures = namespace_figures(self._replica.znodes)
        exceeded = self._replica.quotas.exceeded
        before = self._exceeded_before
        metrics: list[Metric] = []
        for place, name, about in (
            (0, "quota_count_limit_per_namespace", "Znodes that the quotas below a top-level znode allow."),
            (1, "quota_bytes_limit_per_namespace", "Bytes that the quotas below a top-level znode allow."),
            (2, "quota_count_usage_per_namespace", "Znodes under the quotas below a top-level znode."),
            (3, "quota_bytes_usage_per_namespace", "Bytes under the quotas below a top-level znode."),
        ):
            values = {namespace: found[place] for namespace, found in figures.items()}
            metrics.append(NumberSet(name, GAUGE, values, values, about))
        since_reset = {namespace: count - before.get(namespace, 0) for namespace, count in exceeded.items()}
        about = "Writes refused by a hard quota, by top-level znode."
        metrics.append(NumberSet("quota_exceeded_error_per_namespace", COUNTER, since_reset, exceeded, about))
        return metrics

    def _store_metrics(self) -> list[Metric]:
        facts = self._backend.facts()
        metrics: list[Metric] = [
            SummaryMetric(
                "startup_snap_load_time",
                self._statistics.load_ms,
                False,
                "Milliseconds for reading the tree from the store at the start.",
            ),
        ]
        if facts is None:
            return metrics
        self._note_start()
        metrics += [
            SummaryMetric("fsynctime", facts.sync_ms, False, "Milliseconds for writing and syncing the log."),
            SummaryMetric("snapshottime", facts.checkpoint_ms, False, "Milliseconds for syncing the store's engine."),
            SummaryMetric(
                "startup_txns_load_time", self._opened, False, "Milliseconds for opening the store, with its log."
            ),
            SummaryMetric("startup_txns_loaded", self._replayed, False, "Log entries replayed at the start."),
            SummaryMetric("dbinittime", self._initialized, False, "Milliseconds for store and tree at the start."),
        ]
        return metrics

    def own_metrics(self) -> list[Metric]:
        """The bridge's, and those of the store under etcd's names."""
        committer, listener = self._committer, self._listener
        clients = listener.clients
        build = "compiled" if is_compiled() else "plain"
        versions = f'{{version="{__version__}",zookeeper_version="{ZOOKEEPER_VERSION}",build="{build}"}}'
        metrics: list[Metric] = [
            Samples("zkbridge_build_info", GAUGE, [(versions, "1")], "Which build runs; the value is 1."),
            gauge(
                "zkbridge_takes_writes",
                int(self._dispatcher.refusal_reason is None),
                "1 while writes are taken, 0 while they are refused, say because the disk is full.",
            ),
            gauge("zkbridge_writes_in_flight", committer.in_flight_count, "Writes that the store has not decided."),
            gauge("zkbridge_zxid", self._replica.zxid, "The last change: the store's revision."),
            gauge("zkbridge_sessions_ephemeral_owners", len(self._replica.ephemerals), "Sessions with ephemerals."),
            gauge("zkbridge_containers", len(self._replica.containers), "Container znodes."),
            gauge("zkbridge_ttl_znodes", len(self._replica.ttl_znodes), "Znodes with a time to live."),
            gauge(
                "zkbridge_connections_not_read",
                sum(1 for client in clients if not client.is_reading),
                "Connections that are not read, since their answers or the store are behind.",
            ),
            gauge(
                "zkbridge_held_request_bytes",
                sum(client.pipeline.held_bytes for client in clients),
                "Bytes of requests that wait to be answered.",
            ),
        ]
        facts = self._backend.facts()
        if facts is not None:
            metrics += [Samples(name, kind, samples, about) for name, kind, about, samples in facts.families]
        return metrics


def process_metrics() -> list[Metric]:
    """What the kernel knows of this process and Python of its garbage, under the names of Prometheus' own clients."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    cpu_s = round(usage.ru_utime + usage.ru_stime, 6)
    metrics: list[Metric] = [
        Number("process_cpu_seconds_total", COUNTER, cpu_s, cpu_s, "User and system processor time in seconds."),
        gauge("process_max_fds", resource.getrlimit(resource.RLIMIT_NOFILE)[0], "The limit of open files."),
    ]
    proc = Path("/proc/self")
    if proc.is_dir():
        pages = [int(field) for field in (proc / "statm").read_text().split()[:2]]
        page_bytes = os.sysconf("SC_PAGE_SIZE")
        metrics += [
            gauge("process_open_fds", len(os.listdir(proc / "fd")), "Open files."),
            gauge("process_virtual_memory_bytes", pages[0] * page_bytes, "Virtual memory in bytes."),
            gauge("process_resident_memory_bytes", pages[1] * page_bytes, "Resident memory in bytes."),
            gauge("process_start_time_seconds", _started_s(proc), "Start of the process, Unix time in seconds."),
        ]
    collections = [
        (f'{{generation="{number}"}}', str(stats["collections"])) for number, stats in enumerate(gc.get_stats())
    ]
    metrics.append(
        Samples("python_gc_collections_total", COUNTER, collections, "Times that a generation was collected.")
    )
    return metrics


def _started_s(proc: Path) -> float:
    """The kernel counts ticks since the machine began; the name before them may hold spaces and brackets."""
    fields = (proc / "stat").read_text().rpartition(")")[2].split()
    since_boot_s = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return round(wall_ms() / 1000 - time.clock_gettime(time.CLOCK_BOOTTIME) + since_boot_s, 2)
