"""The bytes of a notification.

frame: length i32 | xid i32 = -1 | zxid i64 | err i32 = 0 | type i32 | state i32 = 3 | path length i32 | path

Source: ZooKeeper WatcherEvent; reference 4.6. The zxid is that of the change (3.9.0 on), -1 for events of setWatches.
"""

import struct
from typing import Final

from zkbridge.jute.wire import encode_text

NODE_CREATED: Final = 1
NODE_DELETED: Final = 2
NODE_DATA_CHANGED: Final = 3
NODE_CHILDREN_CHANGED: Final = 4

NO_ZXID: Final = -1

_HEADER: Final = struct.Struct(">iiqiiii")
_NOTIFICATION_XID: Final = -1
_SYNC_CONNECTED: Final = 3
_BYTES_BEFORE_PATH: Final = 28  # Of the body, hence without the length itself.


def encode_event(event_type: int, path: str, zxid: int) -> bytes:
    """One whole frame, length prefix included."""
    path_bytes = path.encode() if path.isascii() else encode_text(path)
    size = len(path_bytes)
    return (
        _HEADER.pack(_BYTES_BEFORE_PATH + size, _NOTIFICATION_XID, zxid, 0, event_type, _SYNC_CONNECTED, size)
        + path_bytes
    )
