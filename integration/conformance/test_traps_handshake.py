"""Traps of the first packet (reference sections 1.3, 1.4, 7.1, 7.5), on the bridge and on ZooKeeper."""

from __future__ import annotations

import socket
import struct
import time

import pytest

from integration.conformance import wire
from integration.conformance.conftest import TICK_MS, Connect, FreshServer, Sockets
from integration.conformance.frame_socket import Closed
from integration.conformance.raw_client import NO_PASSWORD, RawClient, path_watch
from integration.conformance.wire import connect_request, frame, i32
from integration.peers.process import ask_four_letters
from integration.peers.servers import ZooKeeperServer

MIN_MS, MAX_MS = 2 * TICK_MS, 20 * TICK_MS


def test_a_new_session_gets_an_id_a_password_of_16_bytes_and_37_bytes_in_all(sockets: Sockets) -> None:
    shaken = sockets().connect(6000)
    assert (shaken.version, shaken.timeout_ms, len(shaken.password), shaken.tail) == (0, 6000, 16, b"\x00")
    assert shaken.session_id > 0 and shaken.password != NO_PASSWORD
    assert shaken.size == 37


def test_who_sends_no_read_only_byte_gets_none_back(sockets: Sockets) -> None:
    shaken = sockets().connect(read_only=b"")
    assert (shaken.tail, shaken.size) == (b"", 36)


def test_the_read_only_byte_of_the_answer_is_false_on_a_server_that_writes(sockets: Sockets) -> None:
    assert sockets().connect(read_only=b"\x01").tail == b"\x00"


@pytest.mark.parametrize("password", [None, b"", b"short", b"\x01" * 100])
def test_any_password_will_do_for_a_new_session(sockets: Sockets, password: bytes | None) -> None:
    shaken = sockets().connect(password=password)
    assert shaken.session_id != 0 and len(shaken.password) == 16


@pytest.mark.parametrize(
    ("asked_ms", "granted_ms"),
    [
        (0, MIN_MS),
        (-1, MIN_MS),
        (-(2**31), MIN_MS),
        (MIN_MS - 1, MIN_MS),
        (MIN_MS, MIN_MS),
        (MIN_MS + 1, MIN_MS + 1),
        (MAX_MS, MAX_MS),
        (MAX_MS + 1, MAX_MS),
        (2**31 - 1, MAX_MS),
    ],
)
def test_the_timeout_is_clamped_both_ways(sockets: Sockets, asked_ms: int, granted_ms: int) -> None:
    assert sockets().connect(asked_ms).timeout_ms == granted_ms


def test_the_protocol_version_and_bytes_behind_the_record_are_ignored(sockets: Sockets) -> None:
    client = sockets()
    request = connect_request(0, 6000, 0, NO_PASSWORD)[4:]
    client.send_bytes(frame(i32(77) + request[4:] + b"more"))
    shaken = client.read_handshake()
    assert (shaken.version, shaken.timeout_ms) == (0, 6000)


def test_a_connect_request_that_ends_early_closes_without_an_answer(sockets: Sockets) -> None:
    client = sockets()
    client.send_bytes(frame(connect_request(0, 6000, 0, NO_PASSWORD)[4:20]))
    client.expect_closed()


def test_a_client_that_has_seen_a_later_zxid_is_closed_without_an_answer(sockets: Sockets) -> None:
    with pytest.raises(Closed):
        sockets().connect(last_zxid=2**60)


def test_a_later_zxid_closes_before_the_old_connection_is_touched(sockets: Sockets, client: RawClient) -> None:
    with pytest.raises(Closed):
        sockets().connect(session_id=client.session_id, password=client.password, last_zxid=2**60)
    assert client.call(wire.PING).error == 0


def test_a_client_that_has_seen_the_servers_zxid_is_welcome(sockets: Sockets, client: RawClient, root: str) -> None:
    assert client.exists(root)
    assert sockets().connect(last_zxid=client.last_zxid).session_id != 0


def test_a_renewed_session_keeps_id_and_password_and_gets_a_new_timeout(sockets: Sockets, client: RawClient) -> None:
    shaken = sockets().connect(4321, client.session_id, client.password)
    assert (shaken.session_id, shaken.password, shaken.timeout_ms) == (client.session_id, client.password, 4321)


def test_renewing_closes_the_old_connection_without_a_packet(sockets: Sockets, client: RawClient) -> None:
    second = sockets()
    second.connect(session_id=client.session_id, password=client.password)
    client.expect_closed()
    assert second.call(wire.PING).error == 0


@pytest.mark.parametrize("read_only", [b"", b"\x00"])
def test_a_wrong_password_looks_like_an_expired_session_and_closes(
    sockets: Sockets, client: RawClient, read_only: bytes
) -> None:
    second = sockets()
    shaken = second.connect(session_id=client.session_id, password=b"\x55" * 16, read_only=read_only)
    assert (shaken.version, shaken.timeout_ms, shaken.session_id) == (0, 0, 0)
    assert (shaken.password, shaken.tail) == (NO_PASSWORD, read_only)
    second.expect_closed()


