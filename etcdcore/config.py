"""What a member is told at its start: frozen and valid once built."""

from dataclasses import dataclass
from pathlib import Path


class ConfigError(ValueError):
    """A setting that no member could run with; the text names the setting, what it must be and what it was."""


@dataclass(frozen=True, slots=True)
class MemberConfig:
    """Raises ConfigError when a setting is out of its bounds. Sizes in bytes, times in the unit of their name."""

    data_dir: Path
    name: str = "default"
    tick_ms: int = 100
    election_ticks: int = 10
    """Without a word from a leader for this many ticks, up to twice as many, a voter of several stands for election."""
    commit_interval_ms: int = 100
    """The engine's open batch is committed, not synced, at least this often while there is something in it..."""
    commit_operations: int = 10_000
    """...and whenever it holds this many commands."""
    checkpoint_interval_s: float = 5.0
    """The engine is synced this often while there is something new, and the log is cut below what was synced."""
    checkpoint_bytes: int = 64 << 20
    """...and whenever the log has grown by this much: bounds the disk space and the time of a replay."""
    entry_bytes_max: int = 1 << 20
    """Commands that arrive together share a log entry up to this size (one larger command still has its own)."""
    entry_commands_max: int = 4096
    pending_commands_max: int = 262_144
    """Past this many commands in flight, further ones are dropped: the caller's own bound should be smaller."""
    kept_entries: int = 1024
    """Entries kept in memory below the last checkpoint for followers that lag; none without followers."""
    compaction_retention_s: int = 3600
    """History of the last so many seconds can be read; 0 switches compaction by time off."""
    compaction_revisions_max: int = 1_000_000
    """Of history, at most so many revisions are kept; 0 switches this bound off."""
    segment_bytes: int = 64 << 20
    in_memory: bool = False
    """For tests: the store is not on disk (the log is), so nothing survives that the log no longer has."""

    def __post_init__(self) -> None:
        self._check("name", len(self.name), 1, 1024)
        self._check("tick_ms", self.tick_ms, 1, 10_000)
        self._check("election_ticks", self.election_ticks, 3, 1000)
        self._check("commit_interval_ms", self.commit_interval_ms, 1, 10_000)
        self._check("commit_operations", self.commit_operations, 1, 1_000_000)
        self._check("checkpoint_interval_s", self.checkpoint_interval_s, 0.01, 3600)
        self._check("checkpoint_bytes", self.checkpoint_bytes, 4096, 1 << 34)
        self._check("entry_bytes_max", self.entry_bytes_max, 1, 64 << 20)
        self._check("entry_commands_max", self.entry_commands_max, 1, 65_536)
        self._check("pending_commands_max", self.pending_commands_max, 1, 1 << 30)
        self._check("kept_entries", self.kept_entries, 0, 1 << 24)
        self._check("compaction_retention_s", self.compaction_retention_s, 0, 10 * 365 * 86_400)
        self._check("compaction_revisions_max", self.compaction_revisions_max, 0, 1 << 62)
        self._check("segment_bytes", self.segment_bytes, 4096, 1 << 34)

    def _check(self, setting: str, value: float, lowest: float, highest: float) -> None:
        if not lowest <= value <= highest:
            raise ConfigError(f"{setting} must be {lowest}..{highest}, got {value}")
