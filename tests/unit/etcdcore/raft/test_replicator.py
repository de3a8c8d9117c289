"""The leader's work, one rule at a time."""

import pytest

from etcdcore.errors import ConfChangeRefused, ProposalDropped
from etcdcore.raft.machine import Machine
from etcdcore.raft.messages import (
    CHANGE_ADD_LEARNER,
    CHANGE_ADD_VOTER,
    ENTRY_CONF_CHANGE,
    MSG_APPEND,
    MSG_APPEND_RESPONSE,
    MSG_HEARTBEAT,
    MSG_HEARTBEAT_RESPONSE,
    MSG_READ_INDEX,
    MSG_READ_INDEX_RESPONSE,
    MSG_SNAPSHOT,
    MSG_TIMEOUT_NOW,
    MSG_TRANSFER_LEADER,
    NO_MEMBER,
    ConfChange,
    ConfChangeV2,
    Message,
)
from etcdcore.raft.progress import PROBE, REPLICATE, SNAPSHOT
from etcdcore.raft.replicator import RaftConfig
from etcdcore.raft.storage import MemoryStorage
from etcdcore.types import LogIndex, MemberId, Term
from tests.unit.etcdcore.raft.harness import ME, acknowledge, apply_all, elect, kinds, machine, say, take, write

TWO, THREE = MemberId(2), MemberId(3)


def leader(*terms: int, ready_peers: tuple[int, ...] = (2, 3), **options: int) -> Machine:
    """A leader whose first entry is committed, and whose peers have it."""
    one = machine(*terms, term=max(terms, default=0), **options)  # type: ignore[arg-type]  # ints, all of them
    elect(one)
    for peer in ready_peers:
        acknowledge(one, peer, one.log.last_index())
    take(one)
    apply_all(one)
    return one


def propose(one: Machine, *values: bytes) -> list[Message]:
    for value in values:
        one.propose(value, None)
    return take(one)


def add(kind: int, member: int) -> ConfChangeV2:
    return ConfChangeV2((ConfChange(kind, MemberId(member)),))


def test_a_configuration_that_cannot_work_is_refused() -> None:
    for arguments in ((0, 10, 1), (1, 1, 1), (1, 10, 0)):
        with pytest.raises(ValueError, match="expected"):
            RaftConfig(MemberId(arguments[0]), arguments[1], arguments[2])
    with pytest.raises(ValueError, match="window"):
        RaftConfig(ME, inflight_max=0)


def test_proposals_of_one_ready_share_an_append() -> None:
    one = leader()
    messages = propose(one, b"a", b"b", b"c")
    assert kinds(messages) == [MSG_APPEND, MSG_APPEND]
    assert [entry.data for entry in messages[0].entries] == [b"a", b"b", b"c"]


def test_followers_and_leaders_in_transfer_take_no_proposals() -> None:
    with pytest.raises(ProposalDropped):
        machine().propose(b"x", None)
    one = leader()
    one.transfer_leadership(TWO)
    with pytest.raises(ProposalDropped):
        one.propose(b"x", None)
    with pytest.raises(ProposalDropped):
        one.propose_conf_change(add(CHANGE_ADD_LEARNER, 4))


def test_an_entry_is_committed_once_a_quorum_of_disks_has_it() -> None:
    """The leader's own disk is one of them, and counts when it is done."""
    one = leader()
    propose(one, b"a")
    acknowledge(one, 2, 2)
    assert one.log.committed == 1
    write(one)
    assert one.log.committed == 2


def test_two_followers_commit_without_the_leaders_disk() -> None:
    one = leader()
    propose(one, b"a")
    acknowledge(one, 2, 2)
    acknowledge(one, 3, 2)
    assert one.log.committed == 2
    assert not one.log.has_next_committed()


def test_entries_of_earlier_terms_are_not_committed_by_counting() -> None:
    """Raft paper §5.4.2, figure 8."""
    one = machine(1, 2, term=2)
    elect(one)
    acknowledge(one, 2, 2)
    acknowledge(one, 3, 2)
    assert one.log.committed == 0
    acknowledge(one, 2, 3)
    assert one.log.committed == 3


def test_appends_leave_before_the_disk_once_it_has_the_term() -> None:
    one = machine(voters=(1,), learners=(2,))
    one.campaign()
    one.flush_appends()
    assert kinds(one.after_persist) == [MSG_APPEND]
    assert one.before_persist == []
    take(one)
    write(one)
    acknowledge(one, 2, 1)
    one.propose(b"a", None)
    one.flush_appends()
    assert kinds(one.before_persist) == [MSG_APPEND]


def test_a_lost_append_is_found_by_a_heartbeat_and_sent_again() -> None:
    one = leader()
    propose(one, b"a")
    probe = say(one, MSG_HEARTBEAT_RESPONSE, 2)
    assert (kinds(probe), probe[0].index, probe[0].entries) == ([MSG_APPEND], 2, [])
    again = say(one, MSG_APPEND_RESPONSE, 2, index=LogIndex(2), reject=True, reject_hint=LogIndex(1), log_term=Term(1))
    assert (again[0].index, [entry.data for entry in again[0].entries]) == (1, [b"a"])


