"""etcdcore.mvcc.watch_groups: whom a changed key concerns, held against looking at every watcher."""

from hypothesis import given
from hypothesis import strategies as st

from etcdcore.mvcc.watch_groups import FRESH_MAX, WatchGroup, WatchGroups
from etcdcore.mvcc.watch_outlet import WatchOutlet
from etcdcore.mvcc.watch_stream import Watcher, WatchStream
from etcdcore.types import PUT, KeyEvent, KeyValue


class _Deaf(WatchOutlet):
    def responses_ready(self) -> None:
        return


_STREAM = WatchStream(_Deaf())
_KEYS = st.binary(max_size=2).map(lambda key: bytes(byte % 5 for byte in key)) | st.binary(max_size=2)


def _watcher(key: bytes, end: bytes | None, number: int = 0) -> Watcher:
    return Watcher(_STREAM, number, key, end, 1, 0, False, False)


def _event(key: bytes) -> KeyEvent:
    return KeyEvent(PUT, KeyValue(key, 1, 1, 1, b"", 0), None)


def _concerned(groups: WatchGroups, key: bytes) -> list[Watcher]:
    touched: list[WatchGroup] = []
    groups.collect(_event(key), touched)
    for group in touched:
        group.events = []
    return [watcher for group in touched for watcher in group.watchers]


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("add"), _KEYS, st.none() | _KEYS),
            st.tuples(st.just("remove"), st.integers(0, 1000), st.none()),
            st.tuples(st.just("ask"), _KEYS, st.none()),
        ),
        max_size=150,
    )
)
def test_the_same_watchers_are_found_as_by_looking_at_each(steps: list[tuple[str, object, bytes | None]]) -> None:
    groups = WatchGroups()
    present: list[Watcher] = []
    for kind, what, end in steps:
        if kind == "add":
            assert isinstance(what, bytes)
            watcher = _watcher(what, end, len(present))
            present.append(watcher)
            groups.add(watcher)
        elif kind == "remove" and present:
            assert isinstance(what, int)
            groups.remove(present.pop(what % len(present)))
        elif isinstance(what, bytes):
            found = _concerned(groups, what)
            assert len(found) == len(set(found))
            assert set(found) == {watcher for watcher in present if watcher.covers(what)}
        groups.check_invariants()
    assert set(groups.all()) == set(present)
    assert groups.is_empty == (not present)


def test_of_ten_thousand_intervals_only_a_few_are_looked_at() -> None:
    count = 10_000
    groups = WatchGroups()
    for number in range(count):
        groups.add(_watcher(b"/%05d/" % number, b"/%05d0" % number, number))
    assert [watcher.watch_id for watcher in _concerned(groups, b"/00777/x")] == [777]
    looked_at = 0

    class Key(bytes):
        """Counts how often it is compared."""

        def __lt__(self, other: bytes) -> bool:
            nonlocal looked_at
            looked_at += 1
            return bytes(self) < other

        def __le__(self, other: bytes) -> bool:
            nonlocal looked_at
            looked_at += 1
            return bytes(self) <= other

        def __gt__(self, other: bytes) -> bool:
            nonlocal looked_at
            looked_at += 1
            return bytes(self) > other

        def __ge__(self, other: bytes) -> bool:
            nonlocal looked_at
            looked_at += 1
            return bytes(self) >= other

    key = Key(b"/05000/x")
    assert [watcher.watch_id for watcher in _concerned(groups, key)] == [5000]
    assert looked_at <= 4 * 14 + FRESH_MAX, looked_at


def test_new_intervals_are_found_before_and_after_they_join_the_array() -> None:
    groups = WatchGroups()
    for number in range(5 * FRESH_MAX):
        groups.add(_watcher(b"%03d" % number, None, number))
        assert sorted(watcher.watch_id for watcher in _concerned(groups, b"999")) == list(range(number + 1))
