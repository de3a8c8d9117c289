"""Counts of the whole server for `srvr`, `stat` and `mntr`."""

from typing import Final, final

from zkbridge.summary import Summary


@final
class ServerStatistics:
    """Reset by `srst`. Latencies are milliseconds from reading a request to queueing its answer."""

    __slots__ = (
        "connection_request_count",
        "connections_refused_count",
        "latency_max_ms",
        "latency_total_ms",
        "received_bytes",
        "received_count",
        "sent_bytes",
        "sent_count",
        "sessionless_expired_count",
        "started_ms",
        "update_latency_ms",
    )

    def __init__(self, started_ms: int) -> None:
        self.started_ms = started_ms
        # What mntr shows of these is not reset, as in ZooKeeper; bytes are those of connections that have ended.
        self.connections_refused_count = 0
        self.connection_request_count = 0
        self.sessionless_expired_count = 0
        self.received_bytes = 0
        self.sent_bytes = 0
        self.update_latency_ms: Final = Summary()
        self.reset()

    def reset(self) -> None:
        """What `srvr` shows, but for the start time."""
        self.received_count = 0
        self.sent_count = 0
        self.latency_total_ms = 0
        self.latency_max_ms = 0

    def note_latency(self, latency_ms: int) -> None:
        """One answered write; reads are answered in the millisecond in which they come."""
        self.update_latency_ms.note(latency_ms)
        self.latency_total_ms += latency_ms
        if latency_ms > self.latency_max_ms:
            self.latency_max_ms = latency_ms
