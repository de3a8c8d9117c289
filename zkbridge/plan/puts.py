"""Pending znodes as puts: the values that a plan writes."""

from zkbridge.keyspace.records import NO_OVERRIDE, encode_znode
from zkbridge.tree.acl import OPEN_ACL
from zkbridge.tree.overlay import IN_FLIGHT, REBORN_HERE, PendingZnode
from zkbridge.tree.znode import is_session_owner


def encode_pending(znode: PendingZnode) -> bytes:
    """Value of the znode's key. mzxid is the revision that writes it."""
    override = znode.czxid_override
    if override == 0:
        if znode.owner == 0 and znode.aversion == 0 and znode.acl is OPEN_ACL:
            return encode_znode(znode.ctime, znode.mtime, znode.version, znode.data)
        return encode_znode(znode.ctime, znode.mtime, znode.version, znode.data, znode.aversion, znode.owner, znode.acl)
    return _encode_overridden(znode, NO_OVERRIDE)


def encode_pending_acl(znode: PendingZnode) -> bytes:
    """Value of the znode's key, written for the sake of its ACL: mzxid stays what it is."""
    return _encode_overridden(znode, znode.mzxid)


def _encode_overridden(znode: PendingZnode, mzxid: int) -> bytes:
    override = znode.czxid_override
    assert override != IN_FLIGHT and (mzxid >= 0 or mzxid == NO_OVERRIDE), znode.path
    return encode_znode(
        znode.ctime,
        znode.mtime,
        znode.version,
        znode.data,
        znode.aversion,
        znode.owner,
        znode.acl,
        mzxid,
        override if override > 0 else 0,
        override == REBORN_HERE,
    )


def lease_of(owner: int) -> int:
    """The lease that a znode's key hangs on: its session's, if it is an ephemeral."""
    return owner if owner != 0 and is_session_owner(owner) else 0
