"""Whatever bytes come: a connection raises nothing, keeps its windows, and means the same however they were cut."""

from hypothesis import given, settings
from hypothesis import strategies as st

from etcdcore.http2.codes import PREFACE, WINDOW_MAX
from etcdcore.http2.connection import Connection
from etcdcore.http2.frames import encode_frame, encode_settings
from etcdcore.http2.header_encoder import ResponseFields
from tests.unit.etcdcore.http2.client import Audience, parse_frames

HEAD = ResponseFields([(b":status", b"200")], is_common=True)
TRAILERS = ResponseFields([(b"grpc-status", b"0")], is_common=True)
BLOCKS = (b"\x82\x86\x84\x01\x00", b"\x83\x86\x84", b"\x40\x01a\x011", b"\xbe", b"\x20", b"\x82\x86\x84\xbe")

frames = st.builds(
    encode_frame,
    st.integers(0, 11),
    st.integers(0, 255) | st.sampled_from([0, 1, 4, 5]),
    st.integers(0, 9) | st.integers(0, WINDOW_MAX),
    st.binary(max_size=30) | st.sampled_from(BLOCKS) | st.integers(0, 1 << 31).map(lambda n: n.to_bytes(4, "big")),
)
conversations = st.lists(frames | st.binary(max_size=20), max_size=40).map(b"".join)
HTTP2 = PREFACE + encode_settings([])


@settings(max_examples=300, deadline=None)
@given(conversation=conversations, cut=st.integers(1, 64), answers=st.booleans())
def test_no_bytes_raise_and_cutting_them_changes_nothing(conversation: bytes, cut: int, answers: bool) -> None:
    data = HTTP2 + conversation
    heard = []
    for size in (len(data), cut):
        audience = Audience()
        server = Connection(audience, 50)
        sent = b""
        for at in range(0, len(data), size):
            server.receive_bytes(data[at : at + size], 0)
            sent += server.take_bytes()
            server.resume_output()
        if answers:
            for stream in list(server.streams.values()):
                server.respond(stream, HEAD, bytes(70_000), TRAILERS)
        sent += server.take_bytes()
        server.check_invariants()
        heard.append((audience.heard, server.is_broken, server.broken_text, parse_frames(sent)))
    assert heard[0] == heard[1]


@settings(max_examples=300, deadline=None)
@given(data=st.binary(max_size=200))
def test_garbage_is_never_more_than_a_violation(data: bytes) -> None:
    server = Connection(Audience(), 50)
    server.receive_bytes(data, 0)
    parse_frames(server.take_bytes())
    server.check_invariants()


@settings(max_examples=200, deadline=None)
@given(
    body=st.binary(max_size=5000),
    stream_window=st.integers(0, 300),
    widenings=st.lists(st.tuples(st.booleans(), st.integers(1, 2000)), max_size=60),
)
def test_data_never_leaves_past_a_window_and_arrives_in_order(
    body: bytes, stream_window: int, widenings: list[tuple[bool, int]]
) -> None:
    server = Connection(audience := Audience(), 50)
    request = encode_frame(1, 5, 1, b"\x83\x86\x84")
    server.receive_bytes(PREFACE + encode_settings([(4, stream_window)]) + request, 0)
    server.respond(audience.streams[1], HEAD, body, TRAILERS)
    allowed, received, has_ended = stream_window, b"", False
    for is_stream, increment in [*widenings, (True, len(body))]:
        for kind, flags, _, payload in parse_frames(server.take_bytes()):
            received += payload if kind == 0 else b""
            has_ended |= kind == 1 and flags & 1 == 1
        server.resume_output()
        server.check_invariants()
        assert len(received) <= min(allowed, len(body)) and body.startswith(received)
        assert has_ended == (received == body and (len(body) <= allowed))
        allowed += increment if is_stream else 0
        server.receive_bytes(encode_frame(8, 0, 1 if is_stream else 0, increment.to_bytes(4, "big")), 0)
    received += b"".join(payload for kind, _, _, payload in parse_frames(server.take_bytes()) if kind == 0)
    assert received == body
