"""The binary form of Raft's records and messages."""

import pytest

from etcdcore.errors import DecodeError
from etcdcore.raft.messages import (
    CHANGE_REMOVE,
    ENTRY_CONF_CHANGE,
    MSG_APPEND,
    MSG_TRANSFER_LEADER,
    TRANSITION_JOINT_EXPLICIT,
    ConfChange,
    ConfChangeV2,
    ConfState,
    Entry,
    HardState,
    Message,
    Snapshot,
    SnapshotMeta,
    decode_conf_change,
    decode_conf_state,
    decode_entry,
    decode_hard_state,
    decode_message,
    decode_snapshot,
    decode_snapshot_meta,
    encode_conf_change,
    encode_conf_state,
    encode_entry,
    encode_hard_state,
    encode_message,
    encode_snapshot,
    encode_snapshot_meta,
)
from etcdcore.types import LogIndex, MemberId, Term

BIG = (1 << 64) - 1
STATE = ConfState(
    (MemberId(1), MemberId(BIG)), (MemberId(3),), (MemberId(4), MemberId(5)), (MemberId(5),), auto_leave=True
)
META = SnapshotMeta(LogIndex(7), Term(2), STATE)
ENTRY = Entry(LogIndex(5), Term(3), ENTRY_CONF_CHANGE, b"data", payload="local")


def full_message() -> Message:
    return Message(
        MSG_APPEND,
        MemberId(BIG),
        MemberId(2),
        Term(3),
        LogIndex(4),
        Term(2),
        LogIndex(1),
        [ENTRY, Entry(LogIndex(6), Term(3))],
        True,
        LogIndex(9),
        True,
        b"context",
        Snapshot(META, b"state"),
    )


def test_every_record_survives_encoding() -> None:
    hard_state = HardState(Term(9), MemberId(BIG), LogIndex(3))
    change = ConfChangeV2((ConfChange(CHANGE_REMOVE, MemberId(4)),), TRANSITION_JOINT_EXPLICIT, b"urls")
    snapshot = Snapshot(META, b"bytes")
    assert decode_entry(encode_entry(ENTRY)) == ENTRY
    assert decode_hard_state(encode_hard_state(hard_state)) == hard_state
    assert decode_conf_state(encode_conf_state(STATE)) == STATE
    assert decode_conf_change(encode_conf_change(change)) == change
    assert decode_snapshot_meta(encode_snapshot_meta(META)) == META
    assert decode_snapshot(encode_snapshot(snapshot)) == snapshot
    assert decode_message(encode_message(full_message())) == full_message()


def test_the_smallest_message_survives_encoding() -> None:
    message = Message(MSG_TRANSFER_LEADER, MemberId(1), MemberId(2), Term(0))
    assert decode_message(encode_message(message)) == message


def test_the_payload_is_never_encoded() -> None:
    assert decode_entry(encode_entry(ENTRY)).payload is None


def test_no_bytes_are_the_empty_change() -> None:
    assert decode_conf_change(b"").is_leave_joint()


def test_every_cut_of_a_message_is_refused() -> None:
    data = encode_message(full_message())
    for length in range(len(data)):
        with pytest.raises(DecodeError):
            decode_message(data[:length])


def test_bytes_behind_a_record_are_refused() -> None:
    with pytest.raises(DecodeError):
        decode_message(encode_message(full_message()) + b"\x00")
    with pytest.raises(DecodeError):
        decode_entry(encode_entry(ENTRY) + b"\x00")


def test_any_changed_byte_gives_a_message_or_the_one_typed_error() -> None:
    data = encode_message(full_message())
    refused = 0
    for position in range(len(data)):
        for value in (0, 1, 0x7F, 0xFF):
            try:
                decode_message(data[:position] + bytes((value,)) + data[position + 1 :])
            except DecodeError:
                refused += 1
    assert refused > 50


def test_a_huge_count_is_refused_before_anything_is_built() -> None:
    data = b"\x00" + b"\xff\xff\xff\xff"
    with pytest.raises(DecodeError, match="bytes at"):
        decode_conf_state(data)


def test_unknown_kinds_are_refused() -> None:
    entry = bytearray(encode_entry(ENTRY))
    entry[16] = 2
    with pytest.raises(DecodeError, match="entry kind"):
        decode_entry(bytes(entry))
    message = bytearray(encode_message(full_message()))
    message[0] = 0
    with pytest.raises(DecodeError, match="message kind"):
        decode_message(bytes(message))


def test_entries_that_do_not_follow_the_index_are_refused() -> None:
    message = Message(MSG_APPEND, MemberId(1), MemberId(2), Term(1), LogIndex(3), entries=[ENTRY])
    with pytest.raises(DecodeError, match="expected entry 4"):
        decode_message(encode_message(message))
