"""The checkers are worth what they find: each kind of violation, in an otherwise clean history, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from integration.etcd.guarantees.history import (
    NEVER,
    OPEN_END,
    Compaction,
    Delete,
    Delivery,
    Event,
    Exchange,
    Get,
    Operation,
    Pair,
    PutAll,
    Request,
    Result,
    Revoke,
    WatchRecord,
)
from integration.etcd.guarantees.linearizability import check_keys, check_revisions, is_linearizable
from integration.etcd.guarantees.replay import Replay, replay
from integration.etcd.guarantees.watch_checks import check_watches


def did(request: Request, called: int, returned: int, revision: int, changed: bool = True) -> Operation:
    return Operation(request, called, returned, Result(revision, changed))


def got(key: bytes, called: int, returned: int, revision: int, pair: Pair | None) -> Operation:
    return Operation(Get(key), called, returned, Result(revision, False, pair))


def put(key: bytes, value: bytes, lease: int = 0) -> PutAll:
    return PutAll(((key, value),), lease)


def clean_operations() -> list[Operation]:
    """a put at 2, a and b at 3 in one transaction, b deleted at 4, a put at 5 on a lease, gone with it at 6."""
    return [
        did(put(b"a", b"1"), 0, 1, 2),
        did(PutAll(((b"a", b"2"), (b"b", b"3"))), 2, 3, 3),
        did(Delete(b"b"), 4, 5, 4),
        did(put(b"a", b"4", lease=7), 6, 7, 5),
        did(Revoke(7), 8, 9, 6, changed=False),
    ]


def events_of(operations: list[Operation]) -> dict[int, tuple[Event, ...]]:
    # The revocation's revision is told by watches only.
    gone = Event(True, Pair(b"a", b"", 0, 6, 0), None, False)
    teller = WatchRecord(b"a", OPEN_END, 6, False, deliveries=[Delivery(6, (gone,))])
    truth = replay(operations, [teller], {})
    assert not truth.violations
    return truth.events


def clean_watch() -> tuple[WatchRecord, Replay]:
    """Of everything, with what was there before; progress between 4 and 5, and at the end."""
    events = events_of(clean_operations())
    deliveries = [Delivery(3, events[2]), Delivery(3, events[3]), Delivery(4, events[4]), Delivery(4)]
    deliveries += [Delivery(6, events[5] + events[6]), Delivery(6)]
    watch = WatchRecord(b"a", OPEN_END, 2, True, deliveries=deliveries)
    return watch, Replay(2, 6, events)


def promises(watch: WatchRecord, truth: Replay) -> set[str]:
    return {violation.promise for violation in check_watches([watch], truth)}


def test_a_clean_history_has_no_violation() -> None:
    watch, truth = clean_watch()
    assert promises(watch, truth) == set()
    assert replay(clean_operations(), [watch], {}).violations == []
    assert check_keys(clean_operations(), {}) == []


def test_the_replay_knows_creations_versions_and_what_was_before() -> None:
    events = events_of(clean_operations())
    assert events[3] == (
        Event(False, Pair(b"a", b"2", 2, 3, 2), Pair(b"a", b"1", 2, 2, 1), False),
        Event(False, Pair(b"b", b"3", 3, 3, 1), None, True),
    )
    assert events[6] == (Event(True, Pair(b"a", b"", 0, 6, 0), Pair(b"a", b"4", 2, 5, 3, 7), False),)


def test_events_out_of_order_are_found() -> None:
    watch, truth = clean_watch()
    watch.deliveries[0], watch.deliveries[1] = watch.deliveries[1], watch.deliveries[0]
    assert promises(watch, truth) == {"ordered"}


def test_an_event_ahead_of_its_header_is_found() -> None:
    watch, truth = clean_watch()
    watch.deliveries[2] = replace(watch.deliveries[2], revision=3)
    assert promises(watch, truth) == {"ordered"}


def test_an_event_that_comes_twice_is_found() -> None:
    watch, truth = clean_watch()
    watch.deliveries.insert(1, watch.deliveries[0])
    assert promises(watch, truth) == {"unique"}


def test_a_revision_in_two_responses_is_found_unless_they_are_fragments() -> None:
    watch, truth = clean_watch()
    first, second = watch.deliveries[1].events
    watch.deliveries[1:2] = [Delivery(3, (first,)), Delivery(3, (second,))]
    assert promises(watch, truth) == {"atomic"}
    watch.deliveries[1] = replace(watch.deliveries[1], is_fragment=True)
    assert promises(watch, truth) == set()


def test_a_revision_of_which_a_part_is_missing_is_found() -> None:
    watch, truth = clean_watch()
    watch.deliveries[1] = Delivery(3, watch.deliveries[1].events[:1])
    assert promises(watch, truth) == {"atomic"}


def test_a_missing_revision_is_found() -> None:
    watch, truth = clean_watch()
    del watch.deliveries[2]
    assert promises(watch, truth) == {"reliable"}


def test_a_progress_response_that_overtakes_an_event_is_found() -> None:
    """Issue 15220 of etcd. The event that it overtook is late; if it never comes at all it is missing."""
    watch, truth = clean_watch()
    watch.deliveries[3] = Delivery(5)
    assert promises(watch, truth) == {"bookmarkable"}
    del watch.deliveries[4]
    assert promises(watch, truth) == {"reliable"}


def test_a_progress_response_that_goes_back_is_found() -> None:
    """Issue 15271 of etcd: a watch that goes back in time."""
    watch, truth = clean_watch()
    watch.deliveries[3] = Delivery(2)
    assert promises(watch, truth) == {"bookmarkable"}


def test_a_watch_that_begins_too_late_or_too_early_is_found() -> None:
    watch, truth = clean_watch()
    del watch.deliveries[0]
    assert promises(watch, truth) == {"resumable"}
    watch, truth = clean_watch()
    late = replace(watch, first_revision=3)
    assert promises(late, truth) == {"resumable"}


def test_a_cancellation_for_a_compaction_that_is_not_ahead_is_found() -> None:
    watch, truth = clean_watch()
    watch.deliveries.append(Delivery(0, compact_revision=2))
    assert promises(watch, truth) == {"resumable"}


@pytest.mark.parametrize(
    "asked", [{"range_end": b"b"}, {"range_end": b""}, {"key": b"b"}, {"no_puts": True}, {"no_deletes": True}]
)
def test_an_event_that_was_not_asked_for_is_found(asked: dict[str, bytes | bool]) -> None:
    watch, truth = clean_watch()
    assert promises(replace(watch, **asked), truth) == {"filter"}  # type: ignore[arg-type]  # one field each


def damaged(watch: WatchRecord, at: int, **changes: object) -> WatchRecord:
    """The first event of one delivery changed."""
    events = watch.deliveries[at].events
    event = replace(events[0], **changes)  # type: ignore[arg-type]  # the fields of an event
    watch.deliveries[at] = replace(watch.deliveries[at], events=(event, *events[1:]))
    return watch


def test_a_wrong_previous_pair_is_found_where_it_was_asked_for() -> None:
    watch, truth = clean_watch()
    wrong = damaged(watch, 1, previous=Pair(b"a", b"0", 2, 2, 1))
    assert promises(wrong, truth) == {"previous"}
    assert promises(replace(wrong, with_previous=False), truth) == set()


def test_a_previous_pair_may_be_missing_only_once_it_may_be_compacted() -> None:
    watch, truth = clean_watch()
    missing = damaged(watch, 1, previous=None)
    missing.deliveries[1] = replace(missing.deliveries[1], received=10)
    assert {found.promise for found in check_watches([missing], truth, [Compaction(3, 11)])} == {"previous"}
    assert {found.promise for found in check_watches([missing], truth, [Compaction(2, 9)])} == {"previous"}
    assert check_watches([missing], truth, [Compaction(3, 9)]) == []


def test_a_wrong_creation_flag_is_found() -> None:
    watch, truth = clean_watch()
    assert promises(damaged(watch, 0, is_create=False), truth) == {"create"}


@pytest.mark.parametrize("wrong", [{"value": b"x"}, {"version": 9}, {"create_revision": 3}, {"lease": 1}])
def test_wrong_contents_are_found(wrong: dict[str, object]) -> None:
    watch, truth = clean_watch()
    pair = replace(watch.deliveries[1].events[0].pair, **wrong)  # type: ignore[arg-type]  # one field each
    assert promises(damaged(watch, 1, pair=pair), truth) == {"contents"}


def test_an_event_of_a_revision_that_did_not_touch_the_key_is_found() -> None:
    watch, truth = clean_watch()
    wrong = Event(False, Pair(b"c", b"1", 2, 2, 1), None, True)
    watch.deliveries[0] = Delivery(3, (*watch.deliveries[0].events, wrong))
    assert promises(watch, truth) == {"contents"}


def test_an_acknowledged_write_that_no_watch_delivers_is_found() -> None:
    watch, _ = clean_watch()
    del watch.deliveries[2]
    truth = replay(clean_operations(), [watch], {})
    assert promises(watch, truth) == {"reliable"}


def test_an_event_of_no_operation_is_found() -> None:
    watch, _ = clean_watch()
    operations = [operation for operation in clean_operations() if not isinstance(operation.request, Revoke)]
    assert [violation.promise for violation in replay(operations, [watch], {}).violations] == ["reliable"]


def test_a_revision_of_nobody_is_found() -> None:
    operations = [did(put(b"a", b"1"), 0, 1, 2), did(put(b"a", b"2"), 2, 3, 4)]
    assert [violation.promise for violation in replay(operations, [], {}).violations] == ["reliable"]


def test_two_answers_with_one_revision_are_found() -> None:
    operations = [did(put(b"a", b"1"), 0, 1, 2), did(put(b"b", b"2"), 0, 3, 2)]
    assert [violation.promise for violation in replay(operations, [], {}).violations] == ["revisions"]


def test_a_write_of_unknown_result_may_have_happened_or_not() -> None:
    lost = Operation(put(b"a", b"2"), 2, NEVER, None)
    first = did(put(b"a", b"1"), 0, 1, 2)
    one = Pair(b"a", b"1", 2, 2, 1)
    two = Pair(b"a", b"2", 2, 3, 2)
    assert is_linearizable(b"a", [first, lost, got(b"a", 4, 5, 2, one)], None)
    assert is_linearizable(b"a", [first, lost, got(b"a", 4, 5, 3, two)], None)
    assert is_linearizable(b"a", [first, lost, got(b"a", 4, 5, 2, one), got(b"a", 6, 7, 3, two)], None)
    assert not is_linearizable(b"a", [first, lost, got(b"a", 4, 5, 3, two), got(b"a", 6, 7, 3, one)], None)
    event = Event(False, two, None, False)
    watch = WatchRecord(b"a", b"", 2, False, deliveries=[Delivery(3, (event,))])
    found = replay([first, lost], [watch], {})
    assert found.violations == []
    assert [operation.result for operation in found.settled] == [Result(2, True), Result(3, True)]
    assert replay([first, lost], [], {}).settled == [first]


def test_a_lost_write_is_found() -> None:
    operations = [did(put(b"a", b"1"), 0, 1, 2), got(b"a", 2, 3, 2, None)]
    assert [violation.promise for violation in check_keys(operations, {})] == ["linearizable"]


def test_a_stale_read_is_found_and_one_that_overlaps_is_none() -> None:
    one = Pair(b"a", b"1", 2, 2, 1)
    first, second = did(put(b"a", b"1"), 0, 1, 2), did(put(b"a", b"2"), 2, 5, 3)
    assert is_linearizable(b"a", [first, second, got(b"a", 3, 4, 2, one)], None)
    assert not is_linearizable(b"a", [first, second, got(b"a", 6, 7, 3, one)], None)
    assert check_revisions([first, second, got(b"a", 6, 7, 2, one)])


def test_a_revision_that_goes_back_over_all_keys_is_found() -> None:
    """Issue 17780 of etcd: revisions fall after a crash."""
    operations = [did(put(b"a", b"1"), 0, 1, 9), did(put(b"b", b"2"), 2, 3, 8)]
    assert check_revisions(operations)
    assert not check_revisions([operations[0], did(put(b"b", b"2"), 0, 3, 8)])


def test_exchanges_go_by_the_revision() -> None:
    first = did(put(b"a", b"1"), 0, 1, 2)
    one, two = Pair(b"a", b"1", 2, 2, 1), Pair(b"a", b"2", 2, 3, 2)
    won = did(Exchange(b"a", 2, b"2"), 2, 3, 3)
    refused = Operation(Exchange(b"a", 2, b"3"), 4, 5, Result(3, False, two))
    assert is_linearizable(b"a", [first, won, refused], None)
    both = did(Exchange(b"a", 2, b"3"), 4, 5, 4)
    assert not is_linearizable(b"a", [first, won, both], None), "two exchanges of one revision won"
    wrongly = Operation(Exchange(b"a", 2, b"3"), 2, 3, Result(2, False, one))
    assert not is_linearizable(b"a", [first, wrongly], None), "refused although the revision was right"
    create = did(Exchange(b"a", 0, b"9"), 2, 3, 3)
    assert not is_linearizable(b"a", [first, create], None), "created although it was there"


def test_deletes_say_whether_there_was_a_key() -> None:
    first = did(put(b"a", b"1"), 0, 1, 2)
    assert is_linearizable(b"a", [first, did(Delete(b"a"), 2, 3, 3), did(Delete(b"a"), 4, 5, 3, False)], None)
    assert not is_linearizable(b"a", [first, did(Delete(b"a"), 2, 3, 2, False)], None)


def test_a_lease_takes_the_keys_that_hang_on_it_and_no_others() -> None:
    on_lease, revoked = did(put(b"a", b"1", lease=7), 0, 1, 2), did(Revoke(7), 2, 3, 3, False)
    missing = got(b"a", 4, 5, 3, None)
    assert check_keys([on_lease, revoked, missing], {}) == []
    one = Pair(b"a", b"1", 2, 2, 1, 7)
    assert check_keys([on_lease, revoked, got(b"a", 4, 5, 3, one)], {}) != []
    detached = did(put(b"a", b"2"), 2, 3, 3)
    late = did(Revoke(7), 4, 5, 3, False)
    assert check_keys([on_lease, detached, late, got(b"a", 6, 7, 3, None)], {}) != []


@pytest.mark.parametrize("seed", range(20))
def test_any_history_of_a_correct_register_passes_and_one_wrong_read_in_it_does_not(seed: int) -> None:
    """Ten clients at once, each operation at a moment between its call and its return; some results are unknown."""
    random = Random(seed)
    operations: list[Operation] = []
    state: Pair | None = None
    revision = 1
    for moment in range(10, 900, 3):
        called, returned = moment - random.randrange(1, 10), moment + random.randrange(1, 10)
        if random.random() < 0.4:
            operations.append(got(b"a", called, returned, revision, state))
            continue
        revision += 1
        value = b"%d" % revision
        state = Pair(b"a", value, 2, revision, revision - 1)
        operation = did(put(b"a", value), called, returned, revision)
        operations.append(replace(operation, returned=NEVER, result=None) if random.random() < 0.02 else operation)
    assert is_linearizable(b"a", operations, None)
    reads = [at for at, operation in enumerate(operations) if isinstance(operation.request, Get) and at > 20]
    at = random.choice(reads)
    result = operations[at].result
    assert result is not None
    first = operations[next(at for at, found in enumerate(operations) if found.result and found.result.has_changed)]
    assert first.result is not None
    assert isinstance(first.request, PutAll)
    old = Pair(b"a", first.request.pairs[0][1], 2, first.result.revision, 1)
    operations[at] = replace(operations[at], result=replace(result, pair=old))
    assert not is_linearizable(b"a", operations, None)
