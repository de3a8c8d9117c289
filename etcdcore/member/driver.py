"""The driver of one member: proposals in, Ready carried out in order, committed entries applied. No loop, no thread.

submit -> one flush a turn -> raft entry -> log port -> durable -> committed -> applied -> the proposal is answered

It acts through the ports of `ports` and is called by one owner, the member's loop or a simulator. All methods may raise
what a listener, the engine or an assertion raises; the owner then calls `fail`, once, and nothing else after it.

Invariants:
1. The steps of a Ready are done in the order that `raft.raw_node` documents.
2. Each proposal is answered exactly once: applied, or dropped (undecided only when the member stops or is deposed).
3. Applying never waits for a disk: the log is what is durable.
4. A message that speaks of what is written here is sent only when that is durable.
"""

from collections import deque
from typing import Final, final

from etcdcore.apply.commands import Command, decode_batch
from etcdcore.apply.results import AdminResult
from etcdcore.config import MemberConfig
from etcdcore.errors import (
    CoreError,
    LeaderChanged,
    NoLeader,
    NotLeader,
    ProposalDropped,
    ServerStopped,
    TooManyRequests,
)
from etcdcore.member.applied_state import AppliedState
from etcdcore.member.batches import Batch, InFlight, drop_proposals, pack_batches
from etcdcore.member.life import Life
from etcdcore.member.log_growth import LogGrowth
from etcdcore.member.ports import Clock, Host, LogPort, PeersPort
from etcdcore.member.proposals import Proposal, RevisionListener
from etcdcore.member.reads import ReadBarriers
from etcdcore.member.write_state import WriteState
from etcdcore.raft.messages import (
    CHANGE_UPDATE,
    ENTRY_CONF_CHANGE,
    NO_INDEX,
    NO_MEMBER,
    ConfChange,
    ConfChangeV2,
    Entry,
    Message,
    SnapshotMeta,
    decode_conf_change,
)
from etcdcore.raft.raw_node import RawNode, Ready, SoftState
from etcdcore.raft.replicator import ROLE_LEADER
from etcdcore.raft.storage import MemoryStorage
from etcdcore.types import LogIndex, MemberId, Term

GATHERING_TURNS_MAX: Final = 16
"""Turns of the loop for which a log entry waits at most while each brings more commands; a turn is a fraction of the
time that a sync takes, and no timer is involved."""
GROUP_COMMANDS_MANY: Final = 128
"""So many commands go to the log as soon as it is free, and the disk works while what it has just synced is applied.
Fewer wait for that: those who are answered send more, and the log's thread, which gets the interpreter only between the
steps of the loop, costs more than it saves if it is woken for a few."""
APPLY_SLICE_S: Final = 0.02
"""After so long the apply loop lets others have the loop; an entry is never cut in two."""


@final
class _Unpersisted:
    """A Ready on its way to the disk: what to tell raft, and whom to tell, once it is there."""

    __slots__ = ("index", "messages", "term", "token")

    def __init__(self, token: int, index: LogIndex, term: Term, messages: list[Message]) -> None:
        self.token: Final = token
        self.index: Final = index
        self.term: Final = term
        self.messages: Final = messages


