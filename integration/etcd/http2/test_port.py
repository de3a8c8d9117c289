"""One port for gRPC and plain HTTP over both versions, on TCP, unix sockets and TLS; and how it is left."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from etcdcore.http2.codes import (
    DATA,
    FLAG_ACK,
    FLAG_END_HEADERS,
    FLAG_END_STREAM,
    GOAWAY,
    HEADERS,
    PING,
    RST_STREAM,
    WINDOW_UPDATE,
)
from etcdcore.http2.frames import encode_frame, encode_ping, encode_rst_stream
from integration.etcd.http2.echo_process import EchoProcess
from integration.etcd.http2.raw_connection import RawConnection
from tests.certificates import Authority

TIMEOUT_S = 20.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EchoProcess]:
    """Ours on TCP."""
    with EchoProcess("ours", tmp_path_factory.mktemp("port")) as started:
        yield started


def _get(connection: RawConnection, stream_id: int, path: str, *, is_end: bool = True) -> bytes:
    """A HEADERS frame without a dynamic table."""
    block = b"\x82\x86\x04" + bytes([len(path)]) + path.encode()
    return encode_frame(HEADERS, FLAG_END_HEADERS | (FLAG_END_STREAM if is_end else 0), stream_id, block)


def _read_body(connection: RawConnection, stream_id: int) -> bytes:
    body = b""
    while True:
        frame = connection.receive()
        assert frame is not None
        if frame[0] == DATA and frame[3]:
            increment = len(frame[3]).to_bytes(4, "big")
            connection.send(b"".join(encode_frame(WINDOW_UPDATE, 0, each, increment) for each in (0, frame[2])))
        if frame[0] == DATA and frame[2] == stream_id:
            body += frame[3]
            if frame[1] & FLAG_END_STREAM:
                return body
        assert frame[0] != RST_STREAM


@pytest.mark.parametrize("body", [b"", b"hello", bytes(3 << 20)], ids=["none", "small", "large"])
def test_http_1_is_served_on_the_port(server: EchoProcess, body: bytes) -> None:
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=TIMEOUT_S)
    for _ in range(2):
        client.request("POST", "/some%20where?a=1&a=2&b=", body)
        response = client.getresponse()
        assert response.status == 200 and response.headers["Content-Type"] == "text/plain"
        told = response.read().decode()
        assert told == f"POST /some where {{'a': ['1', '2'], 'b': ['']}}  {len(body)}\n"
    client.close()


def test_http_1_answers_in_pieces(server: EchoProcess) -> None:
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=TIMEOUT_S)
    client.request("GET", "/pieces")
    assert client.getresponse().read() == b"GET /pieces {}  0\n" * 10_000
    client.close()


def test_plain_http_2_is_served_on_the_port(server: EchoProcess) -> None:
    with RawConnection(server.port) as connection:
        connection.send(_get(connection, 1, "/a%20b?c=d"))
        assert _read_body(connection, 1) == b"GET /a b {'c': ['d']}  0\n"
        connection.send(_get(connection, 3, "/pieces") + _get(connection, 5, "/x", is_end=False))
        connection.send(encode_frame(DATA, 0, 5, b"12345") + encode_frame(DATA, FLAG_END_STREAM, 5, b"6"))
        assert _read_body(connection, 5) == b"GET /x {}  6\n"


def test_plain_http_2_answers_in_pieces(server: EchoProcess) -> None:
    with RawConnection(server.port) as connection:
        connection.send(_get(connection, 1, "/pieces"))
        assert _read_body(connection, 1) == b"GET /pieces {}  0\n" * 10_000


def test_a_handler_that_raises_is_an_internal_error_over_both(server: EchoProcess) -> None:
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=TIMEOUT_S)
    client.request("GET", "/raise")
    assert client.getresponse().status == 500
    client.close()
    with RawConnection(server.port) as connection:
        connection.send(_get(connection, 1, "/raise"))
        assert _read_body(connection, 1) == b"internal error\n"


def test_a_request_given_up_leaves_nothing_behind(server: EchoProcess) -> None:
    with RawConnection(server.port) as connection:
        for stream_id in range(1, 200, 2):
            connection.send(_get(connection, stream_id, "/slow") + encode_rst_stream(stream_id, 8))
        connection.send(_get(connection, 201, "/after"))
        assert b"/after" in _read_body(connection, 201)


@pytest.mark.parametrize("first", [b"P", b"PO", b"G"])
def test_the_first_bytes_may_come_one_by_one(server: EchoProcess, first: bytes) -> None:
    request = (b"POST" if first[0:1] == b"P" else b"GET") + b" /x HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), TIMEOUT_S) as client:
        client.sendall(first)
        time.sleep(0.1)
        client.sendall(request[len(first) :])
        assert client.recv(1000).startswith(b"HTTP/1.1 200 OK")


def test_the_second_socket_of_a_port_is_refused_with_its_address(server: EchoProcess, tmp_path: Path) -> None:
    second = EchoProcess("ours", tmp_path, url=f"http://127.0.0.1:{server.port}")
    assert second.wait(20) != 0
    second.stop()
    assert "ddress already in use" in second.log_path.read_text()


def test_a_unix_socket_carries_both(tmp_path: Path) -> None:
    path = tmp_path / "etcd.sock"
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(path))
    stale.close()
    with EchoProcess("ours", tmp_path, url=f"unix://{path}"):
        with grpc.insecure_channel(f"unix:{path}") as channel:
            assert channel.unary_unary("/test.Echo/Echo")(b"by path", timeout=TIMEOUT_S) == b"by path"
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            client.sendall(b"GET /x HTTP/1.1\r\nHost: h\r\n\r\n")
            assert client.recv(1000).startswith(b"HTTP/1.1 200 OK")
    assert not path.exists()


def test_tls_tells_services_who_the_client_is(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pair, client_pair = authority.issue("server"), authority.issue("client", "alice")
    options = ("--tls", pair.cert_file, pair.key_file, authority.ca_file)
    with EchoProcess("ours", tmp_path, *options, url="https://127.0.0.1:0") as server:
        credentials = grpc.ssl_channel_credentials(
            Path(authority.ca_file).read_bytes(),
            Path(client_pair.key_file).read_bytes(),
            Path(client_pair.cert_file).read_bytes(),
        )
        with grpc.secure_channel(f"127.0.0.1:{server.port}", credentials) as channel:
            told = json.loads(channel.unary_unary("/test.Echo/Describe")(b"", timeout=TIMEOUT_S))
            assert told["common_name"] == "alice"
            large = channel.unary_unary("/test.Echo/Echo")(bytes(2 << 20), timeout=TIMEOUT_S)
            assert len(large) == 2 << 20
        context = ssl.create_default_context(cafile=authority.ca_file)
        context.load_cert_chain(client_pair.cert_file, client_pair.key_file)
        client = http.client.HTTPSConnection("127.0.0.1", server.port, timeout=TIMEOUT_S, context=context)
        client.request("GET", "/who")
        assert client.getresponse().read() == b"GET /who {} alice 0\n"
        client.close()
        nameless = ssl.create_default_context(cafile=authority.ca_file)
        other = http.client.HTTPSConnection("127.0.0.1", server.port, timeout=TIMEOUT_S, context=nameless)
        with pytest.raises((ssl.SSLError, ConnectionError)):
            other.request("GET", "/who")
            other.getresponse()


def test_a_silent_client_is_pinged_and_cut_if_it_does_not_answer(tmp_path: Path) -> None:
    options = ("--ping-interval", "0.5", "--ping-timeout", "0.5")
    with EchoProcess("ours", tmp_path, *options) as server, RawConnection(server.port) as connection:
        for _ in range(3):
            ping = connection.wait_for(PING)
            assert not ping[1] & FLAG_ACK
            connection.send(encode_frame(PING, FLAG_ACK, 0, ping[3]))
        started = time.monotonic()
        connection.wait_for_end()
        assert time.monotonic() - started < 5


def test_a_client_that_pings_too_often_is_told_so(server: EchoProcess) -> None:
    with RawConnection(server.port) as connection:
        connection.send(connection.call(1, "Silent"))
        for _ in range(4):
            connection.send(encode_ping(b"12345678", False))
            time.sleep(0.05)
        assert connection.wait_for_end() == (0xB, "too_many_pings")


def test_stopping_lets_calls_end_and_cuts_the_rest(tmp_path: Path) -> None:
    with (
        EchoProcess("ours", tmp_path, "--stop-grace", "8") as server,
        RawConnection(server.port) as ending,
        RawConnection(server.port) as long,
    ):
        ending.send(ending.call_head(1, "EchoStream"))
        ending.send(encode_frame(DATA, 0, 1, b"\0\0\0\0\x01x"))
        ending.wait_for(DATA, 1)
        long.send(long.call(1, "Silent"))
        time.sleep(0.2)
        server.begin_stop()
        assert ending.wait_for(GOAWAY)[3][4:8] == bytes(4)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.port), TIMEOUT_S)
        ending.send(encode_frame(DATA, 1, 1, b"\0\0\0\0\x01y"))
        assert ending.wait_for(DATA, 1)[3][5:] == b"y"
        assert ending.wait_for(HEADERS, 1)[1] & FLAG_END_STREAM
        started = time.monotonic()
        ending.wait_for_end()
        assert time.monotonic() - started < 6, "the connection ends with its last call"
        long.wait_for_end()
        assert server.wait() == 0


def test_an_idle_server_stops_at_once(tmp_path: Path) -> None:
    with EchoProcess("ours", tmp_path, "--stop-grace", "30") as server, RawConnection(server.port) as idle:
        idle.send(idle.call(1, "Echo", b"x"))
        idle.wait_for(DATA, 1)
        server.begin_stop()
        assert server.wait(20) == 0
