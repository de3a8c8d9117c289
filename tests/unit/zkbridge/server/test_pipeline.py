"""What connections hold, together and each: counted from the request's coming until it is answered or forgotten."""

import pytest

from tests.simulation.bridge.memory_backend import MemoryBackend
from zkbridge.commit.ordered import OrderedCommitter
from zkbridge.server.pipeline import (
    ENTRY_BYTES,
    HELD_BYTES_MAX,
    HELD_BYTES_OF_SERVER_MAX,
    READ,
    Intake,
    Pending,
    Pipeline,
)
from zkbridge.tree.acl import Credentials
from zkbridge.tree.overlay import Overlay
from zkbridge.tree.replica import Replica

REQUESTS_MAX = 10


@pytest.fixture
def intake() -> Intake:
    return Intake(OrderedCommitter(MemoryBackend(), Overlay(Replica()), b"/zk/fence"), REQUESTS_MAX)


def pending(size: int) -> Pending:
    return Pending(READ, 1, 4, bytes(size), Credentials(), 0)


def test_what_all_connections_hold_is_the_sum_of_what_each_holds(intake: Intake) -> None:
    first, second = Pipeline(intake), Pipeline(intake)
    first.append(pending(10))
    second.append(pending(20))
    second.append(pending(30))
    assert (first.held_bytes, second.held_bytes) == (10 + ENTRY_BYTES, 50 + 2 * ENTRY_BYTES)
    assert intake.held_bytes == 60 + 3 * ENTRY_BYTES
    assert len(second.popleft().frame) == 20
    assert intake.held_bytes == 40 + 2 * ENTRY_BYTES
    second.clear()
    first.clear()
    assert (len(first), len(second), intake.held_bytes) == (0, 0, 0)


def test_between_half_the_bound_and_the_bound_a_connection_stays_as_it_is(intake: Intake) -> None:
    pipeline = Pipeline(intake)
    pipeline.append(pending(HELD_BYTES_MAX - ENTRY_BYTES))
    assert not pipeline.has_to_wait() and not pipeline.may_go_on()
    pipeline.append(pending(0))
    assert pipeline.has_to_wait()
    pipeline.popleft()
    assert not pipeline.has_to_wait() and pipeline.may_go_on()


def test_past_the_servers_bound_who_holds_anything_waits_and_who_holds_nothing_goes_on(intake: Intake) -> None:
    small, empty = Pipeline(intake), Pipeline(intake)
    small.append(pending(0))
    intake.held_bytes += HELD_BYTES_OF_SERVER_MAX - ENTRY_BYTES
    assert not small.has_to_wait()
    intake.held_bytes += 1
    assert small.has_to_wait() and not small.may_go_on()
    assert not empty.has_to_wait() and empty.may_go_on()
