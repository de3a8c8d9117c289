"""`/metrics`: what is counted everywhere else, under etcd's names, collected when somebody asks.

Differs from etcd: `apply_duration_seconds` has one observation for each log entry (`op="Batch"`), which holds all
commands of one turn of the loop; of ranges one in 16 is timed; requests are not counted by the version of their client;
the write of the log and its sync are one system call, so both histograms show it.
Families that only a member with peers has samples for are named without any. Source: reference section 1.6.
"""

import asyncio
from typing import Final, final

from etcdcore.config import ETCD_VERSION, FEATURE_GATES, ServerConfig
from etcdcore.member.member import Member
from etcdcore.rpc.calls import MethodTable
from etcdcore.rpc.http import HttpResponse
from etcdcore.web.facts import ServerFacts
from etcdcore.web.grpc_metrics import add_grpc_metrics, is_stream
from etcdcore.web.health import HealthCounts
from etcdcore.web.metrics_text import CONTENT_TYPE, MetricsText
from etcdcore.web.process_metrics import add_process_metrics, wall_s
from etcdcore.web.still_metrics import add_still_metrics

_BETA_GATES: Final = frozenset({"TxnModeWriteWithSharedBuffer"})
_ALARM_NAMES: Final = {1: "NOSPACE", 2: "CORRUPT"}
_WITH_PEERS: Final = (
    ("peer_sent_bytes_total", "counter", "The total number of bytes sent to peers."),
    ("peer_received_bytes_total", "counter", "The total number of bytes received from peers."),
    ("peer_sent_failures_total", "counter", "The total number of send failures from peers."),
    ("peer_received_failures_total", "counter", "The total number of receive failures from peers."),
    ("peer_round_trip_time_seconds", "histogram", "Round-Trip-Time histogram between peers"),
    ("active_peers", "gauge", "The current number of active peer connections."),
    ("disconnected_peers_total", "counter", "The total number of disconnected peers."),
    ("snapshot_send_success", "counter", "Total number of successful snapshot sends"),
    ("snapshot_send_failures", "counter", "Total number of snapshot send failures"),
    ("snapshot_receive_success", "counter", "Total number of successful snapshot receives"),
    ("snapshot_receive_failures", "counter", "Total number of snapshot receive failures"),
)


