"""The facade of the room: what the member's loop calls, and the Ready that it works off.

The loop, for each Ready, in this order:

1. `snapshot`: install it, durably, and start the storage anew behind it; then call `persisted` with its position, and
   `applied`, before anything else of this Ready and before the next one.
2. `entries`: append them to the storage in memory at once, before any other call; `hard_state` likewise.
3. Send `messages_before_persist` now, in parallel with the disk.
4. Write entries and hard state to the disk, with a sync if `must_sync`. Call `persisted(last entry's index and term)`
   once they are there. Writes may overlap with later Readys, if they end in order and each is reported, in order.
5. Send `messages_after_persist` once this and every earlier Ready is durable.
6. Apply `committed_entries`, then call `applied` with the last index. For a conf change call `apply_conf_change`, or
   nothing if the shell finds the change invalid, as all members then do. Read states may be served once their index is
   applied.

Invariants are those of `machine` and `log`; a Ready never repeats what an earlier one handed out.
"""

from random import Random
from typing import Final, final

from etcdcore.raft.machine import Machine
from etcdcore.raft.messages import ConfChangeV2, ConfState, Entry, HardState, Message, Snapshot
from etcdcore.raft.progress import STATE_NAMES
from etcdcore.raft.read_index import ReadState
from etcdcore.raft.replicator import ROLE_LEADER, ROLE_NAMES, RaftConfig
from etcdcore.raft.storage import Storage
from etcdcore.types import LogIndex, MemberId, Term


@final
class SoftState:
    """What is known of the leader, and this member's role (`replicator.ROLE_*`): never written to disk."""

    __slots__ = ("leader_id", "role")

    def __init__(self, leader_id: MemberId, role: int) -> None:
        self.leader_id: Final = leader_id
        self.role: Final = role

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SoftState) and self.leader_id == other.leader_id and self.role == other.role

    def __hash__(self) -> int:
        return hash((self.leader_id, self.role))

    def __repr__(self) -> str:
        return f"SoftState({self.leader_id:#x}, {ROLE_NAMES[self.role]})"


@final
class Ready:
    """What there is to do now; the module says in which order. None and empty lists: nothing."""

    __slots__ = (
        "committed_entries",
        "entries",
        "hard_state",
        "messages_after_persist",
        "messages_before_persist",
        "must_sync",
        "read_states",
        "snapshot",
        "soft_state",
    )

    def __init__(
        self,
        entries: list[Entry],
        hard_state: HardState | None,
        must_sync: bool,
        snapshot: Snapshot | None,
        messages_before_persist: list[Message],
        messages_after_persist: list[Message],
        committed_entries: list[Entry],
        read_states: list[ReadState],
        soft_state: SoftState | None,
    ) -> None:
        self.entries: Final = entries
        self.hard_state: Final = hard_state
        self.must_sync: Final = must_sync
        self.snapshot: Final = snapshot
        self.messages_before_persist: Final = messages_before_persist
        self.messages_after_persist: Final = messages_after_persist
        self.committed_entries: Final = committed_entries
        self.read_states: Final = read_states
        self.soft_state: Final = soft_state


@final
class ProgressStatus:
    """One member as its leader sees it, for `Status`."""

    __slots__ = ("inflight_count", "is_learner", "is_recently_active", "match", "next", "state")

    def __init__(
        self,
        match: LogIndex,
        next_index: LogIndex,
        state: str,
        is_learner: bool,
        is_recently_active: bool,
        inflight_count: int,
    ) -> None:
        self.match: Final = match
        self.next: Final = next_index
        self.state: Final = state
        self.is_learner: Final = is_learner
        self.is_recently_active: Final = is_recently_active
        self.inflight_count: Final = inflight_count


@final
class Status:
    """A copy of the state for people and metrics. `progress` is empty but on the leader."""

    __slots__ = (
        "applied",
        "commit",
        "conf_state",
        "last_index",
        "leader_id",
        "member_id",
        "progress",
        "role",
        "term",
        "transfer_target",
        "vote",
    )

    def __init__(self, machine: Machine) -> None:
        self.member_id: Final = machine.member_id
        self.leader_id: Final = machine.leader_id
        self.term: Final = machine.term
        self.vote: Final = machine.vote
        self.role: Final = ROLE_NAMES[machine.role]
        self.commit: Final = machine.log.committed
        self.applied: Final = machine.log.applied
        self.last_index: Final = machine.log.last_index()
        self.conf_state: Final = machine.tracker.config.conf_state()
        self.transfer_target: Final = machine.transfer_target
        progress: dict[MemberId, ProgressStatus] = {}
        if machine.role == ROLE_LEADER:
            for member_id, known in machine.tracker.progress.items():
                progress[member_id] = ProgressStatus(
                    known.match,
                    known.next,
                    STATE_NAMES[known.state],
                    known.is_learner,
                    known.is_recently_active or member_id == machine.member_id,
                    known.inflight_count(),
                )
        self.progress: Final = progress


