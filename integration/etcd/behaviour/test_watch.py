"""Watches (reference section 2.7)."""

from __future__ import annotations

import time

import pytest

from etcdcore.pb import rpc_pb2 as pb
from integration.etcd.behaviour.client import Client, Refused, Watch, delete_op, put_op
from integration.peers.etcd import EtcdServer

R = pb.WatchCreateRequest
LIMIT_BYTES = 1_572_864 + 524_288


def collect(watch: Watch, count: int) -> list[tuple[int, str, bytes, int]]:
    """So many events at least: watch id, kind, key, revision."""
    heard: list[tuple[int, str, bytes, int]] = []
    while len(heard) < count:
        response = watch.next()
        for event in response.events:
            assert event.kv.mod_revision <= response.header.revision
            heard.append((response.watch_id, "delete" if event.type else "put", event.kv.key, event.kv.mod_revision))
    return heard


def test_a_watcher_hears_of_what_comes_after_it(client: Client, prefix: bytes) -> None:
    """V3WatchFromCurrentRevision."""
    client.put(prefix + b"k")
    watch = client.watch()
    created = watch.create(R(key=prefix + b"k"))
    assert (created.watch_id, created.canceled, list(created.events)) == (0, False, [])
    revision = client.put(prefix + b"k", b"2").header.revision
    assert revision == created.header.revision + 1
    client.put(prefix + b"kk")
    response = watch.next()
    event = response.events[0]
    assert (response.watch_id, response.header.revision, len(response.events)) == (0, revision, 1)
    assert (event.type, event.kv.value, event.kv.version, event.kv.mod_revision) == (0, b"2", 2, revision)
    assert not event.HasField("prev_kv")
    deleted = client.delete(prefix + b"k").header.revision
    event = watch.next().events[0]
    assert (event.type, event.kv.key, event.kv.mod_revision) == (1, prefix + b"k", deleted)
    assert (event.kv.create_revision, event.kv.version, event.kv.value) == (0, 0, b"")


@pytest.mark.parametrize(
    ("key", "end", "heard"),
    [
        (b"b", b"", [b"b"]),
        (b"b", b"d", [b"b", b"c"]),
        (b"", b"\xff", [b"a", b"b", b"c", b"d"]),
        (b"x", b"", []),
    ],
)
@pytest.mark.parametrize("is_synced", [True, False])
def test_intervals_are_those_of_a_range(
    client: Client, prefix: bytes, key: bytes, end: bytes, heard: list[bytes], is_synced: bool
) -> None:
    watch = client.watch()
    request = R(key=prefix + key, range_end=prefix + end if end else b"")
    if is_synced:
        watch.create(request)
    else:
        request.start_revision = client.revision() + 1
    for name in (b"a", b"b", b"c", b"d"):
        client.put(prefix + name)
    if not is_synced:
        watch.create(request)
    assert [name for _, _, name, _ in collect(watch, len(heard))] == [prefix + name for name in heard]
    assert watch.is_silent()


def test_an_empty_key_is_the_zero_byte(fresh: Client) -> None:
    """V3WatchEmptyKey."""
    watch = fresh.watch()
    watch.create(R(key=b""))
    watch.create(R(key=b"", range_end=b"\0"))
    fresh.put(b"a")
    fresh.put(b"\0")
    assert sorted(collect(watch, 3)) == [(0, "put", b"\0", 3), (1, "put", b"\0", 3), (1, "put", b"a", 2)]


def test_a_start_in_the_future_is_waited_for(client: Client, prefix: bytes) -> None:
    """V3WatchFutureRevision."""
    watch = client.watch()
    start = client.revision() + 4
    watch.create(R(key=prefix + b"k", start_revision=start))
    revisions = [client.put(prefix + b"k").header.revision for _ in range(5)]
    assert [revision for _, _, _, revision in collect(watch, 2)] == [one for one in revisions if one >= start]


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        # V3WatchWrongRange
        (R(key=b"b", range_end=b"a"), "mvcc: watcher range is empty"),
        (R(key=b"b", range_end=b"b"), "mvcc: watcher range is empty"),
        (R(key=b"b", start_revision=-1), "etcdserver: mvcc: required revision has been compacted"),
        (R(key=b"b", watch_id=9), "mvcc: duplicate watch ID provided on the WatchStream"),
    ],
)
def test_what_cannot_be_watched_is_created_and_cancelled(client: Client, request_: R, reason: str) -> None:
    watch = client.watch()
    assert watch.create(R(key=b"a", watch_id=9)).watch_id == 9
    answer = watch.create(request_)
    assert (answer.watch_id, answer.canceled, answer.cancel_reason, answer.compact_revision) == (-1, True, reason, 0)
    assert answer.header.revision > 0


