"""The configuration in force, what is known of each member's log, and the votes: whatever a quorum is counted from.

Invariant 1: there is a Progress for every member of the configuration, and for nobody else.
"""

from typing import Final, final

from etcdcore.raft.membership import Configuration
from etcdcore.raft.messages import NO_INDEX
from etcdcore.raft.progress import Progress
from etcdcore.raft.quorum import VOTE_WON, joint_vote, majority_match
from etcdcore.types import LogIndex, MemberId


@final
class Tracker:
    """Counts for a leader and for a candidate, in both halves of the configuration."""

    __slots__ = ("config", "inflight_max", "peers", "progress", "self_id", "votes")

    def __init__(self, self_id: MemberId, config: Configuration, inflight_max: int) -> None:
        self.self_id: Final = self_id
        self.inflight_max: Final = inflight_max
        self.config = config
        self.progress: dict[MemberId, Progress] = {}
        self.peers: list[MemberId] = []
        self.votes: dict[MemberId, bool] = {}
        self.switch(config, NO_INDEX)

    def switch(self, config: Configuration, last_index: LogIndex) -> None:
        """Takes over a configuration: new members start as probes at the end of the log."""
        self.config = config
        learners = config.learners
        old = self.progress
        self.progress = {}
        self.peers = []
        for member_id in config.members():
            is_learner = member_id in learners
            progress = old.get(member_id)
            if progress is None:
                progress = Progress(NO_INDEX, LogIndex(max(last_index, 1)), self.inflight_max, is_learner)
            progress.is_learner = is_learner
            self.progress[member_id] = progress
            if member_id != self.self_id:
                self.peers.append(member_id)

    def reset(self, last_index: LogIndex) -> None:
        """A new term: nothing is known of anybody."""
        self.votes.clear()
        for member_id in self.config.members():
            self.progress[member_id] = Progress(
                NO_INDEX, LogIndex(last_index + 1), self.inflight_max, self.progress[member_id].is_learner
            )

    def committed(self) -> LogIndex:
        """The highest index that a quorum has."""
        config = self.config
        incoming = majority_match(config.voters, self.progress)
        if not config.voters_outgoing:
            return incoming
        return min(incoming, majority_match(config.voters_outgoing, self.progress))

    def record_vote(self, member_id: MemberId, is_granted: bool) -> None:
        """The first answer of a member counts."""
        if member_id not in self.votes:
            self.votes[member_id] = is_granted

    def vote_result(self) -> int:
        return joint_vote(self.config.voters, self.config.voters_outgoing, self.votes)

    def is_quorum(self, members: dict[MemberId, bool]) -> bool:
        """Do these members make a decision?"""
        return joint_vote(self.config.voters, self.config.voters_outgoing, members) == VOTE_WON

    def is_quorum_active(self) -> bool:
        """Was a quorum, this member included, heard of since `forget_activity`?"""
        active: dict[MemberId, bool] = {}
        for member_id, progress in self.progress.items():
            active[member_id] = member_id == self.self_id or progress.is_recently_active
        return self.is_quorum(active)

    def forget_activity(self) -> None:
        for progress in self.progress.values():
            progress.is_recently_active = False

    def is_alone(self) -> bool:
        """Is this member a quorum by itself?"""
        config = self.config
        return len(config.voters) == 1 and not config.voters_outgoing and config.voters[0] == self.self_id

    def check_invariants(self) -> None:
        """Asserts I1 and those of the parts."""
        self.config.check_invariants()
        assert list(self.progress) == self.config.members()  # I1
        for member_id, progress in self.progress.items():
            assert progress.is_learner == (member_id in self.config.learners)
            progress.check_invariants()
