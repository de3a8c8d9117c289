"""The sessions that this bridge knows, who holds them, and when they end.

A session is fed in from applied changes (or at start), never invented here: the replica decides that it exists, this
table decides who speaks for it and when it has been silent for too long.

    absent --opened/restored--> OPEN --closing/expired--> CLOSING --closed--> absent
                                 ^---------reopened---------'      (the close could not be written)

Invariants:
1. A session's holder is the one connection that attached last; it is None once that connection detached.
2. OPEN sessions are in the expiry queue, CLOSING ones are not.

Source: ZooKeeper SessionTrackerImpl, ZooKeeperServer.reopenSession; reference 1.4, 7.1, 7.2.
"""

from hmac import compare_digest
from typing import Final, final

from zkbridge.sessions.expiry import ExpiryQueue, Session, SessionHolder

__all__ = ["Attachment", "Session", "SessionHolder", "SessionTable", "negotiate_timeout"]

SESSION_TIMEOUT_MIN_TICKS: Final = 2
SESSION_TIMEOUT_MAX_TICKS: Final = 20


def negotiate_timeout(requested_ms: int, min_ms: int, max_ms: int) -> int:
    """What a client gets for its wish, milliseconds; zero and negative wishes are raised to the least."""
    return min(max(requested_ms, min_ms), max_ms)


@final
class Attachment:
    """What a client's wish to go on with a session comes to.

    `session` is None when it is refused: answer "expired" and close. `displaced` is the connection that held the
    session until now; close it silently, even on refusal (ZooKeeper cuts it before it looks at the password).
    `timeout_changed`: the stored timeout has to be written anew.
    """

    __slots__ = ("displaced", "session", "timeout_changed")

    def __init__(self, session: Session | None, displaced: SessionHolder | None, timeout_changed: bool) -> None:
        self.session: Final = session
        self.displaced: Final = displaced
        self.timeout_changed: Final = timeout_changed


@final
class SessionTable:
    """Owned by the bridge's loop. All times are milliseconds of one monotonic clock."""

    __slots__ = ("_queue", "_sessions", "_timeout_max_ms", "_timeout_min_ms")

    def __init__(self, tick_ms: int, timeout_min_ms: int, timeout_max_ms: int, now_ms: int) -> None:
        assert 0 < timeout_min_ms <= timeout_max_ms, f"session timeouts {timeout_min_ms}..{timeout_max_ms}"
        self._timeout_min_ms: Final = timeout_min_ms
        self._timeout_max_ms: Final = timeout_max_ms
        self._queue: Final = ExpiryQueue(tick_ms, now_ms)
        self._sessions: Final[dict[int, Session]] = {}

    # What the replica says.

    def opened(
        self, session_id: int, timeout_ms: int, password: bytes, now_ms: int, holder: SessionHolder | None = None
    ) -> Session:
        """A session exists from now on, with its full timeout ahead: just opened, or found at start (so that a
        restart ends nothing early)."""
        assert session_id not in self._sessions, f"session {session_id:#x} opened twice"
        session = Session(session_id, timeout_ms, password)
        session.holder = holder
        self._sessions[session_id] = session
        self._queue.touch(session, now_ms)
        return session

    def changed(self, session_id: int, timeout_ms: int, password: bytes, now_ms: int) -> None:
        """The session's key was written: attached with a new timeout, or by a foreign hand."""
        session = self._sessions.get(session_id)
        if session is None:
            return
        session.password = password
        if session.is_closing:
            session.timeout_ms = timeout_ms
        else:
            self._queue.retime(session, timeout_ms, now_ms)

    def closed(self, session_id: int) -> Session | None:
        """The session is over. It still names the connection that holds it, whose end is the caller's to choose."""
        session = self._sessions.pop(session_id, None)
        if session is None:
            return None
        self._queue.remove(session)
        session.is_closing = True
        return session

    # What clients ask.

    def negotiate(self, requested_ms: int) -> int:
        """The timeout that a new session gets."""
        return negotiate_timeout(requested_ms, self._timeout_min_ms, self._timeout_max_ms)

    def attach(
        self, session_id: int, password: bytes | None, requested_ms: int, holder: SessionHolder, now_ms: int
    ) -> Attachment:
        """A connection asks to go on with a session."""
        session = self._sessions.get(session_id)
        if session is None:
            return Attachment(None, None, False)
        displaced = session.holder if session.holder is not holder else None
        session.holder = None
        # ZooKeeper's order: the old connection goes, then the password, then whether the session lives.
        if password is None or not compare_digest(password, session.password) or session.is_closing:
            return Attachment(None, displaced, False)
        timeout_ms = self.negotiate(requested_ms)
        timeout_changed = timeout_ms != session.timeout_ms
        session.holder = holder  # I1
        self._queue.retime(session, timeout_ms, now_ms)
        return Attachment(session, displaced, timeout_changed)

    def detach(self, session_id: int, holder: SessionHolder) -> bool:
        """A connection is gone; its session lives on. False if it is over, or another connection holds it by now."""
        session = self._sessions.get(session_id)
        if session is None or session.holder is not holder:
            return False
        session.holder = None
        return True

    def touch(self, session: Session, now_ms: int) -> None:
        """Bytes came from the client. Callers that count nanoseconds test `now_ms < session.fresh_until_ms` first."""
        if now_ms < session.fresh_until_ms or session.is_closing:
            return
        self._queue.touch(session, now_ms)

    # The end of a session.

    def closing(self, session_id: int) -> Session | None:
        """A close is on its way: no more touches or requests. None if the session is unknown or closing already."""
        session = self._sessions.get(session_id)
        if session is None or session.is_closing:
            return None
        session.is_closing = True
        self._queue.remove(session)  # I2
        return session

    def reopened(self, session_id: int, now_ms: int) -> None:
        """The close could not be written (the store refuses writes): the session lives on with a full timeout."""
        session = self._sessions.get(session_id)
        if session is not None and session.is_closing:
            session.is_closing = False
            session.has_expired = False
            self._queue.touch(session, now_ms)

    def expired(self, now_ms: int) -> list[Session]:
        """Sessions that were silent for too long; they are CLOSING now and wait for their close to be written.

        Call it at least twice a tick.
        """
        sessions = self._queue.expired(now_ms)
        for session in sessions:
            session.is_closing = True
            session.has_expired = True
        return sessions

    # Look-ups.

    def get(self, session_id: int) -> Session | None:
        """The session, closing ones included."""
        return self._sessions.get(session_id)

    def session_count(self) -> int:
        """How many there are (mntr's zk_global_sessions)."""
        return len(self._sessions)

    def session_ids(self) -> list[int]:
        """All of them, in order of opening."""
        return list(self._sessions)

    def deadlines(self) -> list[tuple[int, list[Session]]]:
        """Each tick with the sessions that end at it, ascending (for `dump`)."""
        return self._queue.deadlines()

    def check_invariants(self) -> None:
        """Assert the module's and the queue's invariants."""
        self._queue.check_invariants()
        queued = [session for _, sessions in self._queue.deadlines() for session in sessions]
        assert len(queued) == len(set(queued))
        alive = {session for session in self._sessions.values() if not session.is_closing}
        assert set(queued) == alive, "the queue and the open sessions differ"  # I2
