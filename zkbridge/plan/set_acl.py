"""Plans setACL: one put, which carries the znode's mzxid along because writing the key would move it."""

from zkbridge.jute.records import SetACLRequest
from zkbridge.plan.plan import OP_SET_ACL, Plan, PlanContext
from zkbridge.plan.puts import encode_pending_acl, lease_of
from zkbridge.plan.steps import step_set_acl
from zkbridge.tree.overlay import Overlay


def plan_set_acl(request: SetACLRequest, overlay: Overlay, context: PlanContext) -> Plan | int:
    """A plan, STALL, or an error code as `step_set_acl` refuses."""
    change = step_set_acl(request, overlay, context)
    if isinstance(change, int):
        return change
    znode = overlay.pending(change.path)
    return Plan(
        OP_SET_ACL,
        context.session_id,
        context.session_key,
        [change],
        [(context.keyspace.znode_key(change.path), encode_pending_acl(znode), lease_of(znode.owner))],
        [],
        [znode],
    )
