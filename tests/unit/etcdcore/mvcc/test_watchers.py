"""What a client's stream is told, in which order. Source: reference section 2.7."""

import pytest

from etcdcore.mvcc.store import Store
from etcdcore.mvcc.watch_outlet import WatchOutlet
from etcdcore.mvcc.watch_stream import RESPONSES_MAX, WatchResponse, WatchStream
from etcdcore.mvcc.watchers import DUPLICATE_ID, EMPTY_RANGE, REVISIONS_PER_ROUND_MAX, WatchHub
from etcdcore.storage.memory_engine import MemoryEngine
from etcdcore.types import KeyEvent, KeyValue


class CountingOutlet(WatchOutlet):
    def __init__(self) -> None:
        self.calls = 0

    def responses_ready(self) -> None:
        self.calls += 1


class Scene:
    """A store with a hub and one stream; every write is told at once."""

    def __init__(self) -> None:
        self.store = Store(MemoryEngine())
        self.hub = WatchHub(self.store)
        self.outlet = CountingOutlet()
        self.stream = self.hub.open_stream(self.outlet)

    def put(self, *keys: bytes) -> int:
        for key in keys:
            self.store.put(key, b"v%d" % self.store.current_revision, 0)
        return self._end()

    def delete(self, *keys: bytes) -> int:
        for key in keys:
            self.store.delete(key)
        return self._end()

    def _end(self) -> int:
        events = self.store.end_revision()
        self.hub.notify(self.store.current_revision, events)
        self.hub.check_invariants()
        return self.store.current_revision

    def catch_up(self) -> None:
        while self.hub.catch_up():
            self.hub.check_invariants()

    def compact(self, revision: int) -> None:
        assert self.store.compact(revision) is None
        while not self.store.step_compaction(10):
            pass


@pytest.fixture
def scene() -> Scene:
    return Scene()


def told(stream: WatchStream) -> list[tuple[int, int, str]]:
    """Watch id, header revision and what it says, of all that waits."""
    return [(response.watch_id, response.revision, describe(response)) for response in stream.take_responses()]


def describe(response: WatchResponse) -> str:
    if response.created:
        return "created" + (" canceled " + response.reason if response.canceled else "")
    if response.canceled:
        return f"canceled {response.compact_revision}"
    return " ".join(
        f"{'delete' if event.kind else 'put'}:{event.kv.key.decode()}@{event.kv.mod_revision}"
        for event in response.events
    )


def test_a_watcher_hears_of_changes_after_its_creation(scene: Scene) -> None:
    scene.put(b"a")
    scene.hub.create(scene.stream, b"a")
    scene.put(b"a")
    scene.put(b"b")
    scene.delete(b"a")
    assert told(scene.stream) == [(0, 2, "created"), (0, 3, "put:a@3"), (0, 5, "delete:a@5")]


def test_a_start_revision_brings_history_that_revision_included(scene: Scene) -> None:
    scene.put(b"a")
    scene.put(b"a")
    scene.put(b"b")
    scene.hub.create(scene.stream, b"a", start_revision=3)
    assert told(scene.stream) == [(0, 4, "created")]
    scene.put(b"a")
    assert told(scene.stream) == []
    scene.catch_up()
    scene.put(b"a")
    assert told(scene.stream) == [(0, 5, "put:a@3 put:a@5"), (0, 6, "put:a@6")]


def test_a_start_in_the_future_is_waited_for(scene: Scene) -> None:
    scene.hub.create(scene.stream, b"a", start_revision=4)
    for _ in range(4):
        scene.put(b"a")
    assert told(scene.stream) == [(0, 1, "created"), (0, 4, "put:a@4"), (0, 5, "put:a@5")]


@pytest.mark.parametrize(
    ("key", "end", "heard"),
    [
        (b"b", b"", "b"),
        (b"b", b"d", "bc"),
        (b"c", b"\0", "cd"),
        (b"", b"\0", "abcd"),
        (b"", b"", ""),
    ],
)
def test_intervals_are_those_of_a_range(scene: Scene, key: bytes, end: bytes, heard: str) -> None:
    scene.hub.create(scene.stream, key, end)
    scene.hub.create(scene.stream, key, end, start_revision=1)
    for letter in b"abcd":
        scene.put(bytes([letter]))
    scene.catch_up()
    answers = scene.stream.take_responses()
    for watch_id in (0, 1):
        events = [event for answer in answers if answer.watch_id == watch_id for event in answer.events]
        assert "".join(event.kv.key.decode() for event in events) == heard


def test_all_events_of_a_revision_come_in_one_response_in_order(scene: Scene) -> None:
    scene.put(b"old")
    scene.hub.create(scene.stream, b"\0", b"\0")
    scene.store.put(b"z", b"", 0)
    scene.store.delete(b"old")
    scene.put(b"a")
    assert told(scene.stream) == [(0, 2, "created"), (0, 3, "put:z@3 delete:old@3 put:a@3")]


