"""Majorities."""

from etcdcore.raft.progress import Progress
from etcdcore.raft.quorum import (
    EVERYTHING,
    VOTE_LOST,
    VOTE_PENDING,
    VOTE_WON,
    joint_vote,
    majority_match,
    majority_vote,
)
from etcdcore.types import LogIndex, MemberId


def voters(*numbers: int) -> tuple[MemberId, ...]:
    return tuple(MemberId(number) for number in numbers)


def committed(*matches: int) -> int:
    progress = {
        MemberId(i + 1): Progress(LogIndex(match), LogIndex(match + 1), 1, False) for i, match in enumerate(matches)
    }
    return majority_match(tuple(progress), progress)


def votes(granted: tuple[int, ...], refused: tuple[int, ...] = ()) -> dict[MemberId, bool]:
    return {MemberId(i): True for i in granted} | {MemberId(i): False for i in refused}


def test_a_majority_has_what_is_committed() -> None:
    assert committed(7) == 7
    assert committed(7, 3) == 3
    assert committed(7, 3, 5) == 5
    assert committed(7, 3, 5, 9) == 5
    assert committed(1, 2, 3, 4, 5) == 3


def test_no_voters_agree_to_everything() -> None:
    assert committed() == EVERYTHING
    assert majority_vote((), {}) == VOTE_WON


def test_a_vote_is_won_lost_or_pending() -> None:
    three = voters(1, 2, 3)
    assert majority_vote(three, votes((1,))) == VOTE_PENDING
    assert majority_vote(three, votes((1, 2))) == VOTE_WON
    assert majority_vote(three, votes((1,), (2, 3))) == VOTE_LOST
    assert majority_vote(voters(1, 2, 3, 4), votes((1, 2), (3, 4))) == VOTE_LOST


def test_votes_of_strangers_do_not_count() -> None:
    assert majority_vote(voters(1, 2, 3), votes((1, 8, 9))) == VOTE_PENDING


def test_a_joint_vote_needs_both_halves_and_either_can_lose_it() -> None:
    old, new = voters(1, 2, 3), voters(3, 4, 5)
    assert joint_vote(new, old, votes((3, 4))) == VOTE_PENDING
    assert joint_vote(new, old, votes((1, 2, 3))) == VOTE_PENDING
    assert joint_vote(new, old, votes((1, 3, 4))) == VOTE_WON
    assert joint_vote(new, old, votes((1, 2, 3), (4, 5))) == VOTE_LOST
    assert joint_vote(new, old, votes((3, 4, 5), (1, 2))) == VOTE_LOST
