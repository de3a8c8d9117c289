"""From the store's events to changes of the tree: loading it, and revisions that another writer made.

A loaded znode is built from its two keys in one go, with each key's own revisions. A foreign revision becomes changes,
so that watches fire for it; what several operations of one multi did to one key shows as the last state of it.

Invariants:
1. Applying the changes of a revision gives what loading the store at that revision gives, once `plan_settle_parents`
   has written down what the keys themselves do not say (`unsettled_parents`).
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
    OF_CZXID,
    Change,
    CreatedCountSet,
    DataSet,
    RecordSet,
    SessionChanged,
    SessionClosed,
    SessionOpened,
    ZnodeCreated,
    ZnodeDeleted,
)
from zkbridge.tree.paths import CONFIG_PATH, SYSTEM_PATHS
from zkbridge.tree.replica import CONFIG_ACL, CONFIG_AVERSION, Replica, SessionRecord
from zkbridge.tree.znode import Znode, is_session_owner
from zkbridge.types import hex_of

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
        czxid = _czxid_of(record, mod_revision, create_revision)
        if record.reborn or record.czxid:
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
        """All pages are in. Raises KeyspaceError on a tree that cannot be."""
        znodes = self._replica.znodes
        for paths in self._replica.ephemerals.values():
            for path in paths.ordered():
                if znodes[path].children is not None:
                    raise KeyspaceError(f"znode {path!r} is an ephemeral and has children; {CURE_BAD_KEY}")
        for path, (count, pzxid) in self._counts.items():
            znode = znodes.get(path)
            # An older count belongs to an earlier znode of that path, deleted behind our back.
            if znode is not None and pzxid >= znode.czxid:
                znode.created_count = count
                znode.pzxid = pzxid
        self._counts.clear()
        self._replica.count_quotas()
        self._replica.zxid = revision


@final
class ForeignPut:
    """A znode's key that a foreign revision put."""

    __slots__ = ("create_revision", "mod_revision", "path", "record")

    def __init__(self, path: str, record: ZnodeRecord, create_revision: int, mod_revision: int) -> None:
        self.path: Final = path
        self.record: Final = record
        self.create_revision: Final = create_revision
        self.mod_revision: Final = mod_revision


@final
class ForeignRevision:
    """The events of one foreign revision, sorted by what they are about, and the keys that no tree could have."""

    __slots__ = ("_keyspace", "_replica", "counts", "deleted", "put", "sessions", "strange")

    def __init__(self, replica: Replica, keyspace: Keyspace) -> None:
        self._replica: Final = replica
        self._keyspace: Final = keyspace
        self.deleted: Final[list[str]] = []
        self.put: Final[list[ForeignPut]] = []
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
                self.put.append(ForeignPut(path, decode_znode(event.value), event.create_revision, event.mod_revision))
            elif path in SYSTEM_PATHS:
                self.put.append(ForeignPut(path, _record_without_key(path), 0, event.mod_revision))
            elif path in self._replica.znodes:
                self.deleted.append(path)
        elif kind == KIND_CHILDREN:
            path = _path_of(key, kind_offset + 1)
            if event.is_put:
                count, pzxid = decode_children(event.value)
                self.counts.append(CreatedCountSet(path, count, pzxid))
            else:
                self.counts.append(CreatedCountSet(path, 0, OF_CZXID))
        elif kind == KIND_SESSION:
            session_id = _session_id_of(key[kind_offset + 1 :])
            self.sessions.append(_session_change(session_id, event, self._replica))

    def drop_impossible(self) -> None:
        """Takes out deletes that would leave children behind, and puts that no tree can have."""
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
        owners: dict[str, int] = {}
        for put in self.put.copy():
            reason = self._why_impossible(put, owners, going)
            if reason == "":
                owners[put.path] = put.record.owner
            else:
                self.put.remove(put)
                self.strange.append(f"the key of znode {put.path!r} was put, but {reason}")
        for change in self.counts.copy():
            path = change.path
            if path not in owners and (path not in znodes or path in going):
                self.counts.remove(change)

    def _why_impossible(self, put: ForeignPut, owners: dict[str, int], going: set[str]) -> str:
        """"" for a put that a tree can have. `owners`: those of the znodes put so far."""
        path = put.path
        znodes = self._replica.znodes
        present = path in znodes and path not in going
        if path[:1] != "/":
            return "it has no parent"
        if path not in SYSTEM_PATHS:
            parent = path[: path.rfind("/")] or "/"
            if parent in owners:
                parent_owner = owners[parent]
            elif parent in znodes and parent not in going:
                parent_owner = znodes[parent].owner
            else:
                return "it has no parent"
            if is_session_owner(parent_owner):
                return "its parent is an ephemeral"
            owner = put.record.owner
            if is_session_owner(owner) and not (present and znodes[path].owner == owner):
                if present and _stays_behind(path, znodes[path].children, going):
                    return "an ephemeral cannot have its children"
                if not self._has_session(owner):
                    return f"its owner {hex_of(owner)} is no session that is open"
        return ""

    def _has_session(self, session_id: int) -> bool:
        for change in self.sessions:
            if isinstance(change, SessionOpened) and change.session_id == session_id:
                return True
            if isinstance(change, SessionClosed) and change.session_id == session_id:
                return False
        return session_id in self._replica.sessions


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
    znodes = replica.znodes
    going = set(foreign.deleted)
    for put in reversed(foreign.put):  # children first
        path = put.path
        if (
            put.record.reborn
            and path in znodes
            and path not in SYSTEM_PATHS
            and path not in going
            and not _stays_behind(path, znodes[path].children, going)
        ):
            going.add(path)
    changes: list[Change] = [ZnodeDeleted(path) for path in sorted(going, reverse=True)]
    czxids: dict[str, int] = {}
    for put in foreign.put:
        znode = None if put.path in going else znodes.get(put.path)
        _add_put(changes, put, znode)
        czxids[put.path] = _czxid_of(put.record, put.mod_revision, put.create_revision)
    for count in foreign.counts:
        path = count.path
        czxid = 0 if path in SYSTEM_PATHS else czxids[path] if path in czxids else znodes[path].czxid
        changes.append(CreatedCountSet(path, 0, OF_CZXID) if 0 < count.pzxid < czxid else count)
    changes.extend(foreign.sessions)
    if strange is not None:
        strange.extend(foreign.strange)
    return changes


