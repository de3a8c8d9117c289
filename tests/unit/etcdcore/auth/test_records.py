"""etcdcore.auth.records: what real etcd's generated classes read and write, byte for byte."""

import pytest

from etcdcore.auth.records import (
    READ_WRITE,
    WRITE,
    Permission,
    Role,
    User,
    decode_role,
    decode_user,
    encode_role,
    encode_user,
)
from etcdcore.errors import EngineCorrupt
from etcdcore.pb import auth_pb2


@pytest.mark.parametrize(
    "user",
    [
        User("alice", b"$2a$10$hash", ("r1", "r2")),
        User("bob", b"", (), no_password=True),
        User("x" * 200, b"h" * 300, ("ü" * 70,)),
        User("old", b"h", (), has_options=False),
    ],
)
def test_a_user_is_stored_as_etcds_own_message(user: User) -> None:
    message = auth_pb2.User(name=user.name.encode(), password=user.password, roles=user.roles)
    if user.has_options:
        message.options.SetInParent()
        message.options.no_password = user.no_password
    assert encode_user(user) == message.SerializeToString(deterministic=True)
    read = decode_user(encode_user(user))
    assert (read.name, read.password, read.roles) == (user.name, user.password, user.roles)
    assert (read.no_password, read.has_options) == (user.no_password, user.has_options)


def test_a_role_is_stored_as_etcds_own_message() -> None:
    role = Role("r", (Permission(0, b"a", b""), Permission(WRITE, b"b", b"c"), Permission(READ_WRITE, b"d", b"\0")))
    message = auth_pb2.Role(name=b"r")
    for permission in role.permissions:
        stored = message.keyPermission.add()
        stored.permType = permission.kind  # type: ignore[assignment]  # an enum is an int
        stored.key = permission.key
        stored.range_end = permission.range_end
    assert encode_role(role) == message.SerializeToString(deterministic=True)
    read = decode_role(encode_role(role))
    assert [(held.kind, held.key, held.range_end) for held in read.permissions] == [
        (0, b"a", b""),
        (WRITE, b"b", b"c"),
        (READ_WRITE, b"d", b"\0"),
    ]


@pytest.mark.parametrize("data", [b"\x0a", b"\x0a\x05ab", b"\x0d\0\0\0\0", b"\x0a\x80"])
def test_damaged_records_are_said_to_be(data: bytes) -> None:
    with pytest.raises(EngineCorrupt):
        decode_user(data)
