"""Who is calling, and whether he may: one object that every service asks before it does anything.

The order is etcd's, and each service keeps it:

1. `check_call`: the interceptor's checks (learner, client-api-version, `hasleader` without a leader);
2. writes only: `check_quota`, and then the static checks of the request (`apply.checks`);
3. `identify`: the token, or the certificate's name;
4. reads: the read index, then `check_range`, then the read, all three in one turn of the loop;
   writes: `check_size`, then `admit`, whose command is what goes to the log;
   watches: `check_watch`, at creation only; leases: `check_user`, `check_keys`, `check_renewal`.

Source: etcd server/etcdserver/api/v3rpc (interceptor.go, quota.go), v3_server.go; reference sections 1.3, 2.8, 2.10.

Invariant: a refusal is a `CoreError` value and has changed nothing, but for the alarm that a full store raises.
"""

from collections.abc import Iterable
from typing import Final, final

from etcdcore.api.settings import ApiSettings
from etcdcore.apply.commands import (
    AsUser,
    Command,
    Compaction,
    LeaseGrant,
    LeaseRevoke,
    Range,
    Txn,
)
from etcdcore.apply.costs import cost_of
from etcdcore.auth.records import READ
from etcdcore.errors import (
    AuthRevisionOld,
    CoreError,
    InvalidClientApiVersion,
    NoLeader,
    NotSupportedForLearner,
    RequestTooLarge,
    TooManyRequests,
    UserNameEmpty,
)
from etcdcore.member.member import Member
from etcdcore.rpc.calls import Call

REQUEST_OVERHEAD_BYTES: Final = 18
"""What etcd's raft envelope adds to a request: its size, not the request's own, is held against the limit."""
APPLY_LAG_MAX: Final = 5000
"""Entries committed and not yet applied; with more of them commands are refused."""


@final
class Identity:
    """A user, and the revision of the auth store under which his token was found good. No user: nobody is asked."""

    __slots__ = ("auth_revision", "user")

    def __init__(self, user: str, auth_revision: int) -> None:
        self.user: Final = user
        self.auth_revision: Final = auth_revision


NOBODY: Final = Identity("", 0)
"""The caller while authentication is off, who may do everything; and one without a token while it is on."""


