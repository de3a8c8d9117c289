"""The names of our metrics are etcd's, and their types. Source: reference section 1.6."""

from __future__ import annotations

import re
from pathlib import Path

from integration.etcd.web.conftest import Pair
from integration.etcd.web.http_client import HttpClient, b64
from integration.peers.etcd import Etcdctl, OurEtcd, RealEtcd

WITH_LABELS_ONLY = {
    # Vectors that have no child in a cluster of one without alarms, so that etcd does not name them.
    "etcd_debugging_server_alarms",
    "etcd_network_active_peers",
    "etcd_network_disconnected_peers_total",
    "etcd_network_peer_received_bytes_total",
    "etcd_network_peer_received_failures_total",
    "etcd_network_peer_round_trip_time_seconds",
    "etcd_network_peer_sent_bytes_total",
    "etcd_network_peer_sent_failures_total",
    "etcd_network_snapshot_receive_failures",
    "etcd_network_snapshot_receive_success",
    "etcd_network_snapshot_send_failures",
    "etcd_network_snapshot_send_success",
    "etcd_server_learner_promote_failures",
}
NOT_OURS = re.compile(
    r"go_|promhttp_|process_network_|process_virtual_memory_max_bytes|etcd_server_go_version"  # Go's and its library's
    r"|etcd_grpc_proxy_"  # of the proxy alone, which has its own page
    r"|etcd_debugging_store_"  # of the v2 store
    r"|etcd_debugging_snap_|etcd_snap_|etcd_debugging_disk_backend_commit_"  # of files that we do not have
    r"|etcd_debugging_mvcc_index_compaction_pause_duration_milliseconds"
    r"|etcd_debugging_lease_ttl_total|etcd_network_known_peers|grpc_server_msg_"
)


def types_of(http: HttpClient) -> dict[str, str]:
    answer = http.get("/metrics")
    assert answer.status == 200
    return dict(re.findall(r"^# TYPE (\S+) (\S+)$", answer.body.decode(), re.MULTILINE))


def value_of(http: HttpClient, sample: str) -> float:
    (value,) = re.findall(rf"^{re.escape(sample)} (\S+)$", http.get("/metrics").body.decode(), re.MULTILINE)
    return float(value)


def test_each_of_our_metrics_is_etcds_with_the_same_type(pair: Pair) -> None:
    for http in (pair.ours, pair.real):
        http.call("/v3/kv/put", {"key": b64("a")})
        http.get("/readyz")
    ours, real = types_of(pair.ours), types_of(pair.real)
    for name, kind in ours.items():
        assert name in WITH_LABELS_ONLY or real.get(name) == kind, (name, kind, real.get(name))


def test_what_etcd_shows_and_we_do_not_is_listed_with_its_reason(pair: Pair) -> None:
    missing = [name for name in types_of(pair.real) if name not in types_of(pair.ours) and not NOT_OURS.match(name)]
    assert not missing


def test_counters_move_alike(pair: Pair) -> None:
    """What one put, get, delete and transaction of two add."""
    samples = [
        "etcd_mvcc_put_total",
        "etcd_mvcc_delete_total",
        "etcd_mvcc_range_total",
        "etcd_mvcc_txn_total",
        "etcd_debugging_mvcc_total_put_size_in_bytes",
        "etcd_debugging_mvcc_current_revision",
        "etcd_debugging_lease_granted_total",
        "etcd_debugging_lease_revoked_total",
        'grpc_server_started_total{grpc_method="Put",grpc_service="etcdserverpb.KV",grpc_type="unary"}',
        'grpc_server_handled_total{grpc_code="OK",grpc_method="Put",grpc_service="etcdserverpb.KV",grpc_type="unary"}',
    ]
    changes = []
    for http in (pair.ours, pair.real):
        http.call("/v3/kv/put", {"key": b64("first")})
        before = [value_of(http, sample) for sample in samples]
        http.call("/v3/kv/put", {"key": b64("a"), "value": b64("12345")})
        http.call("/v3/kv/range", {"key": b64("a")})
        http.call("/v3/kv/deleterange", {"key": b64("a")})
        operations = [{"request_put": {"key": b64("b")}}, {"request_put": {"key": b64("c")}}]
        http.call("/v3/kv/txn", {"success": operations})
        http.call("/v3/lease/grant", {"ID": "77", "TTL": "60"})
        http.call("/v3/lease/revoke", {"ID": "77"})
        changes.append([value_of(http, sample) - old for sample, old in zip(samples, before, strict=True)])
    assert dict(zip(samples, changes[0], strict=True)) == dict(zip(samples, changes[1], strict=True))


def test_watchers_are_counted_while_they_watch(http: HttpClient) -> None:
    with http.stream("/v3/watch", {"create_request": {"key": b64("k")}}) as stream:
        stream.next_line()
        assert value_of(http, "etcd_debugging_mvcc_watcher_total") == 1
        assert value_of(http, "etcd_debugging_mvcc_watch_stream_total") == 1
        http.call("/v3/kv/put", {"key": b64("k")})
        stream.next_line()
        assert value_of(http, "etcd_debugging_mvcc_events_total") == 1


def test_etcdctl_reads_the_memory_from_the_page(our_etcd: OurEtcd, tmp_path: Path) -> None:
    """`check datascale` asks `/metrics` for it before and after."""
    answer = Etcdctl.of(our_etcd).run("check", "datascale", "--load", "s", timeout_s=120)
    assert answer.status == 0, answer.errors
    assert "PASS: Approximate system memory used" in answer.output + answer.errors


def test_extensive_metrics_time_every_call(tmp_path: Path) -> None:
    labels = 'grpc_method="Put",grpc_service="etcdserverpb.KV",grpc_type="unary"'
    bounds = []
    for server in (OurEtcd, RealEtcd):
        with server(tmp_path / server.kind, ["--metrics=extensive"]) as started:
            http = HttpClient(started)
            http.call("/v3/kv/put", {"key": b64("a")})
            Etcdctl.of(started)("put", "b", "c")
            assert value_of(http, f"grpc_server_handling_seconds_count{{{labels}}}") == 2
            page = http.get("/metrics").body.decode()
            bounds.append(
                re.findall(rf'^grpc_server_handling_seconds_bucket{{{labels},le="(.*)"}}', page, re.MULTILINE)
            )
    assert bounds[0] == bounds[1]