def test_ids_are_counted_or_chosen(client: Client) -> None:
    watch = client.watch()
    asked = [0, 0, 2, 0, 0, -7, 0]
    assert [watch.create(R(key=b"k", watch_id=watch_id)).watch_id for watch_id in asked] == [0, 1, 2, 3, 4, -7, 5]


def test_a_cancelled_watcher_hears_nothing_more(client: Client, prefix: bytes) -> None:
    """V3WatchCancelSynced, CancelUnsynced, Cancellation."""
    for start in (0, 1):
        watch = client.watch()
        none = prefix + b"none%d" % start
        watch.create(R(key=none, start_revision=start))
        watch.create(R(key=prefix + b"k"))
        watch.cancel_watcher(77)
        watch.cancel_watcher(0)
        answer = watch.next()
        assert (answer.watch_id, answer.canceled, answer.created, answer.cancel_reason) == (0, True, False, "")
        assert (answer.compact_revision, answer.header.revision) == (0, client.revision())
        watch.cancel_watcher(0)
        client.put(none)
        client.put(prefix + b"k")
        assert [key for _, _, key, _ in collect(watch, 1)] == [prefix + b"k"]
        assert watch.is_silent()
        # The id of a cancelled watcher is not given again.
        assert watch.create(R(key=prefix + b"k")).watch_id == 2


@pytest.mark.parametrize("is_synced", [True, False])
def test_many_watchers_on_one_stream_each_get_their_events(client: Client, prefix: bytes, is_synced: bool) -> None:
    """V3WatchMultipleWatchersSynced and Unsynced."""
    watch = client.watch()
    start = client.revision() + 1
    requests = [R(key=prefix + b"k", start_revision=start) for _ in range(5)]
    requests.append(R(key=prefix, range_end=prefix + b"\xff", start_revision=start))
    if not is_synced:
        revision = client.put(prefix + b"k").header.revision
    for request in requests:
        watch.ask(request)
    created: set[int] = set()
    heard: list[int] = []
    if is_synced:
        while len(created) < 6:
            created.add(watch.next().watch_id)
        revision = client.put(prefix + b"k").header.revision
    while len(heard) < 6:
        response = watch.next()
        if response.created:
            created.add(response.watch_id)
            continue
        assert response.watch_id in created  # 8.3.11
        heard += [response.watch_id for event in response.events if event.kv.mod_revision == revision]
    assert sorted(heard) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("is_synced", [True, False])
def test_all_of_a_revision_comes_in_one_response(client: Client, prefix: bytes, is_synced: bool) -> None:
    """8.3.12; V3WatchMultipleEventsTxnSynced and Unsynced."""
    watch = client.watch()
    request = R(key=prefix, range_end=prefix + b"\xff", start_revision=client.revision() + 1)
    if is_synced:
        watch.create(request)
    client.txn(success=[put_op(prefix + b"%d" % number) for number in range(5)])
    client.txn(success=[delete_op(prefix + b"2"), put_op(prefix + b"7"), delete_op(prefix + b"3", prefix + b"6")])
    if not is_synced:
        watch.create(request)
    revisions: list[set[int]] = []
    heard: list[tuple[int, bytes]] = []
    while len(heard) < 9:
        response = watch.next()
        revisions.append({event.kv.mod_revision for event in response.events})
        heard += [(event.type, event.kv.key.removeprefix(prefix)) for event in response.events]
    assert heard == [(0, b"%d" % number) for number in range(5)] + [(1, b"2"), (0, b"7"), (1, b"3"), (1, b"4")]
    assert all(not one & other for at, one in enumerate(revisions) for other in revisions[at + 1 :])


def test_history_and_present_come_in_order_without_gap(client: Client, prefix: bytes) -> None:
    """V3WatchCurrentPutOverlap, MultipleEventsPutUnsynced."""
    revisions = [client.put(prefix + b"k").header.revision for _ in range(50)]
    watches = [client.watch() for _ in range(3)]
    for at, watch in enumerate(watches):
        watch.ask(R(key=prefix + b"k", start_revision=revisions[at * 10]))
    revisions += [client.put(prefix + b"k").header.revision for _ in range(50)]
    for at, watch in enumerate(watches):
        expected = revisions[at * 10 :]
        assert [revision for _, _, _, revision in collect(watch, len(expected))] == expected


