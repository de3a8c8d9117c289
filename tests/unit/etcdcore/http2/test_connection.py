"""Conversations with one connection: what a client sends, and exactly what comes back. Source: RFC 9113."""

import pytest

from etcdcore.http2.codes import (
    CANCEL,
    CONTINUATION,
    DATA,
    ENHANCE_YOUR_CALM,
    FLAG_ACK,
    FLAG_END_HEADERS,
    FLAG_END_STREAM,
    FLAG_PADDED,
    FLOW_CONTROL_ERROR,
    GOAWAY,
    HEADERS,
    NO_ERROR,
    PING,
    PREFACE,
    PRIORITY,
    PROTOCOL_ERROR,
    REFUSED_STREAM,
    RST_STREAM,
    SETTINGS,
    SETTINGS_HEADER_TABLE_SIZE,
    SETTINGS_INITIAL_WINDOW_SIZE,
    STREAM_CLOSED,
    WINDOW_UPDATE,
)
from etcdcore.http2.connection import (
    CONNECTION_PENDING_BYTES_HIGH,
    CONNECTION_WINDOW,
    CREDIT_MAX,
    HEADER_BLOCK_BYTES_MAX,
    OUTPUT_STEP_BYTES,
    STREAM_PENDING_BYTES_HIGH,
)
from etcdcore.http2.frames import encode_frame, encode_ping, encode_rst_stream, encode_settings, encode_window_update
from etcdcore.http2.header_encoder import ResponseFields
from etcdcore.http2.stream import STREAM_WINDOW
from tests.unit.etcdcore.http2.client import GET, POST, Client, Frame, parse_frames

HEAD = ResponseFields([(b":status", b"200"), (b"content-type", b"application/grpc")], is_common=True)
TRAILERS = ResponseFields([(b"grpc-status", b"0")], is_common=True)


def _codes(frames: list[Frame], kind: int) -> list[int]:
    """Error codes of the RST_STREAM or GOAWAY frames."""
    at = 4 if kind == GOAWAY else 0
    return [int.from_bytes(frame[3][at : at + 4], "big") for frame in frames if frame[0] == kind]


def _data(frames: list[Frame], stream_id: int) -> bytes:
    return b"".join(frame[3] for frame in frames if frame[0] == DATA and frame[2] == stream_id)


def test_bytes_may_come_one_by_one() -> None:
    client = Client(greets=False)
    for byte in PREFACE + encode_settings([]) + encode_frame(HEADERS, 5, 1, client.block(GET)):
        client.send(bytes([byte]))
    assert client.audience.heard == [("request", 1, True)]


def test_anything_but_the_preface_ends_the_connection() -> None:
    client = Client(greets=False)
    client.send(b"PRI * HTTP/1.1\r\n")
    assert client.server.is_broken
    assert _codes(client.frames(), GOAWAY) == [PROTOCOL_ERROR]


def test_a_unary_answer_is_one_piece() -> None:
    client = Client()
    client.request(1, POST, is_end=False)
    client.send(encode_frame(DATA, FLAG_END_STREAM, 1, b"hello"))
    assert client.audience.heard == [("request", 1, False), ("body", 1, b"hello"), ("ended", 1, None)]
    client.server.respond(client.audience.streams[1], HEAD, b"world", TRAILERS)
    head, data, trailers = client.frames()
    assert client.fields(head) == [(":status", "200"), ("content-type", "application/grpc")]
    assert data == (DATA, 0, 1, b"world")
    assert client.fields(trailers) == [("grpc-status", "0")] and trailers[1] == FLAG_END_HEADERS | FLAG_END_STREAM
    assert client.server.streams == {}


def test_repeated_answers_are_read_alike_in_fewer_bytes() -> None:
    client = Client()
    sizes = []
    for stream_id in (1, 3, 5):
        client.request(stream_id, POST)
        client.server.respond(client.audience.streams[stream_id], HEAD, b"x", TRAILERS)
        frames = client.frames()
        assert client.fields(frames[0]) == [(":status", "200"), ("content-type", "application/grpc")]
        assert client.fields(frames[2]) == [("grpc-status", "0")]
        sizes.append(sum(len(frame[3]) for frame in frames))
    assert sizes[1] == sizes[2] == 1 + 2 + 1 < sizes[0]