def test_filters_drop_kinds_and_responses_that_are_left_empty(scene: Scene) -> None:
    scene.hub.create(scene.stream, b"a", no_put=True)
    scene.hub.create(scene.stream, b"a", no_delete=True)
    scene.put(b"a")
    scene.delete(b"a")
    assert told(scene.stream)[2:] == [(1, 2, "put:a@2"), (0, 3, "delete:a@3")]


def test_former_pairs_go_only_to_those_who_asked(scene: Scene) -> None:
    scene.hub.create(scene.stream, b"a")
    scene.hub.create(scene.stream, b"a", prev_kv=True)
    scene.put(b"a")
    scene.put(b"a")
    scene.delete(b"a")
    answers = scene.stream.take_responses()[2:]
    formers = {0: [], 1: []}  # type: dict[int, list[KeyValue | None]]
    for answer in answers:
        formers[answer.watch_id] += [event.prev_kv for event in answer.events]
    first = KeyValue(b"a", 2, 2, 1, b"v1", 0)
    assert formers == {0: [None, None, None], 1: [None, first, KeyValue(b"a", 2, 3, 2, b"v2", 0)]}


def test_a_former_pair_that_is_compacted_meanwhile_is_absent(scene: Scene) -> None:
    scene.put(b"a")
    scene.put(b"a")
    scene.put(b"a")
    scene.compact(3)
    scene.hub.create(scene.stream, b"a", prev_kv=True, start_revision=3)
    scene.catch_up()
    events: list[KeyEvent] = scene.stream.take_responses()[1].events
    assert [event.prev_kv for event in events] == [None, KeyValue(b"a", 2, 3, 2, b"v2", 0)]


def test_ids_count_up_for_each_stream_and_may_be_chosen(scene: Scene) -> None:
    scene.hub.create(scene.stream, b"a", watch_id=1)
    scene.hub.create(scene.stream, b"a")
    scene.hub.create(scene.stream, b"a")
    assert scene.hub.create(scene.stream, b"a", watch_id=1) is None
    scene.hub.create(scene.hub.open_stream(scene.outlet), b"a")
    assert told(scene.stream) == [
        (1, 1, "created"),
        (0, 1, "created"),
        (2, 1, "created"),
        (-1, 1, f"created canceled {DUPLICATE_ID}"),
    ]


def test_an_empty_interval_and_a_negative_start_are_refused(scene: Scene) -> None:
    assert scene.hub.create(scene.stream, b"b", b"b") is None
    assert scene.hub.create(scene.stream, b"b", start_revision=-1) is None
    assert scene.hub.create(scene.stream, b"b", b"a", start_revision=-1) is None
    assert told(scene.stream) == [
        (-1, 1, f"created canceled {EMPTY_RANGE}"),
        (-1, 1, "created canceled etcdserver: mvcc: required revision has been compacted"),
        (-1, 1, "created canceled etcdserver: mvcc: required revision has been compacted"),
    ]


def test_a_canceled_watcher_hears_nothing_more(scene: Scene) -> None:
    scene.hub.create(scene.stream, b"a")
    scene.hub.create(scene.stream, b"\0", b"\0", start_revision=1)
    scene.hub.cancel(scene.stream, 0)
    scene.hub.cancel(scene.stream, 1)
    scene.hub.cancel(scene.stream, 9)
    scene.put(b"a")
    scene.catch_up()
    assert told(scene.stream)[2:] == [(0, 1, "canceled 0"), (1, 1, "canceled 0")]


def test_closing_a_stream_forgets_its_watchers(scene: Scene) -> None:
    scene.hub.create(scene.stream, b"a")
    scene.put(b"a")
    scene.hub.create(scene.stream, b"b", b"c", start_revision=1)
    scene.hub.close_stream(scene.stream)
    assert (scene.stream.watchers, scene.hub.unsynced_count) == ({}, 0)


def test_a_start_below_the_compacted_revision_is_canceled_after_created(scene: Scene) -> None:
    for _ in range(4):
        scene.put(b"a")
    scene.compact(4)
    scene.hub.create(scene.stream, b"a", start_revision=3)
    scene.hub.create(scene.stream, b"a", start_revision=4)
    scene.catch_up()
    assert told(scene.stream) == [
        (0, 5, "created"),
        (1, 5, "created"),
        (0, 0, "canceled 4"),
        (1, 5, "put:a@4 put:a@5"),
    ]
    assert list(scene.stream.watchers) == [1]


def test_compaction_between_creation_and_catching_up_cancels(scene: Scene) -> None:
    scene.put(b"a")
    scene.put(b"a")
    scene.hub.create(scene.stream, b"a", start_revision=2)
    scene.compact(3)
    scene.catch_up()
    assert told(scene.stream) == [(0, 3, "created"), (0, 0, "canceled 3")]


