"""The driver without a loop: what it asks of its ports, in which order, and when it answers."""

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Final

from etcdcore import (
    CoreError,
    KeyEvent,
    MemberConfig,
    Outcome,
    Proposal,
    Put,
    PutResult,
    RevisionListener,
    ServerStopped,
)
from etcdcore.errors import NoLeader
from etcdcore.member.applied_state import AppliedState
from etcdcore.member.driver import Driver
from etcdcore.member.life import Life, LifeState
from etcdcore.member.ports import Clock, LogPort, PeersPort
from etcdcore.raft.messages import ConfState, Entry, HardState, Message, SnapshotMeta
from etcdcore.raft.raw_node import RawNode
from etcdcore.raft.replicator import RaftConfig
from etcdcore.raft.storage import MemoryStorage
from etcdcore.storage.memory_engine import MemoryEngine
from etcdcore.types import LogIndex, MemberId
from tests.unit.etcdcore.member.fakes import IdleHost


class Told:
    """What happened, in order."""

    def __init__(self) -> None:
        self.lines: Final[list[str]] = []


class RecordingLog(LogPort):
    """A log whose disk is as slow as the test wants: it tells the driver nothing by itself."""

    def __init__(self, told: Told) -> None:
        self._told: Final = told
        self.token = 0

    def append(self, entries: Sequence[Entry], hard_state: HardState | None, must_sync: bool, token: int) -> None:
        self.token = token
        if entries:
            self._told.lines.append(f"log {[entry.index for entry in entries]}")

    def append_snapshot(self, meta: SnapshotMeta, is_installed: bool, token: int) -> None:
        self.token = token
        self._told.lines.append(f"marker {meta.index}")

    def release_before(self, index: LogIndex) -> None:
        self._told.lines.append(f"release {index}")


class RecordingPeers(PeersPort):
    """Keeps what was sent."""

    def __init__(self, told: Told) -> None:
        self._told: Final = told
        self.sent: Final[list[Message]] = []

    def send(self, messages: Sequence[Message]) -> None:
        self._told.lines.append(f"send {len(messages)}")
        self.sent.extend(messages)


class HandClock(Clock):
    """Time is what the test says."""

    def __init__(self) -> None:
        self.time_s = 100.0

    def now_s(self) -> float:
        return self.time_s


class Waiting(Proposal):
    """One who waits for an answer."""

    def __init__(self, told: Told, name: str) -> None:
        self._told: Final = told
        self._name: Final = name
        self.result: Outcome | int | None = None
        self.is_decided: bool | None = None

    def applied(self, result: Outcome | int) -> None:
        assert self.result is None, "answered twice"
        self.result = result
        self._told.lines.append(f"answer {self._name}")

    def dropped(self, error: CoreError, is_decided: bool) -> None:
        assert self.result is None, "answered twice"
        self.result, self.is_decided = error, is_decided


class Listening(RevisionListener):
    """Notes revisions among the rest."""

    def __init__(self, told: Told) -> None:
        self._told: Final = told

    def revision_applied(self, revision: int, events: list[KeyEvent], proposal: Proposal | None) -> None:
        self._told.lines.append(f"revision {revision}")

    def batch_applied(self) -> None:
        return

    def leases_expired(self, lease_ids: list[int]) -> list[int]:
        return []

    def write_state_changed(self, error: CoreError | None) -> None:
        return

    def member_failed(self, error: BaseException) -> None:
        self._told.lines.append("failed")


