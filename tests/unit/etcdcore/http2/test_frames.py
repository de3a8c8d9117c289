import pytest

from etcdcore.http2.codes import FLAG_PADDED, FLAG_PRIORITY, ConnectionViolation
from etcdcore.http2.frames import encode_frame, encode_frame_start, strip_padding, strip_priority


def test_a_frame_is_its_start_its_stream_and_its_payload() -> None:
    assert encode_frame(1, 5, 0x7FFFFFFF, b"abc") == encode_frame_start(1, 5, 3) + b"\x7f\xff\xff\xffabc"


def test_padding_is_taken_off() -> None:
    assert strip_padding(0, b"\x01ab") == b"\x01ab"
    assert strip_padding(FLAG_PADDED, b"\x02ab\0\0") == b"ab"
    assert strip_padding(FLAG_PADDED, b"\x02\0\0") == b""


@pytest.mark.parametrize("payload", [b"", b"\x01", b"\x04abc"])
def test_padding_longer_than_its_frame_is_a_violation(payload: bytes) -> None:
    with pytest.raises(ConnectionViolation):
        strip_padding(FLAG_PADDED, payload)


def test_a_priority_is_taken_off_and_may_not_name_its_own_stream() -> None:
    assert strip_priority(0, b"block", 3) == (b"block", False)
    assert strip_priority(FLAG_PRIORITY, b"\x80\0\0\x05\x10block", 3) == (b"block", False)
    assert strip_priority(FLAG_PRIORITY, b"\x80\0\0\x03\x10block", 3) == (b"block", True)
    with pytest.raises(ConnectionViolation):
        strip_priority(FLAG_PRIORITY, b"\0\0\0\0", 3)
