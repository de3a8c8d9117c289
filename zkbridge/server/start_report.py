"""What to say while a start waits for the store: first look, then tell what was found. Pure."""

from typing import Final, NamedTuple

CURE_NOT_WRITABLE: Final = "free some space on the disk of the data directory; the start then goes on by itself"
CURE_WAITING: Final = "none is needed if the machine is merely busy; else look at the disk's latency and at the load"


class WaitReport(NamedTuple):
    """One line of the log."""

    level: str
    event: str
    reason: str
    cure: str


def report_wait(is_out_of_room: bool) -> WaitReport:
    """After some seconds without a write. An error only if one has failed: waiting may end by itself."""
    if is_out_of_room:
        return WaitReport("error", "store_not_writable", "a write found no room on the disk", CURE_NOT_WRITABLE)
    reason = "the store has not taken its first write yet; none has failed"
    return WaitReport("warning", "store_awaited", reason, CURE_WAITING)
