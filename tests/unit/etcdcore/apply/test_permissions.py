"""Commands in a user's name, at apply (reference 2.8, the table of what each call needs; 8.3 no. 22 and 23)."""

import pytest

from etcdcore.apply import admin_commands as admin
from etcdcore.apply.applier import Applier
from etcdcore.apply.commands import (
    AsUser,
    Command,
    Compare,
    DeleteRange,
    LeaseGrant,
    LeaseRevoke,
    PlainCommand,
    Put,
    Range,
    Txn,
)
from etcdcore.auth.records import READ, WRITE, Permission
from etcdcore.errors import (
    AuthRevisionOld,
    ClusterCorrupt,
    CoreError,
    NoSpace,
    PermissionDenied,
    UserNameEmpty,
    UserNotFound,
)
from etcdcore.lease.lessor import Lessor
from etcdcore.mvcc.store import Store
from etcdcore.storage.memory_engine import MemoryEngine

MINE, FOREIGN = 11, 12
"""Leases: on the first hangs a key that the user may write, on the second one that he may not."""
READABLE, WRITABLE, BOTH, NEITHER = b"r", b"w", b"b", b"n"


@pytest.fixture
def applier() -> Applier:
    """Auth is on; user u reads r and b, and writes w and b."""
    engine = MemoryEngine()
    applier = Applier(Store(engine), Lessor(engine))
    commands: list[Command] = [
        LeaseGrant(MINE, 1000),
        LeaseGrant(FOREIGN, 1000),
        Put(b"w", b"", MINE),
        Put(b"n", b"", FOREIGN),
        admin.user_add("root", b"h"),
        admin.user_grant_role("root", "root"),
        admin.user_add("u", b"h"),
        admin.role_add("role"),
        admin.user_grant_role("u", "role"),
        admin.role_grant_permission("role", Permission(READ, b"r", b"")),
        admin.role_grant_permission("role", Permission(WRITE, b"w", b"")),
        admin.role_grant_permission("role", Permission(2, b"b", b"")),
        admin.auth_enable(),
    ]
    for command in commands:
        assert not isinstance(applier.apply(command), CoreError)
    return applier


def refusal(applier: Applier, command: PlainCommand, user: str = "u", behind: int = 0) -> CoreError | None:
    revision = applier.store.current_revision
    result = applier.apply(AsUser(user, applier.admin.auth.revision - behind, command))
    if isinstance(result, CoreError):
        assert applier.store.current_revision == revision, "a refusal leaves no trace"
        assert applier.take_events()[1] == []
    applier.check_invariants()
    return result if isinstance(result, CoreError) else None


@pytest.mark.parametrize(
    "command",
    [
        Put(WRITABLE, b""),
        Put(BOTH, b"", prev_kv=True),
        Put(WRITABLE, b"", MINE),
        DeleteRange(WRITABLE),
        DeleteRange(BOTH, prev_kv=True),
        Range(READABLE),
        LeaseRevoke(MINE),
        LeaseGrant(13, 100),
        Txn([Compare(0, 0, READABLE, 0)], [Put(WRITABLE, b"")], [Range(READABLE), DeleteRange(WRITABLE)]),
        Txn([], [Txn([Compare(0, 0, BOTH, 0)], [Put(BOTH, b"", MINE)], [])], []),
    ],
)
def test_what_a_user_may(applier: Applier, command: PlainCommand) -> None:
    assert refusal(applier, command) is None


@pytest.mark.parametrize(
    "command",
    [
        Put(READABLE, b""),
        Put(WRITABLE, b"", prev_kv=True),
        Put(WRITABLE, b"", FOREIGN),
        DeleteRange(READABLE),
        DeleteRange(WRITABLE, b"x"),
        DeleteRange(WRITABLE, prev_kv=True),
        Range(WRITABLE),
        Range(READABLE, b"s"),
        LeaseRevoke(FOREIGN),
        Txn([Compare(0, 0, WRITABLE, 0)], [], []),
        Txn([Compare(0, 0, READABLE, 0, b"s")], [], []),
        Txn([], [Put(NEITHER, b"")], []),
        Txn([], [], [Put(NEITHER, b"")]),
        Txn([], [], [Range(NEITHER)]),
        Txn([], [Put(WRITABLE, b"", FOREIGN)], []),
        Txn([], [], [Put(WRITABLE, b"", prev_kv=True)]),
        Txn([], [Txn([Compare(0, 0, NEITHER, 0)], [], [])], []),
        Txn([], [], [Txn([], [], [Txn([], [], [DeleteRange(NEITHER)])])]),
        Txn([], [Txn([], [], [Put(WRITABLE, b"", FOREIGN)])], []),
    ],
)
def test_what_a_user_may_not_and_root_may(applier: Applier, command: PlainCommand) -> None:
    """The branch that is not taken counts as well, and whatever is nested in it."""
    assert refusal(applier, command) == PermissionDenied()
    assert refusal(applier, command, "root") is None


