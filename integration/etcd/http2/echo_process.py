"""The echo server as a child process that tells its port."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

STOP_TIMEOUT_S = 10.0


class EchoProcess:
    """`with EchoProcess("ours", folder) as server`; its log is in the folder."""

    def __init__(self, carrier: str, folder: Path, *options: str, url: str = "http://127.0.0.1:0") -> None:
        self.carrier = carrier
        self.log_path = folder / "echo.log"
        command = [sys.executable, "-m", "integration.etcd.http2.echo_server", "--carrier", carrier, *options, url]
        with self.log_path.open("wb") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)

    def __enter__(self) -> Self:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line.strip().isdigit(), f"the echo server did not start:\n{self.log_path.read_text()}"
        self.port = int(line)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def begin_stop(self) -> None:
        """Ask it to stop gracefully."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    def wait(self, timeout_s: float = STOP_TIMEOUT_S) -> int:
        """Its exit status. Raises subprocess.TimeoutExpired."""
        return self._process.wait(timeout_s)

    def stop(self) -> None:
        """Gracefully, then by force."""
        if self._process.poll() is None:
            self.begin_stop()
            try:
                self.wait()
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
                raise
        assert self._process.stdout is not None
        self._process.stdout.close()

    def memory_bytes(self) -> int:
        """Resident memory."""
        resident: int = psutil.Process(self._process.pid).memory_info().rss
        return resident

    def cpu_s(self) -> float:
        """Processor time used so far."""
        times = psutil.Process(self._process.pid).cpu_times()
        return float(times.user + times.system)
