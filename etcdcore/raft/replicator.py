"""The leader's work: sending the log, counting what is committed, confirming reads, handing leadership over.

`Machine` is this plus terms, votes and roles; the two are one object, cut in two files.

Invariants:
1. A leader only appends to its own log. Raft paper §5.3, leader append-only.
2. Only an entry of the leader's own term is committed by counting; what is before it goes along. Raft paper §5.4.2.
3. A leader counts itself only for what its own disk has. Appends leave before that, but not before the disk is known
   to have the term: a leader that forgot its term could lead twice in it.
4. At most one membership change is in the log and not applied.
"""

from random import Random
from typing import Final

from etcdcore.errors import ConfChangeRefused, LogCompacted, ProposalDropped
from etcdcore.raft.log import RaftLog
from etcdcore.raft.membership import apply_change, configuration_from
from etcdcore.raft.messages import (
    ENTRY_CONF_CHANGE,
    ENTRY_NORMAL,
    MSG_APPEND,
    MSG_HEARTBEAT,
    MSG_READ_INDEX_RESPONSE,
    MSG_SNAPSHOT,
    MSG_TIMEOUT_NOW,
    NO_INDEX,
    NO_MEMBER,
    ConfChangeV2,
    Entry,
    Message,
    SnapshotMeta,
    encode_conf_change,
)
from etcdcore.raft.progress import PROBE, REPLICATE, SNAPSHOT, Progress
from etcdcore.raft.read_index import ReadRequest, ReadRounds, ReadState
from etcdcore.raft.storage import Storage
from etcdcore.raft.tracker import Tracker
from etcdcore.types import LogIndex, MemberId, Term

ROLE_FOLLOWER: Final = 0
ROLE_PRE_CANDIDATE: Final = 1
ROLE_CANDIDATE: Final = 2
ROLE_LEADER: Final = 3

ROLE_NAMES: Final = ("follower", "pre_candidate", "candidate", "leader")


class RaftConfig:
    """How a member behaves. Ticks are the shell's; etcd has 100 ms, a heartbeat each and an election after ten."""

    __slots__ = (
        "applied",
        "check_quorum",
        "election_ticks",
        "heartbeat_ticks",
        "inflight_max",
        "max_message_bytes",
        "member_id",
        "pre_vote",
    )

    def __init__(
        self,
        member_id: MemberId,
        election_ticks: int = 10,
        heartbeat_ticks: int = 1,
        max_message_bytes: int = 1 << 20,
        inflight_max: int = 512,
        pre_vote: bool = True,
        check_quorum: bool = True,
        applied: LogIndex = NO_INDEX,
    ) -> None:
        if member_id == NO_MEMBER:
            raise ValueError("expected a member id other than 0")
        if not 0 < heartbeat_ticks < election_ticks:
            raise ValueError(f"expected 0 < heartbeat ticks < election ticks, got {heartbeat_ticks}, {election_ticks}")
        if inflight_max < 1:
            raise ValueError(f"expected a window of one message at least, got {inflight_max}")
        self.member_id: Final = member_id
        self.election_ticks: Final = election_ticks
        self.heartbeat_ticks: Final = heartbeat_ticks
        self.max_message_bytes: Final = max_message_bytes
        self.inflight_max: Final = inflight_max
        self.pre_vote: Final = pre_vote
        self.check_quorum: Final = check_quorum
        self.applied: Final = applied


