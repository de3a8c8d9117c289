"""Resident memory of a server process."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Self

import psutil

from integration.peers.servers import ZooKeeperServer

MIB = 1024 * 1024
SAMPLE_INTERVAL_S = 0.02


def resident_mib(server: ZooKeeperServer) -> float:
    """Resident memory now, without the pages of mapped files: those the kernel takes back when it wants them."""
    memory = psutil.Process(server.child.pid).memory_info()
    return float(memory.rss - memory.shared) / MIB


class PeakMemory:
    """Watches resident memory while its `with` block runs; growth is counted from the start of the block."""

    def __init__(self, server: ZooKeeperServer) -> None:
        self.server = server
        self.before_mib = resident_mib(server)
        self.peak_mib = self.before_mib
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    @property
    def growth_mib(self) -> float:
        """How much more there was at the worst moment."""
        return self.peak_mib - self.before_mib

    @property
    def kept_mib(self) -> float:
        """How much more there is now."""
        return resident_mib(self.server) - self.before_mib

    def wait_returned(self, kept_max_mib: float, timeout_s: float) -> None:
        """Wait until no more than this is kept."""
        deadline = time.monotonic() + timeout_s
        while self.kept_mib > kept_max_mib:
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.kept_mib:.0f} MiB more than before, expected at most {kept_max_mib:.0f}")
            time.sleep(0.1)

    def _watch(self) -> None:
        while not self._ended.wait(SAMPLE_INTERVAL_S):
            if not self.server.child.is_running():
                return
            self.peak_mib = max(self.peak_mib, resident_mib(self.server))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
