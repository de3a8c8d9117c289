"""Bad clients: each ends within bounded time and memory, and a good one beside it does not notice."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import grpc
import pytest

from etcdcore.http2.codes import (
    CANCEL,
    CONTINUATION,
    DATA,
    ENHANCE_YOUR_CALM,
    FLAG_ACK,
    HEADERS,
    PING,
    PREFACE,
    REFUSED_STREAM,
    RST_STREAM,
    SETTINGS,
    SETTINGS_INITIAL_WINDOW_SIZE,
)
from etcdcore.http2.frames import (
    encode_frame,
    encode_ping,
    encode_rst_stream,
    encode_settings,
    encode_window_update,
)
from integration.etcd.http2.echo_process import EchoProcess
from integration.etcd.http2.raw_connection import RawConnection

ANSWER_S_MAX = 3.0
"""For the good client, on a machine that does other things as well."""
MEMORY_BYTES_MAX = 96 << 20
"""More than before, whatever one bad client does: what it may make us keep at once, and some for the allocator."""
FLOOD_FRAMES = 200_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EchoProcess]:
    """Ours; grpcio's bounds are its own affair."""
    with EchoProcess("ours", tmp_path_factory.mktemp("abuse")) as started:
        yield started


class Bystander:
    """Calls all the time on a connection of its own, and remembers the slowest answer."""

    def __init__(self, port: int) -> None:
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}", [("grpc.use_local_subchannel_pool", 1)])
        self._echo = self._channel.unary_unary("/test.Echo/Echo")
        self._echo(b"hello", timeout=10)
        self._stop = threading.Event()
        self.slowest_s = 0.0
        self.count = 0
        self.failure: Exception | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while True:
            started = time.monotonic()
            try:
                assert self._echo(b"hello", timeout=10) == b"hello"
            except (grpc.RpcError, AssertionError) as failure:
                self.failure = failure
                return
            self.slowest_s = max(self.slowest_s, time.monotonic() - started)
            self.count += 1
            if self._stop.wait(0.005):
                return

    def end(self) -> None:
        """Raises if it was disturbed."""
        self._stop.set()
        self._thread.join(20)
        self._channel.close()
        assert self.failure is None, self.failure
        assert self.count > 0 and self.slowest_s < ANSWER_S_MAX, f"{self.count} answers, slowest {self.slowest_s:.2f} s"


@pytest.fixture(autouse=True)
def _others_do_not_notice(server: EchoProcess) -> Iterator[None]:
    """Around every test: a good client, and the server's memory."""
    bystander = Bystander(server.port)
    before = server.memory_bytes()
    yield
    bystander.end()
    grown = server.memory_bytes() - before
    assert grown < MEMORY_BYTES_MAX, f"grown by {grown >> 20} MiB"


def flood(connection: RawConnection, frame: Callable[[int], bytes]) -> tuple[int, str] | None:
    """Sends until the server has enough; how it ended."""
    with suppress(ConnectionError, TimeoutError):
        for start in range(0, FLOOD_FRAMES, 500):
            connection.send(b"".join(frame(number) for number in range(start, start + 500)))
    with suppress(TimeoutError):
        return connection.wait_for_end()
    raise AssertionError("the flood was let go on")


@pytest.mark.parametrize(
    "frame",
    [
        encode_ping(bytes(8), True),
        encode_settings([]),
        encode_frame(SETTINGS, FLAG_ACK, 0, b""),
        encode_frame(2, 0, 5, bytes([0, 0, 0, 1, 0])),
        encode_window_update(0, 1),
        encode_frame(0xFA, 0, 0, b"?" * 50),
    ],
    ids=["pong", "settings", "settings ack", "priority", "window update", "unknown"],
)
def test_a_flood_of_frames_is_ended(server: EchoProcess, frame: bytes) -> None:
    with RawConnection(server.port) as connection:
        assert flood(connection, lambda number: frame) in (
            None,
            (ENHANCE_YOUR_CALM, "too many frames that bring nothing"),
        )


def test_a_flood_of_pings_is_too_many(server: EchoProcess) -> None:
    with RawConnection(server.port) as connection:
        connection.send(encode_ping(bytes(8), False) * 10)
        assert connection.wait_for_end() == (ENHANCE_YOUR_CALM, "too_many_pings")


def test_pings_between_answers_are_not(server: EchoProcess) -> None:
    with RawConnection(server.port) as connection:
        for number in range(1, 400, 2):
            connection.send(connection.call(number, "Echo", b"x"))
            connection.wait_for(DATA, number)
            connection.send(encode_ping(bytes(8), False))
            assert connection.wait_for(PING)[1] == FLAG_ACK


