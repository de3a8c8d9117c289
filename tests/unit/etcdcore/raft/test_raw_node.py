"""The facade: what a Ready holds, and when."""

from random import Random

from etcdcore.errors import ProposalDropped
from etcdcore.raft.messages import MSG_HEARTBEAT, ConfState, HardState, Message
from etcdcore.raft.raw_node import RawNode, Ready, SoftState
from etcdcore.raft.replicator import ROLE_LEADER, RaftConfig
from etcdcore.raft.storage import MemoryStorage
from etcdcore.types import LogIndex, MemberId, Term

ME = MemberId(1)


class Shell:
    """A single member and its loop, one Ready at a time."""

    def __init__(self, storage: MemoryStorage | None = None, applied: int = 0) -> None:
        self.storage = MemoryStorage(ConfState((ME,))) if storage is None else storage
        self.node = RawNode(RaftConfig(ME, applied=LogIndex(applied)), self.storage, Random(1))

    def take(self) -> Ready:
        ready = self.node.ready()
        self.storage.append(ready.entries)
        if ready.hard_state is not None:
            self.storage.set_hard_state(ready.hard_state)
        self.node.check_invariants()
        return ready

    def persist(self, ready: Ready) -> None:
        if ready.entries:
            self.node.persisted(ready.entries[-1].index, ready.entries[-1].term)

    def run(self) -> list[object]:
        """Works everything off; returns the payloads applied."""
        payloads: list[object] = []
        while self.node.has_ready():
            ready = self.take()
            self.persist(ready)
            for entry in ready.committed_entries:
                payloads.append(entry.payload)
                self.node.applied(entry.index)
        return payloads

    def elect(self) -> None:
        self.node.campaign()
        self.run()


def test_a_new_node_has_nothing_to_do() -> None:
    assert not Shell().node.has_ready()


def test_a_single_member_elects_itself_and_reports_it() -> None:
    shell = Shell()
    shell.node.campaign()
    ready = shell.take()
    assert ready.soft_state == SoftState(ME, ROLE_LEADER)
    assert ready.hard_state == HardState(Term(1), ME, LogIndex(0))
    assert ready.must_sync
    assert len(ready.entries) == 1
    assert ready.committed_entries == []


def test_a_command_goes_out_once_to_the_disk_and_once_to_be_applied() -> None:
    shell = Shell()
    shell.elect()
    command = object()
    assert shell.node.propose(b"data", command) == 2
    first = shell.take()
    assert [entry.data for entry in first.entries] == [b"data"]
    assert first.must_sync
    assert not shell.node.has_ready()
    shell.persist(first)
    second = shell.take()
    assert second.entries == []
    assert [entry.payload for entry in second.committed_entries] == [command]
    assert not second.must_sync
    assert second.hard_state == HardState(Term(1), ME, LogIndex(2))
    assert not shell.node.has_ready()


def test_several_readys_may_be_taken_before_the_first_is_durable() -> None:
    shell = Shell()
    shell.elect()
    readys = []
    for number in range(3):
        shell.node.propose(b"%d" % number)
        readys.append(shell.take())
    assert [len(ready.entries) for ready in readys] == [1, 1, 1]
    shell.persist(readys[1])
    assert [entry.data for entry in shell.take().committed_entries] == [b"0", b"1"]
    shell.persist(readys[0])
    shell.persist(readys[2])
    assert [entry.data for entry in shell.take().committed_entries] == [b"2"]


def test_read_states_come_with_the_next_ready() -> None:
    shell = Shell()
    shell.elect()
    shell.node.read_index(b"q")
    assert shell.node.has_ready()
    assert [state.context for state in shell.take().read_states] == [b"q"]


def test_a_restarted_member_applies_what_it_had_not_applied_and_no_more() -> None:
    shell = Shell()
    shell.elect()
    for number in range(5):
        shell.node.propose(b"%d" % number)
    shell.run()
    again = Shell(shell.storage, applied=4)
    assert again.node.commit_index == 6
    assert [entry.index for entry in again.take().committed_entries] == [5, 6]


def test_a_proposal_on_a_follower_is_dropped_and_leaves_no_trace() -> None:
    shell = Shell()
    try:
        shell.node.propose(b"x")
    except ProposalDropped:
        assert not shell.node.has_ready()
    else:
        raise AssertionError("a follower took a proposal")


def test_a_message_for_somebody_else_is_ignored() -> None:
    shell = Shell()
    shell.node.step(Message(MSG_HEARTBEAT, MemberId(7), MemberId(2), Term(9)))
    assert shell.node.term == 0


def test_the_status_shows_the_leaders_view_of_every_member() -> None:
    shell = Shell(MemoryStorage(ConfState((ME,), (MemberId(2),))))
    assert shell.node.status().progress == {}
    shell.elect()
    status = shell.node.status()
    assert (status.role, status.leader_id, status.term, status.commit, status.applied) == ("leader", ME, 1, 1, 1)
    assert status.progress[MemberId(2)].is_learner
    assert status.progress[MemberId(2)].state == "probe"
    assert status.progress[ME].match == 1
    assert (shell.node.member_id, shell.node.leader_id, shell.node.is_leader) == (ME, ME, True)
    assert (shell.node.applied_index, shell.node.last_index, shell.node.role) == (1, 1, ROLE_LEADER)
