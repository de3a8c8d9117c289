"""Applies admin commands and membership changes: to auth, tokens, alarms and the table of members.

Invariant: what is decided here depends on the log and the engine alone, but for the tokens' deadlines: each member
counts them with its own clock, and no other state depends on them.
"""

import json
from typing import Final, final

from etcdcore.apply.admin_commands import (
    ALARM_ACTIVATE,
    ALARM_DEACTIVATE,
    AUTH_DISABLE,
    AUTH_ENABLE,
    AUTHENTICATE,
    CLUSTER_VERSION,
    DOWNGRADE_INFO,
    MEMBER_ATTRIBUTES,
    ROLE_ADD,
    ROLE_DELETE,
    ROLE_GRANT_PERMISSION,
    ROLE_REVOKE_PERMISSION,
    USER_ADD,
    USER_CHANGE_PASSWORD,
    USER_DELETE,
    USER_GRANT_ROLE,
    USER_REVOKE_ROLE,
    AdminCommand,
)
from etcdcore.apply.alarms import Alarms
from etcdcore.apply.members import ClusterMember, Members
from etcdcore.apply.results import AdminResult, AlarmResult, AuthenticateResult, Outcome
from etcdcore.auth.records import Permission
from etcdcore.auth.store import AuthStore
from etcdcore.auth.tokens import SimpleTokens
from etcdcore.errors import AuthenticationFailed, CoreError
from etcdcore.mvcc.engine import Engine

CHANGE_ADD: Final = "add"
CHANGE_PROMOTE: Final = "promote"
CHANGE_REMOVE: Final = "remove"
CHANGE_UPDATE: Final = "update"

_OPEN_TO_ALL: Final[tuple[int, ...]] = (
    AUTHENTICATE,
    ALARM_ACTIVATE,
    ALARM_DEACTIVATE,
    MEMBER_ATTRIBUTES,
    CLUSTER_VERSION,
    DOWNGRADE_INFO,
)
"""Kinds that etcd does not check at apply: before the log, or never."""


