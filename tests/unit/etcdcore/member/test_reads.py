"""Barriers share a round, wait for its index, and are dropped when it is lost."""

from random import Random

from etcdcore import CoreError, Outcome, Proposal
from etcdcore.errors import LeaderChanged, NoLeader
from etcdcore.member.reads import ReadBarriers
from etcdcore.raft.messages import ConfState
from etcdcore.raft.raw_node import RawNode
from etcdcore.raft.read_index import ReadState
from etcdcore.raft.replicator import RaftConfig
from etcdcore.raft.storage import MemoryStorage
from etcdcore.statistics import MemberCounts
from etcdcore.types import LogIndex, MemberId


class Note(Proposal):
    def __init__(self) -> None:
        self.answers: list[object] = []

    def applied(self, result: Outcome | int) -> None:
        self.answers.append(result)

    def dropped(self, error: CoreError, is_decided: bool) -> None:
        self.answers.append(error)


def _leader() -> RawNode:
    storage = MemoryStorage(ConfState(voters=(MemberId(1),)))
    raft = RawNode(RaftConfig(MemberId(1)), storage, Random(1))
    raft.campaign()
    ready = raft.ready()
    storage.append(ready.entries)
    raft.persisted(ready.entries[-1].index, ready.entries[-1].term)
    return raft


def test_all_that_asked_share_one_round_and_are_answered_once_its_index_is_applied() -> None:
    barriers, raft = ReadBarriers(MemberCounts()), _leader()
    notes = [Note(), Note()]
    barriers.asked.extend(notes)
    barriers.propose(raft)
    states = raft.ready().read_states
    assert len(states) == 1
    barriers.take_states(states)
    barriers.answer(LogIndex(0), 5)
    assert [note.answers for note in notes] == [[], []]
    barriers.answer(LogIndex(1), 6)
    assert [note.answers for note in notes] == [[6], [6]]
    assert not barriers.is_waiting


def test_without_a_leader_they_are_dropped_at_once() -> None:
    barriers = ReadBarriers(MemberCounts())
    note = Note()
    barriers.asked.append(note)
    raft = RawNode(RaftConfig(MemberId(1)), MemoryStorage(ConfState(voters=(MemberId(1),))), Random(1))
    barriers.propose(raft)
    assert note.answers == [NoLeader()]


def test_a_lost_round_is_dropped_once_and_its_late_answer_ignored() -> None:
    barriers, raft = ReadBarriers(MemberCounts()), _leader()
    note = Note()
    barriers.asked.append(note)
    barriers.propose(raft)
    barriers.drop_rounds(LeaderChanged())
    barriers.take_states([ReadState(LogIndex(1), b"\0" * 7 + b"\1")])
    barriers.answer(LogIndex(9), 9)
    assert note.answers == [LeaderChanged()]
