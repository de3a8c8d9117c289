"""Plans the life of a session: opened, changed when reattached, closed with all its ephemerals in one revision."""

from collections.abc import Sequence

from zkbridge.errors import NO_NODE, SESSION_EXPIRED
from zkbridge.keyspace.records import encode_children, encode_session
from zkbridge.plan.plan import OP_CLOSE_SESSION, OP_CREATE_SESSION, OP_SETTLE_PARENTS, STALL, Plan, PlanContext
from zkbridge.plan.steps import delete_znode
from zkbridge.tree.changes import Change, CreatedCountSet, SessionChanged, SessionClosed, SessionOpened
from zkbridge.tree.overlay import Overlay, PendingSession, PendingZnode


def plan_open_session(
    session_id: int, timeout_ms: int, password: bytes, overlay: Overlay, context: PlanContext, bridge: str = ""
) -> Plan:
    """The session's key, on the session's lease, which must have been granted under the same number."""
    session = PendingSession(session_id, True, timeout_ms, password)
    key = context.keyspace.session_key(session_id)
    value = encode_session(password, timeout_ms, bridge)
    changes: list[Change] = [SessionOpened(session_id, timeout_ms, password, bridge)]
    plan = Plan(OP_CREATE_SESSION, session_id, None, changes, [(key, value, session_id)], [], [])
    overlay.touch_session(session)
    plan.touched_session = session
    return plan


def plan_change_session(
    session_id: int, timeout_ms: int, overlay: Overlay, context: PlanContext, bridge: str = ""
) -> Plan | int:
    """A new timeout, and the bridge that holds the connection from now on. Refuses SESSION_EXPIRED."""
    if not overlay.is_session_open(session_id):
        return SESSION_EXPIRED
    password = overlay.session_password(session_id)
    session = PendingSession(session_id, True, timeout_ms, password)
    key = context.keyspace.session_key(session_id)
    value = encode_session(password, timeout_ms, bridge)
    changes: list[Change] = [SessionChanged(session_id, timeout_ms, password, bridge)]
    plan = Plan(OP_CREATE_SESSION, session_id, key, changes, [(key, value, session_id)], [], [])
    overlay.touch_session(session)
    plan.touched_session = session
    return plan


def plan_close_session(session_id: int, overlay: Overlay, context: PlanContext) -> Plan | int:
    """All ephemerals, those still in flight too, their parents' children keys and the session's key.

    Refuses SESSION_EXPIRED when a plan in flight has closed it. Source: ZooKeeper PrepRequestProcessor, closeSession.
    """
    if not overlay.is_session_open(session_id):
        return SESSION_EXPIRED
    keyspace = context.keyspace
    session_key = keyspace.session_key(session_id)
    changes: list[Change] = []
    deletes: list[bytes] = []
    touched: list[PendingZnode] = []
    parents: dict[str, PendingZnode] = {}
    for path in overlay.ephemerals_of(session_id):
        znode = overlay.get(path)
        parent = overlay.get(path[: path.rindex("/")] or "/")
        assert znode is not None and parent is not None
        changes.append(delete_znode(znode, parent, overlay))
        deletes.append(keyspace.znode_key(path))
        touched.append(znode)
        parents[parent.path] = parent
    touched.extend(parents.values())
    puts = [(keyspace.children_key(path), encode_children(parent.created_count), 0) for path, parent in parents.items()]
    changes.append(SessionClosed(session_id))
    deletes.append(session_key)
    plan = Plan(OP_CLOSE_SESSION, session_id, session_key, changes, puts, deletes, touched)
    session = PendingSession(session_id, False, 0, b"")
    overlay.touch_session(session)
    plan.touched_session = session
    return plan


def plan_settle_parents(paths: Sequence[str], overlay: Overlay, context: PlanContext) -> Plan | int:
    """Writes down the pzxid that the end of a lease moved behind our back (`keyspace.changes.unsettled_parents`).

    Leaves out parents that are gone. Returns NO_NODE if none is left, STALL if a plan in flight concerns one of them.
    """
    replica = overlay.replica
    puts: list[tuple[bytes, bytes, int]] = []
    changes: list[Change] = []
    touched: list[PendingZnode] = []
    for path in paths:
        if overlay.is_pending(path):
            return STALL
        znode = replica.znodes.get(path)
        parent = overlay.get(path)
        if znode is None or parent is None:
            continue
        puts.append((context.keyspace.children_key(path), encode_children(znode.created_count, znode.pzxid), 0))
        changes.append(CreatedCountSet(path, znode.created_count, znode.pzxid))
        touched.append(parent)
    if not puts:
        return NO_NODE
    for parent in touched:
        overlay.touch(parent)
    return Plan(OP_SETTLE_PARENTS, 0, None, changes, puts, [], touched)
