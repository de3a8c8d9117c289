"""Who is told of which change: the watch tables, and their repair after a reconnection.

Lives here: the tables (`table`), the bytes of a notification (`events`), setWatches (`resume`).
May import: tree (znodes, changes, acl), types, errors. No IO, clock, logging or asyncio.
Invariants: a watch belongs to one connection and goes with it; one fire gives a connection one event at most; a
one-shot watch is gone once it fired, even if its connection may not see the event.
"""

from zkbridge.watches.events import (
    NODE_CHILDREN_CHANGED,
    NODE_CREATED,
    NODE_DATA_CHANGED,
    NODE_DELETED,
    encode_event,
)
from zkbridge.watches.resume import resume_watches
from zkbridge.watches.table import Watcher, WatchTable

__all__ = [
    "NODE_CHILDREN_CHANGED",
    "NODE_CREATED",
    "NODE_DATA_CHANGED",
    "NODE_DELETED",
    "WatchTable",
    "Watcher",
    "encode_event",
    "resume_watches",
]
