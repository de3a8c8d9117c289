"""Configurations and the changes between them."""

import pytest

from etcdcore.errors import ConfChangeRefused
from etcdcore.raft.membership import Configuration, apply_change, configuration_from
from etcdcore.raft.messages import (
    CHANGE_ADD_LEARNER,
    CHANGE_ADD_VOTER,
    CHANGE_REMOVE,
    CHANGE_UPDATE,
    TRANSITION_AUTO,
    TRANSITION_JOINT_EXPLICIT,
    TRANSITION_JOINT_IMPLICIT,
    ConfChange,
    ConfChangeV2,
    ConfState,
)
from etcdcore.types import MemberId

ADD, REMOVE, LEARN = CHANGE_ADD_VOTER, CHANGE_REMOVE, CHANGE_ADD_LEARNER
LEAVE = ConfChangeV2()


def config(voters: tuple[int, ...], learners: tuple[int, ...] = ()) -> Configuration:
    return configuration_from(ConfState(tuple(MemberId(i) for i in voters), tuple(MemberId(i) for i in learners)))


def change(*steps: tuple[int, int], transition: int = TRANSITION_AUTO) -> ConfChangeV2:
    return ConfChangeV2(tuple(ConfChange(kind, MemberId(member)) for kind, member in steps), transition)


def after(current: Configuration, *changes: ConfChangeV2) -> ConfState:
    for one in changes:
        current = apply_change(current, one)
        current.check_invariants()
    return current.conf_state()


def test_voters_and_learners_are_added_promoted_demoted_and_removed_one_at_a_time() -> None:
    assert after(config((1,)), change((ADD, 2))).voters == (1, 2)
    assert after(config((1,)), change((LEARN, 2))).learners == (2,)
    promoted = after(config((1,), (2,)), change((ADD, 2)))
    assert (promoted.voters, promoted.learners) == ((1, 2), ())
    demoted = after(config((1, 2)), change((LEARN, 2)))
    assert (demoted.voters, demoted.learners) == ((1,), (2,))
    assert after(config((1, 2)), change((REMOVE, 2))).voters == (1,)
    assert after(config((1,), (2,)), change((REMOVE, 2))).learners == ()


def test_a_change_of_nobody_or_of_an_address_changes_nothing() -> None:
    for one in (change((ADD, 0)), change((CHANGE_UPDATE, 2)), change((REMOVE, 9))):
        assert after(config((1, 2)), one) == config((1, 2)).conf_state()


def test_the_last_voter_cannot_be_removed() -> None:
    with pytest.raises(ConfChangeRefused):
        after(config((1,), (2,)), change((REMOVE, 1)))


def test_a_joint_change_keeps_the_old_half_until_it_is_left() -> None:
    joint = apply_change(config((1, 2, 3)), change((REMOVE, 3), (ADD, 4), (LEARN, 2)))
    state = joint.conf_state()
    assert (state.voters, state.voters_outgoing, state.learners_next) == ((1, 4), (1, 2, 3), (2,))
    assert state.learners == ()
    assert state.auto_leave
    left = after(joint, LEAVE)
    assert (left.voters, left.learners, left.voters_outgoing) == ((1, 4), (2,), ())
    assert not left.auto_leave


def test_the_transition_says_whether_the_leader_leaves_by_itself() -> None:
    assert after(config((1,)), change((ADD, 2), transition=TRANSITION_JOINT_IMPLICIT)).auto_leave
    explicit = after(config((1,)), change((ADD, 2), transition=TRANSITION_JOINT_EXPLICIT))
    assert not explicit.auto_leave
    assert explicit.voters_outgoing == (1,)


def test_only_leaving_is_possible_in_a_joint_configuration_and_only_there() -> None:
    joint = apply_change(config((1, 2)), change((ADD, 3), (ADD, 4)))
    for one in (change((ADD, 5)), change((ADD, 5), (ADD, 6))):
        with pytest.raises(ConfChangeRefused):
            apply_change(joint, one)
    with pytest.raises(ConfChangeRefused):
        apply_change(config((1, 2)), LEAVE)


def test_a_learner_made_voter_again_within_a_joint_change_is_no_learner_later() -> None:
    state = after(config((1, 2)), change((LEARN, 2), (ADD, 2)), LEAVE)
    assert (state.voters, state.learners) == ((1, 2), ())


def test_a_configuration_survives_its_conf_state() -> None:
    state = apply_change(config((1, 2, 3)), change((REMOVE, 3), (LEARN, 2))).conf_state()
    assert configuration_from(state).conf_state() == state
