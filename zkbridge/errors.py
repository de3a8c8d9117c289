"""The error codes that travel in replies, and what goes wrong beyond them.

A code is an answer: the client asked for something that is not allowed. A `ProtocolError` ends the connection: its
bytes or their order break the protocol. Source: ZooKeeper KeeperException.Code.
"""

from typing import Final

OK: Final = 0
SYSTEM_ERROR: Final = -1
RUNTIME_INCONSISTENCY: Final = -2
MARSHALLING_ERROR: Final = -5
UNIMPLEMENTED: Final = -6
BAD_ARGUMENTS: Final = -8
NO_NODE: Final = -101
NO_AUTH: Final = -102
BAD_VERSION: Final = -103
NO_CHILDREN_FOR_EPHEMERALS: Final = -108
NODE_EXISTS: Final = -110
NOT_EMPTY: Final = -111
SESSION_EXPIRED: Final = -112
INVALID_ACL: Final = -114
AUTH_FAILED: Final = -115
NO_WATCHER: Final = -121
RECONFIG_DISABLED: Final = -123
SESSION_CLOSED_REQUIRE_AUTH: Final = -124
QUOTA_EXCEEDED: Final = -125


class ProtocolError(Exception):
    """A client's bytes break the protocol: its connection is closed, nobody else notices."""
