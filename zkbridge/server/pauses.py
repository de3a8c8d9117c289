"""Pauses of the whole server, as clients feel them: how much later than it should the loop comes to a timer.

ZooKeeper's JvmPauseMonitor asks the same of its threads. Whatever holds the loop up is in it: a garbage collection, a
long answer, a machine that gives its processor to others, a process that was stopped.
"""

import asyncio
from typing import Final

from zkbridge.server.clock import monotonic_ms
from zkbridge.summary import Summary

SLEEP_MS: Final = 500
"""As ZooKeeper's `jvm.pause.sleep.time.ms`."""


async def note_pauses(pauses_ms: Summary) -> None:
    """Long-lived: one note for each sleep, most of them 0 or 1."""
    while True:
        began_ms = monotonic_ms()
        await asyncio.sleep(SLEEP_MS / 1000)
        pauses_ms.note(max(monotonic_ms() - began_ms - SLEEP_MS, 0))
