"""One function for each read opcode: from the replica to the reply's body, or to an error code.

Paths are not validated: a malformed one names nothing. The empty string names the root. Source: ZooKeeper
FinalRequestProcessor; reference sections 2.1, 2.2, 3.2.
"""

from typing import Final

from zkbridge.errors import MARSHALLING_ERROR, NO_AUTH, NO_NODE, OK
from zkbridge.jute.multi import MultiReadRequest
from zkbridge.jute.records import GetDataRequest
from zkbridge.jute.wire import layout
from zkbridge.tree.acl import OPEN_ACL, READ, Credentials, check_acl, readable_acl
from zkbridge.tree.java_order import clone_order
from zkbridge.tree.replica import CHILD_LISTS_MAX, Replica
from zkbridge.tree.znode import Znode

_INT: Final = layout("i")
_PACK_INT: Final = _INT.pack
_RESULT: Final = layout("i?i")
_ERROR_RESULT: Final = layout("i?ii")
_RESULTS_END: Final = _RESULT.pack(-1, True, -1)
_NULL: Final = _INT.pack(-1)
_EMPTY_VECTOR: Final = _INT.pack(0)

MULTI_READ_BYTES_MAX: Final = 16 * 1024 * 1024
"""The longest answer to one multiRead; a request of a megabyte can name one big znode tens of thousands of times."""

_OP_ERROR: Final = -1
_OP_GET_DATA: Final = 4
_OP_GET_CHILDREN: Final = 8


def read_data(replica: Replica, path: str, credentials: Credentials) -> bytes | int:
    """getData: data buffer | Stat. Refuses NO_NODE, NO_AUTH."""
    znode = replica.znodes.get(path or "/")
    if znode is None:
        return NO_NODE
    if znode.acl is not OPEN_ACL and not check_acl(znode.acl, READ, credentials):
        return NO_AUTH
    stat = znode.stat_cache
    if stat is None:
        stat = znode.stat()
    data = znode.data
    if data is None:
        return _NULL + stat
    return b"%b%b%b" % (_PACK_INT(len(data)), data, stat)  # compiled, it is one allocation


def read_exists(replica: Replica, path: str, credentials: Credentials) -> bytes | int:
    """exists: Stat. Refuses NO_NODE, NO_AUTH."""
    znode = replica.znodes.get(path or "/")
    if znode is None:
        return NO_NODE
    if znode.acl is not OPEN_ACL and not check_acl(znode.acl, READ, credentials):
        return NO_AUTH
    stat = znode.stat_cache
    return stat if stat is not None else znode.stat()


def read_children(replica: Replica, path: str, credentials: Credentials) -> bytes | int:
    """getChildren: vector of names. Refuses NO_NODE, NO_AUTH."""
    path = path or "/"
    znode = replica.znodes.get(path)
    if znode is None:
        return NO_NODE
    if znode.acl is not OPEN_ACL and not check_acl(znode.acl, READ, credentials):
        return NO_AUTH
    names = replica.child_lists.get(path)
    return names if names is not None else _encode_children(replica, path, znode)


def read_children2(replica: Replica, path: str, credentials: Credentials) -> bytes | int:
    """getChildren2: vector of names | Stat. Refuses NO_NODE, NO_AUTH."""
    path = path or "/"
    znode = replica.znodes.get(path)
    if znode is None:
        return NO_NODE
    if znode.acl is not OPEN_ACL and not check_acl(znode.acl, READ, credentials):
        return NO_AUTH
    names = replica.child_lists.get(path)
    if names is None:
        names = _encode_children(replica, path, znode)
    stat = znode.stat_cache
    return names + (stat if stat is not None else znode.stat())


def _encode_children(replica: Replica, path: str, znode: Znode) -> bytes:
    """The list of a parent's names, kept until one is created or deleted."""
    children = znode.children
    if children is None:
        return _EMPTY_VECTOR
    parts = [_PACK_INT(len(children))]
    for child in children:
        name = child.encode()
        parts.append(_PACK_INT(len(name)))
        parts.append(name)
    encoded = b"".join(parts)
    child_lists = replica.child_lists
    if len(child_lists) >= CHILD_LISTS_MAX:
        child_lists.clear()
    child_lists[path] = encoded
    return encoded


