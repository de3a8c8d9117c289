"""Who passes an ACL, what may be stored, what readers see. Source: reference sections 5.1 to 5.3."""

import pytest

from zkbridge.errors import INVALID_ACL, MARSHALLING_ERROR
from zkbridge.jute.records import ACL, Id
from zkbridge.tree.acl import (
    ADMIN,
    ALL,
    CREATE,
    OPEN_ACL,
    READ,
    WRITE,
    AclEntry,
    Credentials,
    check_acl,
    fixup_acl,
    intern_acl,
    is_ip_match,
    readable_acl,
)

NOBODY = Credentials()
USER = Credentials((("ip", "127.0.0.1"), ("digest", "u:h"), ("digest", "v:k")))


def test_some_entry_must_grant_a_wanted_bit_to_one_of_the_ids() -> None:
    acl = (AclEntry(READ, "world", "anyone"), AclEntry(WRITE, "digest", "u:h"), AclEntry(CREATE, "ip", "127.0.0.0/8"))
    assert check_acl(acl, READ, NOBODY)
    assert not check_acl(acl, WRITE, NOBODY)
    assert check_acl(acl, WRITE, USER)
    assert check_acl(acl, CREATE, USER)
    assert not check_acl(acl, ADMIN, USER)
    assert check_acl(acl, ADMIN, USER.with_id("super", ""))
    assert check_acl((), ADMIN, NOBODY)


def test_the_open_acl_is_one_object_however_it_is_asked_for() -> None:
    assert fixup_acl([ACL(31, Id("world", "anyone"))], NOBODY) is OPEN_ACL
    twice = [ACL(31, Id("world", "anyone")), ACL(31, Id("world", "anyone"))]
    assert fixup_acl(twice, NOBODY) is OPEN_ACL
    assert intern_acl((AclEntry(ALL, "world", "anyone"),)) is OPEN_ACL


@pytest.mark.parametrize(
    ("scheme", "id", "code"),
    [
        (None, "x", INVALID_ACL),
        ("world", "everyone", INVALID_ACL),
        ("world", None, MARSHALLING_ERROR),
        ("digest", None, MARSHALLING_ERROR),
        ("digest", "a:", INVALID_ACL),
        ("digest", "a", INVALID_ACL),
        ("digest", "a:b:c", INVALID_ACL),
        ("ip", "1.2.3", INVALID_ACL),
        ("ip", "1.2.3.256", INVALID_ACL),
        ("ip", "1.2.3.4/33", INVALID_ACL),
        ("ip", "1.2.3.4/", INVALID_ACL),
        ("ip", "fe80::1%eth0", INVALID_ACL),
        ("ip", "::ffff:10.0.0.1", INVALID_ACL),
        ("super", "x", INVALID_ACL),
        ("sasl", "x", INVALID_ACL),
        ("auth", "", INVALID_ACL),
        ("nobody-knows", None, INVALID_ACL),
    ],
)
def test_an_entry_that_no_provider_takes_is_refused(scheme: str | None, id: str | None, code: int) -> None:
    assert fixup_acl([ACL(31, Id(scheme, id))], NOBODY) == code


@pytest.mark.parametrize("id", [":b", "a:b", "a:b::"])
def test_a_digest_id_has_two_parts_as_java_splits_it(id: str) -> None:
    assert fixup_acl([ACL(1, Id("digest", id))], NOBODY) == (AclEntry(1, "digest", id),)


def test_auth_becomes_an_entry_for_each_digest_id_after_duplicates_went() -> None:
    requested = [ACL(1, Id("auth", "a")), ACL(1, Id("auth", "b")), ACL(1, Id("auth", "a"))]
    # In the order of the ids, which is that of a hash map.
    expanded = (AclEntry(1, "digest", "v:k"), AclEntry(1, "digest", "u:h"))
    assert fixup_acl(requested, USER) == expanded + expanded


def test_hashes_are_shown_to_admins_only() -> None:
    acl = (AclEntry(READ, "world", "anyone"), AclEntry(ADMIN, "digest", "u:h"), AclEntry(1, "ip", "1.2.3.4"))
    shown = readable_acl(acl, NOBODY)
    assert shown is not None
    assert [entry.id.id for entry in shown] == ["anyone", "u:x", "1.2.3.4"]
    shown = readable_acl(acl, USER)
    assert shown is not None
    assert [entry.id.id for entry in shown] == ["anyone", "u:h", "1.2.3.4"]
    assert readable_acl((AclEntry(WRITE, "world", "anyone"),), NOBODY) is None


@pytest.mark.parametrize(
    ("address", "expression", "matches"),
    [
        ("10.1.2.3", "10.1.2.3", True),
        ("10.1.2.3", "10.1.2.4", False),
        ("10.1.2.3", "10.0.0.0/8", True),
        ("11.1.2.3", "10.0.0.0/8", False),
        ("11.1.2.3", "10.0.0.0/0", True),
        ("10.1.2.3", "10.1.2.2/31", True),
        ("::1", "::1", True),
        ("fd00::5", "fd00::/8", True),
        ("::1", "0.0.0.0/0", False),
        ("fe80::1%eth0", "fe80::/10", True),
    ],
)
def test_an_address_is_in_a_net_or_not(address: str, expression: str, matches: bool) -> None:
    assert is_ip_match(address, expression) is matches


def test_without_digest_authentication_no_acl_speaks_of_digests() -> None:
    """Source: ZooKeeper PrepRequestProcessor.fixupACL, which asks the scheme's provider."""
    requested = [ACL(31, Id("world", "anyone")), ACL(1, Id("digest", "user:hash"))]
    assert fixup_acl(requested, NOBODY, is_digest_enabled=False) == INVALID_ACL
    assert isinstance(fixup_acl(requested, NOBODY), tuple)
