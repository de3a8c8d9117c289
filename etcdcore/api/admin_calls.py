"""What the cold services of operators (auth, cluster, maintenance) do alike: checks in the gate's order, headers."""

from typing import Final, TypeVar, final

from google.protobuf.message import Message

from etcdcore.api.gate import Gate, Identity
from etcdcore.api.header import Headers
from etcdcore.apply.admin_commands import AdminCommand
from etcdcore.apply.commands import AsUser
from etcdcore.apply.results import Outcome
from etcdcore.errors import CoreError
from etcdcore.member.administration import Administration
from etcdcore.member.member import Member
from etcdcore.rpc.calls import Call

AnyResult = TypeVar("AnyResult")


def checked(result: "AnyResult | CoreError") -> "AnyResult":
    """Raises what would be a refusal."""
    if isinstance(result, CoreError):
        raise result
    return result


@final
class AdminCalls:
    """Shared by the services; every method raises the refusal."""

    def __init__(self, member: Member, gate: Gate, headers: Headers) -> None:
        self.member: Final = member
        self.gate: Final = gate
        self.headers: Final = headers

    @property
    def admin(self) -> Administration:
        return self.member.admin

    def identify(self, call: Call, is_for_learners: bool = False) -> Identity:
        """The interceptor's checks, and then who it is."""
        checked(self.gate.check_call(call, is_for_learners))
        return checked(self.gate.identify(call))

    def require_user(self, call: Call, is_for_learners: bool = False) -> Identity:
        """Anybody who says who he is."""
        identity = self.identify(call, is_for_learners)
        checked(self.gate.check_user(identity))
        return identity

    def require_admin(self, call: Call) -> Identity:
        identity = self.identify(call)
        checked(self.gate.check_admin(identity))
        return identity

    async def decide(self, identity: Identity, command: AdminCommand) -> Outcome:
        """Through the log, in the caller's name: whether he is an administrator then is looked at then."""
        if not self.member.admin_state.auth.is_enabled:
            return await self.admin.decide(command)
        return await self.admin.decide(AsUser(identity.user, identity.auth_revision, command))

    def answer(self, response: Message, revision: int = -1) -> bytes:
        """The response behind its header, at this revision or the current one; 0 leaves the revision out."""
        header = self.headers.now() if revision < 0 else self.headers.encode(revision)
        return header + response.SerializeToString()
