"""Access control lists: entries, who passes them, how requests' lists are fixed up, what readers may see of them.

Source: ZooKeeper ZooKeeperServer.checkACL, PrepRequestProcessor.fixupACL, DigestAuthenticationProvider,
IPAuthenticationProvider.
"""

import re
from ipaddress import IPv6Address
from typing import Final, final

from zkbridge.errors import INVALID_ACL, MARSHALLING_ERROR
from zkbridge.jute.records import ACL, Id
from zkbridge.tree.java_order import concurrent_order, id_hash

READ: Final = 1
WRITE: Final = 2
CREATE: Final = 4
DELETE: Final = 8
ADMIN: Final = 16
ALL: Final = 31


@final
class AclEntry:
    """Permission bits granted to one id of one scheme. Immutable, compares by value."""

    __slots__ = ("_hash", "id", "perms", "scheme")

    def __init__(self, perms: int, scheme: str, id: str) -> None:
        self.perms: Final = perms
        self.scheme: Final = scheme
        self.id: Final = id
        self._hash: Final = hash((perms, scheme, id))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, AclEntry)
            and self.perms == other.perms
            and self.scheme == other.scheme
            and self.id == other.id
        )

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return f"AclEntry({self.perms}, {self.scheme!r}, {self.id!r})"


Acl = tuple[AclEntry, ...]

# Made from a list, since compiled code would unpack a literal tuple and box it anew at each use: not one object.
_OPEN_ENTRIES: Final = [AclEntry(ALL, "world", "anyone")]
OPEN_ACL: Final[Acl] = tuple(_OPEN_ENTRIES)
"""world:anyone with every permission: one shared object, tested by identity on the hot path."""

INTERNED_ACLS_MAX: Final = 10_000
"""Distinct ACLs kept for sharing; past it they start anew, since clients choose them. Sharing only saves memory."""

_interned: Final[dict[Acl, Acl]] = {}


def intern_acl(acl: Acl) -> Acl:
    """The shared object equal to this ACL; `OPEN_ACL` itself for what equals it, which checks rely on."""
    if acl == OPEN_ACL:
        return OPEN_ACL
    shared = _interned.get(acl)
    if shared is None:
        if len(_interned) >= INTERNED_ACLS_MAX:
            _interned.clear()
        _interned[acl] = shared = acl
    return shared


@final
class Credentials:
    """The ids of one connection, (scheme, id) each. Immutable: authentication makes a new one, so that a request keeps
    the ids that it was received with. `is_super` passes every check (scheme `super`, or skipACL).

    `added` has the ids in the order in which they came, `ids` in that of ZooKeeper's set of them, which `whoAmI` and an
    ACL of `auth` entries show (`java_order`).
    """

    __slots__ = ("added", "ids", "is_super")

    def __init__(self, added: tuple[tuple[str, str], ...] = (), is_super: bool = False) -> None:
        self.added: Final = added
        self.ids: Final = added if len(added) < 2 else _in_java_order(added)
        self.is_super: Final = is_super

    def with_id(self, scheme: str, id: str) -> "Credentials":
        """These and one more; itself if it is there already."""
        if (scheme, id) in self.added:
            return self
        return Credentials((*self.added, (scheme, id)), self.is_super or scheme == "super")


