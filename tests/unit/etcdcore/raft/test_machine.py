"""Terms, votes and roles, one rule at a time."""

import pytest

from etcdcore.errors import ConfChangeRefused, ProposalDropped
from etcdcore.raft.messages import (
    CHANGE_REMOVE,
    ENTRY_CONF_CHANGE,
    MSG_APPEND,
    MSG_APPEND_RESPONSE,
    MSG_HEARTBEAT,
    MSG_HEARTBEAT_RESPONSE,
    MSG_PRE_VOTE,
    MSG_PRE_VOTE_RESPONSE,
    MSG_READ_INDEX,
    MSG_SNAPSHOT,
    MSG_TIMEOUT_NOW,
    MSG_VOTE,
    MSG_VOTE_RESPONSE,
    ConfChange,
    ConfChangeV2,
    ConfState,
    Entry,
    Message,
    Snapshot,
    SnapshotMeta,
)
from etcdcore.raft.replicator import ROLE_CANDIDATE, ROLE_FOLLOWER, ROLE_LEADER, ROLE_PRE_CANDIDATE
from etcdcore.types import LogIndex, MemberId, Term
from tests.unit.etcdcore.raft.harness import ME, acknowledge, elect, kinds, machine, say, take, write


def vote_of(messages: list[Message]) -> bool:
    """Was the vote granted?"""
    assert len(messages) == 1
    return not messages[0].reject


def test_a_follower_stands_for_election_within_two_timeouts_of_silence() -> None:
    one = machine()
    for _ in range(9):
        one.tick()
    assert one.role == ROLE_FOLLOWER
    for _ in range(11):
        one.tick()
    assert one.role == ROLE_CANDIDATE
    assert (one.term, one.vote) == (1, ME)


def test_heartbeats_keep_a_follower_quiet() -> None:
    one = machine(term=1)
    for _ in range(60):
        one.tick()
        say(one, MSG_HEARTBEAT, 2)
    assert one.role == ROLE_FOLLOWER
    assert one.leader_id == 2


def test_a_vote_request_waits_for_the_disk_and_a_pre_vote_request_does_not() -> None:
    """The own vote counts with the first other one, so it must be durable before that can come."""
    one = machine()
    one.campaign()
    assert kinds(one.after_persist) == [MSG_VOTE, MSG_VOTE]
    assert one.before_persist == []
    one = machine(pre_vote=True)
    one.campaign()
    assert kinds(one.before_persist) == [MSG_PRE_VOTE, MSG_PRE_VOTE]


def test_promises_to_others_wait_for_the_disk() -> None:
    one = machine(1, term=1)
    one.step(Message(MSG_VOTE, ME, MemberId(2), Term(2), LogIndex(1), Term(1)))
    assert kinds(one.after_persist) == [MSG_VOTE_RESPONSE]
    one.step(Message(MSG_APPEND, ME, MemberId(2), Term(2), LogIndex(1), Term(1)))
    assert kinds(one.after_persist) == [MSG_VOTE_RESPONSE, MSG_APPEND_RESPONSE]
    assert one.before_persist == []


def test_a_member_votes_once_in_a_term_and_says_the_same_when_asked_again() -> None:
    one = machine()
    assert vote_of(say(one, MSG_VOTE, 2, 1))
    assert not vote_of(say(one, MSG_VOTE, 3, 1))
    assert vote_of(say(one, MSG_VOTE, 2, 1))
    assert vote_of(say(one, MSG_VOTE, 3, 2))


def test_a_vote_survives_a_restart() -> None:
    assert not vote_of(say(machine(term=1, vote=2), MSG_VOTE, 3, 1))


def test_a_log_that_lacks_something_gets_no_vote() -> None:
    """Raft paper §5.4.1."""
    for index, log_term, is_granted in ((1, 2, False), (5, 1, False), (2, 2, True), (1, 3, True)):
        fields = {"index": LogIndex(index), "log_term": Term(log_term)}
        assert vote_of(say(machine(1, 2, term=2), MSG_VOTE, 2, 5, **fields)) == is_granted
        assert vote_of(say(machine(1, 2, term=2), MSG_PRE_VOTE, 2, 5, **fields)) == is_granted