@final
class Gate:
    """One for all services of a member."""

    __slots__ = ("_admin", "_member", "_settings")

    def __init__(self, member: Member, settings: ApiSettings) -> None:
        self._member: Final = member
        self._admin: Final = member.admin
        self._settings: Final = settings

    def check_call(self, call: Call, is_for_learners: bool = False) -> CoreError | None:
        """What is asked of every call before its request is looked at.

        Refuses NotSupportedForLearner (`is_for_learners`: it is), InvalidClientApiVersion, NoLeader.
        """
        if self._admin.is_learner and not is_for_learners:
            return NotSupportedForLearner()
        metadata = call.metadata
        version = metadata.get("client-api-version")
        if version is not None and not version.isascii() and not _is_text(version):
            return InvalidClientApiVersion()
        if metadata.get("hasleader") == "true" and not self._member.has_leader:
            return NoLeader()
        return None

    def check_quota(self, command: Command) -> CoreError | None:
        """Whether there is room for a write. Refuses NoSpace, and raises the alarm."""
        return self._admin.check_quota(cost_of(command)) if self._admin.quota_bytes else None

    def check_size(self, request_bytes: int) -> CoreError | None:
        """Refuses RequestTooLarge."""
        if request_bytes + REQUEST_OVERHEAD_BYTES > self._settings.request_bytes_max:
            return RequestTooLarge()
        return None

    def identify(self, call: Call) -> Identity | CoreError:
        """Who is calling; `NOBODY` while authentication is off, or if he names nobody. Refuses InvalidAuthToken."""
        auth = self._member.admin_state.auth
        if not auth.is_enabled:
            return NOBODY
        token = call.metadata.get("token")
        if token is None:
            token = call.metadata.get("authorization")
        if token is None:
            if self._settings.client_cert_auth and call.common_name:
                return Identity(call.common_name, auth.revision)
            return NOBODY
        found = self._member.authentication.identify(token.removeprefix("Bearer "))
        return found if isinstance(found, CoreError) else Identity(found[0], found[1])

    def check_range(self, identity: Identity, wanted: Range) -> CoreError | None:
        """Whether he may read the interval. Refuses UserNameEmpty, PermissionDenied, AuthRevisionOld."""
        return self.check_watch(identity, wanted.key, wanted.range_end)

    def check_read_txn(self, identity: Identity, txn: Txn) -> CoreError | None:
        """As `check_range`, for a transaction that only reads, and so never enters the log."""
        if not self._member.admin_state.auth.is_enabled:
            return None
        error = self._member.permissions.check_op(identity.user, identity.auth_revision, txn)
        return error or self._check_current(identity)

    def check_watch(self, identity: Identity, key: bytes, range_end: bytes) -> CoreError | None:
        """Whether he may read the interval from now on."""
        auth = self._member.admin_state.auth
        if not auth.is_enabled:
            return None
        error = auth.check(identity.user, identity.auth_revision, key, range_end, READ)
        return error or self._check_current(identity)

    def check_user(self, identity: Identity) -> CoreError | None:
        """Whether he has said who he is, where that is asked. Refuses UserNameEmpty."""
        if identity.user or not self._member.admin_state.auth.is_enabled:
            return None
        return UserNameEmpty()

    def check_keys(self, identity: Identity, keys: Iterable[bytes]) -> CoreError | None:
        """Whether he may read each of the keys: those of a lease. Administrators may, whatever their token's age."""
        auth = self._member.admin_state.auth
        if not auth.is_enabled:
            return None
        if not identity.user:
            return UserNameEmpty()
        if auth.check_admin(identity.user) is None:
            return None
        for key in keys:
            error = auth.check(identity.user, identity.auth_revision, key, b"", READ)
            if error is not None:
                return error
        return None

    def check_renewal(self, identity: Identity, lease_id: int) -> CoreError | None:
        """Whether he may keep a lease alive: he must be allowed to write each of its keys."""
        if not self._member.admin_state.auth.is_enabled:
            return None
        if not identity.user:
            return UserNameEmpty()
        return self._member.permissions.check_lease_write(identity.user, identity.auth_revision, lease_id)

    def check_admin(self, identity: Identity) -> CoreError | None:
        """Whether he may do what only an administrator may. Refuses UserNameEmpty, UserNotFound, PermissionDenied."""
        return self._member.admin_state.auth.check_admin(identity.user)

    def admit(self, identity: Identity, command: Command) -> Command | CoreError:
        """The command as it goes to the log, with whatever applying it needs to know of the caller.

        Refuses TooManyRequests, and what alarms and the table of permissions refuse before the log.
        """
        member = self._member
        if member.pending_count > APPLY_LAG_MAX and member.commit_index - member.applied_index > APPLY_LAG_MAX:
            return TooManyRequests()
        state = member.admin_state
        is_alarmed = state.alarms.is_active
        if not is_alarmed and not state.auth.is_enabled:
            return command
        assert not isinstance(command, AsUser), "a command is admitted once"
        error: CoreError | None = None
        if isinstance(command, Compaction):
            error = self.check_admin(identity)
        elif isinstance(command, LeaseGrant | LeaseRevoke):
            error = self.check_user(identity)
        if error is None and is_alarmed:
            error = state.alarms.refusal(cost_of(command) > 0)
        return AsUser(identity.user, identity.auth_revision, command) if error is None else error

    def _check_current(self, identity: Identity) -> CoreError | None:
        """As etcd, which does not serve a read whose user is from an auth revision other than the current one."""
        revision = identity.auth_revision
        if revision == 0 or revision == self._member.admin_state.auth.revision:
            return None
        return AuthRevisionOld()


def _is_text(value: str) -> bool:
    """Whether a header is text: carriers hand on bytes beyond ASCII as characters of the same number."""
    try:
        value.encode("latin-1").decode()
    except UnicodeError:
        return False
    return True
