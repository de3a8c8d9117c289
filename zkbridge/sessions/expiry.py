"""When silence ends a session: deadlines rounded up to ticks, one bucket a tick.

deadline = ((now + timeout) / tick + 1) * tick, so a silent session ends between its timeout and one tick after it.

Worked example, tick 2000, session S with timeout 5000 (deadline of S after each step):
    now 1000  touch S   8000     (6000/2000+1)*2000
    now 2500  touch S   8000     same bucket: nothing to do until now reaches 3000
    now 3000  touch S  10000     moved
    now 9999  expired  -> []
    now 10000 expired  -> [S]

Invariants:
1. A queued session is in the bucket of its `deadline_ms`, and in no other; one that is not queued has deadline 0.
2. While `now < session.fresh_until_ms` a touch would leave the session in its bucket.

Source: ZooKeeper ExpiryQueue; reference 7.2.
"""

from typing import Final, final

from mypy_extensions import mypyc_attr, trait

from zkbridge.types import hex_of


@final
class Session:
    """A session as this bridge knows it. The table and its queue own it; others read.

    `is_closing`: a close is on its way, requests are dropped. `has_expired`: because of silence. `holder`: the
    connection, if it is on this bridge; `peer`: the address of the last one, for the log.
    """

    __slots__ = (
        "deadline_ms",
        "fresh_until_ms",
        "has_expired",
        "holder",
        "is_closing",
        "password",
        "peer_host",
        "peer_port",
        "session_id",
        "timeout_ms",
    )

    def __init__(self, session_id: int, timeout_ms: int, password: bytes) -> None:
        self.session_id: Final = session_id
        self.password = password
        self.timeout_ms = timeout_ms
        self.is_closing = False
        self.has_expired = False
        self.peer_host = ""
        self.peer_port = 0
        self.holder: SessionHolder | None = None
        self.deadline_ms = 0
        self.fresh_until_ms = 0

    @property
    def peer(self) -> str:
        return f"{self.peer_host}:{self.peer_port}" if self.peer_host else ""

    def __repr__(self) -> str:
        return f"Session({hex_of(self.session_id)}, timeout_ms={self.timeout_ms})"


@trait
@mypyc_attr(allow_interpreted_subclasses=True)
class SessionHolder:
    """A connection as the sessions see it: opaque, compared by identity."""

    __slots__ = ()


@final
class ExpiryQueue:
    """Sessions by deadline. `expired` wants to be called at least twice a tick."""

    __slots__ = ("_buckets", "_hold_until_ms", "_next_ms", "_polled_ms", "_tick_ms")

    def __init__(self, tick_ms: int, now_ms: int) -> None:
        assert tick_ms > 0, f"tick of {tick_ms} ms, expected more than 0"
        self._tick_ms: Final = tick_ms
        self._buckets: Final[dict[int, dict[Session, None]]] = {}
        self._next_ms = (now_ms // tick_ms + 1) * tick_ms
        self._polled_ms = now_ms
        self._hold_until_ms = now_ms

    def touch(self, session: Session, now_ms: int) -> None:
        """The client was heard. Cheap when its deadline stays in the same tick."""
        if now_ms < session.fresh_until_ms:
            return  # I2
        tick_ms = self._tick_ms
        timeout_ms = session.timeout_ms
        deadline_ms = ((now_ms + timeout_ms) // tick_ms + 1) * tick_ms
        if deadline_ms != session.deadline_ms:
            self.remove(session)
            bucket = self._buckets.get(deadline_ms)
            if bucket is None:
                bucket = self._buckets[deadline_ms] = {}
            bucket[session] = None
            session.deadline_ms = deadline_ms
        session.fresh_until_ms = deadline_ms - timeout_ms

    def retime(self, session: Session, timeout_ms: int, now_ms: int) -> None:
        """A new timeout counts from now on."""
        session.timeout_ms = timeout_ms
        session.fresh_until_ms = 0
        self.touch(session, now_ms)

    def remove(self, session: Session) -> None:
        """Stop watching the clock for a session; harmless if it isn't queued."""
        deadline_ms = session.deadline_ms
        if deadline_ms == 0:
            return
        bucket = self._buckets[deadline_ms]
        del bucket[session]
        if not bucket:
            del self._buckets[deadline_ms]
        session.deadline_ms = 0
        session.fresh_until_ms = 0

    def expired(self, now_ms: int) -> list[Session]:
        """Take out the sessions whose deadline has come, oldest deadline first.

        Differs from ZooKeeper: after a pause of this process (no poll for more than two ticks) one more tick passes
        before anything expires. The silence was ours, and what the clients sent meanwhile still has to be read.
        """
        tick_ms = self._tick_ms
        if now_ms - self._polled_ms > 2 * tick_ms:
            self._hold_until_ms = now_ms + tick_ms
        self._polled_ms = now_ms
        sessions: list[Session] = []
        if now_ms < self._hold_until_ms:
            return sessions
        while self._next_ms <= now_ms:
            bucket = self._buckets.pop(self._next_ms, None)
            self._next_ms += tick_ms
            if bucket is not None:
                for session in bucket:
                    session.deadline_ms = 0
                    session.fresh_until_ms = 0
                    sessions.append(session)
        return sessions

    def deadlines(self) -> list[tuple[int, list[Session]]]:
        """Each tick with its sessions, ascending (for `dump`)."""
        return [(deadline_ms, list(self._buckets[deadline_ms])) for deadline_ms in sorted(self._buckets)]

    def check_invariants(self) -> None:
        """Assert the module's invariants."""
        for deadline_ms, bucket in self._buckets.items():
            assert bucket, "an empty bucket is kept"
            assert deadline_ms >= self._next_ms, f"bucket {deadline_ms} is behind {self._next_ms}"
            for session in bucket:
                assert session.deadline_ms == deadline_ms, repr(session)  # I1
                assert session.fresh_until_ms == deadline_ms - session.timeout_ms, repr(session)  # I2