def test_more_history_than_a_batch_is_caught_up(client: Client, prefix: bytes) -> None:
    first = client.put(prefix + b"0").header.revision
    for at in range(0, 2500, 100):
        calls = [client.put(prefix + b"%d" % (at + number)) for number in range(100)]
        assert calls
    watch = client.watch()
    watch.create(R(key=prefix, range_end=prefix + b"\xff", start_revision=first))
    heard = [revision for _, _, _, revision in collect(watch, 2501)]
    assert heard == list(range(first, first + 2501))


@pytest.mark.parametrize("is_synced", [True, False])
def test_filters_drop_kinds_of_events(client: Client, prefix: bytes, is_synced: bool) -> None:
    """V3WatchWithFilter."""
    watch = client.watch()
    start = client.revision() + 1
    requests = [
        R(key=prefix + b"k", start_revision=start, filters=filters)
        for filters in ([R.NOPUT], [R.NODELETE], [R.NOPUT, R.NODELETE])
    ]
    if is_synced:
        for request in requests:
            watch.create(request)
    client.put(prefix + b"k")
    client.delete(prefix + b"k")
    if not is_synced:
        for request in requests:
            watch.ask(request)
    heard = sorted((watch_id, kind) for watch_id, kind, _, _ in collect(watch, 2))
    assert heard == [(0, "delete"), (1, "put")]


@pytest.mark.parametrize("is_synced", [True, False])
def test_previous_pairs_come_to_those_who_asked(client: Client, prefix: bytes, is_synced: bool) -> None:
    """V3WatchWithPrevKV, WatchMixedPrevKVOnSameKeySeparateStreams."""
    key = prefix + b"k"
    with_it, without = client.watch(), client.watch()
    start = client.revision() + 1
    if is_synced:
        with_it.create(R(key=key, prev_kv=True))
        without.create(R(key=key))
    client.put(key, b"1")
    client.put(key, b"2")
    client.delete(key)
    client.put(key, b"3")
    if not is_synced:
        with_it.create(R(key=key, prev_kv=True, start_revision=start))
        without.create(R(key=key, start_revision=start))
    events = [event for _ in range(4) if is_synced for event in with_it.next().events] or list(with_it.next().events)
    assert [event.prev_kv.value if event.HasField("prev_kv") else None for event in events] == [None, b"1", b"2", None]
    assert events[2].prev_kv.version == 2
    plain = [event for _ in range(4) if is_synced for event in without.next().events] or list(without.next().events)
    assert not any(event.HasField("prev_kv") for event in plain)


def test_progress_on_demand_is_one_answer_for_all_watchers(client: Client, prefix: bytes) -> None:
    """8.3.13; WatchRequestProgress."""
    watch = client.watch()
    watch.ask_progress()
    assert watch.is_silent()
    watch.create(R(key=prefix + b"a"))
    watch.create(R(key=prefix + b"b"))
    revision = client.put(prefix + b"x").header.revision
    watch.ask_progress()
    answer = watch.next()
    assert (answer.watch_id, answer.header.revision, len(answer.events)) == (-1, revision, 0)
    assert not (answer.created or answer.canceled or answer.compact_revision)
    watch.create(R(key=prefix + b"c", start_revision=revision + 100))
    watch.ask_progress()
    assert watch.is_silent()


def test_progress_does_not_overtake_events(client: Client, prefix: bytes) -> None:
    """8.3.13; V3WatchProgressWaitsForSync, #15220."""
    watch = client.watch()
    first = client.put(prefix + b"k").header.revision
    for _ in range(300):
        client.put(prefix + b"k")
    watch.ask(R(key=prefix + b"k", start_revision=first))
    heard = first - 1
    last = first + 300
    while heard < last:
        watch.ask_progress()
        response = watch.next()
        if response.watch_id == -1:
            assert response.header.revision <= heard or response.header.revision == last == heard
        for event in response.events:
            assert event.kv.mod_revision == heard + 1
            heard = event.kv.mod_revision


def test_quiet_watchers_are_told_the_revision_by_time(client: Client, prefix: bytes) -> None:
    """WatchWithProgressNotify, ConfigurableWatchProgressNotifyInterval: the server's is 300 ms."""
    watch = client.watch()
    watch.create(R(key=prefix + b"k", watch_id=4, progress_notify=True))
    watch.create(R(key=prefix + b"k"))
    watch.create(R(key=prefix + b"k", progress_notify=True, start_revision=client.revision() + 50))
    revision = client.put(prefix + b"other").header.revision
    response = watch.next(2)
    while response.header.revision < revision:
        response = watch.next(2)
    assert (response.watch_id, response.header.revision, len(response.events)) == (4, revision, 0)
    assert watch.next(2).watch_id == 4