def test_rapid_resets_are_ended(server: EchoProcess) -> None:
    """CVE-2023-44487."""
    with RawConnection(server.port) as connection:
        ended = flood(
            connection,
            lambda number: (
                connection.call_head(2 * number + 1, "Silent", is_end=False)
                + encode_frame(DATA, 1, 2 * number + 1, bytes(5))
                + encode_rst_stream(2 * number + 1, CANCEL)
            ),
        )
        assert ended in (None, (ENHANCE_YOUR_CALM, "too many frames that bring nothing"))


def test_empty_data_frames_are_ended(server: EchoProcess) -> None:
    with RawConnection(server.port) as connection:
        connection.send(connection.call_head(1, "Collect"))
        assert flood(connection, lambda number: encode_frame(DATA, 0, 1, b"")) in (
            None,
            (ENHANCE_YOUR_CALM, "too many frames that bring nothing"),
        )


@pytest.mark.parametrize("part", [b"", b"\x00\x01a\x01b" * 1000], ids=["empty", "long"])
def test_continuations_without_end_are_ended(server: EchoProcess, part: bytes) -> None:
    """CVE-2024-27316."""
    with RawConnection(server.port) as connection:
        connection.send(encode_frame(HEADERS, 0, 1, b"\x82"))
        ended = flood(connection, lambda number: encode_frame(CONTINUATION, 0, 1, part))
        assert ended is None or ended[0] == ENHANCE_YOUR_CALM


def test_a_header_bomb_is_refused_and_the_connection_lives(server: EchoProcess) -> None:
    """CVE-2016-6581: many references to one large field of the table."""
    bomb = b"\x83\x86\x44\x05/test\x40\x01a\x7f\xa1\x1e" + b"v" * 4000 + b"\xbe" * 8000
    with RawConnection(server.port) as connection:
        connection.send(encode_frame(HEADERS, 5, 1, bomb))
        assert int.from_bytes(connection.wait_for(RST_STREAM, 1)[3], "big") == ENHANCE_YOUR_CALM
        connection.send(encode_frame(HEADERS, 5, 3, b"\x82\x86\x84"))
        assert connection.wait_for(HEADERS, 3)


def test_garbage_ends_at_once(server: EchoProcess) -> None:
    rng = random.Random(4)
    for _ in range(50):
        with RawConnection(server.port) as connection, suppress(ConnectionError):
            connection.send(rng.randbytes(2000))
            started = time.monotonic()
            with suppress(ConnectionError):
                connection.wait_for_end()
            assert time.monotonic() - started < 5


def test_streams_past_the_limit_are_refused_alone(tmp_path: Path) -> None:
    with EchoProcess("ours", tmp_path, "--streams-max", "10") as small, RawConnection(small.port) as connection:
        connection.send(b"".join(connection.call(2 * number + 1, "Silent") for number in range(11)))
        assert connection.wait_for(RST_STREAM)[2] == 21
        connection.send(encode_rst_stream(1, CANCEL) + connection.call(23, "Echo", b"room again"))
        assert connection.wait_for(DATA, 23)[3][5:] == b"room again"


@pytest.mark.parametrize("turn", range(3))
def test_unfinished_messages_are_bounded_by_the_connection(server: EchoProcess, turn: int) -> None:
    """Forty calls of almost 2 MiB each: the bound is 64 MiB, and what goes past it fails; none of it stays behind."""
    before = server.memory_bytes()
    with RawConnection(server.port, settings=((SETTINGS_INITIAL_WINDOW_SIZE, 1 << 20),)) as connection:
        size = (2 << 20) - 100
        piece = bytes(16_384)
        for number in range(40):
            stream_id = 2 * number + 1
            head = connection.call_head(stream_id, "Echo") + encode_frame(DATA, 0, stream_id, size.to_bytes(5, "big"))
            connection.send(head + encode_frame(DATA, 0, stream_id, piece) * 125)
        frame = connection.wait_for(HEADERS)
        assert b"too many bytes" in frame[3]
        assert server.memory_bytes() - before < 160 << 20
    time.sleep(0.5)


def test_a_client_that_takes_no_answers_is_not_asked_for_more(server: EchoProcess) -> None:
    """Its windows are closed: answers wait, then calls do, then the socket does."""
    before = server.memory_bytes()
    with RawConnection(server.port, settings=((SETTINGS_INITIAL_WINDOW_SIZE, 0),)) as connection:
        connection.socket.settimeout(1.0)
        sent = 0
        with suppress(TimeoutError):
            for number in range(3000):
                connection.send(connection.call(2 * number + 1, "Large", b"1000000"))
                sent += 1
        assert server.memory_bytes() - before < 64 << 20, f"after {sent} calls"


