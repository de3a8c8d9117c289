"""Integers with a meaning, plain `int` at run time, and how they are printed."""

from typing import NewType

Zxid = NewType("Zxid", int)
"""ZooKeeper transaction id, 64 bit. Here it is the store's revision (`keyspace.zxid`)."""

SessionId = NewType("SessionId", int)
"""Signed 64 bit, never 0; prints as hexadecimal."""


def hex_of(number: int) -> str:
    """A session id or zxid as people read it: as Java's Long.toHexString, a negative number shows its 64 bits."""
    return f"{number & 0xFFFFFFFFFFFFFFFF:#x}"
