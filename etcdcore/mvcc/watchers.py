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
from etcdcore.mvcc.watch_groups import WatchGroup, WatchGroups
from etcdcore.mvcc.watch_outlet import WatchOutlet
from etcdcore.mvcc.watch_stream import (
    FORM_NO_DELETE,
    FORM_NO_PUT,
    FORM_PREV_KV,
    INVALID_WATCH_ID,
    Watcher,
    WatchResponse,
    WatchStream,
)
from etcdcore.types import KeyEvent

WATCHERS_PER_ROUND_MAX: Final = 512
REVISIONS_PER_ROUND_MAX: Final = 1000
BYTES_PER_ROUND_MAX: Final = 8 << 20
"""Of history read in one round, and the revision in which that is reached."""

EMPTY_RANGE: Final = "mvcc: watcher range is empty"
DUPLICATE_ID: Final = "mvcc: duplicate watch ID provided on the WatchStream"


@final
class WatchHub:
    """Owned by the store's owner. `notify` follows each apply; `catch_up` is called while `unsynced_count` is not 0."""

    __slots__ = ("_store", "_streams", "_synced", "_unsynced", "event_count", "watcher_count")

    def __init__(self, store: Store) -> None:
        self._store = store
        self._synced: Final = WatchGroups()
        self.watcher_count = 0
        self._streams: Final[dict[WatchStream, None]] = {}
        self.event_count = 0
        """Events told to watchers so far, each as often as it was told."""
        self._unsynced: Final[dict[Watcher, None]] = {}

    @property
    def unsynced_count(self) -> int:
        return len(self._unsynced)

    @property
    def stream_count(self) -> int:
        return len(self._streams)

    def count_pending(self) -> int:
        """Events that wait in outboxes to be sent."""
        return sum(stream.pending_event_count() for stream in self._streams)

    def open_stream(self, outlet: WatchOutlet) -> WatchStream:
        stream = WatchStream(outlet)
        self._streams[stream] = None
        return stream

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
        can_fragment: bool = False,
    ) -> Watcher | None:
        """A new watcher; its created response is the first it sends. None when refused, and the response says why."""
        current = self._store.current_revision
        key = key or b"\0"
        reason = ""
        if start_revision < 0:
            reason = RevisionCompacted.text
        elif range_end and range_end != OPEN_END and key >= range_end:
            reason = EMPTY_RANGE
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
        form = (FORM_NO_PUT if no_put else 0) | (FORM_NO_DELETE if no_delete else 0) | (FORM_PREV_KV if prev_kv else 0)
        watcher = Watcher(stream, watch_id, key, end, first, form, progress_notify, can_fragment)
        stream.watchers[watch_id] = watcher
        self.watcher_count += 1
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
        self._streams.pop(stream, None)
        for watcher in list(stream.watchers.values()):
            self._forget(watcher)

    def _forget(self, watcher: Watcher) -> None:
        del watcher.stream.watchers[watcher.watch_id]
        self.watcher_count -= 1
        if watcher.is_synced:
            self._remove_synced(watcher)
        else:
            del self._unsynced[watcher]

    def _add_synced(self, watcher: Watcher) -> None:
        watcher.is_synced = True
        self._synced.add(watcher)

    def _remove_synced(self, watcher: Watcher) -> None:
        watcher.is_synced = False
        self._synced.remove(watcher)

    # Telling.

    def notify(self, revision: int, events: list[KeyEvent]) -> None:
        """One revision was applied: tells the synced watchers."""
        synced = self._synced
        if synced.is_empty:
            return
        touched: list[WatchGroup] = []
        for event in events:
            synced.collect(event, touched)
        for group in touched:
            told, group.events = group.events, []
            self._tell_group(group, revision, told)

    def _tell_group(self, group: WatchGroup, revision: int, events: list[KeyEvent]) -> None:
        """Each form of the events is made once, and its list shared by all who want it."""
        by_form: list[list[KeyEvent] | None] = [None] * 8
        bytes_by_form = [0] * 8
        behind: list[Watcher] = []
        for watcher in group.watchers:
            if watcher.next_revision > revision:
                continue
            form = watcher.form
            wanted = by_form[form]
            if wanted is None:
                wanted = by_form[form] = self._in_form(events, form)
                bytes_by_form[form] = _event_bytes(wanted)
            if not wanted:
                continue
            if watcher.stream.is_full:
                behind.append(watcher)
            else:
                self._tell(watcher, revision, wanted, bytes_by_form[form])
        for watcher in behind:
            self._remove_synced(watcher)
            watcher.next_revision = revision
            self._unsynced[watcher] = None

    def _in_form(self, events: list[KeyEvent], form: int) -> list[KeyEvent]:
        """New events where they differ: the ones given belong to other watchers too. A DELETE is any kind but 0."""
        if form == 0:
            return events
        formed: list[KeyEvent] = []
        for event in events:
            if form & (FORM_NO_DELETE if event.kind else FORM_NO_PUT):
                continue
            formed.append(self._with_former(event) if form & FORM_PREV_KV else event)
        return formed

    def _tell(self, watcher: Watcher, revision: int, events: list[KeyEvent], event_bytes: int) -> None:
        watcher.sent_since_progress = True
        self.event_count += len(events)
        watcher.stream.send(
            WatchResponse(watcher.watch_id, revision, events, False, False, 0, "", event_bytes, watcher.can_fragment)
        )

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
        revisions, following = store.read_history(first, REVISIONS_PER_ROUND_MAX, BYTES_PER_ROUND_MAX)
        current = store.current_revision
        for watcher in readers:
            wanted = [
                event
                for events in revisions
                if events[0].kv.mod_revision >= watcher.next_revision
                for event in events
                if watcher.covers(event.kv.key)
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
            wanted = self._in_form(wanted, watcher.form)
            if wanted:
                self._tell(watcher, current, wanted, _event_bytes(wanted))
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
        for watcher in self._synced.all():
            self._remove_synced(watcher)
            watcher.next_revision = max(watcher.next_revision, told_to + 1)
            self._unsynced[watcher] = None

    def check_invariants(self) -> None:
        self._synced.check_invariants()
        synced = self._synced.all()
        assert all(watcher.is_synced for watcher in synced)
        assert not any(watcher.is_synced for watcher in self._unsynced)
        assert self.watcher_count == len(synced) + len(self._unsynced)
        for watcher in [*synced, *self._unsynced]:
            assert watcher.stream.watchers[watcher.watch_id] is watcher


def _event_bytes(events: list[KeyEvent]) -> int:
    size = 0
    for event in events:
        size += len(event.kv.key) + len(event.kv.value)
        if event.prev_kv is not None:
            size += len(event.prev_kv.value)
    return size
