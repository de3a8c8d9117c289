"""zkbridge.protocol.connection. Source: ZooKeeper NIOServerCnxn.readLength; reference 1.2, 1.3."""

import pytest

from zkbridge.errors import ProtocolError
from zkbridge.protocol.connection import ClientStream

FRAME = b"\x00\x00\x00\x03abc"


def word_of(stream: ClientStream) -> str | None:
    """Read anew each time, which a type checker that narrows attributes would not believe."""
    return stream.four_letter_word


def test_frames_leave_in_order_however_the_bytes_arrive() -> None:
    stream = ClientStream(100)
    frames: list[bytes] = []
    for byte in FRAME + b"\x00\x00\x00\x01d":
        frames += stream.receive_bytes(bytes([byte]))
    assert frames == [b"abc", b"d"]


def test_a_four_letter_word_counts_only_before_the_first_frame() -> None:
    stream = ClientStream(2**31 - 1)
    stream.receive_bytes(b"ru")
    assert word_of(stream) is None
    assert stream.receive_bytes(b"ok") == []
    assert word_of(stream) == "ruok"
    later = ClientStream(2**31 - 1)
    assert later.receive_bytes(FRAME + b"ruok") == [b"abc"]
    assert word_of(later) is None


def test_stmk_has_its_mask_when_that_has_come() -> None:
    stream = ClientStream(100)
    stream.receive_bytes(b"stmk")
    assert (word_of(stream), stream.mask) == ("stmk", b"")
    stream.receive_bytes(b"\x00\x00\x00")
    assert (word_of(stream), stream.mask) == ("stmk", b"\x00\x00\x00")
    stream.receive_bytes(b"\x00\x00\x00\x01\x32")
    assert (word_of(stream), stream.mask) == ("stmk", b"\x00\x00\x00\x00\x00\x00\x01\x32")


def test_an_unknown_word_is_a_length_that_cannot_be() -> None:
    with pytest.raises(ProtocolError, match="frame length"):
        ClientStream(0xFFFFF).receive_bytes(b"RUOK")


@pytest.mark.parametrize("length", [b"\xff\xff\xff\xff", b"\x80\x00\x00\x00", b"\x00\x10\x00\x00"])
def test_negative_and_huge_lengths_are_refused(length: bytes) -> None:
    with pytest.raises(ProtocolError, match="frame length"):
        ClientStream(0xFFFFF).receive_bytes(length)


def test_frames_before_a_bad_length_are_not_lost() -> None:
    stream = ClientStream(100)
    assert stream.receive_bytes(FRAME + b"\xff\xff\xff\xff") == [b"abc"]
    with pytest.raises(ProtocolError, match="frame length"):
        stream.take_frames()


def test_the_largest_frame_is_taken_and_one_byte_more_is_not() -> None:
    assert ClientStream(3).receive_bytes(FRAME) == [b"abc"]
    with pytest.raises(ProtocolError):
        ClientStream(2).receive_bytes(FRAME)


def test_a_telnet_interrupt_ends_the_connection() -> None:
    with pytest.raises(ProtocolError, match="telnet"):
        ClientStream(100).receive_bytes(b"\xff\xf4\xff\xfd")
