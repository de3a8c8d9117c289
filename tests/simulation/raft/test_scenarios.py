"""Single scenarios over the simulated network: what each extension of Raft is there for."""

from etcdcore.raft.messages import (
    CHANGE_ADD_LEARNER,
    CHANGE_ADD_VOTER,
    CHANGE_REMOVE,
    TRANSITION_AUTO,
    TRANSITION_JOINT_EXPLICIT,
    ConfChange,
    ConfChangeV2,
)
from etcdcore.types import MemberId
from tests.simulation.raft.cluster import Cluster


def ids(*numbers: int) -> set[MemberId]:
    return {MemberId(number) for number in numbers}


def cut_off(cluster: Cluster, *numbers: int) -> None:
    cluster.network.isolate(ids(*numbers), set(cluster.members))


def test_a_member_that_returns_from_a_partition_does_not_disturb_the_leader() -> None:
    """Pre-vote, Raft thesis §9.6: its term did not grow while it was alone."""
    cluster = Cluster(1, 3)
    leader = cluster.run_until_leader()
    term = leader.term
    lonely = next(i for i in (1, 2, 3) if i != leader.member_id)
    cut_off(cluster, lonely)
    cluster.step(300)
    assert cluster.node(lonely).term == term
    cluster.network.heal()
    cluster.step(100)
    assert leader.is_leader
    assert leader.term == term
    assert cluster.node(lonely).leader_id == leader.member_id


def test_without_pre_vote_the_same_member_does_disturb() -> None:
    """Shows that the test above can fail."""
    cluster = Cluster(1, 3, pre_vote=False, check_quorum=False)
    leader = cluster.run_until_leader()
    term = leader.term
    lonely = next(i for i in (1, 2, 3) if i != leader.member_id)
    cut_off(cluster, lonely)
    cluster.step(300)
    cluster.network.heal()
    cluster.step(100)
    now = cluster.leader()
    assert now is not None
    assert now.term > term


def test_a_leader_without_a_quorum_steps_down_and_takes_no_more_proposals() -> None:
    """Check-quorum, Raft thesis §6.2."""
    cluster = Cluster(2, 5)
    leader = cluster.run_until_leader()
    cut_off(cluster, leader.member_id)
    cluster.step(30)
    assert not leader.is_leader
    assert not cluster.propose(leader.member_id)
    cluster.settle()
    cluster.checkers.check_all_kept()


def test_a_leader_with_only_a_learner_left_steps_down() -> None:
    """A learner is no part of a quorum."""
    cluster = Cluster(3, 4, voter_count=3)
    leader = cluster.run_until_leader()
    change = ConfChangeV2((ConfChange(CHANGE_ADD_LEARNER, MemberId(4)),))
    assert cluster.propose_conf_change(leader.member_id, change)
    cluster.settle()
    leader = cluster.run_until_leader()
    others = ids(1, 2, 3) - {leader.member_id}
    cluster.network.isolate(others, set(cluster.members))
    cluster.step(60)
    assert not leader.is_leader
    assert not cluster.node(4).is_leader


def test_a_deposed_leader_answers_no_read() -> None:
    """ReadIndex needs a quorum after the read came in: the old leader has none, although it still believes to lead."""
    cluster = Cluster(4, 3, check_quorum=False)
    old = cluster.run_until_leader()
    cut_off(cluster, old.member_id)
    cluster.step(100)
    new = cluster.leader()
    assert new is not None
    assert new is not old
    assert cluster.propose(new.member_id, b"unseen by the old leader")
    cluster.step(10)
    assert old.is_leader
    cluster.read(old.member_id)
    cluster.step(100)
    assert cluster.reads_answered == 0
    cluster.network.heal()
    cluster.read(new.member_id)
    cluster.step(20)
    assert cluster.reads_answered == 1
    cluster.checkers.check_all_kept()


def test_followers_serve_linearizable_reads() -> None:
    """They forward the question to the leader and get the index back."""
    cluster = Cluster(5, 3)
    leader = cluster.run_until_leader()
    for i in range(20):
        cluster.propose(leader.member_id)
        cluster.read(1 + i % 3)
        cluster.step()
    cluster.step(20)
    assert cluster.reads_answered == 20
    cluster.checkers.check_all_kept()


