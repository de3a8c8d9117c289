"""Requests of the KV service to commands by the generated classes: for what the codecs by hand pass on.

The other services' requests are cold and are read by `parse` where they are served.
"""

from typing import Final, TypeVar, cast

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError, Message

from etcdcore.api.wire_check import WireError, check_wire
from etcdcore.apply.checks import EMPTY_OP
from etcdcore.apply.commands import (
    EQUAL,
    GREATER,
    LESS,
    NOT_EQUAL,
    TARGET_LEASE,
    TARGET_VALUE,
    TARGET_VERSION,
    Compare,
    DeleteRange,
    Op,
    Put,
    Range,
    Txn,
)
from etcdcore.pb import rpc_pb2

INTERNAL: Final = 13
"""The gRPC status of a request that is no message of its kind."""

_OPERANDS: Final = ("version", "create_revision", "mod_revision", "value", "lease")
"""The field of the union that belongs to each target."""

AnyMessage = TypeVar("AnyMessage", bound=Message)


class MessageInvalid(ValueError):
    """Bytes that are not the message which the method takes; the text is grpc-go's and etcd's."""

    @property
    def in_stream(self) -> str:
        """grpc-go's text where the message is one of a stream."""
        return str(self).replace(_UNARY, _IN_STREAM, 1)


_UNARY: Final = "grpc: error unmarshalling request: "
_IN_STREAM: Final = "grpc: failed to unmarshal the received message: "


def parse(kind: type[AnyMessage], data: bytes) -> AnyMessage:
    """Raises MessageInvalid."""
    try:
        message = kind.FromString(data)
    except DecodeError as error:
        _check(kind, data)
        # etcd 3.6 takes texts that are no UTF-8; 3.7 refuses them, in these words.
        raise MessageInvalid(f"{_UNARY}string field contains invalid UTF-8") from error
    size = message.ByteSize()
    message.DiscardUnknownFields()
    if message.ByteSize() != size:
        _check(kind, data)
    return message


def _check(kind: type[AnyMessage], data: bytes) -> None:
    try:
        check_wire(cast(Descriptor, kind.DESCRIPTOR), data)
    except WireError as error:
        raise MessageInvalid(f"{_UNARY}{error}") from error


def slow_put(data: bytes) -> Put:
    return _put(parse(rpc_pb2.PutRequest, data))


def slow_range(data: bytes) -> Range:
    return _range(parse(rpc_pb2.RangeRequest, data))


def slow_delete_range(data: bytes) -> DeleteRange:
    return _delete_range(parse(rpc_pb2.DeleteRangeRequest, data))


def slow_txn(data: bytes) -> Txn:
    return _txn(parse(rpc_pb2.TxnRequest, data))


def make_compare(target: int, result: int, key: bytes, operand: int | bytes, range_end: bytes) -> Compare:
    """Targets and results that no client knows compare in etcd too: such a target as equal, such a result as true."""
    if not 0 <= target <= TARGET_LEASE:
        is_true = result == EQUAL or not 0 <= result <= NOT_EQUAL
        return Compare(TARGET_VERSION, GREATER if is_true else LESS, key, -1, range_end)
    if not 0 <= result <= NOT_EQUAL:
        return Compare(TARGET_VERSION, GREATER, key, 0 if target == TARGET_VALUE else -1, range_end)
    return Compare(target, result, key, operand, range_end)


def _put(request: rpc_pb2.PutRequest) -> Put:
    return Put(request.key, request.value, request.lease, request.prev_kv, request.ignore_value, request.ignore_lease)


def _range(request: rpc_pb2.RangeRequest) -> Range:
    return Range(
        request.key,
        request.range_end,
        request.limit,
        request.revision,
        request.sort_order,
        request.sort_target,
        request.serializable,
        request.keys_only,
        request.count_only,
        request.min_mod_revision,
        request.max_mod_revision,
        request.min_create_revision,
        request.max_create_revision,
    )


def _delete_range(request: rpc_pb2.DeleteRangeRequest) -> DeleteRange:
    return DeleteRange(request.key, request.range_end, request.prev_kv)


def _txn(request: rpc_pb2.TxnRequest) -> Txn:
    return Txn(
        [_compare(compare) for compare in request.compare],
        [_op(op) for op in request.success],
        [_op(op) for op in request.failure],
    )


def _compare(compare: rpc_pb2.Compare) -> Compare:
    operand: int | bytes = b"" if compare.target == TARGET_VALUE else 0
    field = compare.WhichOneof("target_union")
    if 0 <= compare.target <= TARGET_LEASE and field == _OPERANDS[compare.target]:
        operand = getattr(compare, field)
    return make_compare(compare.target, compare.result, compare.key, operand, compare.range_end)


def _op(op: rpc_pb2.RequestOp) -> Op:
    kind = op.WhichOneof("request")
    if kind == "request_put":
        return _put(op.request_put)
    if kind == "request_range":
        return _range(op.request_range)
    if kind == "request_delete_range":
        return _delete_range(op.request_delete_range)
    if kind == "request_txn":
        return _txn(op.request_txn)
    return EMPTY_OP
