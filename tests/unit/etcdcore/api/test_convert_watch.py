"""etcdcore.api.convert_watch: responses as the generated classes write them, cut where they are too large."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from etcdcore.api.convert_watch import WatchEncoder, encode_event
from etcdcore.api.header import Headers
from etcdcore.mvcc.watch_stream import WatchResponse
from etcdcore.pb import kv_pb2
from etcdcore.pb import rpc_pb2 as pb
from etcdcore.types import DELETE, PUT, KeyEvent, KeyValue
from tests.unit.etcdcore.member.fakes import on_loop, quick_config, running

_PAIRS = st.builds(
    KeyValue,
    st.binary(min_size=1, max_size=10),
    st.integers(1, 1 << 40),
    st.integers(1, 1 << 40),
    st.integers(1, 300),
    st.binary(max_size=200),
    st.integers(-(1 << 63), (1 << 63) - 1),
)
_DELETED = st.builds(
    KeyValue,
    st.binary(min_size=1, max_size=10),
    st.just(0),
    st.integers(1, 1 << 40),
    st.just(0),
    st.just(b""),
    st.just(0),
)
_EVENTS = st.builds(KeyEvent, st.just(PUT), _PAIRS, st.none() | _PAIRS) | st.builds(
    KeyEvent, st.just(DELETE), _DELETED, st.none() | _PAIRS
)


def _pair(pair: KeyValue) -> kv_pb2.KeyValue:
    return kv_pb2.KeyValue(
        key=pair.key,
        create_revision=pair.create_revision,
        mod_revision=pair.mod_revision,
        version=pair.version,
        value=pair.value,
        lease=pair.lease,
    )


def _message(event: KeyEvent) -> kv_pb2.Event:
    kind = kv_pb2.Event.DELETE if event.kind else kv_pb2.Event.PUT
    return kv_pb2.Event(type=kind, kv=_pair(event.kv), prev_kv=None if event.prev_kv is None else _pair(event.prev_kv))


@given(_EVENTS)
def test_events_are_written_as_by_the_generated_classes(event: KeyEvent) -> None:
    assert encode_event(event) == pb.WatchResponse(events=[_message(event)]).SerializeToString()


def _put(value: bytes) -> KeyEvent:
    return KeyEvent(PUT, KeyValue(b"k", 2, 3, 1, value, 0), None)


@on_loop
async def test_every_field_has_its_place_and_zero_ones_none(tmp_path: Path) -> None:
    async with running(quick_config(tmp_path)) as (member, _):
        encoder = WatchEncoder(Headers(member), 1 << 20)

        def header(revision: int) -> pb.ResponseHeader:
            return pb.ResponseHeader(
                cluster_id=member.cluster_id, member_id=member.member_id, revision=revision, raft_term=member.term
            )

        event = _put(b"v")
        for response, expected in (
            (WatchResponse(0, 5, [event]), pb.WatchResponse(header=header(5), events=[_message(event)])),
            (WatchResponse(7, 5, [event]), pb.WatchResponse(header=header(5), watch_id=7, events=[_message(event)])),
            (WatchResponse(-1, 6, []), pb.WatchResponse(header=header(6), watch_id=-1)),
            (WatchResponse(3, 6, [], created=True), pb.WatchResponse(header=header(6), watch_id=3, created=True)),
            (
                WatchResponse(3, 0, [], canceled=True, compact_revision=9, reason="why"),
                pb.WatchResponse(header=header(0), watch_id=3, canceled=True, compact_revision=9, cancel_reason="why"),
            ),
        ):
            assert encoder.encode(response) == expected.SerializeToString()


@on_loop
async def test_fragments_keep_within_the_limit_where_single_events_do(tmp_path: Path) -> None:
    async with running(quick_config(tmp_path)) as (member, _):
        encoder = WatchEncoder(Headers(member), 1000)
        events = [_put(bytes(300)) for _ in range(7)] + [_put(bytes(3000))]
        messages = encoder.fragments(WatchResponse(2, 5, events, can_fragment=True))
        responses = [pb.WatchResponse.FromString(message) for message in messages]
        assert [len(response.events) for response in responses] == [3, 3, 1, 1]
        assert [response.fragment for response in responses] == [True, True, True, False]
        assert {response.watch_id for response in responses} == {2}
        assert all(len(message) <= 1000 for message in messages[:-1])
        assert len(encoder.fragments(WatchResponse(2, 5, events[-1:]))) == 1
