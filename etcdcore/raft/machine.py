"""Terms, votes and roles: who may lead, and what a member does with each message. Raft paper §5, thesis §9.6.

    follower -> pre-candidate    the election timer ran out (no term is changed yet)
    pre-candidate -> candidate   a quorum would vote for it; without pre-vote straight from follower
    candidate -> leader          a quorum voted for it
    any -> follower              a higher term, a leader of the same term, a lost vote; a leader also without its quorum

Invariants:
1. The term never goes back, and a member votes once in a term.
2. A vote is granted only to a log that has all that this one may have promised (leader completeness).
3. While a leader is heard of, others' campaigns are ignored, unless that leader itself has asked for one.
"""

from random import Random
from typing import Final, final

from etcdcore.errors import ProposalDropped
from etcdcore.raft.log import NO_MATCH
from etcdcore.raft.membership import apply_change, configuration_from
from etcdcore.raft.messages import (
    ENTRY_NORMAL,
    MSG_APPEND,
    MSG_APPEND_RESPONSE,
    MSG_HEARTBEAT,
    MSG_HEARTBEAT_RESPONSE,
    MSG_PRE_VOTE,
    MSG_PRE_VOTE_RESPONSE,
    MSG_READ_INDEX,
    MSG_READ_INDEX_RESPONSE,
    MSG_SNAPSHOT,
    MSG_TIMEOUT_NOW,
    MSG_TRANSFER_LEADER,
    MSG_VOTE,
    MSG_VOTE_RESPONSE,
    NO_INDEX,
    NO_MEMBER,
    ConfChangeV2,
    ConfState,
    HardState,
    Message,
)
from etcdcore.raft.quorum import VOTE_LOST, VOTE_WON
from etcdcore.raft.read_index import ReadRequest, ReadState
from etcdcore.raft.replicator import (
    ROLE_CANDIDATE,
    ROLE_FOLLOWER,
    ROLE_LEADER,
    ROLE_PRE_CANDIDATE,
    RaftConfig,
    Replicator,
)
from etcdcore.raft.storage import Storage
from etcdcore.types import LogIndex, MemberId, Term

CAMPAIGN_PRE_ELECTION: Final = 0
CAMPAIGN_ELECTION: Final = 1
CAMPAIGN_TRANSFER: Final = 2


