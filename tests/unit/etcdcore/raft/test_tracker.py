"""Counting in the configuration in force."""

from etcdcore.raft.membership import apply_change, configuration_from
from etcdcore.raft.messages import (
    CHANGE_ADD_LEARNER,
    CHANGE_ADD_VOTER,
    CHANGE_REMOVE,
    ConfChange,
    ConfChangeV2,
    ConfState,
)
from etcdcore.raft.quorum import VOTE_PENDING, VOTE_WON
from etcdcore.raft.tracker import Tracker
from etcdcore.types import LogIndex, MemberId


def tracker(*voters: int) -> Tracker:
    state = ConfState(tuple(MemberId(i) for i in voters))
    return Tracker(MemberId(1), configuration_from(state), 4)


def change(one: Tracker, *steps: tuple[int, int]) -> None:
    changes = tuple(ConfChange(kind, MemberId(member)) for kind, member in steps)
    one.switch(apply_change(one.config, ConfChangeV2(changes)), LogIndex(10))
    one.check_invariants()


def set_matches(one: Tracker, *matches: tuple[int, int]) -> None:
    for member, match in matches:
        one.progress[MemberId(member)].maybe_update(LogIndex(match))


def test_a_joint_configuration_commits_what_both_halves_have() -> None:
    one = tracker(1, 2, 3)
    change(one, (CHANGE_ADD_VOTER, 4), (CHANGE_ADD_VOTER, 5), (CHANGE_REMOVE, 2), (CHANGE_REMOVE, 3))
    set_matches(one, (1, 9), (4, 8), (5, 7), (2, 3), (3, 2))
    assert one.committed() == 3


def test_a_joint_election_needs_both_halves() -> None:
    one = tracker(1, 2, 3)
    change(one, (CHANGE_ADD_VOTER, 4), (CHANGE_ADD_VOTER, 5), (CHANGE_REMOVE, 2), (CHANGE_REMOVE, 3))
    for member in (1, 4, 5):
        one.record_vote(MemberId(member), True)
    assert one.vote_result() == VOTE_PENDING
    one.record_vote(MemberId(2), True)
    assert one.vote_result() == VOTE_WON


def test_the_first_vote_of_a_member_counts() -> None:
    one = tracker(1, 2, 3)
    one.record_vote(MemberId(1), False)
    one.record_vote(MemberId(1), True)
    one.record_vote(MemberId(2), True)
    assert one.vote_result() == VOTE_PENDING


def test_learners_do_not_count() -> None:
    one = tracker(1, 2)
    change(one, (CHANGE_ADD_LEARNER, 3))
    set_matches(one, (1, 9), (2, 4), (3, 9))
    assert one.committed() == 4
    one.forget_activity()
    one.progress[MemberId(3)].is_recently_active = True
    assert not one.is_quorum_active()
    one.progress[MemberId(2)].is_recently_active = True
    assert one.is_quorum_active()


def test_a_change_keeps_what_is_known_of_those_who_stay() -> None:
    one = tracker(1, 2, 3)
    set_matches(one, (2, 6))
    change(one, (CHANGE_REMOVE, 3))
    assert one.progress[MemberId(2)].match == 6
    change(one, (CHANGE_ADD_VOTER, 4))
    assert one.progress[MemberId(4)].next == 10
    assert one.peers == [2, 4]


def test_only_a_single_voter_is_alone() -> None:
    assert tracker(1).is_alone()
    assert not tracker(2).is_alone()
    assert not tracker(1, 2).is_alone()
