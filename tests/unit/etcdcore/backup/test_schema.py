import pytest

from etcdcore.backup.schema import decode_number, encode_conf_state, encode_number, meta_records
from etcdcore.bbolt.layout import BboltCorrupt
from etcdcore.raft.messages import ConfState
from etcdcore.types import MemberId


def test_the_configuration_is_written_as_go_writes_it() -> None:
    """Source: a real etcd's meta bucket."""
    assert encode_conf_state(ConfState((MemberId(10276657743932975437),))) == (
        b'{"voters":[10276657743932975437],"auto_leave":false}'
    )
    joint = ConfState((MemberId(1), MemberId(2)), (MemberId(3),), (MemberId(1),), (MemberId(4),), True)
    assert encode_conf_state(joint) == (
        b'{"voters":[1,2],"learners":[3],"voters_outgoing":[1],"learners_next":[4],"auto_leave":true}'
    )


def test_numbers_are_eight_bytes_and_absence_is_zero() -> None:
    assert encode_number(258) == b"\0\0\0\0\0\0\x01\x02"
    assert decode_number(encode_number(1 << 63)) == 1 << 63
    assert decode_number(None) == 0
    with pytest.raises(BboltCorrupt):
        decode_number(b"\0" * 7)


def test_the_meta_bucket_is_in_order_and_keeps_what_it_is_given() -> None:
    records = meta_records(5, 2, ConfState(), {b"scheduledCompactRev": b"s"})
    assert records == [
        (b"confState", b'{"auto_leave":false}'),
        (b"consistent_index", encode_number(5)),
        (b"scheduledCompactRev", b"s"),
        (b"storageVersion", b"3.6.0"),
        (b"term", encode_number(2)),
    ]
