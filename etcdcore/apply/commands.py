"""The commands that a log entry carries, and their bytes.

The layout is our own, little-endian, not protobuf; the first byte of a batch is its version:
`batch: version u8 | count u32 | command ...`, `command: kind u8 | fields`, `bytes field: length u32 | bytes`.

`Compare` and `Txn` keep their own encoding once it was made: a fence compare, or the else branch that guards a
writer, is built once and goes into every transaction.

Invariants:
1. Commands are never changed after they are built.
2. decode(encode(batch)) is the same batch; any other bytes raise CommandFormatError, and nothing else.
"""

from collections.abc import Sequence
from struct import Struct
from struct import error as StructError
from typing import Final, final

from mypy_extensions import mypyc_attr

from etcdcore.apply.admin_commands import ADMIN, AdminCommand, decode_admin
from etcdcore.apply.results import CompactionResult as CompactionResult
from etcdcore.apply.results import DeleteRangeResult as DeleteRangeResult
from etcdcore.apply.results import LeaseGrantResult as LeaseGrantResult
from etcdcore.apply.results import LeaseRevokeResult as LeaseRevokeResult
from etcdcore.apply.results import Outcome as Outcome
from etcdcore.apply.results import PutResult as PutResult
from etcdcore.apply.results import RangeResult as RangeResult
from etcdcore.apply.results import Result as Result
from etcdcore.apply.results import TxnResult as TxnResult
from etcdcore.errors import CommandFormatError

# Compare targets and results, as etcd numbers them.
TARGET_VERSION: Final = 0
TARGET_CREATE: Final = 1
TARGET_MOD: Final = 2
TARGET_VALUE: Final = 3
TARGET_LEASE: Final = 4
EQUAL: Final = 0
GREATER: Final = 1
LESS: Final = 2
NOT_EQUAL: Final = 3

# Range sort orders and targets, as etcd numbers them.
SORT_NONE: Final = 0
SORT_ASCEND: Final = 1
SORT_DESCEND: Final = 2
SORT_BY_KEY: Final = 0
SORT_BY_VERSION: Final = 1
SORT_BY_CREATE: Final = 2
SORT_BY_MOD: Final = 3
SORT_BY_VALUE: Final = 4

BATCH_VERSION: Final = 1

_PUT: Final = 1
_DELETE_RANGE: Final = 2
_RANGE: Final = 3
_TXN: Final = 4
_COMPACTION: Final = 5
_LEASE_GRANT: Final = 6
_LEASE_REVOKE: Final = 7
# 8 is ADMIN, in admin_commands.
_AS_USER: Final = 9

_PREV_KV: Final = 1
_IGNORE_VALUE: Final = 2
_IGNORE_LEASE: Final = 4
_SERIALIZABLE: Final = 1
_KEYS_ONLY: Final = 2
_COUNT_ONLY: Final = 4

_HEAD: Final = Struct("<BI")
_PUT_HEAD: Final = Struct("<BBqII")  # kind, flags, lease, key length, value length
_PUT_HEAD_BYTES: Final = _PUT_HEAD.size
_DELETE_HEAD: Final = Struct("<BBII")  # kind, flags, key length, range end length
# kind, flags, order, target, limit, revision, min and max mod, min and max create, key length, range end length
_RANGE_HEAD: Final = Struct("<BBiiqqqqqqII")
_TXN_HEAD: Final = Struct("<BIII")  # kind, number of compares, success and failure operations
_COMPARE_HEAD: Final = Struct("<BBBqIII")  # target, result, has bytes, operand, key, range end and operand length
_COMPACTION_BODY: Final = Struct("<BqB")
_GRANT_BODY: Final = Struct("<Bqq")
_REVOKE_BODY: Final = Struct("<Bq")
_AS_USER_HEAD: Final = Struct("<BQI")  # kind, auth revision, length of the user's name

