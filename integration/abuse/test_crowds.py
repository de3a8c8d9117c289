"""Many connections at once: that never speak, that only announce, that dribble, and more of them than descriptors."""

from __future__ import annotations

import resource
import select
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from integration.abuse.conftest import SESSIONLESS_TIMEOUT_MS, SETTINGS
from integration.abuse.connection import RawConnection, get_data
from integration.abuse.memory import PeakMemory
from integration.abuse.probe import watch_over
from integration.conformance import wire
from integration.peers.process import ChildProcess, wait_until
from integration.peers.requirements import refuse
from integration.peers.servers import ZooKeeperServer, target_class

SILENT_COUNT = 10_000
DESCRIPTORS_SPARE = 300
ANNOUNCING_COUNT = 2_000
DRIBBLING_COUNT = 200
CLOSED_WITHIN_S = 30.0
DESCRIPTOR_LIMIT = 300
ACCEPT_PAUSE_EVERY = 100


@contextmanager
def crowd(port: int, count: int, first_bytes: bytes = b"") -> Iterator[list[socket.socket]]:
    """So many open connections, each of which has sent the same few bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < count + DESCRIPTORS_SPARE:
        refuse(f"{count} connections need as many descriptors; the hard limit is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count + DESCRIPTORS_SPARE), hard))
    connections: list[socket.socket] = []
    try:
        for number in range(count):
            connection = socket.socket()
            connections.append(connection)
            connection.settimeout(20)
            connection.connect(("127.0.0.1", port))
            if first_bytes:
                connection.sendall(first_bytes)
            if number % ACCEPT_PAUSE_EVERY == 0:
                time.sleep(0.01)  # the backlog is short, and a lost SYN costs a second
        yield connections
    finally:
        for connection in connections:
            connection.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def wait_all_closed(connections: list[socket.socket], timeout_s: float) -> None:
    """Wait until the server has closed each of them."""
    poll = select.poll()
    waiting = {connection.fileno(): connection for connection in connections}
    for number in waiting:
        poll.register(number, select.POLLIN)
    deadline = time.monotonic() + timeout_s
    while waiting:
        assert time.monotonic() < deadline, f"{len(waiting)} of {len(connections)} connections are still open"
        for number, _ in poll.poll(200):
            connection = waiting.pop(number)
            poll.unregister(number)
            try:
                assert connection.recv(100) == b"", "an answer to nothing"
            except ConnectionResetError:
                continue


def descriptor_count(server: ZooKeeperServer) -> int:
    """Descriptors that the server has open."""
    return int(psutil.Process(server.child.pid).num_fds())


def test_ten_thousand_connections_that_never_speak_are_closed_after_a_time(abused: ZooKeeperServer) -> None:
    """nio.sessionlessCnxnTimeout ends them, others are served meanwhile, descriptors and memory come back."""
    before = descriptor_count(abused)
    with watch_over(abused), PeakMemory(abused) as memory:
        with crowd(abused.port, SILENT_COUNT) as connections:
            wait_all_closed(connections, SESSIONLESS_TIMEOUT_MS / 1000 + CLOSED_WITHIN_S)
        wait_until(lambda: descriptor_count(abused) <= before + 20, CLOSED_WITHIN_S, "the descriptors come back")
    assert memory.growth_mib < 200, f"{memory.growth_mib:.0f} MiB for {SILENT_COUNT} silent connections"
    memory.wait_returned(100, 10)


@pytest.mark.parametrize("has_session", [False, True], ids=["before-a-session", "in-a-session"])
def test_announced_lengths_take_no_memory(abused: ZooKeeperServer, has_session: bool) -> None:
    """A length is only a promise: the greatest allowed one, from two thousand connections, comes to 2 GB."""
    start = wire.connect_request(0, 30_000, 0, bytes(16)) if has_session else b""
    first_bytes = start + wire.i32(0xFFFFF) + b"begun"
    with (
        watch_over(abused),
        PeakMemory(abused) as memory,
        crowd(abused.port, ANNOUNCING_COUNT, first_bytes) as connections,
    ):
        if has_session:
            for connection in connections:
                assert len(connection.recv(41)) == 41
        time.sleep(0.5)
    if "org.apache.zookeeper" not in " ".join(abused.child.command):  # ZooKeeper does believe it
        assert memory.growth_mib < 100, f"{memory.growth_mib:.0f} MiB for {ANNOUNCING_COUNT} announced frames"


def test_requests_that_come_byte_by_byte_are_answered(abused: ZooKeeperServer) -> None:
    """Two hundred connections, each a byte at a time, all at once: slow, but good requests."""
    request = get_data(5, b"/none")
    with watch_over(abused):
        connections = [RawConnection(abused.port) for _ in range(DRIBBLING_COUNT)]
        for connection in connections:
            connection.open_session()
        for number in range(len(request)):
            for connection in connections:
                connection.send_bytes(request[number : number + 1])
        for connection in connections:
            reply = wire.Cursor(connection.read_frame())
            assert (reply.i32(), reply.i64() > 0, reply.i32()) == (5, True, -101)
            connection.socket.close()


class NarrowServer:
    """Makes a server's process start with few descriptors."""

    @staticmethod
    def narrow(server: ZooKeeperServer) -> None:
        """Before its start."""
        child = server.child
        command = ["sh", "-c", f'ulimit -n {DESCRIPTOR_LIMIT}; exec "$@"', "sh", *child.command]
        server.child = ChildProcess(command, child.log_path, child.environment)


def test_beyond_its_descriptors_the_server_refuses_and_recovers(tmp_path: Path) -> None:
    """Twice as many connections as descriptors: who is in goes on; when the crowd has gone, new clients get in."""
    server = target_class()(tmp_path / "narrow", SETTINGS)
    NarrowServer.narrow(server)
    with server, RawConnection(server.port) as inside, watch_over(server):
        inside.open_session()
        with crowd(server.port, 2 * DESCRIPTOR_LIMIT):
            for _ in range(20):
                assert inside.call(get_data(1, b"/none"))[0] == -101
                time.sleep(0.1)
        wait_until(lambda: descriptor_count(server) < DESCRIPTOR_LIMIT // 2, CLOSED_WITHIN_S, "the crowd is gone")
        with RawConnection(server.port) as late:
            late.open_session()
        assert server.child.log_path.stat().st_size < 2_000_000, "the refusals flood the log"
