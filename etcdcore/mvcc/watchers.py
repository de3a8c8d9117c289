"""The watch hub: tells every watcher of every change that it asked for, in order, once, revision by revision.

A watcher is synced (has been told of all revisions up to the present, is told within the apply of the next) or unsynced
(reads history from the store, in rounds that the shell drives). A full outbox makes a synced watcher unsynced: a slow
client never holds others up, nor fills the memory. Differs from etcd: no "victims" in between, history serves them too.

Invariants:
1. All events of a revision that a watcher wants are in one response.
2. No watcher is told of a revision twice, or of r before all those below r that it wants.
3. A watcher whose next revision is compacted is canceled with the compacted revision, never passed over in silence.

Source: etcd server/storage/mvcc/watchable_store.go, reference section 2.7.
"""

from typing import Final, final

from etcdcore.errors import RevisionCompacted
from etcdcore.mvcc.store import OPEN_END, Store
from etcdcore.mvcc.watch_outlet import WatchOutlet
from etcdcore.mvcc.watch_stream import INVALID_WATCH_ID, Watcher, WatchResponse, WatchStream
from etcdcore.types import KeyEvent

WATCHERS_PER_ROUND_MAX: Final = 512
REVISIONS_PER_ROUND_MAX: Final = 1000

EMPTY_RANGE: Final = "mvcc: watcher range is empty"
DUPLICATE_ID: Final = "mvcc: duplicate watch ID provided on the WatchStream"