def unsettled_parents(changes: Sequence[Change], replica: Replica) -> list[str]:
    """Znodes whose count of children or pzxid a fresh load would not find in the store. Call it before applying.

    1. A parent that lost or won a child without a word in its children key: a lease ended by itself, or a foreign hand
    wrote the child's key alone. 2. A znode that got another czxid, which decides whether its children key counts.
    """
    settled: set[str] = set()
    deleted: set[str] = set()
    paths: dict[str, None] = {}
    for change in changes:
        if isinstance(change, CreatedCountSet):
            settled.add(change.path)
        elif isinstance(change, ZnodeDeleted):
            paths[change.parent] = None
            deleted.add(change.path)
        elif isinstance(change, ZnodeCreated):
            paths[change.parent] = None
            deleted.discard(change.path)
        elif isinstance(change, RecordSet):
            znode = replica.znodes.get(change.path)
            if znode is None or znode.czxid != change.czxid:
                paths[change.path] = None
    return [path for path in paths if path not in settled and path not in deleted]


def _path_of_put(put: ForeignPut) -> str:
    return put.path


def _czxid_of(record: ZnodeRecord, mod_revision: int, create_revision: int) -> int:
    """The revision that made a znode whose key has these."""
    if record.reborn:
        return mod_revision
    if record.czxid:
        return record.czxid
    # Equal revisions share one integer object; a million of them are 32 MB.
    return mod_revision if create_revision == mod_revision else create_revision


def _record_without_key(path: str) -> ZnodeRecord:
    """A system znode is there whether its key is or not: without one it is as on a fresh server."""
    record = ZnodeRecord()
    record.data = b""
    record.mzxid = 0
    if path == CONFIG_PATH:
        record.acl = CONFIG_ACL
        record.aversion = CONFIG_AVERSION
    return record


def _add_put(changes: list[Change], put: ForeignPut, znode: Znode | None) -> None:
    """One znode's put as the operations that may have led to it. `znode` is None if it is born here.

    Data watches fire for a setData: the put moves mzxid, or has other data or another version.
    """
    path = put.path
    record = put.record
    is_system = path in SYSTEM_PATHS
    czxid = 0 if is_system else _czxid_of(record, put.mod_revision, put.create_revision)
    mzxid = put.mod_revision if record.mzxid == NO_OVERRIDE else record.mzxid
    owner = 0 if is_system else record.owner
    is_reborn = not is_system and (record.reborn or record.czxid != 0)
    if znode is None:
        changes.append(ZnodeCreated(path, record.data, record.acl, owner, record.ctime, is_reborn))
        if record.version != 0:
            changes.append(DataSet(path, record.data, record.version, record.mtime, False))
        is_told = (
            record.aversion == 0
            and czxid == put.mod_revision
            and mzxid == put.mod_revision
            and (record.version != 0 or record.mtime == record.ctime)
        )
    else:
        is_set = record.mzxid == NO_OVERRIDE or record.data != znode.data or record.version != znode.version
        if is_set:
            changes.append(DataSet(path, record.data, record.version, record.mtime, False))
        is_told = (
            is_set
            and mzxid == put.mod_revision
            and record.acl == znode.acl
            and record.aversion == znode.aversion
            and record.ctime == znode.ctime
            and owner == znode.owner
            and czxid == znode.czxid
            and not is_reborn
        )
    if not is_told:
        changes.append(
            RecordSet(path, record.acl, record.aversion, owner, record.ctime, record.mtime, czxid, mzxid, is_reborn)
        )


def _session_change(session_id: int, event: StoreEvent, replica: Replica) -> Change:
    if not event.is_put:
        return SessionClosed(session_id)
    password, timeout_ms, bridge = decode_session(event.value)
    if session_id in replica.sessions:
        return SessionChanged(session_id, timeout_ms, password, bridge)
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
