"""etcdcore.apply.costs (reference 2.10, the cost of a request)."""

from etcdcore.apply.commands import Compaction, DeleteRange, LeaseGrant, LeaseRevoke, Put, Range, Txn
from etcdcore.apply.costs import cost_of


def test_a_put_costs_its_bytes_and_an_overhead() -> None:
    assert cost_of(Put(b"key", b"value")) == 256 + 3 + 5


def test_a_transaction_costs_its_dearer_branch_with_what_is_nested_in_it() -> None:
    nested = Txn((), (Put(b"a", b""), Put(b"b", b"")), ())
    assert cost_of(Txn((), (Put(b"a", b""),), (nested, DeleteRange(b"x")))) == 2 * 257
    assert cost_of(Txn((), (Range(b"a"), DeleteRange(b"b")), ())) == 0


def test_a_lease_costs_a_little_and_what_frees_room_nothing() -> None:
    assert cost_of(LeaseGrant(1, 2)) == 64
    for command in (DeleteRange(b"a"), Range(b"a"), LeaseRevoke(1), Compaction(5)):
        assert cost_of(command) == 0