def test_a_rejection_skips_the_terms_that_the_follower_lacks() -> None:
    """The follower's last entry at or below has term 2; everything of ours above it is of term 4."""
    one = machine(1, 2, 4, 4, 4, 4, term=4)
    elect(one)
    messages = say(
        one, MSG_APPEND_RESPONSE, 2, index=LogIndex(6), reject=True, reject_hint=LogIndex(5), log_term=Term(2)
    )
    assert messages[0].index == 2


def test_a_late_rejection_changes_nothing() -> None:
    one = leader()
    assert say(one, MSG_APPEND_RESPONSE, 2, index=LogIndex(1), reject=True) == []
    assert one.tracker.progress[TWO].state == REPLICATE


def test_messages_stay_below_the_size_limit_and_the_window() -> None:
    one = leader(inflight_max=3, max_message_bytes=250)
    messages = propose(one, *(b"x" * 100 for _ in range(20)))
    to_two = [message for message in messages if message.target == TWO]
    assert [len(message.entries) for message in to_two] == [2, 2, 2]
    assert propose(one, b"y") == []
    more = acknowledge(one, 2, to_two[0].entries[-1].index)
    assert [len(message.entries) for message in more if message.entries] == [2]


def test_heartbeats_never_tell_a_commit_that_the_member_may_not_have() -> None:
    one = leader(ready_peers=(2,))
    one.tick()
    heartbeats = {message.target: message for message in take(one) if message.kind == MSG_HEARTBEAT}
    assert heartbeats[TWO].commit == 1
    assert heartbeats[THREE].commit == 0


def test_an_unreachable_member_is_probed() -> None:
    one = leader()
    propose(one, b"a")
    one.report_unreachable(TWO)
    assert (one.tracker.progress[TWO].state, one.tracker.progress[TWO].next) == (PROBE, 2)


def behind_compaction() -> Machine:
    """A leader whose log starts behind what member 3 needs."""
    one = leader(1, 1, 1, 1, ready_peers=(2,))
    storage = one.log.storage
    assert isinstance(storage, MemoryStorage)
    storage.compact(LogIndex(4))
    say(one, MSG_APPEND_RESPONSE, 3, index=LogIndex(4), reject=True)
    return one


def test_a_member_that_the_log_cannot_reach_gets_a_snapshot() -> None:
    one = behind_compaction()
    assert one.is_snapshot_wanted
    storage = one.log.storage
    assert isinstance(storage, MemoryStorage)
    storage.create_snapshot(LogIndex(5), one.tracker.config.conf_state())
    messages = say(one, MSG_HEARTBEAT_RESPONSE, 3)
    assert MSG_SNAPSHOT in kinds(messages)
    assert one.tracker.progress[THREE].state == SNAPSHOT
    assert [message.target for message in propose(one, b"a")] == [TWO]
    acknowledge(one, 3, 5)
    assert one.tracker.progress[THREE].state == REPLICATE


def test_a_snapshot_that_failed_is_tried_again_after_a_heartbeat() -> None:
    one = behind_compaction()
    storage = one.log.storage
    assert isinstance(storage, MemoryStorage)
    storage.create_snapshot(LogIndex(5), one.tracker.config.conf_state())
    say(one, MSG_HEARTBEAT_RESPONSE, 3)
    one.report_snapshot(THREE, False)
    assert one.tracker.progress[THREE].next == 1
    assert [message.target for message in propose(one, b"a")] == [TWO]
    assert MSG_SNAPSHOT in kinds(say(one, MSG_HEARTBEAT_RESPONSE, 3))


def test_a_snapshot_that_lacks_the_member_is_not_sent_to_it() -> None:
    one = leader()
    storage = one.log.storage
    assert isinstance(storage, MemoryStorage)
    storage.create_snapshot(LogIndex(1), one.tracker.config.conf_state())
    one.apply_conf_change(add(CHANGE_ADD_LEARNER, 4))
    take(one)
    assert say(one, MSG_APPEND_RESPONSE, 4, index=LogIndex(1), reject=True, force=True) == []
    assert one.is_snapshot_wanted


def test_one_membership_change_at_a_time() -> None:
    one = leader()
    one.propose_conf_change(add(CHANGE_ADD_LEARNER, 4))
    with pytest.raises(ConfChangeRefused):
        one.propose_conf_change(add(CHANGE_ADD_LEARNER, 5))
    write(one)
    acknowledge(one, 2, 2)
    apply_all(one)
    one.propose_conf_change(add(CHANGE_ADD_LEARNER, 5))


def test_a_new_leader_takes_no_change_before_it_has_applied_what_it_found() -> None:
    one = machine(1, 1, term=1)
    elect(one)
    with pytest.raises(ConfChangeRefused, match="may be pending"):
        one.propose_conf_change(add(CHANGE_ADD_LEARNER, 4))


