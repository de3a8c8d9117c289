"""The promises of watches, each by its name, against the replayed history.

| promise | what it says |
|---|---|
| ordered | revisions never fall along a watch |
| unique | no event comes twice |
| atomic | all events of one revision that a watch wants come together |
| reliable | none is left out between two that were delivered, nor below a progress response |
| resumable | a watch begins exactly at the revision that it asked for |
| bookmarkable | after a progress response nothing comes that is at or below its revision |
| filter | only events of the interval, and of the kinds, that were asked for |
| previous | the pair before is what was there before; none only if what was there is compacted |
| create | an event is a creation exactly when there was no key |
| contents | key, value, version, lease and revisions are what was written |

Source: etcd tests/robustness, the watch API's guarantees in etcd's documentation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from integration.etcd.guarantees.history import Compaction, Event, Violation, WatchRecord
from integration.etcd.guarantees.replay import Replay


def check_watches(
    watches: Sequence[WatchRecord], truth: Replay, compactions: Sequence[Compaction] = ()
) -> list[Violation]:
    found: list[Violation] = []
    for watch in watches:
        for promise, text in _check(watch, truth, compactions):
            name = f"watch of {watch.key!r}..{watch.range_end!r} from {watch.first_revision}"
            found.append(Violation(promise, f"{name}: {text}"))
    return found


def _check(watch: WatchRecord, truth: Replay, compactions: Sequence[Compaction]) -> Iterator[tuple[str, str]]:
    yield from _check_order(watch)
    yield from _check_completeness(watch, truth)
    for delivery in watch.deliveries:
        compacted = max((done.revision for done in compactions if done.called <= delivery.received), default=0)
        for event in delivery.events:
            yield from _check_event(watch, event, truth, compacted)


def _check_order(watch: WatchRecord) -> Iterator[tuple[str, str]]:
    last = 0
    bookmark = 0
    seen: set[tuple[bytes, int]] = set()
    ended_revision = 0
    """The last revision of the delivery before, which was not a fragment: it is complete."""
    for delivery in watch.deliveries:
        if delivery.compact_revision:
            if delivery.compact_revision <= watch.first_revision:
                yield "resumable", f"cancelled for compaction at {delivery.compact_revision}"
            continue
        if not delivery.events:
            if delivery.revision < last:
                yield "bookmarkable", f"progress {delivery.revision} after an event of {last}"
            bookmark = max(bookmark, delivery.revision)
            continue
        for event in delivery.events:
            revision = event.pair.mod_revision
            if revision < watch.first_revision:
                yield "resumable", f"event of {revision}"
            if revision < last:
                yield "ordered", f"event of {revision} after one of {last}"
            if revision <= bookmark:
                yield "bookmarkable", f"event of {revision} after progress {bookmark}"
            if (event.pair.key, revision) in seen:
                yield "unique", f"{event.pair.key!r} of {revision} twice"
            elif revision == ended_revision:
                yield "atomic", f"revision {revision} in two responses"
            if revision > delivery.revision:
                yield "ordered", f"event of {revision} in a response at {delivery.revision}"
            seen.add((event.pair.key, revision))
            last = max(last, revision)
        ended_revision = 0 if delivery.is_fragment else last


def _check_completeness(watch: WatchRecord, truth: Replay) -> Iterator[tuple[str, str]]:
    """Everything wanted between the first revision and the last that was reached must be there."""
    delivered: set[tuple[bytes, int]] = set()
    reached = 0
    of_reached: list[bytes] = []
    for delivery in watch.deliveries:
        if delivery.compact_revision:
            continue
        for event in delivery.events:
            revision = event.pair.mod_revision
            delivered.add((event.pair.key, revision))
            reached = max(reached, revision)
        if not delivery.events:
            reached = max(reached, delivery.revision)
    first_delivered = min((revision for _, revision in delivered), default=reached + 1)
    for revision in range(max(watch.first_revision, truth.first_revision), min(reached, truth.last_revision) + 1):
        wanted = [event.pair.key for event in truth.events.get(revision, ()) if watch.wants(event)]
        of_reached = [key for key in wanted if (key, revision) not in delivered]
        if not of_reached:
            continue
        if len(of_reached) < len(wanted):
            yield "atomic", f"of revision {revision} {of_reached} are missing"
        elif revision < first_delivered and first_delivered <= reached:
            yield "resumable", f"revision {revision} is missing at the beginning"
        else:
            yield "reliable", f"revision {revision} is missing"


def _check_event(watch: WatchRecord, event: Event, truth: Replay, compacted: int) -> Iterator[tuple[str, str]]:
    key, revision = event.pair.key, event.pair.mod_revision
    if not watch.wants(event):
        yield "filter", f"{'deletion' if event.is_delete else 'put'} of {key!r} at {revision}"
        return
    if revision < truth.first_revision:
        return
    for written in truth.events.get(revision, ()):
        if written.pair.key == key:
            break
    else:
        yield "contents", f"{key!r} was not changed at {revision}"
        return
    if event.is_delete != written.is_delete or event.pair != written.pair:
        yield "contents", f"delivered {event.pair}, written {written.pair}"
    if event.is_create != written.is_create:
        yield "create", f"{key!r} at {revision} {'is' if written.is_create else 'is no'} creation"
    is_previous_compacted = event.previous is None and revision <= compacted
    if watch.with_previous and event.previous != written.previous and not is_previous_compacted:
        yield "previous", f"{key!r} at {revision}: delivered {event.previous}, there was {written.previous}"
