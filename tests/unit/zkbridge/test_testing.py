"""The fixture that other projects use. It is a shell around a real server, so these tests start one."""

import os
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest
from kazoo.client import KazooClient

import zkbridge
from zkbridge.testing import RunningServer, ServerDidNotStart, ask_four_letter_word, running_server


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running_server({"tick-time": "500", "extended-types": ""}) as running:
        yield running


def test_a_server_is_there_for_the_length_of_a_block() -> None:
    with running_server() as server:
        port = server.port
        data_dir = server.data_dir
        assert ask_four_letter_word(port, "ruok") == "imok"
        assert data_dir.exists()
    assert ask_four_letter_word(port, "ruok") == ""
    assert not data_dir.exists()


def test_clients_connect_to_its_hosts_and_flags_reach_it(server: RunningServer) -> None:
    client = KazooClient(server.hosts)
    client.start(timeout=10)
    try:
        client.create("/testing", b"x")
        assert client.get("/testing")[0] == b"x"
    finally:
        client.stop()
        client.close()
    assert "tickTime=500\n" in ask_four_letter_word(server.port, "conf")


def test_two_servers_do_not_meet(server: RunningServer) -> None:
    with running_server() as other:
        assert other.port != server.port
        assert urllib.parse.urlsplit(f"//{other.hosts}").port == other.port


def test_data_and_port_are_kept_over_a_restart_and_a_crash(tmp_path: Path) -> None:
    server = RunningServer(tmp_path)
    server.start()
    try:
        hosts = server.hosts
        client = KazooClient(hosts)
        client.start(timeout=10)
        client.create("/kept")
        client.stop()
        client.close()
        server.restart()
        server.kill()
        server.start()
        assert server.hosts == hosts
        client = KazooClient(hosts)
        client.start(timeout=10)
        assert client.exists("/kept")
        client.stop()
        client.close()
    finally:
        assert server.stop() == 0


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(ServerDidNotStart, match="expected a whole number"):
        RunningServer(tmp_path, {"tick-time": "never"}).start()


def test_importing_it_loads_no_server() -> None:
    """pytest imports every plugin it finds, in every project of the environment."""
    code = "import sys, zkbridge.testing; print([name for name in sys.modules if name.startswith('zkbridge.')])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout.strip() == "['zkbridge.testing']"


def test_the_fixture_serves_a_test_of_another_project(tmp_path: Path) -> None:
    (tmp_path / "test_theirs.py").write_text(
        "from zkbridge.testing import ask_four_letter_word\n\n\n"
        "def test_it(zkbridge_server):\n"
        "    assert ask_four_letter_word(zkbridge_server.port, 'ruok') == 'imok'\n"
    )
    # The plugin is named by hand, since the suite also has to pass where zkbridge isn't installed.
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:zkbridge",
        "-p",
        "zkbridge.testing",
        "-p",
        "no:cacheprovider",
    ]
    environment = {**os.environ, "PYTHONPATH": str(Path(zkbridge.__file__).parent.parent)}
    result = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert result.returncode == 0, result.stdout
    assert "1 passed" in result.stdout
