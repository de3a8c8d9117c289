"""The tree as it will be when all plans in flight are applied: ZooKeeper's outstanding changes.

Planning works on `PendingZnode`s, mutable copies that shadow the replica's znodes. A plan keeps the ones it touched;
once it is applied, those that no later plan touched are dropped and the replica shows through again.

    create /a (plan 1)    pending /a seq 1, / seq 1
    set /a    (plan 2)    pending /a seq 2, / seq 1
    1 applied             pending /a seq 2            / is read from the replica again
    2 applied             nothing pending

A multi is planned on a nested overlay of copies, and merged only if all its operations succeed.

Invariants:
1. A pending znode in the table is at least as new as the replica's; it never outlives the last plan that touched it.
2. `mzxid` and `czxid_override` are revisions that are known, or say that they are in flight.
"""

from typing import Final, final

from mypy_extensions import mypyc_attr

from zkbridge.backend.interface import WriteToken
from zkbridge.tree.acl import OPEN_ACL, Acl
from zkbridge.tree.java_order import JavaHashSet, clone_order
from zkbridge.tree.replica import Replica

IN_FLIGHT: Final = -1
"""In place of a revision: a plan in flight will make it."""

REBORN_HERE: Final = -2
"""As a czxid override: deleted and created by the very multi that is being planned."""

@final
@mypyc_attr(acyclic=True)
class PendingZnode:
    """A znode's fields as the plans so far leave them; `exists` is False after a delete.

    `created_count` goes on past 2**31 - 1 while plans are in flight, where ZooKeeper's pending record wraps around;
    what is stored and applied stays there. `mzxid` is what a setACL must carry over. `czxid_override` is 0 when the
    store key's create_revision is the czxid. `existed` and `had_children_key` say how the store stands before the
    multi that works on this copy;
    `is_data_dirty` and `is_count_dirty` which of its two keys that multi writes.
    """

    __slots__ = (
        "acl",
        "aversion",
        "child_count",
        "created_count",
        "ctime",
        "czxid_override",
        "data",
        "existed",
        "exists",
        "had_children_key",
        "is_count_dirty",
        "is_data_dirty",
        "mtime",
        "mzxid",
        "owner",
        "path",
        "seq",
        "version",
    )

    def __init__(
        self,
        path: str,
        exists: bool = False,
        data: bytes | None = None,
        acl: Acl = OPEN_ACL,
        owner: int = 0,
        ctime: int = 0,
        mtime: int = 0,
        mzxid: int = IN_FLIGHT,
        version: int = 0,
        aversion: int = 0,
        created_count: int = 0,
        child_count: int = 0,
        czxid_override: int = 0,
    ) -> None:
        self.path: Final = path
        self.exists = exists
        self.existed = False
        self.had_children_key = False
        self.is_data_dirty = False
        self.is_count_dirty = False
        self.seq = 0
        self.data = data
        self.acl = acl
        self.owner = owner
        self.ctime = ctime
        self.mtime = mtime
        self.mzxid = mzxid
        self.version = version
        self.aversion = aversion
        self.created_count = created_count
        self.child_count = child_count
        self.czxid_override = czxid_override

    def be_created(self, data: bytes | None, acl: Acl, owner: int, now_ms: int) -> None:
        """Becomes a new znode."""
        self.exists = True
        self.data = data
        self.acl = acl
        self.owner = owner
        self.ctime = now_ms
        self.mtime = now_ms
        self.mzxid = IN_FLIGHT
        self.version = 0
        self.aversion = 0
        self.created_count = 0
        self.child_count = 0
        self.czxid_override = 0


@final
@mypyc_attr(acyclic=True)
class PendingSession:
    """A session as the plans in flight leave it."""

    __slots__ = ("is_open", "password", "seq", "session_id", "timeout_ms")

    def __init__(self, session_id: int, is_open: bool, timeout_ms: int, password: bytes) -> None:
        self.session_id: Final = session_id
        self.is_open: Final = is_open
        self.timeout_ms: Final = timeout_ms
        self.password: Final = password
        self.seq = 0


class TouchingWrite(WriteToken):
    """A plan as the overlay sees it: `plan.Plan` is the only subclass."""

    __slots__ = ("seq", "touched", "touched_session")

    def __init__(self, touched: list[PendingZnode]) -> None:
        self.seq = 0
        self.touched = touched
        self.touched_session: PendingSession | None = None


