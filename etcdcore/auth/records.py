"""Users and roles as etcd stores them: protobuf authpb.User and authpb.Role, fields in order, zero ones left out.

User: 1 name bytes | 2 password bytes (bcrypt) | 3 roles, repeated | 4 options {1 no_password}. Role: 1 name bytes |
2 permissions, repeated {1 kind enum | 2 key | 3 range end}. Source: etcd api/authpb/auth.proto, reference 1.2.
"""

from typing import Final, final

from etcdcore.errors import EngineCorrupt
from etcdcore.mvcc.revision import decode_varint, varint

READ: Final = 0
WRITE: Final = 1
READ_WRITE: Final = 2

ROOT: Final = "root"
"""The name of the user that must exist, and of the role that makes any user an administrator."""


@final
class Permission:
    """READ, WRITE or both on an interval of keys."""

    __slots__ = ("key", "kind", "range_end")

    def __init__(self, kind: int, key: bytes, range_end: bytes) -> None:
        self.kind: Final = kind
        self.key: Final = key
        self.range_end: Final = range_end


@final
class User:
    """`roles` are sorted. Never changed: a change makes a new one."""

    __slots__ = ("has_options", "name", "no_password", "password", "roles")

    def __init__(
        self, name: str, password: bytes, roles: tuple[str, ...], no_password: bool = False, has_options: bool = True
    ) -> None:
        self.name: Final = name
        self.password: Final = password
        """A bcrypt hash; empty when there is none."""
        self.roles: Final = roles
        self.no_password: Final = no_password
        self.has_options: Final = has_options
        """False in records of old servers, which had no options; kept so that the record stays as it was."""

    @property
    def is_admin(self) -> bool:
        return ROOT in self.roles


@final
class Role:
    """`permissions` are sorted by key, those of one key in the order in which they were given."""

    __slots__ = ("name", "permissions")

    def __init__(self, name: str, permissions: tuple[Permission, ...]) -> None:
        self.name: Final = name
        self.permissions: Final = permissions


def encode_user(user: User) -> bytes:
    data = _field(0x0A, user.name.encode()) + _field(0x12, user.password)
    for role in user.roles:
        data += b"\x1a" + _sized(role.encode())
    if user.has_options:
        data += b'"\x02\x08\x01' if user.no_password else b'"\x00'
    return data


def encode_role(role: Role) -> bytes:
    data = _field(0x0A, role.name.encode())
    for permission in role.permissions:
        inner = b"\x08" + varint(permission.kind) if permission.kind else b""
        inner += _field(0x12, permission.key) + _field(0x1A, permission.range_end)
        data += b"\x12" + _sized(inner)
    return data


def decode_user(data: bytes) -> User:
    """Raises EngineCorrupt."""
    name = password = b""
    roles: list[str] = []
    no_password = has_options = False
    for number, _, value in _fields(data):
        if number == 1:
            name = value
        elif number == 2:
            password = value
        elif number == 3:
            roles.append(value.decode())
        elif number == 4:
            has_options = True
            for inner, flag, _ in _fields(value):
                no_password = inner == 1 and flag != 0
    return User(name.decode(), password, tuple(roles), no_password, has_options)


def decode_role(data: bytes) -> Role:
    """Raises EngineCorrupt."""
    name = b""
    permissions: list[Permission] = []
    for number, _, value in _fields(data):
        if number == 1:
            name = value
        elif number == 2:
            kind = 0
            key = range_end = b""
            for inner, inner_number, inner_value in _fields(value):
                if inner == 1:
                    kind = inner_number
                elif inner == 2:
                    key = inner_value
                elif inner == 3:
                    range_end = inner_value
            permissions.append(Permission(kind, key, range_end))
    return Role(name.decode(), tuple(permissions))


def _sized(data: bytes) -> bytes:
    return varint(len(data)) + data


def _field(tag: int, data: bytes) -> bytes:
    return bytes((tag,)) + _sized(data) if data else b""


def _fields(data: bytes) -> list[tuple[int, int, bytes]]:
    """Field number, value of a number, bytes of a text; only the two wire types that these records have."""
    found: list[tuple[int, int, bytes]] = []
    offset = 0
    try:
        while offset < len(data):
            tag, offset = decode_varint(data, offset)
            number, offset = decode_varint(data, offset)
            if tag & 7 == 0:
                found.append((tag >> 3, number, b""))
            elif tag & 7 == 2:
                end = offset + number
                if end > len(data):
                    raise EngineCorrupt(f"an auth record has {len(data)} bytes, a field ends at {end}")
                found.append((tag >> 3, 0, data[offset:end]))
                offset = end
            else:
                raise EngineCorrupt(f"an auth record has a field of wire type {tag & 7}")
    except IndexError as error:
        raise EngineCorrupt("an auth record ends inside a field") from error
    return found