def test_a_client_without_a_header_table_is_sent_plain_fields() -> None:
    client = Client(settings=((SETTINGS_HEADER_TABLE_SIZE, 0),))
    client.decoder.max_allowed_table_size = 0
    for stream_id in (1, 3):
        client.request(stream_id, POST)
        client.server.respond(client.audience.streams[stream_id], HEAD, b"x", TRAILERS)
        frames = client.frames()
        assert client.fields(frames[0]) == [(":status", "200"), ("content-type", "application/grpc")]
        assert client.fields(frames[2]) == [("grpc-status", "0")]


def test_an_answer_waits_for_its_stream_window() -> None:
    client = Client(settings=((SETTINGS_INITIAL_WINDOW_SIZE, 10),))
    client.request(1, POST)
    client.server.respond(client.audience.streams[1], HEAD, b"0123456789abcdef", TRAILERS)
    frames = client.frames()
    assert [frame[0] for frame in frames] == [HEADERS, DATA]
    assert _data(frames, 1) == b"0123456789"
    client.send(encode_window_update(1, 3))
    assert client.frames() == [(DATA, 0, 1, b"abc")]
    client.send(encode_settings([(SETTINGS_INITIAL_WINDOW_SIZE, 13)]))
    acknowledgement, data, trailers = client.frames()
    # First the acknowledgement: until the client has read it, it holds us to the smaller window, and grpc's breaks off.
    assert acknowledgement == (SETTINGS, FLAG_ACK, 0, b"")
    assert data == (DATA, 0, 1, b"def")
    assert trailers[1] & FLAG_END_STREAM


def test_a_smaller_initial_window_may_leave_a_stream_below_zero() -> None:
    client = Client(settings=((SETTINGS_INITIAL_WINDOW_SIZE, 4),))
    client.request(1, POST)
    client.server.respond(client.audience.streams[1], HEAD, b"0123456789", TRAILERS)
    client.send(encode_settings([(SETTINGS_INITIAL_WINDOW_SIZE, 0)]) + encode_window_update(1, 4))
    assert _data(client.frames(), 1) == b"0123"
    client.send(encode_window_update(1, 1))
    assert _data(client.frames(), 1) == b"4"


def test_streams_share_the_connection_window_in_turn() -> None:
    client = Client(settings=((SETTINGS_INITIAL_WINDOW_SIZE, 1 << 20),))
    for stream_id in (1, 3):
        client.request(stream_id, POST)
        client.server.send_head(client.audience.streams[stream_id], HEAD, False)
        client.server.send_data(client.audience.streams[stream_id], bytes(100_000))
    first = client.frames()
    assert len(_data(first, 1)) + len(_data(first, 3)) == 65_535
    client.send(encode_window_update(0, 60_000))
    second = client.frames()
    assert len(_data(second, 1)) > 20_000 and len(_data(second, 3)) > 20_000


def test_a_throttled_stream_is_told_when_it_may_go_on() -> None:
    client = Client()
    client.request(1, POST)
    stream = client.audience.streams[1]
    client.server.send_head(stream, HEAD, False)
    client.server.send_data(stream, bytes(65_535))
    client.server.send_data(stream, bytes(STREAM_PENDING_BYTES_HIGH))
    assert stream.is_throttled
    client.send(encode_window_update(0, 50_000) + encode_window_update(1, 50_000))
    assert client.audience.heard[-1] == ("writable", 1, None)
    assert not stream.is_throttled


def test_streams_that_together_wait_for_much_are_all_throttled() -> None:
    client = Client(settings=((SETTINGS_INITIAL_WINDOW_SIZE, 0),), streams_max=2000)
    count = CONNECTION_PENDING_BYTES_HIGH // 50_000 + 1
    for number in range(count):
        client.request(2 * number + 1, POST)
        client.server.send_data(client.audience.streams[2 * number + 1], bytes(50_000))
    last = client.audience.streams[2 * count - 1]
    assert last.is_throttled and not client.audience.streams[1].is_throttled
    client.send(encode_window_update(2 * count - 1, 50_000))
    assert client.audience.heard[-1] == ("writable", 2 * count - 1, None)


