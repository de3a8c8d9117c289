"""Every revision of the store, into the tree and out to the clients.

For each revision, in this order and in one go (design section 3): the tree changes; the watches that fire are queued on
their connections; the write that waited for this revision is answered.

Invariants:
1. Revisions are applied in order, each once; the replica's zxid is the last one, foreign keys' revisions included.
2. An event is queued before any answer that shows its change.
"""

from __future__ import annotations

import asyncio
from typing import Final, final

import structlog

from zkbridge.backend.interface import NO_EVENTS, REFUSED_NO_SPACE, RevisionSink, StoreEvent, WriteToken
from zkbridge.commit.ordered import OrderedCommitter
from zkbridge.keyspace.changes import changes_from_events, unsettled_parents
from zkbridge.keyspace.keys import Keyspace
from zkbridge.keyspace.zxid import zxid_of
from zkbridge.plan.plan import Plan
from zkbridge.protocol import opcodes
from zkbridge.server.dispatcher import Dispatcher
from zkbridge.server.listener import Listener
from zkbridge.server.session_keeper import SessionKeeper
from zkbridge.server.statistics import ServerStatistics
from zkbridge.tree.replica import Replica
from zkbridge.types import hex_of
from zkbridge.watches.table import WatchTable

_log = structlog.get_logger()

CURE_FOREIGN_WRITE: Final = (
    "an etcd client wrote below the bridge's prefix: set or delete that znode by a ZooKeeper client, or mend the key"
)
CURE_NO_SPACE: Final = "free some space there: writes and new sessions are taken again by themselves; reads go on"


@final
class RevisionFeed(RevisionSink):
    """What the store tells, handed on."""

    def __init__(
        self,
        replica: Replica,
        watches: WatchTable,
        committer: OrderedCommitter,
        dispatcher: Dispatcher,
        keeper: SessionKeeper,
        keyspace: Keyspace,
        listener: Listener,
        statistics: ServerStatistics,
    ) -> None:
        self._replica: Final = replica
        self._watches: Final = watches
        self._committer: Final = committer
        self._dispatcher: Final = dispatcher
        self._keeper: Final = keeper
        self._keyspace: Final = keyspace
        self._listener: Final = listener
        self._statistics: Final = statistics
        self._held: list[tuple[int, list[StoreEvent]]] | None = []
        self._writer: Final = asyncio.Event()
        self._has_lost_take_over = False
        self._is_ending = False
        self._decided: asyncio.Event | None = None

    def loaded(self) -> None:
        """The replica is whole: what was held back meanwhile follows."""
        held, self._held = self._held, None
        for revision, events in held or []:
            self.revision_applied(revision, events, None)

    def revision_applied(self, revision: int, events: list[StoreEvent], token: WriteToken | None) -> None:
        if isinstance(token, Plan):
            changes = token.changes
            self._replica.apply(revision, changes)
            self._watches.fire(changes, self._replica, zxid_of(revision))
            self._committer.plan_applied(token)
            self._statistics.note_changes(changes)
            if token.opcode <= opcodes.CREATE_SESSION:
                self._keeper.changes_applied(changes)
            self._dispatcher.plan_applied(token)
            return
        if self._held is not None:
            self._held.append((revision, events))
            return
        if token is None and events is not NO_EVENTS and events:
            strange: list[str] = []
            changes = changes_from_events(events, self._replica, self._keyspace, strange)
            for reason in strange:
                _log.error("foreign_write_ignored", reason=reason, revision=revision, cure=CURE_FOREIGN_WRITE)
            unsettled = unsettled_parents(changes, self._replica)
            self._replica.apply(revision, changes)
            self._watches.fire(changes, self._replica, zxid_of(revision))
            self._statistics.note_changes(changes)
            self._keeper.changes_applied(changes)
            self._keeper.settle_later(unsettled)
            return
        self._replica.apply(revision, [])
        if token is not None and self._committer.fence_taken(token, revision):
            self._writer.set()
            _log.info("writer_took_over", revision=revision)
            self._dispatcher.wake_riders()

    def write_refused(self, token: WriteToken, reason: str, revision: int) -> None:
        assert isinstance(token, Plan), "the take-over has no compares and can't be refused"
        _log.warning("write_refused", reason=reason, session_id=hex_of(token.session_id), op=token.opcode)
        self._committer.plan_refused(token, reason, revision)
        self._listener.flush_dirty()

    def write_dropped(self, token: WriteToken, reason: str, is_decided: bool) -> None:
        if isinstance(token, Plan):
            self._committer.plan_dropped(token, reason, is_decided)
            self._listener.flush_dirty()
        else:
            self._has_lost_take_over = True
            self._writer.set()

    async def wait_writer(self) -> bool:
        """Returns once it is known whether this bridge holds the fence; False if the take-over was dropped."""
        await self._writer.wait()
        if self._has_lost_take_over:
            self._has_lost_take_over = False
            self._writer.clear()
            return False
        return True

    def ending(self) -> None:
        """That the store takes no more writes is what was asked for from now on."""
        self._is_ending = True

    async def wait_decided(self) -> None:
        """Returns once no write is in flight."""
        self._decided = asyncio.Event()
        self._note_decided()
        await self._decided.wait()

    def _note_decided(self) -> None:
        if self._decided is not None and self._committer.in_flight_count == 0:
            self._decided.set()

    def batch_applied(self) -> None:
        self._listener.flush_dirty()
        self._note_decided()

    def leases_expired(self, lease_ids: list[int]) -> list[int]:
        return self._keeper.leases_expired(lease_ids)

    def write_state_changed(self, reason: str | None) -> None:
        if reason is None:
            _log.warning("writes_resumed")
        elif not self._is_ending:
            cure = CURE_NO_SPACE if reason == REFUSED_NO_SPACE else "the log says why; reads go on until the end"
            _log.error("writes_refused", reason=reason, cure=cure)
        self._dispatcher.write_state_changed(reason)

    def backend_failed(self, error: BaseException) -> None:
        _log.error("backend_failed", error=repr(error))
