"""Requests of the KV service to commands, and results to responses.

Requests are read by hand when they look as every client writes them (each field at most once, in its usual wire type);
whatever else protobuf allows goes by the generated classes (`convert_slow`), and both give the same command.
"""

from typing import Final

from etcdcore.api.convert_slow import slow_delete_range, slow_put, slow_range
from etcdcore.api.header import encode_revision_header
from etcdcore.apply.commands import DeleteRange, Put, Range
from etcdcore.apply.reads import RecordsResult
from etcdcore.apply.results import DeleteRangeResult, OpResult, PutResult, RangeResult, TxnResult
from etcdcore.mvcc.revision import encode_mod_field, encode_record, varint
from etcdcore.types import KeyValue

_UNUSUAL: Final = -1
_INT64_SIGN: Final = 1 << 63
_UINT64: Final = 1 << 64


def decode_put(data: bytes) -> Put:
    """A PutRequest. Raises MessageInvalid."""
    key = b""
    value = b""
    lease = 0
    prev_kv = ignore_value = ignore_lease = False
    seen = 0
    offset = 0
    end = len(data)
    while offset < end:
        tag = data[offset]
        number, offset = read_varint(data, offset + 1, end)
        bit = 1 << tag
        if number < 0 or tag > 0x30 or seen & bit:
            return slow_put(data)
        seen |= bit
        if tag == 0x0A:
            key = data[offset : offset + number]
            offset += number
        elif tag == 0x12:
            value = data[offset : offset + number]
            offset += number
        elif tag == 0x18:
            lease = number
        elif tag == 0x20:
            prev_kv = number != 0
        elif tag == 0x28:
            ignore_value = number != 0
        elif tag == 0x30:
            ignore_lease = number != 0
        else:
            return slow_put(data)
    if offset != end:
        return slow_put(data)
    return Put(key, value, signed(lease), prev_kv, ignore_value, ignore_lease)


def decode_range(data: bytes) -> Range:
    """A RangeRequest. Raises MessageInvalid."""
    key = b""
    range_end = b""
    numbers = 0
    limit = revision = 0
    is_serializable = False
    offset = 0
    end = len(data)
    while offset < end:
        tag = data[offset]
        number, offset = read_varint(data, offset + 1, end)
        bit = 1 << tag
        # Sort options and filters are rare.
        if number < 0 or tag > 0x38 or numbers & bit:
            return slow_range(data)
        numbers |= bit
        if tag == 0x0A:
            key = data[offset : offset + number]
            offset += number
        elif tag == 0x12:
            range_end = data[offset : offset + number]
            offset += number
        elif tag == 0x18:
            limit = number
        elif tag == 0x20:
            revision = number
        elif tag == 0x38:
            is_serializable = number != 0
        else:
            return slow_range(data)
    if offset != end:
        return slow_range(data)
    return Range(key, range_end, signed(limit), signed(revision), serializable=is_serializable)


def decode_delete_range(data: bytes) -> DeleteRange:
    """A DeleteRangeRequest. Raises MessageInvalid."""
    key = b""
    range_end = b""
    prev_kv = False
    seen = 0
    offset = 0
    end = len(data)
    while offset < end:
        tag = data[offset]
        number, offset = read_varint(data, offset + 1, end)
        bit = 1 << tag
        if number < 0 or tag > 0x18 or seen & bit:
            return slow_delete_range(data)
        seen |= bit
        if tag == 0x0A:
            key = data[offset : offset + number]
            offset += number
        elif tag == 0x12:
            range_end = data[offset : offset + number]
            offset += number
        elif tag == 0x18:
            prev_kv = number != 0
        else:
            return slow_delete_range(data)
    if offset != end:
        return slow_delete_range(data)
    return DeleteRange(key, range_end, prev_kv)


def read_varint(data: bytes, offset: int, end: int) -> tuple[int, int]:
    """The number at `offset` and where it ends; -1 for one that ends early, or is longer than any client makes it."""
    if offset >= end:
        return _UNUSUAL, offset
    byte = data[offset]
    if byte < 128:
        return byte, offset + 1
    number = byte & 127
    shift = 7
    while shift < 70:
        offset += 1
        if offset >= end:
            return _UNUSUAL, offset
        byte = data[offset]
        number |= (byte & 127) << shift
        if byte < 128:
            return (number, offset + 1) if number < _UINT64 else (_UNUSUAL, offset)
        shift += 7
    return _UNUSUAL, offset


def signed(number: int) -> int:
    return number - _UINT64 if number >= _INT64_SIGN else number


# Responses: fields in number order, as every protobuf library writes them.


def encode_pair(pair: KeyValue) -> bytes:
    """A KeyValue as the store's records are."""
    if not pair.version:
        body = b"\n" + varint(len(pair.key)) + pair.key
        return body + b"\x18" + varint(pair.mod_revision) if pair.mod_revision else body
    mod_field = encode_mod_field(pair.mod_revision)
    return encode_record(pair.key, pair.create_revision, mod_field, pair.version, pair.value, pair.lease)


def _field(tag: bytes, body: bytes) -> bytes:
    return tag + varint(len(body)) + body


def encode_range(header: bytes, result: RangeResult) -> bytes:
    """A RangeResponse."""
    parts = [header]
    for pair in result.kvs:
        record = encode_pair(pair)
        parts.append(b"\x12")
        parts.append(varint(len(record)))
        parts.append(record)
    if result.more:
        parts.append(b"\x18\x01")
    if result.count:
        parts.append(b"\x20" + varint(result.count))
    return b"".join(parts)


def encode_records(header: bytes, result: RecordsResult) -> bytes:
    """A RangeResponse of records as they are."""
    if len(result.records) == 1 and result.count == 1:
        record = result.records[0]
        return header + b"\x12" + varint(len(record)) + record + b"\x20\x01"
    parts = [header]
    for record in result.records:
        parts.append(b"\x12")
        parts.append(varint(len(record)))
        parts.append(record)
    if result.more:
        parts.append(b"\x18\x01")
    if result.count:
        parts.append(b"\x20" + varint(result.count))
    return b"".join(parts)


def encode_put(header: bytes, result: PutResult) -> bytes:
    """A PutResponse."""
    return header if result.prev_kv is None else header + _field(b"\x12", encode_pair(result.prev_kv))


def encode_delete_range(header: bytes, result: DeleteRangeResult) -> bytes:
    """A DeleteRangeResponse."""
    encoded = header + (b"\x10" + varint(result.deleted) if result.deleted else b"")
    for pair in result.prev_kvs:
        encoded += _field(b"\x1a", encode_pair(pair))
    return encoded


def encode_txn(header: bytes, result: TxnResult) -> bytes:
    """A TxnResponse. Headers inside it have a revision only, and nested transactions not even that."""
    parts = [header]
    if result.succeeded:
        parts.append(b"\x10\x01")
    for response in result.responses:
        body = _encode_op(response)
        parts.append(b"\x1a")
        parts.append(varint(len(body)))
        parts.append(body)
    return b"".join(parts)


def _encode_op(result: OpResult) -> bytes:
    if isinstance(result, PutResult):
        return _field(b"\x12", encode_put(encode_revision_header(result.revision), result))
    if isinstance(result, RangeResult):
        return _field(b"\x0a", encode_range(encode_revision_header(result.revision), result))
    if isinstance(result, DeleteRangeResult):
        return _field(b"\x1a", encode_delete_range(encode_revision_header(result.revision), result))
    return _field(b"\x22", encode_txn(b"\x0a\x00", result))
