"""What one revision did to the tree and the sessions, one object for each step, in the order of the operations.

Changes carry final values, so that applying one is a few assignments. They are the only way in which the replica
changes, and what the watches are fired from. The revision itself is not in them: nobody knows it before the store
has given it.

Invariants:
1. `stat` is None until `Replica.apply` has run, and stays None unless `wants_stat`.
2. `ZnodeDeleted.acl` is set by `Replica.apply`: the last ACL of the znode, for the watches' READ filter.
"""

from typing import Final, final

from mypy_extensions import mypyc_attr

from zkbridge.tree.acl import OPEN_ACL, Acl


@mypyc_attr(acyclic=True)
class Change:
    """One step of a revision. Closed: the subclasses below are all there are."""

    __slots__ = ()


@mypyc_attr(acyclic=True)
class ZnodeChange(Change):
    """A step that concerns one znode; `stat` is its encoded Stat right after the step, if `wants_stat`."""

    __slots__ = ("path", "stat", "wants_stat")

    def __init__(self, path: str, wants_stat: bool = False) -> None:
        self.path = path
        self.stat: bytes | None = None
        self.wants_stat = wants_stat


@final
@mypyc_attr(acyclic=True)
class DataSet(ZnodeChange):
    """New data; `version` is the data version after it. Moves mzxid and mtime."""

    __slots__ = ("data", "mtime_ms", "version")

    def __init__(self, path: str, data: bytes | None, version: int, mtime_ms: int, wants_stat: bool = True) -> None:
        self.path = path
        self.stat = None
        self.wants_stat = wants_stat
        self.data = data
        self.version = version
        self.mtime_ms = mtime_ms


@final
@mypyc_attr(acyclic=True)
class ZnodeCreated(ZnodeChange):
    """A new znode. The parent's count of children ever created goes up by one and its pzxid moves.

    `reborn`: the store's key was there before this revision (deleted and created in one transaction), so its
    create_revision is not this znode's czxid.
    """

    __slots__ = ("acl", "ctime_ms", "data", "owner", "parent", "reborn")

    def __init__(
        self,
        path: str,
        data: bytes | None,
        acl: Acl,
        owner: int,
        ctime_ms: int,
        reborn: bool = False,
        wants_stat: bool = False,
    ) -> None:
        self.path = path
        self.stat = None
        self.wants_stat = wants_stat
        self.parent = path[: path.rindex("/")] or "/"
        self.data = data
        self.acl = acl
        self.owner = owner
        self.ctime_ms = ctime_ms
        self.reborn = reborn


@final
@mypyc_attr(acyclic=True)
class ZnodeDeleted(ZnodeChange):
    """A znode is gone; the parent's pzxid moves."""

    __slots__ = ("acl", "parent")

    def __init__(self, path: str) -> None:
        self.path = path
        self.stat = None
        self.wants_stat = False
        self.parent = path[: path.rindex("/")] or "/"
        self.acl = OPEN_ACL


@final
@mypyc_attr(acyclic=True)
class AclSet(ZnodeChange):
    """A new ACL; mzxid stays. Fires no watch."""

    __slots__ = ("acl", "aversion")

    def __init__(self, path: str, acl: Acl, aversion: int, wants_stat: bool = True) -> None:
        self.path = path
        self.stat = None
        self.wants_stat = wants_stat
        self.acl = acl
        self.aversion = aversion


@final
@mypyc_attr(acyclic=True)
class RecordSet(ZnodeChange):
    """All that a foreign put says of a znode beside its data and their version. Fires no watch.

    `is_reborn`: the record names a czxid that is not its key's create_revision.
    """

    __slots__ = ("acl", "aversion", "ctime_ms", "czxid", "is_reborn", "mtime_ms", "mzxid", "owner")

    def __init__(
        self,
        path: str,
        acl: Acl,
        aversion: int,
        owner: int,
        ctime_ms: int,
        mtime_ms: int,
        czxid: int,
        mzxid: int,
        is_reborn: bool,
    ) -> None:
        self.path = path
        self.stat = None
        self.wants_stat = False
        self.acl = acl
        self.aversion = aversion
        self.owner = owner
        self.ctime_ms = ctime_ms
        self.mtime_ms = mtime_ms
        self.czxid = czxid
        self.mzxid = mzxid
        self.is_reborn = is_reborn


OF_CZXID: Final = -1
"""As the pzxid of a `CreatedCountSet`: the znode's own czxid, as of one that never had a child."""


@final
@mypyc_attr(acyclic=True)
class CreatedCountSet(ZnodeChange):
    """The stored count of children ever created, from a foreign revision. Fires no watch.

    `pzxid` is 0 when it is the revision itself, else the older one that a settled lease expiry left behind, or
    `OF_CZXID` when the key that held both is gone.
    """

    __slots__ = ("count", "pzxid")

    def __init__(self, path: str, count: int, pzxid: int = 0) -> None:
        self.path = path
        self.stat = None
        self.wants_stat = False
        self.count = count
        self.pzxid = pzxid


@final
@mypyc_attr(acyclic=True)
class SessionOpened(Change):
    """A new session; `timeout_ms` is the negotiated timeout, `bridge` names the bridge that holds its connection."""

    __slots__ = ("bridge", "password", "session_id", "timeout_ms")

    def __init__(self, session_id: int, timeout_ms: int, password: bytes, bridge: str = "") -> None:
        self.session_id = session_id
        self.timeout_ms = timeout_ms
        self.password = password
        self.bridge = bridge


@final
@mypyc_attr(acyclic=True)
class SessionChanged(Change):
    """A session was reattached: its timeout and the bridge that holds its connection are new. Only a foreign put can
    bring another password."""

    __slots__ = ("bridge", "password", "session_id", "timeout_ms")

    def __init__(self, session_id: int, timeout_ms: int, password: bytes, bridge: str = "") -> None:
        self.session_id = session_id
        self.timeout_ms = timeout_ms
        self.password = password
        self.bridge = bridge


@final
@mypyc_attr(acyclic=True)
class SessionClosed(Change):
    """A session is over, closed or expired. Its ephemerals are `ZnodeDeleted` steps of the same revision."""

    __slots__ = ("session_id",)

    def __init__(self, session_id: int) -> None:
        self.session_id = session_id
