"""What one operation does: checked against the overlay and, if nothing stands against it, done to the overlay.

A step is the part that a single request and an operation of a multi share. It returns the change that the replica will
see, an error code, or `STALL`. The order of the checks is ZooKeeper's, and part of the protocol: clients see the first
one that fails. Source: ZooKeeper PrepRequestProcessor.pRequest2Txn; reference section 3.2.

Invariants:
1. A step that returns a number has not changed the overlay.
2. A step that returns a change has touched every pending znode that it changed.
"""

from typing import Final

from zkbridge.errors import (
    BAD_ARGUMENTS,
    BAD_VERSION,
    MARSHALLING_ERROR,
    NO_AUTH,
    NO_CHILDREN_FOR_EPHEMERALS,
    NO_NODE,
    NODE_EXISTS,
    NOT_EMPTY,
    OK,
    SESSION_EXPIRED,
    UNIMPLEMENTED,
)
from zkbridge.jute.records import (
    CheckVersionRequest,
    CreateRequest,
    CreateTTLRequest,
    DeleteRequest,
    SetACLRequest,
    SetDataRequest,
)
from zkbridge.plan.plan import OP_CREATE, OP_CREATE_CONTAINER, OP_CREATE_TTL, STALL, PlanContext
from zkbridge.plan.quota import check_quota
from zkbridge.tree.acl import ADMIN, CREATE, DELETE, OPEN_ACL, READ, WRITE, check_acl, fixup_acl
from zkbridge.tree.changes import AclSet, DataSet, ZnodeCreated, ZnodeDeleted
from zkbridge.tree.overlay import IN_FLIGHT, REBORN_HERE, Overlay, PendingZnode
from zkbridge.tree.paths import SYSTEM_PATHS, is_valid_path
from zkbridge.tree.znode import CONTAINER_OWNER, INT32_MAX, TTL_MS_MAX, TTL_OWNER, is_session_owner, wrap_int32

ANY_VERSION: Final = -1

_FLAG_EPHEMERAL: Final = 1
_FLAG_SEQUENTIAL: Final = 2
_FLAG_CONTAINER: Final = 4
_FLAG_TTL: Final = 5
_FLAG_SEQUENTIAL_TTL: Final = 6


def is_session_gone(overlay: Overlay, context: PlanContext) -> bool:
    """Whether the asking session will have been closed by a plan in flight, or is unknown."""
    session_id = context.session_id
    return session_id != 0 and not overlay.is_session_open(session_id)


# Create


def check_create_mode(opcode: int, flags: int, ttl_ms: int, context: PlanContext) -> int:
    """OK, or what is wrong with flags and TTL. `ttl_ms` is -1 for requests without one.

    Source: ZooKeeper PrepRequestProcessor.validateCreateRequest, EphemeralType.validateTTL.
    """
    if flags < 0 or flags > _FLAG_SEQUENTIAL_TTL:
        return BAD_ARGUMENTS
    if flags >= _FLAG_TTL:
        if not context.is_ttl_enabled:
            return UNIMPLEMENTED
        if ttl_ms <= 0 or ttl_ms > TTL_MS_MAX:
            return BAD_ARGUMENTS
    elif ttl_ms >= 0 or opcode == OP_CREATE_TTL:
        # Differs: ZooKeeper takes a negative TTL with a flag that has none, and then fails while applying it.
        return BAD_ARGUMENTS
    return OK


