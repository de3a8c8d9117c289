"""From the store's events to changes of the tree: loading it, and revisions that another writer made.

A loaded znode is built from its two keys in one go, with each key's own revisions. A foreign revision becomes changes,
so that watches fire for it; what several operations of one multi did to one key shows as the last state of it.

Invariants:
1. Applying the changes of a revision gives what loading the store at that revision gives.
2. Deletes come before creates, children before parents in deletes, parents before children in creates.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Final, final

from zkbridge.backend.interface import StoreEvent
from zkbridge.keyspace.keys import FORMAT_VERSION, KIND_CHILDREN, KIND_SESSION, KIND_ZNODE, Keyspace, session_id_of
from zkbridge.keyspace.records import (
    NO_OVERRIDE,
    KeyspaceError,
    ZnodeRecord,
    check_format,
    decode_children,
    decode_session,
    decode_znode,
)
from zkbridge.tree.changes import (
    AclSet,
    Change,
    CreatedCountSet,
    DataSet,
    SessionChanged,
    SessionClosed,
    SessionOpened,
    ZnodeCreated,
    ZnodeDeleted,
)
from zkbridge.tree.paths import SYSTEM_PATHS
from zkbridge.tree.replica import Replica, SessionRecord
from zkbridge.tree.znode import Znode

CURE_BAD_KEY: Final = (
    "an etcd client wrote it, or it is damaged: run `etcdcore --data-dir …` on the same directory, "
    "delete or mend the key with etcdctl, and start again"
)


async def load_changes(
    pages: AsyncIterator[list[StoreEvent]], replica: Replica, keyspace: Keyspace, revision: int
) -> bool:
    """Loads a fresh replica from all keys of the tree as of a revision, in key order. Raises KeyspaceError.

    Returns whether the tree has its format key; one that was never used has none.
    """
    loader = ReplicaLoader(replica, keyspace)
    async for page in pages:
        loader.add(page)
    loader.finish(revision)
    return loader.has_format


@final
class ReplicaLoader:
    """Fills a fresh replica, page by page, in key order: children keys before znode keys, parents before children."""

    __slots__ = ("_counts", "_keyspace", "_replica", "has_format")

    def __init__(self, replica: Replica, keyspace: Keyspace) -> None:
        self._replica: Final = replica
        self._keyspace: Final = keyspace
        self._counts: Final[dict[str, tuple[int, int]]] = {}
        self.has_format = False

    def add(self, events: Sequence[StoreEvent]) -> None:
        """One page of keys. Raises KeyspaceError that names the key."""
        kind_offset = len(self._keyspace.prefix)
        for event in events:
            if len(event.key) > kind_offset:
                try:
                    self._add_key(event, kind_offset)
                except KeyspaceError as error:
                    if event.key == self._keyspace.format_key:
                        raise
                    raise KeyspaceError(f"key {event.key!r}: {error}; {CURE_BAD_KEY}") from None

    def _add_key(self, event: StoreEvent, kind_offset: int) -> None:
        key = event.key
        kind = key[kind_offset]
        if kind == KIND_ZNODE:
            self._add_znode(_path_of(key, kind_offset + 1), event)
        elif kind == KIND_CHILDREN:
            count, pzxid = decode_children(event.value)
            self._counts[_path_of(key, kind_offset + 1)] = (count, pzxid or event.mod_revision)
        elif kind == KIND_SESSION:
            password, timeout_ms, bridge = decode_session(event.value)
            session_id = _session_id_of(key[kind_offset + 1 :])
            self._replica.sessions[session_id] = SessionRecord(session_id, timeout_ms, password, bridge)
        elif key == self._keyspace.format_key:
            check_format(event.value, FORMAT_VERSION)
            self.has_format = True

    def _add_znode(self, path: str, event: StoreEvent) -> None:
        record = decode_znode(event.value)
        replica = self._replica
        mod_revision = event.mod_revision
        if path in SYSTEM_PATHS:
            znode = replica.znodes[path]
            replica.data_bytes += len(record.data or b"") - len(znode.data or b"")
            znode.data = record.data
            znode.acl = record.acl
            znode.ctime = record.ctime
            znode.mtime = record.mtime
            znode.mzxid = mod_revision
        else:
            znode = self._attach(path, record, mod_revision, event.create_revision)
        znode.version = record.version
        znode.aversion = record.aversion
        if record.mzxid != NO_OVERRIDE:
            znode.mzxid = record.mzxid

    def _attach(self, path: str, record: ZnodeRecord, mod_revision: int, create_revision: int) -> Znode:
        """A new znode under its parent, with the fields in which it differs from one just created."""
        replica = self._replica
        slash = path.rfind("/")
        parent = replica.znodes.get(path[:slash] or "/")
        if parent is None or slash < 0:
            raise KeyspaceError(f"znode {path!r} has no parent in the store")
        # Equal revisions share one integer object; a million of them are 32 MB.
        czxid = mod_revision if create_revision == mod_revision else create_revision
        if record.reborn:
            czxid = mod_revision
            replica.reborn.add(path)
        elif record.czxid:
            czxid = record.czxid
            replica.reborn.add(path)
        data = record.data
        znode = Znode(data, record.acl, record.owner, czxid, record.ctime)
        znode.mzxid = mod_revision
        znode.mtime = record.mtime
        replica.znodes[path] = znode
        children = parent.children
        if children is None:
            parent.children = {path[slash + 1 :]}
        else:
            children.add(path[slash + 1 :])
        replica.data_bytes += len(path) if data is None else len(path) + len(data)
        if record.owner != 0:
            replica.index_owner(path, record.owner)
        return znode

    def finish(self, revision: int) -> None:
        """All pages are in."""
        znodes = self._replica.znodes
        for path, (count, pzxid) in self._counts.items():
            znode = znodes.get(path)
            # An older count belongs to an earlier znode of that path, deleted behind our back.
            if znode is not None and pzxid >= znode.czxid:
                znode.created_count = count
                znode.pzxid = pzxid
        self._counts.clear()
        self._replica.zxid = revision


@final
class ForeignRevision:
    """The events of one foreign revision, sorted by what they are about, and the keys that no tree could have."""

    __slots__ = ("_keyspace", "_replica", "counts", "deleted", "put", "sessions", "strange")

    def __init__(self, replica: Replica, keyspace: Keyspace) -> None:
        self._replica: Final = replica
        self._keyspace: Final = keyspace
        self.deleted: Final[list[str]] = []
        self.put: Final[list[tuple[str, ZnodeRecord]]] = []
        self.counts: Final[list[CreatedCountSet]] = []
        self.sessions: Final[list[Change]] = []
        self.strange: Final[list[str]] = []
        """What was passed over, a sentence for each key."""

    def add(self, event: StoreEvent) -> None:
        """Raises KeyspaceError on a key or value that can't be read."""
        kind_offset = len(self._keyspace.prefix)
        key = event.key
        kind = key[kind_offset]
        if kind == KIND_ZNODE:
            path = _path_of(key, kind_offset + 1)
            if event.is_put:
                self.put.append((path, decode_znode(event.value)))
            elif path in SYSTEM_PATHS:
                raise KeyspaceError("it is there whether its key is or not")
            elif path in self._replica.znodes:
                self.deleted.append(path)
        elif kind == KIND_CHILDREN:
            if event.is_put:
                count, pzxid = decode_children(event.value)
                self.counts.append(CreatedCountSet(_path_of(key, kind_offset + 1), count, pzxid))
        elif kind == KIND_SESSION:
            session_id = _session_id_of(key[kind_offset + 1 :])
            self.sessions.append(_session_change(session_id, event, self._replica))

    def drop_impossible(self) -> None:
        """Takes out deletes that would leave children behind, and puts that have no parent."""
        znodes = self._replica.znodes
        self.put.sort(key=_path_of_put)
        self.deleted.sort(reverse=True)
        going: set[str] = set()
        for path in self.deleted.copy():
            if not _stays_behind(path, znodes[path].children, going):
                going.add(path)
            else:
                self.deleted.remove(path)
                self.strange.append(f"the key of znode {path!r} was deleted, but not those of its children")
        present: set[str] = set()
        for item in self.put.copy():
            path = item[0]
            parent = path[: path.rfind("/")] or "/"
            has_parent = path[:1] == "/" and (parent in present or (parent in znodes and parent not in going))
            if path in znodes or has_parent:
                present.add(path)
            else:
                self.put.remove(item)
                self.strange.append(f"the key of znode {path!r} was put, but it has no parent")
        for change in self.counts.copy():
            path = change.path
            if path not in present and (path not in znodes or path in going):
                self.counts.remove(change)


