"""The proxies' command lines, beside those of etcd itself."""

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from integration.etcd.proxy.process import front
from integration.peers import golang
from integration.peers.etcd import Etcdctl, OurEtcd
from integration.peers.process import ChildProcess, free_port, wait_until
from tests.certificates import Authority

LISTEN_S = 30
OURS = [sys.executable, "-m", "etcdcore"]
LEFT_OUT = {"insecure-skip-tls-verify", "experimental-leasing-prefix", "experimental-serializable-ordering"}
"""Unknown here, so that nobody relies on what is not done: DECISIONS 57, and grpcio verifies always."""


def _commands() -> dict[str, list[str]]:
    return {"etcd": [str(golang.install(golang.ETCD))], "etcdcore": OURS}


def _run(words: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=LISTEN_S)


@pytest.mark.parametrize("kind", ["gateway", "grpc-proxy"])
def test_every_flag_of_etcds_proxies_is_known(kind: str, tmp_path: Path) -> None:
    helps = {name: _run([*words, kind, "start", "--help"], tmp_path).stdout for name, words in _commands().items()}
    known = {name: set(re.findall(r"^ +(?:-h, )?--([a-z0-9-]+)", text, re.MULTILINE)) for name, text in helps.items()}
    assert len(known["etcd"]) > 5
    assert known["etcd"] - known["etcdcore"] == (LEFT_OUT if kind == "grpc-proxy" else set())


@pytest.mark.parametrize("kind", ["gateway", "grpc-proxy"])
def test_flags_may_stand_before_the_word(kind: str, our_etcd: OurEtcd, tmp_path: Path) -> None:
    for name, words in _commands().items():
        port = free_port()
        listen = [f"--listen-addr=127.0.0.1:{port}", "--endpoints", our_etcd.address]
        child = ChildProcess([*words, kind, *listen, "start"], tmp_path / f"{name}.log")
        child.spawn()
        try:
            etcdctl = Etcdctl(f"127.0.0.1:{port}", "--dial-timeout=20s", "--command-timeout=20s")
            wait_until(lambda etcdctl=etcdctl: "OK" in etcdctl.run("put", "a", "b").output, LISTEN_S, name)  # type: ignore[misc]
        finally:
            child.kill()


def test_a_flag_before_the_word_takes_the_next_word_along(tmp_path: Path) -> None:
    for words in _commands().values():
        assert _run([*words, "gateway", "--insecure-discovery", "start"], tmp_path).returncode != 0


def test_a_certificate_for_servers_must_name_nobody(tmp_path: Path) -> None:
    """With auth on every client of the proxy would act as the user of that name."""
    pair = Authority(tmp_path / "ca").issue("named", "root")
    for name, words in _commands().items():
        flags = [f"--cert={pair.cert_file}", f"--key={pair.key_file}", "--endpoints=https://127.0.0.1:1"]
        done = _run([*words, "grpc-proxy", "start", f"--listen-addr=127.0.0.1:{free_port()}", *flags], tmp_path)
        assert done.returncode == 1, name
        assert f"cert has non empty Common Name (root): {pair.cert_file}" in done.stderr, name


def test_endpoints_are_those_of_the_members_when_they_are_synced(tmp_path: Path) -> None:
    """The server is reached on one port, and tells the cluster another."""
    other = free_port()
    url = f"http://127.0.0.1:{other}"
    with OurEtcd(tmp_path / "etcd") as etcd:
        etcd.stop()
        etcd.child.command += ["--listen-client-urls", f"{etcd.client_url},{url}", "--advertise-client-urls", url]
        etcd.start()
        with front(tmp_path, "grpc-proxy", [etcd], "--endpoints-auto-sync-interval", "200ms") as proxy:
            etcdctl = Etcdctl(proxy.address)

            def goes_to_the_other() -> bool:
                etcdctl("put", "a", "b")
                connections = psutil.Process(proxy.child.pid).net_connections("tcp")
                remote = {found.raddr.port for found in connections if found.raddr and found.status == "ESTABLISHED"}
                return other in remote

            wait_until(goes_to_the_other, LISTEN_S, "the proxy goes where the member says")