def test_a_client_that_does_not_read_costs_a_bounded_outbox_and_loses_nothing(scene: Scene) -> None:
    scene.hub.create(scene.stream, b"a")
    other = scene.hub.open_stream(CountingOutlet())
    scene.hub.create(other, b"a")
    scene.stream.take_responses()
    other.take_responses()
    heard_by_other = 0
    for _ in range(RESPONSES_MAX + 50):
        scene.put(b"a")
        heard_by_other += len(other.take_responses())
    assert heard_by_other == RESPONSES_MAX + 50
    assert not scene.hub.catch_up()
    first = scene.stream.take_responses()
    assert len(first) == RESPONSES_MAX
    scene.catch_up()
    revisions = [event.kv.mod_revision for answer in first + scene.stream.take_responses() for event in answer.events]
    assert revisions == list(range(2, RESPONSES_MAX + 52))


def test_history_comes_in_bounded_pieces(scene: Scene) -> None:
    for _ in range(REVISIONS_PER_ROUND_MAX + 5):
        scene.put(b"a")
    scene.hub.create(scene.stream, b"a", start_revision=1)
    scene.catch_up()
    sizes = [len(answer.events) for answer in scene.stream.take_responses()]
    assert sizes == [0, REVISIONS_PER_ROUND_MAX, 5]


def test_progress_is_answered_only_when_every_watcher_is_synced(scene: Scene) -> None:
    assert not scene.hub.request_progress(scene.stream)
    scene.put(b"a")
    scene.hub.create(scene.stream, b"a")
    scene.hub.create(scene.stream, b"a", start_revision=2)
    assert not scene.hub.request_progress(scene.stream)
    scene.catch_up()
    assert scene.hub.request_progress(scene.stream)
    assert told(scene.stream)[2:] == [(1, 2, "put:a@2"), (-1, 2, "")]
    scene.hub.create(scene.stream, b"a", start_revision=9)
    assert not scene.hub.request_progress(scene.stream)


def test_periodic_progress_goes_to_quiet_synced_watchers_that_want_it(scene: Scene) -> None:
    scene.hub.create(scene.stream, b"a", progress_notify=True)
    scene.hub.create(scene.stream, b"b", progress_notify=True)
    scene.hub.create(scene.stream, b"c")
    scene.hub.create(scene.stream, b"b", progress_notify=True, start_revision=9)
    scene.put(b"a")
    scene.stream.take_responses()
    scene.hub.notify_progress(scene.stream)
    assert told(scene.stream) == [(1, 2, "")]
    scene.hub.notify_progress(scene.stream)
    assert told(scene.stream) == [(0, 2, ""), (1, 2, "")]


def test_the_outlet_is_called_once_for_each_filling_of_the_outbox(scene: Scene) -> None:
    scene.hub.create(scene.stream, b"a")
    scene.put(b"a")
    assert scene.outlet.calls == 1
    scene.stream.take_responses()
    scene.put(b"a")
    assert scene.outlet.calls == 2


def test_a_restored_store_continues_without_gap_or_repetition(scene: Scene) -> None:
    scene.hub.create(scene.stream, b"\0", b"\0")
    scene.put(b"a")
    scene.put(b"b")
    newer = Store(MemoryEngine())
    for key in (b"a", b"b", b"c"):
        newer.put(key, b"", 0)
        newer.end_revision()
    scene.hub.restore(newer)
    scene.catch_up()
    assert told(scene.stream) == [(0, 1, "created"), (0, 2, "put:a@2"), (0, 3, "put:b@3"), (0, 4, "put:c@4")]


def test_a_store_rolled_back_tells_nothing_twice(scene: Scene) -> None:
    scene.hub.create(scene.stream, b"a")
    scene.put(b"a")
    scene.put(b"a")
    behind = Store(MemoryEngine())
    scene.hub.restore(behind)
    scene.catch_up()
    for _ in range(3):
        behind.put(b"a", b"", 0)
        scene.hub.notify(behind.current_revision + 1, behind.end_revision())
    assert told(scene.stream) == [(0, 1, "created"), (0, 2, "put:a@2"), (0, 3, "put:a@3"), (0, 4, "put:a@4")]


def test_events_are_counted_as_often_as_they_are_told_and_streams_while_they_are_open(scene: Scene) -> None:
    """For /metrics."""
    other = scene.hub.open_stream(CountingOutlet())
    scene.put(b"a")
    scene.hub.create(scene.stream, b"a", start_revision=2)
    scene.catch_up()
    scene.hub.create(other, b"", b"\0")
    scene.put(b"a", b"b")
    assert (scene.hub.event_count, scene.hub.count_pending()) == (4, 4)
    scene.stream.take_responses()
    assert scene.hub.count_pending() == 2
    assert scene.hub.stream_count == 2
    scene.hub.close_stream(other)
    assert (scene.hub.stream_count, scene.hub.count_pending(), scene.hub.event_count) == (1, 0, 4)
