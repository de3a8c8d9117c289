"""Record encoding against literal bytes of protobuf. Source: reference section 8.2."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etcdcore.errors import EngineCorrupt
from etcdcore.mvcc.revision import (
    decode_record,
    decode_record_head,
    decode_record_key,
    encode_mod_field,
    encode_record,
    encode_tombstone,
    record_key,
    tombstone_key,
    varint,
)
from etcdcore.types import KeyValue

int64 = st.integers(-(2**63), 2**63 - 1)
counts = st.integers(1, 2**63 - 1)


def test_a_record_key_is_two_big_endian_numbers_and_a_mark() -> None:
    assert record_key(0x0102, 3) == b"\0\0\0\0\0\0\x01\x02_\0\0\0\0\0\0\0\x03"
    assert tombstone_key(0x0102, 3) == record_key(0x0102, 3) + b"t"
    assert decode_record_key(tombstone_key(7, 9)) == (7, 9, True)
    assert decode_record_key(record_key(7, 9)) == (7, 9, False)


@pytest.mark.parametrize("key", [b"", b"\0" * 16, b"\0" * 17, b"\0" * 8 + b"_" + b"\0" * 10])
def test_other_keys_are_refused(key: bytes) -> None:
    with pytest.raises(EngineCorrupt):
        decode_record_key(key)


def test_a_record_has_its_fields_in_order_and_leaves_out_zeros() -> None:
    full = encode_record(b"key", 300, encode_mod_field(70_000), 2, b"value", 5)
    assert full == b"\x0a\x03key\x10\xac\x02\x18\xf0\xa2\x04\x20\x02\x2a\x05value\x30\x05"
    bare = encode_record(b"k", 2, encode_mod_field(2), 1, b"", 0)
    assert bare == b"\x0a\x01k\x10\x02\x18\x02\x20\x01"
    assert encode_tombstone(b"k") == b"\x0a\x01k"


def test_a_negative_lease_takes_ten_bytes() -> None:
    assert varint(-1) == b"\xff" * 9 + b"\x01"


@given(st.binary(min_size=1, max_size=300), counts, counts, counts, st.binary(max_size=300), int64)
def test_every_record_survives(key: bytes, create: int, mod: int, version: int, value: bytes, lease: int) -> None:
    record = encode_record(key, create, encode_mod_field(mod), version, value, lease)
    assert decode_record(record) == KeyValue(key, create, mod, version, value, lease)
    after_key = len(encode_tombstone(key))
    assert decode_record_head(record, after_key) == (create, version, lease)


@given(st.binary(max_size=40))
def test_damaged_records_are_refused_or_read(data: bytes) -> None:
    try:
        decode_record(data)
    except EngineCorrupt:
        return
