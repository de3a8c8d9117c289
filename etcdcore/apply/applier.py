"""Applies one committed command after the other to store, lessor and the admin state, which it owns together.

Flat transactions (plain puts and deletes of single keys, as the bridge makes them) have a path of their own: nothing is
built for them but records, events and the result.

Invariants:
1. The same commands from the same state make the same state, results and events on every member.
2. A refusal leaves no trace: no revision, no event, no attachment.
3. One command makes at most one main revision, whose events `take_events` hands out together.
4. `apply_brief` leaves the same state and index as `apply`.
"""

from collections.abc import Sequence
from typing import Final, final

from etcdcore.apply.admin import AdminState
from etcdcore.apply.admin_commands import AdminCommand
from etcdcore.apply.commands import (
    AsUser,
    Command,
    Compaction,
    DeleteRange,
    LeaseGrant,
    LeaseRevoke,
    Op,
    Put,
    Range,
    Txn,
)
from etcdcore.apply.compare import holds
from etcdcore.apply.costs import cost_of
from etcdcore.apply.permissions import Permissions
from etcdcore.apply.reads import read_range
from etcdcore.apply.results import (
    CompactionResult,
    DeleteRangeResult,
    LeaseGrantResult,
    LeaseRevokeResult,
    OpResult,
    Outcome,
    PutResult,
    RangeResult,
    TxnResult,
)
from etcdcore.apply.txn import check, check_put_now, choose, delete_keys, execute, execute_delete, execute_put
from etcdcore.auth.tokens import SimpleTokens
from etcdcore.errors import CoreError, LeaseNotFound
from etcdcore.lease.lessor import Lessor
from etcdcore.mvcc.store import Store
from etcdcore.types import KeyEvent

_NO_EVENTS: Final[list[KeyEvent]] = []


