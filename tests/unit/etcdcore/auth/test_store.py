"""etcdcore.auth.store: users, roles and what they may (reference 2.8, one test a row of the first tables)."""

import pytest

from etcdcore.auth.records import READ, READ_WRITE, WRITE, Permission
from etcdcore.auth.store import NAME_BYTES_MAX, AuthStore
from etcdcore.errors import (
    AuthenticationFailed,
    AuthNotEnabled,
    AuthRevisionOld,
    CoreError,
    InvalidAuthManagement,
    PermissionDenied,
    PermissionNotGranted,
    RoleExists,
    RoleNameEmpty,
    RoleNotFound,
    RoleNotGranted,
    RootRoleMissing,
    RootUserMissing,
    UserExists,
    UserNameEmpty,
    UserNotFound,
)
from etcdcore.mvcc.engine import AUTH
from etcdcore.storage.memory_engine import MemoryEngine


@pytest.fixture
def engine() -> MemoryEngine:
    return MemoryEngine()


@pytest.fixture
def auth(engine: MemoryEngine) -> AuthStore:
    """Enabled: root, and u with role r, which reads [a,c), writes [b,d) and does both on x."""
    auth = AuthStore(engine)
    assert auth.add_user("root", b"h", False) is None
    assert auth.grant_role("root", "root") is None
    assert auth.add_user("u", b"h", False) is None
    assert auth.add_role("r") is None
    assert auth.grant_role("u", "r") is None
    for kind, key, end in ((READ, b"a", b"c"), (WRITE, b"b", b"d"), (READ_WRITE, b"x", b"")):
        assert auth.grant_permission("r", Permission(kind, key, end)) is None
    assert auth.enable() is None
    auth.check_invariants()
    return auth


def test_a_new_store_is_disabled_at_revision_1(engine: MemoryEngine) -> None:
    auth = AuthStore(engine)
    assert (auth.is_enabled, auth.revision) == (False, 1)
    assert auth.check("", 0, b"a", b"", READ) is None
    assert auth.check_admin("") is None
    assert auth.check_login("root") == AuthNotEnabled()


def test_enabling_needs_a_root_user_with_the_role_root(engine: MemoryEngine) -> None:
    auth = AuthStore(engine)
    assert auth.enable() == RootUserMissing()
    auth.add_user("root", b"h", False)
    assert auth.enable() == RootRoleMissing()
    auth.grant_role("root", "root")
    assert auth.enable() is None and auth.enable() is None
    assert auth.revision == 3, "enabling does not count"


def test_disabling_counts_once(auth: AuthStore) -> None:
    revision = auth.revision
    auth.disable()
    auth.disable()
    assert (auth.is_enabled, auth.revision) == (False, revision + 1)


def test_each_change_takes_the_revision_one_further_and_a_refusal_does_not(auth: AuthStore) -> None:
    revision = auth.revision
    for change in (
        auth.add_user("n", b"h", True),
        auth.change_password("u", b"other"),
        auth.add_role("s"),
        auth.grant_role("n", "s"),
        auth.grant_permission("s", Permission(READ, b"k", b"")),
        auth.revoke_permission("s", b"k", b""),
        auth.revoke_role("n", "s"),
        auth.delete_role("s"),
        auth.delete_user("n"),
    ):
        assert change is None
        revision += 1
    assert auth.revision == revision
    assert auth.grant_role("u", "r") is None, "a role held already is no change"
    refusals: list[tuple[CoreError | None, CoreError]] = [
        (auth.add_user("", b"", False), UserNameEmpty()),
        (auth.add_user("u", b"", False), UserExists()),
        (auth.add_user("n" * (NAME_BYTES_MAX + 1), b"", False), InvalidAuthManagement()),
        (auth.delete_user("n"), UserNotFound()),
        (auth.delete_user("root"), InvalidAuthManagement()),
        (auth.change_password("n", b""), UserNotFound()),
        (auth.grant_role("n", "r"), UserNotFound()),
        (auth.grant_role("u", "s"), RoleNotFound()),
        (auth.revoke_role("n", "r"), UserNotFound()),
        (auth.revoke_role("u", "s"), RoleNotGranted()),
        (auth.revoke_role("root", "root"), InvalidAuthManagement()),
        (auth.add_role(""), RoleNameEmpty()),
        (auth.add_role("r"), RoleExists()),
        (auth.add_role("ü" * 300), InvalidAuthManagement()),
        (auth.delete_role("s"), RoleNotFound()),
        (auth.delete_role("root"), InvalidAuthManagement()),
        (auth.grant_permission("s", Permission(READ, b"k", b"")), RoleNotFound()),
        (auth.grant_permission("r", Permission(READ, b"b", b"a")), InvalidAuthManagement()),
        (auth.revoke_permission("s", b"k", b""), RoleNotFound()),
        (auth.revoke_permission("r", b"k", b""), PermissionNotGranted()),
    ]
    for found, expected in refusals:
        assert found == expected
    assert auth.revision == revision
    auth.check_invariants()


