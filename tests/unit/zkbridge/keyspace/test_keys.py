"""The keys of a tree. Source: design section 2."""

from zkbridge.keyspace.keys import Keyspace, session_id_of
from zkbridge.keyspace.zxid import zxid_of


def test_keys_are_the_prefix_a_letter_and_the_path() -> None:
    keyspace = Keyspace(b"/t/")
    assert keyspace.znode_key("/a/é") == "/t/n/a/é".encode()
    assert keyspace.children_key("/") == b"/t/c/"
    assert (keyspace.fence_key, keyspace.format_key, keyspace.bridge_key("b1")) == (b"/t/w", b"/t/format", b"/t/bb1")


def test_a_session_id_is_sixteen_digits_signed_or_not() -> None:
    keyspace = Keyspace(b"/t/")
    for session_id in (0x100000000000001, -(2**63) + 5, 1):
        key = keyspace.session_key(session_id)
        assert len(key) == len(b"/t/s") + 16
        assert session_id_of(key[4:]) == session_id


def test_a_zxid_is_the_revision() -> None:
    assert zxid_of(12) == 12
