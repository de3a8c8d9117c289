"""What the whole server counts, for `srvr`, `stat`, `mntr` and Prometheus: plain integers where things happen."""

from typing import Final, final

from mypy_extensions import i64

from zkbridge.summary import KEPT_FOR_PERCENTILES, Summary
from zkbridge.tree.changes import Change, DataSet, ZnodeCreated, ZnodeDeleted

NOT_MEASURED: Final = -1

NAMESPACES_MAX: Final = 1000
"""Znodes directly below the root that are counted by name. Clients choose the names, ZooKeeper has no bound: what comes
later is counted as one."""
NO_PREFIX: Final = "no path begins so"
OTHER_NAMESPACES: Final = "zkbridge_others"
STAT_BYTES: Final = 68
LENGTH_BYTES: Final = 4


@final
class ResponseSizes:
    """Bytes of a reply or an event without its length, as in ZooKeeper's BufferStats; -1 before there is one."""

    __slots__ = ("highest", "last", "lowest", "total")

    def __init__(self) -> None:
        self.last = NOT_MEASURED
        self.lowest = NOT_MEASURED
        self.highest = NOT_MEASURED
        self.total = 0
        """Of all since the start; no reset touches it."""

    def note_frames(self, frames: list[bytes]) -> None:
        """Replies and events as they leave, each with its length in front."""
        # Most are as long as the one before, and change no bound.
        last: i64 = self.last + LENGTH_BYTES
        total: i64 = 0
        for frame in frames:
            size: i64 = len(frame)
            total += size
            if size != last:
                last = size
                self._note_size(size - LENGTH_BYTES)
        self.total += total - LENGTH_BYTES * len(frames)

    def _note_size(self, size: int) -> None:
        self.last = size
        if size > self.highest:
            self.highest = size
        if size < self.lowest or self.lowest < 0:
            self.lowest = size

    def reset(self) -> None:
        self.last = NOT_MEASURED
        self.lowest = NOT_MEASURED
        self.highest = NOT_MEASURED


@final
class Namespaces:
    """Bytes of reads or writes by the first name of their path. Source: ZooKeeper DataTree.updateReadStat."""

    __slots__ = ("_last", "_last_path", "_last_prefix", "summaries")

    def __init__(self) -> None:
        self.summaries: Final[dict[str, Summary]] = {}
        # What comes next is mostly of the same namespace.
        self._last_path = NO_PREFIX
        self._last_prefix = NO_PREFIX
        self._last = Summary()

    def note(self, path: str, size: int) -> None:
        """The root itself has no name, and is not counted."""
        if path == self._last_path:
            self._last.note(size + len(path))
            return
        if path.startswith(self._last_prefix):
            self._last_path = path
            self._last.note(size + len(path))
            return
        end = path.find("/", 1)
        name = path[1:] if end < 0 else path[1:end]
        summary = self.summaries.get(name)
        if summary is None:
            if not name:
                return
            summary = self._add(name)
        summary.note(size + len(path))
        self._last_path = path
        self._last_prefix = path + "/" if end < 0 else path[: end + 1]
        self._last = summary

    def _add(self, name: str) -> Summary:
        summaries = self.summaries
        if len(summaries) >= NAMESPACES_MAX:
            name = OTHER_NAMESPACES
            if name in summaries:
                return summaries[name]
        summary = summaries[name] = Summary()
        return summary

    def reset(self) -> None:
        """The names stay, as in ZooKeeper."""
        for summary in self.summaries.values():
            summary.reset()


@final
class ServerStatistics:
    """Latencies are milliseconds from reading a request to queueing its answer.

    Counts that Prometheus shows never go back; `reset` notes where mntr's begin anew.
    """

    __slots__ = (
        "connection_request_count",
        "connections_refused_count",
        "load_ms",
        "pauses_ms",
        "read_latency_ms",
        "reads",
        "received_bytes",
        "received_count",
        "response_sizes",
        "sent_count",
        "sessionless_expired_count",
        "started_ms",
        "update_latency_ms",
        "writes",
    )

    def __init__(self, started_ms: int) -> None:
        self.started_ms = started_ms
        self.connections_refused_count = 0
        self.connection_request_count = 0
        self.sessionless_expired_count = 0
        # Of connections that have ended; open ones have their own.
        self.received_bytes = 0
        # Since the last `srst`, but what open connections have sent; so `sent_count` may be below 0.
        self.received_count = 0
        self.sent_count = 0
        self.update_latency_ms: Final = Summary(KEPT_FOR_PERCENTILES)
        self.read_latency_ms: Final = Summary(KEPT_FOR_PERCENTILES)
        self.pauses_ms: Final = Summary(KEPT_FOR_PERCENTILES)
        """By how much the loop came later than it should have, twice a second."""
        self.load_ms: Final = Summary()
        """How long it took to read the tree from the store; once."""
        self.response_sizes: Final = ResponseSizes()
        self.reads: Final = Namespaces()
        self.writes: Final = Namespaces()

    def note_changes(self, changes: list[Change]) -> None:
        """One revision's, by namespace."""
        writes = self.writes
        for change in changes:
            if isinstance(change, DataSet):
                data = change.data
                writes.note(change.path, 0 if data is None else len(data))
            elif isinstance(change, ZnodeCreated):
                content = change.data
                writes.note(change.path, 0 if content is None else len(content))
            elif isinstance(change, ZnodeDeleted):
                writes.note(change.path, 0)

    def reset(self, sent_by_open: int) -> None:
        """`srst`. The open connections have sent so many packets."""
        self.received_count = 0
        self.sent_count = -sent_by_open
        for summary in (self.update_latency_ms, self.read_latency_ms, self.pauses_ms, self.load_ms):
            summary.reset()
        self.response_sizes.reset()
        self.reads.reset()
        self.writes.reset()

    # Of all requests

    @property
    def latency_average_ms(self) -> float:
        reads, updates = self.read_latency_ms, self.update_latency_ms
        count = reads.count_since_reset + updates.count_since_reset
        return (reads.total_since_reset + updates.total_since_reset) / count if count else 0.0

    @property
    def latency_min_ms(self) -> int:
        reads, updates = self.read_latency_ms, self.update_latency_ms
        if not reads.count_since_reset:
            return updates.lowest
        return min(reads.lowest, updates.lowest) if updates.count_since_reset else reads.lowest

    @property
    def latency_max_ms(self) -> int:
        return max(self.read_latency_ms.highest, self.update_latency_ms.highest)
