"""What a copy of the whole state is made from, beside the loop."""

from typing import Final, final

from etcdcore.mvcc.engine import EngineView
from etcdcore.raft.messages import ConfState
from etcdcore.types import LogIndex, Term


@final
class StateView:
    """The state as of one log index, which `engine` shows unchanged, and what the engine's tables do not say."""

    __slots__ = ("conf_state", "engine", "index", "term")

    def __init__(self, engine: EngineView, index: LogIndex, term: Term, conf_state: ConfState) -> None:
        self.engine: Final = engine
        self.index: Final = index
        self.term: Final = term
        self.conf_state: Final = conf_state
