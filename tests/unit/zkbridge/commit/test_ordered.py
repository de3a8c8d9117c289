"""The ordered committer on a store that the test steps. Source: design section 4."""

import pytest

from tests.simulation.bridge.memory_backend import MemoryBackend
from zkbridge.backend.interface import RevisionSink, StoreEvent, WriteToken
from zkbridge.commit.ordered import OrderedCommitter, PlanAudience
from zkbridge.plan.plan import OP_SET_DATA, Plan
from zkbridge.tree.overlay import Overlay
from zkbridge.tree.replica import Replica

FENCE_KEY = b"/zk/w"
SESSION_KEY = b"/zk/s1"


class Audience(PlanAudience):
    """What the committer tells whoever submitted the plans. A class of its own: compiled bases don't combine."""

    def __init__(self, committer: OrderedCommitter) -> None:
        self._committer = committer
        self.replanned: list[list[Plan]] = []
        self.lost: list[tuple[Plan, bool]] = []
        self.deposed_count = 0

    def replan(self, plans: list[Plan]) -> None:
        assert self._committer.can_submit or self.deposed_count, "told before it could submit them again"
        self.replanned.append(plans)

    def plan_lost(self, plan: Plan, reason: str, is_decided: bool) -> None:
        self.lost.append((plan, is_decided))

    def writer_deposed(self) -> None:
        self.deposed_count += 1


class Writer(RevisionSink):
    """Tells the committer what the store decides, and has an audience that writes down what it makes of it."""

    def __init__(self) -> None:
        self.backend = MemoryBackend(is_automatic=False)
        self.backend.subscribe(self, b"/zk/")
        self.committer = OrderedCommitter(self.backend, Overlay(Replica()), FENCE_KEY)
        self.audience = Audience(self.committer)
        self.committer.audience = self.audience
        self.applied: list[Plan] = []

    def take_over(self) -> None:
        self.committer.take_over()
        self.backend.apply_all()

    def submit(self, key: bytes = b"/zk/n", session_key: bytes | None = None) -> Plan:
        plan = Plan(OP_SET_DATA, 0, session_key, [], [(key, b"", 0)], [], [])
        self.committer.submit(plan)
        return plan

    def revision_applied(self, revision: int, events: list[StoreEvent], token: WriteToken | None) -> None:
        if isinstance(token, Plan):
            self.committer.plan_applied(token)
            self.applied.append(token)
        elif token is not None:
            assert self.committer.fence_taken(token, revision)

    def write_refused(self, token: WriteToken, reason: str, revision: int) -> None:
        assert isinstance(token, Plan)
        self.committer.plan_refused(token, reason, revision)

    def write_dropped(self, token: WriteToken, reason: str, is_decided: bool) -> None:
        assert isinstance(token, Plan)
        self.committer.plan_dropped(token, reason, is_decided)

    def batch_applied(self) -> None: ...

    def leases_expired(self, lease_ids: list[int]) -> list[int]:
        return []

    def write_state_changed(self, reason: str | None) -> None: ...

    def backend_failed(self, error: BaseException) -> None:
        raise error


@pytest.fixture
def writer() -> Writer:
    writer = Writer()
    writer.take_over()
    return writer


def test_nothing_is_submitted_before_the_fence_is_taken() -> None:
    writer = Writer()
    assert not writer.committer.can_submit
    writer.committer.take_over()
    assert [writer.committer.can_submit] == [False]
    writer.backend.apply_all()
    assert writer.committer.can_submit


def test_plans_in_flight_are_decided_in_the_order_of_their_sequences(writer: Writer) -> None:
    plans = [writer.submit() for _ in range(3)]
    assert [plan.seq for plan in plans] == [1, 2, 3]
    assert (writer.committer.in_flight_count, writer.committer.decided_sequence) == (3, 0)
    writer.backend.apply_one()
    assert (writer.committer.in_flight_count, writer.committer.decided_sequence) == (2, 1)
    writer.backend.apply_all()
    assert writer.applied == plans
    assert (writer.committer.in_flight_count, writer.committer.decided_sequence) == (0, 3)


def test_a_plan_of_a_gone_session_takes_all_behind_it_along_and_they_go_through_when_submitted_again(
    writer: Writer,
) -> None:
    before = writer.submit()
    orphan = writer.submit(session_key=SESSION_KEY)
    behind = writer.submit()
    writer.backend.apply_one()
    writer.backend.apply_one()
    assert not writer.committer.can_submit  # behind is still in flight and shows on the overlay
    writer.backend.apply_all()
    assert (writer.applied, writer.audience.replanned) == ([before], [[orphan, behind]])
    again = writer.submit()
    writer.backend.apply_all()
    assert writer.applied == [before, again]
    assert writer.audience.deposed_count == 0


def test_a_writer_whose_fence_somebody_else_took_submits_nothing_more(writer: Writer) -> None:
    late = writer.submit()
    value, create_revision, mod_revision, lease = writer.backend.keys[FENCE_KEY]
    writer.backend.keys[FENCE_KEY] = (value, create_revision, mod_revision + 1, lease)
    writer.backend.apply_one()
    assert writer.audience.deposed_count == 1
    assert late not in writer.applied
    assert not writer.committer.can_submit


def test_after_a_drop_nothing_is_submitted_until_all_in_flight_are_decided(writer: Writer) -> None:
    kept = writer.submit()
    dropped = writer.submit()
    writer.backend.drop_newest()
    writer.write_dropped(dropped, "disk full", True)
    assert writer.audience.lost == [(dropped, True)]
    assert [writer.committer.can_submit] == [False]
    writer.backend.apply_all()
    assert writer.applied == [kept]
    assert writer.committer.can_submit
    assert writer.committer.decided_sequence == writer.committer.last_sequence
