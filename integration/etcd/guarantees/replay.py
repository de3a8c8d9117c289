"""The order in which everything happened: every revision with its events, from what clients were told.

A revision that an operation was answered with is that operation's. One that nobody was answered with must be an
operation of unknown result: which one, the events say that watches delivered of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from integration.etcd.guarantees.history import (
    Delete,
    Event,
    Exchange,
    Get,
    Operation,
    Pair,
    PutAll,
    Request,
    Result,
    Revoke,
    Violation,
    WatchRecord,
)


@dataclass(slots=True)
class Replay:
    """`events` by revision, with what was there before each; `violations` of answers that fit no order.

    `settled`: the operations, those of unknown result with the revision that was found to be theirs, or left out.
    """

    first_revision: int
    last_revision: int
    events: dict[int, tuple[Event, ...]] = field(default_factory=dict)
    violations: list[Violation] = field(default_factory=list)
    settled: list[Operation] = field(default_factory=list)


def replay(operations: Sequence[Operation], watches: Sequence[WatchRecord], state: dict[bytes, Pair]) -> Replay:
    """`state`: what was there before the first operation, all of it below the first revision that one made."""
    answered: dict[int, Operation] = {}
    unknown: list[Operation] = []
    violations: list[Violation] = []
    settled: list[Operation] = []
    for operation in sorted(operations, key=lambda operation: operation.called):
        is_told = operation.result is not None and not isinstance(operation.request, Revoke)
        if not is_told and not isinstance(operation.request, Get):
            unknown.append(operation)
        if operation.result is None:
            continue
        settled.append(operation)
        if operation.result.has_changed:
            revision = operation.result.revision
            if revision in answered:
                violations.append(
                    Violation("revisions", f"{operation} and {answered[revision]} were answered with one revision")
                )
            answered[revision] = operation
    observed = _observed(watches)
    revisions = sorted(set(answered) | set(observed))
    if not revisions:
        return Replay(1, 0, {}, violations, settled)
    done = Replay(revisions[0], revisions[-1], {}, violations, settled)
    now = dict(state)
    for revision in range(revisions[0], revisions[-1] + 1):
        if revision in answered:
            changes = _changes(answered[revision].request, now)
            if not changes:
                violations.append(Violation("revisions", f"{answered[revision]} changes nothing in its place"))
        elif revision in observed:
            changes = observed[revision]
            owner = _take_unknown(unknown, changes, revision, now)
            if owner is None:
                violations.append(Violation("reliable", f"revision {revision} with {changes} is of no operation"))
            elif owner.result is None:
                settled.append(replace(owner, result=Result(revision, not isinstance(owner.request, Revoke))))
        else:
            violations.append(
                Violation("reliable", f"revision {revision} was answered to nobody and delivered by no watch")
            )
            continue
        done.events[revision] = tuple(_apply(change, revision, now) for change in changes)
    return done


_Change = tuple[bytes, bytes | None, int]
"""Key, value (None: deleted), lease."""


def _changes(request: Request, now: dict[bytes, Pair]) -> list[_Change]:
    if isinstance(request, PutAll):
        return [(key, value, request.lease) for key, value in request.pairs]
    if isinstance(request, Delete):
        return [(request.key, None, 0)] if request.key in now else []
    if isinstance(request, Exchange):
        before = now.get(request.key)
        if request.expected_revision != (0 if before is None else before.mod_revision):
            return []
        if request.value is not None:
            return [(request.key, request.value, 0)]
        return [(request.key, None, 0)] if request.key in now else []
    if isinstance(request, Revoke):
        return [(key, None, 0) for key in sorted(key for key, pair in now.items() if pair.lease == request.lease)]
    return []


def _apply(change: _Change, revision: int, now: dict[bytes, Pair]) -> Event:
    key, value, lease = change
    before = now.get(key)
    if value is None:
        now.pop(key, None)
        return Event(True, Pair(key, b"", 0, revision, 0), before, False)
    if before is None:
        pair = Pair(key, value, revision, revision, 1, lease)
    else:
        pair = Pair(key, value, before.create_revision, revision, before.version + 1, lease)
    now[key] = pair
    return Event(False, pair, before, before is None)


def _observed(watches: Sequence[WatchRecord]) -> dict[int, list[_Change]]:
    """What the watch that saw most of a revision saw of it, in its order."""
    found: dict[int, list[_Change]] = {}
    for watch in watches:
        of_watch: dict[int, list[_Change]] = {}
        for delivery in watch.deliveries:
            for event in delivery.events:
                pair = event.pair
                change = (pair.key, None if event.is_delete else pair.value, pair.lease)
                changes = of_watch.setdefault(pair.mod_revision, [])
                # Delivered twice is for the checks of watches to find.
                if change not in changes:
                    changes.append(change)
        for revision, changes in of_watch.items():
            if len(changes) > len(found.get(revision, ())):
                found[revision] = changes
    return found


def _take_unknown(
    unknown: list[Operation], changes: list[_Change], revision: int, now: dict[bytes, Pair]
) -> Operation | None:
    """The first called of those that could have made these changes: all that could are alike but for their times."""
    for position, operation in enumerate(unknown):
        if operation.result is not None and operation.result.revision < revision:
            continue
        if _changes(operation.request, now) == changes:
            return unknown.pop(position)
    return None