def read_acl(replica: Replica, path: str, credentials: Credentials) -> bytes | int:
    """getACL: vector of ACL | Stat. READ or ADMIN will do; hashes only with ADMIN. Refuses NO_NODE, NO_AUTH."""
    znode = replica.znodes.get(path or "/")
    if znode is None:
        return NO_NODE
    entries = readable_acl(znode.acl, credentials)
    if entries is None:
        return NO_AUTH
    parts = [_PACK_INT(len(entries))]
    for entry in entries:
        parts.append(entry.encode())
    parts.append(znode.stat())
    return b"".join(parts)


def read_all_children_number(replica: Replica, path: str, credentials: Credentials) -> bytes | int:
    """getAllChildrenNumber: number of all descendants. Refuses NO_NODE, NO_AUTH.

    The root under its other name "" counts "/" as a descendant, as ZooKeeper does (DataTree.getAllChildrenNumber).
    """
    is_nameless = path == ""
    path = path or "/"
    znodes = replica.znodes
    znode = znodes.get(path)
    if znode is None:
        return NO_NODE
    if not check_acl(znode.acl, READ, credentials):
        return NO_AUTH
    if path == "/":
        return _PACK_INT(len(znodes) - 1 + is_nameless)
    count = 0
    parents = [path]
    while parents:
        parent = parents.pop()
        children = znodes[parent].children
        if children is not None:
            count += len(children)
            for name in children:
                child = f"{parent}/{name}"
                if znodes[child].children is not None:
                    parents.append(child)
    return _PACK_INT(count)


def read_ephemerals(replica: Replica, session_id: int, prefix: str | None) -> bytes:
    """getEphemerals: the session's own ephemerals whose path starts with the prefix, as text; blank or "/" is all.

    In the order of a cloned set, see `java_order`.
    """
    paths = replica.ephemerals.get(session_id)
    wanted = [] if paths is None else clone_order(paths.ordered())
    if prefix is not None and prefix.strip() and prefix != "/":
        wanted = [path for path in wanted if path.startswith(prefix)]
    parts = [_PACK_INT(len(wanted))]
    for path in wanted:
        raw = path.encode()
        parts.append(_PACK_INT(len(raw)))
        parts.append(raw)
    return b"".join(parts)


NO_RESULTS: Final = _RESULTS_END
"""The answer to a multiRead that can't be decoded, beside its error code."""


def read_multi(replica: Replica, request: MultiReadRequest, credentials: Credentials) -> tuple[int, bytes]:
    """multiRead: (error code, results); each operation succeeds or fails on its own.

    A null path ends it with MARSHALLING_ERROR, and the results before it are sent all the same, as ZooKeeper does.

    Differs: an answer past MULTI_READ_BYTES_MAX is refused the same way; ZooKeeper tries, and runs out of memory.
    """
    parts: list[bytes] = []
    size = 0
    code = OK
    for _, operation in request.operations:
        path = operation.path
        if path is None:
            code = MARSHALLING_ERROR
            break
        body: bytes | int
        if isinstance(operation, GetDataRequest):
            result_type = _OP_GET_DATA
            body = read_data(replica, path, credentials)
        else:
            result_type = _OP_GET_CHILDREN
            body = read_children(replica, path, credentials)
        if isinstance(body, int):
            parts.append(_ERROR_RESULT.pack(_OP_ERROR, False, body, body))
        else:
            parts.append(_RESULT.pack(result_type, False, 0))
            parts.append(body)
            size += len(body)
            if size > MULTI_READ_BYTES_MAX:
                return MARSHALLING_ERROR, NO_RESULTS
    parts.append(_RESULTS_END)
    return code, b"".join(parts)
