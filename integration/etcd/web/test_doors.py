"""Who may come in: whitelist, origins, no gateway; the same flags on both servers. Source: reference section 1.5."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from integration.etcd.web.conftest import Pair
from integration.etcd.web.http_client import HttpClient
from integration.peers.etcd import EtcdServer, OurEtcd, RealEtcd
from integration.peers.requirements import require_program


@contextmanager
def pair_with(folder: Path, flags: Sequence[str]) -> Iterator[Pair]:
    with OurEtcd(folder / "ours", flags) as ours, RealEtcd(folder / "real", flags) as real:
        yield Pair(HttpClient(ours), HttpClient(real))


def test_only_listed_hosts_and_origins_are_served(tmp_path: Path) -> None:
    with pair_with(tmp_path, ["--host-whitelist=good.example,127.0.0.1", "--cors=http://page.example:80"]) as pair:
        for host in ("good.example", "good.example:99", "evil.example", "evil.example:99", "127.0.0.1", "[::1]:2379"):
            pair.same("GET", "/version", headers={"Host": host})
            pair.same("POST", "/v3/kv/range", "{}", headers={"Host": host})
        for origin in ("http://page.example:80", "http://page.example", "http://other.example", "null", ""):
            pair.same("GET", "/health", headers={"Origin": origin})
            pair.same("OPTIONS", "/v3/kv/range", headers={"Origin": origin})


def test_without_the_gateway_the_pages_stay(tmp_path: Path) -> None:
    with pair_with(tmp_path, ["--enable-grpc-gateway=false"]) as pair:
        for method, path in (
            ("POST", "/v3/kv/range"),
            ("POST", "/v3beta/kv/range"),
            ("GET", "/v3"),
            ("GET", "/health"),
            ("GET", "/version"),
            ("GET", "/readyz?verbose&exclude=linearizable_read&exclude=non_learner&exclude=serializable_read"),
        ):
            pair.same(method, path)


def test_an_alarm_shows_in_the_health_pages(tmp_path: Path) -> None:
    with pair_with(tmp_path, []) as pair:
        for http in (pair.ours, pair.real):
            members = http.call("/v3/cluster/member/list")["members"]
            assert isinstance(members, list)
            alarm = {"action": "ACTIVATE", "memberID": members[0]["ID"], "alarm": "CORRUPT"}
            http.call("/v3/maintenance/alarm", alarm)
        for path in ("/health", "/health?exclude=CORRUPT", "/health?serializable=true", "/livez"):
            pair.same("GET", path)
        pair.same("GET", "/readyz/data_corruption")
        for http in (pair.ours, pair.real):
            samples = http.get("/metrics").body.decode()
            assert 'alarm_type="CORRUPT"' in samples
            assert "etcd_server_health_failures 2" in samples


def test_the_whitelist_holds_over_plain_http2_too(tmp_path: Path) -> None:
    """Ours alone: etcd has no pages there without TLS."""
    with OurEtcd(tmp_path, ["--host-whitelist=127.0.0.1"]) as ours:
        for host, status in (("127.0.0.1", "200"), ("evil.example", "421")):
            curl = [require_program("curl", "curl"), "-s", "--http2-prior-knowledge", "-o", "/dev/null"]
            curl += ["-w", "%{http_code}", "-H", f"Host: {host}", f"{ours.client_url}/version"]
            assert subprocess.run(curl, capture_output=True, text=True, timeout=30, check=True).stdout == status


@pytest.mark.parametrize(("path", "first"), [("/v3/kv/range", b"100 Continue"), ("/nope", b"404 Not Found")])
def test_who_asks_before_sending_a_body_is_told(etcd: EtcdServer, path: str, first: bytes) -> None:
    """`Expect: 100-continue`, which curl sends before large bodies and waits a second for."""
    head = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    with socket.create_connection(("127.0.0.1", etcd.client_port), timeout=20) as connection:
        connection.sendall(head.encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 " + first)
        if b"100" in first:
            connection.sendall(b"{}")
            assert connection.recv(1000).startswith(b"HTTP/1.1 400 Bad Request")
