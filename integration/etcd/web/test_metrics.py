"""The names of our metrics are etcd's, and their types. Source: reference section 1.6."""

from __future__ import annotations

import re
import urllib.request
from pathlib import Path

import pytest

from etcdcore.pb import rpc_pb2 as pb
from integration.etcd.behaviour.client import Client, Refused
from integration.etcd.web.conftest import Pair
from integration.etcd.web.http_client import HttpClient, b64
from integration.peers.etcd import Etcdctl, EtcdServer, OurEtcd, RealEtcd
from integration.peers.process import free_port


class GrpcioEtcd(OurEtcd):
    """Ours on its second gRPC server."""

    def program(self) -> list[str]:
        return [*super().program(), "--grpc-server=grpcio"]


NOT_OURS = re.compile(r"go_|etcd_server_go_version")
"""Of Go itself; this server is none. DECISIONS 102."""
BUCKET = re.compile(r"_(bucket|sum|count)$")


class Family:
    """One family of a page: its type, and which labels its samples have."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.labels: set[tuple[str, ...]] = set()
        self.bounds: list[str] = []

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Family) and vars(self) == vars(other)

    def __repr__(self) -> str:
        return f"{self.kind} {sorted(self.labels)} {self.bounds}"


def families_of(page: str) -> dict[str, Family]:
    """By name, without those that have no samples."""
    found = {name: Family(kind) for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", page, re.MULTILINE)}
    for name, labels in re.findall(r"^(\w+)(?:\{(.*)\})? \S+$", page, re.MULTILINE):
        family = found.get(name) or found[BUCKET.sub("", name)]
        names = re.findall(r'(\w+)="', labels)
        if "le" in names:
            (bound,) = re.findall(r'le="([^"]+)"', labels)
            if bound not in family.bounds:
                family.bounds.append(bound)
        family.labels.add(tuple(sorted(name for name in names if name != "le")))
    return {name: family for name, family in found.items() if family.labels}


def work(server: EtcdServer) -> None:
    """Some of everything, over gRPC."""
    etcdctl = Etcdctl.of(server)
    etcdctl("put", "a", "b")
    etcdctl("get", "a")
    etcdctl("lease", "grant", "100")
    etcdctl("txn", stdin='\nput x 1\nput y 2\n\n\n')
    etcdctl("del", "a")
    etcdctl("compaction", "3", "--physical")
    etcdctl("defrag")
    etcdctl("endpoint", "hashkv")
    http = HttpClient(server)
    http.get("/health")
    http.get("/readyz")
    http.get("/metrics")


@pytest.mark.parametrize("level", ["basic", "extensive"])
def test_families_types_labels_and_bounds_are_etcds(level: str, tmp_path: Path) -> None:
    pages = []
    for server in (OurEtcd, RealEtcd):
        with server(tmp_path / server.kind, [f"--metrics={level}"]) as started:
            work(started)
            pages.append(families_of(HttpClient(started).get("/metrics").body.decode()))
    ours, real = pages
    assert {name for name in real if name not in ours and not NOT_OURS.match(name)} == set()
    assert {name for name in ours if name not in real} == set()
    differing = {name: (ours[name], real[name]) for name in ours if ours[name] != real[name]}
    assert differing == {}


def test_every_method_has_every_code_from_the_start(pair: Pair) -> None:
    shown = []
    for http in (pair.ours, pair.real):
        page = http.get("/metrics").body.decode()
        shown.append(set(re.findall(r"^(grpc_server_(?:handled|msg_\w+|started)_total\{.*\}) ", page, re.MULTILINE)))
    assert shown[1] - shown[0] == set()
    beyond = {re.findall(r'grpc_service="([^"]+)"', sample)[0] for sample in shown[0] - shown[1]}
    # Those that etcd registers behind its middleware's look, and one method of etcd 3.7.
    assert beyond <= {"v3lockpb.Lock", "v3electionpb.Election", "grpc.health.v1.Health", "etcdserverpb.KV"} | REFLECTION


REFLECTION = {"grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"}
MESSAGES = (
    ("etcdserverpb.KV", "Put", "unary"),
    ("etcdserverpb.KV", "Range", "unary"),
    ("etcdserverpb.Watch", "Watch", "bidi_stream"),
    ("etcdserverpb.Lease", "LeaseKeepAlive", "bidi_stream"),
)


@pytest.mark.parametrize("server", [OurEtcd, GrpcioEtcd, RealEtcd], ids=lambda server: str(server.__name__))
def test_messages_bytes_and_times_are_counted(server: type[EtcdServer], tmp_path: Path) -> None:
    """The same numbers from etcd, from ours, and from ours on grpcio."""
    flags = ["--metrics=extensive", f"--listen-metrics-urls=http://127.0.0.1:{(port := free_port())}"]
    with server(tmp_path / "server", flags) as started:
        client = Client(started)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            before = _numbers(answer.read().decode())
        lease = client.grant(100).ID
        for number in range(3):
            client.put(b"a", b"%d" % number)
        with pytest.raises(Refused):
            client.put(b"")
        watch = client.watch()
        watch.create(pb.WatchCreateRequest(key=b"a"))
        client.put(b"a", b"x" * 1000)
        watch.next()
        renewals = client.keep_alive()
        for _ in range(2):
            renewals.write(pb.LeaseKeepAliveRequest(ID=lease))
            renewals.read(pb.LeaseKeepAliveResponse)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            after = _numbers(answer.read().decode())
        client.close()
    moved = {name: after[name] - before.get(name, 0) for name in after}
    counted = {}
    for service, method, kind in MESSAGES:
        labels = f'grpc_method="{method}",grpc_service="{service}",grpc_type="{kind}"'
        names = ("grpc_server_started_total", "grpc_server_msg_received_total", "grpc_server_msg_sent_total")
        counted[method] = tuple(moved[f"{name}{{{labels}}}"] for name in names)
    assert counted == {"Put": (5, 5, 5), "Range": (0, 0, 0), "Watch": (1, 1, 2), "LeaseKeepAlive": (1, 2, 2)}
    assert moved["etcd_network_client_grpc_received_bytes_total"] > 1000
    assert moved["etcd_network_client_grpc_sent_bytes_total"] > 1000
    put = 'grpc_method="Put",grpc_service="etcdserverpb.KV",grpc_type="unary"'
    assert moved[f"grpc_server_handling_seconds_count{{{put}}}"] == 5
    assert moved[f"grpc_server_handling_seconds_sum{{{put}}}"] > 0


def _numbers(page: str) -> dict[str, float]:
    return {name: float(value) for name, value in re.findall(r"^(\S+) (\S+)$", page, re.MULTILINE)}


def value_of(http: HttpClient, sample: str) -> float:
    (value,) = re.findall(rf"^{re.escape(sample)} (\S+)$", http.get("/metrics").body.decode(), re.MULTILINE)
    return float(value)


def test_counters_move_alike(pair: Pair) -> None:
    """What one put, get, delete and transaction of two add."""
    samples = [
        "etcd_mvcc_put_total",
        "etcd_mvcc_delete_total",
        "etcd_mvcc_range_total",
        "etcd_mvcc_txn_total",
        "etcd_debugging_mvcc_total_put_size_in_bytes",
        "etcd_debugging_mvcc_current_revision",
        "etcd_debugging_mvcc_keys_total",
        "etcd_debugging_lease_ttl_total_sum",
        "etcd_debugging_lease_ttl_total_count",
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