@final
class MetricsPage:
    def __init__(
        self, config: ServerConfig, member: Member, table: MethodTable, facts: ServerFacts, health: HealthCounts
    ) -> None:
        self._config: Final = config
        self._member: Final = member
        self._table: Final = table
        self._facts: Final = facts
        self._health: Final = health
        self._scrape_count = 0

    def answer(self) -> HttpResponse:
        page = self.render().encode()
        self._scrape_count += 1
        return HttpResponse(200, {"Content-Type": CONTENT_TYPE}, page)

    def render(self) -> str:
        metrics = MetricsText()
        self._add_server(metrics)
        self._add_proposals(metrics)
        self._add_requests(metrics)
        self._add_health(metrics)
        self._add_disk(metrics)
        self._add_store(metrics)
        self._add_leases(metrics)
        add_grpc_metrics(metrics, self._table)
        add_still_metrics(metrics)
        self._add_scrapes(metrics)
        member_id = f"{self._member.member_id:x}"
        metrics.family(
            "etcd_network_known_peers",
            "gauge",
            "The current number of known peers.",
            [({"Local": member_id, "Remote": f"{peer.member_id:x}"}, 1) for peer in self._member.admin.members()],
        )
        for name, kind, about in _WITH_PEERS:
            metrics.family(f"etcd_network_{name}", kind, about, ())
        add_process_metrics(metrics)
        return metrics.text

    def _add_server(self, metrics: MetricsText) -> None:
        member, facts = self._member, self._facts
        cluster, _ = facts.versions()
        known = "Which version is running. 1 for '{}_version' label with current {}version"
        metrics.family(
            "etcd_cluster_version",
            "gauge",
            known.format("cluster", "cluster "),
            [({"cluster_version": cluster.rpartition(".")[0]}, 1)] if cluster else [],
        )
        metrics.family(
            "etcd_server_version", "gauge", known.format("server", ""), [({"server_version": ETCD_VERSION}, 1)]
        )
        metrics.family(
            "etcd_server_id",
            "gauge",
            "Server or member ID in hexadecimal format. 1 for 'server_id' label with current ID.",
            [({"server_id": f"{member.member_id:x}"}, 1)],
        )
        metrics.gauge(
            "etcd_server_has_leader",
            "Whether or not a leader exists. 1 is existence, 0 is not.",
            int(facts.has_leader()),
        )
        metrics.gauge(
            "etcd_server_is_leader",
            "Whether or not this member is a leader. 1 if is, 0 otherwise.",
            int(member.is_leader),
        )
        metrics.gauge(
            "etcd_server_is_learner",
            "Whether or not this member is a learner. 1 if is, 0 otherwise.",
            int(facts.is_learner()),
        )
        metrics.counter(
            "etcd_server_leader_changes_seen_total", "The number of leader changes seen.", member.counts.leader_changes
        )
        metrics.gauge(
            "etcd_server_quota_backend_bytes",
            "Current backend storage quota size in bytes.",
            self._config.quota_bytes,
        )
        gates = self._config.feature_gates
        metrics.family(
            "etcd_server_feature_enabled",
            "gauge",
            "Whether or not a feature is enabled. 1 is enabled, 0 is not.",
            [
                ({"name": gate, "stage": "BETA" if gate in _BETA_GATES else "ALPHA"}, int(gate in gates))
                for gate in FEATURE_GATES
            ],
        )
        member_id = f"{member.member_id:x}"
        metrics.family(
            "etcd_debugging_server_alarms",
            "gauge",
            "Alarms for every member in cluster. 1 for 'server_id' label with current ID. 2 for 'alarm_type' label "
            "with type of this alarm",
            [
                ({"server_id": member_id, "alarm_type": _ALARM_NAMES.get(alarm, "UNKNOWN")}, 1)
                for alarm in facts.alarms()
            ],
        )
        metrics.family("etcd_server_learner_promote_failures", "counter", "The total number of failed promotions.", ())
        metrics.counter("etcd_server_learner_promote_successes", "The total number of successful promotions.", 0)

    def _add_proposals(self, metrics: MetricsText) -> None:
        member, status, counts = self._member, self._member.raft_status(), self._member.counts
        about = "The total number of consensus proposals {}."
        metrics.gauge("etcd_server_proposals_committed_total", about.format("committed"), status.commit)
        metrics.gauge("etcd_server_proposals_applied_total", about.format("applied"), member.applied_index)
        metrics.gauge(
            "etcd_server_proposals_pending", "The current number of pending proposals to commit.", member.pending_count
        )
        metrics.counter(
            "etcd_server_proposals_failed_total",
            "The total number of failed proposals seen.",
            counts.proposals_failed,
        )
        metrics.counter(
            "etcd_server_read_indexes_failed_total",
            "The total number of failed read indexes seen.",
            counts.read_indexes_failed,
        )
        metrics.counter(
            "etcd_server_slow_read_indexes_total",
            "The total number of pending read indexes not in sync with leader's or timed out read index requests.",
            counts.read_indexes_slow,
        )
        metrics.counter(
            "etcd_server_slow_apply_total",
            "The total number of slow apply requests (likely overloaded from slow disk).",
            counts.slow_apply_count,
        )
        metrics.counter(
            "etcd_server_heartbeat_send_failures_total",
            "The total number of leader heartbeat send failures (likely overloaded from slow disk).",
            0,
        )
        metrics.gauge(
            "etcd_server_snapshot_apply_in_progress_total",
            "1 if the server is applying the incoming snapshot. 0 if none.",
            0,
        )
        metrics.histogram(
            "etcd_server_apply_duration_seconds",
            "The latency distributions of applying a log entry.",
            [({"op": "Batch", "success": "true", "version": "v3"}, counts.apply_s)],
        )

    def _add_requests(self, metrics: MetricsText) -> None:
        started = {"unary": 0, "stream": 0}
        for path, count in self._table.started.items():
            started["stream" if is_stream(path) else "unary"] += count
        metrics.family(
            "etcd_server_client_requests_total",
            "counter",
            "The total number of client requests per client version.",
            [({"client_api_version": "unknown", "type": kind}, count) for kind, count in started.items()],
        )
        metrics.histogram(
            "etcd_server_range_duration_seconds",
            "The latency distributions of ranges, of which one in so many is timed.",
            [({"success": "true"}, self._member.counts.range_s)],
        )
        metrics.gauge(
            "etcd_debugging_auth_revision", "The current revision of auth store.", self._facts.auth_revision()
        )

    def _add_health(self, metrics: MetricsText) -> None:
        health = self._health
        metrics.counter("etcd_server_health_success", "The total number of successful health checks", health.successes)
        metrics.counter("etcd_server_health_failures", "The total number of failed health checks", health.failures)
        metrics.family(
            "etcd_server_healthcheck",
            "gauge",
            "The result of each kind of healthcheck.",
            [({"name": check, "type": kind}, result) for (kind, check), result in health.results.items()],
        )
        metrics.family(
            "etcd_server_healthchecks_total",
            "counter",
            "The total number of each kind of healthcheck.",
            [
                ({"name": check, "status": status, "type": kind}, count)
                for (kind, check, status), count in health.checks.items()
            ],
        )

    def _add_disk(self, metrics: MetricsText) -> None:
        counts, log = self._member.counts, self._member.log_writer
        metrics.histogram(
            "etcd_disk_wal_fsync_duration_seconds",
            "The latency distributions of fsync called by WAL.",
            [({}, log.write_s)],
        )
        metrics.histogram(
            "etcd_disk_wal_write_duration_seconds",
            "The latency distributions of write and fsync called by WAL.",
            [({}, log.write_s)],
        )
        metrics.gauge("etcd_disk_wal_write_bytes_total", "Total number of bytes written in WAL.", log.byte_count)
        metrics.histogram(
            "etcd_disk_backend_commit_duration_seconds",
            "The latency distributions of commit called by backend.",
            [({}, counts.commit_s)],
        )
        # LMDB writes its pages in the commit, and does nothing else there.
        metrics.histogram(
            "etcd_debugging_disk_backend_commit_write_duration_seconds",
            "The latency distributions of commit.write called by bboltdb backend.",
            [({}, counts.commit_s)],
        )
        metrics.histogram(
            "etcd_snap_fsync_duration_seconds",
            "The latency distributions of fsync called by snap.",
            [({}, counts.marker_s)],
        )
        metrics.histogram(
            "etcd_debugging_snap_save_total_duration_seconds",
            "The total latency distributions of save called by snapshot.",
            [({}, counts.marker_s)],
        )
        metrics.histogram(
            "etcd_disk_backend_snapshot_duration_seconds",
            "The latency distribution of backend snapshots.",
            [({}, counts.snapshot_s)],
        )
        metrics.histogram(
            "etcd_disk_backend_defrag_duration_seconds",
            "The latency distribution of backend defragmentation.",
            [({}, counts.defragment_s)],
        )
        metrics.gauge(
            "etcd_disk_defrag_inflight",
            "Whether or not defrag is active on the member. 1 means active, 0 means not.",
            min(counts.defragment_count, 1),
        )

    def _add_store(self, metrics: MetricsText) -> None:
        store, counts = self._member.store, self._member.store_counts
        allocated, used = store.engine.size()
        about = "Total size of the underlying database {} in bytes."
        metrics.gauge("etcd_mvcc_db_total_size_in_bytes", about.format("physically allocated"), allocated)
        metrics.gauge("etcd_mvcc_db_total_size_in_use_in_bytes", about.format("logically in use"), used)
        metrics.gauge(
            "etcd_mvcc_db_open_read_transactions",
            "The number of currently open read transactions",
            store.engine.open_read_count(),
        )
        for name, plural, count in (
            ("put", "puts", counts.put_count),
            ("delete", "deletes", counts.delete_count),
            ("range", "ranges", counts.range_count),
            ("txn", "txns", counts.txn_count),
        ):
            metrics.counter(f"etcd_mvcc_{name}_total", f"Total number of {plural} seen by this member.", count)
        metrics.histogram(
            "etcd_mvcc_hash_duration_seconds",
            "The latency distribution of storage hash operation.",
            [({}, self._member.counts.hash_s)],
        )
        metrics.histogram(
            "etcd_mvcc_hash_rev_duration_seconds",
            "The latency distribution of storage hash by revision operation.",
            [({}, self._member.counts.hash_revision_s)],
        )
        member_counts = self._member.counts
        metrics.histogram(
            "etcd_debugging_mvcc_db_compaction_pause_duration_milliseconds",
            "Bucketed histogram of db compaction pause duration.",
            [({}, member_counts.compaction_step_ms)],
        )
        metrics.histogram(
            "etcd_debugging_mvcc_db_compaction_total_duration_milliseconds",
            "Bucketed histogram of db compaction total duration.",
            [({}, member_counts.compaction_ms)],
        )
        metrics.counter(
            "etcd_debugging_mvcc_db_compaction_keys_total",
            "Total number of db keys compacted.",
            member_counts.compacted_keys,
        )
        metrics.gauge(
            "etcd_debugging_mvcc_db_compaction_last",
            "The unix time of the last db compaction. Resets to 0 on start.",
            int(wall_s(member_counts.compacted_at_s, asyncio.get_running_loop().time())),
        )
        metrics.gauge("etcd_debugging_mvcc_keys_total", "Total number of keys.", len(store.index) - len(store.deleted))
        metrics.gauge("etcd_debugging_mvcc_current_revision", "The current revision of store.", store.current_revision)
        metrics.gauge(
            "etcd_debugging_mvcc_compact_revision",
            "The revision of the last compaction in store.",
            max(store.compacted_revision, 0),
        )
        hub = self._member.watch_hub
        metrics.gauge("etcd_debugging_mvcc_watch_stream_total", "Total number of watch streams.", hub.stream_count)
        metrics.gauge("etcd_debugging_mvcc_watcher_total", "Total number of watchers.", hub.watcher_count)
        metrics.gauge(
            "etcd_debugging_mvcc_slow_watcher_total", "Total number of unsynced slow watchers.", hub.unsynced_count
        )
        metrics.counter(
            "etcd_debugging_mvcc_events_total", "Total number of events sent by this member.", hub.event_count
        )
        metrics.gauge(
            "etcd_debugging_mvcc_pending_events_total",
            "Total number of pending events to be sent.",
            hub.count_pending(),
        )
        metrics.gauge(
            "etcd_debugging_mvcc_total_put_size_in_bytes",
            "The total size of put kv pairs seen by this member.",
            counts.put_bytes,
        )

    def _add_leases(self, metrics: MetricsText) -> None:
        counts = self._member.store_counts
        for name, count in (
            ("granted", counts.lease_granted_count),
            ("renewed", counts.lease_renewed_count),
            ("revoked", counts.lease_revoked_count),
        ):
            metrics.counter(f"etcd_debugging_lease_{name}_total", f"The total number of {name} leases.", count)
        metrics.counter(
            "etcd_debugging_server_lease_expired_total",
            "The total number of expired leases.",
            self._member.counts.lease_expired_count,
        )
        metrics.histogram(
            "etcd_debugging_lease_ttl_total", "Bucketed histogram of lease TTLs.", [({}, counts.lease_ttl_s)]
        )

    def _add_scrapes(self, metrics: MetricsText) -> None:
        """As Prometheus' own handler tells them: this scrape is in flight, and counted once it is answered."""
        metrics.gauge(
            "promhttp_metric_handler_requests_in_flight", "Current number of scrapes being served.", 1
        )
        metrics.family(
            "promhttp_metric_handler_requests_total",
            "counter",
            "Total number of scrapes by HTTP status code.",
            [({"code": "200"}, self._scrape_count), ({"code": "500"}, 0), ({"code": "503"}, 0)],
        )