def _in_java_order(ids: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    return tuple([ids[place] for place in concurrent_order([id_hash(scheme, id) for scheme, id in ids])])


def check_acl(acl: Acl, perms: int, credentials: Credentials) -> bool:
    """Whether the ids may do any of `perms`. Source: ZooKeeper ZooKeeperServer.checkACL."""
    if acl is OPEN_ACL or credentials.is_super or not acl:
        return True
    ids = credentials.ids
    for entry in acl:
        if entry.perms & perms:
            scheme = entry.scheme
            if scheme == "world" and entry.id == "anyone":
                return True
            for id_scheme, id in ids:
                if id_scheme == scheme and _is_match(scheme, id, entry.id):
                    return True
    return False


def _is_match(scheme: str, id: str, expression: str) -> bool:
    """Whether a connection's id is the one that an ACL entry of the same scheme speaks of."""
    if scheme == "digest":
        return id == expression
    if scheme == "ip":
        return is_ip_match(id, expression)
    return False


def fixup_acl(requested: list[ACL] | None, credentials: Credentials, is_digest_enabled: bool = True) -> Acl | int:
    """The ACL to store, or an error code. Source: ZooKeeper PrepRequestProcessor.fixupACL.

    Duplicates go first, so that two `auth` entries may leave duplicates behind: as in ZooKeeper. Refuses INVALID_ACL;
    MARSHALLING_ERROR for a null id, on which ZooKeeper trips.
    """
    if not requested:
        return INVALID_ACL
    if len(requested) == 1:
        only = requested[0]
        if only.perms == ALL and only.id.id == "anyone" and only.id.scheme == "world":
            return OPEN_ACL
    fixed: list[AclEntry] = []
    seen: set[tuple[int, str | None, str | None]] = set()
    for entry in requested:
        perms = entry.perms
        scheme = entry.id.scheme
        id = entry.id.id
        if (perms, scheme, id) in seen:
            continue
        seen.add((perms, scheme, id))
        if scheme is None or (scheme == "digest" and not is_digest_enabled):
            return INVALID_ACL
        if scheme == "auth":
            expanded = [AclEntry(perms, id_scheme, id) for id_scheme, id in credentials.ids if id_scheme == "digest"]
            if not expanded:
                return INVALID_ACL
            fixed.extend(expanded)
            continue
        if id is None:
            return MARSHALLING_ERROR if scheme in ("world", "digest", "ip") else INVALID_ACL
        if not _is_valid_id(scheme, id):
            return INVALID_ACL
        fixed.append(AclEntry(perms, scheme, id))
    return intern_acl(tuple(fixed))


def _is_valid_id(scheme: str, id: str) -> bool:
    """Whether the scheme may be stored with this id; schemes without a provider may not."""
    if scheme == "world":
        return id == "anyone"
    if scheme == "digest":
        # Java's split drops empty parts at the end: "a:" has one part, "a:b:" two.
        return len(id.rstrip(":").split(":")) == 2
    return scheme == "ip" and is_ip_expression(id)


def readable_acl(acl: Acl, credentials: Credentials) -> list[ACL] | None:
    """What getACL shows these ids, None if they may neither READ nor ADMIN.

    Without ADMIN the hash of a digest id is hidden. Source: ZooKeeper FinalRequestProcessor.handleGetACLRequest.
    """
    if not check_acl(acl, READ | ADMIN, credentials):
        return None
    if check_acl(acl, ADMIN, credentials):
        return [ACL(entry.perms, Id(entry.scheme, entry.id)) for entry in acl]
    return [
        ACL(entry.perms, Id(entry.scheme, entry.id.split(":", 1)[0] + ":x" if entry.scheme == "digest" else entry.id))
        for entry in acl
    ]


# Addresses

IPV6_BYTES: Final = 16

_DECIMAL: Final = re.compile(r"[+-]?[0-9]{1,10}")


def is_ip_expression(expression: str) -> bool:
    """Whether an ACL id of scheme ip is an address, or an address and a prefix length within its bits."""
    address, slash, bits = expression.partition("/")
    raw = _address_bytes(address)
    if raw is None or "%" in address or (len(raw) == IPV6_BYTES and "." in address):
        # ZooKeeper's parser of IPv6 knows neither zones nor a dotted tail.
        return False
    return not slash or _prefix_bits(bits, len(raw) * 8) >= 0


def is_ip_match(address: str, expression: str) -> bool:
    """Whether the address is in the expression's net; families never mix."""
    net, slash, bits = expression.partition("/")
    raw_net = _address_bytes(net)
    raw = _address_bytes(address)
    if raw is None or raw_net is None or len(raw) != len(raw_net):
        return False
    width = len(raw) * 8
    prefix = _prefix_bits(bits, width) if slash else width
    if prefix < 0:
        return False
    shift = width - prefix
    return int.from_bytes(raw, "big") >> shift == int.from_bytes(raw_net, "big") >> shift


def _prefix_bits(text: str, width: int) -> int:
    """The prefix length, -1 if it is none."""
    if _DECIMAL.fullmatch(text) is None:
        return -1
    bits = int(text)
    return bits if 0 <= bits <= width else -1


def _address_bytes(text: str) -> bytes | None:
    """4 or 16 bytes of an address literal."""
    parts = text.split(".")
    if len(parts) == 4 and ":" not in text:
        numbers = [int(part) if _DECIMAL.fullmatch(part) is not None else -1 for part in parts]
        return bytes(numbers) if all(0 <= number <= 255 for number in numbers) else None
    try:
        return IPv6Address(text.partition("%")[0]).packed
    except ValueError:
        return None