def test_large_responses_are_cut_for_those_who_asked(client: Client, prefix: bytes) -> None:
    """WatchFragmentEnable, WatchFragmentDisable."""
    value = b"x" * 1_000_000
    first = client.revision() + 1
    for number in range(5):
        client.put(prefix + b"%d" % number, value)
    for fragment in (True, False):
        watch = client.watch()
        watch.create(R(key=prefix, range_end=prefix + b"\xff", start_revision=first, fragment=fragment))
        responses: list[tuple[bool, int]] = []
        while sum(count for _, count in responses) < 5:
            response = watch.next()
            assert not fragment or response.ByteSize() <= LIMIT_BYTES
            responses.append((response.fragment, len(response.events)))
        assert responses == ([(True, 2), (True, 2), (False, 1)] if fragment else [(False, 5)])


def test_watches_at_and_below_the_compacted_revision(fresh: Client) -> None:
    """8.3.14, 8.3.15; WatchCompactRevision, WatchResumeCompacted."""
    for number in range(9):
        fresh.put(b"k", b"%d" % number)
    fresh.compact(6)
    watch = fresh.watch()
    created = watch.create(R(key=b"k", start_revision=5))
    assert not created.canceled
    cancelled = watch.next()
    assert (cancelled.watch_id, cancelled.canceled, cancelled.created) == (created.watch_id, True, False)
    assert (cancelled.compact_revision, cancelled.header.revision, cancelled.cancel_reason) == (6, 0, "")
    watch.create(R(key=b"k", start_revision=6))
    assert [revision for _, _, _, revision in collect(watch, 5)] == [6, 7, 8, 9, 10]


def test_a_delete_at_the_compacted_revision_is_still_told(fresh: Client) -> None:
    """#18089, #19179."""
    fresh.put(b"k")
    deleted = fresh.delete(b"k").header.revision
    fresh.put(b"x")
    fresh.compact(deleted, physical=True)
    watch = fresh.watch()
    watch.create(R(key=b"k", start_revision=deleted))
    assert collect(watch, 1) == [(0, "delete", b"k", deleted)]


def test_a_synced_watcher_survives_compaction(fresh: Client) -> None:
    """WatchNoEventLossOnCompact."""
    watch = fresh.watch()
    watch.create(R(key=b"k"))
    for _ in range(5):
        revision = fresh.put(b"k").header.revision
        fresh.compact(revision, physical=True)
    assert [revision for _, _, _, revision in collect(watch, 5)] == [2, 3, 4, 5, 6]


def test_streams_are_resumed_after_a_restart(etcd: EtcdServer) -> None:
    """V3WatchProgressOnMemberRestart; the history is in the store, not in the process."""
    client = Client(etcd)
    watch = client.watch()
    watch.create(R(key=b"k"))
    client.put(b"k", b"1")
    assert [revision for _, _, _, revision in collect(watch, 1)] == [2]
    etcd.stop()
    with pytest.raises((Refused, EOFError)) as ended:
        watch.next()
    assert not isinstance(ended.value, Refused) or ended.value.code == 14
    client.close()
    etcd.start()
    client = Client(etcd)
    client.put(b"k", b"2")
    watch = client.watch()
    watch.create(R(key=b"k", start_revision=3))
    assert [revision for _, _, _, revision in collect(watch, 1)] == [3]
    client.close()


def test_a_half_closed_stream_is_told_on(client: Client, prefix: bytes) -> None:
    watch = client.watch()
    watch.create(R(key=prefix + b"k"))
    watch.done_writing()
    time.sleep(0.1)
    client.put(prefix + b"k")
    assert collect(watch, 1)


def test_a_client_that_wants_a_leader_is_served_by_one(client: Client, prefix: bytes) -> None:
    """GRPCStreamRequireLeader, the half of it that one member can show."""
    watch = client.watch([("hasleader", "true")])
    watch.create(R(key=prefix + b"k"))
    client.put(prefix + b"k")
    assert collect(watch, 1)


def test_a_thousand_watchers_on_one_stream(client: Client, prefix: bytes) -> None:
    watch = client.watch()
    for number in range(1000):
        watch.ask(R(key=prefix + b"%03d" % (number % 500), range_end=prefix + b"%03d~" % (number % 500)))
    assert [watch.next().watch_id for _ in range(1000)] == list(range(1000))
    for number in (0, 250, 499):
        client.put(prefix + b"%03d/x" % number)
        assert sorted(watch_id for watch_id, _, _, _ in collect(watch, 2)) == [number, number + 500]
