"""zkbridge.protocol.replies. Source: the bytes of reference section 1.7, observed on ZooKeeper 3.9.4."""

from zkbridge.protocol.replies import (
    encode_connect_response,
    encode_error,
    encode_reply,
    encode_session_expired,
)


def test_an_error_is_a_header_alone() -> None:
    assert encode_error(14, 4, -101).hex() == "000000100000000e0000000000000004ffffff9b"


def test_a_reply_is_its_header_and_body() -> None:
    body = bytes.fromhex("000000022f61")
    assert encode_reply(1, 12, body).hex() == "0000001600000001000000000000000c00000000000000022f61"


def test_an_expired_session_is_told_with_sixteen_zero_bytes() -> None:
    expected = "0000002500000000000000000000000000000000000000100000000000000000000000000000000000"
    assert encode_session_expired(True).hex() == expected
    assert len(encode_session_expired(False)) == 40


def test_the_read_only_byte_is_there_only_if_it_was_asked_for() -> None:
    with_it = encode_connect_response(6000, 7, bytes(16), True)
    without = encode_connect_response(6000, 7, bytes(16), False)
    assert len(with_it) == 4 + 37 and len(without) == 4 + 36
    assert with_it[4:40] == without[4:40]