_TXN_DEPTH_MAX: Final = 130
"""Deeper nesting cannot pass the static checks (each level uses up at least one of 128 operations)."""


@final
@mypyc_attr(acyclic=True)
class Compare:
    """One condition of a transaction, with `range_end` on all its keys. `operand` is bytes for VALUE, else an int."""

    __slots__ = ("encoded", "key", "operand", "range_end", "result", "target")

    def __init__(self, target: int, result: int, key: bytes, operand: int | bytes, range_end: bytes = b"") -> None:
        self.target: Final = target
        self.result: Final = result
        self.key: Final = key
        self.operand: Final = operand
        self.range_end: Final = range_end
        self.encoded = b""

    def encode(self) -> bytes:
        """The bytes of this compare, made once."""
        operand = self.operand
        if isinstance(operand, int):
            number, has_bytes, text = operand, 0, b""
        else:
            number, has_bytes, text = 0, 1, operand
        head = _COMPARE_HEAD.pack(
            self.target, self.result, has_bytes, number, len(self.key), len(self.range_end), len(text)
        )
        self.encoded = encoded = head + self.key + self.range_end + text
        return encoded


@final
@mypyc_attr(acyclic=True)
class Put:
    """Sets a key. `lease` 0 detaches it from any lease."""

    __slots__ = ("ignore_lease", "ignore_value", "key", "lease", "prev_kv", "value")

    def __init__(
        self,
        key: bytes,
        value: bytes,
        lease: int = 0,
        prev_kv: bool = False,
        ignore_value: bool = False,
        ignore_lease: bool = False,
    ) -> None:
        self.key: Final = key
        self.value: Final = value
        self.lease: Final = lease
        self.prev_kv: Final = prev_kv
        self.ignore_value: Final = ignore_value
        self.ignore_lease: Final = ignore_lease

    def encode(self) -> bytes:
        parts: list[bytes] = []
        self.encode_into(parts)
        return b"".join(parts)

    def encode_into(self, parts: list[bytes]) -> int:
        """Appends its bytes and returns how many."""
        flags = 0
        if self.prev_kv or self.ignore_value or self.ignore_lease:
            flags = (
                (_PREV_KV if self.prev_kv else 0)
                | (_IGNORE_VALUE if self.ignore_value else 0)
                | (_IGNORE_LEASE if self.ignore_lease else 0)
            )
        key = self.key
        value = self.value
        parts.append(_PUT_HEAD.pack(_PUT, flags, self.lease, len(key), len(value)))
        parts.append(key)
        parts.append(value)
        return _PUT_HEAD_BYTES + len(key) + len(value)


@final
@mypyc_attr(acyclic=True)
class DeleteRange:
    __slots__ = ("key", "prev_kv", "range_end")

    def __init__(self, key: bytes, range_end: bytes = b"", prev_kv: bool = False) -> None:
        self.key: Final = key
        self.range_end: Final = range_end
        self.prev_kv: Final = prev_kv

    def encode(self) -> bytes:
        key = self.key
        range_end = self.range_end
        return _DELETE_HEAD.pack(_DELETE_RANGE, 1 if self.prev_kv else 0, len(key), len(range_end)) + key + range_end