def test_leadership_moves_to_the_chosen_member_within_a_few_steps() -> None:
    """TimeoutNow, Raft thesis §3.10: no election timeout passes."""
    cluster = Cluster(6, 5)
    leader = cluster.run_until_leader()
    cluster.settle()
    target = MemberId(1 + leader.member_id % 5)
    term = leader.term
    leader.transfer_leadership(target)
    assert not cluster.propose(leader.member_id)
    cluster.step(8)
    assert cluster.node(target).is_leader
    assert cluster.node(target).term == term + 1
    assert not leader.is_leader


def test_a_follower_can_ask_for_the_transfer() -> None:
    """The request is forwarded to the leader."""
    cluster = Cluster(7, 3)
    leader = cluster.run_until_leader()
    cluster.settle()
    target = MemberId(1 + leader.member_id % 3)
    cluster.node(target).transfer_leadership(target)
    cluster.step(10)
    assert cluster.node(target).is_leader


def test_a_transfer_to_a_lost_member_ends_after_an_election_timeout() -> None:
    """Proposals are taken again then."""
    cluster = Cluster(8, 3)
    leader = cluster.run_until_leader()
    target = MemberId(1 + leader.member_id % 3)
    cluster.crash(target)
    leader.transfer_leadership(target)
    assert not cluster.propose(leader.member_id)
    cluster.step(12)
    assert leader.is_leader
    assert cluster.propose(leader.member_id)


def test_a_transfer_waits_until_the_target_has_the_whole_log() -> None:
    """Else the target would lose the election, and the cluster its leader for nothing."""
    cluster = Cluster(9, 3)
    leader = cluster.run_until_leader()
    target = MemberId(1 + leader.member_id % 3)
    for _ in range(5):
        cluster.propose(leader.member_id)
    leader.transfer_leadership(target)
    assert leader.status().progress[target].match < leader.last_index
    cluster.step(12)
    assert cluster.node(target).is_leader
    cluster.settle()
    assert len(cluster.acknowledged) >= 1
    cluster.checkers.check_all_kept()


def test_a_new_member_catches_up_as_a_learner_and_is_promoted() -> None:
    """It starts without a configuration, and gets it with a snapshot."""
    cluster = Cluster(10, 4, voter_count=3)
    leader = cluster.run_until_leader()
    for _ in range(10):
        cluster.propose(leader.member_id)
        cluster.step()
    assert cluster.propose_conf_change(leader.member_id, ConfChangeV2((ConfChange(CHANGE_ADD_LEARNER, MemberId(4)),)))
    cluster.settle()
    assert cluster.members[MemberId(4)].snapshots_installed == 1
    assert cluster.node(4).status().conf_state.voters == (1, 2, 3)
    leader = cluster.run_until_leader()
    assert leader.status().progress[MemberId(4)].is_learner
    assert cluster.propose_conf_change(leader.member_id, ConfChangeV2((ConfChange(CHANGE_ADD_VOTER, MemberId(4)),)))
    cluster.settle()
    assert cluster.node(4).status().conf_state.voters == (1, 2, 3, 4)


def test_a_leader_that_removes_itself_steps_aside_and_another_takes_over() -> None:
    """Raft thesis §4.2.2."""
    cluster = Cluster(11, 3)
    leader = cluster.run_until_leader()
    gone = leader.member_id
    assert cluster.propose_conf_change(gone, ConfChangeV2((ConfChange(CHANGE_REMOVE, gone),)))
    cluster.step(10)
    assert not leader.is_leader
    cluster.settle()
    now = cluster.leader()
    assert now is not None
    assert gone not in now.status().conf_state.voters
    assert len(now.status().conf_state.voters) == 2


