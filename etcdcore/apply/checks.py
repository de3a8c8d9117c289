"""What can be refused by looking at a command alone: done before it enters the log, never again when it is applied.

Source: etcd server/etcdserver/api/v3rpc/key.go, reference section 2.4.
"""

from collections.abc import Sequence
from typing import Final, final

from etcdcore.apply.commands import (
    Command,
    DeleteRange,
    LeaseGrant,
    Op,
    Put,
    Range,
    Txn,
)
from etcdcore.errors import (
    CoreError,
    DuplicateKey,
    InvalidSortOption,
    KeyNotFound,
    KeyNotProvided,
    LeaseProvided,
    LeaseTtlTooLarge,
    TooManyOperations,
    ValueProvided,
)
from etcdcore.lease.lessor import TTL_MAX_S

OPERATIONS_MAX: Final = 128
"""etcd's default of max-txn-ops."""

EMPTY_OP: Final[Op] = Range(b"")
"""An operation of a transaction that says nothing at all: never applied, refused here by its identity."""


def check_command(command: Command, operations_max: int = OPERATIONS_MAX) -> CoreError | None:
    """Why the command can never be applied, or None."""
    if isinstance(command, Txn):
        return check_txn(command, operations_max)
    if isinstance(command, Put):
        return check_put(command)
    if isinstance(command, DeleteRange):
        return None if command.key else KeyNotProvided()
    if isinstance(command, Range):
        return check_range(command)
    if isinstance(command, LeaseGrant):
        return LeaseTtlTooLarge() if command.ttl_s > TTL_MAX_S else None
    return None


def check_put(put: Put) -> CoreError | None:
    """Refuses KeyNotProvided, ValueProvided, LeaseProvided."""
    if not put.key:
        return KeyNotProvided()
    if put.ignore_value and put.value:
        return ValueProvided()
    if put.ignore_lease and put.lease:
        return LeaseProvided()
    return None


def check_range(wanted: Range) -> CoreError | None:
    """Refuses KeyNotProvided, InvalidSortOption."""
    if not wanted.key:
        return KeyNotProvided()
    if not 0 <= wanted.sort_order <= 2 or not 0 <= wanted.sort_target <= 4:
        return InvalidSortOption()
    return None


def check_txn(txn: Txn, operations_max: int = OPERATIONS_MAX) -> CoreError | None:
    """All static checks of a transaction, in etcd's order. Refuses TooManyOperations, DuplicateKey and those above."""
    error = _check_operations(txn, operations_max)
    if error is not None:
        return error
    for branch in (txn.success, txn.failure):
        if _Writes().collect(branch):
            return DuplicateKey()
    return None


def _check_operations(txn: Txn, operations_max: int) -> CoreError | None:
    size = max(len(txn.compares), len(txn.success), len(txn.failure))
    if size > operations_max:
        return TooManyOperations()
    for compare in txn.compares:
        if not compare.key:
            return KeyNotProvided()
    for branch in (txn.success, txn.failure):
        for op in branch:
            if op is EMPTY_OP:
                return KeyNotFound()
            error = _check_operations(op, operations_max - size) if isinstance(op, Txn) else check_command(op)
            if error is not None:
                return error
    return None


@final
class _Writes:
    """The keys that one branch puts, and the intervals that it deletes.

    The order in which nested transactions add to these is etcd's (checkIntervals), with its known gaps: a delete in a
    later sibling is not held against a put in an earlier one, and one with an open end, which is written as an end of
    one zero byte, is taken for the empty interval that this would be otherwise, and held against nothing.
    """

    __slots__ = ("deletes", "puts")

    def __init__(self) -> None:
        self.puts: Final[set[bytes]] = set()
        self.deletes: Final[list[tuple[bytes, bytes]]] = []

    def collect(self, branch: Sequence[Op]) -> bool:
        """Takes in a branch; True when it writes a key twice."""
        for op in branch:
            if isinstance(op, DeleteRange):
                self.deletes.append(_interval(op))
        for op in branch:
            if isinstance(op, Txn) and self._collect_nested(op):
                return True
        for op in branch:
            if isinstance(op, Put):
                if op.key in self.puts or self._is_deleted(op.key):
                    return True
                self.puts.add(op.key)
        return False

    def _collect_nested(self, txn: Txn) -> bool:
        success = _Writes()
        failure = _Writes()
        if success.collect(txn.success) or failure.collect(txn.failure):
            return True
        for key in success.puts:
            if key in self.puts or self._is_deleted(key):
                return True
        self.puts.update(success.puts)
        for key in failure.puts:
            # Only one of the two branches will run, so the same key in both is fine.
            if (key in self.puts and key not in success.puts) or self._is_deleted(key):
                return True
        self.puts.update(failure.puts)
        self.deletes.extend(success.deletes)
        self.deletes.extend(failure.deletes)
        return False

    def _is_deleted(self, key: bytes) -> bool:
        return any(start <= key < end for start, end in self.deletes)


def _interval(op: DeleteRange) -> tuple[bytes, bytes]:
    return op.key, op.range_end or op.key + b"\0"
