"""Bugs that the simulator must find: each is planted by patching a method of the product for the time of a run.

They are the worst that a store and a bridge can have. That every one is found is what makes a run without findings
mean something.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from unittest.mock import patch

from etcdcore.member.checkpoint import Checkpoints
from etcdcore.member.driver import Driver
from etcdcore.raft.messages import SnapshotMeta
from etcdcore.raft.raw_node import Ready
from etcdcore.storage.wal import WalGroup
from etcdcore.storage.wal_writer import WalWriter
from zkbridge.backend.embedded import EmbeddedBackend
from zkbridge.errors import OK
from zkbridge.server import read_requests
from zkbridge.server.feed import RevisionFeed
from zkbridge.sessions.table import SessionTable
from zkbridge.tree.overlay import Overlay
from zkbridge.watches.table import WatchTable


@contextmanager
def answer_before_the_sync() -> Iterator[None]:
    """The log's thread reports a group before it writes it."""
    persist = WalWriter._persist

    def hasty(self: WalWriter, group: WalGroup) -> None:
        if group.token is not None:
            self._loop.call_soon_threadsafe(self._on_durable, group.token)
        persist(self, group)

    with patch.object(WalWriter, "_persist", hasty):
        yield


@contextmanager
def apply_before_commit() -> Iterator[None]:
    """Entries count as persisted in the moment in which they are given to the log."""
    perform = Driver._perform

    def eager(self: Driver, ready: Ready) -> None:
        perform(self, ready)
        if ready.entries:
            self.raft.persisted(ready.entries[-1].index, ready.entries[-1].term)

    with patch.object(Driver, "_perform", eager):
        yield


@contextmanager
def event_after_the_answer() -> Iterator[None]:
    """Watches fire only when the answers of their revision have been queued."""
    applied = RevisionFeed.revision_applied
    fire = WatchTable.fire

    def late(self: RevisionFeed, revision: int, events: Any, token: Any) -> None:
        held: list[tuple[Any, ...]] = []
        with patch.object(WatchTable, "fire", lambda table, *arguments: held.append((table, *arguments))):
            applied(self, revision, events, token)
        for arguments in held:
            fire(*arguments)

    with patch.object(RevisionFeed, "revision_applied", late):
        yield


@contextmanager
def ephemeral_left_behind() -> Iterator[None]:
    """The end of a session forgets the ephemerals that are still in flight, and its lease, which would take them."""
    ephemerals = Overlay.ephemerals_of

    def some(self: Overlay, session_id: int) -> Any:
        return [path for path in ephemerals(self, session_id) if not self.is_pending(path)]

    with (
        patch.object(Overlay, "ephemerals_of", some),
        patch.object(EmbeddedBackend, "revoke_lease", lambda self, lease_id: None),
    ):
        yield


@contextmanager
def unsynced_page_believed() -> Iterator[None]:
    """A checkpoint does not sync the engine, and the log is cut below what it has not on the disk."""

    def marks_only(self: Checkpoints, meta: SnapshotMeta) -> bool:
        self._parts.snapshots.save(meta)
        return True

    with patch.object(Checkpoints, "_sync_engine", marks_only):
        yield


@contextmanager
def lease_renewed_by_a_dead_connection() -> Iterator[None]:
    """A session that nobody speaks for any more is taken for heard with every tick."""
    expired = SessionTable.expired

    def never(self: SessionTable, now_ms: int) -> Any:
        for session in expired(self, now_ms):
            self.touch(session, now_ms)
        return []

    with patch.object(SessionTable, "expired", never):
        yield


@contextmanager
def watch_lost_at_reattach() -> Iterator[None]:
    """setWatches is answered and sets nothing."""
    with patch.object(read_requests, "resume_watches", lambda *arguments: OK):
        yield


PLANTED: Final = {
    "answer before the sync": answer_before_the_sync,
    "apply before commit": apply_before_commit,
    "event after the answer": event_after_the_answer,
    "ephemeral left behind": ephemeral_left_behind,
    "unsynced page believed": unsynced_page_believed,
    "lease renewed by a dead connection": lease_renewed_by_a_dead_connection,
    "watch lost at reattach": watch_lost_at_reattach,
}
