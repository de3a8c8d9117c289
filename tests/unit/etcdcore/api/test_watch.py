"""etcdcore.api.watch: what a stream of watchers is told (reference section 2.7)."""

import asyncio
from pathlib import Path

import pytest

from etcdcore.api import kv, watch
from etcdcore.api.settings import OVERHEAD_BYTES, ApiSettings
from etcdcore.mvcc.watch_stream import RESPONSES_MAX
from etcdcore.pb import kv_pb2
from etcdcore.pb import rpc_pb2 as pb
from etcdcore.storage.memory_engine import MemoryEngine
from tests.unit.etcdcore.api.harness import Client, Refused, Stream, serving
from tests.unit.etcdcore.member.fakes import on_loop, until

_CREATE = pb.WatchCreateRequest
_DELETE = kv_pb2.Event.DELETE


async def put(client: Client, key: bytes, value: bytes = b"v") -> int:
    answer = await client.call(kv.PUT, pb.PutRequest(key=key, value=value), pb.PutResponse)
    return answer.header.revision


async def delete(client: Client, key: bytes, range_end: bytes = b"") -> int:
    request = pb.DeleteRangeRequest(key=key, range_end=range_end)
    return (await client.call(kv.DELETE_RANGE, request, pb.DeleteRangeResponse)).header.revision


async def create(stream: Stream, request: pb.WatchCreateRequest) -> pb.WatchResponse:
    stream.write(pb.WatchRequest(create_request=request))
    response = await stream.read(pb.WatchResponse)
    assert response.created
    return response


async def told(stream: Stream) -> tuple[int, list[tuple[str, bytes, int]]]:
    """The watcher's id and what the next response says."""
    response = await stream.read(pb.WatchResponse)
    return response.watch_id, [
        ("delete" if event.type == _DELETE else "put", event.kv.key, event.kv.mod_revision) for event in response.events
    ]


@on_loop
async def test_the_created_response_comes_first_and_ids_count_from_zero(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        stream = client.open(watch.WATCH)
        assert (await create(stream, _CREATE(key=b"a"))).watch_id == 0
        assert (await create(stream, _CREATE(key=b"b", range_end=b"c"))).watch_id == 1
        assert (await create(stream, _CREATE(key=b"c", watch_id=7))).watch_id == 7
        await put(client, b"a")
        await put(client, b"bb")
        await delete(client, b"a")
        assert await told(stream) == (0, [("put", b"a", 2)])
        assert await told(stream) == (1, [("put", b"bb", 3)])
        assert await told(stream) == (0, [("delete", b"a", 4)])
        assert await stream.is_silent()


@on_loop
@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (_CREATE(key=b"b", range_end=b"a"), "mvcc: watcher range is empty"),
        (_CREATE(key=b"a", start_revision=-1), "etcdserver: mvcc: required revision has been compacted"),
        (_CREATE(key=b"a", watch_id=3), "mvcc: duplicate watch ID provided on the WatchStream"),
    ],
)
async def test_what_cannot_be_watched_is_created_and_cancelled(
    tmp_path: Path, request_: pb.WatchCreateRequest, reason: str
) -> None:
    async with serving(tmp_path) as client:
        stream = client.open(watch.WATCH)
        await create(stream, _CREATE(key=b"a", watch_id=3))
        answer = await create(stream, request_)
        assert (answer.watch_id, answer.canceled, answer.cancel_reason) == (-1, True, reason)
        assert answer.compact_revision == 0


