"""zkbridge.jute.frames: a stream cut into frames, whatever the pieces."""

import pytest

from zkbridge.jute.frames import FRAME_BYTES_MAX_DEFAULT, FrameSplitter, encode_frame
from zkbridge.jute.wire import JuteError

BODIES = [b"", b"one", b"x" * 300, b"", b"last"]
STREAM = b"".join(encode_frame(body) for body in BODIES)


def test_frames_that_arrive_together_are_taken_together() -> None:
    splitter = FrameSplitter()
    splitter.receive_bytes(STREAM)
    assert splitter.take_frames() == BODIES
    assert splitter.take_frames() == []
    assert splitter.buffered_size() == 0


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 100, 303])
def test_frames_are_the_same_in_pieces_of_any_size(size: int) -> None:
    splitter = FrameSplitter()
    found: list[bytes] = []
    for start in range(0, len(STREAM), size):
        splitter.receive_bytes(STREAM[start : start + size])
        found += splitter.take_frames()
    assert found == BODIES


def test_bytes_left_untaken_are_kept_in_order() -> None:
    splitter = FrameSplitter()
    for start in range(0, len(STREAM), 50):
        splitter.receive_bytes(STREAM[start : start + 50])
    assert splitter.buffered_size() == len(STREAM)
    assert splitter.take_frames() == BODIES


def test_the_longest_body_is_taken_and_one_byte_more_is_refused() -> None:
    splitter = FrameSplitter()
    splitter.receive_bytes(encode_frame(bytes(FRAME_BYTES_MAX_DEFAULT)))
    assert [len(body) for body in splitter.take_frames()] == [0xFFFFF]
    splitter.receive_bytes((0x100000).to_bytes(4, "big"))
    with pytest.raises(JuteError, match="frame length 1048576, expected 0 to 1048575"):
        splitter.take_frames()


@pytest.mark.parametrize("length", ["ffffffff", "80000000", "7fffffff", "16030100", "0000000b"])
def test_a_bad_length_is_refused_by_every_take_once_met(length: str) -> None:
    splitter = FrameSplitter(frame_bytes_max=10)
    splitter.receive_bytes(encode_frame(b"good") + bytes.fromhex(length))
    assert splitter.take_frames() == [b"good"]
    for _ in range(2):
        with pytest.raises(JuteError):
            splitter.take_frames()
        splitter.receive_bytes(encode_frame(b"late"))


def test_a_length_is_refused_before_its_body_arrives() -> None:
    splitter = FrameSplitter(frame_bytes_max=10)
    splitter.receive_bytes(bytes.fromhex("03"))
    assert splitter.take_frames() == []
    splitter.receive_bytes(bytes.fromhex("938700"))
    with pytest.raises(JuteError, match="frame length 60000000"):
        splitter.take_frames()


def test_peek_shows_bytes_and_leaves_them() -> None:
    splitter = FrameSplitter()
    splitter.receive_bytes(b"ru")
    assert splitter.peek(4) == b"ru"
    splitter.receive_bytes(b"ok")
    assert splitter.peek(4) == b"ruok"
    assert splitter.buffered_size() == 4


def test_a_large_frame_in_tiny_pieces_is_copied_once() -> None:
    """Joining at each piece would copy 40 GB here and run for minutes."""
    body = bytes(400_000)
    stream = encode_frame(body)
    splitter = FrameSplitter()
    splitter.receive_bytes(encode_frame(b"first") + stream[:5])
    assert splitter.take_frames() == [b"first"]
    found: list[bytes] = []
    for start in range(5, len(stream), 2):
        splitter.receive_bytes(stream[start : start + 2])
        found += splitter.take_frames()
    assert found == [body]
