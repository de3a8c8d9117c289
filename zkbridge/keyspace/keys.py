"""The keys of one tree in the store (schema version 1).

`<prefix>format` | `<prefix>n<path>` znode | `<prefix>c<path>` children | `<prefix>s<16 hex digits>` session |
`<prefix>b<bridge id>` bridge | `<prefix>w` the writer's fence.
"""

from typing import Final, final

FORMAT_VERSION: Final = 1

KIND_ZNODE: Final = 0x6E
KIND_CHILDREN: Final = 0x63
KIND_SESSION: Final = 0x73


@final
class Keyspace:
    """Key builders for one prefix."""

    __slots__ = ("children_prefix", "fence_key", "format_key", "prefix", "session_prefix", "znode_prefix")

    def __init__(self, prefix: bytes = b"/zk/") -> None:
        self.prefix: Final = prefix
        self.znode_prefix: Final = prefix + b"n"
        self.children_prefix: Final = prefix + b"c"
        self.session_prefix: Final = prefix + b"s"
        self.format_key: Final = prefix + b"format"
        self.fence_key: Final = prefix + b"w"

    def znode_key(self, path: str) -> bytes:
        return self.znode_prefix + path.encode()

    def children_key(self, path: str) -> bytes:
        return self.children_prefix + path.encode()

    def session_key(self, session_id: int) -> bytes:
        """Session ids are signed 64 bit; the key shows them as ZooKeeper prints them, 16 digits."""
        return self.session_prefix + b"%016x" % (session_id & 0xFFFFFFFFFFFFFFFF)

    def bridge_key(self, bridge_id: str) -> bytes:
        return self.prefix + b"b" + bridge_id.encode()


def session_id_of(digits: bytes) -> int:
    """The signed session id from a session key's 16 digits."""
    number = int(digits, 16)
    return number - 2**64 if number >= 2**63 else number
