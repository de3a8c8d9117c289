"""Whether a user may do what a command says: the table of reference section 2.8, at apply and for local reads alike.

Source: etcd server/etcdserver/apply/auth.go. Both branches of a transaction count, and all nested ones.
"""

from typing import Final, final

from etcdcore.apply.commands import DeleteRange, LeaseRevoke, Op, Put, Range, Txn
from etcdcore.auth.records import READ, WRITE
from etcdcore.auth.store import AuthStore
from etcdcore.errors import CoreError
from etcdcore.lease.lessor import Lessor

NOBODY: Final = 0
"""The auth revision of a caller that named no user."""


@final
class Permissions:
    """`user_name` at `auth_revision` asks; every method returns why not, or None."""

    __slots__ = ("auth", "lessor")

    def __init__(self, auth: AuthStore, lessor: Lessor) -> None:
        self.auth: Final = auth
        self.lessor: Final = lessor

    def check_command(self, user_name: str, auth_revision: int, command: object) -> CoreError | None:
        """What has no row in the table (a lease grant, a compaction) was checked before the log, if at all."""
        if isinstance(command, Put | DeleteRange | Range | Txn):
            return self.check_op(user_name, auth_revision, command)
        if isinstance(command, LeaseRevoke):
            return self.check_lease_write(user_name, auth_revision, command.lease_id)
        return None

    def check_op(self, user_name: str, auth_revision: int, op: Op) -> CoreError | None:
        auth = self.auth
        if isinstance(op, Put):
            error = auth.check(user_name, auth_revision, op.key, b"", WRITE)
            if error is None and op.lease:
                # Whoever attaches a key to a lease has it deleted with the rest: he must be allowed to delete the rest.
                error = self.check_lease_write(user_name, auth_revision, op.lease)
            if error is None and op.prev_kv:
                error = auth.check(user_name, auth_revision, op.key, b"", READ)
            return error
        if isinstance(op, Range):
            return auth.check(user_name, auth_revision, op.key, op.range_end, READ)
        if isinstance(op, DeleteRange):
            error = auth.check(user_name, auth_revision, op.key, op.range_end, WRITE)
            if error is None and op.prev_kv:
                error = auth.check(user_name, auth_revision, op.key, op.range_end, READ)
            return error
        for compare in op.compares:
            error = auth.check(user_name, auth_revision, compare.key, compare.range_end, READ)
            if error is not None:
                return error
        for branch in (op.success, op.failure):
            for inner in branch:
                error = self.check_op(user_name, auth_revision, inner)
                if error is not None:
                    return error
        return None

    def check_lease_write(self, user_name: str, auth_revision: int, lease_id: int) -> CoreError | None:
        """WRITE on every key of a lease; a missing one has none."""
        return self._check_lease(user_name, auth_revision, lease_id, WRITE)

    def check_lease_read(self, user_name: str, auth_revision: int, lease_id: int) -> CoreError | None:
        """READ on every key of a lease."""
        return self._check_lease(user_name, auth_revision, lease_id, READ)

    def _check_lease(self, user_name: str, auth_revision: int, lease_id: int, kind: int) -> CoreError | None:
        auth = self.auth
        lease = self.lessor.leases.get(lease_id)
        if lease is None or auth.check_admin(user_name) is None:
            return None
        for key in sorted(lease.keys):
            error = auth.check(user_name, auth_revision, key, b"", kind)
            if error is not None:
                return error
        return None
