"""setWatches and setWatches2: a client that reconnected registers its watches again and hears what it missed.

It needs no history: the current mzxid and pzxid against the last zxid that the client saw decide.

Source: ZooKeeper DataTree.setWatches; reference 4.8.
"""

from collections.abc import Sequence
from typing import Final

from zkbridge.errors import MARSHALLING_ERROR, OK
from zkbridge.tree.replica import Replica
from zkbridge.watches.events import (
    NO_ZXID,
    NODE_CHILDREN_CHANGED,
    NODE_CREATED,
    NODE_DATA_CHANGED,
    NODE_DELETED,
    encode_event,
)
from zkbridge.watches.table import Watcher, WatchTable

PathVector = Sequence[str | None] | None
"""As decoded: the vector itself or a path in it may be null on the wire."""

ROOT: Final = "/"
"""What the empty path addresses too."""


def resume_watches(
    table: WatchTable,
    replica: Replica,
    watcher: Watcher,
    relative_zxid: int,
    data_paths: PathVector,
    exist_paths: PathVector,
    child_paths: PathVector,
    persistent_paths: PathVector = (),
    recursive_paths: PathVector = (),
) -> int:
    """Register or notify each path, in list order, without an ACL check. A path that is notified is not registered.

    Refuses MARSHALLING_ERROR at the first null list, or null path in the first three lists; what came before it stands,
    as in ZooKeeper.
    Raises ProtocolError at the bound of watches a connection.
    """
    if data_paths is None:
        return MARSHALLING_ERROR
    for path in data_paths:
        if path is None:
            return MARSHALLING_ERROR
        znode = replica.znodes.get(path or ROOT)
        if znode is None:
            watcher.notify(encode_event(NODE_DELETED, path, NO_ZXID))
        elif znode.mzxid > relative_zxid:
            watcher.notify(encode_event(NODE_DATA_CHANGED, path, NO_ZXID))
        else:
            table.add_data(path, watcher)
    if exist_paths is None:
        return MARSHALLING_ERROR
    for path in exist_paths:
        if path is None:
            return MARSHALLING_ERROR
        if (path or ROOT) in replica.znodes:
            watcher.notify(encode_event(NODE_CREATED, path, NO_ZXID))
        else:
            table.add_data(path, watcher)
    if child_paths is None:
        return MARSHALLING_ERROR
    for path in child_paths:
        if path is None:
            return MARSHALLING_ERROR
        znode = replica.znodes.get(path or ROOT)
        if znode is None:
            watcher.notify(encode_event(NODE_DELETED, path, NO_ZXID))
        elif znode.pzxid > relative_zxid:
            watcher.notify(encode_event(NODE_CHILDREN_CHANGED, path, NO_ZXID))
        else:
            table.add_child(path, watcher)
    code = _register_lasting(table, watcher, persistent_paths, False)
    if code != OK:
        return code
    return _register_lasting(table, watcher, recursive_paths, True)


def _register_lasting(table: WatchTable, watcher: Watcher, paths: PathVector, recursive: bool) -> int:
    if paths is None:
        return MARSHALLING_ERROR
    for path in paths:
        # ZooKeeper takes a null path here, as it looks nothing up; no event is ever about it.
        if path is not None:
            table.add_persistent(path, watcher, recursive)
    return OK
