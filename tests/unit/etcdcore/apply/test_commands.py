"""The bytes of commands."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etcdcore.apply.commands import (
    BATCH_VERSION,
    Command,
    Compaction,
    Compare,
    DeleteRange,
    LeaseGrant,
    LeaseRevoke,
    Op,
    Put,
    Range,
    Txn,
    decode_batch,
    decode_command,
    encode_batch,
    encode_batch_head,
    encode_command,
)
from etcdcore.errors import CommandFormatError

EXAMPLES: list[Command] = [
    Put(b"k", b"v"),
    Put(b"k" * 300, b"v" * 70_000, -1, True, False, True),
    Put(b"k", b"", 0, False, True, False),
    DeleteRange(b"a", b"\0", True),
    Range(b"a", b"b", 5, -3, 2, 4, True, True, True, 1, 2, 3, 4),
    Compaction(7, True),
    LeaseGrant(-(2**63), 9_000_000_000),
    LeaseRevoke(2**63 - 1),
    Txn(
        [Compare(2, 0, b"f", 17), Compare(3, 3, b"v", b"operand", b"\0")],
        [Put(b"a", b"1"), Txn([], [DeleteRange(b"z")], [])],
        [Range(b"r"), Txn([Compare(0, 1, b"c", -1)], [], [Put(b"p", b"")])],
    ),
]


def test_a_batch_decodes_to_commands_with_the_same_bytes() -> None:
    data = encode_batch(EXAMPLES)
    decoded = decode_batch(data)
    assert [type(command) for command in decoded] == [type(command) for command in EXAMPLES]
    assert encode_batch(decoded) == data


def test_every_field_survives() -> None:
    wanted = EXAMPLES[4]
    decoded, end = decode_command(b"??" + encode_command(wanted), 2)
    assert isinstance(wanted, Range) and isinstance(decoded, Range)
    assert (decoded.key, decoded.range_end, decoded.limit, decoded.revision) == (b"a", b"b", 5, -3)
    assert (decoded.sort_order, decoded.sort_target) == (2, 4)
    assert (decoded.serializable, decoded.keys_only, decoded.count_only) == (True, True, True)
    assert (decoded.min_mod_revision, decoded.max_mod_revision) == (1, 2)
    assert (decoded.min_create_revision, decoded.max_create_revision) == (3, 4)
    assert end == 2 + len(encode_command(wanted))


def test_a_compare_keeps_the_type_of_its_operand() -> None:
    txn = Txn([Compare(3, 0, b"k", b""), Compare(2, 0, b"k", 0)], [], [])
    decoded = decode_batch(encode_batch([txn]))[0]
    assert isinstance(decoded, Txn)
    assert [compare.operand for compare in decoded.compares] == [b"", 0]


def test_a_nested_transaction_is_encoded_once() -> None:
    guard = Txn([], [Put(b"fence", b"")], [])
    first = encode_command(Txn([], [], [guard]))
    kept = guard.encoded
    assert kept
    assert encode_command(Txn([], [], [guard])) == first
    assert guard.encoded is kept


def test_parts_make_the_same_bytes_as_a_whole_batch() -> None:
    parts = [encode_batch_head(len(EXAMPLES))] + [command.encode() for command in EXAMPLES]
    assert b"".join(parts) == encode_batch(EXAMPLES)


def test_every_shortened_batch_is_refused() -> None:
    data = encode_batch([EXAMPLES[0], EXAMPLES[8], EXAMPLES[4]])
    for length in range(len(data)):
        with pytest.raises(CommandFormatError):
            decode_batch(data[:length])
    with pytest.raises(CommandFormatError):
        decode_batch(data + b"\0")


def test_another_version_is_refused() -> None:
    data = encode_batch([EXAMPLES[0]])
    with pytest.raises(CommandFormatError, match="version 2"):
        decode_batch(bytes([BATCH_VERSION + 1]) + data[1:])


@given(st.binary(max_size=80))
def test_garbage_is_refused_or_a_batch(garbage: bytes) -> None:
    data = bytes([BATCH_VERSION, 1, 0, 0, 0]) + garbage
    try:
        decoded = decode_batch(data)
    except CommandFormatError:
        return
    assert len(decoded) == 1


def test_endless_nesting_is_refused() -> None:
    inner = Txn([], [], [])
    for _ in range(200):
        inner = Txn([], [inner], [])
    with pytest.raises(CommandFormatError, match="nested"):
        decode_batch(encode_batch([inner]))


def test_freeing_a_deep_transaction_leaves_its_neighbours_in_memory_alone() -> None:
    """CPython frees what nests deeper than 50 later, by a list that runs through the garbage collector's header of each
    object: in one that has none, these would be the last bytes of whatever lies before it."""
    inner: list[Op] = []
    neighbours: list[bytes] = []
    # So many bytes that the allocator takes them from the same pool.
    length = (sys.getsizeof(Txn([], [], [])) + 15 & ~15) - sys.getsizeof(b"")
    for number in range(2000):
        neighbours.append(bytes([number & 255]) * length)
        inner = [Txn([], inner, [])]
        if number % 64 == 63:
            inner = []
    assert [set(neighbour) for neighbour in neighbours] == [{number & 255} for number in range(2000)]
