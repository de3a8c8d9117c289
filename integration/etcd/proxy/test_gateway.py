"""etcdcore gateway: bytes forwarded to whichever server is there."""

import socket
import subprocess
import sys
import time
from pathlib import Path

from integration.etcd.proxy.process import front
from integration.peers.etcd import Etcdctl, EtcdServer, OurEtcd
from integration.peers.process import wait_until


def test_etcdctl_works_through_the_gateway(etcd: EtcdServer, tmp_path: Path) -> None:
    with front(tmp_path, "gateway", [etcd]) as gateway:
        etcdctl = Etcdctl(gateway.address)
        assert etcdctl("put", "key", "value") == "OK\n"
        assert etcdctl("get", "key") == "key\nvalue\n"
        assert gateway.page("/health") == '{"health":"true","reason":""}'


def test_a_server_that_is_gone_is_left_out_and_taken_back(tmp_path: Path) -> None:
    with OurEtcd(tmp_path / "one") as one, OurEtcd(tmp_path / "two") as two:
        Etcdctl.of(one)("put", "who", "one")
        Etcdctl.of(two)("put", "who", "two")
        with front(tmp_path, "gateway", [one, two], "--retry-delay", "500ms") as gateway:
            etcdctl = Etcdctl(gateway.address)

            def who() -> str:
                return etcdctl("get", "who", "--print-value-only").strip()

            assert {who() for _ in range(4)} == {"one", "two"}
            one.kill()
            assert {who() for _ in range(4)} == {"two"}
            one.start()
            wait_until(lambda: who() == "one", 10, "the first server is used again")


def test_large_answers_and_half_closed_connections_come_whole(our_etcd: OurEtcd, tmp_path: Path) -> None:
    with front(tmp_path, "gateway", [our_etcd]) as gateway:
        etcdctl = Etcdctl(gateway.address)
        etcdctl("put", "large", stdin="v" * 1_000_000)
        assert len(etcdctl("get", "large", "--print-value-only")) == 1_000_001
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as connection:
            connection.sendall(b"GET /version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            connection.shutdown(socket.SHUT_WR)
            received = b""
            while data := connection.recv(65536):
                received += data
            assert b"200 OK" in received


def test_no_server_at_all_ends_the_connection(our_etcd: OurEtcd, tmp_path: Path) -> None:
    with front(tmp_path, "gateway", [our_etcd]) as gateway:
        our_etcd.kill()
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as connection:
            assert connection.recv(1) == b""
        our_etcd.start()


def test_it_ends_at_once_on_a_signal_and_says_what_keeps_it_from_starting(our_etcd: OurEtcd, tmp_path: Path) -> None:
    with front(tmp_path, "gateway", [our_etcd]) as gateway:
        command = [sys.executable, "-m", "etcdcore", "gateway", "start", "--listen-addr", gateway.address]
        second = subprocess.run(command, capture_output=True, text=True, timeout=30)
        assert second.returncode == 1
        assert "address already in use" in second.stderr.lower()
        assert len(second.stderr.splitlines()) == 1
        started = time.monotonic()
        assert gateway.child.terminate() == 0
        assert time.monotonic() - started < 5
