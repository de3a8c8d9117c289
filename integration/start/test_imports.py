"""A server loads the libraries that its work needs, when its work needs them: starting is mostly loading."""

import re
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest

from integration.conformance.raw_client import RawClient
from integration.peers.build import our_python
from integration.peers.etcd import RANGE, RANGE_REQUEST
from integration.peers.process import ask_four_letters, free_port, wait_until

HEAVY = {"aiohttp", "bcrypt", "cryptography", "dns", "grpc", "jwt", "yaml"}
START_S = 60
IMPORTED = re.compile(r"^import time: .*\| +([\w.]+)$", re.MULTILINE)


class Started:
    """A server that tells everything it imports."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process = process
        self._log = log

    def imported(self) -> set[str]:
        """The top-level packages so far."""
        return {name.partition(".")[0] for name in IMPORTED.findall(self._log.read_text())}

    def is_running(self) -> bool:
        return self._process.poll() is None


@contextmanager
def _started(folder: Path, *arguments: str) -> Iterator[Started]:
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen([*our_python(), "-X", "importtime", "-m", *arguments], stdout=output, stderr=output)
    try:
        yield Started(process, log)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(START_S)


def test_a_plain_bridge_loads_no_library_of_other_doors(tmp_path: Path) -> None:
    port = free_port()
    address = f"127.0.0.1:{port}"
    with _started(tmp_path, "zkbridge", "serve", "--data-dir", f"{tmp_path}/d", "--client-addr", address) as bridge:
        wait_until(lambda: ask_four_letters(port, "ruok") == "imok", START_S, "the bridge answers")
        assert "Mode:" in ask_four_letters(port, "srvr")
        client = RawClient(port)
        client.connect()
        client.create("/a")
        assert client.close_session().error == 0
        found = bridge.imported()
    assert "lmdb" in found and "zkbridge" in found
    assert not found & HEAVY


def test_etcdcore_loads_them_when_somebody_asks_for_what_they_do(tmp_path: Path) -> None:
    port, peer_port = free_port(), free_port()
    url, peer_url = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{peer_port}"
    flags = ["--listen-client-urls", url, "--advertise-client-urls", url, "--listen-peer-urls", peer_url]
    flags += ["--initial-advertise-peer-urls", peer_url, "--data-dir", f"{tmp_path}/d"]
    with _started(tmp_path, "etcdcore", *flags) as server:

        def is_serving() -> bool:
            assert server.is_running()
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                try:
                    channel.unary_unary(RANGE)(RANGE_REQUEST, timeout=5)
                except grpc.RpcError:
                    return False
            return True

        wait_until(is_serving, START_S, "etcdcore answers")
        assert not server.imported() & HEAVY
        with urllib.request.urlopen(f"{url}/health", timeout=START_S) as answer:
            assert answer.status == 200
        assert server.imported() & HEAVY == {"aiohttp"}


@pytest.mark.parametrize("command", ["zkbridge", "etcdcore"])
@pytest.mark.parametrize("flag", ["--version", "--help"])
def test_a_question_about_the_command_loads_no_server(command: str, flag: str) -> None:
    done = subprocess.run(
        [*our_python(), "-X", "importtime", "-m", command, flag], capture_output=True, text=True, timeout=START_S
    )
    assert done.returncode == 0
    found = set(IMPORTED.findall(done.stderr))
    assert not {"asyncio", "structlog", "lmdb", "etcdcore.member.member", "zkbridge.config"} & found
    assert not {name.partition(".")[0] for name in found} & HEAVY
