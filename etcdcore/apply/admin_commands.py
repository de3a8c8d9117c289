"""Commands that change who may do what, alarms, and what the cluster knows of its members.

All of one shape, because they are rare: a kind and its fields as bytes. Functions build them, `apply.admin` reads them.
`command: kind u8 (of commands.py) | admin kind u8 | count u8 | (length u32 | bytes) ...`; a number is 8 bytes, LE.
Passwords come as bcrypt hashes and nothing else: the log is no place for a secret.
"""

from collections.abc import Sequence
from struct import Struct
from typing import Final, final

from etcdcore.auth.records import Permission
from etcdcore.errors import CommandFormatError

ADMIN: Final = 8
"""The kind byte of all of them in a batch."""

AUTH_ENABLE: Final = 1
AUTH_DISABLE: Final = 2
AUTHENTICATE: Final = 3
USER_ADD: Final = 4
USER_DELETE: Final = 5
USER_CHANGE_PASSWORD: Final = 6
USER_GRANT_ROLE: Final = 7
USER_REVOKE_ROLE: Final = 8
ROLE_ADD: Final = 9
ROLE_DELETE: Final = 10
ROLE_GRANT_PERMISSION: Final = 11
ROLE_REVOKE_PERMISSION: Final = 12
ALARM_ACTIVATE: Final = 13
ALARM_DEACTIVATE: Final = 14
MEMBER_ATTRIBUTES: Final = 15
CLUSTER_VERSION: Final = 16
DOWNGRADE_INFO: Final = 17

_FIELD_COUNTS: Final = {
    AUTH_ENABLE: 0,
    AUTH_DISABLE: 0,
    AUTHENTICATE: 2,
    USER_ADD: 3,
    USER_DELETE: 1,
    USER_CHANGE_PASSWORD: 2,
    USER_GRANT_ROLE: 2,
    USER_REVOKE_ROLE: 2,
    ROLE_ADD: 1,
    ROLE_DELETE: 1,
    ROLE_GRANT_PERMISSION: 4,
    ROLE_REVOKE_PERMISSION: 3,
    ALARM_ACTIVATE: 2,
    ALARM_DEACTIVATE: 2,
    MEMBER_ATTRIBUTES: 2,
    CLUSTER_VERSION: 1,
    DOWNGRADE_INFO: 2,
}
"""How many fields each has at least; member attributes go on with the client URLs."""

CLIENT_URLS_MAX: Final = 253
"""What the count in one byte leaves for them."""

_HEAD: Final = Struct("<BBB")
_LENGTH: Final = Struct("<I")
_NUMBER: Final = Struct("<Q")


@final
class AdminCommand:
    """Never changed after it is built."""

    __slots__ = ("fields", "kind")

    def __init__(self, kind: int, fields: Sequence[bytes]) -> None:
        self.kind: Final = kind
        self.fields: Final = fields

    def encode(self) -> bytes:
        parts = [_HEAD.pack(ADMIN, self.kind, len(self.fields))]
        for field in self.fields:
            parts.append(_LENGTH.pack(len(field)))
            parts.append(field)
        return b"".join(parts)

    def text(self, position: int) -> str:
        return self.fields[position].decode()

    def number(self, position: int) -> int:
        number: int = _NUMBER.unpack(self.fields[position])[0]
        return number


def decode_admin(data: bytes, offset: int) -> tuple[AdminCommand, int]:
    """The command at the offset, and where it ends. Raises CommandFormatError, StructError on a short head."""
    _, kind, count = _HEAD.unpack_from(data, offset)
    if kind not in _FIELD_COUNTS or count < _FIELD_COUNTS[kind]:
        raise CommandFormatError(f"admin command {kind} with {count} fields")
    offset += _HEAD.size
    fields: list[bytes] = []
    for _ in range(count):
        start = offset + _LENGTH.size
        offset = start + _LENGTH.unpack_from(data, offset)[0]
        if offset > len(data):
            raise CommandFormatError(f"field ends at byte {offset} of {len(data)}")
        fields.append(data[start:offset])
    return AdminCommand(kind, fields), offset


def auth_enable() -> AdminCommand:
    return AdminCommand(AUTH_ENABLE, ())


def auth_disable() -> AdminCommand:
    return AdminCommand(AUTH_DISABLE, ())


def authenticate(user_name: str, prefix: str) -> AdminCommand:
    """The password was found to be right; `prefix` makes the simple token, and is empty where there is none."""
    return AdminCommand(AUTHENTICATE, (user_name.encode(), prefix.encode()))


def user_add(name: str, password_hash: bytes, no_password: bool = False) -> AdminCommand:
    return AdminCommand(USER_ADD, (name.encode(), password_hash, b"\1" if no_password else b""))


def user_delete(name: str) -> AdminCommand:
    return AdminCommand(USER_DELETE, (name.encode(),))


def user_change_password(name: str, password_hash: bytes) -> AdminCommand:
    return AdminCommand(USER_CHANGE_PASSWORD, (name.encode(), password_hash))


def user_grant_role(user_name: str, role_name: str) -> AdminCommand:
    return AdminCommand(USER_GRANT_ROLE, (user_name.encode(), role_name.encode()))


def user_revoke_role(user_name: str, role_name: str) -> AdminCommand:
    return AdminCommand(USER_REVOKE_ROLE, (user_name.encode(), role_name.encode()))


def role_add(name: str) -> AdminCommand:
    return AdminCommand(ROLE_ADD, (name.encode(),))


def role_delete(name: str) -> AdminCommand:
    return AdminCommand(ROLE_DELETE, (name.encode(),))


def role_grant_permission(role_name: str, permission: Permission) -> AdminCommand:
    kind = _NUMBER.pack(permission.kind)
    return AdminCommand(ROLE_GRANT_PERMISSION, (role_name.encode(), kind, permission.key, permission.range_end))


def role_revoke_permission(role_name: str, key: bytes, range_end: bytes) -> AdminCommand:
    return AdminCommand(ROLE_REVOKE_PERMISSION, (role_name.encode(), key, range_end))


def alarm_activate(member_id: int, alarm: int) -> AdminCommand:
    return AdminCommand(ALARM_ACTIVATE, (_NUMBER.pack(member_id), _NUMBER.pack(alarm)))


def alarm_deactivate(member_id: int, alarm: int) -> AdminCommand:
    return AdminCommand(ALARM_DEACTIVATE, (_NUMBER.pack(member_id), _NUMBER.pack(alarm)))


def member_attributes(member_id: int, name: str, client_urls: Sequence[str]) -> AdminCommand:
    """What a member says of itself once it has started."""
    assert len(client_urls) <= CLIENT_URLS_MAX
    urls = [url.encode() for url in client_urls]
    return AdminCommand(MEMBER_ATTRIBUTES, [_NUMBER.pack(member_id), name.encode(), *urls])


def cluster_version(version: str) -> AdminCommand:
    return AdminCommand(CLUSTER_VERSION, (version.encode(),))


def downgrade_info(target_version: str) -> AdminCommand:
    """An empty target ends the downgrade."""
    return AdminCommand(DOWNGRADE_INFO, (b"\1" if target_version else b"", target_version.encode()))
