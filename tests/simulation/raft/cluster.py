"""A cluster of real RawNodes on simulated disks and a simulated network, driven step by step from one seed."""

from random import Random

from etcdcore.errors import ConfChangeRefused, ProposalDropped
from etcdcore.raft.messages import (
    ENTRY_CONF_CHANGE,
    MSG_SNAPSHOT,
    ConfChangeV2,
    ConfState,
    Entry,
    Message,
    decode_conf_change,
)
from etcdcore.raft.raw_node import RawNode
from etcdcore.raft.replicator import RaftConfig
from etcdcore.types import LogIndex, MemberId, Term
from tests.simulation.raft.checkers import Checkers
from tests.simulation.raft.disk import Disk, Write
from tests.simulation.raft.network import Network

COMPACT_EVERY = 25
"""Applied entries between two compactions."""
KEEP = 6
"""Entries a compaction leaves, few, so that slow members need snapshots."""


class Member:
    """One member: its node while it runs, and its disk for ever."""

    def __init__(self, member_id: MemberId, disk: Disk) -> None:
        self.member_id = member_id
        self.disk = disk
        self.node: RawNode | None = None
        self.storage = disk.load()
        self.store = disk.checkpoint.copy()
        self.payloads: dict[LogIndex, tuple[Term, bytes]] = {}
        self.reads: dict[bytes, LogIndex] = {}
        self.snapshots_installed = 0


