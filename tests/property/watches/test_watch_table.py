"""The watch tables against a naive reading of ZooKeeper's rules: two tables of cells, each cell a set of modes."""

import struct
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from zkbridge.errors import NO_WATCHER, OK
from zkbridge.tree.acl import ALL, OPEN_ACL, Acl, AclEntry, Credentials
from zkbridge.tree.changes import Change, DataSet, ZnodeCreated, ZnodeDeleted
from zkbridge.tree.replica import Replica
from zkbridge.watches.table import Watcher, WatchTable

PATHS = ("/", "/a", "/a/b", "/a/b/c", "/ab")
JOE = ("digest", "joe:hash")
JOES_ACL: Acl = (AclEntry(ALL, *JOE),)
STANDARD, PERSISTENT, RECURSIVE = "standard", "persistent", "recursive"
DATA, CHILD = "data", "child"
Event = tuple[int, str]


class RecordingWatcher(Watcher):
    """Keeps type and path of what it is told."""

    def __init__(self, may_read_joes: bool) -> None:
        self.credentials = Credentials((JOE,)) if may_read_joes else Credentials()
        self.may_read_joes = may_read_joes
        self.events: list[Event] = []

    def notify(self, frame: bytes) -> None:
        self.events.append((struct.unpack_from(">i", frame, 20)[0], frame[32:].decode()))


@dataclass
class NaiveTable:
    """WatchManager as the reference tells it, without a thought of speed."""

    cells: dict[tuple[str, RecordingWatcher, str], set[str]] = field(default_factory=dict)
    events: dict[RecordingWatcher, list[Event]] = field(default_factory=dict)
    listed: set[RecordingWatcher] = field(default_factory=set)
    """Connections that have had a data watch: watch2Paths keeps their entries until they end."""

    def add(self, table: str, watcher: RecordingWatcher, path: str, mode: str) -> None:
        if table == DATA:
            self.listed.add(watcher)
        self.cells.setdefault((table, watcher, path), set()).add(mode)

    def has(self, table: str, watcher: RecordingWatcher, path: str, modes: set[str]) -> bool:
        return bool(self.cells.get((table, watcher, path), set()) & modes)

    def discard(self, table: str, watcher: RecordingWatcher, path: str, modes: set[str]) -> bool:
        cell = self.cells.get((table, watcher, path), set())
        had = bool(cell & modes)
        cell -= modes
        if not cell:
            self.cells.pop((table, watcher, path), None)
        return had

    def fire(
        self, table: str, path: str, event_type: int, acl: Acl, suppressed: set[RecordingWatcher]
    ) -> set[RecordingWatcher]:
        told: set[RecordingWatcher] = set()
        for (cell_table, watcher, cell_path), modes in list(self.cells.items()):
            if cell_table != table:
                continue
            is_above = cell_path == "/" or path.startswith(cell_path + "/")
            if cell_path == path:
                told.add(watcher)
                self.discard(table, watcher, path, {STANDARD})
            elif is_above and RECURSIVE in modes:
                told.add(watcher)
        for watcher in told - suppressed:
            if acl is OPEN_ACL or watcher.may_read_joes:
                self.events.setdefault(watcher, []).append((event_type, path))
        return told

    def apply(self, change: Change, acls: dict[str, Acl]) -> None:
        if isinstance(change, DataSet):
            self.fire(DATA, change.path, 3, acls[change.path], set())
        elif isinstance(change, ZnodeCreated):
            acls[change.path] = change.acl
            self.fire(DATA, change.path, 1, change.acl, set())
            self.fire(CHILD, change.parent, 4, acls[change.parent], set())
        elif isinstance(change, ZnodeDeleted):
            acl = acls.pop(change.path)
            told = self.fire(DATA, change.path, 2, acl, set())
            self.fire(CHILD, change.path, 2, acl, told)
            self.fire(CHILD, change.parent, 4, acls[change.parent], set())


ALL_MODES = {STANDARD, PERSISTENT, RECURSIVE}
REMOVALS = {
    1: [(CHILD, {STANDARD})],
    2: [(DATA, {STANDARD})],
    3: [(CHILD, ALL_MODES), (DATA, ALL_MODES)],
    4: [(CHILD, {PERSISTENT}), (DATA, {PERSISTENT})],
    5: [(DATA, {RECURSIVE})],
}

registrations = st.tuples(
    st.sampled_from(("data", "child", "persistent", "recursive")), st.integers(0, 2), st.sampled_from(PATHS)
)
wishes = st.tuples(st.sampled_from(("toggle", "set")), st.sampled_from(PATHS), st.booleans())
steps = st.lists(
    st.one_of(
        # Many at once, so that watches meet on a path before a write takes them away.
        st.tuples(st.just("register"), st.lists(registrations, min_size=1, max_size=10)),
        st.tuples(st.just("drop"), st.integers(0, 2)),
        st.tuples(st.just("remove"), st.integers(0, 2), st.integers(1, 5), st.sampled_from(PATHS)),
        st.tuples(st.just("write"), st.lists(wishes, min_size=1, max_size=4)),
        st.tuples(st.just("write"), st.lists(wishes, min_size=1, max_size=1)),
    ),
    max_size=30,
)


