"""Linearizable barriers: all that arrive in one iteration of the loop share one read index.

Invariant: a barrier is answered exactly once; one whose round is lost (the leader changed) is dropped.
"""

from collections import deque
from struct import Struct
from typing import Final, final

from etcdcore.errors import CoreError, NoLeader
from etcdcore.member.proposals import Proposal
from etcdcore.raft.messages import NO_MEMBER
from etcdcore.raft.raw_node import RawNode
from etcdcore.raft.read_index import ReadState
from etcdcore.statistics import MemberCounts
from etcdcore.types import LogIndex

_CONTEXT: Final = Struct(">Q")


@final
class ReadBarriers:
    """asked -> `propose` -> in a round -> `take_states` -> waiting for an index -> `answer`."""

    __slots__ = ("_counts", "_number", "_rounds", "_waiting", "asked")

    def __init__(self, counts: MemberCounts) -> None:
        self._counts: Final = counts
        self.asked: list[Proposal] = []
        self._number = 0
        self._rounds: Final[dict[bytes, list[Proposal]]] = {}
        self._waiting: Final[deque[tuple[LogIndex, list[Proposal]]]] = deque()

    @property
    def is_waiting(self) -> bool:
        return len(self._waiting) > 0

    def propose(self, raft: RawNode) -> None:
        asked, self.asked = self.asked, []
        if raft.leader_id == NO_MEMBER:
            self._counts.read_indexes_failed += len(asked)
            for proposal in asked:
                proposal.dropped(NoLeader(), True)
            return
        self._number += 1
        context = _CONTEXT.pack(self._number)
        self._rounds[context] = asked
        raft.read_index(context)

    def take_states(self, states: list[ReadState]) -> None:
        for state in states:
            asked = self._rounds.pop(state.context, None)
            if asked is not None:
                self._waiting.append((state.index, asked))

    def answer(self, applied: LogIndex, revision: int) -> None:
        waiting = self._waiting
        while waiting and waiting[0][0] <= applied:
            for proposal in waiting.popleft()[1]:
                proposal.applied(revision)

    def drop_rounds(self, error: CoreError) -> None:
        """Those that were proposed; they may be asked again."""
        groups = [*self._rounds.values(), *(asked for _, asked in self._waiting)]
        self._rounds.clear()
        self._waiting.clear()
        for group in groups:
            self._counts.read_indexes_failed += len(group)
            for proposal in group:
                proposal.dropped(error, True)

    def drop_all(self, error: CoreError) -> None:
        asked, self.asked = self.asked, []
        self.drop_rounds(error)
        for proposal in asked:
            proposal.dropped(error, True)
