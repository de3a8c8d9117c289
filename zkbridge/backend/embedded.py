"""The store in the same process: `Backend` over an `etcdcore` member. The only importer of `etcdcore`.

Invariants:
1. Per write two objects and its operations are built, nothing more: what repeats (the compares, the else branch) is
   built once a fence and once a session key.
2. A revision caused by a write of ours reaches the sink with its token and no events, any other with its events.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Final, final

from etcdcore import (
    Compare,
    CoreError,
    DeleteRange,
    EngineError,
    KeyEvent,
    LeaseGrant,
    LeaseRevoke,
    Member,
    MemberConfig,
    NoSpace,
    Outcome,
    Proposal,
    Put,
    Range,
    RevisionListener,
    ServerConfig,
    ServerStopped,
    StorageError,
    Txn,
    TxnResult,
    prefix_end,
)
from zkbridge.backend.interface import (
    NO_EVENTS,
    REFUSED_FENCE,
    REFUSED_NO_SPACE,
    REFUSED_SESSION,
    Backend,
    BarrierToken,
    Fence,
    RevisionSink,
    StoreEvent,
    StoreFacts,
    WriteToken,
)
from zkbridge.backend.store_facts import Family, TimesSinceReset, histogram, number

_TARGET_CREATE: Final = 1
_TARGET_MOD: Final = 2
_RESULT_EQUAL: Final = 0
_RESULT_GREATER: Final = 1
_EVENT_PUT: Final = 0

SESSIONS_CACHED_MAX: Final = 16_384
"""Compares kept, one pair a session key; the cache starts anew when it is full (a pair costs a microsecond)."""


SEGMENT_BYTES_DEFAULT: Final = 64 << 20
"""Of the log; the one in use and a spare are reserved, and a third may wait to be dropped."""


SLOW_SYNC_S: Final = 1.0
"""As ZooKeeper's `fsync.warningthresholdms`; the class that counts begins at 1.024 s."""


class BackendError(Exception):
    """The store cannot be opened, has failed, or refused to read at a revision that it handed out."""


@final
class OpeningFact:
    """One line for the log; `level` is debug, info, warning or error."""

    __slots__ = ("event", "fields", "level")

    def __init__(self, level: str, event: str, fields: dict[str, object]) -> None:
        self.level: Final = level
        self.event: Final = event
        self.fields: Final = fields


@final
class _Write(Proposal):
    __slots__ = ("backend", "fence_key", "token")

    def __init__(self, backend: "EmbeddedBackend", fence_key: bytes, token: WriteToken) -> None:
        self.backend: Final = backend
        self.fence_key: Final = fence_key
        self.token: Final = token

    def is_brief(self) -> bool:
        return True

    def written(self, revision: int) -> None:
        self.backend.sink.revision_applied(revision, NO_EVENTS, self.token)

    def applied(self, result: Outcome | int) -> None:
        if type(result) is TxnResult and result.succeeded:
            self.backend.sink.revision_applied(result.revision, NO_EVENTS, self.token)
        else:
            self.backend.write_failed(self, result)

    def dropped(self, error: CoreError, is_decided: bool) -> None:
        self.backend.sink.write_dropped(self.token, error.text, is_decided)


@final
class _Barrier(Proposal):
    __slots__ = ("token",)

    def __init__(self, token: BarrierToken) -> None:
        self.token: Final = token

    def applied(self, result: Outcome | int) -> None:
        assert isinstance(result, int), f"a barrier is answered by a revision, got {result!r}"
        self.token.barrier_reached(result)

    def dropped(self, error: CoreError, is_decided: bool) -> None:
        self.token.barrier_dropped(error.text)


@final
class _Listener(RevisionListener):
    """Hands on what the member tells, in the bridge's values."""

    __slots__ = ("_prefix", "_sink")

    def __init__(self, sink: RevisionSink, prefix: bytes) -> None:
        self._sink: Final = sink
        self._prefix: Final = prefix

    def wants_brief(self) -> bool:
        return False  # Brief are our own writes, whose plans know what changes.

    def revision_applied(self, revision: int, events: list[KeyEvent], proposal: Proposal | None) -> None:
        if type(proposal) is _Write:
            return  # `_Write.applied`, called next, hands the revision over with the token.
        told = []
        for event in events:
            kv = event.kv
            if kv.key.startswith(self._prefix):
                is_put = event.kind == _EVENT_PUT
                told.append(StoreEvent(is_put, kv.key, kv.value, kv.create_revision, kv.mod_revision, kv.lease))
        self._sink.revision_applied(revision, told, None)

    def batch_applied(self) -> None:
        self._sink.batch_applied()

    def leases_expired(self, lease_ids: list[int]) -> list[int]:
        return self._sink.leases_expired(lease_ids)

    def write_state_changed(self, error: CoreError | None) -> None:
        if isinstance(error, NoSpace):
            self._sink.write_state_changed(REFUSED_NO_SPACE)
        else:
            self._sink.write_state_changed(None if error is None else error.text)

    def member_failed(self, error: BaseException) -> None:
        self._sink.backend_failed(error)