def test_three_voters_are_exchanged_for_three_others_by_one_joint_change() -> None:
    """Joint consensus with auto-leave, Raft thesis §4.3."""
    cluster = Cluster(12, 6, voter_count=3)
    leader = cluster.run_until_leader()
    changes = [ConfChange(CHANGE_ADD_VOTER, MemberId(i)) for i in (4, 5, 6)]
    changes += [ConfChange(CHANGE_REMOVE, MemberId(i)) for i in (1, 2, 3)]
    assert cluster.propose_conf_change(leader.member_id, ConfChangeV2(tuple(changes), TRANSITION_AUTO))
    cluster.settle()
    now = cluster.leader()
    assert now is not None
    assert now.status().conf_state.voters == (4, 5, 6)
    assert now.status().conf_state.voters_outgoing == ()
    cluster.checkers.check_all_kept()


def test_in_a_joint_configuration_neither_half_decides_alone() -> None:
    """A majority of the incoming half commits nothing and elects nobody while the outgoing half is away."""
    cluster = Cluster(13, 6, voter_count=3)
    leader = cluster.run_until_leader()
    changes = [ConfChange(CHANGE_ADD_VOTER, MemberId(i)) for i in (4, 5, 6)]
    changes += [ConfChange(CHANGE_REMOVE, MemberId(i)) for i in (1, 2, 3) if i != leader.member_id]
    change = ConfChangeV2(tuple(changes), TRANSITION_JOINT_EXPLICIT)
    assert cluster.propose_conf_change(leader.member_id, change)
    cluster.step(60)
    assert all(cluster.node(i).status().conf_state.voters_outgoing == (1, 2, 3) for i in range(1, 7))
    incoming = ids(leader.member_id, 4, 5, 6)
    cluster.network.isolate(incoming, set(cluster.members))
    commit = leader.commit_index
    assert cluster.propose(leader.member_id)
    cluster.step(8)
    assert leader.commit_index == commit
    cluster.step(200)
    assert cluster.leader() is None
    cluster.settle()
    cluster.checkers.check_all_kept()


def test_a_member_that_fell_behind_the_log_catches_up_by_a_snapshot() -> None:
    """Raft paper §7."""
    cluster = Cluster(14, 3)
    leader = cluster.run_until_leader()
    slow = MemberId(1 + leader.member_id % 3)
    cluster.crash(slow)
    for _ in range(120):
        cluster.propose(leader.member_id)
        cluster.step()
    cluster.start(slow)
    cluster.step(40)
    assert cluster.members[slow].snapshots_installed >= 1
    assert cluster.members[slow].store.values == cluster.members[leader.member_id].store.values
    cluster.checkers.check_all_kept()


def test_a_cluster_of_one_elects_itself_and_commits_through_the_same_code() -> None:
    """No messages, one disk."""
    cluster = Cluster(15, 1)
    cluster.node(1).campaign()
    cluster.step()
    assert cluster.node(1).is_leader
    for _ in range(50):
        assert cluster.propose(1)
    cluster.read(1)
    cluster.step()
    assert len(cluster.acknowledged) == 50
    assert cluster.reads_answered == 1
    cluster.crash(MemberId(1))
    cluster.settle()
    assert set(cluster.acknowledged) <= set(cluster.members[MemberId(1)].store.values)


def test_the_whole_cluster_restarts_with_all_it_had_acknowledged() -> None:
    """Every member crashes at one moment, in the middle of its writes."""
    cluster = Cluster(16, 5)
    cluster.disk_delay_max = 5
    leader = cluster.run_until_leader()
    for _ in range(60):
        cluster.propose(leader.member_id)
        cluster.step()
    for member_id in list(cluster.members):
        cluster.crash(member_id)
    assert len(cluster.acknowledged) > 20
    cluster.settle()
    for member in cluster.members.values():
        assert set(cluster.acknowledged) <= set(member.store.values)


def test_pipelining_never_exceeds_the_window() -> None:
    """Flow control: a follower that answers nothing gets so many appends and no more."""
    cluster = Cluster(17, 2, inflight_max=4)
    leader = cluster.run_until_leader()
    cluster.settle()
    other = next(iter(ids(1, 2) - {leader.member_id}))
    cluster.network.cut.add((other, leader.member_id))
    for i in range(8):
        assert cluster.propose(leader.member_id, b"x" * 150 + b"%d" % i)
        cluster.step()
        assert leader.status().progress[other].inflight_count <= 4
    assert leader.status().progress[other].inflight_count == 4
    cluster.settle()
