"""A watch goes on where it was: no event twice, none left out."""

import asyncio

import pytest

from etcdcore.client.caller import Caller
from etcdcore.client.errors import WatchCompacted
from etcdcore.client.requests import watch
from etcdcore.client.watch import Watch
from etcdcore.pb import kv_pb2, rpc_pb2
from etcdcore.rpc.status import EtcdError, cut_off
from tests.unit.etcdcore.client.fakes import ScriptedChannel, ScriptedStream


def _created(revision: int) -> bytes:
    header = rpc_pb2.ResponseHeader(revision=revision)
    return rpc_pb2.WatchResponse(header=header, created=True).SerializeToString()


def _events(*revisions: int, fragment: bool = False) -> bytes:
    events = [kv_pb2.Event(kv=kv_pb2.KeyValue(key=b"k", mod_revision=revision)) for revision in revisions]
    header = rpc_pb2.ResponseHeader(revision=revisions[-1])
    return rpc_pb2.WatchResponse(header=header, events=events, fragment=fragment).SerializeToString()


def _progress(revision: int) -> bytes:
    return rpc_pb2.WatchResponse(header=rpc_pb2.ResponseHeader(revision=revision)).SerializeToString()


def _started_at(stream: ScriptedStream) -> int:
    return rpc_pb2.WatchRequest.FromString(stream.sent[0]).create_request.start_revision


async def _revisions(watching: Watch, count: int) -> list[list[int]]:
    return [[event.kv.mod_revision for event in (await anext(watching)).events] for _ in range(count)]


def test_after_a_break_it_goes_on_behind_the_last_event() -> None:
    first = ScriptedStream([_created(7), _events(8, 9), cut_off("gone")])
    second = ScriptedStream([cut_off("still gone")])
    third = ScriptedStream([_created(12), _events(10, 11)])
    channel = ScriptedChannel(streams=[first, second, third])
    watching = Watch(Caller(channel), watch("k"), False)
    assert asyncio.run(_revisions(watching, 2)) == [[8, 9], [10, 11]]
    assert [_started_at(stream) for stream in (first, second, third)] == [0, 10, 10]
    assert first.is_cancelled and second.is_cancelled


def test_a_break_before_any_event_goes_on_behind_the_revision_of_its_creation() -> None:
    first, second = ScriptedStream([_created(7), None]), ScriptedStream([_created(9), _events(8)])
    watching = Watch(Caller(ScriptedChannel(streams=[first, second])), watch("k"), False)
    assert asyncio.run(_revisions(watching, 1)) == [[8]]
    assert _started_at(second) == 8


def test_progress_moves_the_place_to_go_on_from() -> None:
    first, second = ScriptedStream([_created(7), _progress(20), None]), ScriptedStream([_created(30), _events(25)])
    watching = Watch(Caller(ScriptedChannel(streams=[first, second])), watch("k"), False)
    assert asyncio.run(_revisions(watching, 2)) == [[], [25]]
    assert _started_at(second) == 21


def test_fragments_come_as_one_response() -> None:
    stream = ScriptedStream([_created(7), _events(8, fragment=True), _events(8, fragment=True), _events(9)])
    watching = Watch(Caller(ScriptedChannel(streams=[stream])), watch("k"), False)
    assert asyncio.run(_revisions(watching, 1)) == [[8, 8, 9]]


def test_compaction_and_refusals_end_it() -> None:
    compacted = rpc_pb2.WatchResponse(canceled=True, compact_revision=5).SerializeToString()
    watching = Watch(Caller(ScriptedChannel(streams=[ScriptedStream([_created(7), compacted])])), watch("k"), False)
    with pytest.raises(WatchCompacted) as caught:
        asyncio.run(_revisions(watching, 1))
    assert caught.value.compact_revision == 5
    reason = "rpc error: code = PermissionDenied desc = etcdserver: permission denied"
    refused = rpc_pb2.WatchResponse(created=True, canceled=True, watch_id=-1, cancel_reason=reason).SerializeToString()
    watching = Watch(Caller(ScriptedChannel(streams=[ScriptedStream([refused])])), watch("k"), False)
    with pytest.raises(EtcdError, match=r"^etcdserver: permission denied$"):
        asyncio.run(_revisions(watching, 1))


def test_an_error_that_no_retry_can_mend_is_raised() -> None:
    stream = ScriptedStream([_created(7), EtcdError(3, "etcdserver: bad")])
    watching = Watch(Caller(ScriptedChannel(streams=[stream])), watch("k"), False)
    with pytest.raises(EtcdError, match="bad"):
        asyncio.run(_revisions(watching, 1))