@final
class _Pages:
    """All keys under a prefix as of a revision, a page a step; others run between two pages."""

    __slots__ = ("_end", "_key", "_member", "_page", "_revision")

    def __init__(self, member: Member, prefix: bytes, revision: int, page: int) -> None:
        self._member: Final = member
        self._key: bytes | None = prefix
        self._end: Final = prefix_end(prefix)
        self._revision: Final = revision
        self._page: Final = page

    def __aiter__(self) -> "_Pages":
        return self

    async def __anext__(self) -> list[StoreEvent]:
        await asyncio.sleep(0)
        key = self._key
        if key is None:
            raise StopAsyncIteration
        pairs = self._member.read_page(key, self._end, self._revision, self._page)
        if isinstance(pairs, CoreError):
            raise BackendError(f"cannot load {key!r} at revision {self._revision}: {pairs.text}")
        events = []
        for kv in pairs:
            events.append(StoreEvent(True, kv.key, kv.value, kv.create_revision, kv.mod_revision, kv.lease))
        self._key = events[-1].key + b"\0" if len(events) == self._page else None
        return events


@final
class EmbeddedBackend(Backend):
    """Over a member that is open; the caller runs `serve` in its task group. One sink at most."""

    __slots__ = (
        "_checkpoint_times",
        "_else_branch",
        "_etcd_addr",
        "_fence",
        "_fence_compare",
        "_fence_compares",
        "_open_ms",
        "_session_compares",
        "_sync_times",
        "member",
        "sink",
    )

    def __init__(self, member: Member, etcd_addr: str = "", open_ms: int = 0) -> None:
        self.member: Final = member
        self._etcd_addr: Final = etcd_addr
        self._open_ms: Final = open_ms
        self._sync_times: Final = TimesSinceReset()
        self._checkpoint_times: Final = TimesSinceReset()
        self._fence: Fence | None = None
        self._session_compares: Final[dict[bytes, tuple[Compare, Compare]]] = {}

    def opening_facts(self) -> list[OpeningFact]:
        """What opening the store found, for the log."""
        report = self.member.recovery_report
        facts: list[OpeningFact] = []
        tail = report.torn_tail
        if tail is not None:
            # A write that had not finished when the process or the machine went down: nobody was told that it had.
            fields: dict[str, object] = {"path": str(tail.path), "offset": tail.offset}
            fields["size_bytes"] = tail.dropped_bytes
            facts.append(OpeningFact("warning", "wal_tail_cut", fields))
        if report.lost_entries:
            fields = {"entries": report.lost_entries, "applied_index": report.applied_index}
            fields["reason"] = "the log lacked entries that the store has applied; a new log begins behind them"
            facts.append(OpeningFact("error", "wal_entries_lost", fields))
        for marker in report.unreadable_markers:
            fields = {"path": str(marker.path), "reason": marker.reason}
            facts.append(OpeningFact("warning", "snapshot_marker_unreadable", fields))
        fields = {"is_new": report.is_new, "is_restored": report.engine_restored}
        fields["applied_index"] = report.applied_index
        fields["replayed_entries"] = report.replayed_entries
        facts.append(OpeningFact("info", "store_opened", fields))
        return facts

    async def serve(self) -> None:
        try:
            await self.member.serve()
        except (EngineError, StorageError) as error:
            raise BackendError(str(error)) from error

    async def serve_etcd(self, stop: asyncio.Event, serving: Callable[[list[str]], None]) -> None:
        """Long-lived: the same store as etcd's API on `etcd_addr`, once it is writable and until `stop`.

        `serving` is told the addresses. Raises BackendError, say if the port is taken.
        """
        # Late: a bridge without the port does not wait for the imports.
        from etcdcore import EtcdServer, StartError

        try:
            await self.member.wait_writable()
        except ServerStopped:
            return
        server = EtcdServer(ServerConfig(listen_client_urls=_urls(self._etcd_addr)), self.member)
        try:
            await server.serve(stop, serving)
        except StartError as error:
            raise BackendError(str(error)) from error

    async def wait_writable(self) -> None:
        await self.member.wait_writable()

    def is_out_of_room(self) -> bool:
        return self.member.is_out_of_room

    async def stop(self) -> None:
        await self.member.stop()

    def subscribe(self, sink: RevisionSink, prefix: bytes) -> int:
        self.sink = sink
        return self.member.subscribe(_Listener(sink, prefix))

    def load(self, prefix: bytes, revision: int, page: int) -> AsyncIterator[list[StoreEvent]]:
        return _Pages(self.member, prefix, revision, page)

    def revision(self) -> int:
        return self.member.revision()

    def take_over(self, fence_key: bytes, token: WriteToken) -> None:
        self.member.submit(Txn((), (Put(fence_key, b""),), ()), _Write(self, fence_key, token))

    def submit(
        self,
        fence: Fence,
        session_key: bytes | None,
        puts: list[tuple[bytes, bytes, int]],
        deletes: list[bytes],
        token: WriteToken,
    ) -> None:
        if fence is not self._fence:
            self._use_fence(fence)
        operations: Sequence[Put | DeleteRange]
        if len(puts) == 1 and not deletes:
            key, value, lease = puts[0]
            operations = (Put(key, value, lease),)
        else:
            several: list[Put | DeleteRange] = [DeleteRange(key) for key in deletes]
            for key, value, lease in puts:
                several.append(Put(key, value, lease))
            operations = several
        if session_key is None:
            command = Txn(self._fence_compares, operations, ())
        else:
            compares = self._session_compares.get(session_key)
            if compares is None:
                compares = self._build_compares(session_key)
            command = Txn(compares, operations, self._else_branch)
        self.member.submit(command, _Write(self, fence.key, token))

    def grant_lease(self, lease_id: int, ttl_s: int) -> None:
        self.member.submit(LeaseGrant(lease_id, ttl_s), None)

    def revoke_lease(self, lease_id: int) -> None:
        self.member.submit(LeaseRevoke(lease_id), None)

    def renew_leases(self, lease_ids: Sequence[int]) -> None:
        self.member.renew_leases(lease_ids)

    def facts(self) -> StoreFacts | None:
        counts = self.member.counts
        report = self.member.recovery_report
        sync_s, checkpoint_s = self.member.log_writer.write_s, counts.checkpoint_s
        return StoreFacts(
            self._sync_times.summary_ms(sync_s.bounds, sync_s.counts, sync_s.sum, sync_s.lowest, sync_s.highest),
            self._checkpoint_times.summary_ms(
                checkpoint_s.bounds,
                checkpoint_s.counts,
                checkpoint_s.sum,
                checkpoint_s.lowest,
                checkpoint_s.highest,
            ),
            counts.checkpoint_revision,
            asyncio.get_running_loop().time() - counts.checkpointed_at_s,
            self._open_ms,
            report.replayed_entries,
            sum([count for bound, count in zip(sync_s.bounds, sync_s.counts[1:], strict=True) if bound > SLOW_SYNC_S]),
            _families(self.member),
        )

    def reset_facts(self) -> None:
        sync_s, checkpoint_s = self.member.log_writer.write_s, self.member.counts.checkpoint_s
        self._sync_times.reset(sync_s.counts)
        self._checkpoint_times.reset(checkpoint_s.counts)
        sync_s.reset_range()
        checkpoint_s.reset_range()

    def request_barrier(self, token: BarrierToken) -> None:
        self.member.read_index(_Barrier(token))

    def write_failed(self, write: _Write, result: object) -> None:
        """The else branch, or an error of the store. A cold path, so the fence's own event is read back."""
        if isinstance(result, CoreError):
            self.sink.write_refused(write.token, result.text, 0)
            return
        assert isinstance(result, TxnResult), f"a transaction is answered by its result, got {result!r}"
        nested = result.responses[0] if result.responses else None
        if not (isinstance(nested, TxnResult) and nested.succeeded):
            self.sink.write_refused(write.token, REFUSED_FENCE, 0)
            return
        fence = self.member.range(Range(write.fence_key))
        assert not isinstance(fence, CoreError) and fence.kvs, "the fence key was put a moment ago"
        kv = fence.kvs[0]
        event = StoreEvent(True, kv.key, kv.value, kv.create_revision, kv.mod_revision, kv.lease)
        self.sink.revision_applied(kv.mod_revision, [event], None)
        self.sink.write_refused(write.token, REFUSED_SESSION, kv.mod_revision)

    def _use_fence(self, fence: Fence) -> None:
        compare = Compare(_TARGET_MOD, _RESULT_EQUAL, fence.key, fence.revision)
        self._fence = fence
        self._fence_compare = compare
        self._fence_compares = (compare,)
        self._else_branch = (Txn((compare,), (Put(fence.key, b""),), ()),)
        self._session_compares.clear()

    def _build_compares(self, session_key: bytes) -> tuple[Compare, Compare]:
        if len(self._session_compares) >= SESSIONS_CACHED_MAX:
            self._session_compares.clear()
        compares = (self._fence_compare, Compare(_TARGET_CREATE, _RESULT_GREATER, session_key, 0))
        self._session_compares[session_key] = compares
        return compares


