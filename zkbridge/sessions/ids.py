"""Session ids that no other server and no other run of this server gives out.

id: server id u8 | milliseconds at start, low 40 bits | counter u16, which runs over into the milliseconds

Worked example: server 1 started at millisecond 0x1bc3d2 gives 0x1000000_1bc3d2_0000, ..0001, and so on. A run that
gives out fewer than 65,536 ids a millisecond never reaches the ids of a run that starts after it.

Source: ZooKeeper SessionTrackerImpl.initializeNextSessionId; reference 7.1.
"""

from typing import Final, final

from zkbridge.types import SessionId

SERVER_ID_MAX: Final = 254
"""0xff in the top byte is the mark of TTL nodes."""

_COUNTER_BITS: Final = 16
_SERVER_ID_SHIFT: Final = 56
_LOW_MASK: Final = (1 << _SERVER_ID_SHIFT) - 1
_CONTAINER_OWNER: Final = 1 << 63


@final
class SessionIds:
    """Gives out session ids, ascending."""

    __slots__ = ("_low", "_server_id")

    def __init__(self, server_id: int, start_ms: int) -> None:
        """`start_ms`: a stamp that grows from run to run of this server; wall clock milliseconds will do."""
        assert 0 <= server_id <= SERVER_ID_MAX, f"server id {server_id}, expected 0..{SERVER_ID_MAX}"
        self._server_id: Final = server_id
        self._low = (start_ms << _COUNTER_BITS) & _LOW_MASK

    def next_id(self) -> SessionId:
        """A fresh id, signed 64 bit. Never 0 nor the mark of containers."""
        while True:
            unsigned = (self._server_id << _SERVER_ID_SHIFT) | self._low
            self._low = (self._low + 1) & _LOW_MASK
            if unsigned not in (0, _CONTAINER_OWNER):
                return SessionId(unsigned - (1 << 64) if unsigned >> 63 else unsigned)
