"""Integers and strings with a meaning. All are plain `int` and `str` at run time."""

from typing import NewType

Zxid = NewType("Zxid", int)
"""ZooKeeper transaction id, 64 bit. Here it is the store's revision (`keyspace.zxid`)."""

Xid = NewType("Xid", int)
"""A client's request number, signed 32 bit, echoed in the reply."""

SessionId = NewType("SessionId", int)
"""Signed 64 bit, never 0; prints as hexadecimal."""

ZnodePath = NewType("ZnodePath", str)
"""Absolute path of a znode as the server sees it (a chroot is the client's affair)."""
