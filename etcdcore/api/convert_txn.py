"""TxnRequests to commands, by hand as in `convert_kv`: what is not as every client writes it goes by the classes."""

from typing import Final

from etcdcore.api.convert_kv import decode_delete_range, decode_put, decode_range, read_varint, signed
from etcdcore.api.convert_slow import make_compare, slow_txn
from etcdcore.apply.checks import EMPTY_OP
from etcdcore.apply.commands import TARGET_LEASE, TARGET_VALUE, Compare, Op, Txn

DEPTH_MAX: Final = 130
"""Deeper nesting is refused by the checks whatever is in it, since each level uses up one of the operations."""

_RANGE_END: Final = 0x50
_ENUM_MAX: Final = 1 << 31
_BEYOND: Final = Txn((), (EMPTY_OP,), ())
_UNUSUAL: Final = Compare(0, 0, b"", 0)


def decode_txn(data: bytes) -> Txn:
    """A TxnRequest. Raises MessageInvalid."""
    return _decode(data, 0)


def _decode(data: bytes, depth: int) -> Txn:
    if depth > DEPTH_MAX:
        return _BEYOND
    compares: list[Compare] = []
    success: list[Op] = []
    failure: list[Op] = []
    offset = 0
    end = len(data)
    while offset < end:
        tag = data[offset]
        length, offset = read_varint(data, offset + 1, end)
        if length < 0 or length > end - offset:
            return slow_txn(data)
        body = data[offset : offset + length]
        offset += length
        if tag == 0x0A:
            compare = _decode_compare(body)
            if compare is _UNUSUAL:
                return slow_txn(data)
            compares.append(compare)
        elif tag == 0x12 or tag == 0x1A:
            op = _decode_op(body, depth)
            if op is None:
                return slow_txn(data)
            if tag == 0x12:
                success.append(op)
            else:
                failure.append(op)
        else:
            return slow_txn(data)
    return Txn(compares, success, failure)


def _decode_op(data: bytes, depth: int) -> Op | None:
    """None for one that isn't exactly one operation."""
    if not data:
        return EMPTY_OP
    end = len(data)
    length, offset = read_varint(data, 1, end)
    if length < 0 or offset + length != end:
        return None
    tag = data[0]
    body = data[offset:]
    if tag == 0x12:
        return decode_put(body)
    if tag == 0x0A:
        return decode_range(body)
    if tag == 0x1A:
        return decode_delete_range(body)
    return _decode(body, depth + 1) if tag == 0x22 else None


def _decode_compare(data: bytes) -> Compare:
    """`_UNUSUAL` for one that isn't as clients write it."""
    result = target = 0
    key = b""
    range_end = b""
    union = -1
    number = 0
    value = b""
    seen = 0
    offset = 0
    end = len(data)
    while offset < end:
        tag = data[offset]
        offset += 1
        if tag == 0x82 and offset < end and data[offset] == 0x04:
            # Field 64 has a tag of two bytes.
            offset += 1
            tag = _RANGE_END
        elif tag >= _RANGE_END:
            return _UNUSUAL
        field, offset = read_varint(data, offset, end)
        if field < 0 or seen & 1 << tag:
            return _UNUSUAL
        seen |= 1 << tag
        if tag == 0x08:
            result = field
        elif tag == 0x10:
            target = field
        elif tag == 0x1A or tag == _RANGE_END or tag == 0x3A:
            if field > end - offset:
                return _UNUSUAL
            text = data[offset : offset + field]
            offset += field
            if tag == 0x1A:
                key = text
            elif tag == _RANGE_END:
                range_end = text
            elif union >= 0:
                return _UNUSUAL
            else:
                union = TARGET_VALUE
                value = text
        elif union >= 0:
            return _UNUSUAL
        else:
            number = signed(field)
            if tag == 0x20:
                union = 0
            elif tag == 0x28:
                union = 1
            elif tag == 0x30:
                union = 2
            elif tag == 0x40:
                union = TARGET_LEASE
            else:
                return _UNUSUAL
    if target >= _ENUM_MAX or result >= _ENUM_MAX:
        return _UNUSUAL
    operand: int | bytes = value if target == TARGET_VALUE else number if union == target else 0
    return make_compare(target, result, key, operand, range_end)
