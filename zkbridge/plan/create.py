"""Plans create, create2, createContainer and createTTL: a put of the znode, a put of its parent's count."""

from zkbridge.jute.records import CreateRequest, CreateTTLRequest
from zkbridge.keyspace.records import encode_children
from zkbridge.plan.plan import Plan, PlanContext
from zkbridge.plan.puts import encode_pending, lease_of
from zkbridge.plan.steps import step_create
from zkbridge.tree.overlay import Overlay


def plan_create(
    request: CreateRequest | CreateTTLRequest, opcode: int, overlay: Overlay, context: PlanContext
) -> Plan | int:
    """A plan, or an error code as `step_create` refuses."""
    change = step_create(request, opcode, overlay, context)
    if isinstance(change, int):
        return change
    znode = overlay.pending(change.path)
    parent = overlay.pending(change.parent)
    owner = change.owner
    keyspace = context.keyspace
    return Plan(
        opcode,
        context.session_id,
        context.session_key,
        [change],
        [
            (keyspace.znode_prefix + change.path.encode(), encode_pending(znode), lease_of(owner) if owner else 0),
            (keyspace.children_prefix + change.parent.encode(), encode_children(parent.created_count), 0),
        ],
        [],
        [znode, parent],
    )