def _changes(wishes: list[tuple[str, str, bool]], existing: set[str]) -> list[Change]:
    """The wishes that can be done, as one revision; `existing` follows along."""
    changes: list[Change] = []
    for wish, path, is_joes in wishes:
        parent = path[: path.rfind("/")] or "/"
        if wish == "set":
            if path in existing:
                changes.append(DataSet(path, b"x", 1, 0))
        elif path == "/" or parent not in existing:
            continue
        elif path not in existing:
            existing.add(path)
            changes.append(ZnodeCreated(path, b"", JOES_ACL if is_joes else OPEN_ACL, 0, 0))
        elif not any(other.startswith(path + "/") for other in existing):
            existing.remove(path)
            changes.append(ZnodeDeleted(path))
    return changes


@settings(max_examples=1500, deadline=None)
@given(st.booleans(), steps)
def test_the_tables_tell_what_zookeepers_rules_say(starts_full: bool, script: list[tuple[object, ...]]) -> None:
    replica, table, naive = Replica(), WatchTable(), NaiveTable()
    watchers = [RecordingWatcher(False), RecordingWatcher(True), RecordingWatcher(False)]
    existing = {"/"}
    acls: dict[str, Acl] = {"/": OPEN_ACL}
    if starts_full:
        script = [("write", [("toggle", path, path == "/ab") for path in PATHS]), *script]
    for step in script:
        if step[0] == "write":
            assert isinstance(step[1], list)
            # The ACL of a znode that one revision deletes and makes anew is the one corner where ours looks ahead.
            changes = _without_rebirth(_changes(step[1], set(existing)))
            existing = _existing_after(existing, changes)
            revision = replica.zxid + 1
            replica.apply(revision, changes)
            table.fire(changes, replica, revision)
            for change in changes:
                naive.apply(change, acls)
        elif step[0] == "register":
            assert isinstance(step[1], list)
            for kind, number, path in step[1]:
                _register(table, naive, kind, watchers[number], path)
        else:
            assert isinstance(step[1], int)
            _remove_or_drop(table, naive, watchers[step[1]], step[2:])
        table.check_invariants()
        for watcher in watchers:
            assert watcher.events == naive.events.get(watcher, [])
        assert table.watch_count() == len(naive.cells)
        data_cells = [key for key in naive.cells if key[0] == DATA]
        expected = (len(naive.listed), len({key[2] for key in data_cells}), len(data_cells))
        assert table.data_summary() == expected


def _without_rebirth(changes: list[Change]) -> list[Change]:
    """Up to the first path that was deleted or created before in the same revision with another ACL."""
    seen: set[str] = set()
    for index, change in enumerate(changes):
        if isinstance(change, ZnodeCreated):
            if change.path in seen:
                return changes[:index]
            seen.add(change.path)
        elif isinstance(change, ZnodeDeleted):
            seen.add(change.path)
    return changes


def _existing_after(existing: set[str], changes: list[Change]) -> set[str]:
    after = set(existing)
    for change in changes:
        if isinstance(change, ZnodeCreated):
            after.add(change.path)
        elif isinstance(change, ZnodeDeleted):
            after.remove(change.path)
    return after


def _register(table: WatchTable, naive: NaiveTable, kind: str, watcher: RecordingWatcher, path: str) -> None:
    if kind == "data":
        table.add_data(path, watcher)
        naive.add(DATA, watcher, path, STANDARD)
    elif kind == "child":
        table.add_child(path, watcher)
        naive.add(CHILD, watcher, path, STANDARD)
    elif kind == "persistent":
        table.add_persistent(path, watcher, False)
        naive.add(DATA, watcher, path, PERSISTENT)
        naive.add(CHILD, watcher, path, PERSISTENT)
    else:
        table.add_persistent(path, watcher, True)
        naive.add(DATA, watcher, path, RECURSIVE)


def _remove_or_drop(
    table: WatchTable, naive: NaiveTable, watcher: RecordingWatcher, arguments: tuple[object, ...]
) -> None:
    if not arguments:
        table.drop(watcher)
        naive.listed.discard(watcher)
        for key in [key for key in naive.cells if key[1] is watcher]:
            del naive.cells[key]
        return
    watcher_type, path = arguments
    assert isinstance(watcher_type, int) and isinstance(path, str)
    expected = (
        OK if any(naive.has(kind, watcher, path, modes) for kind, modes in REMOVALS[watcher_type]) else NO_WATCHER
    )
    assert table.check(path, watcher_type, watcher) == expected
    for kind, modes in REMOVALS[watcher_type]:
        naive.discard(kind, watcher, path, modes)
    assert table.remove(path, watcher_type, watcher) == expected
