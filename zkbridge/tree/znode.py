"""One znode as the replica holds it, and what its stored owner number means.

Invariants:
1. `created_count` counts the children ever created here (ZooKeeper's internal cversion); it never goes down.
2. `children` is None or a set that is not empty.
3. `stat_cache` is None or the packed fields; whoever changes a field clears it.
"""

from typing import Final, final

from mypy_extensions import mypyc_attr

from zkbridge.jute.wire import layout
from zkbridge.tree.acl import Acl

INT32_MAX: Final = 2**31 - 1

CONTAINER_OWNER: Final = -(2**63)
"""Stored owner of a container: 0x8000000000000000 as a signed number. Source: ZooKeeper EphemeralType."""

TTL_OWNER: Final = -(2**56)
"""Stored owner of a TTL node: 0xff00000000000000 plus the TTL in milliseconds, as a signed number."""

TTL_MS_MAX: Final = 2**40 - 1
"""Greatest TTL, milliseconds; bits 40 to 55 of the owner are reserved."""

STAT: Final = layout("qqqqiiiqiiq")
"""czxid | mzxid | ctime | mtime | version | cversion | aversion | ephemeralOwner | dataLength | numChildren | pzxid."""


def is_session_owner(owner: int) -> bool:
    """Whether a stored owner is a session: the znode is an ephemeral that dies with it and may have no children."""
    return owner > 0 or (owner < TTL_OWNER and owner != CONTAINER_OWNER)


def ttl_of(owner: int) -> int:
    """The TTL in milliseconds that a stored owner carries, 0 when the znode has none."""
    return owner - TTL_OWNER if TTL_OWNER < owner < 0 else 0


def wrap_int32(number: int) -> int:
    """The signed 32-bit number that Java arithmetic would have left."""
    return ((number + 0x80000000) & 0xFFFFFFFF) - 0x80000000


@final
@mypyc_attr(acyclic=True)
class Znode:
    """A mutable znode; the replica owns it and is the only one to change it."""

    __slots__ = (
        "acl",
        "aversion",
        "children",
        "created_count",
        "ctime",
        "czxid",
        "data",
        "mtime",
        "mzxid",
        "owner",
        "pzxid",
        "stat_cache",
        "version",
    )

    def __init__(self, data: bytes | None, acl: Acl, owner: int, zxid: int, ctime_ms: int) -> None:
        self.data = data
        self.acl = acl
        self.owner = owner
        self.czxid = zxid
        self.mzxid = zxid
        self.pzxid = zxid
        self.ctime = ctime_ms
        self.mtime = ctime_ms
        self.version = 0
        self.aversion = 0
        self.created_count = 0
        self.children: set[str] | None = None
        self.stat_cache: bytes | None = None

    def child_count(self) -> int:
        """Number of direct children."""
        children = self.children
        return 0 if children is None else len(children)

    def stat(self) -> bytes:
        """The 68 encoded bytes of the Stat. Source: ZooKeeper DataNode.copyStat.

        cversion is 2 × created_count − numChildren: one for each create and one for each delete of a child. Containers
        and TTL nodes show no owner.
        """
        cached = self.stat_cache
        if cached is not None:
            return cached
        data = self.data
        children = self.children
        child_count = 0 if children is None else len(children)
        owner = self.owner
        if owner < 0 and not is_session_owner(owner):
            owner = 0
        cversion = 2 * self.created_count - child_count
        if not -INT32_MAX <= cversion <= INT32_MAX:
            cversion = wrap_int32(cversion)
        packed = STAT.pack(
            self.czxid,
            self.mzxid,
            self.ctime,
            self.mtime,
            self.version,
            cversion,
            self.aversion,
            owner,
            0 if data is None else len(data),
            child_count,
            self.pzxid,
        )
        self.stat_cache = packed
        return packed
