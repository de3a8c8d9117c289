"""A writer over an empty store and short names for requests: what the planning tests share."""

from tests.property.plan.world import KEYSPACE, Writer
from zkbridge.jute.multi import MultiOperation, MultiRequest
from zkbridge.jute.records import ACL, CreateRequest, CreateTTLRequest, DeleteRequest, Id, SetACLRequest, SetDataRequest
from zkbridge.plan.create import plan_create
from zkbridge.plan.delete import plan_delete
from zkbridge.plan.multi import plan_multi
from zkbridge.plan.plan import FailedMulti, Plan, PlanContext
from zkbridge.plan.session import plan_open_session
from zkbridge.plan.set_acl import plan_set_acl
from zkbridge.plan.set_data import plan_set_data
from zkbridge.tree.acl import Credentials

SESSION = 0x100000000000001
NOW_MS = 1_700_000_000_000
OPEN = [ACL(31, Id("world", "anyone"))]
USER = Credentials((("ip", "127.0.0.1"), ("digest", "u:hash")))
STRANGER = Credentials((("ip", "127.0.0.1"),))

Outcome = Plan | FailedMulti | int


class World(Writer):
    """One open session; each request is planned and, unless `hold`, applied at once."""

    def __init__(self, credentials: Credentials = STRANGER, is_ttl_enabled: bool = True) -> None:
        super().__init__()
        self.context = PlanContext(KEYSPACE, SESSION, credentials, NOW_MS, is_ttl_enabled)
        self.hold = False
        self.done(plan_open_session(SESSION, 6_000, b"p" * 16, self.overlay, self.context))

    def done(self, outcome: Outcome) -> Outcome:
        if isinstance(outcome, Plan):
            self.submit(outcome)
            if not self.hold:
                self.apply_all()
        return outcome

    def create(
        self,
        path: str | None,
        flags: int = 0,
        opcode: int = 1,
        acl: list[ACL] | None = OPEN,
        data: bytes | None = b"",
    ) -> Outcome:
        return self.done(plan_create(CreateRequest(path, data, acl, flags), opcode, self.overlay, self.context))

    def create_ttl(self, path: str, flags: int = 5, ttl_ms: int = 1_000) -> Outcome:
        return self.done(plan_create(CreateTTLRequest(path, b"", OPEN, flags, ttl_ms), 21, self.overlay, self.context))

    def delete(self, path: str | None, version: int = -1) -> Outcome:
        return self.done(plan_delete(DeleteRequest(path, version), self.overlay, self.context))

    def set_data(self, path: str | None, data: bytes | None = b"new", version: int = -1) -> Outcome:
        return self.done(plan_set_data(SetDataRequest(path, data, version), self.overlay, self.context))

    def set_acl(self, path: str | None, acl: list[ACL] | None = OPEN, version: int = -1) -> Outcome:
        return self.done(plan_set_acl(SetACLRequest(path, acl, version), self.overlay, self.context))

    def multi(self, *operations: tuple[int, MultiOperation]) -> Outcome:
        return self.done(plan_multi(MultiRequest(list(operations)), self.overlay, self.context))


def create(path: str | None, data: bytes | None = b"", flags: int = 0, opcode: int = 1) -> tuple[int, MultiOperation]:
    return opcode, CreateRequest(path, data, OPEN, flags)


def path_of(outcome: Outcome) -> str:
    """The path that a create made."""
    assert isinstance(outcome, Plan), outcome
    return outcome.touched[0].path