def step_create(
    request: CreateRequest | CreateTTLRequest, opcode: int, overlay: Overlay, context: PlanContext
) -> ZnodeCreated | int:
    """create, create2, createContainer, createTTL. The opcode decides what is stored, the flags only what is checked.

    Refuses BAD_ARGUMENTS, UNIMPLEMENTED, MARSHALLING_ERROR, SESSION_EXPIRED, INVALID_ACL, NO_NODE, NO_AUTH,
    NODE_EXISTS, NO_CHILDREN_FOR_EPHEMERALS, QUOTA_EXCEEDED, in this order but for the path, which is looked at twice.
    """
    path = request.path
    flags = request.flags
    ttl_ms = -1
    if flags != 0 or opcode == OP_CREATE_TTL:
        if isinstance(request, CreateTTLRequest):
            ttl_ms = request.ttl
        code = check_create_mode(opcode, flags, ttl_ms, context)
        if code != OK:
            return code
    if path is None:
        return MARSHALLING_ERROR
    session_id = context.session_id
    if session_id != 0 and not overlay.is_session_open(session_id):
        return SESSION_EXPIRED
    slash = path.rfind("/")
    if slash < 0 or "\0" in path:
        return BAD_ARGUMENTS
    acl = fixup_acl(request.acl, context.credentials, context.is_digest_enabled)
    if isinstance(acl, int):
        return acl
    parent = overlay.get(path[:slash] or "/")
    if parent is None or not parent.exists:
        return NO_NODE
    if parent.acl is not OPEN_ACL and not check_acl(parent.acl, CREATE, context.credentials):
        return NO_AUTH
    if flags != 0 and flags in (_FLAG_SEQUENTIAL, _FLAG_SEQUENTIAL | _FLAG_EPHEMERAL, _FLAG_SEQUENTIAL_TTL):
        count = parent.created_count
        if count > INT32_MAX:
            count = wrap_int32(count)
        path += "%010d" % count  # noqa: UP031 - the fastest of the three, and Java's own format
    if not is_valid_path(path):
        return BAD_ARGUMENTS
    znode = overlay.get(path)
    if znode is None:
        znode = PendingZnode(path)
    elif znode.exists:
        return NODE_EXISTS
    if parent.owner != 0 and is_session_owner(parent.owner):
        return NO_CHILDREN_FOR_EPHEMERALS
    if context.enforces_quota and overlay.replica.quotas.limited:
        code = check_quota(overlay.replica, path, 1, request.data, None)
        if code != OK:
            return code
    owner = 0
    if opcode == OP_CREATE_CONTAINER:
        owner = CONTAINER_OWNER
    elif opcode == OP_CREATE_TTL:
        owner = TTL_OWNER + ttl_ms
    elif flags & _FLAG_EPHEMERAL and flags < _FLAG_CONTAINER:
        owner = session_id
    if znode.owner != 0:
        overlay.forget_ephemeral(znode)
    znode.be_created(request.data, acl, owner, context.now_ms)
    znode.is_data_dirty = True
    znode.is_count_dirty = False
    if znode.existed:
        znode.czxid_override = REBORN_HERE
    overlay.touch(znode)
    if owner != 0:
        overlay.touch_ephemeral(znode)
    parent.created_count += 1
    parent.child_count += 1
    parent.is_count_dirty = True
    overlay.touch(parent)
    return ZnodeCreated(path, request.data, acl, owner, context.now_ms, znode.existed, opcode != OP_CREATE)


# Delete


def step_delete(request: DeleteRequest, overlay: Overlay, context: PlanContext) -> ZnodeDeleted | int:
    """Refuses MARSHALLING_ERROR, SESSION_EXPIRED, BAD_ARGUMENTS, NO_NODE, NO_AUTH, NO_NODE, BAD_VERSION, NOT_EMPTY."""
    path = request.path
    if path is None:
        return MARSHALLING_ERROR
    if is_session_gone(overlay, context):
        return SESSION_EXPIRED
    slash = path.rfind("/")
    if slash < 0 or "\0" in path or path in SYSTEM_PATHS:
        return BAD_ARGUMENTS
    parent = overlay.get(path[:slash] or "/")
    if parent is None or not parent.exists:
        return NO_NODE
    if parent.acl is not OPEN_ACL and not check_acl(parent.acl, DELETE, context.credentials):
        return NO_AUTH
    znode = overlay.get(path)
    if znode is None or not znode.exists:
        return NO_NODE
    version = request.version
    if version != ANY_VERSION and version != znode.version:
        return BAD_VERSION
    if znode.child_count:
        return NOT_EMPTY
    return delete_znode(znode, parent, overlay)


