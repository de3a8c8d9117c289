"""The one place where a revision becomes a zxid."""

from zkbridge.types import Zxid


def zxid_of(revision: int) -> Zxid:
    """The zxid of the write that made this revision: the very number."""
    return Zxid(revision)
