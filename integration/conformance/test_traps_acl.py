"""Traps of ACLs and auth packets (reference sections 5.1 to 5.4), on the bridge and on ZooKeeper."""

from __future__ import annotations

import pytest

from integration.conformance import wire
from integration.conformance.conftest import Connect
from integration.conformance.raw_client import (
    OPEN_ACL,
    RawClient,
    auth_body,
    create_body,
    multi_body,
    path_number,
    path_version,
    path_watch,
    read_acl,
    read_stat,
    set_acl_body,
    set_data_body,
    text,
)
from integration.conformance.script import digest_id
from integration.conformance.wire import Acl

READ, WRITE, CREATE, DELETE, ADMIN, ALL = 1, 2, 4, 8, 16, 31
USER = digest_id("user", "secret")
OTHER = digest_id("other", "secret")


def world(perms: int) -> Acl:
    return perms, b"world", b"anyone"


# What each operation needs


@pytest.mark.parametrize(
    ("opcode", "body", "needed"),
    [
        (wire.EXISTS, lambda path: path_watch(path), READ),
        (wire.GET_DATA, lambda path: path_watch(path), READ),
        (wire.GET_CHILDREN, lambda path: path_watch(path), READ),
        (wire.GET_CHILDREN2, lambda path: path_watch(path), READ),
        (wire.GET_ALL_CHILDREN_NUMBER, lambda path: text(path), READ),
        (wire.GET_ACL, lambda path: text(path), READ | ADMIN),
        (wire.SET_DATA, lambda path: set_data_body(path, b""), WRITE),
        (wire.SET_ACL, lambda path: set_acl_body(path, OPEN_ACL), ADMIN),
        (wire.CREATE, lambda path: create_body(f"{path}/new"), CREATE),
        (wire.DELETE, lambda path: path_version(f"{path}/child"), DELETE),
    ],
    ids=lambda value: wire.OPCODE_NAMES.get(value) if isinstance(value, int) else "",
)
def test_each_operation_needs_its_bit_and_no_other(
    client: RawClient, root: str, opcode: int, body: object, needed: int
) -> None:
    assert callable(body)
    for bit in (0, READ, WRITE, CREATE, DELETE, ADMIN, 32):
        path = f"{root}/p{bit}"
        client.create(path)
        client.create(f"{path}/child")
        client.set_acl(path, (world(bit),))
        assert client.error(opcode, body(path)) == (0 if bit & needed else -102), f"with permissions {bit}"


def test_a_check_needs_read(client: RawClient, root: str) -> None:
    client.create(f"{root}/x", acl=(world(ALL - READ),))
    assert client.multi((wire.CHECK, path_version(f"{root}/x")))[0].code == -102


def test_deleting_asks_the_parent_and_not_the_znode(client: RawClient, root: str) -> None:
    client.create(f"{root}/x", acl=(world(0),))
    assert client.error(wire.DELETE, path_version(f"{root}/x")) == 0


def test_acls_are_not_inherited(client: RawClient, root: str) -> None:
    client.create(f"{root}/p")
    client.create(f"{root}/p/x")
    client.set_acl(f"{root}/p", (world(0),))
    assert client.error(wire.GET_DATA, path_watch(f"{root}/p/x")) == 0


def test_watches_ephemerals_and_sync_need_nothing(client: RawClient, root: str) -> None:
    client.create(f"{root}/x", acl=(world(0),))
    assert client.error(wire.ADD_WATCH, path_number(f"{root}/x", 0)) == 0
    assert client.error(wire.SYNC, text(f"{root}/x")) == 0


@pytest.mark.parametrize("perms", [0, 31, 32, -1, 2**31 - 1, -(2**31)])
def test_any_permissions_are_stored(client: RawClient, root: str, perms: int) -> None:
    client.create(f"{root}/x", acl=(world(perms), world(READ)))
    assert client.get_acl(f"{root}/x")[0] == [world(perms), world(READ)]


# What an ACL may say


