"""What a driver acts through: log, peers, clock, and the loop that calls it; for product and simulator to implement.

Every call returns at once. What takes time is reported later, by a call of the driver's.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from mypy_extensions import mypyc_attr

from etcdcore.raft.messages import Entry, HardState, Message, SnapshotMeta
from etcdcore.types import LogIndex


@mypyc_attr(allow_interpreted_subclasses=True)
class LogPort(ABC):
    """The write-ahead log. `Driver.durable` is told of growing tokens, each once all up to it is on the disk."""

    __slots__ = ()

    @abstractmethod
    def append(self, entries: Sequence[Entry], hard_state: HardState | None, must_sync: bool, token: int) -> None:
        """Queues the records. Without `must_sync` they wait for the next that has it."""

    @abstractmethod
    def append_snapshot(self, meta: SnapshotMeta, is_installed: bool, token: int) -> None:
        """Queues a snapshot marker; `is_installed`: the snapshot came from the leader and replaces the log."""

    @abstractmethod
    def release_before(self, index: LogIndex) -> None:
        """Drops what holds only entries before `index`, once all that was appended so far is durable."""


@mypyc_attr(allow_interpreted_subclasses=True)
class PeersPort(ABC):
    """The other members. Messages may be lost, late or repeated; what arrives is given to `Driver.step`."""

    __slots__ = ()

    @abstractmethod
    def send(self, messages: Sequence[Message]) -> None:
        """Sends, or tells the driver in a later turn that a peer is unreachable or a snapshot did not get there."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Clock(ABC):
    """A monotonic clock: it never goes back, and a jump of the wall clock does not move it."""

    __slots__ = ()

    @abstractmethod
    def now_s(self) -> float:
        """Seconds since some fixed moment."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Host(ABC):
    """Whoever calls the driver, turn by turn. The requests for a turn are made once until it has come."""

    __slots__ = ()

    @abstractmethod
    def want_flush(self) -> None:
        """`Driver.flush_turn` is to be called in the next turn."""

    @abstractmethod
    def want_apply(self) -> None:
        """`Driver.apply_turn` is to be called in the next turn."""

    @abstractmethod
    def progressed(self) -> None:
        """Something was applied, or the log found no room."""

    @abstractmethod
    def refusal_changed(self) -> None:
        """`WriteState.refusal` is another one."""

    @abstractmethod
    def apply_was_slow(self, index: LogIndex, took_s: float) -> None:
        """The entry took longer than the configuration calls usual."""

    @abstractmethod
    def committed(self) -> None:
        """The engine has committed."""

    @abstractmethod
    def membership_changed(self) -> None:
        """A membership change was applied."""
