"""Static checks. Source: reference section 2.4, etcd tests/integration/v3_grpc_test.go."""

import pytest

from etcdcore.apply.checks import check_command, check_txn
from etcdcore.apply.commands import Command, Compare, DeleteRange, LeaseGrant, Op, Put, Range, Txn
from etcdcore.errors import (
    CoreError,
    DuplicateKey,
    InvalidSortOption,
    KeyNotProvided,
    LeaseProvided,
    LeaseTtlTooLarge,
    TooManyOperations,
    ValueProvided,
)


def put(key: str) -> Put:
    return Put(key.encode(), b"")


def delete(key: str, end: str = "") -> DeleteRange:
    return DeleteRange(key.encode(), end.encode())


def either(success: list[Op], failure: list[Op]) -> Txn:
    return Txn([], success, failure)


@pytest.mark.parametrize(
    ("command", "error"),
    [
        (Put(b"", b"v"), KeyNotProvided()),
        (Put(b"k", b"v", 0, False, True), ValueProvided()),
        (Put(b"k", b"", 5, False, False, True), LeaseProvided()),
        (Put(b"k", b"", 0, False, True, True), None),
        (DeleteRange(b""), KeyNotProvided()),
        (Range(b""), KeyNotProvided()),
        (Range(b"k", sort_order=3), InvalidSortOption()),
        (Range(b"k", sort_target=5), InvalidSortOption()),
        (Range(b"k", sort_target=-1), InvalidSortOption()),
        (LeaseGrant(1, 9_000_000_001), LeaseTtlTooLarge()),
        (LeaseGrant(1, 9_000_000_000), None),
        (Txn([Compare(0, 0, b"", 0)], [], []), KeyNotProvided()),
        (Txn([], [], [Put(b"", b"")]), KeyNotProvided()),
    ],
)
def test_what_is_wrong_in_itself_is_refused(command: Command, error: CoreError | None) -> None:
    assert check_command(command) == error


def test_each_list_of_a_transaction_is_bounded_and_nesting_uses_up_the_bound() -> None:
    compare = Compare(0, 0, b"k", 0)
    ranges: list[Op] = [Range(b"k")] * 128
    assert check_txn(Txn([compare] * 128, ranges, ranges)) is None
    assert check_txn(Txn([compare] * 129, [], [])) == TooManyOperations()
    assert check_txn(Txn([], [], [Range(b"k")] * 129)) == TooManyOperations()
    assert check_txn(Txn([], [Txn([], [Range(b"k")] * 127, [])], [])) is None
    assert check_txn(Txn([], [Txn([], [Range(b"k")] * 128, [])], [])) == TooManyOperations()
    assert check_txn(Txn([compare] * 3, [Txn([], [], [])], []), 2) == TooManyOperations()


@pytest.mark.parametrize(
    "branch",
    [
        [put("a"), put("a")],
        [put("a"), delete("a")],
        [delete("a"), put("a")],
        [put("b"), delete("a", "c")],
        [put("a"), either([put("a")], [])],
        [put("a"), either([], [put("a")])],
        [either([put("a")], []), either([], [put("a")])],
        [delete("a"), either([put("a")], [])],
        [put("a"), either([delete("a", "b")], [])],
        [either([delete("a")], []), either([put("a")], [])],
        [either([either([put("a")], [])], []), put("a")],
    ],
)
def test_a_key_written_twice_in_one_branch_is_refused(branch: list[Op]) -> None:
    assert check_txn(Txn([], branch, [])) == DuplicateKey()
    assert check_txn(Txn([], [], branch)) == DuplicateKey()


@pytest.mark.parametrize(
    "branch",
    [
        [delete("a", "c"), delete("b", "d")],
        [either([put("a")], [put("a")])],
        [either([put("a")], [delete("a")])],
        [put("a"), Range(b"a", b"\0")],
        [put("c"), delete("a", "c")],
        # The known gap of etcd's order of collection, and an open end, which it takes for an empty interval.
        [either([put("a")], []), either([delete("a")], [])],
        [delete("a", "\0"), put("zzz")],
    ],
)
def test_what_etcd_lets_pass_passes(branch: list[Op]) -> None:
    assert check_txn(Txn([], branch, branch)) is None