@final
class Range:
    """A read, as etcd's RangeRequest. Zero means unset in every number."""

    __slots__ = (
        "count_only",
        "key",
        "keys_only",
        "limit",
        "max_create_revision",
        "max_mod_revision",
        "min_create_revision",
        "min_mod_revision",
        "range_end",
        "revision",
        "serializable",
        "sort_order",
        "sort_target",
    )

    def __init__(
        self,
        key: bytes,
        range_end: bytes = b"",
        limit: int = 0,
        revision: int = 0,
        sort_order: int = SORT_NONE,
        sort_target: int = SORT_BY_KEY,
        serializable: bool = False,
        keys_only: bool = False,
        count_only: bool = False,
        min_mod_revision: int = 0,
        max_mod_revision: int = 0,
        min_create_revision: int = 0,
        max_create_revision: int = 0,
    ) -> None:
        self.key: Final = key
        self.range_end: Final = range_end
        self.limit: Final = limit
        self.revision: Final = revision
        self.sort_order: Final = sort_order
        self.sort_target: Final = sort_target
        self.serializable: Final = serializable
        self.keys_only: Final = keys_only
        self.count_only: Final = count_only
        self.min_mod_revision: Final = min_mod_revision
        self.max_mod_revision: Final = max_mod_revision
        self.min_create_revision: Final = min_create_revision
        self.max_create_revision: Final = max_create_revision

    def encode(self) -> bytes:
        flags = (
            (_SERIALIZABLE if self.serializable else 0)
            | (_KEYS_ONLY if self.keys_only else 0)
            | (_COUNT_ONLY if self.count_only else 0)
        )
        head = _RANGE_HEAD.pack(
            _RANGE,
            flags,
            self.sort_order,
            self.sort_target,
            self.limit,
            self.revision,
            self.min_mod_revision,
            self.max_mod_revision,
            self.min_create_revision,
            self.max_create_revision,
            len(self.key),
            len(self.range_end),
        )
        return head + self.key + self.range_end


@final
@mypyc_attr(acyclic=True)
class Txn:
    """If every compare holds on the state before, all of `success` is done, else all of `failure`."""

    __slots__ = ("compares", "encoded", "failure", "success")

    def __init__(self, compares: Sequence[Compare], success: "Sequence[Op]", failure: "Sequence[Op]") -> None:
        # Tuples stay what they are, and a compiled loop over one needs no iterator.
        self.compares: Final[tuple[Compare, ...]] = tuple(compares)
        self.success: Final[tuple[Op, ...]] = tuple(success)
        self.failure: Final[tuple[Op, ...]] = tuple(failure)
        self.encoded = b""

    def encode(self) -> bytes:
        """The bytes of this transaction, made once."""
        parts: list[bytes] = []
        self.encode_into(parts)
        self.encoded = encoded = b"".join(parts)
        return encoded

    def encode_into(self, parts: list[bytes]) -> int:
        """Appends its bytes, piece by piece, and returns how many: a log entry joins thousands of them only once."""
        compares = self.compares
        success = self.success
        failure = self.failure
        head = _TXN_HEAD.pack(_TXN, len(compares), len(success), len(failure))
        parts.append(head)
        size = len(head)
        for compare in compares:
            encoded = compare.encoded or compare.encode()
            parts.append(encoded)
            size += len(encoded)
        for op in success:
            if isinstance(op, Put):
                size += op.encode_into(parts)
            else:
                encoded = op.encode()
                parts.append(encoded)
                size += len(encoded)
        for op in failure:
            encoded = op.encoded or op.encode() if isinstance(op, Txn) else op.encode()
            parts.append(encoded)
            size += len(encoded)
        return size


@final
class Compaction:
    __slots__ = ("physical", "revision")

    def __init__(self, revision: int, physical: bool = False) -> None:
        self.revision: Final = revision
        self.physical: Final = physical

    def encode(self) -> bytes:
        return _COMPACTION_BODY.pack(_COMPACTION, self.revision, 1 if self.physical else 0)


@final
@mypyc_attr(acyclic=True)
class LeaseGrant:
    """`lease_id` is chosen before the log (never 0 here), and `ttl_s` is already raised to the minimum."""

    __slots__ = ("lease_id", "ttl_s")

    def __init__(self, lease_id: int, ttl_s: int) -> None:
        self.lease_id: Final = lease_id
        self.ttl_s: Final = ttl_s

    def encode(self) -> bytes:
        return _GRANT_BODY.pack(_LEASE_GRANT, self.lease_id, self.ttl_s)