@final
class AdminState:
    """One owner, the applier. `entry_index` is that of the entry whose commands come next: tokens are named by it."""

    __slots__ = ("alarms", "auth", "entry_index", "members", "tokens")

    def __init__(self, engine: Engine, tokens: SimpleTokens, founder: ClusterMember | None) -> None:
        self.auth: Final = AuthStore(engine)
        self.alarms: Final = Alarms(engine)
        self.members: Final = Members(engine, founder)
        self.tokens: Final = tokens
        self.entry_index = 0

    def check_user(self, user_name: str, command: AdminCommand) -> CoreError | None:
        """Whether this user may: an administrator, where the table asks for one."""
        return None if command.kind in _OPEN_TO_ALL else self.auth.check_admin(user_name)

    def apply(self, command: AdminCommand, revision: int) -> Outcome:
        """Changes the state; `revision` is the store's, for the answer."""
        kind = command.kind
        if kind == AUTHENTICATE:
            return self._authenticate(command.text(0), command.text(1), revision)
        if kind == ALARM_ACTIVATE:
            return AlarmResult(revision, self.alarms.activate(command.number(0), command.number(1)))
        if kind == ALARM_DEACTIVATE:
            return AlarmResult(revision, self.alarms.deactivate(command.number(0), command.number(1)))
        if kind == MEMBER_ATTRIBUTES:
            urls = [command.text(position) for position in range(2, len(command.fields))]
            self.members.set_attributes(command.number(0), command.text(1), urls)
        elif kind == CLUSTER_VERSION:
            self.members.set_cluster_version(command.text(0))
        elif kind == DOWNGRADE_INFO:
            self.members.set_downgrade(command.text(1) if command.fields[0] else "")
        else:
            error = self._apply_auth(command)
            if error is not None:
                return error
        return AdminResult(revision)

    def _apply_auth(self, command: AdminCommand) -> CoreError | None:
        auth = self.auth
        kind = command.kind
        if kind == AUTH_ENABLE:
            return auth.enable()
        if kind == AUTH_DISABLE:
            auth.disable()
            self.tokens.clear()
            return None
        name = command.text(0)
        if kind == USER_ADD:
            return auth.add_user(name, command.fields[1], command.fields[2] != b"")
        if kind == USER_DELETE:
            error = auth.delete_user(name)
            if error is None:
                self.tokens.drop_user(name)
            return error
        if kind == USER_CHANGE_PASSWORD:
            error = auth.change_password(name, command.fields[1])
            if error is None:
                self.tokens.drop_user(name)
            return error
        if kind == USER_GRANT_ROLE:
            return auth.grant_role(name, command.text(1))
        if kind == USER_REVOKE_ROLE:
            return auth.revoke_role(name, command.text(1))
        if kind == ROLE_ADD:
            return auth.add_role(name)
        if kind == ROLE_DELETE:
            return auth.delete_role(name)
        if kind == ROLE_GRANT_PERMISSION:
            return auth.grant_permission(name, Permission(command.number(1), command.fields[2], command.fields[3]))
        assert kind == ROLE_REVOKE_PERMISSION, f"admin command {kind} was decoded and has nobody to apply it"
        return auth.revoke_permission(name, command.fields[1], command.fields[2])

    def _authenticate(self, user_name: str, prefix: str, revision: int) -> Outcome:
        user = self.auth.check_login(user_name)
        if isinstance(user, CoreError):
            return user
        if user.no_password:
            return AuthenticationFailed()
        token = self.tokens.assign(prefix, self.entry_index, user_name) if prefix else ""
        return AuthenticateResult(revision, token, self.auth.revision)

    # Membership changes: their entries are raft's own, with one of these as context.

    def check_change(self, change: "MemberChange") -> CoreError | None:
        """Whether a membership change fits: before the log, and again when it is applied."""
        member = change.member
        if change.kind == CHANGE_ADD:
            return self.members.check_add(member, change.learners_max)
        if change.kind == CHANGE_PROMOTE:
            return self.members.check_promote(member.member_id)
        if change.kind == CHANGE_REMOVE:
            return self.members.check_remove(member.member_id)
        return self.members.check_update(member.member_id, member.peer_urls)

    def apply_change(self, change: "MemberChange") -> None:
        """A change that passed its check."""
        member = change.member
        if change.kind == CHANGE_ADD:
            self.members.add(member)
        elif change.kind == CHANGE_PROMOTE:
            self.members.promote(member.member_id)
        elif change.kind == CHANGE_REMOVE:
            self.members.remove(member.member_id)
        else:
            self.members.update(member.member_id, member.peer_urls)

    def check_invariants(self) -> None:
        self.auth.check_invariants()
        self.alarms.check_invariants()
        self.members.check_invariants()


@final
class MemberChange:
    """What a conf change entry says beyond raft's own part. `learners_max` is the proposer's, the same for all."""

    __slots__ = ("kind", "learners_max", "member")

    def __init__(self, kind: str, member: ClusterMember, learners_max: int = 0) -> None:
        self.kind: Final = kind
        self.member: Final = member
        self.learners_max: Final = learners_max

    def encode(self) -> bytes:
        """JSON, as in etcd's entries, though not the same."""
        member = self.member
        fields = {
            "change": self.kind,
            "id": member.member_id,
            "peerURLs": list(member.peer_urls),
            "isLearner": member.is_learner,
            "learnersMax": self.learners_max,
        }
        return json.dumps(fields, separators=(",", ":")).encode()


def decode_change(data: bytes) -> MemberChange:
    """What `encode` wrote; only entries of our own log come here."""
    fields = json.loads(data)
    member = ClusterMember(int(fields["id"]), "", fields["peerURLs"], (), bool(fields["isLearner"]))
    return MemberChange(str(fields["change"]), member, int(fields["learnersMax"]))
