"""etcdcore.apply.admin_commands: what the log carries, and what it does not take."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etcdcore.apply import admin_commands as commands
from etcdcore.apply.admin_commands import AdminCommand
from etcdcore.apply.commands import AsUser, Put, Range, Txn, decode_batch, encode_batch
from etcdcore.auth.records import Permission
from etcdcore.errors import CommandFormatError

ALL = [
    commands.auth_enable(),
    commands.auth_disable(),
    commands.authenticate("u", "prefix"),
    commands.user_add("ü", b"$2a$hash"),
    commands.user_add("u", b"", no_password=True),
    commands.user_delete("u"),
    commands.user_change_password("u", b"h"),
    commands.user_grant_role("u", "r"),
    commands.user_revoke_role("u", "r"),
    commands.role_add("r"),
    commands.role_delete("r"),
    commands.role_grant_permission("r", Permission(2, b"a", b"\0")),
    commands.role_revoke_permission("r", b"a", b""),
    commands.alarm_activate((1 << 64) - 1, 2),
    commands.alarm_deactivate(0, 1),
    commands.member_attributes(5, "n", ["http://a:1", "http://b:2"]),
    commands.cluster_version("3.6.0"),
    commands.downgrade_info(""),
]


@pytest.mark.parametrize("command", ALL, ids=lambda command: f"kind {command.kind}")
def test_what_is_decoded_is_what_was_encoded(command: AdminCommand) -> None:
    for wrapped in (command, AsUser("root", 7, command)):
        decoded = decode_batch(encode_batch([wrapped, Put(b"a", b"b")]))[0]
        inner = decoded.command if isinstance(decoded, AsUser) else decoded
        assert isinstance(inner, AdminCommand)
        assert (inner.kind, list(inner.fields)) == (command.kind, list(command.fields))


def test_a_command_of_a_user_keeps_who_asked_and_at_which_revision() -> None:
    wanted = AsUser("alice", 12, Txn((), (Put(b"a", b"b", 5),), (Range(b"c"),)))
    decoded = decode_batch(encode_batch([wanted]))[0]
    assert isinstance(decoded, AsUser) and isinstance(decoded.command, Txn)
    assert (decoded.user_name, decoded.auth_revision) == ("alice", 12)
    assert decoded.encode() == wanted.encode()


def test_no_command_is_in_the_name_of_two() -> None:
    put = Put(b"k", b"v")
    inner = AsUser("a", 1, put)
    # What a damaged log could hold; nothing could be made to write it.
    twice = encode_batch([AsUser("b", 1, put)]).replace(put.encode(), inner.encode())
    with pytest.raises(CommandFormatError):
        decode_batch(twice)


@given(st.data())
def test_damaged_bytes_raise_the_one_error(data: st.DataObject) -> None:
    encoded = bytearray(encode_batch([AsUser("user", 3, data.draw(st.sampled_from(ALL))), ALL[3]]))
    position = data.draw(st.integers(0, len(encoded) - 1))
    encoded[position] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(0, len(encoded)))
    try:
        decode_batch(bytes(encoded[:end]))
    except CommandFormatError:
        return