def test_what_is_stored_is_there_after_a_restart(auth: AuthStore, engine: MemoryEngine) -> None:
    again = AuthStore(engine)
    assert (again.is_enabled, again.revision, again.user_names()) == (True, auth.revision, ["root", "u"])
    assert engine.get(AUTH, b"authEnabled") == b"\1"
    assert engine.get(AUTH, b"authRevision") == auth.revision.to_bytes(8, "big")


@pytest.mark.parametrize(
    ("key", "range_end", "kind", "is_allowed"),
    [
        (b"a", b"c", READ, True),
        (b"a", b"d", READ, False),
        (b"c", b"", WRITE, True),
        (b"a", b"", WRITE, False),
        (b"x", b"", READ, True),
        (b"x", b"", WRITE, True),
        (b"x", b"y", READ, False),
    ],
)
def test_a_user_may_what_his_roles_may_together(
    auth: AuthStore, key: bytes, range_end: bytes, kind: int, is_allowed: bool
) -> None:
    expected = None if is_allowed else PermissionDenied()
    assert auth.check("u", auth.revision, key, range_end, kind) == expected
    assert auth.check("root", auth.revision, key, range_end, kind) is None
    assert auth.check("nobody", auth.revision, key, range_end, kind) == PermissionDenied()
    assert auth.check("", 0, key, range_end, kind) == UserNameEmpty()


def test_what_was_allowed_at_an_older_revision_is_refused_even_to_root(auth: AuthStore) -> None:
    """8.3 no. 23: a change between check and apply."""
    before = auth.revision
    assert auth.check("u", before, b"a", b"", READ) is None
    auth.revoke_permission("r", b"a", b"c")
    assert auth.check("u", before, b"a", b"", READ) == AuthRevisionOld()
    assert auth.check("root", before, b"a", b"", READ) == AuthRevisionOld()
    assert auth.check("u", auth.revision, b"a", b"", READ) == PermissionDenied()


def test_administrators_are_those_with_the_role_root_whatever_their_name(auth: AuthStore) -> None:
    assert auth.check_admin("root") is None
    assert auth.check_admin("u") == PermissionDenied()
    assert auth.check_admin("nobody") == UserNotFound()
    assert auth.check_admin("") == UserNameEmpty()
    auth.grant_role("u", "root")
    assert auth.check_admin("u") is None
    assert auth.check("u", auth.revision, b"\0", b"\0", WRITE) is None


def test_deleting_a_role_takes_it_from_its_users(auth: AuthStore) -> None:
    auth.delete_role("r")
    assert auth.users["u"].roles == ()
    assert not auth.has_role("u", "r")
    assert auth.check("u", auth.revision, b"a", b"", READ) == PermissionDenied()
    auth.check_invariants()


def test_a_permission_on_the_same_interval_replaces_the_former(auth: AuthStore) -> None:
    auth.grant_permission("r", Permission(WRITE, b"a", b"c"))
    assert len(auth.roles["r"].permissions) == 3
    assert auth.check("u", auth.revision, b"a", b"", READ) == PermissionDenied()
    assert auth.check("u", auth.revision, b"a", b"", WRITE) is None


def test_a_user_without_a_password_stays_without(auth: AuthStore) -> None:
    auth.add_user("n", b"h", True)
    auth.change_password("n", b"h2")
    assert auth.users["n"].password == b""
    user = auth.check_login("n")
    assert not isinstance(user, CoreError) and user.no_password
    assert auth.check_login("nobody") == AuthenticationFailed()
