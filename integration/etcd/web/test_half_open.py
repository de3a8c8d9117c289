"""Clients that have closed their side, or are still sending when they have their answer: nothing of it is lost."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from etcdcore.http2.codes import DATA, FLAG_END_HEADERS, FLAG_END_STREAM, HEADERS, NO_ERROR, RST_STREAM
from etcdcore.http2.frames import encode_frame, encode_ping
from integration.etcd.http2.raw_connection import Frame, RawConnection
from integration.peers.etcd import OurEtcd

VERSION = b"GET /version HTTP/1.1\r\nHost: x\r\n\r\n"
RANGE_BODY = b'{"key": "YQ=="}'
RANGE = b"POST /v3/kv/range HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(RANGE_BODY) + RANGE_BODY


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OurEtcd]:
    """What a client sees here depends on which of two packets comes first; a real etcd loses the same races."""
    with OurEtcd(tmp_path_factory.mktemp("half_open")) as started:
        yield started


def said_at_once(server: OurEtcd, data: bytes) -> bytes:
    """The whole answer to bytes that come together with the end of the client's side."""
    with socket.create_connection(("127.0.0.1", server.client_port), timeout=10) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while piece := connection.recv(65_536):
            received += piece
        return received


@pytest.mark.parametrize("request_bytes", [VERSION, RANGE], ids=["page", "range"])
def test_who_has_closed_his_side_gets_his_answer(ours: OurEtcd, request_bytes: bytes) -> None:
    for _ in range(20):
        assert said_at_once(ours, request_bytes).startswith(b"HTTP/1.1 200 OK")


def test_requests_that_came_together_are_all_answered(ours: OurEtcd) -> None:
    assert said_at_once(ours, VERSION + RANGE + VERSION).count(b"HTTP/1.1 200 OK") == 3


def test_a_stream_for_a_client_that_is_gone_or_says_no_more_ends(ours: OurEtcd) -> None:
    body = b'{"create_request": {"key": "YQ=="}}'
    started = time.monotonic()
    answer = said_at_once(
        ours, b"POST /v3/watch HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    )
    assert b'"created":true' in answer
    assert time.monotonic() - started < 5


def test_a_request_without_its_end_gets_no_answer_and_ends(ours: OurEtcd) -> None:
    assert said_at_once(ours, VERSION[:-2]) == b""
    assert said_at_once(ours, RANGE[:-2]) == b""


def send_head(connection: RawConnection, method: str, path: str, is_end: bool = False) -> None:
    fields = [(":method", method), (":scheme", "http"), (":path", path), (":authority", "x")]
    flags = FLAG_END_HEADERS | (FLAG_END_STREAM if is_end else 0)
    connection.send(encode_frame(HEADERS, flags, 1, connection.encode_fields(fields)))


@pytest.mark.parametrize(("method", "path"), [("POST", "/v3/nope"), ("HEAD", "/version")])
def test_an_answer_that_comes_before_the_request_has_ended_resets_nobody(
    ours: OurEtcd, method: str, path: str
) -> None:
    with RawConnection(ours.client_port) as connection:
        send_head(connection, method, path)
        head = connection.wait_for(HEADERS, 1)
        assert not head[1] & FLAG_END_STREAM
        connection.send(encode_frame(DATA, 0, 1, b"{"))
        connection.send(encode_frame(DATA, FLAG_END_STREAM, 1, b"}"))
        frames: list[Frame] = []
        while not frames or not frames[-1][1] & FLAG_END_STREAM:
            frames.append(connection.wait_for(DATA, 1))
        connection.send(encode_ping(bytes(8), False))
        frame = connection.receive()
        assert frame is not None
        assert frame[0] != RST_STREAM


def test_who_never_ends_his_request_is_told_to_stop(ours: OurEtcd) -> None:
    with RawConnection(ours.client_port) as connection:
        send_head(connection, "POST", "/v3/nope")
        assert connection.wait_for(RST_STREAM, 1)[3] == NO_ERROR.to_bytes(4, "big")


def test_who_sends_too_much_behind_his_answer_is_told_to_stop(ours: OurEtcd) -> None:
    with RawConnection(ours.client_port) as connection:
        send_head(connection, "POST", "/v3/nope")
        connection.wait_for(HEADERS, 1)
        started = time.monotonic()
        for _ in range(20):
            connection.send(encode_frame(DATA, 0, 1, bytes(16_000)))
        assert connection.wait_for(RST_STREAM, 1)[3] == NO_ERROR.to_bytes(4, "big")
        assert time.monotonic() - started < 5