def test_a_full_socket_holds_data_back_but_not_pings() -> None:
    client = Client()
    client.request(1, POST)
    client.server.hold_output()
    client.server.respond(client.audience.streams[1], HEAD, b"data", TRAILERS)
    client.send(encode_ping(b"12345678", False))
    held = parse_frames(client.server.take_bytes())
    assert [frame[0] for frame in held] == [HEADERS, PING]
    client.server.resume_output()
    assert [frame[0] for frame in client.frames()] == [DATA, HEADERS]


def test_one_step_of_output_is_bounded() -> None:
    client = Client(settings=((SETTINGS_INITIAL_WINDOW_SIZE, 1 << 24),))
    client.send(encode_window_update(0, 1 << 24))
    client.request(1, POST)
    client.server.respond(client.audience.streams[1], HEAD, bytes(4 << 20), TRAILERS)
    assert len(client.server.take_bytes()) < OUTPUT_STEP_BYTES + 20_000
    client.server.resume_output()
    assert len(client.server.take_bytes()) < OUTPUT_STEP_BYTES + 20_000


def test_a_head_past_a_frame_goes_on_in_continuations() -> None:
    client = Client()
    client.request(1)
    stream = client.audience.streams[1]
    client.server.send_head(stream, ResponseFields([(b":status", b"200"), (b"x", b"y" * 40_000)]), True)
    kinds = [(frame[0], frame[1]) for frame in client.frames()]
    assert kinds == [(HEADERS, FLAG_END_STREAM), (CONTINUATION, 0), (CONTINUATION, FLAG_END_HEADERS)]


def test_a_request_that_is_answered_early_is_told_to_stop() -> None:
    client = Client()
    client.request(1, POST, is_end=False)
    client.server.respond(client.audience.streams[1], HEAD, b"", TRAILERS)
    frames = client.frames()
    assert _codes(frames, RST_STREAM) == [NO_ERROR]
    client.send(encode_frame(DATA, 0, 1, b"was under way"))
    assert client.frames() == [] and not client.server.is_broken


def test_windows_are_given_back_as_data_is_taken() -> None:
    client = Client()
    client.request(1, POST, is_end=False)
    stream = client.audience.streams[1]
    sent = 0
    while sent < STREAM_WINDOW - 16_384:
        client.send(encode_frame(DATA, 0, 1, bytes(16_384)))
        sent += 16_384
    assert client.frames() == []
    client.server.consume(stream, sent)
    assert client.frames() == [(WINDOW_UPDATE, 0, 1, sent.to_bytes(4, "big"))]


