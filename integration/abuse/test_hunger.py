"""Clients that ask for more than they take: memory stays bounded, and the others are served."""

from __future__ import annotations

import contextlib
import socket
import time

import pytest

from integration.abuse.connection import ANYONE, RawConnection, create, get_data, request, set_data
from integration.abuse.memory import MIB, PeakMemory
from integration.abuse.probe import watch_over
from integration.conformance import wire
from integration.conformance.frame_socket import Closed
from integration.peers.servers import Bridge, ZooKeeperServer

BIG_PATH = b"/abuse-big"
BIG_BYTES = 1_000_000
REQUESTS_UNREAD = 20_000
SMALL_BUFFER = 4096
LONG_NAME_BYTES = 50_000
EVENTS = 4_000
MULTI_READS = 10_000
GROWTH_MAX_MIB = 300
KEPT_MAX_MIB = 150


@pytest.fixture(autouse=True)
def only_ours(abused: ZooKeeperServer) -> None:
    """ZooKeeper itself keeps every unread answer until its heap is full: these bounds are the bridge's own promise."""
    if not isinstance(abused, Bridge):
        pytest.skip("ZooKeeper does not promise this")


def send_what_is_taken(connection: RawConnection, data: bytes, patience_s: float) -> int:
    """Send until nothing was taken for a while; how many bytes the server's side took."""
    connection.socket.settimeout(patience_s)
    sent = 0
    try:
        while sent < len(data):
            sent += connection.socket.send(data[sent : sent + 65536])
    except (TimeoutError, ConnectionResetError, BrokenPipeError):
        return sent
    return sent


def make_big(port: int) -> None:
    """A node of a megabyte, if it is not there."""
    with RawConnection(port) as maker:
        maker.open_session()
        assert maker.call(create(1, BIG_PATH))[0] in (0, -110)
        assert maker.call(set_data(2, BIG_PATH, b"b" * BIG_BYTES))[0] == 0


def test_a_client_that_never_reads_its_answers_is_not_read_either(abused: ZooKeeperServer) -> None:
    """Twenty thousand reads of a megabyte, no byte of the answers taken: 20 GB, of which a few MB may exist."""
    make_big(abused.port)
    with watch_over(abused), PeakMemory(abused) as memory:
        with RawConnection(abused.port, SMALL_BUFFER) as greedy:
            greedy.open_session()
            send_what_is_taken(greedy, get_data(1, BIG_PATH) * REQUESTS_UNREAD, 1.0)
            time.sleep(0.5)
        memory.wait_returned(KEPT_MAX_MIB, 10)
    assert memory.growth_mib < GROWTH_MAX_MIB, f"{memory.growth_mib:.0f} MiB for one client that does not read"


def test_answers_behind_a_full_socket_all_come_when_they_are_read(abused: ZooKeeperServer) -> None:
    """Not reading for a while is no crime: every answer comes, in order."""
    make_big(abused.port)
    count = 200
    with watch_over(abused), RawConnection(abused.port, SMALL_BUFFER) as slow:
        slow.open_session()
        slow.send_bytes(b"".join(get_data(number, BIG_PATH) for number in range(count)))
        time.sleep(1.0)
        slow.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        for number in range(count):
            reply = wire.Cursor(slow.read_frame())
            assert reply.i32() == number
            assert (reply.i64() > 0, reply.i32(), len(reply.buffer() or b"")) == (True, 0, BIG_BYTES)


def test_pipelined_writes_without_reading_are_bounded_too(abused: ZooKeeperServer) -> None:
    """Sixty megabytes of writes in one go, answers unread: taken as fast as they are done, not all at once."""
    frame = request(1, wire.SET_DATA, wire.buffer(b"/") + wire.buffer(b"w" * 60_000) + wire.i32(7_777_777))
    with watch_over(abused), PeakMemory(abused) as memory:
        with RawConnection(abused.port, SMALL_BUFFER) as greedy:
            greedy.open_session()
            send_what_is_taken(greedy, frame * 1000, 2.0)
        memory.wait_returned(KEPT_MAX_MIB, 10)
    assert memory.growth_mib < GROWTH_MAX_MIB, f"{memory.growth_mib:.0f} MiB for one client that does not read"


def test_a_client_that_never_reads_its_events_is_cut(abused: ZooKeeperServer) -> None:
    """A persistent watch, 200 MB of events, none read: the connection ends, the server goes on."""
    path = b"/" + b"n" * LONG_NAME_BYTES
    with watch_over(abused), PeakMemory(abused) as memory:
        with RawConnection(abused.port, SMALL_BUFFER) as deaf, RawConnection(abused.port) as busy:
            busy.open_session()
            assert busy.call(create(1, path))[0] == 0
            deaf.open_session()
            deaf.send_bytes(request(1, wire.ADD_WATCH, wire.buffer(path) + wire.i32(0)))
            small_write = request(2, wire.SET_DATA, wire.buffer(path) + wire.buffer(b"x") + wire.i32(-1))
            for _ in range(EVENTS // 20):
                busy.send_bytes(small_write * 20)
                for _ in range(20):
                    busy.read_frame()
            assert busy.call(request(3, wire.DELETE, wire.buffer(path) + wire.i32(-1)))[0] == 0
            with pytest.raises(Closed):
                while True:
                    deaf.fill()
                    deaf.received.clear()
        memory.wait_returned(KEPT_MAX_MIB, 10)
    assert memory.growth_mib < GROWTH_MAX_MIB, f"{memory.growth_mib:.0f} MiB for one client that does not read"


def test_one_multi_read_cannot_ask_for_more_than_the_server_has(abused: ZooKeeperServer) -> None:
    """Ten thousand reads of a megabyte in one frame, 10 GB of answer: refused or cut, not tried."""
    make_big(abused.port)
    operation = wire.multi_header(wire.GET_DATA, False, -1) + wire.buffer(BIG_PATH) + wire.flag(False)
    body = operation * MULTI_READS + wire.multi_header(-1, True, -1)
    with watch_over(abused), PeakMemory(abused) as memory, RawConnection(abused.port, SMALL_BUFFER) as greedy:
        greedy.open_session()
        greedy.send_bytes(request(1, wire.MULTI_READ, body))
        with contextlib.suppress(Closed):
            assert int.from_bytes(greedy.read_frame()[12:16], "big", signed=True) != 0
    assert memory.growth_mib < GROWTH_MAX_MIB, f"{memory.growth_mib:.0f} MiB for one multiRead"


def test_vectors_of_nothing_cost_no_more_than_their_frame(abused: ZooKeeperServer) -> None:
    """A megabyte of empty strings as watches and as ACLs: what is made of it stays small beside the frame."""
    paths = wire.i64(0) + wire.vector([wire.buffer(b"")] * 200_000) + wire.i32(0) * 2
    acl = wire.vector([wire.i32(31) + wire.i32(-1) * 2] * 80_000)
    with watch_over(abused), PeakMemory(abused) as memory:
        for _ in range(3):
            with RawConnection(abused.port) as odd:
                odd.open_session()
                odd.call(request(1, wire.SET_WATCHES, paths))
                odd.call(request(2, wire.CREATE, wire.buffer(b"/abuse-vector") + wire.buffer(b"") + acl + wire.i32(0)))
    assert ANYONE not in acl
    assert memory.growth_mib < GROWTH_MAX_MIB
    assert memory.growth_mib * MIB < 300 * (len(paths) + len(acl))
