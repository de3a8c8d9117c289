"""Every kind of bad input ends on the bridge as it ends on ZooKeeper 3.9 (issue 3, "Bad input")."""

from __future__ import annotations

import struct
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from integration.abuse.cases import CASES, FAMILIES
from integration.abuse.connection import RawConnection, request
from integration.abuse.endings import KNOCK, differs, play
from integration.abuse.probe import watch_over
from integration.conformance import wire
from integration.peers.servers import RealZooKeeper, ZooKeeperServer

KNOWN_DIFFERENCES = {
    "sync of a path: four byte character": "Java echoes it as two surrogates of three bytes each; we as it came",
}


@pytest.mark.parametrize("family", FAMILIES)
def test_bad_input_ends_as_on_zookeeper(family: str, oracle: RealZooKeeper, abused: ZooKeeperServer) -> None:
    """The same answers, error codes and closes, case by case, in one order on both servers; nobody else notices."""
    cases = [case for case in FAMILIES[family] if case.name not in KNOWN_DIFFERENCES]

    def play_all(port: int) -> list[list[str]]:
        return [play(port, case) for case in cases]

    with watch_over(abused), ThreadPoolExecutor(2) as pool:
        expected, found = pool.map(play_all, (oracle.port, abused.port))
    differences = [
        f"{case.name}\n  ZooKeeper: {there}\n  ours:      {here}"
        for case, there, here in zip(cases, expected, found, strict=True)
        if differs(case, there, here)
    ]
    assert not differences, "\n".join(differences)


def test_the_cases_reach_every_kind_of_ending() -> None:
    """A list of cases that all ended alike would prove little; and each has a name of its own."""
    assert len({case.name for case in CASES}) == len(CASES)
    assert len(CASES) > 500


def test_half_a_frame_and_then_silence_ends_with_the_session(abused: ZooKeeperServer) -> None:
    """No byte of a whole request arrives, so the session runs out and takes the connection with it."""
    with watch_over(abused), RawConnection(abused.port) as connection:
        connection.open_session(timeout_ms=1000)
        connection.send_bytes(b"\x00\x00\x10\x00half a frame")
        assert connection.is_open(0.5)
        assert not connection.is_open(10.0)


def test_half_a_connect_request_and_then_silence_is_closed_in_time(abused: ZooKeeperServer) -> None:
    """It has no session whose timeout could end it, so the one for connections without a session does."""
    with watch_over(abused), RawConnection(abused.port) as connection:
        connection.send_bytes(b"\x00\x00\x00\x2d\x00\x00")
        assert connection.is_open(1.0)
        assert not connection.is_open(15.0)


@pytest.mark.parametrize(
    "refused",
    [
        request(wire.XID_AUTH, wire.AUTH, wire.i32(0) + wire.buffer(b"nosuch") + wire.buffer(b"x")),
        request(1, 9999, b""),
    ],
    ids=["auth", "opcode"],
)
def test_who_goes_on_sending_behind_a_refusal_can_still_read_it(abused: ZooKeeperServer, refused: bytes) -> None:
    """No reset meets what is under way: Java's client would lose the answer that it has not read, and come again."""
    with RawConnection(abused.port) as connection:
        connection.open_session()
        connection.socket.sendall(refused)
        for _ in range(5):
            time.sleep(0.02)
            connection.socket.sendall(KNOCK)
        reply = connection.read_frame()
        assert struct.unpack_from(">i", reply, 12)[0] in (-115, -6)
        connection.socket.sendall(KNOCK)
        assert connection.socket.recv(1) == b""


def test_who_is_refused_and_stays_is_closed_for_good(abused: ZooKeeperServer) -> None:
    with RawConnection(abused.port) as connection:
        connection.open_session()
        connection.socket.sendall(request(1, 9999, b""))
        connection.read_frame()
        assert not connection.is_open(1.0)
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            for _ in range(200):
                time.sleep(0.02)
                connection.socket.sendall(KNOCK)
