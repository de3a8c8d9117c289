"""A server's life as a process: started wrongly, stopped under load, killed, asked twice to end."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from etcdcore.client import Client, EtcdError, connect
from etcdcore.client.remote import RemoteChannel
from etcdcore.client.requests import watch
from etcdcore.pb import rpc_pb2
from integration.peers.etcd import TARGETS, Etcdctl, EtcdServer, OurEtcd, target_names
from integration.peers.process import free_port, wait_until

WRITERS = 20


def _log_lines(server: EtcdServer) -> list[dict[str, object]]:
    lines = server.child.log_path.read_text().splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


async def _load(client: Client, acknowledged: dict[str, str], writer: int) -> None:
    number = 0
    while True:
        key, value = f"w{writer}/{number}", f"{writer}.{number}"
        try:
            await client.put(key, value, timeout_s=5)
        except EtcdError:
            return
        acknowledged[key] = value
        number += 1


async def _all_values(address: str) -> dict[str, str]:
    async with connect(address) as client:
        found = await client.get("w", prefix=True)
        return {pair.key.decode(): pair.value.decode() for pair in found.kvs}


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_server_that_ends_under_load_loses_nothing_that_it_acknowledged(
    our_etcd: OurEtcd, ending: signal.Signals
) -> None:
    acknowledged: dict[str, str] = {}

    async def story() -> None:
        async with connect(our_etcd.client_url) as client, asyncio.TaskGroup() as group:
            for writer in range(WRITERS):
                group.create_task(_load(client, acknowledged, writer))
            await asyncio.sleep(1.5)
            os.kill(our_etcd.child.pid, ending)

    asyncio.run(story())
    process = our_etcd.child.process
    assert process is not None
    assert process.wait(30) == -ending, "the signal is raised again, as etcd does"
    assert len(acknowledged) > WRITERS
    our_etcd.start()
    found = asyncio.run(_all_values(our_etcd.client_url))
    assert {key: found.get(key) for key in acknowledged} == acknowledged


@pytest.mark.parametrize("target", target_names())
def test_a_watch_is_cut_as_unavailable_when_its_server_ends(target: str, tmp_path: Path) -> None:
    with TARGETS[target](tmp_path / "server") as server:

        async def story() -> float:
            channel = RemoteChannel([server.client_url], None)
            try:
                stream = channel.stream("/etcdserverpb.Watch/Watch", {})
                await stream.send(rpc_pb2.WatchRequest(create_request=watch("a")).SerializeToString())
                await stream.receive()
                started_s = time.monotonic()
                os.kill(server.child.pid, signal.SIGTERM)
                with pytest.raises(EtcdError) as caught:
                    while await stream.receive() is not None:
                        pass
                assert caught.value.code == 14
                return time.monotonic() - started_s
            finally:
                await channel.close()

        assert asyncio.run(story()) < 10
        assert server.child.process is not None
        assert server.child.process.wait(20) == -signal.SIGTERM


def test_a_second_signal_changes_nothing(our_etcd: OurEtcd) -> None:
    Etcdctl.of(our_etcd)("put", "a", "b")
    process = our_etcd.child.process
    assert process is not None
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
        process.send_signal(number)
    assert process.wait(20) == -signal.SIGTERM
    assert "server stopped" in [line["msg"] for line in _log_lines(our_etcd)]


@pytest.mark.parametrize("target", target_names())
def test_the_lines_that_tools_wait_for_are_in_the_log_with_zaps_keys(target: str, tmp_path: Path) -> None:
    with TARGETS[target](tmp_path / "server") as server:
        lines = _log_lines(server)
        assert all({"level", "ts", "caller", "msg"} <= line.keys() for line in lines)
        messages = [str(line["msg"]) for line in lines]
        for wanted in ("ready to serve client requests", "published local member to cluster through raft"):
            assert wanted in messages
        assert any(message.startswith("serving client traffic insecurely") for message in messages)


def _start(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ETCD_")}
    environment["PYTHONPATH"] = str(Path(__file__).parents[3])
    command = [sys.executable, "-m", "etcdcore", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=30)


def _ports(client: int, peer: int) -> list[str]:
    client_url, peer_url = f"http://127.0.0.1:{client}", f"http://127.0.0.1:{peer}"
    return ["--listen-client-urls", client_url, "--advertise-client-urls", client_url, "--listen-peer-urls", peer_url]


def test_a_taken_port_is_one_line_with_cause_and_cure(our_etcd: OurEtcd, tmp_path: Path) -> None:
    for client, peer in ((our_etcd.client_port, free_port()), (free_port(), our_etcd.peer_port)):
        ended = _start(["--name", "x", *_ports(client, peer)], tmp_path)
        assert ended.returncode == 1
        fatal = [json.loads(line) for line in ended.stderr.splitlines() if '"fatal"' in line]
        assert len(fatal) == 1
        assert "Address already in use" in fatal[0]["error"] and "give --listen-" in fatal[0]["error"]
        assert "Traceback" not in ended.stderr


def test_a_data_directory_in_use_is_one_line_that_names_the_process(our_etcd: OurEtcd, tmp_path: Path) -> None:
    ended = _start(["--data-dir", str(our_etcd.data_dir), *_ports(free_port(), free_port())], tmp_path)
    assert ended.returncode == 1
    assert ended.stderr.count('"fatal"') == 1
    assert f"in use by process {our_etcd.child.pid}" in ended.stderr and "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (["--initial-cluster", "x=http://localhost:2380,y=http://localhost:2390"], "several members"),
        (["--initial-cluster", "y=http://localhost:2380"], "local name"),
        (["--initial-cluster-state", "existing"], "existing cluster"),
        (["--cert-file", "none.pem", "--key-file", "none.key"], ""),
    ],
)
def test_a_cluster_that_cannot_be_is_refused_in_one_line(flags: list[str], text: str, tmp_path: Path) -> None:
    if not text:
        flags = [*flags, "--listen-metrics-urls", f"https://127.0.0.1:{free_port()}"]
        text = "none.pem"
    ended = _start(["--name", "x", *flags, *_ports(free_port(), free_port())], tmp_path)
    assert ended.returncode == 1
    assert text in ended.stderr and "Traceback" not in ended.stderr


def test_what_only_matters_to_a_new_cluster_is_ignored_by_one_that_exists(tmp_path: Path) -> None:
    """etcd ignores the initial- flags once there is a log."""
    with OurEtcd(tmp_path / "server", name="x") as first:
        Etcdctl.of(first)("put", "a", "b")
        first.stop()
    again = OurEtcd(tmp_path / "again", ["--initial-cluster-state", "existing"], name="x", data_dir=first.data_dir)
    with again:
        assert Etcdctl.of(again)("get", "a", "--print-value-only").strip() == "b"


def test_settings_come_from_a_file(tmp_path: Path) -> None:
    client, peer, metrics, http = (f"http://127.0.0.1:{free_port()}" for _ in range(4))
    path = tmp_path / "etcd.yaml"
    path.write_text(
        f"name: filed\ndata-dir: {tmp_path}/data\nlisten-client-urls: {client}\nadvertise-client-urls: {client}\n"
        f"listen-peer-urls: {peer}\nlisten-metrics-urls: {metrics}\nlisten-client-http-urls: {http}\n"
        f"initial-cluster: filed={peer}\ninitial-advertise-peer-urls: {peer}\n"
        "watch-progress-notify-interval: 1000000000\nclient-transport-security:\n  client-cert-auth: false\n"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ETCD_")}
    environment |= {"PYTHONPATH": str(Path(__file__).parents[3]), "ETCD_CONFIG_FILE": str(path)}
    process = subprocess.Popen([sys.executable, "-m", "etcdcore"], env=environment, stderr=subprocess.PIPE)
    try:
        etcdctl = Etcdctl(client)
        wait_until(lambda: etcdctl.run("put", "a", "b").status == 0, 30, "etcdctl is answered")
        assert "filed" in etcdctl("member", "list")
        for url, path_of_page, status in (
            (http, "/version", 200),
            (http, "/metrics", 200),
            (client, "/version", 404),
            (metrics, "/metrics", 200),
            (metrics, "/health", 200),
            (metrics, "/version", 404),
            (peer, "/version", 200),
            (peer, "/members", 200),
            (peer, "/health", 404),
        ):
            assert _status(url + path_of_page) == status, url + path_of_page
    finally:
        process.terminate()
        process.communicate(timeout=20)


def _status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            status: int = answer.status
    except urllib.error.HTTPError as error:
        status = error.code
    return status


@pytest.mark.parametrize("server_kind", ["own", "grpcio"])
def test_both_grpc_servers_serve_etcdctl(server_kind: str, tmp_path: Path) -> None:
    with OurEtcd(tmp_path / "server", ["--grpc-server", server_kind]) as server:
        etcdctl = Etcdctl.of(server)
        assert etcdctl("put", "a", "b").strip() == "OK"
        assert "is healthy" in etcdctl.run("endpoint", "health").output + etcdctl.run("endpoint", "health").errors


def test_who_started_it_is_told_when_it_is_ready(tmp_path: Path) -> None:
    """systemd's sd_notify, which etcd's unit file asks for (Type=notify)."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(str(tmp_path / "notify"))
        told.settimeout(30)
        server = OurEtcd(tmp_path / "server")
        server.child.environment["NOTIFY_SOCKET"] = str(tmp_path / "notify")
        with server:
            assert told.recv(100) == b"READY=1"


def test_a_unix_socket_is_an_address(tmp_path: Path) -> None:
    socket_path = tmp_path / "s.sock"
    flags = ["--listen-client-urls", f"unix://{socket_path}", "--advertise-client-urls", f"unix://{socket_path}"]
    flags += ["--listen-peer-urls", f"http://127.0.0.1:{free_port()}"]
    command = [sys.executable, "-m", "etcdcore", "--name", "x", "--data-dir", str(tmp_path / "d"), *flags]
    process = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])})
    try:
        etcdctl = Etcdctl(f"unix://{socket_path}")
        wait_until(lambda: etcdctl.run("put", "a", "b").status == 0, 30, "etcdctl is answered")
    finally:
        process.terminate()
        assert process.wait(20) == -signal.SIGTERM
    assert not socket_path.exists()
