"""The whole tree in memory, as of one revision.

Invariants:
1. `zxid` never goes back.
2. Every path's parent is in `znodes`, and its name is in that parent's children, and nothing else is.
3. `ephemerals`, `containers`, `ttl_znodes` and the counters agree with the znodes' owners and data.
4. A child list in `child_lists` is the encoding of the children as they are.
"""

from typing import Final, final

from zkbridge.tree.acl import OPEN_ACL, READ, AclEntry
from zkbridge.tree.changes import (
    OF_CZXID,
    AclSet,
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
from zkbridge.tree.java_order import JavaHashSet
from zkbridge.tree.paths import CONFIG_PATH, SYSTEM_PATHS
from zkbridge.tree.quota import (
    BYTES,
    COUNT,
    NO_LIMIT,
    QUOTA_PATH,
    QUOTA_PREFIX,
    STATS_NAME,
    Quotas,
    encode_figures,
    parse_figures,
)
from zkbridge.tree.znode import CONTAINER_OWNER, INT32_MAX, Znode, is_session_owner

_CONFIG_ENTRIES: Final = [AclEntry(READ, "world", "anyone")]
CONFIG_ACL: Final = tuple(_CONFIG_ENTRIES)
CONFIG_AVERSION: Final = -1
"""What `/zookeeper/config` has on a fresh server, where the other system znodes are open."""

CHILD_LISTS_MAX: Final = 10_000
"""Parents whose encoded child list is kept; past it all are dropped: cheap to make, large to keep."""


_STATS_END: Final = "/" + STATS_NAME


def _size_of(data: bytes | None) -> int:
    return 0 if data is None else len(data)


@final
class SessionRecord:
    """A session as the store knows it. `timeout_ms` is the negotiated one; `bridge` holds its connection."""

    __slots__ = ("bridge", "password", "session_id", "timeout_ms")

    def __init__(self, session_id: int, timeout_ms: int, password: bytes, bridge: str) -> None:
        self.session_id: Final = session_id
        self.timeout_ms: Final = timeout_ms
        self.password: Final = password
        self.bridge: Final = bridge


@final
class Replica:
    """The tree, the sessions and every index over them. Read it freely; only `apply` and the loader change it."""

    __slots__ = (
        "child_lists",
        "containers",
        "data_bytes",
        "ephemeral_count",
        "ephemerals",
        "quotas",
        "reborn",
        "sessions",
        "ttl_znodes",
        "znodes",
        "zxid",
    )

    def __init__(self) -> None:
        self.zxid = 0
        self.znodes: Final[dict[str, Znode]] = {}
        # By owner, those of a session that has none any more too, as in ZooKeeper: its table keeps its size.
        self.ephemerals: Final[dict[int, JavaHashSet]] = {}
        self.sessions: Final[dict[int, SessionRecord]] = {}
        self.containers: Final[set[str]] = set()
        self.ttl_znodes: Final[set[str]] = set()
        # Paths whose store key is older than the znode: their czxid must be written into every new value.
        self.reborn: Final[set[str]] = set()
        self.child_lists: Final[dict[str, bytes]] = {}
        self.quotas: Final = Quotas()
        self.ephemeral_count = 0
        # Bytes of all paths and data, as ZooKeeper's approximate data size counts them.
        self.data_bytes = 0
        self._make_system_znodes()

    def _make_system_znodes(self) -> None:
        """The four znodes of a fresh server, which have no key in the store until they change (reference 4.3)."""
        for path in sorted(SYSTEM_PATHS):
            self.znodes[path] = Znode(b"", OPEN_ACL, 0, 0, 0)
            self.data_bytes += len(path)
        self.znodes["/"].children = {"zookeeper"}
        self.znodes["/zookeeper"].children = {"config", "quota"}
        config = self.znodes[CONFIG_PATH]
        config.acl = CONFIG_ACL
        config.aversion = CONFIG_AVERSION

    def show_config(self, text: bytes, version: int, now_ms: int) -> None:
        """What a member of an ensemble shows in /zookeeper/config, from its start on. It has no key in the store."""
        config = self.znodes[CONFIG_PATH]
        config.data = text
        config.version = -1
        config.mzxid = version
        config.mtime = now_ms
        config.stat_cache = None
        self.data_bytes += len(text)

    # Applying

    def apply(self, revision: int, changes: list[Change]) -> None:
        """One whole revision. Fills in the Stats that were asked for, and the last ACL of what was deleted."""
        for change in changes:
            if isinstance(change, DataSet):
                znode = self.znodes[change.path]
                data = change.data
                old_data = znode.data
                if data is not None:
                    self.data_bytes += len(data)
                if old_data is not None:
                    self.data_bytes -= len(old_data)
                znode.data = data
                znode.version = change.version
                znode.mtime = change.mtime_ms
                znode.mzxid = revision
                znode.stat_cache = None
                if change.wants_stat:
                    change.stat = znode.stat()
                if self.quotas.limited:
                    self._count(change.path, 0, _size_of(data) - _size_of(old_data))
            elif isinstance(change, ZnodeCreated):
                self._create(revision, change)
            elif isinstance(change, ZnodeDeleted):
                self._delete(revision, change)
            else:
                self._apply_rare(revision, change)
        assert revision >= self.zxid  # I1
        self.zxid = revision

    def _create(self, revision: int, change: ZnodeCreated) -> None:
        path = change.path
        parent_path = change.parent
        assert path not in self.znodes, path
        data = change.data
        owner = change.owner
        znode = Znode(data, change.acl, owner, revision, change.ctime_ms)
        self.znodes[path] = znode
        parent = self.znodes[parent_path]
        name = path[len(parent_path) + 1 :] if parent_path != "/" else path[1:]
        children = parent.children
        if children is None:
            parent.children = {name}
        else:
            children.add(name)
        if parent.created_count < INT32_MAX:
            parent.created_count += 1
        parent.pzxid = revision
        parent.stat_cache = None
        if self.child_lists:
            self.child_lists.pop(parent_path, None)
        self.data_bytes += len(path) if data is None else len(path) + len(data)
        if owner != 0:
            self.index_owner(path, owner)
        if change.reborn:
            self.reborn.add(path)
        if change.wants_stat:
            change.stat = znode.stat()
        if path.startswith(QUOTA_PREFIX):
            self.quotas.znode_created(path)
            if path.endswith(_STATS_END):
                self._count_anew(path)
        if self.quotas.limited:
            self._count(path, 1, _size_of(data))

    def _delete(self, revision: int, change: ZnodeDeleted) -> None:
        path = change.path
        parent_path = change.parent
        znode = self.znodes.pop(path)
        assert znode.children is None, path
        change.acl = znode.acl
        parent = self.znodes[parent_path]
        children = parent.children
        assert children is not None
        children.remove(path[len(parent_path) + 1 :] if parent_path != "/" else path[1:])
        if not children:
            parent.children = None
        parent.pzxid = revision
        parent.stat_cache = None
        if self.child_lists:
            self.child_lists.pop(parent_path, None)
            self.child_lists.pop(path, None)
        data = znode.data
        self.data_bytes -= len(path) if data is None else len(path) + len(data)
        if znode.owner != 0:
            self._unindex_owner(path, znode.owner)
        if self.reborn:
            self.reborn.discard(path)
        if self.quotas.limited:
            if path.startswith(QUOTA_PREFIX):
                self.quotas.znode_deleted(path)
            self._count(path, -1, -_size_of(data))

    def _apply_rare(self, revision: int, change: Change) -> None:
        if isinstance(change, AclSet):
            znode = self.znodes[change.path]
            znode.acl = change.acl
            znode.aversion = change.aversion
            znode.stat_cache = None
            if change.wants_stat:
                change.stat = znode.stat()
        elif isinstance(change, CreatedCountSet):
            znode = self.znodes[change.path]
            znode.created_count = change.count
            znode.pzxid = znode.czxid if change.pzxid == OF_CZXID else change.pzxid or revision
            znode.stat_cache = None
        elif isinstance(change, RecordSet):
            self._set_record(change)
        elif isinstance(change, (SessionOpened, SessionChanged)):
            self.sessions[change.session_id] = SessionRecord(
                change.session_id, change.timeout_ms, change.password, change.bridge
            )
        elif isinstance(change, SessionClosed):
            self.sessions.pop(change.session_id, None)
            paths = self.ephemerals.get(change.session_id)
            if paths is not None and not len(paths):
                del self.ephemerals[change.session_id]
        else:
            raise AssertionError(f"unknown change {change!r}")

    def _set_record(self, change: RecordSet) -> None:
        path = change.path
        znode = self.znodes[path]
        if znode.owner != change.owner:
            if znode.owner != 0:
                self._unindex_owner(path, znode.owner)
            znode.owner = change.owner
            if znode.owner != 0:
                self.index_owner(path, znode.owner)
        if change.czxid != znode.czxid:
            # A children key older than the znode does not count, and one of no children has none.
            if znode.pzxid < change.czxid or (znode.created_count == 0 and znode.pzxid == znode.czxid):
                znode.created_count = 0
                znode.pzxid = change.czxid
            znode.czxid = change.czxid
        if change.is_reborn:
            self.reborn.add(path)
        elif self.reborn:
            self.reborn.discard(path)
        znode.acl = change.acl
        znode.aversion = change.aversion
        znode.ctime = change.ctime_ms
        znode.mtime = change.mtime_ms
        znode.mzxid = change.mzxid
        znode.stat_cache = None

    # Quotas

    def _count(self, path: str, added: int, added_bytes: int) -> None:
        """A change at this path, for the stats of the quota over it. Source: ZooKeeper DataTree.updateQuotaStat."""
        over = self.quotas.path_over(path)
        if over == "":
            return
        stats_path = QUOTA_PATH + over + _STATS_END
        znode = self.znodes.get(stats_path)
        if znode is None:
            return
        figures = parse_figures(znode.data)
        if figures is None:
            self._count_anew(stats_path)
            return
        figures[COUNT] = figures.get(COUNT, NO_LIMIT) + added
        figures[BYTES] = figures.get(BYTES, NO_LIMIT) + added_bytes
        self._set_stats(znode, figures)

    def _count_anew(self, stats_path: str) -> None:
        """Makes the figures of stats that are new, just loaded, or none. Source: ZooKeeper DataTree.getCounts."""
        count = 0
        size = 0
        paths = [stats_path[len(QUOTA_PATH) : -len(_STATS_END)] or "/"]
        while paths:
            path = paths.pop()
            znode = self.znodes.get(path)
            if znode is None:
                continue
            count += 1
            size += _size_of(znode.data)
            if znode.children is not None:
                start = "/" if path == "/" else path + "/"
                paths.extend([start + name for name in znode.children])
        self._set_stats(self.znodes[stats_path], {COUNT: count, BYTES: size})

    def _set_stats(self, znode: Znode, figures: dict[str, int]) -> None:
        data = encode_figures(figures)
        self.data_bytes += len(data) - _size_of(znode.data)
        znode.data = data
        znode.stat_cache = None

    def count_quotas(self) -> None:
        """The tree is loaded: finds the quotas and makes their figures. Source: ZooKeeper DataTree.setupQuota."""
        paths = [QUOTA_PATH]
        stats: list[str] = []
        while paths:
            path = paths.pop()
            children = self.znodes[path].children
            if children is not None:
                paths.extend([f"{path}/{name}" for name in children])
            self.quotas.znode_created(path)
            if path.endswith(_STATS_END):
                stats.append(path)
        # In order of depth, or a quota over quotas would count figures that are not made yet.
        stats.sort(key=len, reverse=True)
        for path in stats:
            self._count_anew(path)

    # Indexes

    def index_owner(self, path: str, owner: int) -> None:
        """Enters a znode with an owner where the reaper and session closing look for it."""
        if is_session_owner(owner):
            paths = self.ephemerals.get(owner)
            if paths is None:
                paths = self.ephemerals[owner] = JavaHashSet()
            paths.add(path)
            self.ephemeral_count += 1
        elif owner == CONTAINER_OWNER:
            self.containers.add(path)
        else:
            self.ttl_znodes.add(path)

    def _unindex_owner(self, path: str, owner: int) -> None:
        if is_session_owner(owner):
            paths = self.ephemerals[owner]
            paths.discard(path)
            if not len(paths) and owner not in self.sessions:
                del self.ephemerals[owner]
            self.ephemeral_count -= 1
        elif owner == CONTAINER_OWNER:
            self.containers.remove(path)
        else:
            self.ttl_znodes.remove(path)

    def znode_count(self) -> int:
        """Number of znodes, the four system ones included. ZooKeeper's "Node count" shows one more (root twice)."""
        return len(self.znodes)

    # Self-check

    def check_invariants(self) -> None:
        """Raises AssertionError when an index disagrees with the znodes. Linear in the tree."""
        children: dict[str, set[str]] = {}
        ephemerals: dict[int, set[str]] = {}
        containers: set[str] = set()
        ttl_znodes: set[str] = set()
        data_bytes = 0
        for path, znode in self.znodes.items():
            data_bytes += len(path) + len(znode.data or b"")
            cached = znode.stat_cache
            znode.stat_cache = None
            assert cached is None or cached == znode.stat(), path
            znode.stat_cache = cached
            if path != "/":
                parent_path, _, name = path.rpartition("/")
                children.setdefault(parent_path or "/", set()).add(name)
            if is_session_owner(znode.owner):
                ephemerals.setdefault(znode.owner, set()).add(path)
                assert znode.children is None, path
            elif znode.owner == CONTAINER_OWNER:
                containers.add(path)
            elif znode.owner != 0:
                ttl_znodes.add(path)
        assert {
            path: znode.children for path, znode in self.znodes.items() if znode.children is not None
        } == children  # I2
        indexed = {owner: set(paths.ordered()) for owner, paths in self.ephemerals.items() if len(paths)}
        assert ephemerals == indexed  # I3
        assert containers == self.containers
        assert ttl_znodes == self.ttl_znodes
        assert data_bytes == self.data_bytes
        assert sum(map(len, ephemerals.values())) == self.ephemeral_count
        assert self.reborn <= self.znodes.keys()
