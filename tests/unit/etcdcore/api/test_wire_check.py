"""etcdcore.api.wire_check: what is wrong with bytes, in the words of etcd's generated code."""

from typing import cast

import pytest
from google.protobuf.descriptor import Descriptor

from etcdcore.api.convert_slow import MessageInvalid, parse
from etcdcore.api.wire_check import WireError, check_wire
from etcdcore.pb import rpc_pb2 as pb

RANGE = cast(Descriptor, pb.RangeRequest.DESCRIPTOR)
TXN = cast(Descriptor, pb.TxnRequest.DESCRIPTOR)
CREATE = cast(Descriptor, pb.WatchCreateRequest.DESCRIPTOR)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\x08\x01", "proto: wrong wireType = 0 for field Key"),
        (b"\x12\x01", "unexpected EOF"),
        (b"\x1a\x00", "proto: wrong wireType = 2 for field Limit"),
        (b"\x04", "proto: RangeRequest: wiretype end group for non-group"),
        (b"\x00", "proto: RangeRequest: illegal tag 0 (wire type 0)"),
        (b"\x0a" + b"\xff" * 9 + b"\x01", "proto: negative length found during unmarshaling"),
        (b"\x18" + b"\x80" * 10 + b"\x01", "proto: integer overflow"),
        (b"\xa6\x06", "proto: illegal wireType 6"),
        (b"\xa3\x06\x08\x01", "unexpected EOF"),
    ],
)
def test_what_etcd_refuses_is_refused_in_its_words(data: bytes, text: str) -> None:
    with pytest.raises(WireError, match="^" + text.replace("(", "\\(").replace(")", "\\)") + "$"):
        check_wire(RANGE, data)
    with pytest.raises(MessageInvalid) as refused:
        parse(pb.RangeRequest, data)
    assert str(refused.value) == f"grpc: error unmarshalling request: {text}"
    assert refused.value.in_stream == f"grpc: failed to unmarshal the received message: {text}"


def test_messages_in_messages_are_looked_at() -> None:
    put = b"\x08\x01"
    operation = b"\x12" + bytes([len(put)]) + put
    data = b"\x12" + bytes([len(operation)]) + operation
    with pytest.raises(WireError, match="wireType = 0 for field Key"):
        check_wire(TXN, data)


def test_unknown_fields_and_groups_and_both_forms_of_repeated_numbers_are_well() -> None:
    check_wire(RANGE, b"\xa3\x06\xa3\x06\x08\x01\xa4\x06\xa4\x06\x0a\x01k\xa1\x0612345678")
    check_wire(CREATE, b"\x28\x01\x28\x00\x2a\x02\x00\x01")
    assert parse(pb.RangeRequest, b"\xa0\x06\x01\x0a\x01k").key == b"k"