def test_the_connection_window_is_given_back_as_data_comes() -> None:
    client = Client()
    for stream_id in range(1, 9, 2):
        client.request(stream_id, POST, is_end=False)
        for _ in range(STREAM_WINDOW // 16_384):
            client.send(encode_frame(DATA, 0, stream_id, bytes(16_384)))
    given = sum(int.from_bytes(frame[3], "big") for frame in client.frames() if frame[0] == WINDOW_UPDATE)
    assert given >= CONNECTION_WINDOW // 2


def test_data_past_the_stream_window_resets_the_stream() -> None:
    client = Client()
    client.request(1, POST, is_end=False)
    for _ in range(STREAM_WINDOW // 16_384):
        client.send(encode_frame(DATA, 0, 1, bytes(16_384)))
    client.send(encode_frame(DATA, 0, 1, b"x"))
    assert _codes(client.frames(), RST_STREAM) == [FLOW_CONTROL_ERROR]
    assert client.audience.heard[-1] == ("reset", 1, FLOW_CONTROL_ERROR)


def test_padding_counts_for_windows_and_is_taken_off() -> None:
    client = Client()
    client.request(1, POST, is_end=False)
    client.send(encode_frame(DATA, FLAG_PADDED | FLAG_END_STREAM, 1, b"\x03data\0\0\0"))
    assert ("body", 1, b"data") in client.audience.heard


def test_trailers_end_a_request() -> None:
    client = Client()
    client.request(1, POST, is_end=False)
    client.request(1, (("checksum", "1"),))
    assert client.audience.heard[-1] == ("ended", 1, None)


@pytest.mark.parametrize(
    "fields",
    [
        (("connection", "close"),),
        (("te", "gzip"),),
        (("Upper", "case"),),
        (("nul", "a\0b"),),
        (("space", " b"),),
        ((":path", "/again"),),
        ((":status", "200"),),
        (("content-length", "-1"),),
        (("content-length", "9" * 40),),
    ],
)
def test_a_malformed_request_is_reset_and_no_one_hears_of_it(fields: tuple[tuple[str, str], ...]) -> None:
    client = Client()
    client.request(1, GET + fields)
    assert _codes(client.frames(), RST_STREAM) == [PROTOCOL_ERROR]
    assert client.audience.heard == []
    client.request(3)
    assert client.audience.heard == [("request", 3, True)]


@pytest.mark.parametrize("missing", range(3))
def test_method_scheme_and_path_have_to_be_there(missing: int) -> None:
    client = Client()
    client.request(1, GET[:missing] + GET[missing + 1 :])
    assert _codes(client.frames(), RST_STREAM) == [PROTOCOL_ERROR]


@pytest.mark.parametrize(("length", "is_right"), [("4", True), ("3", False), ("5", False)])
def test_a_body_has_the_length_it_said(length: str, is_right: bool) -> None:
    client = Client()
    client.request(1, (*POST, ("content-length", length)), is_end=False)
    client.send(encode_frame(DATA, FLAG_END_STREAM, 1, b"four"))
    assert _codes(client.frames(), RST_STREAM) == ([] if is_right else [PROTOCOL_ERROR])


def test_a_stream_too_many_is_refused() -> None:
    client = Client(streams_max=2)
    for stream_id in (1, 3, 5):
        client.request(stream_id)
    assert _codes(client.frames(), RST_STREAM) == [REFUSED_STREAM]
    assert sorted(client.server.streams) == [1, 3]


def test_a_reset_stream_is_heard_of_once() -> None:
    client = Client()
    client.request(1)
    client.send(encode_rst_stream(1, CANCEL) + encode_rst_stream(1, CANCEL))
    assert client.audience.heard == [("request", 1, True), ("reset", 1, CANCEL)]
    client.server.respond(client.audience.streams[1], HEAD, b"too late", TRAILERS)
    assert client.frames() == []


def test_headers_on_a_stream_that_ended_are_an_error_of_the_connection() -> None:
    client = Client()
    client.request(1)
    client.server.respond(client.audience.streams[1], HEAD, b"", TRAILERS)
    client.frames()
    client.request(1)
    assert _codes(client.frames(), GOAWAY) == [STREAM_CLOSED]


@pytest.mark.parametrize(
    "frame",
    [
        encode_frame(DATA, 0, 0, b"x"),
        encode_frame(DATA, 0, 7, b"x"),
        encode_frame(HEADERS, 5, 2, b"\x82"),
        encode_frame(SETTINGS, 0, 1, b""),
        encode_frame(PING, 0, 1, bytes(8)),
        encode_frame(WINDOW_UPDATE, 0, 0, bytes(4)),
        encode_frame(CONTINUATION, 4, 1, b""),
        encode_frame(5, 4, 1, b""),
        encode_frame(PRIORITY, 0, 0, bytes(5)),
        encode_frame(RST_STREAM, 0, 0, bytes(4)),
    ],
)
def test_a_violation_ends_the_connection_with_its_reason(frame: bytes) -> None:
    client = Client()
    client.send(frame)
    assert client.server.is_broken
    assert _codes(client.frames(), GOAWAY) == [PROTOCOL_ERROR]
    client.request(9)
    assert client.audience.heard == []


def test_going_away_lets_open_streams_end_and_takes_no_more() -> None:
    client = Client()
    client.request(1)
    client.server.go_away()
    client.request(3)
    assert client.audience.heard == [("request", 1, True)]
    frames = client.frames()
    assert frames == [(GOAWAY, 0, 0, bytes([0, 0, 0, 1, 0, 0, 0, 0]))]
    client.server.respond(client.audience.streams[1], HEAD, b"last", TRAILERS)
    assert _data(client.frames(), 1) == b"last"


@pytest.mark.parametrize(
    "frame",
    [
        encode_ping(bytes(8), False),
        encode_settings([]),
        encode_settings([(SETTINGS_INITIAL_WINDOW_SIZE, 1)] * 1000),
        encode_frame(DATA, 0, 1, b""),
        encode_frame(PRIORITY, 0, 9, bytes([0, 0, 0, 1, 0])),
        encode_window_update(0, 1),
        encode_frame(0xFA, 0, 0, b"unknown"),
        encode_rst_stream(1, CANCEL),
    ],
    ids=["ping", "settings", "long settings", "empty data", "priority", "window", "unknown", "reset"],
)
def test_a_flood_is_over_when_its_credit_is(frame: bytes) -> None:
    client = Client()
    client.request(1, POST, is_end=False)
    for _ in range(CREDIT_MAX + 10):
        client.send(frame)
        if client.server.is_broken:
            break
    assert _codes(client.frames(), GOAWAY) == [ENHANCE_YOUR_CALM]


def test_rapid_resets_are_over_when_their_credit_is() -> None:
    """CVE-2023-44487."""
    client = Client()
    for stream_id in range(1, 3 * CREDIT_MAX, 2):
        client.request(stream_id)
        client.send(encode_rst_stream(stream_id, CANCEL))
        if client.server.is_broken:
            break
    assert _codes(client.frames(), GOAWAY) == [ENHANCE_YOUR_CALM]
    assert client.server.last_stream_id <= CREDIT_MAX


def test_resets_that_a_client_makes_us_send_cost_it_the_same() -> None:
    """CVE-2025-8671."""
    client = Client()
    for stream_id in range(1, 3 * CREDIT_MAX, 2):
        client.request(stream_id)
        client.send(encode_window_update(stream_id, 0))
        if client.server.is_broken:
            break
    assert client.server.is_broken and client.server.last_stream_id <= CREDIT_MAX


def test_time_gives_credit_back() -> None:
    client = Client()
    for _ in range(3 * CREDIT_MAX):
        client.now_ms += 2
        client.send(encode_ping(bytes(8), False))
        client.frames()
    assert not client.server.is_broken


def test_answers_give_credit_back_for_the_pings_that_measure_them() -> None:
    client = Client()
    for stream_id in range(1, 3 * CREDIT_MAX, 2):
        client.request(stream_id)
        client.server.respond(client.audience.streams[stream_id], HEAD, b"x", TRAILERS)
        client.send(encode_ping(bytes(8), False) + encode_window_update(0, 5))
        client.frames()
    assert not client.server.is_broken


def test_a_header_block_that_never_ends_is_bounded() -> None:
    client = Client()
    client.send(encode_frame(HEADERS, 0, 1, b""))
    for _ in range(HEADER_BLOCK_BYTES_MAX // 16_384 + 1):
        client.send(encode_frame(CONTINUATION, 0, 1, bytes(16_384)))
    assert _codes(client.frames(), GOAWAY) == [ENHANCE_YOUR_CALM]


def test_empty_continuations_are_a_flood_as_well() -> None:
    client = Client()
    client.send(encode_frame(HEADERS, 0, 1, b""))
    for _ in range(CREDIT_MAX + 1):
        client.send(encode_frame(CONTINUATION, 0, 1, b""))
    assert _codes(client.frames(), GOAWAY) == [ENHANCE_YOUR_CALM]


def test_a_header_list_past_its_bound_refuses_the_request_alone() -> None:
    client = Client()
    client.request(1, (*GET, *[("indexed", "v" * 3000)] * 40))
    assert _codes(client.frames(), RST_STREAM) == [ENHANCE_YOUR_CALM]
    client.request(3)
    assert client.audience.heard == [("request", 3, True)]


def test_half_a_frame_is_known_since_when() -> None:
    client = Client()
    client.now_ms = 50
    client.send(b"\0\0")
    assert client.server.unfinished_since_ms == 50
    client.now_ms = 70
    client.send(b"\x08")
    assert client.server.unfinished_since_ms == 50
    client.now_ms = 90
    client.send(encode_ping(bytes(8), False)[3:] + b"\0")
    assert client.server.unfinished_since_ms == 90
    client.send(encode_ping(bytes(8), False)[1:])
    assert client.server.unfinished_since_ms == -1
    assert [(frame[0], frame[1]) for frame in client.frames()] == [(PING, FLAG_ACK)] * 2
