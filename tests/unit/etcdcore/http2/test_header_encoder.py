"""Source: RFC 7541."""

import pytest
from hpack import Decoder
from hpack.hpack import decode_integer

from etcdcore.http2.header_encoder import HeaderEncoder, ResponseFields, encode_integer


@pytest.mark.parametrize("value", [0, 10, 30, 31, 32, 127, 128, 1337, 16_383, 16_384, 1 << 20])
@pytest.mark.parametrize("bits", [4, 5, 6, 7])
def test_numbers_are_read_back(value: int, bits: int) -> None:
    encoded = encode_integer(value, (1 << bits) - 1, 0)
    assert decode_integer(encoded, bits) == (value, len(encoded))


def _read(decoder: Decoder, block: bytes) -> list[tuple[bytes, bytes]]:
    return [(bytes(name), bytes(value)) for name, value in decoder.decode(block, raw=True)]


def test_common_fields_keep_their_meaning_however_many_come_between() -> None:
    encoder, decoder = HeaderEncoder(), Decoder()
    common = [ResponseFields([(b":status", b"200"), (b"n", b"%d" % number)], True) for number in range(200)]
    for _ in range(3):
        for response in common:
            assert _read(decoder, encoder.encode(response)) == response.fields
    assert len(encoder.encode(common[0])) <= 3


def test_large_fields_never_push_others_out() -> None:
    encoder, decoder = HeaderEncoder(), Decoder()
    common = [ResponseFields([(b"n", b"%d" % number * 900)], True) for number in range(8)]
    for _ in range(2):
        for response in common:
            assert _read(decoder, encoder.encode(response)) == response.fields


def test_other_fields_do_not_enter_the_table() -> None:
    encoder, decoder = HeaderEncoder(), Decoder()
    response = ResponseFields([(b":status", b"418"), (b"content-type", b"text/plain"), (b"x", b"y" * 300)])
    assert _read(decoder, encoder.encode(response)) == response.fields
    assert len(decoder.header_table.dynamic_entries) == 0


def test_a_table_made_smaller_is_given_up_with_the_next_block() -> None:
    encoder, decoder = HeaderEncoder(), Decoder()
    response = ResponseFields([(b"n", b"1")], True)
    decoder.decode(encoder.encode(response))
    encoder.set_table_bytes_max(100)
    decoder.max_allowed_table_size = 100
    for _ in range(2):
        assert _read(decoder, encoder.encode(response)) == response.fields
    encoder.set_table_bytes_max(50)
    assert _read(decoder, encoder.encode(response)) == response.fields