@final
class WatchHub:
    """Owned by the store's owner. `notify` follows each apply; `catch_up` is called while `unsynced_count` is not 0."""

    __slots__ = ("_by_key", "_ranges", "_store", "_unsynced")

    def __init__(self, store: Store) -> None:
        self._store = store
        self._by_key: Final[dict[bytes, dict[Watcher, None]]] = {}
        self._ranges: Final[dict[Watcher, None]] = {}
        self._unsynced: Final[dict[Watcher, None]] = {}

    @property
    def unsynced_count(self) -> int:
        return len(self._unsynced)

    def open_stream(self, outlet: WatchOutlet) -> WatchStream:
        return WatchStream(outlet)

    def create(
        self,
        stream: WatchStream,
        key: bytes,
        range_end: bytes = b"",
        start_revision: int = 0,
        watch_id: int = 0,
        no_put: bool = False,
        no_delete: bool = False,
        prev_kv: bool = False,
        progress_notify: bool = False,
    ) -> Watcher | None:
        """A new watcher; its created response is the first it sends. None when refused, and the response says why."""
        current = self._store.current_revision
        key = key or b"\0"
        reason = ""
        if range_end and range_end != OPEN_END and key >= range_end:
            reason = EMPTY_RANGE
        elif start_revision < 0:
            reason = RevisionCompacted.text
        elif watch_id and watch_id in stream.watchers:
            reason = DUPLICATE_ID
        if reason:
            stream.send(WatchResponse(INVALID_WATCH_ID, current, [], created=True, canceled=True, reason=reason))
            return None
        if not watch_id:
            while stream.next_id in stream.watchers:
                stream.next_id += 1
            watch_id = stream.next_id
            stream.next_id += 1
        end = None if range_end == OPEN_END else range_end
        first = start_revision or current + 1
        watcher = Watcher(stream, watch_id, key, end, first, no_put, no_delete, prev_kv, progress_notify)
        stream.watchers[watch_id] = watcher
        stream.send(WatchResponse(watch_id, current, [], created=True))
        if first > current:
            self._add_synced(watcher)
        else:
            self._unsynced[watcher] = None
        return watcher

    def cancel(self, stream: WatchStream, watch_id: int) -> None:
        """At the client's wish; an unknown id is passed over in silence."""
        watcher = stream.watchers.get(watch_id)
        if watcher is not None:
            self._forget(watcher)
            stream.send(WatchResponse(watch_id, self._store.current_revision, [], canceled=True))

    def close_stream(self, stream: WatchStream) -> None:
        for watcher in list(stream.watchers.values()):
            self._forget(watcher)

    def _forget(self, watcher: Watcher) -> None:
        del watcher.stream.watchers[watcher.watch_id]
        if watcher.is_synced:
            self._remove_synced(watcher)
        else:
            del self._unsynced[watcher]

    def _add_synced(self, watcher: Watcher) -> None:
        watcher.is_synced = True
        if watcher.end == b"":
            self._by_key.setdefault(watcher.key, {})[watcher] = None
        else:
            self._ranges[watcher] = None

    def _remove_synced(self, watcher: Watcher) -> None:
        watcher.is_synced = False
        if watcher.end == b"":
            group = self._by_key[watcher.key]
            del group[watcher]
            if not group:
                del self._by_key[watcher.key]
        else:
            del self._ranges[watcher]

    # Telling.

    def notify(self, revision: int, events: list[KeyEvent]) -> None:
        """One revision was applied: tells the synced watchers."""
        if not self._by_key and not self._ranges:
            return
        told: dict[Watcher, list[KeyEvent]] = {}
        for event in events:
            key = event.kv.key
            group = self._by_key.get(key)
            if group is not None:
                for watcher in group:
                    if watcher.next_revision <= revision and watcher.wants(event):
                        told.setdefault(watcher, []).append(event)
            for watcher in self._ranges:
                if watcher.covers(key) and watcher.next_revision <= revision and watcher.wants(event):
                    told.setdefault(watcher, []).append(event)
        for watcher, wanted in told.items():
            if watcher.stream.is_full:
                self._remove_synced(watcher)
                watcher.next_revision = revision
                self._unsynced[watcher] = None
            else:
                self._tell(watcher, revision, wanted)

    def _tell(self, watcher: Watcher, revision: int, events: list[KeyEvent]) -> None:
        if watcher.prev_kv:
            # New events: the ones given belong to other watchers too.
            events = [self._with_former(event) for event in events]
        watcher.sent_since_progress = True
        watcher.stream.send(WatchResponse(watcher.watch_id, revision, events))

    def _with_former(self, event: KeyEvent) -> KeyEvent:
        pair = event.kv
        if not event.kind and pair.version == 1:
            return event
        return KeyEvent(event.kind, pair, self._store.key_at(pair.key, pair.mod_revision - 1))

    def catch_up(self) -> bool:
        """One round: a bounded number of unsynced watchers gets a bounded piece of history. True: go on at once.

        False when nobody is behind, or all who are wait for their client to read.
        """
        store = self._store
        round_watchers: list[Watcher] = []
        for watcher in self._unsynced:
            if not watcher.stream.is_full:
                round_watchers.append(watcher)
                if len(round_watchers) == WATCHERS_PER_ROUND_MAX:
                    break
        readers: list[Watcher] = []
        for watcher in round_watchers:
            if watcher.next_revision < store.compacted_revision:
                self._cancel_compacted(watcher)
            else:
                readers.append(watcher)
        if not readers:
            return bool(round_watchers)
        first = min(watcher.next_revision for watcher in readers)
        revisions, following = store.read_history(first, REVISIONS_PER_ROUND_MAX)
        current = store.current_revision
        for watcher in readers:
            wanted = [
                event
                for events in revisions
                if events[0].kv.mod_revision >= watcher.next_revision
                for event in events
                if watcher.covers(event.kv.key) and watcher.wants(event)
            ]
            # A store that was rolled back may be behind what the watcher has been told: it is not told again.
            watcher.next_revision = max(watcher.next_revision, following)
            # Whoever is not done goes to the end of the queue, so that every round serves others.
            del self._unsynced[watcher]
            if following > current:
                self._add_synced(watcher)
            else:
                self._unsynced[watcher] = None
            # The stream may have been filled by another of its watchers in this round: one response past the bound for
            # each watcher is accepted, since the watchers of a round are bounded too.
            if wanted:
                self._tell(watcher, current, wanted)
        return bool(self._unsynced)

    def _cancel_compacted(self, watcher: Watcher) -> None:
        self._forget(watcher)
        compacted = self._store.compacted_revision
        # etcd leaves the header's revision 0 in this one response.
        watcher.stream.send(WatchResponse(watcher.watch_id, 0, [], canceled=True, compact_revision=compacted))

    def request_progress(self, stream: WatchStream) -> bool:
        """Answers a progress request with one response for the stream if all its watchers are synced, else drops it."""
        current = self._store.current_revision
        if not stream.watchers or stream.is_full:
            return False
        for watcher in stream.watchers.values():
            if not watcher.is_synced or watcher.next_revision > current + 1:
                return False
        stream.send(WatchResponse(INVALID_WATCH_ID, current, []))
        return True

    def notify_progress(self, stream: WatchStream) -> None:
        """The progress interval is over: every synced watcher that wants it and was sent nothing meanwhile is told."""
        current = self._store.current_revision
        for watcher in stream.watchers.values():
            if not watcher.progress_notify:
                continue
            is_quiet = not watcher.sent_since_progress and watcher.is_synced and watcher.next_revision <= current + 1
            if is_quiet and not stream.is_full:
                stream.send(WatchResponse(watcher.watch_id, current, []))
            watcher.sent_since_progress = False

    def restore(self, store: Store) -> None:
        """Goes on over another store (a snapshot was installed, or the engine was rolled back and the log replayed).

        Synced watchers have been told of everything up to the old store's present, and continue from there.
        """
        told_to = self._store.current_revision
        self._store = store
        for watcher in [watcher for group in self._by_key.values() for watcher in group] + list(self._ranges):
            self._remove_synced(watcher)
            watcher.next_revision = max(watcher.next_revision, told_to + 1)
            self._unsynced[watcher] = None

    def check_invariants(self) -> None:
        synced = [watcher for group in self._by_key.values() for watcher in group] + list(self._ranges)
        assert all(watcher.is_synced for watcher in synced)
        assert not any(watcher.is_synced for watcher in self._unsynced)
        for watcher in [*synced, *self._unsynced]:
            assert watcher.stream.watchers[watcher.watch_id] is watcher
