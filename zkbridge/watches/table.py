"""The watch tables of one bridge: which connection is told of which change.

ZooKeeper keeps two tables, data and child, whose cells (connection, path) hold a set of modes. Its rules place the
modes so that four plain maps say the same:

    map          in ZooKeeper's tables                   set by
    _data        data, STANDARD                          exists, getData
    _child       child, STANDARD                         getChildren, getChildren2
    _persistent  data and child, PERSISTENT (always both) addWatch mode 0
    _recursive   data, RECURSIVE                         addWatch mode 1

Worked example, connections A and B: A getData(/a), A getChildren(/), B addWatch(/, recursive)
    setData /a    A: 3 /a            B: 3 /a         left: A child /, B recursive /
    delete  /a    A: 4 /             B: 2 /a         left: B recursive /        (never type 4 to B)

Invariants:
1. `_x[path]` holds a watcher exactly if that watcher's `_Watched.x` holds the path; no empty inner map is kept.
2. One fire gives a watcher one event at most, however many of its watches it touches.
3. A fire takes the one-shot watches with it, whether or not the ACL lets the event out.

Source: ZooKeeper WatchManager.triggerWatch, DataTree (3.9); reference 4.7 and 4.9.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Final, final

from mypy_extensions import mypyc_attr

from zkbridge.errors import MARSHALLING_ERROR, NO_WATCHER, OK, ProtocolError
from zkbridge.summary import Summary
from zkbridge.tree.acl import OPEN_ACL, READ, Acl, Credentials, check_acl
from zkbridge.tree.changes import Change, DataSet, ZnodeCreated, ZnodeDeleted
from zkbridge.tree.replica import Replica
from zkbridge.watches.events import (
    NODE_CHILDREN_CHANGED,
    NODE_CREATED,
    NODE_DATA_CHANGED,
    NODE_DELETED,
    encode_event,
)

WATCHER_CHILDREN: Final = 1
WATCHER_DATA: Final = 2
WATCHER_ANY: Final = 3
WATCHER_PERSISTENT: Final = 4
WATCHER_PERSISTENT_RECURSIVE: Final = 5

LENGTH_BYTES: Final = 4

WATCHES_OF_ONE_KIND_MAX: Final = 1_000_000
"""Of one connection. At some 200 bytes each this caps what one client can pin at under 1 GB; ZooKeeper has no bound.
The connection is closed at the bound, since a watch that is silently not set would break its client."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Watcher(ABC):
    """A connection as the tables see it. Compared and hashed by identity."""

    __slots__ = ("credentials",)

    def __init__(self, credentials: Credentials) -> None:
        # Here and in no subclass's slots: compiled code reads it at a fixed place of this class.
        self.credentials = credentials

    @abstractmethod
    def notify(self, frame: bytes) -> None:
        """Queue one encoded event. Must not call back into the table."""


@final
class _Watched:
    """The paths that one connection watches, by map: what `drop` walks.

    `is_listed`: it has had a watch in the data table. ZooKeeper's listings and their count of connections go on with
    such a one when its last watch has fired.
    """

    __slots__ = ("child", "data", "is_listed", "persistent", "recursive")

    def __init__(self) -> None:
        self.data: Final[set[str]] = set()
        self.child: Final[set[str]] = set()
        self.persistent: Final[set[str]] = set()
        self.recursive: Final[set[str]] = set()
        self.is_listed = False


# Ordered by registration, so that the order of events never hangs on addresses in memory. The value saves a look-up.
_Watchers = dict[Watcher, _Watched]


