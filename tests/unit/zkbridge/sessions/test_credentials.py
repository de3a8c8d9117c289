"""Auth packets and whoAmI (reference 5.4, 2.2)."""

import pytest

from zkbridge.sessions.credentials import (
    AuthRules,
    authenticate,
    client_infos,
    digest_id,
    initial_credentials,
    is_let_in,
    is_of_other_ensemble,
)
from zkbridge.tree.acl import Credentials

HOST = "10.1.2.3"
# Known from ZooKeeper's own documentation of superDigest: "super:admin".
SUPER_ADMIN = "super:xQJmxLMiHGwaqBvst5y6rkB6HQs="


def proven(scheme: str | None, auth: bytes | None, rules: AuthRules) -> Credentials | None:
    return authenticate(initial_credentials(HOST, rules), scheme, auth, HOST, rules)


def test_a_connection_starts_with_its_address() -> None:
    credentials = initial_credentials(HOST, AuthRules())
    assert credentials.ids == (("ip", HOST),)
    assert not credentials.is_super


def test_digest_hashes_as_zookeeper_does() -> None:
    assert digest_id("super:admin") == SUPER_ADMIN


def test_digest_always_succeeds_and_keeps_the_hash_only() -> None:
    credentials = proven("digest", b"joe:secret", AuthRules())
    assert credentials is not None
    assert credentials.ids == (("ip", HOST), ("digest", digest_id("joe:secret")))
    assert not credentials.is_super


@pytest.mark.parametrize("auth", [b"", b"nocolon", b":", b"a:b:c", b"\xff\xfe:x"])
def test_any_payload_of_digest_is_taken(auth: bytes) -> None:
    assert proven("digest", auth, AuthRules()) is not None


def test_what_stands_before_the_first_colon_is_the_user() -> None:
    assert digest_id("a:b:c").startswith("a:")
    assert digest_id("nocolon").startswith("nocolon:")


def test_several_users_may_be_held_and_repeats_are_harmless() -> None:
    rules = AuthRules()
    credentials = proven("digest", b"joe:1", rules)
    for auth in (b"ann:2", b"joe:1"):
        assert credentials is not None
        credentials = authenticate(credentials, "digest", auth, HOST, rules)
    assert credentials is not None
    assert [scheme for scheme, _ in credentials.added] == ["ip", "digest", "digest"]
    assert sorted(credentials.ids) == sorted(credentials.added)


def test_ids_stand_in_the_order_of_zookeepers_hash_map() -> None:
    """Observed on ZooKeeper 3.9.4: what `auth` expands to after these, in this order."""
    credentials: Credentials | None = initial_credentials(HOST, AuthRules())
    for user in (b"eve:eve", b"u1:u1", b"carol:carol", b"u3:u3", b"alice:alice"):
        assert credentials is not None
        credentials = authenticate(credentials, "digest", user, HOST, AuthRules())
    assert credentials is not None
    users = [id.split(":")[0] for scheme, id in credentials.ids if scheme == "digest"]
    assert users == ["eve", "u3", "carol", "u1", "alice"]


def test_the_super_digest_makes_a_super_user() -> None:
    rules = AuthRules(super_digest=SUPER_ADMIN)
    credentials = proven("digest", b"super:admin", rules)
    assert credentials is not None and credentials.is_super
    assert ("super", "") in credentials.ids
    other = proven("digest", b"super:wrong", rules)
    assert other is not None and not other.is_super


def test_no_configured_super_digest_makes_nobody_super() -> None:
    credentials = proven("digest", b"super:admin", AuthRules())
    assert credentials is not None and not credentials.is_super


@pytest.mark.parametrize("scheme", ["world", "auth", "super", "x509", "sasl", "nonsense", "", None])
def test_other_schemes_fail(scheme: str | None) -> None:
    assert proven(scheme, b"x", AuthRules()) is None


def test_a_null_digest_fails_and_so_does_digest_when_switched_off() -> None:
    assert proven("digest", None, AuthRules()) is None
    assert proven("digest", b"a:b", AuthRules(is_digest_enabled=False)) is None


def test_ip_succeeds_and_adds_nothing_new() -> None:
    credentials = proven("ip", None, AuthRules())
    assert credentials is not None
    assert credentials.ids == (("ip", HOST),)


def test_another_algorithm_gives_another_digest() -> None:
    credentials = proven("digest", b"joe:1", AuthRules(digest_algorithm="SHA-256"))
    assert credentials is not None
    assert credentials.ids[1] == ("digest", digest_id("joe:1", "SHA-256")) != ("digest", digest_id("joe:1"))


def test_skip_acl_passes_every_check_without_an_id() -> None:
    credentials = initial_credentials(HOST, AuthRules(skips_acl=True))
    assert credentials.is_super
    assert credentials.ids == (("ip", HOST),)


def test_authentication_leaves_the_credentials_of_earlier_requests_alone() -> None:
    """A request uses the ids that the connection had when it was received."""
    rules = AuthRules()
    before = initial_credentials(HOST, rules)
    authenticate(before, "digest", b"joe:1", HOST, rules)
    assert before.ids == (("ip", HOST),)


def test_who_am_i_names_users_without_their_hashes() -> None:
    rules = AuthRules(super_digest=SUPER_ADMIN)
    credentials = proven("digest", b"super:admin", rules)
    assert credentials is not None
    assert sorted(client_infos(credentials)) == [("digest", "super"), ("ip", HOST), ("super", "")]


def test_only_who_has_an_identity_of_an_enforced_scheme_is_let_in() -> None:
    """Source: ZooKeeper AuthenticationHelper."""
    nobody = initial_credentials(HOST, AuthRules())
    user = nobody.with_id("digest", "u:h")
    assert is_let_in(nobody, AuthRules())
    assert is_let_in(nobody, AuthRules(enforced_schemes=frozenset({"ip", "digest"})))
    rules = AuthRules(enforced_schemes=frozenset({"digest"}))
    assert not is_let_in(nobody, rules)
    assert is_let_in(user, rules)


@pytest.mark.parametrize(
    ("names", "auth", "expected"),
    [
        (frozenset({"a"}), b"a", False),
        (frozenset({"a"}), b"b", True),
        (frozenset({"a"}), b"", False),
        (frozenset({"a"}), None, False),
        (frozenset(), b"b", False),
        (None, b"b", False),
    ],
)
def test_another_ensembles_name_is_told_apart(
    names: frozenset[str] | None, auth: bytes | None, expected: bool
) -> None:
    """Source: ZooKeeper EnsembleAuthenticationProvider."""
    rules = AuthRules(ensemble_names=names)
    assert is_of_other_ensemble("ensemble", auth, rules) == expected
    assert not is_of_other_ensemble("digest", auth, rules)
    proof = proven("ensemble", auth, rules)
    assert (proof is None) == (names is None)
    assert proof is None or proof.ids == (("ip", HOST),)
