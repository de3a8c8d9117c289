"""What the Raft paper promises (figure 3), each watched over the whole run. Violations are collected, not raised,
so that each test can ask for its own promise, and say how often it was put to the test.
"""

from etcdcore.raft.log import RaftLog
from etcdcore.raft.messages import Entry
from etcdcore.types import LogIndex, MemberId, Term


class Promise:
    """One promise: how often it was checked, and when it was broken."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.check_count = 0
        self.violations: list[str] = []

    def check(self, is_kept: bool, text: str) -> None:
        self.check_count += 1
        if not is_kept:
            self.violations.append(text)


class Checkers:
    """Sees every leader, every entry written, every entry applied and every read of the cluster."""

    def __init__(self) -> None:
        self.election_safety = Promise("election safety")
        self.leader_append_only = Promise("leader append-only")
        self.log_matching = Promise("log matching")
        self.leader_completeness = Promise("leader completeness")
        self.state_machine_safety = Promise("state machine safety")
        self.linearizable_reads = Promise("linearizable reads")
        self.leaders: dict[Term, MemberId] = {}
        self.committed: dict[LogIndex, tuple[Term, bytes]] = {}
        self.last_committed = LogIndex(0)
        self._committed_in: dict[LogIndex, Term] = {}
        self._entries: dict[tuple[LogIndex, Term], tuple[Term, int, bytes]] = {}
        self._index_of: dict[bytes, LogIndex] = {}
        self._leader_logs: dict[MemberId, tuple[Term, dict[LogIndex, Term]]] = {}

    def promises(self) -> list[Promise]:
        return [
            self.election_safety,
            self.leader_append_only,
            self.log_matching,
            self.leader_completeness,
            self.state_machine_safety,
            self.linearizable_reads,
        ]

    def check_all_kept(self) -> None:
        for promise in self.promises():
            assert not promise.violations, f"{promise.name}: {promise.violations[:3]}"

    def leader_seen(self, member_id: MemberId, term: Term, log: RaftLog) -> None:
        """After every step, for every member that believes to lead."""
        known = self.leaders.setdefault(term, member_id)
        self.election_safety.check(known == member_id, f"{known} and {member_id} lead in term {term}")
        terms = {LogIndex(index): log.term(LogIndex(index)) for index in range(log.first_index(), log.last_index() + 1)}
        previous = self._leader_logs.get(member_id)
        if previous is None or previous[0] != term:
            self._check_complete(member_id, term, log, terms)
        else:
            for index, entry_term in previous[1].items():
                if index >= log.first_index():
                    self.leader_append_only.check(
                        terms.get(index) == entry_term, f"leader {member_id} of {term} changed its entry {index}"
                    )
        self._leader_logs[member_id] = (term, terms)

    def member_crashed(self, member_id: MemberId) -> None:
        self._leader_logs.pop(member_id, None)

    def entry_written(self, entry: Entry, previous_term: Term) -> None:
        """Every entry of every log. Same position, same entry and same predecessor: by induction, the same log."""
        key = (entry.index, entry.term)
        value = (previous_term, entry.kind, entry.data)
        known = self._entries.setdefault(key, value)
        self.log_matching.check(known == value, f"{key} is {known} and {value}")

    def entry_applied(self, member_id: MemberId, term: Term, entry: Entry) -> None:
        value = (entry.term, entry.data)
        known = self.committed.setdefault(entry.index, value)
        self.state_machine_safety.check(
            known == value, f"{member_id} applied {value} at {entry.index}, another {known}"
        )
        self._committed_in.setdefault(entry.index, term)
        if entry.data and entry.kind == 0:
            index = self._index_of.setdefault(entry.data, entry.index)
            self.state_machine_safety.check(index == entry.index, f"{entry.data!r} is at {index} and {entry.index}")
        self.last_committed = max(self.last_committed, entry.index)

    def snapshot_installed(self, member_id: MemberId, values: list[bytes], index: LogIndex) -> None:
        """The state of a snapshot is that of the entries it stands for."""
        expected = [
            data
            for at, (_, data) in sorted(self.committed.items())
            if at <= index and data in self._index_of and self._index_of[data] == at
        ]
        self.state_machine_safety.check(values == expected, f"snapshot {index} at {member_id}: {values} != {expected}")

    def read_answered(self, index: LogIndex, floor: LogIndex) -> None:
        self.linearizable_reads.check(index >= floor, f"read at {index}, {floor} was committed before it was asked")

    def _check_complete(self, member_id: MemberId, term: Term, log: RaftLog, terms: dict[LogIndex, Term]) -> None:
        for index, (entry_term, _) in self.committed.items():
            # A late leader of an earlier term need not have what a later one has committed.
            if self._committed_in[index] < term and index >= log.first_index():
                self.leader_completeness.check(
                    terms.get(index) == entry_term, f"leader {member_id} of {term} lacks {index}"
                )
