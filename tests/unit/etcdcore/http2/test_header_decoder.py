"""Source: RFC 7541, its examples of appendix C included."""

import pytest

from etcdcore.http2.codes import COMPRESSION_ERROR, ENHANCE_YOUR_CALM, ConnectionViolation, StreamViolation
from etcdcore.http2.header_decoder import CACHED_HEADS_MAX, HeaderDecoder
from etcdcore.http2.header_field import HeaderField

GET = b"\x82\x86\x84"


def _pairs(fields: list[HeaderField]) -> list[tuple[str, str]]:
    return [(field.name, field.value) for field in fields]


def test_the_examples_with_huffman_codes_are_read() -> None:
    """C.4: three requests on one connection."""
    decoder = HeaderDecoder()
    first = decoder.decode(bytes.fromhex("828684418cf1e3c2e5f23a6ba0ab90f4ff"))
    assert _pairs(first)[3] == (":authority", "www.example.com")
    second = decoder.decode(bytes.fromhex("828684be5886a8eb10649cbf"))
    assert _pairs(second)[3:] == [(":authority", "www.example.com"), ("cache-control", "no-cache")]
    third = decoder.decode(bytes.fromhex("828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf"))
    assert _pairs(third)[3:] == [(":authority", "www.example.com"), ("custom-key", "custom-value")]


def test_an_equal_block_is_the_same_head_while_the_table_stays() -> None:
    decoder = HeaderDecoder()
    block = GET + b"\x00\x01a\x011"
    assert decoder.decode_head(block) is decoder.decode_head(block)


def test_an_equal_block_means_something_else_once_the_table_has_changed() -> None:
    decoder = HeaderDecoder()
    decoder.decode(b"\x40\x01a\x011")
    block = GET + b"\xbe"
    assert decoder.decode_head(block).headers == {"a": "1"}
    assert decoder.decode_head(block).headers == {"a": "1"}
    decoder.decode(b"\x40\x01b\x012")
    assert decoder.decode_head(block).headers == {"b": "2"}


def test_a_block_that_changes_the_table_is_read_each_time() -> None:
    decoder = HeaderDecoder()
    inserting = GET + b"\x40\x01a\x011"
    decoder.decode_head(inserting)
    decoder.decode(b"\x40\x01b\x012")
    decoder.decode_head(inserting)
    assert _pairs(decoder.decode(b"\xbe\xbf\xc0")) == [("a", "1"), ("b", "2"), ("a", "1")]


def test_a_smaller_table_forgets_its_oldest_fields_and_the_cache() -> None:
    decoder = HeaderDecoder()
    decoder.decode(b"\x40\x01a\x011\x40\x01b\x012")
    block = GET + b"\xbe"
    decoder.decode_head(block)
    decoder.decode(b"\x3f\x03")
    assert _pairs(decoder.decode(b"\xbe")) == [("b", "2")]
    with pytest.raises(ConnectionViolation):
        decoder.decode(b"\xbf")
    decoder.decode(b"\x20")
    with pytest.raises(ConnectionViolation):
        decoder.decode_head(block)


def test_the_cache_is_bounded() -> None:
    decoder = HeaderDecoder()
    blocks = [GET + b"\x00\x01a\x03%03d" % number for number in range(CACHED_HEADS_MAX + 10)]
    heads = [decoder.decode_head(block) for block in blocks]
    assert decoder.decode_head(blocks[-1]) is heads[-1]
    assert decoder.decode_head(blocks[0]) is not heads[0]


def test_a_list_past_its_bound_still_keeps_the_table() -> None:
    decoder = HeaderDecoder()
    with pytest.raises(StreamViolation) as caught:
        decoder.decode(b"\x40\x01a\x7f\xb9\x16" + b"v" * 3000 + b"\xbe" * 30 + b"\x40\x01b\x012")
    assert caught.value.code == ENHANCE_YOUR_CALM
    assert _pairs(decoder.decode(b"\xbe")) == [("b", "2")]


@pytest.mark.parametrize(
    "block",
    [
        b"\x80",
        b"\xbe",
        b"\xff\xff\xff\xff\xff\xff\x0f",
        b"\xff",
        b"\x00",
        b"\x00\x01",
        b"\x00\x05abc",
        b"\x00\x01a\x05b",
        b"\x00\x81\xff\x00",
        b"\x82\x20",
        b"\x3f\xe2\x1f",
    ],
)
def test_a_block_that_cannot_be_read_ends_the_connection(block: bytes) -> None:
    with pytest.raises(ConnectionViolation) as caught:
        HeaderDecoder().decode(block)
    assert caught.value.code == COMPRESSION_ERROR