def _families(member: Member) -> list[Family]:
    """The store's own metrics under etcd's names, so that what is made for etcd reads them. The etcd port has all."""
    counts, store, log = member.counts, member.store, member.log_writer
    allocated, used = store.engine.size()
    sync, commit, done = log.write_s, counts.commit_s, member.store_counts
    return [
        number("etcd_server_has_leader", "gauge", "Whether the store has a leader.", int(member.has_leader)),
        number("etcd_server_proposals_pending", "gauge", "Commands proposed and not applied.", member.pending_count),
        number("etcd_server_proposals_failed_total", "counter", "Commands that failed.", counts.proposals_failed),
        number("etcd_server_proposals_applied_total", "gauge", "Log entries applied.", member.applied_index),
        number("etcd_server_slow_apply_total", "counter", "Log entries slow to apply.", counts.slow_apply_count),
        histogram(
            "etcd_disk_wal_fsync_duration_seconds",
            "Writing and syncing one group of the log.",
            sync.bounds,
            sync.counts,
            sync.sum,
        ),
        number("etcd_disk_wal_write_bytes_total", "counter", "Bytes written to the log.", log.byte_count),
        histogram(
            "etcd_disk_backend_commit_duration_seconds",
            "Committing the engine's batch, without a sync.",
            commit.bounds,
            commit.counts,
            commit.sum,
        ),
        number("etcd_mvcc_db_total_size_in_bytes", "gauge", "Size of the engine's file.", allocated),
        number("etcd_mvcc_db_total_size_in_use_in_bytes", "gauge", "Of the engine's file, what is in use.", used),
        number("etcd_mvcc_put_total", "counter", "Puts.", done.put_count),
        number("etcd_mvcc_delete_total", "counter", "Deletes.", done.delete_count),
        number("etcd_mvcc_txn_total", "counter", "Transactions of several operations.", done.txn_count),
        number("etcd_debugging_mvcc_current_revision", "gauge", "The store's revision.", store.current_revision),
        number("etcd_debugging_lease_granted_total", "counter", "Leases granted.", done.lease_granted_count),
        number("etcd_debugging_lease_revoked_total", "counter", "Leases revoked.", done.lease_revoked_count),
    ]


def _urls(etcd_addr: str) -> tuple[str, ...]:
    return (f"http://{etcd_addr}",) if etcd_addr else ()


def open_embedded(
    data_dir: Path,
    compaction_retention_s: int,
    segment_bytes: int = SEGMENT_BYTES_DEFAULT,
    etcd_addr: str = "",
) -> EmbeddedBackend:
    """Opens the store below a directory: locks it and replays its log, blocking meanwhile.

    `etcd_addr` is where etcd's clients shall reach it, by `serve_etcd`.

    Raises BackendError with the cause: another process has it, its log is corrupt, it isn't ours.
    """
    config = MemberConfig(
        data_dir=data_dir,
        compaction_retention_s=compaction_retention_s,
        segment_bytes=segment_bytes,
        client_urls=_urls(etcd_addr),
    )
    started = time.monotonic()
    try:
        member = Member.open(config)
    except (EngineError, StorageError) as error:
        raise BackendError(str(error)) from error
    except OSError as error:
        # Say, a disk so full that not even the lock can be written: without the directory nobody knew what to free.
        raise BackendError(f"the store in {data_dir} cannot be opened: {error.strerror or error}") from error
    return EmbeddedBackend(member, etcd_addr, int((time.monotonic() - started) * 1000))
