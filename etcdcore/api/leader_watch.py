"""Streams whose clients asked for a leader (`hasleader`): ended when there has been none for three election timeouts.

Pure: the caller brings a monotonic time. Source: etcd server/etcdserver/api/v3rpc/interceptor.go, monitorLeader.
"""

from typing import Final, final

from etcdcore.errors import NoLeader
from etcdcore.rpc.calls import Call

ELECTION_TIMEOUTS: Final = 3


@final
class LeaderWatch:
    """Example, election timeout 1 s: leader seen at 10.0, none from 10.5 on: the streams end at the first look after
    13.0."""

    __slots__ = ("_calls", "_last_seen_s", "_patience_s")

    def __init__(self, election_timeout_s: float) -> None:
        self._patience_s: Final = ELECTION_TIMEOUTS * election_timeout_s
        self._last_seen_s = -1.0
        self._calls: Final[dict[Call, None]] = {}

    def add(self, call: Call) -> None:
        """A new stream; of interest only if its client asked."""
        if call.metadata.get("hasleader") == "true":
            self._calls[call] = None

    def forget(self, call: Call) -> None:
        """It is over."""
        self._calls.pop(call, None)

    def look(self, has_leader: bool, now_s: float) -> None:
        """Called now and then."""
        if has_leader or self._last_seen_s < 0:
            self._last_seen_s = now_s
        elif now_s - self._last_seen_s > self._patience_s:
            calls = list(self._calls)
            self._calls.clear()
            for call in calls:
                listener = call.listener
                call.refuse(NoLeader())
                if listener is not None:
                    listener.call_cancelled()