def test_a_caller_who_names_nobody_is_told_so_and_the_server_itself_may_all(applier: Applier) -> None:
    result = applier.apply(AsUser("", 0, Put(WRITABLE, b"")))
    assert result == UserNameEmpty()
    assert not isinstance(applier.apply(Put(NEITHER, b"")), CoreError)
    assert not isinstance(applier.apply(LeaseRevoke(FOREIGN)), CoreError), "as an expired lease is revoked"


def test_a_change_between_check_and_apply_is_noticed(applier: Applier) -> None:
    assert refusal(applier, Put(WRITABLE, b""), behind=1) == AuthRevisionOld()
    assert refusal(applier, Put(WRITABLE, b""), "root", behind=1) == AuthRevisionOld()


def test_only_administrators_change_users_and_roles(applier: Applier) -> None:
    for command in (
        admin.user_add("x", b"h"),
        admin.user_change_password("u", b"h"),
        admin.role_delete("role"),
        admin.auth_disable(),
    ):
        assert refusal(applier, command) == PermissionDenied()
        assert refusal(applier, command, "") == UserNameEmpty()
        assert refusal(applier, command, "nobody") == UserNotFound()
    assert refusal(applier, admin.user_add("x", b"h"), "root") is None


def test_nothing_is_asked_once_auth_is_off(applier: Applier) -> None:
    applier.apply(admin.auth_disable())
    assert refusal(applier, Put(NEITHER, b"")) is None
    assert refusal(applier, admin.role_add("x"), "") is None


def test_alarms_come_before_permissions_and_the_servers_own_commands_pass(applier: Applier) -> None:
    applier.apply(admin.alarm_activate(5, 1))
    for command in (Put(NEITHER, b""), LeaseGrant(14, 5), Txn([], [], [Put(WRITABLE, b"")])):
        assert refusal(applier, command) == NoSpace()
    assert refusal(applier, DeleteRange(WRITABLE)) is None
    assert refusal(applier, Txn([], [DeleteRange(WRITABLE)], [])) is None
    applier.apply(admin.alarm_activate(5, 2))
    assert refusal(applier, DeleteRange(WRITABLE)) == ClusterCorrupt()
    assert refusal(applier, Range(READABLE)) is None
    assert not isinstance(applier.apply(Put(NEITHER, b"")), CoreError)


def test_the_same_log_makes_the_same_state() -> None:
    """#14571: members that differ after auth was enabled."""
    log: list[Command] = [
        admin.user_add("u", b"h"),
        admin.user_add("root", b"h"),
        admin.user_grant_role("root", "root"),
        admin.role_add("role"),
        admin.user_grant_role("u", "role"),
        admin.role_grant_permission("role", Permission(WRITE, b"w", b"")),
        admin.auth_enable(),
        admin.authenticate("u", "abcdefghijklmnop"),
        AsUser("u", 7, Put(WRITABLE, b"1")),
        AsUser("u", 6, Put(WRITABLE, b"2")),
        admin.role_revoke_permission("role", b"w", b""),
        AsUser("u", 8, Put(WRITABLE, b"3")),
        admin.alarm_activate(1, 1),
        AsUser("root", 8, Put(WRITABLE, b"4")),
    ]

    def play() -> tuple[list[str], list[tuple[bytes, bytes]]]:
        engine = MemoryEngine()
        member = Applier(Store(engine), Lessor(engine))
        answers = [type(member.apply(command)).__name__ for command in log]
        return answers, [pair for table in range(10) for pair in engine.scan(table, b"", b"")]

    first, second = play(), play()
    assert first == second
    assert first[0] == [
        *["AdminResult"] * 7,
        "AuthenticateResult",
        "PutResult",
        "AuthRevisionOld",
        "AdminResult",
        "PermissionDenied",
        "AlarmResult",
        "NoSpace",
    ]
