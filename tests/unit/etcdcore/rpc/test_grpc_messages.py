"""Source: grpc/doc/PROTOCOL-HTTP2.md."""

import gzip
from urllib.parse import unquote

import pytest

from etcdcore.errors import INTERNAL, RESOURCE_EXHAUSTED
from etcdcore.rpc.grpc_messages import MessageReader, decode_timeout_ms, encode_message, encode_status_text


def test_messages_come_out_whole_however_they_were_cut() -> None:
    messages = [b"", b"a", b"b" * 300]
    data = b"".join(encode_message(message) for message in messages)
    for size in (1, 2, 7, len(data)):
        reader, received = MessageReader(1000, ""), list[bytes]()
        for at in range(0, len(data), size):
            received += reader.receive(data[at : at + size])
        assert received == messages and reader.kept_bytes == 0 and reader.fault is None


def _fault(reader: MessageReader, data: bytes) -> tuple[int, str]:
    assert reader.receive(data) == [] or reader.fault is not None
    assert reader.fault is not None
    return reader.fault.code, reader.fault.text


def test_a_message_past_the_limit_is_refused_by_its_length_alone() -> None:
    reader = MessageReader(10, "")
    assert _fault(reader, b"\0\0\0\0\x0b") == (
        RESOURCE_EXHAUSTED,
        "grpc: received message larger than max (11 vs. 10)",
    )
    assert reader.kept_bytes == 0


def test_gzip_is_unpacked_up_to_the_limit() -> None:
    packed = gzip.compress(b"x" * 1000)
    data = b"\x01" + len(packed).to_bytes(4, "big") + packed
    assert MessageReader(1000, "gzip").receive(data) == [b"x" * 1000]
    assert _fault(MessageReader(999, "gzip"), data)[0] == RESOURCE_EXHAUSTED
    assert _fault(MessageReader(999, ""), data)[0] == INTERNAL


@pytest.mark.parametrize("packed", [b"", b"garbage", gzip.compress(b"x" * 1000, mtime=0)[:-9]])
def test_bad_gzip_is_refused(packed: bytes) -> None:
    data = b"\x01" + len(packed).to_bytes(4, "big") + packed
    assert _fault(MessageReader(5000, "gzip"), data)[0] == INTERNAL


def test_an_unknown_format_is_refused() -> None:
    assert _fault(MessageReader(10, ""), b"\x02\0\0\0\0") == (
        INTERNAL,
        "grpc: received unexpected payload format 2",
    )


@pytest.mark.parametrize(
    ("text", "timeout_ms"),
    [("1H", 3_600_000), ("2M", 120_000), ("3S", 3000), ("4m", 4), ("5000u", 5), ("99999999n", 99.999999), ("0m", 0)],
)
def test_timeouts_have_a_number_and_a_unit(text: str, timeout_ms: float) -> None:
    assert decode_timeout_ms(text) == pytest.approx(timeout_ms)


@pytest.mark.parametrize("text", ["", "1", "S", "-1S", "1.5S", "123456789S", "1s", "²S", " 1S"])
def test_anything_else_is_no_timeout(text: str) -> None:
    assert decode_timeout_ms(text) is None


@pytest.mark.parametrize("text", ["", "plain text", "100%", "ä☃\U0001f600", "line\nend", "\x7f~ "])
def test_status_texts_are_percent_encoded(text: str) -> None:
    encoded = encode_status_text(text)
    assert all(0x20 <= byte <= 0x7E for byte in encoded)
    assert unquote(encoded.decode("ascii")) == text
