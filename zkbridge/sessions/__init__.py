"""Sessions as one bridge knows them, and who a connection is.

Lives here: session ids (`ids`), who holds which session (`table`), when silence ends one (`expiry`), the ids that a
connection has proven (`credentials`). May import: tree.acl, types, errors. No IO, clock, randomness, logging or
asyncio: time is a monotonic `now_ms` argument, passwords come from the caller.
Invariants: a session never expires before its full timeout has passed in silence; one connection at most holds it.
"""

from zkbridge.sessions.expiry import ExpiryQueue
from zkbridge.sessions.ids import SessionIds
from zkbridge.sessions.table import Attachment, Session, SessionHolder, SessionTable, negotiate_timeout

__all__ = [
    "Attachment",
    "ExpiryQueue",
    "Session",
    "SessionHolder",
    "SessionIds",
    "SessionTable",
    "negotiate_timeout",
]
