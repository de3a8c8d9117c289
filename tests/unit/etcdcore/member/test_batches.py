"""Commands that arrived together share log entries, in order and within bounds."""

from collections.abc import Sequence

from etcdcore.apply.commands import Command, Put, Txn, decode_batch, encode_batch
from etcdcore.member.batches import Batch, pack_batches
from etcdcore.member.proposals import Proposal


def _puts(sizes: list[int]) -> list[Command]:
    """Every second one in a transaction."""
    puts = [Put(b"%d" % number, bytes(size)) for number, size in enumerate(sizes)]
    return [Txn((), (put,), ()) if number % 2 else put for number, put in enumerate(puts)]


def _pack(sizes: list[int], bytes_max: int, commands_max: int) -> list[Batch]:
    proposals: list[Proposal | None] = [None] * len(sizes)
    return pack_batches(_puts(sizes), proposals, bytes_max, commands_max)


def _keys(batch: Batch) -> list[bytes]:
    return _keys_of(batch.commands)


def _keys_of(commands: Sequence[Command]) -> list[bytes]:
    puts = [command.success[0] if isinstance(command, Txn) else command for command in commands]
    return [put.key for put in puts if isinstance(put, Put)]


def test_commands_within_the_bounds_share_one_entry() -> None:
    (batch,) = _pack([10, 20, 30], 1000, 10)
    assert _keys(batch) == [b"0", b"1", b"2"]
    assert len(batch.proposals) == 3


def test_the_data_of_an_entry_decodes_to_its_commands() -> None:
    for batch in _pack([100] * 10, 500, 100):
        decoded = decode_batch(batch.data)
        assert _keys_of(decoded) == _keys(batch)
        assert batch.data == encode_batch(decoded)


def test_entries_hold_no_more_commands_than_the_bound() -> None:
    assert [len(batch.commands) for batch in _pack([1] * 10, 1 << 20, 4)] == [4, 4, 2]


def test_entries_hold_no_more_bytes_than_the_bound_unless_one_command_does() -> None:
    batches = _pack([100, 100, 900, 100, 100, 100], 500, 100)
    assert [_keys(batch) for batch in batches] == [[b"0", b"1"], [b"2"], [b"3", b"4", b"5"]]


def test_every_batch_has_a_proposal_for_each_command() -> None:
    for batch in _pack([100] * 23, 350, 7):
        assert len(batch.commands) == len(batch.proposals)