class Replicator:
    """The state that all roles share, and what a leader does with it."""

    __slots__ = (
        "after_persist",
        "before_persist",
        "config",
        "election_elapsed",
        "heartbeat_elapsed",
        "is_append_due",
        "is_snapshot_wanted",
        "leader_id",
        "log",
        "member_id",
        "pending_conf_index",
        "read_states",
        "reads",
        "rng",
        "role",
        "term",
        "term_start",
        "tracker",
        "transfer_target",
        "vote",
    )

    def __init__(self, config: RaftConfig, storage: Storage, rng: Random) -> None:
        hard_state, conf_state = storage.initial_state()
        self.config: Final = config
        self.member_id: Final = config.member_id
        self.rng: Final = rng
        self.log: Final = RaftLog(storage, hard_state.commit, config.applied)
        self.tracker: Final = Tracker(config.member_id, configuration_from(conf_state), config.inflight_max)
        self.reads: Final = ReadRounds()
        # A crash may have left an entry or a snapshot without the hard state that was written after it. Its term has
        # begun all the same, and no vote in it can have left, since votes wait for the hard state.
        last_term = self.log.last_term()
        self.term: Term = Term(max(hard_state.term, last_term))
        self.vote: MemberId = hard_state.vote if hard_state.term >= last_term else NO_MEMBER
        self.role = ROLE_FOLLOWER
        self.leader_id: MemberId = NO_MEMBER
        self.election_elapsed = 0
        self.heartbeat_elapsed = 0
        self.transfer_target: MemberId = NO_MEMBER
        # The membership change that must be applied before the next one may be proposed (I4).
        self.pending_conf_index: LogIndex = NO_INDEX
        # The first entry of a leader's own term.
        self.term_start: LogIndex = NO_INDEX
        # Proposals and commits of one Ready share their appends, so these are made when the Ready is.
        self.is_append_due = False
        # A member needs a snapshot that the storage doesn't have.
        self.is_snapshot_wanted = False
        self.before_persist: list[Message] = []
        self.after_persist: list[Message] = []
        self.read_states: list[ReadState] = []

    # --- proposals ---

    def propose(self, data: bytes, payload: object | None) -> LogIndex:
        """Appends a command. Raises ProposalDropped unless this is a leader that intends to stay."""
        self._check_can_propose()
        return self._append(ENTRY_NORMAL, data, payload)

    def propose_conf_change(self, change: ConfChangeV2) -> LogIndex:
        """Appends a membership change. Raises ConfChangeRefused if one is pending, or it doesn't fit.

        Differs from etcd's raft, which appends an empty entry in its place and leaves the proposer to time out.
        """
        self._check_can_propose()
        if self.pending_conf_index > self.log.applied:
            raise ConfChangeRefused(
                f"the change at {self.pending_conf_index} may be pending, applied up to {self.log.applied}"
            )
        apply_change(self.tracker.config, change)
        index = self._append(ENTRY_CONF_CHANGE, encode_conf_change(change), None)
        self.pending_conf_index = index
        return index

    def maybe_leave_joint(self) -> None:
        """A leader leaves a joint configuration with auto-leave as soon as it is applied."""
        if (
            self.role == ROLE_LEADER
            and self.tracker.config.auto_leave
            and self.pending_conf_index <= self.log.applied
            and self.transfer_target == NO_MEMBER
        ):
            self.pending_conf_index = self._append(ENTRY_CONF_CHANGE, encode_conf_change(ConfChangeV2()), None)

    def _check_can_propose(self) -> None:
        if self.role != ROLE_LEADER:
            raise ProposalDropped("not the leader")
        if self.transfer_target != NO_MEMBER:
            raise ProposalDropped("leadership is being transferred")
        if not self.tracker.config.is_voter(self.member_id):
            raise ProposalDropped("this leader is no voter any more")

    def _append(self, kind: int, data: bytes, payload: object | None) -> LogIndex:
        index = LogIndex(self.log.last_index() + 1)
        self.log.append_one(Entry(index, self.term, kind, data, payload))  # I1
        self.is_append_due = True
        return index

    # --- sending ---

    def flush_appends(self) -> None:
        """Sends every member what it lacks, as far as its window goes; called when a Ready is made."""
        if not self.is_append_due:
            return
        self.is_append_due = False
        for peer in self.tracker.peers:
            progress = self.tracker.progress[peer]
            if self._maybe_send_append(peer, progress, True):
                self._send_all(peer, progress)

    def broadcast_heartbeat(self) -> None:
        """Tells every member that the leader lives; the answers confirm the running round of reads."""
        context = self.reads.context()
        for peer in self.tracker.peers:
            # Never above what the member is known to have: the rest of its log may conflict.
            commit = LogIndex(min(self.tracker.progress[peer].match, self.log.committed))
            self._send_as_leader(
                Message(MSG_HEARTBEAT, peer, self.member_id, self.term, commit=commit, context=context)
            )

    def _send_all(self, peer: MemberId, progress: Progress) -> None:
        while self._maybe_send_append(peer, progress, False):
            pass

    def _maybe_send_append(self, peer: MemberId, progress: Progress, is_empty_useful: bool) -> bool:
        """Sends an append, or a snapshot in its place, if the member may be sent one. An empty one tells the commit."""
        if progress.is_paused():
            return False
        log = self.log
        previous = LogIndex(progress.next - 1)
        last = log.last_index()
        if not is_empty_useful and previous >= last:
            return False
        try:
            previous_term = log.term(previous)
            if progress.state == REPLICATE and progress.is_window_full():
                entries: list[Entry] = []
            else:
                entries = log.entries(progress.next, LogIndex(last + 1), self.config.max_message_bytes)
        except LogCompacted:
            return self._maybe_send_snapshot(peer, progress)
        if not entries and not is_empty_useful:
            return False
        self._send_as_leader(
            Message(MSG_APPEND, peer, self.member_id, self.term, previous, previous_term, log.committed, entries)
        )
        progress.sent(len(entries))
        return True

    def _maybe_send_snapshot(self, peer: MemberId, progress: Progress) -> bool:
        if not progress.is_recently_active:
            return False
        snapshot = self.log.storage.snapshot()
        if snapshot is None or not self._is_snapshot_for(snapshot.meta, peer):
            # The shell has been asked for one, and a heartbeat's answer will ask again.
            self.is_snapshot_wanted = True
            return False
        progress.become_snapshot(snapshot.meta.index)
        self._send_as_leader(Message(MSG_SNAPSHOT, peer, self.member_id, self.term, snapshot=snapshot))
        return True

    def _is_snapshot_for(self, meta: SnapshotMeta, peer: MemberId) -> bool:
        """Does the log go on from the snapshot, and does the member find itself in it?"""
        state = meta.conf_state
        return meta.index + 1 >= self.log.first_index() and (
            peer in state.voters or peer in state.learners or peer in state.voters_outgoing
        )

    def _send_as_leader(self, message: Message) -> None:
        if self.log.stable_index() >= self.term_start:
            self.before_persist.append(message)
        else:
            self.after_persist.append(message)  # I3

    # --- answers ---

    def persisted(self, index: LogIndex, term: Term) -> None:
        """The shell's disk has everything up to the position (I3)."""
        if self.log.unstable.persisted(index, term) and self.role == ROLE_LEADER:
            self._count_own_log()

    def _count_own_log(self) -> None:
        progress = self.tracker.progress.get(self.member_id)
        if progress is not None and progress.maybe_update(self.log.stable_index()):
            self._maybe_commit()

    def _maybe_commit(self) -> bool:
        """Commits what a quorum has, if it ends with an entry of this term (I2)."""
        log = self.log
        index = self.tracker.committed()
        if index <= log.committed or log.term_or_zero(index) != self.term:
            return False
        log.commit_to(index)
        self.is_append_due = True
        if self.reads.waiting:
            self._maybe_start_reads()
        return True

    def _on_append_response(self, message: Message) -> None:
        progress = self.tracker.progress.get(message.sender)
        if progress is None:
            return
        progress.is_recently_active = True
        peer = message.sender
        if message.reject and message.force:
            progress.is_sending_paused = True
            if progress.match == 0 and progress.state != SNAPSHOT:
                self._maybe_send_snapshot(peer, progress)
            return
        if message.reject:
            next_match = message.reject_hint
            if message.log_term > 0:
                # The member's entry at the hint has log_term; above it our own entries of later terms can't match.
                next_match = self.log.find_conflict_by_term(message.reject_hint, message.log_term)[0]
            if progress.maybe_back_up(message.index, next_match):
                if progress.state == REPLICATE:
                    progress.become_probe()
                self._maybe_send_append(peer, progress, True)
            return
        was_paused = progress.is_paused()
        is_news = progress.maybe_update(message.index)
        if not is_news and not (progress.match == message.index and progress.state == PROBE):
            return
        if progress.state == PROBE:
            progress.become_replicate()
        elif progress.state == SNAPSHOT:
            if progress.match + 1 >= self.log.first_index():
                progress.become_replicate()
        else:
            progress.free_up_to(message.index)
        if not self._maybe_commit() and was_paused:
            # It may have missed a commit index while nothing could be sent.
            self._maybe_send_append(peer, progress, True)
        self._send_all(peer, progress)
        self._maybe_send_timeout_now(peer, progress)

    def _on_heartbeat_response(self, message: Message) -> None:
        progress = self.tracker.progress.get(message.sender)
        if progress is None:
            return
        progress.is_recently_active = True
        progress.is_sending_paused = False
        if progress.match < self.log.last_index() or progress.state == PROBE:
            # A lost append shows here: an empty one is refused, and the probe starts.
            self._maybe_send_append(message.sender, progress, True)
        if self.reads.acknowledge(message.sender, message.context):
            self._maybe_finish_reads()

    def report_unreachable(self, peer: MemberId) -> None:
        """The shell could not deliver an append: what is in flight may be lost."""
        progress = self.tracker.progress.get(peer)
        if self.role == ROLE_LEADER and progress is not None and progress.state == REPLICATE:
            progress.become_probe()

    def report_snapshot(self, peer: MemberId, is_installed: bool) -> None:
        """The shell has streamed the snapshot, or failed to."""
        progress = self.tracker.progress.get(peer)
        if self.role != ROLE_LEADER or progress is None or progress.state != SNAPSHOT:
            return
        if not is_installed:
            progress.pending_snapshot = NO_INDEX
        progress.become_probe()
        # Wait for the member's answer, or for a heartbeat's, before the next try.
        progress.is_sending_paused = True

    # --- reads ---

    def add_read(self, request: ReadRequest) -> None:
        """Takes a read of this member or a follower; answered once a quorum has confirmed the leader."""
        self.reads.add(request)
        self._maybe_start_reads()

    def lone_read_index(self) -> LogIndex:
        """The read index of now, if this leader is a quorum by itself, so that no round need confirm it; else 0."""
        if self.role != ROLE_LEADER or not self.tracker.is_alone() or self.log.committed < self.term_start:
            return NO_INDEX
        return self.log.committed

    def _maybe_start_reads(self) -> None:
        log = self.log
        if self.reads.is_running() or not self.reads.waiting:
            return
        if log.committed < self.term_start:
            # Until then an older leader's commits may be unknown here. _maybe_commit comes back to it.
            return
        if self.tracker.is_alone():
            self._answer_reads(self.reads.take_waiting(), log.committed)
            return
        self.reads.start(log.committed, self.member_id)
        self.broadcast_heartbeat()

    def _maybe_finish_reads(self) -> None:
        if self.reads.is_running() and self.tracker.is_quorum(self.reads.acks):
            index = self.reads.index
            self._answer_reads(self.reads.finish(), index)
            self._maybe_start_reads()

    def _answer_reads(self, requests: list[ReadRequest], index: LogIndex) -> None:
        for request in requests:
            if request.member_id == self.member_id:
                self.read_states.append(ReadState(index, request.context))
            else:
                self.before_persist.append(
                    Message(
                        MSG_READ_INDEX_RESPONSE,
                        request.member_id,
                        self.member_id,
                        self.term,
                        index,
                        context=request.context,
                    )
                )

    # --- transfer ---

    def _start_transfer(self, target: MemberId) -> None:
        """Brings the target up to date and lets it campaign at once. Raft thesis §3.10."""
        progress = self.tracker.progress.get(target)
        if progress is None or progress.is_learner or target == self.member_id or target == self.transfer_target:
            return
        self.transfer_target = target
        # It must be over within one election timeout, else proposals are taken again.
        self.election_elapsed = 0
        if progress.match == self.log.last_index():
            self._maybe_send_timeout_now(target, progress)
        else:
            self._maybe_send_append(target, progress, True)

    def _maybe_send_timeout_now(self, peer: MemberId, progress: Progress) -> None:
        if peer == self.transfer_target and progress.match == self.log.last_index():
            self._send_as_leader(Message(MSG_TIMEOUT_NOW, peer, self.member_id, self.term))