def changes_from_events(
    events: Sequence[StoreEvent], replica: Replica, keyspace: Keyspace, strange: list[str] | None = None
) -> list[Change]:
    """What one foreign revision does to the tree.

    An etcd client may write anything below the prefix. What the tree cannot be is passed over, the znode stays as it
    was, and `strange` is told; the bridge's own next write of that znode puts its key right.
    """
    kind_offset = len(keyspace.prefix)
    foreign = ForeignRevision(replica, keyspace)
    for event in events:
        key = event.key
        if len(key) > kind_offset and key.startswith(keyspace.prefix):
            try:
                foreign.add(event)
            except KeyspaceError as error:
                foreign.strange.append(f"key {key!r}: {error}")
    foreign.drop_impossible()
    deleted = foreign.deleted
    for path, record in foreign.put:
        if record.reborn and path in replica.znodes and path not in deleted:
            deleted.append(path)
    deleted.sort(reverse=True)
    changes: list[Change] = [ZnodeDeleted(path) for path in deleted]
    for path, record in foreign.put:
        _add_put(changes, path, record, replica)
    changes.extend(foreign.counts)
    changes.extend(foreign.sessions)
    if strange is not None:
        strange.extend(foreign.strange)
    return changes


def unsettled_parents(changes: Sequence[Change]) -> list[str]:
    """Parents that lost a child in a foreign revision without a word in their children key: a lease ended by itself.

    Their pzxid is known only as long as a replica remembers; `plan_settle_parents` writes it down.
    """
    settled: set[str] = set()
    deleted: set[str] = set()
    parents: dict[str, None] = {}
    for change in changes:
        if isinstance(change, CreatedCountSet):
            settled.add(change.path)
        elif isinstance(change, ZnodeDeleted):
            parents[change.parent] = None
            deleted.add(change.path)
    return [path for path in parents if path not in settled and path not in deleted]


