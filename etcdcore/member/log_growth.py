"""How much the log has grown since it was cut last."""

from collections.abc import Sequence
from typing import final

from etcdcore.raft.messages import Entry


@final
class LogGrowth:
    """Counted where entries are appended; whoever cuts the log starts it anew."""

    __slots__ = ("bytes", "entries")

    def __init__(self) -> None:
        self.bytes = 0
        self.entries = 0

    def note(self, entries: Sequence[Entry]) -> None:
        """These were appended."""
        self.entries += len(entries)
        for entry in entries:
            self.bytes += len(entry.data)

    def reset(self) -> None:
        """The log is being cut."""
        self.bytes = self.entries = 0
