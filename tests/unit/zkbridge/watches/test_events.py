"""Bytes of a notification."""

from zkbridge.watches.events import NODE_DATA_CHANGED, encode_event


def test_a_notification_has_the_bytes_of_the_reference() -> None:
    """Reference 1.7: notification zxid 98, DataChanged /m/k."""
    expected = "00000020ffffffff0000000000000062000000000000000300000003000000042f6d2f6b"
    assert encode_event(NODE_DATA_CHANGED, "/m/k", 98).hex() == expected


def test_the_length_counts_bytes_and_not_letters() -> None:
    frame = encode_event(NODE_DATA_CHANGED, "/é", 1)
    assert int.from_bytes(frame[:4], "big") == len(frame) - 4
    assert frame.endswith(b"\x00\x00\x00\x03/\xc3\xa9")