class Scene:
    """A driver among ports of the test's own; `voters` members, of which it is number 1."""

    def __init__(self, voters: int = 1) -> None:
        self.told: Final = Told()
        storage = MemoryStorage(ConfState(voters=tuple(MemberId(number + 1) for number in range(voters))))
        self.log: Final = RecordingLog(self.told)
        self.peers: Final = RecordingPeers(self.told)
        self.clock: Final = HandClock()
        self.life: Final = Life()
        self.life.move(LifeState.SERVING)
        self.driver: Final = Driver(
            MemberConfig(Path("nowhere")),
            RawNode(RaftConfig(MemberId(1)), storage, Random(1)),
            storage,
            AppliedState(MemoryEngine(), storage),
            self.life,
            self.log,
            self.peers,
            self.clock,
            IdleHost(),
        )
        self.driver.listeners.append(Listening(self.told))

    def lead(self) -> None:
        """The only voter, elected and writable."""
        self.driver.start()
        while self.driver.write_state.refusal is not None:
            self.driver.durable(self.log.token)
        self.told.lines.clear()

    def submit(self, name: str) -> Waiting:
        waiting = Waiting(self.told, name)
        self.driver.submit(Put(name.encode(), b"v"), waiting)
        return waiting


def test_a_put_is_logged_durable_applied_told_and_answered_in_this_order() -> None:
    scene = Scene()
    scene.lead()
    put = scene.submit("a")
    assert scene.told.lines == [] and scene.driver.state.store.current_revision == 1
    scene.driver.flush_turn()
    assert scene.told.lines == ["log [2]"]
    assert put.result is None and scene.driver.state.store.current_revision == 1, "nothing before it is on the disk"
    scene.driver.durable(scene.log.token)
    assert scene.told.lines == ["log [2]", "revision 2", "answer a"]
    assert isinstance(put.result, PutResult)


def test_what_comes_during_a_sync_is_one_entry_behind_it() -> None:
    scene = Scene()
    scene.lead()
    scene.submit("a")
    scene.driver.flush_turn()
    token = scene.log.token
    others = [scene.submit(name) for name in "bc"]
    scene.driver.flush_turn()
    assert scene.told.lines == ["log [2]"]
    scene.driver.durable(token)
    scene.driver.flush_turn()
    assert [line for line in scene.told.lines if line.startswith("log [3")] == ["log [3]"]
    assert all(other.result is None for other in others)
    scene.driver.durable(scene.log.token)
    assert all(isinstance(other.result, PutResult) for other in others)


def test_a_vote_is_asked_for_only_when_the_term_is_on_the_disk() -> None:
    scene = Scene(voters=3)
    scene.driver.start()
    while not scene.told.lines:
        scene.driver.tick()
        scene.driver.process_ready()
    # Pre-votes change nothing on this member, so they go at once; the candidate's own term must be written first.
    assert scene.told.lines == ["send 1"] or scene.told.lines == ["send 2"]
    assert not scene.driver.raft.is_leader
    waiting = scene.submit("a")
    assert waiting.result == NoLeader() and waiting.is_decided


def test_a_failure_drops_what_is_in_flight_undecided_and_what_waits_decided() -> None:
    scene = Scene()
    scene.lead()
    logged = scene.submit("a")
    scene.driver.flush_turn()
    waiting = scene.submit("b")
    scene.life.move(LifeState.FAILED)
    scene.driver.fail(RuntimeError("injected"))
    assert (logged.result, logged.is_decided) == (ServerStopped(), False)
    assert (waiting.result, waiting.is_decided) == (ServerStopped(), True)
    assert scene.told.lines[-1] == "failed"


def test_proposals_are_overdue_by_the_port_s_clock() -> None:
    scene = Scene()
    scene.lead()
    logged = scene.submit("a")
    scene.driver.flush_turn()
    scene.clock.time_s += 5
    waiting = scene.submit("b")
    assert scene.driver.overdue(4) == [logged]
    scene.clock.time_s += 5
    assert scene.driver.overdue(4) == [logged, waiting]


def test_a_life_makes_only_legal_moves() -> None:
    life = Life()
    assert (life.takes_requests, life.does_work) == (True, True)
    life.move(LifeState.SERVING)
    life.move(LifeState.STOPPING)
    assert (life.takes_requests, life.does_work) == (False, True)
    life.move(LifeState.CLOSED)
    assert (life.takes_requests, life.does_work) == (False, False)
    for state in LifeState:
        try:
            life.move(state)
        except AssertionError:
            continue
        raise AssertionError(f"a closed member became {state}")