def test_a_pre_vote_changes_nothing_at_the_voter() -> None:
    one = machine(term=1)
    answer = say(one, MSG_PRE_VOTE, 2, 2)
    assert vote_of(answer)
    assert answer[0].term == 2
    assert (one.term, one.vote) == (1, 0)
    assert vote_of(say(one, MSG_PRE_VOTE, 3, 2))


def test_a_pre_candidate_raises_its_term_only_once_a_quorum_would_vote_for_it() -> None:
    one = machine(term=4, pre_vote=True)
    one.campaign()
    requests = take(one)
    assert [message.term for message in requests] == [5, 5]
    assert (one.role, one.term) == (ROLE_PRE_CANDIDATE, 4)
    messages = say(one, MSG_PRE_VOTE_RESPONSE, 2, 5)
    assert (one.role, one.term, kinds(messages)) == (ROLE_CANDIDATE, 5, [MSG_VOTE, MSG_VOTE])


def test_a_pre_candidate_that_is_refused_goes_back_to_follower() -> None:
    one = machine(term=4, pre_vote=True)
    one.campaign()
    take(one)
    for voter in (2, 3):
        say(one, MSG_PRE_VOTE_RESPONSE, voter, reject=True)
    assert (one.role, one.term) == (ROLE_FOLLOWER, 4)


def test_while_a_leader_is_heard_others_campaigns_are_ignored_unless_forced() -> None:
    """Leader stickiness, Raft thesis §4.2.3 and §3.10."""
    one = machine(term=1, check_quorum=True)
    say(one, MSG_HEARTBEAT, 2)
    assert say(one, MSG_VOTE, 3, 9) == []
    assert say(one, MSG_PRE_VOTE, 3, 9) == []
    assert one.term == 1
    assert vote_of(say(one, MSG_VOTE, 3, 9, force=True))
    assert one.term == 9


def test_a_refused_vote_tells_what_is_committed() -> None:
    """Else a removed leader with a longer log could keep its voters from ever electing one."""
    voter = machine(1, 1, 2, term=2, commit=2)
    refusal = say(voter, MSG_VOTE, 2, 2, index=LogIndex(2), log_term=Term(1))[0]
    assert (refusal.reject, refusal.commit, refusal.log_term) == (True, 2, 1)
    candidate = machine(1, 1, term=2)
    candidate.campaign()
    take(candidate)
    say(candidate, MSG_VOTE_RESPONSE, 2, reject=True, commit=LogIndex(2), log_term=Term(1))
    assert candidate.log.committed == 2


def test_a_candidate_that_learns_of_a_membership_change_gives_up() -> None:
    """It might be elected by the wrong quorum, or be removed by the change (seed 2368)."""
    one = machine(1, term=1)
    entry = Entry(LogIndex(2), Term(1), ENTRY_CONF_CHANGE)
    say(one, MSG_APPEND, 2, index=LogIndex(1), log_term=Term(1), entries=[entry])
    write(one)
    one.campaign()
    take(one)
    say(one, MSG_VOTE_RESPONSE, 2, reject=True, commit=LogIndex(2), log_term=Term(1))
    assert (one.role, one.vote, one.log.committed) == (ROLE_FOLLOWER, ME, 2)


def test_a_commit_that_this_log_does_not_hold_is_not_learnt() -> None:
    candidate = machine(1, 1, term=2)
    candidate.campaign()
    take(candidate)
    say(candidate, MSG_VOTE_RESPONSE, 2, reject=True, commit=LogIndex(2), log_term=Term(2))
    say(candidate, MSG_VOTE_RESPONSE, 3, reject=True, commit=LogIndex(3), log_term=Term(1))
    assert candidate.log.committed == 0