@final
class Driver:
    """`raft` reads from `log`, the log in memory; `state` is what entries are applied to."""

    def __init__(
        self,
        config: MemberConfig,
        raft: RawNode,
        log: MemoryStorage,
        state: AppliedState,
        life: Life,
        disk: LogPort,
        peers: PeersPort,
        clock: Clock,
        host: Host,
    ) -> None:
        self._config: Final = config
        self.raft: Final = raft
        self._log: Final = log
        self.state: Final = state
        self._life: Final = life
        self._disk: Final = disk
        self._peers: Final = peers
        self._clock: Final = clock
        self._host: Final = host
        self.listeners: Final[list[RevisionListener]] = []
        self.write_state: Final = WriteState(self.listeners, host)
        self.conf_state = log.initial_state()[1]
        """Raft's configuration as applied here."""
        self.growth: Final = LogGrowth()
        self._leader_seen = NO_MEMBER
        # Waiting for the next flush.
        self._commands: list[Command] = []
        self._proposals: list[Proposal | None] = []
        self._reads: Final = ReadBarriers(state.counts)
        self._is_flush_due = False
        self._gathered_count = 0
        self._gathering_turns = 0
        self._flushed_count = 0
        """Commands of the last flush: as many clients at least seem to be at it."""
        self._waiting_since_s = 0.0
        """When the first of them came."""
        # In flight, in order.
        self.in_flight: Final = InFlight()
        self._unpersisted: Final[deque[_Unpersisted]] = deque()
        self._syncing_count = 0
        """Counts the unpersisted Readys that carry entries; the next flush waits for them."""
        self._token = 0
        self._to_apply: Final[deque[Entry]] = deque()
        self._is_apply_due = False
        self._changes: Final[dict[LogIndex, Proposal]] = {}
        """Who waits for the membership change of which entry."""

    # --- requests ---

    def submit(self, command: Command, proposal: Proposal | None) -> None:
        """Commands of one turn are decided in the order in which they come here."""
        refusal = self.write_state.refusal
        if refusal is not None:
            if proposal is not None:
                proposal.dropped(refusal, True)
            return
        self._flush_soon()
        if not self._commands:
            self._waiting_since_s = self._clock.now_s()
        self._commands.append(command)
        self._proposals.append(proposal)

    def overdue(self, age_s: float) -> list[Proposal | None]:
        """Those who have waited longer than that for what they proposed: the disk has stalled. They are answered when
        it goes on, as everybody is; until then this tells them again."""
        before_s = self._clock.now_s() - age_s
        waiting = self.in_flight.proposed_before(before_s)
        if self._commands and self._waiting_since_s < before_s:
            waiting.extend(self._proposals)
        return waiting

    @property
    def is_idle(self) -> bool:
        """Whether nobody waits for a command."""
        return not self._commands and not self.in_flight.count

    def read_index(self, proposal: Proposal) -> None:
        """A linearizable barrier: the proposal is applied with the revision, once all that is committed now is."""
        if not self._life.takes_requests:
            proposal.dropped(ServerStopped(), True)
            return
        self._flush_soon()
        self._reads.asked.append(proposal)

    def is_current(self) -> bool:
        """Whether a linearizable read may be served at once: the read index is known here, and applied.

        So it is on the only voter, but for the moments when what it has committed is not applied yet. Otherwise
        `read_index` finds out when it is.
        """
        index = self.raft.lone_read_index()
        return NO_INDEX < index <= self.state.applied_index and self._life.takes_requests

    def propose_conf_change(self, change: ConfChangeV2, proposal: Proposal) -> None:
        """A membership change, answered when it is applied; its context is a `MemberChange`.

        Raises ProposalDropped, ConfChangeRefused: then the proposal hears nothing.
        """
        if self.write_state.refusal is not None:
            raise ProposalDropped(self.write_state.refusal.text)
        self._changes[self.raft.propose_conf_change(change)] = proposal
        self._apply_soon()

    def transfer_leadership(self, target: MemberId) -> None:
        """Begins to; it is given up after an election timeout."""
        self.raft.transfer_leadership(target)
        self._apply_soon()

    # --- what happens ---

    def start(self) -> None:
        """The only voter need not wait for a leader that might still be there."""
        if self._log.initial_state()[1].voters == (self.raft.member_id,):
            self.raft.campaign()
        self.process_ready()

    def tick(self) -> None:
        """One tick of raft's clock."""
        self.raft.tick()
        self.state.tokens.advance(self.now_ms())

    def step(self, message: Message) -> None:
        """A peer's message, in any order, late, or more than once."""
        self.raft.step(message)
        self._apply_soon()

    def peer_unreachable(self, member_id: MemberId) -> None:
        """A message to the member was not delivered."""
        self.raft.report_unreachable(member_id)

    def snapshot_sent(self, member_id: MemberId, is_delivered: bool) -> None:
        """What became of a snapshot message."""
        self.raft.report_snapshot(member_id, is_delivered)

    def flush_turn(self) -> None:
        """The turn that `Host.want_flush` asked for."""
        self._is_flush_due = False
        # While a group is being synced the log's thread would not take another one; what comes meanwhile becomes
        # one entry and one write when that one is done (see durable), instead of one for each turn of the loop.
        if self._reads.asked or not (self._syncing_count or self._gathers()):
            self._flush()
            self.process_ready()

    def apply_turn(self) -> None:
        """The turn that `Host.want_apply` asked for."""
        self._is_apply_due = False
        self.process_ready()

    def durable(self, token: int) -> None:
        """Everything up to this token is on the disk."""
        unpersisted = self._unpersisted
        while unpersisted and unpersisted[0].token <= token:
            done = unpersisted.popleft()
            if done.index:
                self._syncing_count -= 1
                self.raft.persisted(done.index, done.term)
            if done.messages:
                self._peers.send(done.messages)
        if not self._syncing_count and len(self._commands) >= GROUP_COMMANDS_MANY:
            self._flush()
        self.process_ready()
        if not self._syncing_count and self._commands:
            self._flush_soon()

    def set_log_full(self, is_full: bool) -> None:
        """The log found no room, or has room again."""
        self.write_state.set_log_full(is_full)
        if is_full:
            self._host.progressed()

    def commit(self) -> None:
        """Ends the engine's open batch."""
        self.write_state.set_engine_full(not self.state.commit())
        self._host.committed()

    def checkpointed(self, meta: SnapshotMeta) -> None:
        """The engine is on the disk up to there: the log is cut below."""
        self._token += 1
        self._disk.append_snapshot(meta, False, self._token)
        self._disk.release_before(LogIndex(meta.index + 1))

    def work_resumed(self) -> None:
        """Applying was paused, and goes on."""
        self._apply_soon()

    def fail(self, error: BaseException) -> None:
        """What is in flight is dropped, and the listeners are told. The life has moved before."""
        self.write_state.stop(ServerStopped())
        self.drop_all(ServerStopped())
        for listener in list(self.listeners):  # some leave when they hear of it
            listener.member_failed(error)
        self._host.progressed()

    def drop_all(self, error: CoreError) -> None:
        """Whatever waits, in order: in flight (fate unknown), not yet proposed (surely without effect), reads."""
        self._to_apply.clear()
        self.in_flight.drop(error)
        self._drop_changes(error)
        proposals, self._proposals, self._commands = self._proposals, [], []
        drop_proposals(proposals, error, True)
        self._reads.drop_all(error)

    def _drop_changes(self, error: CoreError) -> None:
        changes = list(self._changes.values())
        self._changes.clear()
        drop_proposals(changes, error, False)

    # --- proposing ---

    def now_ms(self) -> int:
        return int(self._clock.now_s() * 1000)

    def _gathers(self) -> bool:
        """Whether to look at the sockets once more before the log gets its next entry: fewer commands are here than
        last time, and more come with every turn. Else the first of many clients who were answered together would have
        a sync of their own, for which all others wait."""
        count = len(self._commands)
        if count >= self._flushed_count or count == self._gathered_count:
            return False
        if self._gathering_turns >= GATHERING_TURNS_MAX:
            return False
        self._gathered_count = count
        self._gathering_turns += 1
        self._flush_soon()
        return True

    def _flush_soon(self) -> None:
        if not self._is_flush_due:
            self._is_flush_due = True
            self._host.want_flush()

    def _apply_soon(self) -> None:
        if not self._is_apply_due:
            self._is_apply_due = True
            self._host.want_apply()

    def _flush(self) -> None:
        self._gathered_count = self._gathering_turns = 0
        if self._reads.asked:
            self._reads.propose(self.raft)
        if not self._commands:
            return
        commands, proposals = self._commands, self._proposals
        self._commands, self._proposals = [], []
        self._flushed_count = len(commands)
        if self.in_flight.count + len(commands) > self._config.pending_commands_max:
            self.state.counts.proposals_failed += len(commands)
            drop_proposals(proposals, TooManyRequests(), True)
            return
        config = self._config
        now_s = self._clock.now_s()
        for batch in pack_batches(commands, proposals, config.entry_bytes_max, config.entry_commands_max):
            try:
                self.raft.propose(batch.data, batch)
            except ProposalDropped:
                self.state.counts.proposals_failed += len(batch.commands)
                drop_proposals(batch.proposals, NotLeader(), True)
                continue
            self.in_flight.add(batch, now_s)

    # --- Ready ---

    def process_ready(self) -> None:
        """Carries out what raft has ready, and applies what is committed, for one slice of time."""
        raft = self.raft
        while True:
            while raft.has_ready():
                self._perform(raft.ready())
            if not self._to_apply or not self._apply():
                return

    def _perform(self, ready: Ready) -> None:
        assert ready.snapshot is None, "no peer sends snapshots yet"
        if ready.soft_state is not None:
            self._change_role(ready.soft_state)
        entries = ready.entries
        hard_state = ready.hard_state
        if hard_state is not None:
            self._log.set_hard_state(hard_state)
        if ready.messages_before_persist:
            self._peers.send(ready.messages_before_persist)
        if entries or hard_state is not None:
            self._token += 1
            index, term = LogIndex(0), Term(0)
            if entries:
                self._log.append(entries)
                index, term = entries[-1].index, entries[-1].term
                self._syncing_count += 1
            self._unpersisted.append(_Unpersisted(self._token, index, term, ready.messages_after_persist))
            self._disk.append(entries, hard_state, ready.must_sync, self._token)
            self.growth.note(entries)
        elif ready.messages_after_persist:
            if self._unpersisted:
                self._unpersisted[-1].messages.extend(ready.messages_after_persist)
            else:
                self._peers.send(ready.messages_after_persist)
        if ready.read_states:
            self._reads.take_states(ready.read_states)
        self._to_apply.extend(ready.committed_entries)
        if self._reads.is_waiting:
            self._reads.answer(self.state.applied_index, self.state.store.current_revision)

    def _change_role(self, soft_state: SoftState) -> None:
        if soft_state.leader_id not in (NO_MEMBER, self._leader_seen):
            self._leader_seen = soft_state.leader_id
            self.state.counts.leader_changes += 1
        if soft_state.role == ROLE_LEADER:
            # Writable once the first entry of the new term is applied, and with it all that came before.
            self.state.lessor.promote(self.now_ms(), self._config.tick_ms * self._config.election_ticks)
            return
        if self.state.lessor.is_primary:
            self.state.lessor.demote()
            self.state.counts.proposals_failed += self.in_flight.count
            self.in_flight.drop(LeaderChanged())
            self._drop_changes(LeaderChanged())
        self._reads.drop_rounds(LeaderChanged())
        self.write_state.set_leading(NoLeader() if soft_state.leader_id == NO_MEMBER else NotLeader())

    # --- applying ---

    def _apply(self) -> bool:
        """Applies what is committed, for one slice of time. False when the rest has to wait for the next one."""
        to_apply = self._to_apply
        if self.state.is_paused:
            return False
        clock = self._clock
        started_s = clock.now_s()
        deadline_s = started_s + APPLY_SLICE_S
        raft = self.raft
        counts = self.state.counts
        while to_apply:
            entry = to_apply.popleft()
            self._apply_entry(entry)
            now_s = clock.now_s()
            if counts.observe_apply(now_s - started_s):
                self._host.apply_was_slow(entry.index, now_s - started_s)
            started_s = now_s
            if not self._life.does_work:
                return False
            raft.applied(entry.index)
            if self._reads.is_waiting:
                self._reads.answer(self.state.applied_index, self.state.store.current_revision)
            if to_apply and now_s >= deadline_s:
                self._apply_soon()
                break
        for listener in list(self.listeners):  # some leave when what they send cannot be sent
            listener.batch_applied()
        self._host.progressed()
        return not to_apply

    def _apply_entry(self, entry: Entry) -> None:
        state = self.state
        payload = entry.payload
        if isinstance(payload, Batch):
            # Proposed here. The log may keep the entry for long, but nobody needs the decoded form again.
            entry.payload = None
            state.apply_batch(payload, self.listeners)
            self.in_flight.remove(payload)
        elif entry.kind == ENTRY_CONF_CHANGE:
            self._apply_conf_change(entry)
        elif entry.data:
            state.apply_batch(Batch(decode_batch(entry.data), [], b""), self.listeners)
        state.applied_index = entry.index
        alarms = state.applier.admin.alarms
        if alarms.is_active or self.write_state.is_alarmed:
            self.write_state.set_alarm(alarms.refusal(True))
        if state.uncommitted_count >= self._config.commit_operations and not state.is_full:
            self.commit()
        if self.raft.is_leader and entry.term == self.raft.term and not self.write_state.is_leading:
            self.write_state.set_leading(None)

    def _apply_conf_change(self, entry: Entry) -> None:
        """What does not fit the table of members any more is a change of nobody, on all members alike."""
        change = decode_conf_change(entry.data)
        error = self.state.apply_change(change)
        if error is not None:
            change = ConfChangeV2((ConfChange(CHANGE_UPDATE, NO_MEMBER),))
        self.conf_state = self.raft.apply_conf_change(change)
        self.state.set_conf_state(self.conf_state)
        self._host.membership_changed()
        proposal = self._changes.pop(entry.index, None)
        if proposal is not None:
            proposal.applied(AdminResult(self.state.store.current_revision) if error is None else error)

