"""Majorities, of one set of voters or of both in a joint configuration. Raft thesis §4.3.

An empty set agrees to everything, so that the outgoing half needs no special case outside a joint configuration.
"""

from typing import Final

from etcdcore.raft.progress import Progress
from etcdcore.types import LogIndex, MemberId

VOTE_PENDING: Final = 0
VOTE_LOST: Final = 1
VOTE_WON: Final = 2

EVERYTHING: Final = LogIndex(1 << 63)
"""What an empty set of voters has committed."""


def majority_match(voters: tuple[MemberId, ...], progress: dict[MemberId, Progress]) -> LogIndex:
    """The highest index that a majority of the voters has."""
    count = len(voters)
    if count == 0:
        return EVERYTHING
    if count == 1:
        return progress[voters[0]].match
    matches: list[LogIndex] = []
    for voter in voters:
        matches.append(progress[voter].match)
    matches.sort()
    return matches[count - (count // 2 + 1)]


def majority_vote(voters: tuple[MemberId, ...], votes: dict[MemberId, bool]) -> int:
    """What the votes that came so far decide: won, lost, or pending."""
    count = len(voters)
    if count == 0:
        return VOTE_WON
    quorum = count // 2 + 1
    granted = 0
    missing = 0
    for voter in voters:
        vote = votes.get(voter)
        if vote is None:
            missing += 1
        elif vote:
            granted += 1
    if granted >= quorum:
        return VOTE_WON
    if granted + missing >= quorum:
        return VOTE_PENDING
    return VOTE_LOST


def joint_vote(incoming: tuple[MemberId, ...], outgoing: tuple[MemberId, ...], votes: dict[MemberId, bool]) -> int:
    """Both halves must win; either can lose."""
    first = majority_vote(incoming, votes)
    second = majority_vote(outgoing, votes)
    if first == second:
        return first
    if first == VOTE_LOST or second == VOTE_LOST:
        return VOTE_LOST
    return VOTE_PENDING