def test_once_the_leader_was_silent_for_a_timeout_votes_are_given_again() -> None:
    one = machine(term=1, check_quorum=True)
    say(one, MSG_HEARTBEAT, 2)
    for _ in range(10):
        one.election_elapsed += 1
    assert vote_of(say(one, MSG_VOTE, 3, 2))


def test_a_candidate_wins_with_a_quorum_and_appends_an_empty_entry() -> None:
    one = machine(1, term=1)
    elect(one)
    assert (one.role, one.term, one.leader_id) == (ROLE_LEADER, 2, ME)
    assert (one.log.last_index(), one.log.last_term()) == (2, 2)


def test_a_candidate_loses_to_a_leader_of_its_term() -> None:
    one = machine()
    one.campaign()
    take(one)
    say(one, MSG_APPEND, 3)
    assert (one.role, one.leader_id, one.term) == (ROLE_FOLLOWER, 3, 1)


def test_a_higher_term_makes_any_leader_a_follower() -> None:
    one = machine()
    elect(one)
    say(one, MSG_APPEND_RESPONSE, 2, 7)
    assert (one.role, one.term, one.vote, one.leader_id) == (ROLE_FOLLOWER, 7, 0, 0)


def test_a_leader_of_an_old_term_is_told_the_new_one() -> None:
    one = machine(term=5, check_quorum=True)
    answer = say(one, MSG_HEARTBEAT, 2, 3)
    assert (kinds(answer), answer[0].term) == ([MSG_APPEND_RESPONSE], 5)
    assert one.leader_id == 0
    answer = say(one, MSG_PRE_VOTE, 2, 3)
    assert (answer[0].reject, answer[0].term) == (True, 5)
    assert say(one, MSG_VOTE, 2, 3) == []


def test_learners_vote_but_do_not_stand() -> None:
    one = machine(voters=(2, 3), learners=(1,))
    one.campaign()
    for _ in range(50):
        one.tick()
    assert one.role == ROLE_FOLLOWER
    assert vote_of(say(one, MSG_VOTE, 2, 1))


def test_nobody_stands_with_a_committed_change_that_is_not_applied() -> None:
    one = machine(1, term=1)
    entry = Entry(LogIndex(2), Term(1), ENTRY_CONF_CHANGE)
    say(one, MSG_APPEND, 2, index=LogIndex(1), log_term=Term(1), commit=LogIndex(2), entries=[entry])
    one.campaign()
    assert one.role == ROLE_FOLLOWER
    write(one)
    one.log.take_committed()
    one.applied(LogIndex(2))
    one.campaign()
    assert one.role == ROLE_CANDIDATE


def test_the_transfer_target_campaigns_at_once_and_by_force() -> None:
    one = machine(term=1, pre_vote=True, check_quorum=True)
    say(one, MSG_HEARTBEAT, 2)
    messages = say(one, MSG_TIMEOUT_NOW, 2)
    assert kinds(messages) == [MSG_VOTE, MSG_VOTE]
    assert all(message.force for message in messages)


def test_check_quorum_makes_a_lonely_leader_step_down_in_its_own_term() -> None:
    one = machine(check_quorum=True)
    elect(one)
    for _ in range(20):
        one.tick()
    assert (one.role, one.term) == (ROLE_FOLLOWER, 1)
    with pytest.raises(ProposalDropped):
        one.propose(b"x", None)


def test_a_leader_that_hears_a_quorum_stays() -> None:
    one = machine(check_quorum=True)
    elect(one)
    for _ in range(50):
        one.tick()
        say(one, MSG_HEARTBEAT_RESPONSE, 2)
    assert one.role == ROLE_LEADER


def test_a_refused_append_is_answered_with_a_hint_that_skips_a_term() -> None:
    one = machine(1, 1, 4, 4, 4, term=4)
    answer = say(one, MSG_APPEND, 2, 6, index=LogIndex(5), log_term=Term(3))
    assert len(answer) == 1
    assert (answer[0].reject, answer[0].index, answer[0].reject_hint, answer[0].log_term) == (True, 5, 2, 1)