@final
class Applier:
    """`store` and `lessor` must be over the same engine; the keys' leases are attached here, at load."""

    __slots__ = ("_events", "admin", "lessor", "permissions", "store")

    def __init__(self, store: Store, lessor: Lessor, admin: AdminState | None = None) -> None:
        """Without an `admin` state, one of its own, which knows no members."""
        self.store: Final = store
        self.lessor: Final = lessor
        self.admin: Final = AdminState(store.engine, SimpleTokens(), None) if admin is None else admin
        self.permissions: Final = Permissions(self.admin.auth, lessor)
        self._events: list[KeyEvent] = _NO_EVENTS
        for key, entry in store.index.items():
            # A real etcd's snapshot may have keys of a lease that is gone: it passes them over too.
            if entry.lease in lessor.leases:
                lessor.attach(entry.lease, key)

    def apply(self, command: Command) -> Outcome:
        """Changes the state; the command has passed the static checks. Its events are there until the next call."""
        if isinstance(command, Txn):
            return self._apply_txn(command)
        self._events = _NO_EVENTS
        if isinstance(command, Put):
            return self._apply_put(command)
        if isinstance(command, DeleteRange):
            result = execute_delete(self.store, self.lessor, command)
            self._events = self.store.end_revision()
            return result
        if isinstance(command, LeaseRevoke):
            return self._apply_revoke(command)
        if isinstance(command, LeaseGrant):
            return self._apply_grant(command)
        if isinstance(command, Range):
            return read_range(self.store, command)
        if isinstance(command, Compaction):
            return self._apply_compaction(command)
        if isinstance(command, AdminCommand):
            return self.admin.apply(command, self.store.current_revision)
        return self._apply_as_user(command)

    def range(self, wanted: Range) -> RangeResult | CoreError:
        """Reads what is applied so far; changes nothing, not even the events. Refuses as `read_range`."""
        return read_range(self.store, wanted)

    def take_events(self) -> tuple[int, list[KeyEvent]]:
        """The current revision, and the events of the command applied last: empty when it changed nothing."""
        events = self._events
        self._events = _NO_EVENTS
        return self.store.current_revision, events

    def apply_brief(self, txn: Txn) -> int:
        """The revision after a transaction whose author wants no more than that, and of whose events nobody wants to
        hear. 0: nothing was done, as it is not plain or would not take its success branch; `apply` it."""
        store = self.store
        for compare in txn.compares:
            if not holds(store, compare):
                return 0
        leases = self.lessor.leases
        branch = txn.success
        for op in branch:
            if isinstance(op, Put):
                if op.prev_kv or op.ignore_value or op.ignore_lease or (op.lease and op.lease not in leases):
                    return 0
            elif not isinstance(op, DeleteRange) or op.range_end or op.prev_kv:
                return 0
        store.is_silent = True
        for op in branch:
            if isinstance(op, Put):
                former_lease = store.put(op.key, op.value, op.lease)
                if former_lease != op.lease:
                    self.lessor.move(op.key, former_lease, op.lease)
            elif isinstance(op, DeleteRange):
                store.counts.delete_count += 1
                if store.exists(op.key):
                    former_lease = store.delete(op.key)
                    if former_lease:
                        self.lessor.move(op.key, former_lease, 0)
        store.is_silent = False
        if len(branch) > 1:
            store.counts.txn_count += 1
        store.end_revision()
        return store.current_revision

    def _apply_txn(self, txn: Txn) -> Outcome:
        store = self.store
        branch = txn.success
        succeeded = True
        for compare in txn.compares:
            if not holds(store, compare):
                succeeded = False
                branch = txn.failure
                break
        leases = self.lessor.leases
        for op in branch:
            if isinstance(op, Put):
                if op.prev_kv or op.ignore_value or op.ignore_lease:
                    return self._apply_rich_txn(txn)
                if op.lease and op.lease not in leases:
                    self._events = _NO_EVENTS
                    return LeaseNotFound()
            elif not isinstance(op, DeleteRange) or op.range_end or op.prev_kv:
                return self._apply_rich_txn(txn)
        return self._apply_flat(branch, succeeded)

    def _apply_flat(self, branch: Sequence[Op], succeeded: bool) -> TxnResult:
        """Plain puts and deletes of single keys, checked."""
        store = self.store
        responses: list[OpResult] = []
        put_result: PutResult | None = None
        for op in branch:
            if isinstance(op, Put):
                key = op.key
                lease = op.lease
                former_lease = store.put(key, op.value, lease)
                if former_lease != lease:
                    self.lessor.move(key, former_lease, lease)
                if put_result is None:
                    put_result = PutResult(store.current_revision + 1, None)
                responses.append(put_result)
                continue
            assert isinstance(op, DeleteRange)
            store.counts.delete_count += 1
            key = op.key
            if store.exists(key):
                former_lease = store.delete(key)
                if former_lease:
                    self.lessor.move(key, former_lease, 0)
                responses.append(DeleteRangeResult(store.current_revision + 1, 1, []))
            else:
                responses.append(DeleteRangeResult(store.visible_revision, 0, []))
        if len(branch) > 1:
            store.counts.txn_count += 1
        self._events = store.end_revision()
        return TxnResult(store.current_revision, succeeded, responses)

    def _apply_rich_txn(self, txn: Txn) -> Outcome:
        self._events = _NO_EVENTS
        store = self.store
        path = choose(store, txn)
        error = check(store, self.lessor, path)
        if error is not None:
            return error
        if len(txn.success if path.succeeded else txn.failure) > 1:
            store.counts.txn_count += 1
        responses = execute(store, self.lessor, path)
        self._events = store.end_revision()
        return TxnResult(store.current_revision, path.succeeded, responses)

    def _apply_put(self, put: Put) -> PutResult | CoreError:
        if put.lease and put.lease not in self.lessor.leases:
            # A put of its own asks for the lease before the key, one in a transaction the other way round.
            return LeaseNotFound()
        error = check_put_now(self.store, self.lessor, put)
        if error is not None:
            return error
        result = execute_put(self.store, self.lessor, put)
        self._events = self.store.end_revision()
        return result

    def _apply_grant(self, grant: LeaseGrant) -> Outcome:
        error = self.lessor.grant(grant.lease_id, grant.ttl_s)
        if error is not None:
            return error
        return LeaseGrantResult(self.store.current_revision, grant.lease_id, grant.ttl_s)

    def _apply_revoke(self, revoke: LeaseRevoke) -> Outcome:
        """Deletes the lease's keys in sorted order in one revision; without keys no revision."""
        keys = self.lessor.keys_of(revoke.lease_id)
        if isinstance(keys, LeaseNotFound):
            return keys
        delete_keys(self.store, self.lessor, keys)
        self.lessor.remove(revoke.lease_id)
        self._events = self.store.end_revision()
        return LeaseRevokeResult(self.store.current_revision)

    def _apply_compaction(self, compaction: Compaction) -> Outcome:
        error = self.store.compact(compaction.revision)
        return CompactionResult(self.store.current_revision) if error is None else error

    def _apply_as_user(self, wrapped: AsUser) -> Outcome:
        """In etcd's order: an administrator's commands, alarms, what the user may do, and only then the command."""
        command = wrapped.command
        admin = self.admin
        error: CoreError | None = None
        if isinstance(command, AdminCommand):
            error = admin.check_user(wrapped.user_name, command)
        else:
            if admin.alarms.is_active and not isinstance(command, Range):
                error = admin.alarms.refusal(cost_of(command) > 0)
            if error is None:
                error = self.permissions.check_command(wrapped.user_name, wrapped.auth_revision, command)
        return self.apply(command) if error is None else error

    def check_invariants(self) -> None:
        self.store.check_invariants()
        self.lessor.check_invariants()
        self.admin.check_invariants()
        for key, entry in self.store.index.items():
            if entry.lease:
                assert key in self.lessor.leases[entry.lease].keys
        for lease in self.lessor.leases.values():
            for key in lease.keys:
                assert self.store.index[key].lease == lease.lease_id