@final
class WatchTable:
    """All watches of the connections of this bridge. Owned by the bridge's loop."""

    __slots__ = (
        "_child",
        "_data",
        "_persistent",
        "_recursive",
        "_watched",
        "_watches_max",
        "changed",
        "children_changed",
        "created",
        "deleted",
        "event_bytes",
    )

    def __init__(self, watches_max: int = WATCHES_OF_ONE_KIND_MAX) -> None:
        self._watches_max: Final = watches_max
        self._data: Final[dict[str, _Watchers]] = {}
        self._child: Final[dict[str, _Watchers]] = {}
        self._persistent: Final[dict[str, _Watchers]] = {}
        self._recursive: Final[dict[str, _Watchers]] = {}
        self._watched: Final[dict[Watcher, _Watched]] = {}
        # How many watches each event that had any told, for mntr.
        self.created: Final = Summary()
        self.deleted: Final = Summary()
        self.changed: Final = Summary()
        self.children_changed: Final = Summary()
        self.event_bytes = 0
        """Of all events so far, without their lengths, as in ZooKeeper."""

    # Registration.

    def add_data(self, path: str, watcher: Watcher) -> None:
        """The one-shot watch of exists and getData. Raises ProtocolError at the bound."""
        watched = self._watched_of(watcher)
        watched.is_listed = True
        self._register(self._data, watched.data, path, watcher, watched)

    def add_child(self, path: str, watcher: Watcher) -> None:
        """The one-shot watch of getChildren. Raises ProtocolError at the bound."""
        watched = self._watched_of(watcher)
        self._register(self._child, watched.child, path, watcher, watched)

    def add_persistent(self, path: str, watcher: Watcher, recursive: bool) -> None:
        """The watch of addWatch, modes 0 and 1 (recursive). Raises ProtocolError at the bound."""
        watched = self._watched_of(watcher)
        watched.is_listed = True
        if recursive:
            self._register(self._recursive, watched.recursive, path, watcher, watched)
        else:
            self._register(self._persistent, watched.persistent, path, watcher, watched)

    def check(self, path: str, watcher_type: int, watcher: Watcher) -> int:
        """OK if the connection has such a watch. Refuses NO_WATCHER; MARSHALLING_ERROR on an unknown type."""
        if watcher_type < WATCHER_CHILDREN or watcher_type > WATCHER_PERSISTENT_RECURSIVE:
            return MARSHALLING_ERROR
        watched = self._watched.get(watcher)
        if watched is None:
            return NO_WATCHER
        wants_any = watcher_type == WATCHER_ANY
        found = (
            ((wants_any or watcher_type == WATCHER_CHILDREN) and path in watched.child)
            or ((wants_any or watcher_type == WATCHER_DATA) and path in watched.data)
            or ((wants_any or watcher_type == WATCHER_PERSISTENT) and path in watched.persistent)
            or ((wants_any or watcher_type == WATCHER_PERSISTENT_RECURSIVE) and path in watched.recursive)
        )
        return OK if found else NO_WATCHER

    def remove(self, path: str, watcher_type: int, watcher: Watcher) -> int:
        """Remove what `check` would find. Same answers."""
        code = self.check(path, watcher_type, watcher)
        if code != OK:
            return code
        watched = self._watched[watcher]
        wants_any = watcher_type == WATCHER_ANY
        if wants_any or watcher_type == WATCHER_CHILDREN:
            _unregister(self._child, watched.child, path, watcher)
        if wants_any or watcher_type == WATCHER_DATA:
            _unregister(self._data, watched.data, path, watcher)
        if wants_any or watcher_type == WATCHER_PERSISTENT:
            _unregister(self._persistent, watched.persistent, path, watcher)
        if wants_any or watcher_type == WATCHER_PERSISTENT_RECURSIVE:
            _unregister(self._recursive, watched.recursive, path, watcher)
        return OK

    def drop(self, watcher: Watcher) -> None:
        """Forget a connection that closed; harmless if it never watched anything."""
        watched = self._watched.pop(watcher, None)
        if watched is None:
            return
        _drop_paths(self._data, watched.data, watcher)
        _drop_paths(self._child, watched.child, watcher)
        _drop_paths(self._persistent, watched.persistent, watcher)
        _drop_paths(self._recursive, watched.recursive, watcher)

    # Firing.

    def fire(self, changes: list[Change], replica: Replica, zxid: int) -> None:
        """Notify of one revision's changes, in their order. `replica` has applied them all."""
        if not (self._data or self._child or self._persistent or self._recursive):
            return
        for change in changes:
            if isinstance(change, DataSet):
                path = change.path
                recipients = self._take_data_watchers(path)
                if recipients is not None:
                    self.changed.note(len(recipients))
                    acl = _acl_of(path, changes, replica)
                    self.event_bytes += _notify(recipients, encode_event(NODE_DATA_CHANGED, path, zxid), acl)
            elif isinstance(change, ZnodeCreated):
                path = change.path
                recipients = self._take_data_watchers(path)
                if recipients is not None:
                    self.created.note(len(recipients))
                    self.event_bytes += _notify(recipients, encode_event(NODE_CREATED, path, zxid), change.acl)
                self._fire_parent(change.parent, changes, replica, zxid)
            elif isinstance(change, ZnodeDeleted):
                self._fire_deleted(change, zxid)
                self._fire_parent(change.parent, changes, replica, zxid)

    def _fire_deleted(self, change: ZnodeDeleted, zxid: int) -> None:
        path = change.path
        recipients = self._take_data_watchers(path)
        # Persistent watches are in both of ZooKeeper's tables, so the data table has told them already.
        children = self._child.pop(path, None)
        if children is not None:
            for watched in children.values():
                watched.child.remove(path)
            if recipients is None:
                recipients = children
            else:
                recipients.update(children)
        if recipients is not None:
            self.deleted.note(len(recipients))
            self.event_bytes += _notify(recipients, encode_event(NODE_DELETED, path, zxid), change.acl)

    def _fire_parent(self, parent: str, changes: Sequence[Change], replica: Replica, zxid: int) -> None:
        recipients = self._child.pop(parent, None)
        if recipients is not None:
            for watched in recipients.values():
                watched.child.remove(parent)
        if self._persistent:
            persistent = self._persistent.get(parent)
            if persistent is not None:
                recipients = _union(recipients, persistent)
        if recipients is not None:
            self.children_changed.note(len(recipients))
            acl = _acl_of(parent, changes, replica)
            self.event_bytes += _notify(recipients, encode_event(NODE_CHILDREN_CHANGED, parent, zxid), acl)

    def _take_data_watchers(self, path: str) -> _Watchers | None:
        """Who hears of a change of `path` itself; the one-shot watches among them are gone from the table. The caller
        owns the result."""
        recipients = self._data.pop(path, None)
        if recipients is not None:
            for watched in recipients.values():
                watched.data.remove(path)
        if self._persistent:
            persistent = self._persistent.get(path)
            if persistent is not None:
                recipients = _union(recipients, persistent)
        if self._recursive:
            place = path
            while True:
                recursive = self._recursive.get(place)
                if recursive is not None:
                    recipients = _union(recipients, recursive)
                if place == "/":
                    break
                place = place[: place.rfind("/")] or "/"
        return recipients

    # Counts and listings. ZooKeeper's four-letter words show the data table only, mntr counts both.

    def watch_count(self) -> int:
        """Cells in use in both of ZooKeeper's tables (mntr's zk_watch_count)."""
        count = 0
        for watched in self._watched.values():
            count += _data_count(watched) + len(watched.child)
            for path in watched.persistent:
                if path not in watched.child:
                    count += 1
        return count

    def data_summary(self) -> tuple[int, int, int]:
        """(connections, paths, watches) of the data table."""
        connections = 0
        watches = 0
        for watched in self._watched.values():
            if watched.is_listed:
                connections += 1
                watches += _data_count(watched)
        paths = len(self._data)
        for path in self._persistent:
            if path not in self._data:
                paths += 1
        for path in self._recursive:
            if path not in self._data and path not in self._persistent:
                paths += 1
        return connections, paths, watches

    def data_paths(self) -> Iterator[tuple[Watcher, set[str]]]:
        """Each connection that has had a watch in the data table, and the paths that it watches now."""
        for watcher, watched in self._watched.items():
            if watched.is_listed:
                yield watcher, watched.data | watched.persistent | watched.recursive

    def listed_watchers(self) -> list[Watcher]:
        """All that have had a watch in the data table, as of now."""
        return [watcher for watcher, watched in self._watched.items() if watched.is_listed]

    def data_path_lists(self, watcher: Watcher) -> list[list[str]]:
        """What one has in the data table, as of now, by kind; a path may be in several. Empty lists once it is gone."""
        watched = self._watched.get(watcher)
        if watched is None:
            return [[]]
        return [list(watched.data), list(watched.persistent), list(watched.recursive)]

    def all_data_path_lists(self) -> list[list[str]]:
        """The paths of the data table, as of now, by kind; a path may be in several."""
        return [list(self._data), list(self._persistent), list(self._recursive)]

    def data_watchers(self, path: str) -> list[Watcher]:
        """Who watches this path in the data table."""
        found: _Watchers = {}
        for path_map in (self._data, self._persistent, self._recursive):
            found.update(path_map.get(path, {}))
        return list(found)

    def check_invariants(self) -> None:
        """Assert the module's invariant 1."""
        for watchers in (self._data, self._child, self._persistent, self._recursive):
            assert all(watchers.values()), "an empty inner map is kept"  # I1
        for watcher, watched in self._watched.items():
            for path_map, paths in self._maps_of(watched):
                assert all(path_map[path][watcher] is watched for path in paths)  # I1
        for index, path_map in enumerate((self._data, self._child, self._persistent, self._recursive)):
            cells = sum(len(watchers) for watchers in path_map.values())
            listed = sum(len(self._maps_of(watched)[index][1]) for watched in self._watched.values())
            assert cells == listed, f"{cells} cells, {listed} listed"  # I1

    def _maps_of(self, watched: _Watched) -> list[tuple[dict[str, _Watchers], set[str]]]:
        return [
            (self._data, watched.data),
            (self._child, watched.child),
            (self._persistent, watched.persistent),
            (self._recursive, watched.recursive),
        ]

    def _register(
        self, path_map: dict[str, _Watchers], paths: set[str], path: str, watcher: Watcher, watched: _Watched
    ) -> None:
        if path in paths:
            return
        if len(paths) >= self._watches_max:
            raise ProtocolError(f"the connection has {len(paths)} watches of one kind, expected fewer than that")
        paths.add(path)
        watchers = path_map.get(path)
        if watchers is None:
            path_map[path] = {watcher: watched}
        else:
            watchers[watcher] = watched

    def _watched_of(self, watcher: Watcher) -> _Watched:
        watched = self._watched.get(watcher)
        if watched is None:
            watched = self._watched[watcher] = _Watched()
        return watched


