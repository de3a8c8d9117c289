"""server.N lines, as ZooKeeper's QuorumPeer.QuorumServer reads them."""

import pytest

from zkbridge.membership import MembershipError, ServerLine, members_of, parse_server_line


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("h:1:2", ServerLine(1, (("h", 1, 2),), False, None)),
        ("h:1:2;3", ServerLine(1, (("h", 1, 2),), False, ("0.0.0.0", 3))),
        ("h:1:2;c:3", ServerLine(1, (("h", 1, 2),), False, ("c", 3))),
        ("h:1:2:participant;3", ServerLine(1, (("h", 1, 2),), False, ("0.0.0.0", 3))),
        ("h:1:2:Observer", ServerLine(1, (("h", 1, 2),), True, None)),
        ("[::1]:1:2;[::]:3", ServerLine(1, (("::1", 1, 2),), False, ("::", 3))),
        ("a:1:2|b:3:4;5", ServerLine(1, (("a", 1, 2), ("b", 3, 4)), False, ("0.0.0.0", 5))),
    ],
)
def test_a_line_is_addresses_a_role_and_a_client_address(value: str, expected: ServerLine) -> None:
    assert parse_server_line("server.1", value, is_multi_address=True) == expected


@pytest.mark.parametrize(
    ("key", "value", "named"),
    [
        ("server.1", "h", "expected HOST:PORT:PORT"),
        ("server.1", "h:1", "expected HOST:PORT:PORT"),
        ("server.1", "h:1:2:observer:4", "expected HOST:PORT:PORT"),
        ("server.1", "h:1:2;3;4", "expected HOST:PORT:PORT"),
        ("server.1", "h:1:2;a:b:3", "expected HOST:PORT:PORT"),
        ("server.1", "h:1:x", "'x', expected a whole number"),
        ("server.1", "h:1:2;3 ", "'3 ', expected a whole number"),
        ("server.1", "h:1:99999", "port 99999"),
        ("server.1", "h:1:1", "both 1"),
        ("server.1", "h:1:2:voter", "expected participant or observer"),
        ("server.1", "a:1:2|b:1:2", "multiAddress.enabled"),
        ("server.1", "[::1:2:3", r"expected [ADDRESS]:PORT"),
        ("server.x", "h:1:2", "'x', expected a whole number"),
    ],
)
def test_what_zookeeper_refuses_is_refused_with_the_key(key: str, value: str, named: str) -> None:
    with pytest.raises(MembershipError) as caught:
        parse_server_line(key, value)
    assert str(caught.value).startswith(f"{key}: ")
    assert named in str(caught.value)


def test_addresses_of_one_server_have_one_role() -> None:
    with pytest.raises(MembershipError, match="different roles"):
        parse_server_line("server.1", "a:1:2:observer|b:1:2:participant", is_multi_address=True)


def test_groups_and_weights_stand_in_the_configuration() -> None:
    """Source: ZooKeeper QuorumHierarchical.toString."""
    membership = members_of({"server.1": "h:1:2", "group.7": "1", "version": "1F"}, False)
    assert membership.config_text() == "server.1=h:1:2:participant\ngroup.7=1\nweight.1=1\nversion=1f"


@pytest.mark.parametrize(
    ("properties", "named"),
    [
        ({"server.1": "h:1:2", "weight.1": "1"}, "server.1: groups are used and this server is in none"),
        ({"group.1": "1", "group.2": "1"}, "group.2: server 1 is in more than one group"),
        ({"group.1": "a"}, "group.1: 'a', expected a whole number"),
        ({"version": "g"}, "version: 'g', expected a whole number"),
    ],
)
def test_groups_that_are_wrong_are_refused(properties: dict[str, str], named: str) -> None:
    with pytest.raises(MembershipError) as caught:
        members_of(properties, False)
    assert named in str(caught.value)
