"""Configurations and the changes between them. Raft thesis §4, etcd raft confchange.

Example: voters 1 2 3, one change (remove 3, add voter 4, demote 2 to learner), three single changes, so joint:
    enter: voters 1 4, outgoing 1 2 3, learners_next 2     every decision needs a majority of {1 4} and of {1 2 3}
    leave: voters 1 4, learners 2                          by an empty change, which with auto_leave the leader proposes

Invariants:
1. There is a voter. Nobody is voter (of either half) and learner at once.
2. learners_next are voters of the outgoing half, and empty outside a joint configuration, as is auto_leave.
"""

from typing import Final, final

from etcdcore.errors import ConfChangeRefused
from etcdcore.raft.messages import (
    CHANGE_ADD_LEARNER,
    CHANGE_ADD_VOTER,
    CHANGE_REMOVE,
    NO_MEMBER,
    TRANSITION_AUTO,
    TRANSITION_JOINT_EXPLICIT,
    ConfChange,
    ConfChangeV2,
    ConfState,
)
from etcdcore.types import MemberId


@final
class Configuration:
    """Who is a member, and in which role; all sorted. Never changed: a change makes a new one."""

    __slots__ = ("auto_leave", "learners", "learners_next", "voters", "voters_outgoing")

    def __init__(
        self,
        voters: set[MemberId],
        voters_outgoing: set[MemberId],
        learners: set[MemberId],
        learners_next: set[MemberId],
        auto_leave: bool,
    ) -> None:
        self.voters: Final = tuple(sorted(voters))
        self.voters_outgoing: Final = tuple(sorted(voters_outgoing))
        self.learners: Final = tuple(sorted(learners))
        self.learners_next: Final = tuple(sorted(learners_next))
        self.auto_leave: Final = auto_leave

    def is_joint(self) -> bool:
        return len(self.voters_outgoing) > 0

    def is_voter(self, member_id: MemberId) -> bool:
        return member_id in self.voters or member_id in self.voters_outgoing

    def all_voters(self) -> list[MemberId]:
        """Voters of both halves, each once, sorted."""
        if not self.voters_outgoing:
            return list(self.voters)
        return sorted(set(self.voters) | set(self.voters_outgoing))

    def members(self) -> list[MemberId]:
        """Everybody that gets the log, sorted."""
        return sorted(set(self.voters) | set(self.voters_outgoing) | set(self.learners))

    def conf_state(self) -> ConfState:
        return ConfState(self.voters, self.learners, self.voters_outgoing, self.learners_next, self.auto_leave)

    def check_invariants(self) -> None:
        """Asserts I1 and I2; a member that is yet to join has a configuration without anybody."""
        voters = set(self.voters) | set(self.voters_outgoing)
        assert not voters & set(self.learners)  # I1
        assert set(self.learners_next) <= set(self.voters_outgoing)  # I2
        assert not set(self.learners_next) & set(self.voters)
        assert self.is_joint() or (not self.learners_next and not self.auto_leave)  # I2


def configuration_from(state: ConfState) -> Configuration:
    """The configuration that a conf state describes."""
    return Configuration(
        set(state.voters),
        set(state.voters_outgoing),
        set(state.learners),
        set(state.learners_next),
        state.auto_leave,
    )


def apply_change(current: Configuration, change: ConfChangeV2) -> Configuration:
    """The configuration after a change. Raises ConfChangeRefused if the change does not fit the current one."""
    if change.is_leave_joint():
        return _leave_joint(current)
    if change.transition != TRANSITION_AUTO or len(change.changes) > 1:
        return _enter_joint(current, change.changes, change.transition != TRANSITION_JOINT_EXPLICIT)
    return _change_simply(current, change.changes)


def _change_simply(current: Configuration, changes: tuple[ConfChange, ...]) -> Configuration:
    if current.is_joint():
        raise ConfChangeRefused("a simple change in a joint configuration")
    changed = _change_members(current, changes, set())
    if len(set(changed.voters) ^ set(current.voters)) > 1:
        raise ConfChangeRefused("more than one voter changes without a joint configuration")
    return changed


def _enter_joint(current: Configuration, changes: tuple[ConfChange, ...], auto_leave: bool) -> Configuration:
    if current.is_joint():
        raise ConfChangeRefused("the configuration is joint already")
    if not current.voters:
        raise ConfChangeRefused("a configuration without voters can't become joint")
    changed = _change_members(current, changes, set(current.voters))
    return Configuration(
        set(changed.voters),
        set(changed.voters_outgoing),
        set(changed.learners),
        set(changed.learners_next),
        auto_leave,
    )


def _leave_joint(current: Configuration) -> Configuration:
    if not current.is_joint():
        raise ConfChangeRefused("the configuration is not joint")
    return Configuration(set(current.voters), set(), set(current.learners) | set(current.learners_next), set(), False)


def _change_members(current: Configuration, changes: tuple[ConfChange, ...], outgoing: set[MemberId]) -> Configuration:
    voters = set(current.voters)
    learners = set(current.learners)
    learners_next = set(current.learners_next)
    for change in changes:
        member_id = change.member_id
        if member_id == NO_MEMBER:
            continue
        if change.kind == CHANGE_ADD_VOTER:
            voters.add(member_id)
            learners.discard(member_id)
            learners_next.discard(member_id)
        elif change.kind == CHANGE_ADD_LEARNER:
            voters.discard(member_id)
            if member_id in outgoing:
                # It still has a vote in the outgoing half, so it is a learner only once that is gone (I1).
                learners_next.add(member_id)
            else:
                learners.add(member_id)
        elif change.kind == CHANGE_REMOVE:
            voters.discard(member_id)
            learners.discard(member_id)
            learners_next.discard(member_id)
    if not voters:
        raise ConfChangeRefused("the change removes the last voter")  # I1
    return Configuration(voters, outgoing, learners, learners_next, False)