@pytest.mark.parametrize("password", [None, b"", b"\x55" * 16])
def test_a_wrong_password_still_closes_the_old_connection_but_not_its_session(
    sockets: Sockets, client: RawClient, password: bytes | None
) -> None:
    session_id, right = client.session_id, client.password
    assert sockets().connect(session_id=session_id, password=password).session_id == 0
    client.expect_closed()
    assert sockets().connect(session_id=session_id, password=right).session_id == session_id


@pytest.mark.parametrize("session_id", [0x0123456789ABCDEF, -5])
def test_an_unknown_session_is_expired_and_closed(sockets: Sockets, session_id: int) -> None:
    client = sockets()
    shaken = client.connect(session_id=session_id, password=b"\x11" * 16)
    assert (shaken.timeout_ms, shaken.session_id, shaken.password, shaken.size) == (0, 0, NO_PASSWORD, 37)
    client.expect_closed()


def test_a_closed_session_can_not_be_renewed(sockets: Sockets, client: RawClient) -> None:
    session_id, password = client.session_id, client.password
    assert client.close_session().error == 0
    assert sockets().connect(session_id=session_id, password=password).session_id == 0


def test_requests_in_the_packet_of_the_handshake_are_answered_behind_it(sockets: Sockets) -> None:
    client = sockets()
    ping = frame(i32(wire.XID_PING) + i32(wire.PING))
    read = frame(i32(1) + i32(wire.EXISTS) + path_watch("/"))
    client.send_bytes(connect_request(0, 6000, 0, NO_PASSWORD) + read + ping)
    assert client.read_handshake().session_id != 0
    assert [client.reply().xid, client.reply().xid] == [1, wire.XID_PING]


def test_session_ids_are_of_server_1_and_rise(sockets: Sockets) -> None:
    first, second = sockets().connect().session_id, sockets().connect().session_id
    assert first >> 56 == second >> 56 == 1
    assert second == first + 1


# The first four bytes: a word or a length


def test_a_four_letter_word_is_answered_on_the_client_port(target: ZooKeeperServer) -> None:
    assert ask_four_letters(target.port, "ruok") == "imok"


def test_what_follows_a_four_letter_word_does_no_harm(target: ZooKeeperServer) -> None:
    assert ask_four_letters(target.port, "ruok\n") == "imok"


@pytest.mark.parametrize("word", [b"abcd", b"RUOK", b"lead", b"\x16\x03\x01\x02", b"\xff\xf4\xff\xfd"])
def test_an_unknown_word_is_a_bad_length_and_closes(sockets: Sockets, word: bytes) -> None:
    client = sockets()
    client.send_bytes(word)
    client.expect_closed()


def test_after_the_handshake_a_word_is_a_length(client: RawClient) -> None:
    client.send_bytes(b"ruok")
    client.expect_closed()


def test_a_word_in_single_bytes_is_a_word(sockets: Sockets) -> None:
    client = sockets()
    for byte in b"ruok":
        client.send_bytes(bytes([byte]))
        time.sleep(0.01)
    assert client.socket.recv(100) == b"imok"


@pytest.mark.parametrize("length", [-1, -(2**31), 0x100000, 2**31 - 1])
def test_a_length_that_can_not_be_closes_without_an_answer(sockets: Sockets, connect: Connect, length: int) -> None:
    for client in (sockets(), connect()):
        client.send_bytes(struct.pack(">i", length))
        client.expect_closed()


def test_a_frame_of_no_bytes_closes(connect: Connect, sockets: Sockets) -> None:
    for client in (sockets(), connect()):
        client.send_bytes(i32(0))
        client.expect_closed()


def test_a_frame_of_exactly_the_limit_is_taken(client: RawClient) -> None:
    body = path_watch("/")
    client.send(wire.EXISTS, body + bytes(0xFFFFF - 8 - len(body)))
    assert client.reply().error == 0


def test_half_a_frame_waits_for_the_rest(client: RawClient) -> None:
    whole = frame(i32(5) + i32(wire.EXISTS) + path_watch("/"))
    client.send_bytes(whole[:9])
    client.socket.settimeout(0.2)
    with pytest.raises(TimeoutError):
        client.read_frame()
    client.socket.settimeout(20)
    client.send_bytes(whole[9:])
    assert client.reply().xid == 5


def test_a_connection_that_never_speaks_is_closed(fresh: FreshServer) -> None:
    with socket.create_connection(("127.0.0.1", fresh.port), timeout=20) as silent:
        started = time.monotonic()
        assert silent.recv(1) == b""
        # ZooKeeper keeps its deadlines in buckets as wide as the timeout, 1 s here.
        assert 0.9 < time.monotonic() - started < 5