def delete_znode(znode: PendingZnode, parent: PendingZnode, overlay: Overlay) -> ZnodeDeleted:
    """Deletes a childless znode, with nothing left to check."""
    znode.exists = False
    overlay.touch(znode)
    parent.child_count -= 1
    parent.is_count_dirty = True
    overlay.touch(parent)
    return ZnodeDeleted(znode.path)


# Data and ACL


def step_set_data(request: SetDataRequest, overlay: Overlay, context: PlanContext) -> DataSet | int:
    """Refuses SESSION_EXPIRED, BAD_ARGUMENTS, NO_NODE, NO_AUTH, QUOTA_EXCEEDED, BAD_VERSION."""
    session_id = context.session_id
    if session_id != 0 and not overlay.is_session_open(session_id):
        return SESSION_EXPIRED
    path = request.path
    znode = None if path is None else overlay.get(path)
    if path is None or znode is None or not znode.exists:
        # A path that exists is valid, so only one that does not needs the look.
        return NO_NODE if is_valid_path(path) else BAD_ARGUMENTS
    if znode.acl is not OPEN_ACL and not check_acl(znode.acl, WRITE, context.credentials):
        return NO_AUTH
    if znode.czxid_override == IN_FLIGHT:
        return STALL
    if context.enforces_quota and overlay.replica.quotas.limited:
        code = check_quota(overlay.replica, path, 0, request.data, znode.data)
        if code != OK:
            return code
    expected = request.version
    version = znode.version
    if expected != ANY_VERSION and expected != version:
        return BAD_VERSION
    version = version + 1 if version < INT32_MAX else -INT32_MAX - 1
    data = request.data
    now_ms = context.now_ms
    znode.data = data
    znode.version = version
    znode.mtime = now_ms
    znode.mzxid = IN_FLIGHT
    znode.is_data_dirty = True
    overlay.touch(znode)
    return DataSet(path, data, version, now_ms)


def step_set_acl(request: SetACLRequest, overlay: Overlay, context: PlanContext) -> AclSet | int:
    """Refuses SESSION_EXPIRED, BAD_ARGUMENTS, INVALID_ACL, NO_NODE, NO_AUTH, BAD_VERSION (of the ACL)."""
    if is_session_gone(overlay, context):
        return SESSION_EXPIRED
    path = request.path
    if not is_valid_path(path):
        return BAD_ARGUMENTS
    assert path is not None
    acl = fixup_acl(request.acl, context.credentials, context.is_digest_enabled)
    if isinstance(acl, int):
        return acl
    znode = overlay.get(path)
    if znode is None or not znode.exists:
        return NO_NODE
    if not check_acl(znode.acl, ADMIN, context.credentials):
        return NO_AUTH
    if request.version != ANY_VERSION and request.version != znode.aversion:
        return BAD_VERSION
    if znode.mzxid == IN_FLIGHT or znode.czxid_override == IN_FLIGHT:
        return STALL
    znode.acl = acl
    znode.aversion = znode.aversion + 1 if znode.aversion < INT32_MAX else -INT32_MAX - 1
    overlay.touch(znode)
    return AclSet(path, acl, znode.aversion)


def step_check(request: CheckVersionRequest, overlay: Overlay, context: PlanContext) -> int:
    """OK, or why the multi fails: SESSION_EXPIRED, BAD_ARGUMENTS, NO_NODE, NO_AUTH, BAD_VERSION."""
    if is_session_gone(overlay, context):
        return SESSION_EXPIRED
    path = request.path
    znode = None if path is None else overlay.get(path)
    if path is None or znode is None or not znode.exists:
        # A path that exists is valid, so only one that does not needs the look.
        return NO_NODE if is_valid_path(path) else BAD_ARGUMENTS
    if not check_acl(znode.acl, READ, context.credentials):
        return NO_AUTH
    if request.version != ANY_VERSION and request.version != znode.version:
        return BAD_VERSION
    return OK