@final
@mypyc_attr(acyclic=True)
class LeaseRevoke:
    __slots__ = ("lease_id",)

    def __init__(self, lease_id: int) -> None:
        self.lease_id: Final = lease_id

    def encode(self) -> bytes:
        return _REVOKE_BODY.pack(_LEASE_REVOKE, self.lease_id)


Op = Put | DeleteRange | Range | Txn
PlainCommand = Put | DeleteRange | Range | Txn | Compaction | LeaseGrant | LeaseRevoke | AdminCommand


@final
class AsUser:
    """A command in a user's name: what he may do, and which alarms there are, is looked at when it is applied.

    `auth_revision` is that at which he was identified; 0 with no name is a caller that named nobody. Commands without
    this are the server's own, and may do anything.
    """

    __slots__ = ("auth_revision", "command", "user_name")

    def __init__(self, user_name: str, auth_revision: int, command: PlainCommand) -> None:
        self.user_name: Final = user_name
        self.auth_revision: Final = auth_revision
        self.command: Final = command

    def encode(self) -> bytes:
        name = self.user_name.encode()
        return _AS_USER_HEAD.pack(_AS_USER, self.auth_revision, len(name)) + name + self.command.encode()


Command = PlainCommand | AsUser


def encode_command(command: Command) -> bytes:
    """`kind u8 | fields`, without a version: that of the batch holds."""
    return command.encode()


def encode_batch_head(count: int) -> bytes:
    """`version u8 | count u32`: what stands before the commands of one log entry."""
    return _HEAD.pack(BATCH_VERSION, count)


def encode_batch(commands: Sequence[Command]) -> bytes:
    """The data of one log entry: `version u8 | count u32 | command ...`."""
    parts = [encode_batch_head(len(commands))]
    for command in commands:
        parts.append(command.encode())
    return b"".join(parts)


def decode_batch(data: bytes) -> list[Command]:
    """The commands of one log entry. Raises CommandFormatError when the bytes are not exactly a batch."""
    try:
        version, count = _HEAD.unpack_from(data, 0)
        if version != BATCH_VERSION:
            raise CommandFormatError(f"batch of commands has version {version}, expected {BATCH_VERSION}")
        commands: list[Command] = []
        offset = _HEAD.size
        for _ in range(count):
            command, offset = decode_command(data, offset)
            commands.append(command)
    except (StructError, IndexError) as error:
        raise CommandFormatError(f"batch of commands ends early: {error}") from error
    if offset != len(data):
        raise CommandFormatError(f"batch of {len(data)} bytes ends after {offset}")
    return commands


def decode_command(data: bytes, offset: int) -> tuple[Command, int]:
    """One command at `offset`, and where the next begins. Raises CommandFormatError, struct.error or IndexError."""
    kind = data[offset]
    if kind == _COMPACTION:
        _, revision, physical = _COMPACTION_BODY.unpack_from(data, offset)
        return Compaction(revision, physical != 0), offset + _COMPACTION_BODY.size
    if kind == _LEASE_GRANT:
        _, lease_id, ttl_s = _GRANT_BODY.unpack_from(data, offset)
        return LeaseGrant(lease_id, ttl_s), offset + _GRANT_BODY.size
    if kind == _LEASE_REVOKE:
        _, lease_id = _REVOKE_BODY.unpack_from(data, offset)
        return LeaseRevoke(lease_id), offset + _REVOKE_BODY.size
    if kind == ADMIN:
        return decode_admin(data, offset)
    if kind == _AS_USER:
        return _decode_as_user(data, offset)
    return _decode_op(data, offset, 0)


def _decode_as_user(data: bytes, offset: int) -> tuple[AsUser, int]:
    _, auth_revision, name_length = _AS_USER_HEAD.unpack_from(data, offset)
    start = offset + _AS_USER_HEAD.size
    end = _check_end(data, start + name_length)
    try:
        name = data[start:end].decode()
    except UnicodeDecodeError as error:
        raise CommandFormatError(f"a user's name is not text: {data[start:end]!r}") from error
    command, after = decode_command(data, end)
    if isinstance(command, AsUser):
        raise CommandFormatError("a command in the name of two users")
    return AsUser(name, auth_revision, command), after