@final
class Overlay:
    """The pending view. `under` is None but for a multi's scratch overlay."""

    __slots__ = ("_ephemerals", "_pending", "_sessions", "_under", "replica")

    def __init__(self, replica: Replica, under: "Overlay | None" = None) -> None:
        self.replica: Final = replica
        self._under: Final = under
        self._pending: dict[str, PendingZnode] = {}
        self._ephemerals: dict[int, dict[str, None]] = {}
        self._sessions: dict[int, PendingSession] = {}

    # Reading

    def get(self, path: str) -> PendingZnode | None:
        """The znode as it will be, for a planner to look at and, once nothing can fail any more, to change and `touch`.

        Not in the table until touched, so a planner that refuses leaves no trace. None if it will not exist and no plan
        in flight has deleted it; a deleted one comes with `exists` False.
        """
        pending = self._pending.get(path)
        if pending is not None:
            return pending
        under = self._under
        if under is not None:
            return self._copy_from(under, path)
        znode = self.replica.znodes.get(path)
        if znode is None:
            return None
        children = znode.children
        reborn = self.replica.reborn
        return PendingZnode(
            path,
            True,
            znode.data,
            znode.acl,
            znode.owner,
            znode.ctime,
            znode.mtime,
            znode.mzxid,
            znode.version,
            znode.aversion,
            znode.created_count,
            0 if children is None else len(children),
            znode.czxid if reborn and path in reborn else 0,
        )

    def _copy_from(self, under: "Overlay", path: str) -> PendingZnode | None:
        original = under.get(path)
        if original is None:
            return None
        copy = PendingZnode(
            path,
            original.exists,
            original.data,
            original.acl,
            original.owner,
            original.ctime,
            original.mtime,
            original.mzxid,
            original.version,
            original.aversion,
            original.created_count,
            original.child_count,
            original.czxid_override,
        )
        copy.existed = original.exists
        copy.had_children_key = original.exists and original.created_count > 0
        return copy

    def is_session_open(self, session_id: int) -> bool:
        """Whether the session will still be there."""
        sessions = self._sessions
        if sessions:
            pending = sessions.get(session_id)
            if pending is not None:
                return pending.is_open
        under = self._under
        if under is not None:
            return under.is_session_open(session_id)
        return session_id in self.replica.sessions

    def session_password(self, session_id: int) -> bytes:
        """The password of a session that is open."""
        pending = self._sessions.get(session_id)
        return self.replica.sessions[session_id].password if pending is None else pending.password

    def ephemerals_of(self, session_id: int) -> list[str]:
        """Paths of the ephemerals that the session will have, in the order in which ZooKeeper deletes them.

        It clones the set of those applied and does to the clone what is in flight. Source: ZooKeeper
        PrepRequestProcessor, closeSession.
        """
        applied = self.replica.ephemerals.get(session_id)
        pending = self._pending
        created = self._ephemerals.get(session_id)
        if created is None:
            items = [] if applied is None else applied.ordered()
            if not pending or pending.keys().isdisjoint(items):
                return clone_order(items)
        paths = JavaHashSet() if applied is None else applied.clone()
        if applied is not None:
            for path in applied.ordered():
                znode = pending.get(path)
                if znode is not None and not (znode.exists and znode.owner == session_id):
                    paths.discard(path)
        if created is not None:
            for path in created:
                znode = pending.get(path)
                if znode is not None and znode.exists and znode.owner == session_id:
                    paths.discard(path)  # deleted and created anew
                    paths.add(path)
        return paths.ordered()

    # Writing

    def touch(self, znode: PendingZnode) -> None:
        """Enters a znode that was changed."""
        self._pending[znode.path] = znode

    def touch_ephemeral(self, znode: PendingZnode) -> None:
        """Remembers a new ephemeral, so that a close of its session planned behind it takes it along."""
        paths = self._ephemerals.get(znode.owner)
        if paths is None:
            paths = self._ephemerals[znode.owner] = {}
        paths[znode.path] = None

    def forget_ephemeral(self, znode: PendingZnode) -> None:
        """Undoes `touch_ephemeral`: settled, or the path is about to be somebody else's."""
        paths = self._ephemerals.get(znode.owner)
        if paths is not None:
            paths.pop(znode.path, None)
            if not paths:
                del self._ephemerals[znode.owner]

    def touch_session(self, session: PendingSession) -> None:
        """Enters a session that was opened, changed or closed."""
        self._sessions[session.session_id] = session

    def pending(self, path: str) -> PendingZnode:
        """A znode that was touched."""
        return self._pending[path]

    def is_pending(self, path: str) -> bool:
        """Whether a plan in flight concerns the znode."""
        return path in self._pending

    def touched(self) -> list[PendingZnode]:
        """All pending znodes in the order of their first touch; of a scratch overlay, what its multi touched."""
        return list(self._pending.values())

    def merge(self, scratch: "Overlay") -> None:
        """Takes over a scratch overlay whose multi succeeded."""
        for znode in scratch._pending.values():
            if znode.czxid_override == REBORN_HERE:
                znode.czxid_override = IN_FLIGHT
            znode.existed = False
            znode.had_children_key = False
            znode.is_data_dirty = False
            znode.is_count_dirty = False
            replaced = self._pending.get(znode.path)
            if replaced is not None and replaced.owner != znode.owner:
                self.forget_ephemeral(replaced)
            self._pending[znode.path] = znode
        for session_id, paths in scratch._ephemerals.items():
            self._ephemerals.setdefault(session_id, {}).update(paths)

    # The plans' life

    def record(self, plan: TouchingWrite) -> None:
        """The plan is on its way under the sequence number it was given; call it before the next one is planned."""
        seq = plan.seq
        for znode in plan.touched:
            znode.seq = seq
        session = plan.touched_session
        if session is not None:
            session.seq = seq

    def settle(self, plan: TouchingWrite) -> None:
        """The plan is applied to the replica: what no later plan touched is dropped."""
        seq = plan.seq
        pending = self._pending
        for znode in plan.touched:
            if znode.seq == seq and pending.get(znode.path) is znode:
                del pending[znode.path]
                if znode.owner != 0 and self._ephemerals:
                    self.forget_ephemeral(znode)
        session = plan.touched_session
        if session is not None and self._sessions.get(session.session_id) is session:
            del self._sessions[session.session_id]

    def clear(self) -> None:
        """Nothing is in flight any more: the replica alone is the truth."""
        self._pending.clear()
        self._ephemerals.clear()
        self._sessions.clear()

    def pending_ephemeral_count(self) -> int:
        """Ephemerals whose create is in flight."""
        return sum(map(len, self._ephemerals.values()))

    def pending_count(self) -> int:
        """Znodes and sessions that shadow the replica's."""
        return len(self._pending) + len(self._sessions)