@on_loop
async def test_history_from_a_revision_on_then_the_present(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        for _ in range(3):
            await put(client, b"a")
        stream = client.open(watch.WATCH)
        await create(stream, _CREATE(key=b"a", start_revision=3))
        assert await told(stream) == (0, [("put", b"a", 3), ("put", b"a", 4)])
        await put(client, b"a")
        assert await told(stream) == (0, [("put", b"a", 5)])


@on_loop
async def test_a_start_below_the_compacted_revision_is_cancelled_with_it(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        for _ in range(4):
            await put(client, b"a")
        await client.call(kv.COMPACT, pb.CompactionRequest(revision=4), pb.CompactionResponse)
        stream = client.open(watch.WATCH)
        assert not (await create(stream, _CREATE(key=b"a", start_revision=3))).canceled
        cancelled = await stream.read(pb.WatchResponse)
        assert (cancelled.canceled, cancelled.created, cancelled.compact_revision) == (True, False, 4)
        assert (cancelled.header.revision, cancelled.cancel_reason) == (0, "")
        await create(stream, _CREATE(key=b"a", start_revision=4))
        assert await told(stream) == (1, [("put", b"a", 4), ("put", b"a", 5)])


@on_loop
async def test_filters_and_previous_pairs_are_each_watchers_own(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        stream = client.open(watch.WATCH)
        await create(stream, _CREATE(key=b"a", filters=[_CREATE.NOPUT], prev_kv=True))
        await create(stream, _CREATE(key=b"a", filters=[_CREATE.NODELETE]))
        await put(client, b"a", b"one")
        await delete(client, b"a")
        first, second = await stream.read(pb.WatchResponse), await stream.read(pb.WatchResponse)
        assert (first.watch_id, first.events[0].type, first.events[0].HasField("prev_kv")) == (1, 0, False)
        assert (second.watch_id, second.events[0].prev_kv.value) == (0, b"one")
        assert (second.events[0].kv.key, second.events[0].kv.mod_revision) == (b"a", 3)
        assert second.events[0].kv.create_revision == second.events[0].kv.version == 0
        assert await stream.is_silent()


@on_loop
async def test_a_cancelled_watcher_says_so_once_and_an_unknown_one_nothing(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        stream = client.open(watch.WATCH)
        await create(stream, _CREATE(key=b"a"))
        for watch_id in (5, 0, 0):
            stream.write(pb.WatchRequest(cancel_request=pb.WatchCancelRequest(watch_id=watch_id)))
        answer = await stream.read(pb.WatchResponse)
        assert (answer.watch_id, answer.canceled, answer.created, answer.header.revision) == (0, True, False, 1)
        await put(client, b"a")
        assert await stream.is_silent()


@on_loop
async def test_all_events_of_a_revision_come_together(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        stream = client.open(watch.WATCH)
        await create(stream, _CREATE(key=b"a", range_end=b"b"))
        ops = [pb.RequestOp(request_put=pb.PutRequest(key=b"a%d" % number)) for number in range(3)]
        await client.call(kv.TXN, pb.TxnRequest(success=ops), pb.TxnResponse)
        await delete(client, b"a", b"b")
        assert await told(stream) == (0, [("put", b"a%d" % number, 2) for number in range(3)])
        assert await told(stream) == (0, [("delete", b"a%d" % number, 3) for number in range(3)])


@on_loop
async def test_a_large_response_is_cut_where_that_was_asked_for(tmp_path: Path) -> None:
    async with serving(tmp_path, ApiSettings(request_bytes_max=100_000)) as client:
        stream = client.open(watch.WATCH)
        for _ in range(8):
            await put(client, b"a", bytes(99_000))
        await create(stream, _CREATE(key=b"a", start_revision=2, fragment=True))
        await create(stream, _CREATE(key=b"a", start_revision=2))
        by_id: dict[int, list[tuple[bool, int]]] = {0: [], 1: []}
        while sum(count for responses in by_id.values() for _, count in responses) < 16:
            response = await stream.read(pb.WatchResponse)
            assert response.watch_id or response.ByteSize() <= 100_000 + OVERHEAD_BYTES
            by_id[response.watch_id].append((response.fragment, len(response.events)))
        assert by_id == {0: [(True, 6), (False, 2)], 1: [(False, 8)]}


@on_loop
async def test_progress_on_demand_is_one_answer_for_the_stream(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        stream = client.open(watch.WATCH)
        progress = pb.WatchRequest(progress_request=pb.WatchProgressRequest())
        stream.write(progress)
        assert await stream.is_silent()
        await create(stream, _CREATE(key=b"a"))
        await create(stream, _CREATE(key=b"b"))
        await put(client, b"x")
        stream.write(progress)
        answer = await stream.read(pb.WatchResponse)
        assert (answer.watch_id, answer.header.revision, len(answer.events), answer.created) == (-1, 2, 0, False)
        await create(stream, _CREATE(key=b"c", start_revision=50))
        stream.write(progress)
        assert await stream.is_silent()


@on_loop
async def test_quiet_watchers_that_asked_are_told_the_revision_after_each_interval(tmp_path: Path) -> None:
    async with serving(tmp_path, ApiSettings(progress_interval_s=0.1)) as client:
        stream = client.open(watch.WATCH)
        await create(stream, _CREATE(key=b"a"))
        await create(stream, _CREATE(key=b"a", progress_notify=True))
        await put(client, b"x")
        answer = await stream.read(pb.WatchResponse)
        assert (answer.watch_id, answer.header.revision, len(answer.events)) == (1, 2, 0)
        assert (await stream.read(pb.WatchResponse)).watch_id == 1


@on_loop
async def test_a_client_that_does_not_read_falls_back_to_history_and_holds_nobody_up(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        slow, quick = client.open(watch.WATCH), client.open(watch.WATCH)
        for stream in (slow, quick):
            await create(stream, _CREATE(key=b"a"))
        slow.set_writable(False)
        count = 3 * RESPONSES_MAX
        for _ in range(count):
            await put(client, b"a")
        heard: list[int] = []
        while len(heard) < count:
            heard += [revision for _, _, revision in (await told(quick))[1]]
        assert heard == list(range(2, count + 2))
        assert await slow.is_silent()
        assert client.services.watches.hub.unsynced_count == 1
        slow.set_writable(True)
        heard = []
        while len(heard) < count:
            heard += [revision for _, _, revision in (await told(slow))[1]]
        assert heard == list(range(2, count + 2))
        await put(client, b"a")
        assert await told(slow) == (0, [("put", b"a", count + 2)])


@on_loop
async def test_a_store_that_is_built_anew_is_watched_on_without_gap_or_repetition(tmp_path: Path) -> None:
    engine = MemoryEngine()
    async with serving(tmp_path, engine=engine) as client:
        member = client.services.member
        stream = client.open(watch.WATCH)
        await create(stream, _CREATE(key=b"a", prev_kv=True))
        await put(client, b"a", b"1")
        former = member.store
        engine.fail_next_commit = True
        await put(client, b"a", b"2")
        await until(lambda: member.store is not former)
        await member.wait_writable()
        await put(client, b"a", b"3")
        heard: list[tuple[int, bytes]] = []
        while len(heard) < 3:
            response = await stream.read(pb.WatchResponse)
            heard += [(event.kv.mod_revision, event.prev_kv.value) for event in response.events]
        assert heard == [(2, b""), (3, b"1"), (4, b"2")]
        assert await stream.is_silent()


@on_loop
async def test_a_client_that_asks_on_without_reading_is_sent_away(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        stream = client.open(watch.WATCH)
        stream.set_writable(False)
        await put(client, b"a")
        request = pb.WatchRequest(create_request=_CREATE(key=b"b", range_end=b"a")).SerializeToString()
        for _ in range(watch.RESPONSES_WAITING_MAX):
            stream.listener.message_received(request)
        assert not stream.call.is_done
        stream.listener.message_received(request)
        assert stream.call.status is not None
        assert stream.call.status.text == "etcdserver: too many requests"
        assert not client.services.watches.sessions


@on_loop
async def test_without_a_stream_the_member_knows_nothing_of_watches(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        watches = client.services.watches
        stream = client.open(watch.WATCH)
        await create(stream, _CREATE(key=b"a"))
        assert watches.sessions
        stream.cancel()
        assert not watches.sessions and watches.watcher_count == 0
        await put(client, b"a")
        assert not watches.ready


@on_loop
async def test_a_half_closed_stream_is_told_on(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        stream = client.open(watch.WATCH)
        await create(stream, _CREATE(key=b"a"))
        stream.listener.input_ended()
        await put(client, b"a")
        assert await told(stream) == (0, [("put", b"a", 2)])


@on_loop
async def test_streams_end_as_unavailable_when_the_services_end(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        stream = client.open(watch.WATCH)
        await create(stream, _CREATE(key=b"a"))
    with pytest.raises(Refused) as refused:
        await stream.read(pb.WatchResponse)
    assert (refused.value.code, refused.value.text) == (14, "etcdserver: server stopped")


@on_loop
async def test_a_message_that_is_none_ends_the_stream(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        stream = client.open(watch.WATCH)
        stream.listener.message_received(b"\xff\xff")
        with pytest.raises(Refused) as refused:
            await stream.read(pb.WatchResponse)
        assert refused.value.code == 13
        assert not client.services.watches.sessions


@on_loop
async def test_watchers_of_one_change_share_what_is_encoded(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        streams = [client.open(watch.WATCH) for _ in range(3)]
        for stream in streams:
            await create(stream, _CREATE(key=b"a"))
        await put(client, b"a")
        await asyncio.gather(*(told(stream) for stream in streams))
        assert len({stream.call.sent[1] for stream in streams}) == 1
