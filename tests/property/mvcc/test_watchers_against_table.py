"""The watch hub against a table of everything that happened, with slow clients, late starts and compaction."""

from hypothesis import given, settings
from hypothesis import strategies as st

from etcdcore.mvcc.store import Store
from etcdcore.mvcc.watch_outlet import WatchOutlet
from etcdcore.mvcc.watch_stream import Watcher
from etcdcore.mvcc.watchers import WatchHub
from etcdcore.storage.memory_engine import MemoryEngine
from etcdcore.types import KeyEvent

KEYS = [b"a", b"b", b"c"]


class Silent(WatchOutlet):
    def responses_ready(self) -> None:
        """The test drains by itself."""


write = st.tuples(st.just("write"), st.lists(st.sampled_from(KEYS), min_size=1, max_size=3, unique=True), st.booleans())
watch = st.tuples(
    st.just("watch"), st.sampled_from([b"a", b"b", b""]), st.sampled_from([b"", b"\0", b"c"]), st.integers(0, 12)
)
other = st.tuples(st.sampled_from(["round", "drain", "compact", "burst"]), st.integers(0, 20))


@settings(max_examples=120, deadline=None)
@given(st.lists(write | watch | other, max_size=40))
def test_every_watcher_hears_what_it_asked_for_once_in_order_or_is_canceled(
    script: list[tuple[str, list[bytes], bool] | tuple[str, bytes, bytes, int] | tuple[str, int]],
) -> None:
    store = Store(MemoryEngine())
    hub = WatchHub(store)
    stream = hub.open_stream(Silent())
    everything: list[KeyEvent] = []
    watchers: dict[int, tuple[Watcher, int]] = {}
    heard: dict[int, list[KeyEvent]] = {}
    canceled: set[int] = set()

    def write_keys(keys: list[bytes], deletes: bool) -> None:
        for key in keys:
            if deletes and store.exists(key):
                store.delete(key)
            else:
                store.put(key, b"", 0)
        events = store.end_revision()
        everything.extend(events)
        hub.notify(store.current_revision, events)

    def drain() -> None:
        for response in stream.take_responses():
            if response.canceled:
                canceled.add(response.watch_id)
                assert response.compact_revision == store.compacted_revision or response.compact_revision > 0
            last = heard[response.watch_id][-1].kv.mod_revision if heard[response.watch_id] else 0
            for event in response.events:
                assert last <= event.kv.mod_revision <= response.revision
            if response.events:
                assert last < response.events[0].kv.mod_revision, "a revision was split"
            heard[response.watch_id] += response.events

    for step in script:
        if step[0] == "write" and len(step) == 3:
            write_keys(step[1], step[2])
        elif step[0] == "watch" and len(step) == 4:
            watcher = hub.create(stream, step[1], step[2], step[3])
            if watcher is not None:
                watchers[watcher.watch_id] = (watcher, step[3] or store.current_revision + 1)
                heard[watcher.watch_id] = []
            else:
                heard.setdefault(-1, [])
        elif step[0] == "round":
            hub.catch_up()
        elif step[0] == "drain":
            drain()
        elif step[0] == "burst":
            for _ in range(70):
                write_keys([b"a"], False)
        elif step[0] == "compact" and len(step) == 2 and isinstance(step[1], int):
            store.compact(store.current_revision - step[1])
            store.step_compaction(1000)
        hub.check_invariants()
    drain()
    while hub.catch_up():
        drain()
    drain()
    for watch_id, (watcher, start) in watchers.items():
        wanted = [event for event in everything if watcher.covers(event.kv.key) and event.kv.mod_revision >= start]
        if watch_id in canceled:
            assert heard[watch_id] == wanted[: len(heard[watch_id])]
        else:
            assert heard[watch_id] == wanted
            assert watcher.is_synced
