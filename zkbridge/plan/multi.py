"""Plans multi: every operation on a scratch overlay, then at most one put or delete for each key.

    create /a, setData /a            one put: version 1
    create /a, delete /a             nothing but the parent's count, which went up
    delete /a, create /a             one put, marked reborn: the key is older than the znode
    create /a, create /a/b           puts of n/a, n/a/b, c/, c/a

Source: ZooKeeper PrepRequestProcessor, multi; Op, MultiOperationRecord; reference section 2.4.
"""

from zkbridge.errors import MARSHALLING_ERROR, OK
from zkbridge.jute.multi import MultiOperation, MultiRequest
from zkbridge.jute.records import (
    CheckVersionRequest,
    CreateRequest,
    CreateTTLRequest,
    DeleteRequest,
    SetDataRequest,
)
from zkbridge.keyspace.keys import Keyspace
from zkbridge.keyspace.records import encode_children
from zkbridge.plan.plan import (
    OP_CHECK,
    OP_CREATE,
    OP_CREATE2,
    OP_CREATE_CONTAINER,
    OP_DELETE,
    OP_MULTI,
    OP_SET_DATA,
    STALL,
    FailedMulti,
    Plan,
    PlanContext,
)
from zkbridge.plan.puts import encode_pending, lease_of
from zkbridge.plan.steps import step_check, step_create, step_delete, step_set_data
from zkbridge.tree.changes import Change, ZnodeChange
from zkbridge.tree.overlay import Overlay, PendingZnode

_FLAG_CONTAINER = 4
_FLAG_TTL = 5


def plan_multi(request: MultiRequest, overlay: Overlay, context: PlanContext) -> Plan | FailedMulti | int:
    """A plan; or how the operations failed; STALL; or MARSHALLING_ERROR for the whole request (a null path or ACL)."""
    operations = request.operations
    for _, operation in operations:
        # Looked at before any operation is: the first one's refusal does not hide a later null.
        if operation.path is None:
            return MARSHALLING_ERROR
        # A createTTL is refused on its own for that.
        if isinstance(operation, CreateRequest) and operation.acl is None:
            return MARSHALLING_ERROR
    scratch = Overlay(overlay.replica, overlay)
    changes: list[Change] = []
    results: list[tuple[int, ZnodeChange | None]] = []
    for index, (type, operation) in enumerate(operations):
        step = _step(type, operation, scratch, context)
        if isinstance(step, int):
            if step in (MARSHALLING_ERROR, STALL):
                return step
            if step != OK:
                return FailedMulti(index, step, len(operations))
            results.append((OP_CHECK, None))
        else:
            changes.append(step)
            results.append((_result_type(operation, type), step))
    touched = scratch.touched()
    puts: list[tuple[bytes, bytes, int]] = []
    deletes: list[bytes] = []
    for znode in touched:
        _flatten(znode, context.keyspace, puts, deletes)
    overlay.merge(scratch)
    plan = Plan(OP_MULTI, context.session_id, context.session_key, changes, puts, deletes, touched)
    plan.results = results
    return plan


def _step(type: int, operation: MultiOperation, scratch: Overlay, context: PlanContext) -> ZnodeChange | int:
    if isinstance(operation, CreateRequest):
        if operation.flags == _FLAG_CONTAINER:
            type = OP_CREATE_CONTAINER
        return step_create(operation, type, scratch, context)
    if isinstance(operation, SetDataRequest):
        return step_set_data(operation, scratch, context)
    if isinstance(operation, CheckVersionRequest):
        return step_check(operation, scratch, context)
    if isinstance(operation, DeleteRequest):
        return step_delete(operation, scratch, context)
    return _step_create_ttl(operation, type, scratch, context)


def _step_create_ttl(
    operation: CreateTTLRequest, type: int, scratch: Overlay, context: PlanContext
) -> ZnodeChange | int:
    """In a multi, a createTTL whose flag has no TTL is a plain create. Source: ZooKeeper Op.create."""
    if operation.flags >= _FLAG_TTL:
        return step_create(operation, type, scratch, context)
    plain = CreateRequest(operation.path, operation.data, operation.acl, operation.flags)
    return step_create(
        plain, OP_CREATE_CONTAINER if operation.flags == _FLAG_CONTAINER else OP_CREATE, scratch, context
    )


def _result_type(operation: MultiOperation, type: int) -> int:
    """The type in the result's header: 15 for every create whose result has a Stat."""
    if isinstance(operation, DeleteRequest):
        return OP_DELETE
    if isinstance(operation, SetDataRequest):
        return OP_SET_DATA
    if isinstance(operation, CreateTTLRequest):
        return OP_CREATE if operation.flags < _FLAG_CONTAINER else OP_CREATE2
    if isinstance(operation, CreateRequest) and operation.flags == _FLAG_CONTAINER:
        return OP_CREATE2
    return OP_CREATE if type == OP_CREATE else OP_CREATE2


def _flatten(
    znode: PendingZnode, keyspace: Keyspace, puts: list[tuple[bytes, bytes, int]], deletes: list[bytes]
) -> None:
    """What the multi as a whole does to the two keys of one znode.

    Cases: 1. it is there: its dirty keys are put. 2. deleted and born again childless: the old children key goes.
    3. it was there and is gone: its keys go. 4. it was not there and is not: no key.
    """
    path = znode.path
    if znode.exists:
        if znode.is_data_dirty:
            puts.append((keyspace.znode_key(path), encode_pending(znode), lease_of(znode.owner)))
        if znode.is_count_dirty:
            puts.append((keyspace.children_key(path), encode_children(znode.created_count), 0))
        elif znode.had_children_key and znode.created_count == 0:
            deletes.append(keyspace.children_key(path))
    elif znode.existed:
        deletes.append(keyspace.znode_key(path))
        if znode.had_children_key:
            deletes.append(keyspace.children_key(path))