def test_a_client_that_reads_nothing_is_not_read_either(server: EchoProcess) -> None:
    before = server.memory_bytes()
    with RawConnection(server.port, settings=((SETTINGS_INITIAL_WINDOW_SIZE, 0x7FFFFFFF),)) as connection:
        connection.send(encode_window_update(0, 0x7FFF0000 - 65_535))
        connection.socket.settimeout(1.0)
        with pytest.raises(TimeoutError):
            for number in range(200_000):
                connection.send(connection.call(2 * number + 1, "Large", b"100000"))
        assert server.memory_bytes() - before < 64 << 20


def test_an_echo_stream_that_is_not_read_is_bounded(server: EchoProcess) -> None:
    before = server.memory_bytes()
    with RawConnection(server.port, settings=((SETTINGS_INITIAL_WINDOW_SIZE, 1000),)) as connection:
        connection.socket.settimeout(1.0)
        connection.send(connection.call_head(1, "EchoStream"))
        message = (16_000).to_bytes(5, "big") + bytes(16_000)
        sent = 0
        with suppress(TimeoutError):
            while sent < 4 << 20:
                connection.send(encode_frame(DATA, 0, 1, message))
                sent += len(message)
        assert server.memory_bytes() - before < 32 << 20
        connection.send(encode_frame(DATA, 0, 1, message) * 40)
        code = int.from_bytes(connection.wait_for(RST_STREAM, 1)[3], "big")
        assert code == 3, "a client that goes on past its window is reset"


def test_plain_requests_at_once_are_bounded(server: EchoProcess) -> None:
    with RawConnection(server.port) as connection:
        block = b"\x82\x86\x44\x05/slow"
        connection.send(b"".join(encode_frame(HEADERS, 5, 2 * number + 1, block) for number in range(257)))
        frame = connection.wait_for(RST_STREAM)
        assert (frame[2], int.from_bytes(frame[3], "big")) == (513, REFUSED_STREAM)
        connection.send(encode_rst_stream(1, CANCEL) + encode_rst_stream(3, CANCEL))
        connection.send(encode_ping(bytes(8), False))
        connection.wait_for(PING)
        connection.send(encode_frame(HEADERS, 5, 515, b"\x82\x86\x84"))
        assert connection.wait_for(HEADERS, 515)


@pytest.mark.parametrize("turn", range(3))
def test_bodies_that_no_handler_takes_are_bounded(server: EchoProcess, turn: int) -> None:
    """`/slow` reads nothing: each stream may send its window, all together no more than the bound."""
    before = server.memory_bytes()
    with RawConnection(server.port) as connection:
        block, piece = b"\x83\x86\x44\x05/slow", bytes(16_384)
        for stream_id in range(1, 41, 2):
            connection.send(encode_frame(HEADERS, 4, stream_id, block) + encode_frame(DATA, 0, stream_id, piece) * 255)
        assert int.from_bytes(connection.wait_for(RST_STREAM)[3], "big") == ENHANCE_YOUR_CALM
        assert server.memory_bytes() - before < 160 << 20
    time.sleep(0.5)


def test_slow_beginnings_are_cut_in_time(server: EchoProcess) -> None:
    """Slow loris: no byte, half a preface, half a frame. All are cut; a whole connection that is idle is not."""
    beginnings = [
        b"",
        b"PR",
        b"GET / HTTP/1.1\r\nHost: h\r\n",
        PREFACE[:10],
        PREFACE,
        PREFACE + encode_settings([]) + b"\0\0",
    ]
    beginnings.append(PREFACE + encode_settings([]) + encode_frame(HEADERS, 0, 1, b"\x82"))
    slow = [RawConnection(server.port, greets=False) for _ in beginnings]
    with RawConnection(server.port) as idle:
        for connection, beginning in zip(slow, beginnings, strict=True):
            connection.socket.settimeout(40)
            if beginning:
                connection.send(beginning)
        started = time.monotonic()
        for connection in slow:
            with suppress(ConnectionError):
                connection.wait_for_end()
            connection.socket.close()
        assert time.monotonic() - started < 35
        idle.send(idle.call(1, "Echo", b"still here"))
        assert idle.wait_for(DATA, 1)[3][5:] == b"still here"


def test_a_thousand_connections_that_say_nothing_cost_little(server: EchoProcess) -> None:
    before = server.memory_bytes()
    connections = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(1000)]
    time.sleep(1)
    assert server.memory_bytes() - before < 32 << 20
    for connection in connections:
        connection.close()
