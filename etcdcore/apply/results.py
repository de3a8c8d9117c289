"""What an applied command answers, as values. A refusal is a `CoreError` value instead, never an exception.

`revision` is what etcd puts into the response header: the store's revision after the operation (a range: at reading).
"""

from typing import Final, final

from mypy_extensions import mypyc_attr

from etcdcore.apply.alarms import Alarm
from etcdcore.errors import CoreError
from etcdcore.types import KeyValue


@final
class RangeResult:
    """`count` ignores limit and filters; `more` says that the limit cut something off."""

    __slots__ = ("count", "kvs", "more", "revision")

    def __init__(self, revision: int, kvs: list[KeyValue], more: bool, count: int) -> None:
        self.revision: Final = revision
        self.kvs: Final = kvs
        self.more: Final = more
        self.count: Final = count


@final
@mypyc_attr(acyclic=True)
class PutResult:
    __slots__ = ("prev_kv", "revision")

    def __init__(self, revision: int, prev_kv: KeyValue | None) -> None:
        self.revision: Final = revision
        self.prev_kv: Final = prev_kv


@final
@mypyc_attr(acyclic=True)
class DeleteRangeResult:
    __slots__ = ("deleted", "prev_kvs", "revision")

    def __init__(self, revision: int, deleted: int, prev_kvs: list[KeyValue]) -> None:
        self.revision: Final = revision
        self.deleted: Final = deleted
        self.prev_kvs: Final = prev_kvs


@final
@mypyc_attr(acyclic=True)
class TxnResult:
    """`responses` has one result for each operation of the branch that ran, in order."""

    __slots__ = ("responses", "revision", "succeeded")

    def __init__(self, revision: int, succeeded: bool, responses: "list[OpResult]") -> None:
        self.revision: Final = revision
        self.succeeded: Final = succeeded
        self.responses: Final = responses


@final
class CompactionResult:
    __slots__ = ("revision",)

    def __init__(self, revision: int) -> None:
        self.revision: Final = revision


@final
@mypyc_attr(acyclic=True)
class LeaseGrantResult:
    """`ttl_s` is the effective time to live, at least the minimum."""

    __slots__ = ("lease_id", "revision", "ttl_s")

    def __init__(self, revision: int, lease_id: int, ttl_s: int) -> None:
        self.revision: Final = revision
        self.lease_id: Final = lease_id
        self.ttl_s: Final = ttl_s


@final
@mypyc_attr(acyclic=True)
class LeaseRevokeResult:
    __slots__ = ("revision",)

    def __init__(self, revision: int) -> None:
        self.revision: Final = revision


@final
class AdminResult:
    """Of a command that has nothing to say but that it is done."""

    __slots__ = ("revision",)

    def __init__(self, revision: int) -> None:
        self.revision: Final = revision


@final
class AlarmResult:
    """`alarms` are those that the command raised or took back."""

    __slots__ = ("alarms", "revision")

    def __init__(self, revision: int, alarms: list[Alarm]) -> None:
        self.revision: Final = revision
        self.alarms: Final = alarms


@final
class AuthenticateResult:
    """`token` is empty where the log assigns none; `auth_revision` is that at which it holds."""

    __slots__ = ("auth_revision", "revision", "token")

    def __init__(self, revision: int, token: str, auth_revision: int) -> None:
        self.revision: Final = revision
        self.token: Final = token
        self.auth_revision: Final = auth_revision


OpResult = RangeResult | PutResult | DeleteRangeResult | TxnResult
AnyAdminResult = AdminResult | AlarmResult | AuthenticateResult
Result = OpResult | CompactionResult | LeaseGrantResult | LeaseRevokeResult | AnyAdminResult
Outcome = Result | CoreError
