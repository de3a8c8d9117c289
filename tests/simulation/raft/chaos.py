"""Clients and faults drawn from one seed: the scenario that the paper's promises are tested under."""

from random import Random

from etcdcore.errors import ProposalDropped
from etcdcore.raft.messages import (
    CHANGE_ADD_LEARNER,
    CHANGE_ADD_VOTER,
    CHANGE_REMOVE,
    TRANSITION_AUTO,
    TRANSITION_JOINT_EXPLICIT,
    TRANSITION_JOINT_IMPLICIT,
    ConfChange,
    ConfChangeV2,
)
from etcdcore.types import MemberId
from tests.simulation.raft.cluster import Cluster


class Chaos:
    """Runs a cluster under faults, then lets it settle and checks that nothing acknowledged is lost."""

    def __init__(self, cluster: Cluster, with_conf_changes: bool = False) -> None:
        self.cluster = cluster
        # A generator of its own, so that a change to the cluster's draws keeps the plan of faults.
        self.rng = Random(cluster.seed * 7919 + 1)
        self.with_conf_changes = with_conf_changes
        self.crash_count = 0
        self.conf_change_count = 0
        self.joint_count = 0

    def run(self, steps: int) -> None:
        for _ in range(steps):
            self._inject_fault()
            self._act_as_client()
            self.cluster.step()
        self.cluster.settle()
        self.check_nothing_lost()

    def check_nothing_lost(self) -> None:
        leader = self.cluster.leader()
        assert leader is not None
        values = self.cluster.members[leader.member_id].store.values
        assert len(values) == len(set(values)), "a value was applied twice"
        lost = set(self.cluster.acknowledged) - set(values)
        assert not lost, f"acknowledged and lost: {sorted(lost)[:5]}"

    def _inject_fault(self) -> None:
        cluster, network = self.cluster, self.cluster.network
        draw = self.rng.random()
        members = set(cluster.members)
        if draw < 0.004:
            running = cluster.running()
            if running:
                cluster.crash(self.rng.choice(running))
                self.crash_count += 1
        elif draw < 0.012:
            down = [member_id for member_id, member in cluster.members.items() if member.node is None]
            if down:
                cluster.start(self.rng.choice(down))
        elif draw < 0.016:
            group = set(self.rng.sample(sorted(members), self.rng.randint(1, len(members) - 1)))
            network.isolate(group, members)
        elif draw < 0.018:
            one, other = self.rng.sample(sorted(members), 2)
            network.cut.add((one, other))
        elif draw < 0.020 and cluster.leader() is not None:
            leader = cluster.leader()
            assert leader is not None
            network.isolate({leader.member_id}, members)
        elif draw < 0.030:
            network.heal()
        elif draw < 0.036:
            network.loss = self.rng.choice((0.0, 0.05, 0.3))
            network.duplication = self.rng.choice((0.0, 0.1))
            network.delay_max = self.rng.choice((1, 3, 10))
            cluster.disk_delay_max = self.rng.choice((0, 3, 10))
            cluster.tick_probability = self.rng.choice((1.0, 0.8))

    def _act_as_client(self) -> None:
        cluster = self.cluster
        running = cluster.running()
        if not running:
            return
        member_id = self.rng.choice(running)
        draw = self.rng.random()
        if draw < 0.4:
            for _ in range(self.rng.choice((1, 1, 5))):
                cluster.propose(member_id)
        elif draw < 0.5:
            cluster.read(member_id)
        elif draw < 0.505:
            try:
                cluster.node(member_id).transfer_leadership(self.rng.choice(sorted(cluster.members)))
            except ProposalDropped:
                return
        elif draw < 0.51:
            cluster.node(member_id).campaign()
        elif draw < 0.56 and self.with_conf_changes:
            self._change_membership(member_id)

    def _change_membership(self, member_id: MemberId) -> None:
        config = self.cluster.node(member_id)._machine.tracker.config
        if config.is_joint():
            change = ConfChangeV2()
        else:
            kinds = (CHANGE_ADD_VOTER, CHANGE_ADD_VOTER, CHANGE_ADD_LEARNER, CHANGE_REMOVE)
            changes = tuple(
                ConfChange(self.rng.choice(kinds), one)
                for one in self.rng.sample(sorted(self.cluster.members), self.rng.choice((1, 1, 2, 3)))
            )
            transition = self.rng.choice((TRANSITION_AUTO, TRANSITION_JOINT_IMPLICIT, TRANSITION_JOINT_EXPLICIT))
            change = ConfChangeV2(changes, transition)
            removed = {one.member_id for one in changes if one.kind != CHANGE_ADD_VOTER}
            if len((set(config.voters) | {one.member_id for one in changes}) - removed) < 2:
                return
        if self.cluster.propose_conf_change(member_id, change):
            self.conf_change_count += 1
            if change.transition != TRANSITION_AUTO or len(change.changes) > 1:
                self.joint_count += 1