@final
class Machine(Replicator):
    """One member's Raft. Inputs: tick, step and the calls of the shell; outputs gather until the next Ready."""

    __slots__ = ("_election_timeout",)

    def __init__(self, config: RaftConfig, storage: Storage, rng: Random) -> None:
        super().__init__(config, storage, rng)
        self._election_timeout = config.election_ticks
        self._become_follower(self.term, NO_MEMBER)

    def hard_state(self) -> HardState:
        return HardState(self.term, self.vote, self.log.committed)

    # --- time ---

    def tick(self) -> None:
        self.election_elapsed += 1
        if self.role == ROLE_LEADER:
            self._tick_leader()
        elif self.election_elapsed >= self._election_timeout and self._is_promotable():
            self.election_elapsed = 0
            self.campaign()

    def _tick_leader(self) -> None:
        self.heartbeat_elapsed += 1
        if self.election_elapsed >= self.config.election_ticks:
            self.election_elapsed = 0
            if self.config.check_quorum:
                if not self.tracker.is_quorum_active():
                    self._become_follower(self.term, NO_MEMBER)
                    return
                self.tracker.forget_activity()
            # A transfer that took this long has failed.
            self.transfer_target = NO_MEMBER
            self._maybe_step_aside()
        if self.heartbeat_elapsed >= self.config.heartbeat_ticks:
            self.heartbeat_elapsed = 0
            self.broadcast_heartbeat()
            self.maybe_leave_joint()

    # --- campaigns ---

    def campaign(self) -> None:
        """Stands for leader, if this member may."""
        if self._can_campaign():
            self._campaign(CAMPAIGN_PRE_ELECTION if self.config.pre_vote else CAMPAIGN_ELECTION)

    def _is_promotable(self) -> bool:
        return self.tracker.config.is_voter(self.member_id) and self.log.unstable.snapshot is None

    def _can_campaign(self) -> bool:
        # A committed change that is not applied may make another quorum than the one this member would count.
        return self.role != ROLE_LEADER and self._is_promotable() and not self.log.has_unapplied_conf_change()

    def _campaign(self, campaign: int) -> None:
        if campaign == CAMPAIGN_PRE_ELECTION:
            self._become_pre_candidate()
            kind = MSG_PRE_VOTE
            # As if the election had begun, but this member's own term stays (I1 of the others).
            term = Term(self.term + 1)
        else:
            self._become_candidate()
            kind = MSG_VOTE
            term = self.term
        self.tracker.record_vote(self.member_id, True)
        if self.tracker.vote_result() == VOTE_WON:
            self._on_vote_won(campaign)
            return
        for voter in self.tracker.config.all_voters():
            if voter != self.member_id:
                message = Message(
                    kind,
                    voter,
                    self.member_id,
                    term,
                    self.log.last_index(),
                    self.log.last_term(),
                    force=campaign == CAMPAIGN_TRANSFER,
                )
                # The own vote counts as soon as another's comes, so it must be durable before one can.
                if kind == MSG_VOTE:
                    self.after_persist.append(message)
                else:
                    self.before_persist.append(message)

    def _on_vote_won(self, campaign: int) -> None:
        if campaign == CAMPAIGN_PRE_ELECTION:
            self._campaign(CAMPAIGN_ELECTION)
        else:
            self._become_leader()

    # --- roles ---

    def _reset(self, term: Term) -> None:
        assert term >= self.term, f"term goes back from {self.term} to {term}"  # I1
        if term != self.term:
            self.term = term
            self.vote = NO_MEMBER
        self.leader_id = NO_MEMBER
        self._reset_timer()
        self.heartbeat_elapsed = 0
        self.transfer_target = NO_MEMBER
        self.pending_conf_index = NO_INDEX
        self.is_append_due = False
        self.tracker.reset(self.log.last_index())
        self.reads.reset()

    def _reset_timer(self) -> None:
        ticks = self.config.election_ticks
        self.election_elapsed = 0
        self._election_timeout = ticks + self.rng.randrange(ticks)

    def _become_follower(self, term: Term, leader_id: MemberId) -> None:
        self._reset(term)
        self.role = ROLE_FOLLOWER
        self.leader_id = leader_id

    def _become_pre_candidate(self) -> None:
        assert self.role != ROLE_LEADER
        self._reset_timer()
        self.tracker.votes.clear()
        self.role = ROLE_PRE_CANDIDATE
        self.leader_id = NO_MEMBER

    def _become_candidate(self) -> None:
        assert self.role != ROLE_LEADER
        self._reset(Term(self.term + 1))
        self.role = ROLE_CANDIDATE
        self.vote = self.member_id

    def _become_leader(self) -> None:
        assert self.role == ROLE_CANDIDATE
        self._reset(self.term)
        self.role = ROLE_LEADER
        self.leader_id = self.member_id
        # Any entry up to here may be a membership change that is not applied.
        self.pending_conf_index = self.log.last_index()
        progress = self.tracker.progress[self.member_id]
        progress.match = self.log.stable_index()
        progress.become_replicate()
        # Only an entry of its own term lets a leader commit what came before.
        self.term_start = self._append(ENTRY_NORMAL, b"", None)

    # --- messages ---

    def step(self, message: Message) -> None:
        """Takes a message of a peer. Messages of earlier terms, late and repeated ones do no harm."""
        if message.reject and message.commit > self.log.committed:
            self._learn_commit(message)
        if message.term > self.term:
            if not self._accept_higher_term(message):
                return
        elif message.term < self.term:
            self._answer_lower_term(message)
            return
        kind = message.kind
        if kind in (MSG_VOTE, MSG_PRE_VOTE):
            self._on_vote_request(message)
        elif self.role == ROLE_LEADER:
            self._step_leader(message)
        elif kind in (MSG_APPEND, MSG_HEARTBEAT, MSG_SNAPSHOT):
            self._step_from_leader(message)
        elif kind in (MSG_VOTE_RESPONSE, MSG_PRE_VOTE_RESPONSE):
            self._on_vote_response(message)
        elif kind == MSG_TIMEOUT_NOW:
            if self.role == ROLE_FOLLOWER and self._can_campaign():
                self._campaign(CAMPAIGN_TRANSFER)
        elif kind == MSG_READ_INDEX_RESPONSE and self.role == ROLE_FOLLOWER:
            self.read_states.append(ReadState(message.index, message.context))

    def _learn_commit(self, message: Message) -> None:
        """A refused vote tells what the voter knows to be committed. If this log has that entry, it is committed here.

        Without this, voters that have not heard that a member's removal is committed would need its vote, which it
        can't give if it led and its log is longer than theirs. Only a follower's or candidate's commit moves this way.
        """
        if (
            message.kind in (MSG_VOTE_RESPONSE, MSG_PRE_VOTE_RESPONSE)
            and self.role != ROLE_LEADER
            and self.log.is_match(message.commit, message.log_term)
        ):
            self.log.commit_to(message.commit)
            if self.role != ROLE_FOLLOWER and self.log.has_unapplied_conf_change():
                # The quorum it campaigns for may be the wrong one now, and it may be no voter any more.
                self._become_follower(self.term, NO_MEMBER)

    def _refuse_vote(self, kind: int, candidate: MemberId) -> Message:
        committed = self.log.committed
        return Message(
            kind,
            candidate,
            self.member_id,
            self.term,
            log_term=self.log.term_or_zero(committed),
            commit=committed,
            reject=True,
        )

    def _accept_higher_term(self, message: Message) -> bool:
        """Takes over the term, where the message proves that it has begun. False: the message is ignored."""
        kind = message.kind
        if kind in (MSG_VOTE, MSG_PRE_VOTE):
            if self._is_leader_alive() and not message.force:
                return False  # I3
            if kind == MSG_VOTE:
                self._become_follower(message.term, NO_MEMBER)
            return True
        if kind == MSG_PRE_VOTE_RESPONSE and not message.reject:
            # It repeats the term that this member asked for, and which hasn't begun.
            return True
        is_from_leader = kind in (MSG_APPEND, MSG_HEARTBEAT, MSG_SNAPSHOT)
        self._become_follower(message.term, message.sender if is_from_leader else NO_MEMBER)
        return True

    def _is_leader_alive(self) -> bool:
        return (
            self.config.check_quorum
            and self.leader_id != NO_MEMBER
            and self.election_elapsed < self.config.election_ticks
        )

    def _answer_lower_term(self, message: Message) -> None:
        kind = message.kind
        if kind in (MSG_APPEND, MSG_HEARTBEAT):
            # With pre-vote or check-quorum a member that is stuck with a higher term can't depose the leader by a
            # campaign; this answer lets the leader learn of the term.
            if self.config.check_quorum or self.config.pre_vote:
                self.after_persist.append(Message(MSG_APPEND_RESPONSE, message.sender, self.member_id, self.term))
        elif kind == MSG_PRE_VOTE:
            self.before_persist.append(self._refuse_vote(MSG_PRE_VOTE_RESPONSE, message.sender))

    def _on_vote_request(self, message: Message) -> None:
        """Learners answer too: they may be voters already in a configuration that has not reached them."""
        is_pre_vote = message.kind == MSG_PRE_VOTE
        can_vote = (
            self.vote == message.sender
            or (self.vote == NO_MEMBER and self.leader_id == NO_MEMBER)
            or (is_pre_vote and message.term > self.term)
        )
        is_granted = can_vote and self.log.is_up_to_date(message.index, message.log_term)  # I2
        if is_pre_vote:
            # A grant is for the term asked about; a refusal tells this member's own.
            if is_granted:
                self.before_persist.append(Message(MSG_PRE_VOTE_RESPONSE, message.sender, self.member_id, message.term))
            else:
                self.before_persist.append(self._refuse_vote(MSG_PRE_VOTE_RESPONSE, message.sender))
            return
        if is_granted:
            self.election_elapsed = 0
            self.vote = message.sender
            self.after_persist.append(Message(MSG_VOTE_RESPONSE, message.sender, self.member_id, self.term))
        else:
            self.after_persist.append(self._refuse_vote(MSG_VOTE_RESPONSE, message.sender))

    def _on_vote_response(self, message: Message) -> None:
        if self.role == ROLE_CANDIDATE:
            if message.kind != MSG_VOTE_RESPONSE:
                return
            campaign = CAMPAIGN_ELECTION
        elif self.role == ROLE_PRE_CANDIDATE:
            if message.kind != MSG_PRE_VOTE_RESPONSE:
                return
            campaign = CAMPAIGN_PRE_ELECTION
        else:
            return
        self.tracker.record_vote(message.sender, not message.reject)
        result = self.tracker.vote_result()
        if result == VOTE_WON:
            self._on_vote_won(campaign)
        elif result == VOTE_LOST:
            self._become_follower(self.term, NO_MEMBER)

    def _step_leader(self, message: Message) -> None:
        kind = message.kind
        if kind == MSG_APPEND_RESPONSE:
            self._on_append_response(message)
        elif kind == MSG_HEARTBEAT_RESPONSE:
            self._on_heartbeat_response(message)
        elif kind == MSG_READ_INDEX:
            self.add_read(ReadRequest(message.sender, message.context))
        elif kind == MSG_TRANSFER_LEADER:
            self._start_transfer(MemberId(message.index))
        else:
            assert kind != MSG_APPEND and kind != MSG_SNAPSHOT, f"two leaders in term {self.term}: {message!r}"

    def _step_from_leader(self, message: Message) -> None:
        if self.role != ROLE_FOLLOWER:
            self._become_follower(self.term, message.sender)
        self.election_elapsed = 0
        self.leader_id = message.sender
        if message.kind == MSG_APPEND:
            self._on_append(message)
        elif message.kind == MSG_HEARTBEAT:
            self.log.commit_to(message.commit)
            self.before_persist.append(
                Message(MSG_HEARTBEAT_RESPONSE, message.sender, self.member_id, self.term, context=message.context)
            )
        else:
            self._on_snapshot(message)

    # --- the follower's log ---

    def _on_append(self, message: Message) -> None:
        log = self.log
        if not self.tracker.progress:
            # This member has just joined. It doesn't know the configuration that the log's changes start from, so it
            # needs a snapshot, which holds one, even if the leader's log goes back to the first entry.
            # Differs: etcd puts the first configuration into the log, as changes.
            self.after_persist.append(
                Message(
                    MSG_APPEND_RESPONSE,
                    message.sender,
                    self.member_id,
                    self.term,
                    message.index,
                    reject=True,
                    force=True,
                )
            )
            return
        if message.index < log.committed:
            # A late one: everything up to the commit index matches any leader's log.
            self._answer_append(message.sender, log.committed)
            return
        last_new = log.maybe_append(message.index, message.log_term, message.commit, message.entries)
        if last_new != NO_MATCH:
            self._answer_append(message.sender, last_new)
            return
        hint, hint_term = log.find_conflict_by_term(message.index, message.log_term)
        self.after_persist.append(
            Message(
                MSG_APPEND_RESPONSE,
                message.sender,
                self.member_id,
                self.term,
                message.index,
                hint_term,
                reject=True,
                reject_hint=hint,
            )
        )

    def _on_snapshot(self, message: Message) -> None:
        snapshot = message.snapshot
        if snapshot is None:
            return
        if self._restore(message):
            self._answer_append(message.sender, self.log.last_index())
        else:
            self._answer_append(message.sender, self.log.committed)

    def _restore(self, message: Message) -> bool:
        """Takes over a snapshot that is ahead of this log. False if there is no need, or it is for somebody else."""
        snapshot = message.snapshot
        assert snapshot is not None
        meta = snapshot.meta
        log = self.log
        if meta.index <= log.committed:
            return False
        config = configuration_from(meta.conf_state)
        if self.member_id not in config.members():
            return False
        if log.is_match(meta.index, meta.term):
            log.commit_to(meta.index)
            return False
        log.restore(snapshot)
        self.tracker.switch(config, log.last_index())
        return True

    def _answer_append(self, leader_id: MemberId, index: LogIndex) -> None:
        self.after_persist.append(Message(MSG_APPEND_RESPONSE, leader_id, self.member_id, self.term, index))

    # --- calls of the shell ---

    def apply_conf_change(self, change: ConfChangeV2) -> ConfState:
        """Puts a committed change into force. Raises ConfChangeRefused, on all members alike, if it does not fit."""
        config = apply_change(self.tracker.config, change)
        self.tracker.switch(config, self.log.last_index())
        if self.role == ROLE_LEADER:
            self._lead_new_configuration()
        return config.conf_state()

    def _lead_new_configuration(self) -> None:
        # A smaller quorum may have committed more, and new members want the log.
        self._maybe_commit()
        self.is_append_due = True
        self._maybe_finish_reads()
        if not self.tracker.config.is_voter(self.transfer_target):
            self.transfer_target = NO_MEMBER
        self._maybe_step_aside()

    def _maybe_step_aside(self) -> None:
        """A leader that is no voter any more hands over to the voter that has most of the log.

        It can't just stop: the others may not know yet that its removal is committed, and they need a vote of it then,
        which it could not give to a log that is shorter than its own. Raft thesis §4.2.2.
        """
        config = self.tracker.config
        if config.is_voter(self.member_id) or self.transfer_target != NO_MEMBER:
            return
        best = NO_MEMBER
        for voter in config.voters:
            progress = self.tracker.progress[voter]
            if best == NO_MEMBER or progress.match > self.tracker.progress[best].match:
                best = voter
        self._start_transfer(best)

    def applied(self, index: LogIndex) -> None:
        """The shell has applied up to the index, or installed the snapshot that ends there."""
        self.log.applied_to(index)
        if self.tracker.config.auto_leave:
            self.maybe_leave_joint()

    def read_index(self, context: bytes) -> None:
        """Asks for a read state. Dropped without a leader, as any message may be: whoever wants it asks again."""
        if self.role == ROLE_LEADER:
            self.add_read(ReadRequest(self.member_id, context))
        elif self.leader_id != NO_MEMBER:
            self.before_persist.append(
                Message(MSG_READ_INDEX, self.leader_id, self.member_id, self.term, context=context)
            )

    def transfer_leadership(self, target: MemberId) -> None:
        """Hands leadership to a voter; a follower asks the leader to. Raises ProposalDropped without a leader."""
        if self.role == ROLE_LEADER:
            self._start_transfer(target)
        elif self.leader_id != NO_MEMBER:
            self.before_persist.append(
                Message(MSG_TRANSFER_LEADER, self.leader_id, self.member_id, self.term, LogIndex(target))
            )
        else:
            raise ProposalDropped("there is no leader")

    def check_invariants(self) -> None:
        """Asserts what must hold after every call."""
        self.log.check_invariants()
        self.tracker.check_invariants()
        if self.role == ROLE_LEADER:
            assert self.leader_id == self.member_id
            assert self.vote == self.member_id  # I1
            assert self.term_start < self.log.first_index() or self.log.term(self.term_start) == self.term
            for progress in self.tracker.progress.values():
                assert progress.match <= self.log.last_index()
            own = self.tracker.progress.get(self.member_id)
            assert own is None or own.match <= self.log.stable_index()  # Replicator I3
        else:
            assert self.leader_id != self.member_id
            assert self.transfer_target == NO_MEMBER
            assert not self.reads.waiting and not self.reads.is_running()
