"""What an operator reads of sessions: opened, reattached, left by their connection, expired, closed.

So that an id in an application's log is found in ours, each has a line. So that thousands of short sessions a second
cost nothing and bury nothing, only the first LINES_MAX of a kind in a second do, and then one line has the sums.

    session_opened session_id=0x1000… peer=10.0.0.7:41212 timeout_ms=30000
    session_disconnected session_id=0x1000… peer=10.0.0.7:41212
    session_expired session_id=0x1000… peer=10.0.0.7:41212 timeout_ms=30000 ephemerals=2
    sessions_summed_up opened=4012 closed=3998 lines_max=10

`peer` is the connection that the session had last; "" if it has had none since this server's start.

Invariants:
1. A kind has at most LINES_MAX lines between two ticks, and a tick writes one line at most.
2. Nothing of a client's data and no password gets here.
"""

from __future__ import annotations

import asyncio
from typing import Final, final

import structlog

from zkbridge.types import hex_of

_log = structlog.get_logger()

LINES_MAX: Final = 10
"""Lines of one kind in a second: enough to see how many clients a server has that come and go by hand."""

TICK_S: Final = 1.0


@final
class SessionLog:
    """Counts, and writes what is few."""

    __slots__ = ("_closed", "_disconnected", "_expired", "_opened", "_reattached", "_refused")

    def __init__(self) -> None:
        self._opened = 0
        self._reattached = 0
        self._refused = 0
        self._disconnected = 0
        self._expired = 0
        self._closed = 0

    def opened(self, session_id: int, peer: str, timeout_ms: int) -> None:
        """A new session, whose client has its answer or will find it gone."""
        self._opened += 1
        if self._opened <= LINES_MAX:
            _log.info("session_opened", session_id=hex_of(session_id), peer=peer, timeout_ms=timeout_ms)

    def only_counts_opened(self) -> bool:
        """Whether a session opened now has no line. It is counted then, and nobody has to make up what to say."""
        if self._opened < LINES_MAX:
            return False
        self._opened += 1
        return True

    def only_counts_closed(self) -> bool:
        """The same of one that was closed."""
        if self._closed < LINES_MAX:
            return False
        self._closed += 1
        return True

    def reattached(self, session_id: int, peer: str, timeout_ms: int) -> None:
        """Its client came back on another connection."""
        self._reattached += 1
        if self._reattached <= LINES_MAX:
            _log.info("session_reattached", session_id=hex_of(session_id), peer=peer, timeout_ms=timeout_ms)

    def reattach_refused(self, session_id: int, peer: str) -> None:
        """A client asked for a session that is over, or had the wrong password."""
        self._refused += 1
        if self._refused <= LINES_MAX:
            _log.info("session_reattach_refused", session_id=hex_of(session_id), peer=peer)

    def disconnected(self, session_id: int, peer: str) -> None:
        """Its connection is gone; the session waits for its client until it expires."""
        self._disconnected += 1
        if self._disconnected <= LINES_MAX:
            _log.info("session_disconnected", session_id=hex_of(session_id), peer=peer)

    def expired(self, session_id: int, peer: str, timeout_ms: int, ephemeral_count: int) -> None:
        """Its client was silent for too long, and it is over."""
        self._expired += 1
        if self._expired <= LINES_MAX:
            _log.info(
                "session_expired",
                session_id=hex_of(session_id),
                peer=peer,
                timeout_ms=timeout_ms,
                ephemerals=ephemeral_count,
            )

    def closed(self, session_id: int, peer: str, ephemeral_count: int) -> None:
        """Its client, or a foreign hand, ended it."""
        self._closed += 1
        if self._closed <= LINES_MAX:
            _log.info("session_closed", session_id=hex_of(session_id), peer=peer, ephemerals=ephemeral_count)

    def tick(self) -> None:
        """Begins a new second; what had no lines of its own in the last one is summed up, all of its kind included."""
        many: dict[str, int] = {}
        for kind, count in (
            ("opened", self._opened),
            ("reattached", self._reattached),
            ("reattach_refused", self._refused),
            ("disconnected", self._disconnected),
            ("expired", self._expired),
            ("closed", self._closed),
        ):
            if count > LINES_MAX:
                many[kind] = count
        self._opened = self._reattached = self._refused = 0
        self._disconnected = self._expired = self._closed = 0
        if many:
            _log.info("sessions_summed_up", lines_max=LINES_MAX, **many)

    async def serve(self) -> None:
        """Ticks once a second, and once more at the end."""
        try:
            while True:
                await asyncio.sleep(TICK_S)
                self.tick()
        finally:
            self.tick()
