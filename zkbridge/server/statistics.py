"""Counts of the whole server for `srvr`, `stat` and `mntr`."""

from typing import final


@final
class ServerStatistics:
    """Reset by `srst`. Latencies are milliseconds from reading a request to queueing its answer."""

    __slots__ = (
        "connections_refused_count",
        "latency_max_ms",
        "latency_total_ms",
        "received_count",
        "sent_count",
        "started_ms",
    )

    def __init__(self, started_ms: int) -> None:
        self.started_ms = started_ms
        self.connections_refused_count = 0
        self.reset()

    def reset(self) -> None:
        """Everything but the start time."""
        self.received_count = 0
        self.sent_count = 0
        self.latency_total_ms = 0
        self.latency_max_ms = 0

    def note_latency(self, latency_ms: int) -> None:
        """One answered write; reads are answered in the millisecond in which they come."""
        self.latency_total_ms += latency_ms
        if latency_ms > self.latency_max_ms:
            self.latency_max_ms = latency_ms