def test_an_append_below_the_commit_index_is_answered_with_the_commit_index() -> None:
    one = machine(1, 1, 1, term=1, commit=3)
    answer = say(one, MSG_APPEND, 2, index=LogIndex(1), log_term=Term(1))
    assert (answer[0].reject, answer[0].index) == (False, 3)


def test_a_member_without_a_configuration_asks_for_a_snapshot() -> None:
    one = machine(voters=())
    answer = say(one, MSG_APPEND, 2, 1, entries=[Entry(LogIndex(1), Term(1))])
    assert (answer[0].reject, answer[0].force) == (True, True)
    assert one.log.last_index() == 0


def test_a_snapshot_is_taken_over_with_its_configuration() -> None:
    one = machine(1, term=1)
    state = ConfState((MemberId(1), MemberId(4)))
    snapshot = Snapshot(SnapshotMeta(LogIndex(8), Term(1), state))
    answer = say(one, MSG_SNAPSHOT, 2, snapshot=snapshot)
    assert answer[0].index == 8
    assert (one.log.last_index(), one.log.committed) == (8, 8)
    assert one.tracker.config.conf_state() == state


def test_a_snapshot_that_is_not_ahead_or_not_for_this_member_changes_nothing() -> None:
    one = machine(1, 1, 1, term=1, commit=1)
    other = Snapshot(SnapshotMeta(LogIndex(8), Term(1), ConfState((MemberId(2),))))
    assert say(one, MSG_SNAPSHOT, 2, snapshot=other)[0].index == 1
    known = Snapshot(SnapshotMeta(LogIndex(3), Term(1), ConfState((MemberId(1),))))
    assert say(one, MSG_SNAPSHOT, 2, snapshot=known)[0].index == 3
    assert one.log.unstable.snapshot is None
    assert one.log.committed == 3


def test_a_follower_forwards_reads_and_drops_them_without_a_leader() -> None:
    one = machine(term=1)
    one.read_index(b"a")
    assert take(one) == []
    say(one, MSG_HEARTBEAT, 2)
    one.read_index(b"b")
    messages = take(one)
    assert (kinds(messages), messages[0].target, messages[0].context) == ([MSG_READ_INDEX], 2, b"b")


def test_a_transfer_without_a_leader_is_refused() -> None:
    with pytest.raises(ProposalDropped):
        machine().transfer_leadership(MemberId(2))


def test_an_entry_without_its_hard_state_raises_the_term_and_forgets_the_vote() -> None:
    """A crash between the two; the vote was of an earlier term."""
    one = machine(1, 3, term=2, vote=2)
    assert (one.term, one.vote) == (3, 0)


def test_a_removed_leader_hands_over_to_the_voter_that_has_most_of_the_log() -> None:
    """Raft thesis §4.2.2. It tries again as long as a quorum answers."""
    one = machine(check_quorum=True)
    elect(one)
    acknowledge(one, 3, 1)
    one.apply_conf_change(ConfChangeV2((ConfChange(CHANGE_REMOVE, ME),)))
    orders = [message for message in take(one) if message.kind == MSG_TIMEOUT_NOW]
    assert [message.target for message in orders] == [3]
    with pytest.raises(ProposalDropped):
        one.propose(b"x", None)
    acknowledge(one, 2, 1)
    for _ in range(10):
        one.tick()
    assert MSG_TIMEOUT_NOW in kinds(take(one))
    for _ in range(10):
        one.tick()
    assert one.role == ROLE_FOLLOWER


def test_a_change_that_does_not_fit_is_refused_when_applied() -> None:
    one = machine()
    with pytest.raises(ConfChangeRefused):
        one.apply_conf_change(ConfChangeV2())
    assert one.tracker.config.voters == (1, 2, 3)
