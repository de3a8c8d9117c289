"""Plans delete, and the reaper's deleteContainer: the znode's keys go, the parent's count is written as it is.

The put of an unchanged count moves the children key's mod_revision, and so the parent's pzxid.
"""

from zkbridge.errors import BAD_ARGUMENTS, BAD_VERSION, NO_NODE, NOT_EMPTY
from zkbridge.jute.records import DeleteRequest
from zkbridge.keyspace.records import encode_children
from zkbridge.plan.plan import OP_DELETE, OP_DELETE_CONTAINER, Plan, PlanContext
from zkbridge.plan.steps import delete_znode, step_delete
from zkbridge.tree.changes import ZnodeDeleted
from zkbridge.tree.overlay import Overlay
from zkbridge.tree.paths import SYSTEM_PATHS
from zkbridge.tree.znode import is_session_owner


def plan_delete(request: DeleteRequest, overlay: Overlay, context: PlanContext) -> Plan | int:
    """A plan, or an error code as `step_delete` refuses."""
    change = step_delete(request, overlay, context)
    if isinstance(change, int):
        return change
    return _plan_deletion(change, OP_DELETE, overlay, context)


def plan_delete_container(path: str, overlay: Overlay, context: PlanContext) -> Plan | int:
    """The reaper's delete of a container or TTL znode; no ACL. Source: ZooKeeper PrepRequestProcessor, deleteContainer.

    Refuses BAD_ARGUMENTS, NO_NODE, NOT_EMPTY, BAD_VERSION (an ephemeral of a session).
    """
    slash = path.rfind("/")
    if slash < 0 or path in SYSTEM_PATHS:
        return BAD_ARGUMENTS
    parent = overlay.get(path[:slash] or "/")
    znode = overlay.get(path)
    if parent is None or not parent.exists or znode is None or not znode.exists:
        return NO_NODE
    if znode.child_count:
        return NOT_EMPTY
    if is_session_owner(znode.owner):
        return BAD_VERSION
    return _plan_deletion(delete_znode(znode, parent, overlay), OP_DELETE_CONTAINER, overlay, context)


def _plan_deletion(change: ZnodeDeleted, opcode: int, overlay: Overlay, context: PlanContext) -> Plan:
    znode = overlay.pending(change.path)
    parent = overlay.pending(change.parent)
    keyspace = context.keyspace
    deletes = [keyspace.znode_key(change.path)]
    if znode.created_count:
        deletes.append(keyspace.children_key(change.path))
    return Plan(
        opcode,
        context.session_id,
        context.session_key,
        [change],
        [(keyspace.children_key(change.parent), encode_children(parent.created_count), 0)],
        deletes,
        [znode, parent],
    )
