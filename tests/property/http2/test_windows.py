"""No data passes a window as the client counts it: SETTINGS from our acknowledgement on, updates at once."""

from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from etcdcore.http2.codes import DATA, FLAG_ACK, FLAG_END_STREAM, SETTINGS, SETTINGS_INITIAL_WINDOW_SIZE, WINDOW_DEFAULT
from etcdcore.http2.frames import encode_settings, encode_window_update
from etcdcore.http2.header_encoder import ResponseFields
from tests.unit.etcdcore.http2.client import POST, Client

HEAD = ResponseFields([(b":status", b"200")], is_common=True)
TRAILERS = ResponseFields([(b"grpc-status", b"0")], is_common=True)
STREAM_IDS = (1, 3, 5)

stream_ids = st.sampled_from(STREAM_IDS)
windows = st.sampled_from([0, 1, 100, 16_384, 65_535, 200_000])
steps = st.one_of(
    st.tuples(st.just("settings"), st.lists(windows, min_size=1, max_size=2)),
    st.tuples(st.just("widen"), st.tuples(stream_ids | st.just(0), st.integers(1, 40_000))),
    st.tuples(st.just("send"), st.tuples(stream_ids, st.integers(0, 100_000))),
    st.tuples(st.just("look"), st.none()),
)


class Windows:
    """What the client lets the server send."""

    def __init__(self) -> None:
        self.connection = WINDOW_DEFAULT
        self.initial = WINDOW_DEFAULT
        self.asked: Final[list[int]] = []
        self.streams: Final = dict.fromkeys(STREAM_IDS, 0)
        """On top of the initial one."""
        self.received: Final = dict.fromkeys(STREAM_IDS, 0)
        self.ended: Final[set[int]] = set()

    def take(self, client: Client) -> None:
        for kind, flags, stream_id, payload in client.frames():
            if kind == SETTINGS and flags & FLAG_ACK:
                self.initial = self.asked.pop(0)
            elif kind == DATA:
                assert len(payload) <= self.connection, "past the connection's window"
                assert len(payload) <= self.initial + self.streams[stream_id], "past the stream's window"
                self.connection -= len(payload)
                self.streams[stream_id] -= len(payload)
                self.received[stream_id] += len(payload)
            if stream_id and flags & FLAG_END_STREAM:
                self.ended.add(stream_id)


@settings(max_examples=300, deadline=None)
@given(script=st.lists(steps, max_size=40))
def test_no_data_passes_a_window_as_the_client_counts_it_and_all_of_it_comes(script: list[tuple[str, object]]) -> None:
    client = Client()
    windows = Windows()
    sent = dict.fromkeys(STREAM_IDS, 0)
    for stream_id in STREAM_IDS:
        client.request(stream_id, POST)
        client.server.send_head(client.audience.streams[stream_id], HEAD, False)
    for action, argument in script:
        if action == "settings":
            assert isinstance(argument, list)
            windows.asked.append(argument[-1])
            client.send(encode_settings([(SETTINGS_INITIAL_WINDOW_SIZE, value) for value in argument]))
        elif action == "widen":
            assert isinstance(argument, tuple)
            stream_id, increment = argument
            if stream_id:
                windows.streams[stream_id] += increment
            else:
                windows.connection += increment
            client.send(encode_window_update(stream_id, increment))
        elif action == "send":
            assert isinstance(argument, tuple)
            stream_id, size = argument
            sent[stream_id] += size
            client.server.send_data(client.audience.streams[stream_id], bytes(size))
        else:
            windows.take(client)
        client.server.check_invariants()
    for stream_id in STREAM_IDS:
        client.server.send_trailers(client.audience.streams[stream_id], TRAILERS)
    windows.take(client)
    windows.connection += 1 << 30
    client.send(encode_window_update(0, 1 << 30))
    windows.asked.append(1 << 30)
    client.send(encode_settings([(SETTINGS_INITIAL_WINDOW_SIZE, 1 << 30)]))
    windows.take(client)
    assert windows.received == sent
    assert windows.ended == set(STREAM_IDS)