def _decode_op(data: bytes, offset: int, depth: int) -> tuple[Op, int]:
    kind = data[offset]
    if kind == _PUT:
        _, flags, lease, key_length, value_length = _PUT_HEAD.unpack_from(data, offset)
        start = offset + _PUT_HEAD.size
        middle = start + key_length
        end = _check_end(data, middle + value_length)
        key = data[start:middle]
        value = data[middle:end]
        if flags == 0:
            return Put(key, value, lease), end
        return (
            Put(
                key,
                value,
                lease,
                flags & _PREV_KV != 0,
                flags & _IGNORE_VALUE != 0,
                flags & _IGNORE_LEASE != 0,
            ),
            end,
        )
    if kind == _TXN:
        return _decode_txn(data, offset, depth)
    if kind == _DELETE_RANGE:
        _, flags, key_length, range_end_length = _DELETE_HEAD.unpack_from(data, offset)
        start = offset + _DELETE_HEAD.size
        middle = start + key_length
        end = _check_end(data, middle + range_end_length)
        return DeleteRange(data[start:middle], data[middle:end], flags & _PREV_KV != 0), end
    if kind == _RANGE:
        return _decode_range(data, offset)
    raise CommandFormatError(f"unknown kind of command {kind} at byte {offset}")


def _decode_txn(data: bytes, offset: int, depth: int) -> tuple[Txn, int]:
    if depth > _TXN_DEPTH_MAX:
        raise CommandFormatError(f"transactions nested deeper than {_TXN_DEPTH_MAX}")
    _, compare_count, success_count, failure_count = _TXN_HEAD.unpack_from(data, offset)
    offset += _TXN_HEAD.size
    compares: list[Compare] = []
    for _ in range(compare_count):
        compare, offset = _decode_compare(data, offset)
        compares.append(compare)
    success: list[Op] = []
    for _ in range(success_count):
        op, offset = _decode_op(data, offset, depth + 1)
        success.append(op)
    failure: list[Op] = []
    for _ in range(failure_count):
        op, offset = _decode_op(data, offset, depth + 1)
        failure.append(op)
    return Txn(compares, success, failure), offset


def _decode_compare(data: bytes, offset: int) -> tuple[Compare, int]:
    target, result, has_bytes, number, key_length, range_end_length, text_length = _COMPARE_HEAD.unpack_from(
        data, offset
    )
    start = offset + _COMPARE_HEAD.size
    range_start = start + key_length
    text_start = range_start + range_end_length
    end = _check_end(data, text_start + text_length)
    operand: int | bytes = data[text_start:end] if has_bytes else number
    return Compare(target, result, data[start:range_start], operand, data[range_start:text_start]), end


def _decode_range(data: bytes, offset: int) -> tuple[Range, int]:
    (
        _,
        flags,
        sort_order,
        sort_target,
        limit,
        revision,
        min_mod,
        max_mod,
        min_create,
        max_create,
        key_length,
        range_end_length,
    ) = _RANGE_HEAD.unpack_from(data, offset)
    start = offset + _RANGE_HEAD.size
    middle = start + key_length
    end = _check_end(data, middle + range_end_length)
    decoded = Range(
        data[start:middle],
        data[middle:end],
        limit,
        revision,
        sort_order,
        sort_target,
        flags & _SERIALIZABLE != 0,
        flags & _KEYS_ONLY != 0,
        flags & _COUNT_ONLY != 0,
        min_mod,
        max_mod,
        min_create,
        max_create,
    )
    return decoded, end


def _check_end(data: bytes, end: int) -> int:
    if end > len(data):
        raise CommandFormatError(f"field ends at byte {end} of {len(data)}")
    return end
