"""Which pings of a client are too many. Source: grpc-go http2_server.go, handlePing; etcd --grpc-keepalive-min-time."""

from typing import Final, final

PING_STRIKES_MAX: Final = 2
IDLE_PING_INTERVAL_MS: Final = 7_200_000
"""Between pings of a connection without calls."""

TOO_MANY_PINGS: Final = "too_many_pings"


@final
class PingPolicy:
    """One connection's. A response in between makes the next ping a good one: clients measure round trips by pings."""

    __slots__ = ("_interval_min_ms", "_last_ping_ms", "_strike_count", "has_responded")

    def __init__(self, interval_min_ms: int) -> None:
        self._interval_min_ms: Final = interval_min_ms
        self._last_ping_ms = -IDLE_PING_INTERVAL_MS
        self._strike_count = 0
        self.has_responded = False

    def ping_received(self, now_ms: int, has_calls: bool) -> bool:
        """False: the client is to be sent away."""
        elapsed_ms = now_ms - self._last_ping_ms
        self._last_ping_ms = now_ms
        if self.has_responded:
            self.has_responded = False
            self._strike_count = 0
            return True
        if self._interval_min_ms == 0:
            return True
        if elapsed_ms < (self._interval_min_ms if has_calls else IDLE_PING_INTERVAL_MS):
            self._strike_count += 1
        return self._strike_count <= PING_STRIKES_MAX
