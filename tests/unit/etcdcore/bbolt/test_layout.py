from dataclasses import dataclass

import pytest

from etcdcore.bbolt.layout import Meta, decode_meta, encode_meta_page, fnv1a64


@dataclass(frozen=True)
class Vector:
    data: bytes
    digest: int


@pytest.mark.parametrize(
    "vector",
    [
        Vector(b"", 0xCBF29CE484222325),
        Vector(b"a", 0xAF63DC4C8601EC8C),
        Vector(b"foobar", 0x85944171F73967E8),
    ],
)
def test_the_checksum_is_fnv_1a_of_64_bits(vector: Vector) -> None:
    """Source: draft-eastlake-fnv, test vectors."""
    assert fnv1a64(vector.data) == vector.digest


def test_a_meta_page_reads_back() -> None:
    meta = decode_meta(encode_meta_page(1, Meta(1024, 3, 4, 5, 6, 7)))
    assert meta is not None
    assert (meta.page_bytes, meta.root_page, meta.root_sequence) == (1024, 3, 4)
    assert (meta.freelist_page, meta.page_count, meta.transaction) == (5, 6, 7)


def test_a_meta_page_with_any_flipped_bit_is_none() -> None:
    page = encode_meta_page(0, Meta(4096, 3, 0, 2, 6, 2))
    for bit in range(16 * 8, 80 * 8):
        damaged = bytearray(page)
        damaged[bit >> 3] ^= 1 << (bit & 7)
        assert decode_meta(bytes(damaged)) is None, bit


@pytest.mark.parametrize("page_bytes", [0, 256, 4097, 1 << 17])
def test_a_meta_page_of_an_odd_page_size_is_none(page_bytes: int) -> None:
    assert decode_meta(encode_meta_page(0, Meta(page_bytes, 3, 0, 2, 6, 2))) is None


def test_a_short_page_is_none() -> None:
    assert decode_meta(encode_meta_page(0, Meta(4096, 3, 0, 2, 6, 2))[:79]) is None
