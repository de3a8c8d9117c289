"""Plans setData: one put."""

from zkbridge.jute.records import SetDataRequest
from zkbridge.plan.plan import OP_SET_DATA, Plan, PlanContext
from zkbridge.plan.puts import encode_pending, lease_of
from zkbridge.plan.steps import step_set_data
from zkbridge.tree.overlay import Overlay


def plan_set_data(request: SetDataRequest, overlay: Overlay, context: PlanContext) -> Plan | int:
    """A plan, STALL, or an error code as `step_set_data` refuses."""
    change = step_set_data(request, overlay, context)
    if isinstance(change, int):
        return change
    znode = overlay.pending(change.path)
    owner = znode.owner
    return Plan(
        OP_SET_DATA,
        context.session_id,
        context.session_key,
        [change],
        [
            (
                context.keyspace.znode_prefix + change.path.encode(),
                encode_pending(znode),
                lease_of(owner) if owner else 0,
            )
        ],
        [],
        [znode],
    )