@pytest.mark.parametrize(
    ("scheme", "ident", "valid"),
    [
        ("world", "anyone", True),
        ("world", "someone", False),
        ("world", "", False),
        ("digest", "a:b", True),
        ("digest", "a", False),
        ("digest", "a:", False),
        ("digest", ":b", True),
        ("digest", "a:b:c", False),
        ("digest", "", False),
        ("digest", ":", False),
        ("ip", "10.0.0.1", True),
        ("ip", "10.0.0.0/8", True),
        ("ip", "10.0.0.0/0", True),
        ("ip", "10.0.0.0/32", True),
        ("ip", "10.0.0.0/33", False),
        ("ip", "10.0.0.0/-1", False),
        ("ip", "10.0.0", False),
        ("ip", "256.0.0.1", False),
        ("ip", "host", False),
        ("ip", "::1", True),
        ("ip", "fe80::/10", True),
        ("ip", "::1/128", True),
        ("ip", "::1/129", False),
        ("ip", "fe80::1%eth0", False),
        ("ip", "::ffff:10.0.0.1", False),
        ("ip", "1::2::3", False),
        ("ip", "", False),
        ("super", "x", False),
        ("sasl", "x", False),
        ("x509", "CN=x", False),
        ("nonsense", "x", False),
        ("", "x", False),
        ("auth", "", False),
        ("WORLD", "anyone", False),
    ],
)
def test_what_an_entry_may_say(client: RawClient, root: str, scheme: str, ident: str, valid: bool) -> None:
    acl = ((ALL, scheme.encode(), ident.encode()),)
    assert client.error(wire.CREATE, create_body(f"{root}/x", acl=acl)) == (0 if valid else -114)
    assert client.error(wire.SET_ACL, set_acl_body(root, acl)) == (0 if valid else -114)


def test_one_bad_entry_spoils_the_list(client: RawClient, root: str) -> None:
    acl = (world(ALL), (ALL, b"nonsense", b"x"))
    assert client.error(wire.CREATE, create_body(f"{root}/x", acl=acl)) == -114


def test_null_schemes_and_ids(client: RawClient, root: str) -> None:
    assert client.error(wire.CREATE, create_body(f"{root}/x", acl=((ALL, None, b"anyone"),))) == -114
    assert client.error(wire.CREATE, create_body(f"{root}/x", acl=((ALL, b"world", None),))) == -5
    assert client.error(wire.CREATE, create_body(f"{root}/x", acl=((ALL, b"digest", None),))) == -5
    assert client.error(wire.SET_ACL, set_acl_body(root, ((ALL, b"ip", None),))) == -5


@pytest.mark.parametrize("acl", [None, ()])
def test_no_list_is_no_acl(client: RawClient, root: str, acl: tuple[Acl, ...] | None) -> None:
    assert client.error(wire.CREATE, create_body(f"{root}/x", acl=acl)) == -114
    assert client.error(wire.SET_ACL, set_acl_body(root, acl)) == -114


def test_exact_duplicates_are_dropped_and_the_order_kept(client: RawClient, root: str) -> None:
    first, second, third = (1, b"ip", b"10.0.0.1"), world(ALL), (2, b"ip", b"10.0.0.1")
    client.create(f"{root}/x", acl=(first, second, first, third, second))
    assert client.get_acl(f"{root}/x")[0] == [first, second, third]


# auth entries


def test_auth_stands_for_the_digests_of_the_connection(client: RawClient, root: str) -> None:
    client.add_auth("digest", b"user:secret")
    client.create(f"{root}/x", acl=((ALL, b"auth", b"whatever"),))
    assert client.get_acl(f"{root}/x")[0] == [(ALL, b"digest", USER)]


def test_auth_without_an_id_is_refused_though_the_connection_has_an_address(client: RawClient, root: str) -> None:
    assert client.error(wire.CREATE, create_body(f"{root}/x", acl=((ALL, b"auth", b""),))) == -114
    client.add_auth("ip", b"")
    assert client.error(wire.CREATE, create_body(f"{root}/x", acl=((ALL, b"auth", b""),))) == -114


def test_auth_stands_for_all_ids_and_super_is_none(client: RawClient, root: str) -> None:
    client.add_auth("digest", b"super:test")
    client.add_auth("digest", b"other:secret")
    client.create(f"{root}/x", acl=((READ, b"auth", b""),))
    entries = client.get_acl(f"{root}/x")[0]
    assert sorted(entries, key=str) == sorted(
        [(READ, b"digest", digest_id("super", "test")), (READ, b"digest", OTHER)], key=str
    )


def test_auth_is_expanded_after_duplicates_are_dropped(client: RawClient, root: str) -> None:
    client.add_auth("digest", b"user:secret")
    client.create(f"{root}/x", acl=((ALL, b"auth", b"a"), (ALL, b"auth", b"b"), (ALL, b"auth", b"a")))
    assert client.get_acl(f"{root}/x")[0] == [(ALL, b"digest", USER)] * 2


