import pytest

from etcdcore.http2.codes import FLOW_CONTROL_ERROR, STREAM_CLOSED, WINDOW_MAX, StreamViolation
from etcdcore.http2.stream import Stream


def test_a_request_ends_once() -> None:
    stream = Stream(1, 100, -1)
    stream.receive_data(4, 4, True)
    assert stream.is_request_ended and not stream.is_closed
    with pytest.raises(StreamViolation) as caught:
        stream.receive_data(0, 0, False)
    assert caught.value.code == STREAM_CLOSED
    with pytest.raises(StreamViolation):
        stream.end_request()


def test_pending_data_leaves_in_order_and_in_any_pieces() -> None:
    stream = Stream(1, 100, -1)
    for piece in (b"abc", b"d", b"efghij"):
        stream.queue(piece)
    assert [stream.take_pending(count) for count in (2, 3, 1, 4)] == [b"ab", b"cde", b"f", b"ghij"]
    assert stream.pending_bytes == 0 and stream.send_window == 90


def test_a_window_has_a_largest_size() -> None:
    stream = Stream(1, 1, -1)
    stream.widen_send_window(WINDOW_MAX - 1)
    with pytest.raises(StreamViolation) as caught:
        stream.widen_send_window(1)
    assert caught.value.code == FLOW_CONTROL_ERROR


def test_a_closed_stream_holds_nothing() -> None:
    stream = Stream(1, 1, -1)
    stream.queue(b"abc")
    stream.close()
    assert stream.is_closed and stream.is_request_ended and stream.pending_bytes == 0