def _data_count(watched: _Watched) -> int:
    """Cells of the data table. Looks only at the kinds that overlap, of which there are few: this is asked for with
    every scrape, and one connection may have a million one-shot watches."""
    data = watched.data
    persistent = watched.persistent
    count = len(data)
    for path in persistent:
        if path not in data:
            count += 1
    for path in watched.recursive:
        if path not in data and path not in persistent:
            count += 1
    return count


def _unregister(path_map: dict[str, _Watchers], paths: set[str], path: str, watcher: Watcher) -> None:
    if path not in paths:
        return
    paths.remove(path)
    watchers = path_map[path]
    del watchers[watcher]
    if not watchers:
        del path_map[path]


def _drop_paths(path_map: dict[str, _Watchers], paths: set[str], watcher: Watcher) -> None:
    for path in paths:
        watchers = path_map[path]
        del watchers[watcher]
        if not watchers:
            del path_map[path]


def _union(first: _Watchers | None, second: _Watchers) -> _Watchers:
    """Both in one map that the caller owns; `first` is consumed, `second` is left as it is."""
    if first is None:
        return second.copy()
    first.update(second)
    return first


def _notify(recipients: _Watchers, frame: bytes, acl: Acl) -> int:
    """Returns the bytes queued."""
    if acl is OPEN_ACL:
        for watcher in recipients:
            watcher.notify(frame)
        return (len(frame) - LENGTH_BYTES) * len(recipients)
    told_count = 0
    # Clients of one host or one user have equal ids, and an address is dear to match.
    verdicts: dict[tuple[tuple[str, str], ...], bool] = {}
    for watcher in recipients:
        credentials = watcher.credentials
        if not credentials.is_super:
            verdict = verdicts.get(credentials.ids)
            if verdict is None:
                verdict = verdicts[credentials.ids] = check_acl(acl, READ, credentials)
            if not verdict:
                continue
        told_count += 1
        watcher.notify(frame)
    return (len(frame) - LENGTH_BYTES) * told_count


def _acl_of(path: str, changes: Sequence[Change], replica: Replica) -> Acl:
    """The ACL for an event about a znode that this change did not create or delete.

    A later change of the same revision may have deleted it; then its last ACL stands there. Differs in one corner: when
    a multi changes the ACL after the event's change, ours is the later one.
    """
    znode = replica.znodes.get(path)
    if znode is not None:
        return znode.acl
    for change in changes:
        if isinstance(change, ZnodeDeleted) and change.path == path:
            return change.acl
    return OPEN_ACL  # Never seen by this replica: ZooKeeper's check passes without an ACL too.