def test_auth_in_set_acl_and_in_a_multi(client: RawClient, root: str) -> None:
    client.add_auth("digest", b"user:secret")
    client.set_acl(root, ((ALL, b"auth", b""),))
    assert client.get_acl(root)[0] == [(ALL, b"digest", USER)]
    client.multi((wire.CREATE, create_body(f"{root}/x", acl=((ALL, b"auth", b""), world(WRITE)))))
    assert client.get_acl(f"{root}/x")[0] == [(ALL, b"digest", USER), world(WRITE)]


# Who matches


def test_a_digest_opens_for_who_knows_the_secret(connect: Connect, client: RawClient, root: str) -> None:
    client.create(f"{root}/x", acl=((ALL, b"digest", USER),))
    assert client.error(wire.GET_DATA, path_watch(f"{root}/x")) == -102
    client.add_auth("digest", b"user:wrong")
    assert client.error(wire.GET_DATA, path_watch(f"{root}/x")) == -102
    client.add_auth("digest", b"user:secret")
    assert client.error(wire.GET_DATA, path_watch(f"{root}/x")) == 0
    assert connect().error(wire.GET_DATA, path_watch(f"{root}/x")) == -102


def test_several_users_of_one_connection_all_count(client: RawClient, root: str) -> None:
    client.create(f"{root}/x", acl=((ALL, b"digest", USER),))
    client.create(f"{root}/y", acl=((ALL, b"digest", OTHER),))
    for secret in (b"user:secret", b"other:secret", b"user:secret"):
        client.add_auth("digest", secret)
    assert client.error(wire.GET_DATA, path_watch(f"{root}/x")) == 0
    assert client.error(wire.GET_DATA, path_watch(f"{root}/y")) == 0


@pytest.mark.parametrize(
    ("ident", "matches"),
    [
        (b"127.0.0.1", True),
        (b"127.0.0.0/8", True),
        (b"127.0.0.0/31", True),
        (b"127.0.0.1/32", True),
        (b"0.0.0.0/0", True),
        (b"127.0.0.2", False),
        (b"127.0.0.2/31", False),
        (b"128.0.0.0/8", False),
    ],
)
def test_addresses_match_by_their_first_bits(client: RawClient, root: str, ident: bytes, matches: bool) -> None:
    client.create(f"{root}/x", acl=((ALL, b"ip", ident),))
    assert client.error(wire.GET_DATA, path_watch(f"{root}/x")) == (0 if matches else -102)


def test_a_bit_of_any_matching_entry_will_do(client: RawClient, root: str) -> None:
    client.create(f"{root}/x", acl=((WRITE, b"ip", b"127.0.0.1"), world(READ)))
    assert client.error(wire.GET_DATA, path_watch(f"{root}/x")) == 0
    assert client.error(wire.SET_DATA, set_data_body(f"{root}/x", b"")) == 0
    assert client.error(wire.SET_ACL, set_acl_body(f"{root}/x", OPEN_ACL)) == -102


def test_the_super_user_may_do_everything(client: RawClient, root: str) -> None:
    client.create(f"{root}/x", acl=((0, b"digest", USER),))
    client.create(f"{root}/x2")
    assert client.error(wire.SET_DATA, set_data_body(f"{root}/x", b"")) == -102
    client.add_auth("digest", b"super:test")
    assert client.error(wire.SET_DATA, set_data_body(f"{root}/x", b"")) == 0
    assert client.error(wire.CREATE, create_body(f"{root}/x/y")) == 0
    assert client.error(wire.DELETE, path_version(f"{root}/x/y")) == 0
    assert client.error(wire.SET_ACL, set_acl_body(f"{root}/x", OPEN_ACL)) == 0


def test_a_wrong_super_password_is_only_another_user(client: RawClient, root: str) -> None:
    client.create(f"{root}/x", acl=((ALL, b"digest", USER),))
    client.add_auth("digest", b"super:wrong")
    assert client.error(wire.GET_DATA, path_watch(f"{root}/x")) == -102


# Reading ACLs


def test_who_may_not_administer_sees_digests_redacted(connect: Connect, client: RawClient, root: str) -> None:
    acl = ((ALL, b"digest", USER), (READ, b"digest", b"odd:x"), (READ, b"ip", b"127.0.0.1"), world(WRITE))
    client.create(f"{root}/x", acl=acl)
    redacted = [(ALL, b"digest", b"user:x"), (READ, b"digest", b"odd:x"), *acl[2:]]
    entries, stat = client.get_acl(f"{root}/x")
    assert entries == redacted
    assert stat == client.stat(f"{root}/x")
    client.add_auth("digest", b"user:secret")
    assert client.get_acl(f"{root}/x")[0] == list(acl)


def test_who_may_administer_but_not_read_sees_it_all(client: RawClient, root: str) -> None:
    acl = ((READ, b"digest", USER), world(ADMIN))
    client.create(f"{root}/x", acl=acl)
    assert client.get_acl(f"{root}/x")[0] == list(acl)