class Cluster:
    """Members 1 to n. `voters` of them form the first configuration; the others wait to be added."""

    def __init__(
        self,
        seed: int,
        member_count: int,
        voter_count: int | None = None,
        pre_vote: bool = True,
        check_quorum: bool = True,
        inflight_max: int = 4,
    ) -> None:
        self.seed = seed
        self.rng = Random(seed)
        self.now = 0
        self.network = Network(self.rng)
        self.checkers = Checkers()
        self.disk_delay_max = 0
        self.tick_probability = 1.0
        self.acknowledged: list[bytes] = []
        self.reads_answered = 0
        self.payloads_back = 0
        self._pre_vote = pre_vote
        self._check_quorum = check_quorum
        self._inflight_max = inflight_max
        self._value = 0
        self._reports: list[tuple[int, MemberId, MemberId, bool]] = []
        ids = tuple(MemberId(i) for i in range(1, member_count + 1))
        conf_state = ConfState(ids[: member_count if voter_count is None else voter_count])
        self.members: dict[MemberId, Member] = {}
        for member_id in ids:
            is_first = member_id in conf_state.voters
            self.members[member_id] = Member(member_id, Disk(conf_state if is_first else ConfState()))
            self.start(member_id)

    # --- life and death ---

    def start(self, member_id: MemberId) -> None:
        member = self.members[member_id]
        assert member.node is None
        member.storage = member.disk.load()
        member.store = member.disk.checkpoint.copy()
        config = RaftConfig(
            member_id,
            election_ticks=10,
            heartbeat_ticks=2,
            max_message_bytes=200,
            inflight_max=self._inflight_max,
            pre_vote=self._pre_vote,
            check_quorum=self._check_quorum,
            applied=member.store.applied,
        )
        member.node = RawNode(config, member.storage, Random(self.rng.random()))

    def crash(self, member_id: MemberId) -> None:
        """Only the disk survives, and of the writes on their way to it only some."""
        member = self.members[member_id]
        member.node = None
        member.disk.crash(self.rng)
        member.payloads.clear()
        member.reads.clear()
        self.checkers.member_crashed(member_id)

    def node(self, member_id: int) -> RawNode:
        node = self.members[MemberId(member_id)].node
        assert node is not None
        return node

    def running(self) -> list[MemberId]:
        return [member_id for member_id, member in self.members.items() if member.node is not None]

    # --- time ---

    def step(self, count: int = 1) -> None:
        """One unit of time: a tick, what arrives, what the disks have written, all of it worked off and checked."""
        for _ in range(count):
            self.now += 1
            order = self.running()
            self.rng.shuffle(order)
            for member_id in order:
                if self.rng.random() < self.tick_probability:
                    self.node(member_id).tick()
            for message in self.network.take(self.now):
                target = self.members.get(message.target)
                if target is not None and target.node is not None:
                    target.node.step(message)
                    if self.rng.random() < 0.5:
                        self._work_off(target)
            self._report_snapshots()
            for member_id in order:
                self._work_off(self.members[member_id])
            self.check()

    def run_until_leader(self, steps_max: int = 400) -> RawNode:
        """Runs until one member leads and has an entry of its own term committed. The latest one, if several do."""
        for _ in range(steps_max):
            leader = self.leader()
            if leader is not None and leader.status().commit >= 1 and self._has_committed_own_term(leader):
                return leader
            self.step()
        raise AssertionError(f"seed {self.seed}: no leader after {steps_max} steps")

    def leader(self) -> RawNode | None:
        """The leader of the latest term."""
        leaders = [self.node(member_id) for member_id in self.running() if self.node(member_id).is_leader]
        return max(leaders, key=lambda node: node.term) if leaders else None

    def check(self) -> None:
        """Every member's invariants, and the promises that can be seen from outside."""
        for member_id in self.running():
            node = self.node(member_id)
            node.check_invariants()
            self.members[member_id].storage.check_invariants()
            assert self.members[member_id].store.applied <= self.members[member_id].disk.last_index()
            if node.is_leader:
                self.checkers.leader_seen(member_id, node.term, node._machine.log)

    # --- clients ---

    def propose(self, member_id: int, value: bytes | None = None) -> bool:
        """A unique value to a member; True if it took it."""
        if value is None:
            self._value += 1
            value = b"v%d" % self._value
        node = self.node(member_id)
        try:
            index = node.propose(value, value)
        except ProposalDropped:
            return False
        self.members[MemberId(member_id)].payloads[index] = (node.term, value)
        return True

    def propose_conf_change(self, member_id: int, change: ConfChangeV2) -> bool:
        try:
            self.node(member_id).propose_conf_change(change)
        except ProposalDropped:
            return False
        return True

    def read(self, member_id: int) -> bytes:
        """Asks a member for a linearizable read; returns its context."""
        self._value += 1
        context = b"r%d" % self._value
        self.members[MemberId(member_id)].reads[context] = self.checkers.last_committed
        self.node(member_id).read_index(context)
        return context

    def settle(self, steps_max: int = 1500) -> None:
        """Heals everything and runs until all members of the configuration have applied one and the same log."""
        self.network.heal()
        self.disk_delay_max = 0
        self.tick_probability = 1.0
        for member_id, member in self.members.items():
            if member.node is None:
                self.start(member_id)
        prefix = b"settle%d" % self.now
        asked: set[Term] = set()
        for _ in range(steps_max):
            self.step()
            leader = self.leader()
            if leader is None:
                continue
            config = leader._machine.tracker.config
            if config.is_joint() and not config.auto_leave:
                self.propose_conf_change(leader.member_id, ConfChangeV2())
            # Once for each leader, as an earlier one may have lost it.
            if leader.term not in asked and self.propose(leader.member_id, prefix + b"t%d" % leader.term):
                asked.add(leader.term)
            if self._is_settled(leader, prefix):
                return
        raise AssertionError(f"seed {self.seed}: not settled after {steps_max} steps: {self._describe()}")

    # --- the member's loop ---

    def _work_off(self, member: Member) -> None:
        node = member.node
        assert node is not None
        for _ in range(100):
            while member.disk.pending and member.disk.pending[0].due <= self.now:
                self._complete_write(member, node)
            if not node.has_ready():
                break
            self._perform_ready(member, node)

    def _perform_ready(self, member: Member, node: RawNode) -> None:
        ready = node.ready()
        if ready.snapshot is not None:
            while member.disk.pending:
                self._complete_write(member, node)
            meta = ready.snapshot.meta
            member.store.restore(ready.snapshot)
            self.checkers.snapshot_installed(member.member_id, member.store.values, meta.index)
            member.disk.install(ready.snapshot, member.store)
            member.storage.apply_snapshot(ready.snapshot)
            node.persisted(meta.index, meta.term)
            node.applied(meta.index)
            member.snapshots_installed += 1
        member.storage.append(ready.entries)
        for entry in ready.entries:
            self.checkers.entry_written(entry, member.storage.term(LogIndex(entry.index - 1)))
        if ready.hard_state is not None:
            member.storage.set_hard_state(ready.hard_state)
        self._send(ready.messages_before_persist)
        assert ready.must_sync or not ready.entries
        delay = self.rng.randint(0, self.disk_delay_max)
        member.disk.pending.append(Write(self.now + delay, ready))
        for entry in ready.committed_entries:
            self._apply(member, node, entry)
        if ready.committed_entries:
            node.applied(ready.committed_entries[-1].index)
            self._maybe_compact(member)
        if node.take_snapshot_request():
            self._make_snapshot(member)
        for read_state in ready.read_states:
            floor = member.reads.pop(read_state.context, None)
            if floor is not None:
                self.reads_answered += 1
                self.checkers.read_answered(read_state.index, floor)

    def _complete_write(self, member: Member, node: RawNode) -> None:
        write = member.disk.complete()
        if write.entries:
            node.persisted(write.entries[-1].index, write.entries[-1].term)
        self._send(write.messages)

    def _apply(self, member: Member, node: RawNode, entry: Entry) -> None:
        store = member.store
        assert entry.index == store.applied + 1, f"applied {store.applied}, then {entry.index}"
        self.checkers.entry_applied(member.member_id, node.term, entry)
        if entry.kind == ENTRY_CONF_CHANGE:
            try:
                store.conf_state = node.apply_conf_change(decode_conf_change(entry.data))
            except ConfChangeRefused as error:
                raise AssertionError(f"a refused change was committed at {entry.index}") from error
        elif entry.data:
            store.values.append(entry.data)
        store.applied = entry.index
        store.term = entry.term
        proposed = member.payloads.pop(entry.index, None)
        if proposed is not None and proposed[0] == entry.term:
            # It is None if the entry was overwritten here, and came back from another leader's log.
            assert entry.payload is proposed[1] or entry.payload is None
            self.payloads_back += entry.payload is not None
            self.acknowledged.append(proposed[1])

    def _maybe_compact(self, member: Member) -> None:
        if member.store.applied - member.disk.checkpoint.applied < COMPACT_EVERY:
            return
        self._make_snapshot(member)
        index = LogIndex(member.store.applied - KEEP)
        member.storage.compact(index)
        member.disk.compact(index)

    def _make_snapshot(self, member: Member) -> None:
        if member.store.applied > 0:
            member.disk.save_checkpoint(member.store)
            snapshot = member.store.snapshot()
            member.storage.create_snapshot(snapshot.meta.index, snapshot.meta.conf_state, snapshot.data)

    def _send(self, messages: list[Message]) -> None:
        for message in messages:
            is_sent = self.network.send(self.now, message)
            if message.kind == MSG_SNAPSHOT:
                self._reports.append((self.now + 5, message.sender, message.target, is_sent))
            elif not is_sent and self.rng.random() < 0.1:
                self.node(message.sender).report_unreachable(message.target)

    def _report_snapshots(self) -> None:
        due = [report for report in self._reports if report[0] <= self.now]
        self._reports = [report for report in self._reports if report[0] > self.now]
        for _, sender, target, is_sent in due:
            node = self.members[sender].node
            if node is not None:
                node.report_snapshot(target, is_sent and self.members[target].node is not None)

    # --- questions ---

    def _has_committed_own_term(self, node: RawNode) -> bool:
        log = node._machine.log
        return log.term_or_zero(log.committed) == node.term

    def _is_settled(self, leader: RawNode, prefix: bytes) -> bool:
        config = leader._machine.tracker.config
        first = self.members[leader.member_id].store
        if config.is_joint() or not any(value.startswith(prefix) for value in first.values):
            return False
        for member_id in config.members():
            store = self.members[member_id].store
            if store.applied != leader.commit_index or store.values != first.values:
                return False
        return True

    def _describe(self) -> str:
        lines = []
        for member_id, member in self.members.items():
            node = member.node
            if node is None:
                lines.append(f"{member_id}: down")
            else:
                status = node.status()
                lines.append(
                    f"{member_id}: {status.role} term={status.term} leader={status.leader_id} commit={status.commit} "
                    f"applied={status.applied} last={status.last_index} {status.conf_state}"
                )
        return "; ".join(lines)