def test_a_change_that_does_not_fit_is_refused_before_it_is_appended() -> None:
    one = leader()
    with pytest.raises(ConfChangeRefused):
        one.propose_conf_change(ConfChangeV2())
    assert one.log.last_index() == 1


def test_the_leader_leaves_a_joint_configuration_by_itself() -> None:
    one = leader()
    one.apply_conf_change(
        ConfChangeV2((ConfChange(CHANGE_ADD_VOTER, MemberId(4)), ConfChange(CHANGE_ADD_VOTER, MemberId(5))))
    )
    propose(one, b"a")
    write(one)
    acknowledge(one, 2, 2)
    acknowledge(one, 3, 2)
    acknowledge(one, 4, 2)
    apply_all(one)
    entry = one.log.unstable.entries[-1]
    assert entry.kind == ENTRY_CONF_CHANGE
    assert one.pending_conf_index == entry.index
    one.applied(LogIndex(2))
    one.tick()
    assert one.log.last_index() == entry.index


def test_a_read_waits_for_a_quorum_that_answers_after_it_came() -> None:
    one = leader()
    one.read_index(b"a")
    heartbeats = take(one)
    assert kinds(heartbeats) == [MSG_HEARTBEAT, MSG_HEARTBEAT]
    say(one, MSG_HEARTBEAT_RESPONSE, 2)
    assert one.read_states == []
    say(one, MSG_HEARTBEAT_RESPONSE, 2, context=heartbeats[0].context)
    assert [(state.index, state.context) for state in one.read_states] == [(1, b"a")]


def test_a_read_that_comes_during_a_round_is_answered_by_the_next() -> None:
    one = leader()
    one.read_index(b"a")
    first = take(one)[0].context
    one.read_index(b"b")
    second = say(one, MSG_HEARTBEAT_RESPONSE, 2, context=first)[0].context
    assert [state.context for state in one.read_states] == [b"a"]
    say(one, MSG_HEARTBEAT_RESPONSE, 3, context=first)
    assert [state.context for state in one.read_states] == [b"a"]
    say(one, MSG_HEARTBEAT_RESPONSE, 3, context=second)
    assert [state.context for state in one.read_states] == [b"a", b"b"]


def test_reads_wait_until_an_entry_of_the_leaders_term_is_committed() -> None:
    """Raft thesis §6.4 step 1: before, it may not know what an earlier leader has committed."""
    one = machine(1, term=1, commit=1)
    elect(one)
    one.read_index(b"a")
    assert take(one) == []
    heartbeats = [message for message in acknowledge(one, 2, 2) if message.kind == MSG_HEARTBEAT]
    say(one, MSG_HEARTBEAT_RESPONSE, 2, context=heartbeats[0].context)
    assert [state.index for state in one.read_states] == [2]


def test_a_followers_read_is_answered_to_the_follower() -> None:
    one = leader()
    context = say(one, MSG_READ_INDEX, 3, context=b"q")[0].context
    answers = say(one, MSG_HEARTBEAT_RESPONSE, 2, context=context)
    assert [(message.kind, message.target, message.context, message.index) for message in answers] == [
        (MSG_READ_INDEX_RESPONSE, THREE, b"q", 1)
    ]


def test_a_single_voter_answers_reads_at_once() -> None:
    one = leader(voters=(1,), ready_peers=())  # type: ignore[arg-type]  # a tuple among the ints
    one.read_index(b"a")
    assert [state.index for state in one.read_states] == [1]
    assert one.lone_read_index() == 1


def test_only_a_single_voter_that_has_committed_in_its_term_knows_the_read_index_without_a_round() -> None:
    one = machine(1, voters=(1,), term=1, commit=1)
    assert one.lone_read_index() == 0  # follower
    one.campaign()
    assert one.lone_read_index() == 0  # its term's first entry is not durable yet
    take(one)
    write(one)
    assert one.lone_read_index() == 2
    assert leader().lone_read_index() == 0  # others may have elected another one meanwhile
    assert leader(voters=(1,), learners=(2,), ready_peers=()).lone_read_index() == 1  # type: ignore[arg-type]


def test_a_transfer_sends_the_order_as_soon_as_the_target_has_the_log() -> None:
    one = leader()
    assert kinds(say(one, MSG_TRANSFER_LEADER, 2, index=LogIndex(2))) == [MSG_TIMEOUT_NOW]
    one = leader()
    propose(one, b"a")
    one.transfer_leadership(TWO)
    assert MSG_TIMEOUT_NOW not in kinds(take(one))
    assert MSG_TIMEOUT_NOW in kinds(acknowledge(one, 2, 2))


def test_leadership_goes_to_no_learner_stranger_or_itself() -> None:
    one = leader(learners=(4,))  # type: ignore[arg-type]  # a tuple among the ints
    for target in (1, 4, 9):
        one.transfer_leadership(MemberId(target))
        assert one.transfer_target == NO_MEMBER


def test_a_transfer_is_given_up_after_an_election_timeout() -> None:
    one = leader()
    one.transfer_leadership(TWO)
    for _ in range(10):
        one.tick()
    assert one.transfer_target == NO_MEMBER
    one.propose(b"x", None)