def test_get_acl_without_either_is_refused(client: RawClient, root: str) -> None:
    client.create(f"{root}/x", acl=(world(WRITE | CREATE | DELETE),))
    assert client.error(wire.GET_ACL, text(f"{root}/x")) == -102


def test_set_acl_counts_and_checks_the_aversion(client: RawClient, root: str) -> None:
    assert client.set_acl(root, OPEN_ACL).aversion == 1
    assert client.error(wire.SET_ACL, set_acl_body(root, OPEN_ACL, 0)) == -103
    cursor = client.ok(wire.SET_ACL, set_acl_body(root, (world(READ | ADMIN),), 1))
    assert read_stat(cursor).aversion == 2
    assert read_acl(client.ok(wire.GET_ACL, text(root))) == [world(READ | ADMIN)]


# Auth packets


@pytest.mark.parametrize(
    ("scheme", "secret"),
    [
        ("digest", None),
        ("world", b"anyone"),
        ("auth", b""),
        ("super", b"super:test"),
        ("nonsense", b"x"),
        ("", b"x"),
        (None, b"x"),
        ("sasl", b"x"),
    ],
)
def test_a_failed_auth_is_minus_115_with_zxid_0_and_closes(
    client: RawClient, root: str, scheme: str | None, secret: bytes | None
) -> None:
    reply = client.call(wire.AUTH, auth_body(scheme, secret), wire.XID_AUTH)
    assert (reply.xid, reply.zxid, reply.error, reply.body) == (wire.XID_AUTH, 0, -115, b"")
    client.expect_closed()


@pytest.mark.parametrize("secret", [b"user:secret", b"user", b"", b":", b"a:b:c", b"\xff\xfe:\x00", b"u" * 5000])
def test_any_digest_but_null_succeeds(client: RawClient, secret: bytes) -> None:
    client.add_auth("digest", secret)
    assert client.call(wire.PING).error == 0


@pytest.mark.parametrize("secret", [None, b"", b"1.2.3.4"])
def test_an_ip_auth_always_succeeds_and_means_the_real_address(
    client: RawClient, root: str, secret: bytes | None
) -> None:
    assert client.call(wire.AUTH, auth_body("ip", secret), wire.XID_AUTH).error == 0
    client.create(f"{root}/x", acl=((ALL, b"ip", b"1.2.3.4"),))
    assert client.error(wire.GET_DATA, path_watch(f"{root}/x")) == -102


def test_the_session_outlives_a_failed_auth(connect: Connect, client: RawClient) -> None:
    assert client.call(wire.AUTH, auth_body("nonsense", b""), 9).error == -115
    client.expect_closed()
    assert connect(session_id=client.session_id, password=client.password).call(wire.PING).error == 0


def test_ids_do_not_follow_a_session_to_its_next_connection(connect: Connect, client: RawClient, root: str) -> None:
    client.create(f"{root}/x", acl=((ALL, b"digest", USER),))
    client.add_auth("digest", b"user:secret")
    again = connect(session_id=client.session_id, password=client.password)
    assert again.error(wire.GET_DATA, path_watch(f"{root}/x")) == -102


def test_a_request_behind_an_auth_packet_has_its_id(client: RawClient, root: str) -> None:
    client.create(f"{root}/x", acl=((ALL, b"digest", USER),))
    client.send(wire.AUTH, auth_body("digest", b"user:secret"), 1)
    client.send(wire.GET_DATA, path_watch(f"{root}/x"), 2)
    client.send(wire.MULTI, multi_body((wire.SET_DATA, set_data_body(f"{root}/x", b"1"))), 3)
    assert [(reply.xid, reply.error) for reply in (client.reply() for _ in range(3))] == [(1, 0), (2, 0), (3, 0)]


def test_a_request_before_an_auth_packet_does_not_have_its_id(client: RawClient, root: str) -> None:
    client.create(f"{root}/x", acl=((ALL, b"digest", USER),))
    client.send(wire.SET_DATA, set_data_body(root, b""), 1)
    client.send(wire.GET_DATA, path_watch(f"{root}/x"), 2)
    client.send(wire.SET_DATA, set_data_body(f"{root}/x", b"1"), 3)
    client.send(wire.AUTH, auth_body("digest", b"user:secret"), 4)
    # The auth reply may overtake the others.
    errors = {reply.xid: reply.error for reply in (client.reply() for _ in range(4))}
    assert errors == {1: 0, 2: -102, 3: -102, 4: 0}
