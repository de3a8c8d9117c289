"""Access control lists: entries, who passes them, how requests' lists are fixed up, what readers may see of them.

Source: ZooKeeper ZooKeeperServer.checkACL, PrepRequestProcessor.fixupACL, DigestAuthenticationProvider,
IPAuthenticationProvider.
"""

from typing import Final, final

READ: Final = 1
WRITE: Final = 2
CREATE: Final = 4
DELETE: Final = 8
ADMIN: Final = 16
ALL: Final = 31


@final
class AclEntry:
    """Permission bits granted to one id of one scheme. Immutable, compares by value."""

    __slots__ = ("id", "perms", "scheme")

    def __init__(self, perms: int, scheme: str, id: str) -> None:
        self.perms: Final = perms
        self.scheme: Final = scheme
        self.id: Final = id

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, AclEntry)
            and self.perms == other.perms
            and self.scheme == other.scheme
            and self.id == other.id
        )

    def __hash__(self) -> int:
        return hash((self.perms, self.scheme, self.id))

    def __repr__(self) -> str:
        return f"AclEntry({self.perms}, {self.scheme!r}, {self.id!r})"


Acl = tuple[AclEntry, ...]

OPEN_ACL: Final[Acl] = (AclEntry(ALL, "world", "anyone"),)
"""world:anyone with every permission: one shared object, tested by identity on the hot path."""


@final
class Credentials:
    """The ids of one connection, (scheme, id) each, oldest first. Immutable: authentication makes a new one, so that a
    request keeps the ids that it was received with. `is_super` passes every check (scheme `super`, or skipACL)."""

    __slots__ = ("ids", "is_super")

    def __init__(self, ids: tuple[tuple[str, str], ...] = (), is_super: bool = False) -> None:
        self.ids: Final = ids
        self.is_super: Final = is_super

    def with_id(self, scheme: str, id: str) -> "Credentials":
        """These and one more; itself if it is there already."""
        if (scheme, id) in self.ids:
            return self
        return Credentials((*self.ids, (scheme, id)), self.is_super or scheme == "super")
