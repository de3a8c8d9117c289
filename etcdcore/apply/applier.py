"""Applies one committed command after the other to store and lessor, which it owns together.

Flat transactions (plain puts and deletes of single keys, as the bridge makes them) have a path of their own: nothing is
built for them but records, events and the result.

Invariants:
1. The same commands from the same state make the same state, results and events on every member.
2. A refusal leaves no trace: no revision, no event, no attachment.
3. One command makes at most one main revision, whose events `take_events` hands out together.
"""

from collections.abc import Sequence
from typing import Final, final

from etcdcore.apply.commands import Command, Compaction, DeleteRange, LeaseGrant, LeaseRevoke, Op, Put, Range, Txn
from etcdcore.apply.compare import holds
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
from etcdcore.errors import CoreError, LeaseNotFound
from etcdcore.lease.lessor import Lessor
from etcdcore.mvcc.store import Store
from etcdcore.types import KeyEvent

_NO_EVENTS: Final[list[KeyEvent]] = []


@final
class Applier:
    """`store` and `lessor` must be over the same engine; the keys' leases are attached here, at load."""

    __slots__ = ("_events", "lessor", "store")

    def __init__(self, store: Store, lessor: Lessor) -> None:
        self.store: Final = store
        self.lessor: Final = lessor
        self._events: list[KeyEvent] = _NO_EVENTS
        for key, entry in store.index.items():
            if entry.lease:
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
        assert isinstance(command, Compaction)
        return self._apply_compaction(command)

    def range(self, wanted: Range) -> RangeResult | CoreError:
        """Reads what is applied so far; changes nothing, not even the events. Refuses as `read_range`."""
        return read_range(self.store, wanted)

    def take_events(self) -> tuple[int, list[KeyEvent]]:
        """The current revision, and the events of the command applied last: empty when it changed nothing."""
        events = self._events
        self._events = _NO_EVENTS
        return self.store.current_revision, events

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
            key = op.key
            if store.exists(key):
                former_lease = store.delete(key)
                if former_lease:
                    self.lessor.move(key, former_lease, 0)
                responses.append(DeleteRangeResult(store.current_revision + 1, 1, []))
            else:
                responses.append(DeleteRangeResult(store.visible_revision, 0, []))
        self._events = store.end_revision()
        return TxnResult(store.current_revision, succeeded, responses)

    def _apply_rich_txn(self, txn: Txn) -> Outcome:
        self._events = _NO_EVENTS
        store = self.store
        path = choose(store, txn)
        error = check(store, self.lessor, path)
        if error is not None:
            return error
        responses = execute(store, self.lessor, path)
        self._events = store.end_revision()
        return TxnResult(store.current_revision, path.succeeded, responses)

    def _apply_put(self, put: Put) -> PutResult | CoreError:
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

    def check_invariants(self) -> None:
        self.store.check_invariants()
        self.lessor.check_invariants()
        for key, entry in self.store.index.items():
            if entry.lease:
                assert key in self.lessor.leases[entry.lease].keys
        for lease in self.lessor.leases.values():
            for key in lease.keys:
                assert self.store.index[key].lease == lease.lease_id