def _path_of_put(item: tuple[str, ZnodeRecord]) -> str:
    return item[0]


def _add_put(changes: list[Change], path: str, record: ZnodeRecord, replica: Replica) -> None:
    """One znode's put as the operations that may have led to it."""
    znode = replica.znodes.get(path)
    if znode is None or record.reborn:
        changes.append(ZnodeCreated(path, record.data, record.acl, record.owner, record.ctime, record.reborn))
        if record.version != 0:
            changes.append(DataSet(path, record.data, record.version, record.mtime, False))
        if record.aversion != 0:
            changes.append(AclSet(path, record.acl, record.aversion, False))
    elif record.mzxid != NO_OVERRIDE:
        changes.append(AclSet(path, record.acl, record.aversion, False))
    else:
        changes.append(DataSet(path, record.data, record.version, record.mtime, False))


def _session_change(session_id: int, event: StoreEvent, replica: Replica) -> Change:
    if not event.is_put:
        return SessionClosed(session_id)
    password, timeout_ms, bridge = decode_session(event.value)
    if session_id in replica.sessions:
        return SessionChanged(session_id, timeout_ms, bridge)
    return SessionOpened(session_id, timeout_ms, password, bridge)


def _stays_behind(path: str, children: Iterable[str] | None, going: set[str]) -> bool:
    """Whether one of the children is not going."""
    if children is not None:
        for name in children:
            if f"{path}/{name}" not in going:
                return True
    return False


def _session_id_of(digits: bytes) -> int:
    try:
        return session_id_of(digits)
    except ValueError:
        raise KeyspaceError(f"{digits!r} is no session id") from None


def _path_of(key: bytes, offset: int) -> str:
    try:
        return key[offset:].decode()
    except UnicodeDecodeError as error:
        raise KeyspaceError(f"key {key!r} holds no path: {error}") from None