@final
class RawNode:
    """One member's Raft, without clock, disk or network."""

    __slots__ = ("_hard_state", "_machine", "_soft_state")

    def __init__(self, config: RaftConfig, storage: Storage, rng: Random) -> None:
        machine = Machine(config, storage, rng)
        self._machine: Final = machine
        # The disk's own, but for a commit index that the applied one has overtaken; that one is written again.
        self._hard_state = storage.initial_state()[0]
        self._soft_state = SoftState(machine.leader_id, machine.role)

    # --- inputs ---

    def tick(self) -> None:
        """One tick of the shell's clock."""
        self._machine.tick()

    def step(self, message: Message) -> None:
        """Takes a peer's message, in any order, late, or more than once. One for somebody else is ignored."""
        if message.target == self._machine.member_id:
            self._machine.step(message)

    def propose(self, data: bytes, payload: object | None = None) -> LogIndex:
        """Appends a command, and returns its index: the command's own if the entry there has this term when committed.

        `payload` comes back with the entry on this member, but for the rare case that another leader has overwritten
        the entry here and a third has brought it back: then it is None. Raises ProposalDropped.
        """
        return self._machine.propose(data, payload)

    def propose_conf_change(self, change: ConfChangeV2) -> LogIndex:
        """Appends a membership change. Raises ProposalDropped, ConfChangeRefused if it is the change that can't be."""
        return self._machine.propose_conf_change(change)

    def apply_conf_change(self, change: ConfChangeV2) -> ConfState:
        """Puts a committed change into force; to be called before `applied` covers its entry."""
        return self._machine.apply_conf_change(change)

    def read_index(self, context: bytes) -> None:
        """Asks for a ReadState with this context. It never comes if a message is lost or the leader changes."""
        self._machine.read_index(context)

    def lone_read_index(self) -> LogIndex:
        """What `read_index` would answer, if this leader is a quorum by itself: then nobody has to be asked. Else 0."""
        return self._machine.lone_read_index()

    def transfer_leadership(self, target: MemberId) -> None:
        """Begins to hand leadership over; proposals are dropped for an election timeout at most."""
        self._machine.transfer_leadership(target)

    def campaign(self) -> None:
        """Stands for leader now, as if the election timer had run out."""
        self._machine.campaign()

    def report_unreachable(self, member_id: MemberId) -> None:
        """A message to the member was not delivered."""
        self._machine.report_unreachable(member_id)

    def report_snapshot(self, member_id: MemberId, ok: bool) -> None:
        """The snapshot to the member was delivered, or was not. Must follow every snapshot message."""
        self._machine.report_snapshot(member_id, ok)

    # --- outputs ---

    def has_ready(self) -> bool:
        """Is there anything to do?"""
        machine = self._machine
        log = machine.log
        return (
            machine.is_append_due
            or log.unstable.has_new()
            or len(machine.before_persist) > 0
            or len(machine.after_persist) > 0
            or log.has_next_committed()
            or len(machine.read_states) > 0
            or self._is_hard_state_new()
            or machine.role != self._soft_state.role
            or machine.leader_id != self._soft_state.leader_id
        )

    def ready(self) -> Ready:
        """Takes everything there is to do; the caller does all of it."""
        machine = self._machine
        log = machine.log
        machine.flush_appends()
        snapshot = log.unstable.take_snapshot()
        entries = log.unstable.take_entries()
        must_sync = len(entries) > 0 or snapshot is not None
        hard_state: HardState | None = None
        if self._is_hard_state_new():
            hard_state = machine.hard_state()
            if hard_state.term != self._hard_state.term or hard_state.vote != self._hard_state.vote:
                must_sync = True
            self._hard_state = hard_state
        soft_state: SoftState | None = None
        if machine.role != self._soft_state.role or machine.leader_id != self._soft_state.leader_id:
            soft_state = SoftState(machine.leader_id, machine.role)
            self._soft_state = soft_state
        before = machine.before_persist
        machine.before_persist = []
        after = machine.after_persist
        machine.after_persist = []
        read_states = machine.read_states
        machine.read_states = []
        return Ready(
            entries, hard_state, must_sync, snapshot, before, after, log.take_committed(), read_states, soft_state
        )

    def persisted(self, index: LogIndex, term: Term) -> None:
        """The write whose last entry (or snapshot) has this position is durable, as is every earlier one."""
        self._machine.persisted(index, term)

    def applied(self, index: LogIndex) -> None:
        """Everything up to the index is applied."""
        self._machine.applied(index)

    def take_snapshot_request(self) -> bool:
        """Does a member need a snapshot that the storage doesn't have? The shell makes one at the applied index then.

        Asked again, with the heartbeats, until the storage's snapshot serves.
        """
        is_wanted = self._machine.is_snapshot_wanted
        self._machine.is_snapshot_wanted = False
        return is_wanted

    # --- state ---

    @property
    def member_id(self) -> MemberId:
        return self._machine.member_id

    @property
    def leader_id(self) -> MemberId:
        return self._machine.leader_id

    @property
    def term(self) -> Term:
        return self._machine.term

    @property
    def role(self) -> int:
        return self._machine.role

    @property
    def is_leader(self) -> bool:
        return self._machine.role == ROLE_LEADER

    @property
    def commit_index(self) -> LogIndex:
        return self._machine.log.committed

    @property
    def applied_index(self) -> LogIndex:
        return self._machine.log.applied

    @property
    def last_index(self) -> LogIndex:
        return self._machine.log.last_index()

    def status(self) -> Status:
        """A copy of everything worth showing."""
        return Status(self._machine)

    def check_invariants(self) -> None:
        """Asserts what must hold after every call; dear, so for tests."""
        self._machine.check_invariants()

    def _is_hard_state_new(self) -> bool:
        machine = self._machine
        old = self._hard_state
        return machine.log.committed != old.commit or machine.term != old.term or machine.vote != old.vote
