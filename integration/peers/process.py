"""A child process with its output in a file, and the waiting that goes with it."""

from __future__ import annotations

import atexit
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

TERMINATE_TIMEOUT_S = 30.0
SERVER_PORTS = (12000, 30000)
_alive: list[subprocess.Popen[bytes]] = []


def _end_all() -> None:
    for process in _alive:
        if process.poll() is None:
            process.kill()


atexit.register(_end_all)


def free_port() -> int:
    """A loopback port that nobody listens on at the moment.

    Not one of those that the system gives to outgoing connections: a client that knocks on its stopped server's port
    would now and then be given that very port, connect to itself and keep the server from coming back.
    """
    for port in random.SystemRandom().sample(range(*SERVER_PORTS), 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError(f"no free port among a hundred of {SERVER_PORTS}")


def wait_until(condition: Callable[[], bool], timeout_s: float, what: str) -> None:
    """Poll until the condition holds; fail with `what` otherwise."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s:.0f} s: {what}")
        time.sleep(0.02)


def ask_four_letters(port: int, word: str, timeout_s: float = 5.0) -> str:
    """What a server answers to a four-letter word; empty if nobody answers."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=timeout_s) as conn:
            conn.sendall(word.encode())
            chunks: list[bytes] = []
            while chunk := conn.recv(65536):
                chunks.append(chunk)
            return b"".join(chunks).decode(errors="replace")
    except OSError:
        return ""


class ChildProcess:
    """One server process that can be killed, stopped and started again with the same command."""

    def __init__(self, command: Sequence[str], log_path: Path, environment: Mapping[str, str] | None = None) -> None:
        self.command = list(command)
        self.log_path = log_path
        self.environment = dict(environment or {})
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id; only while it runs."""
        assert self.process is not None, "not started"
        return self.process.pid

    def is_running(self) -> bool:
        """Whether the process lives."""
        return self.process is not None and self.process.poll() is None

    def spawn(self) -> None:
        """Start the process; its output is appended to the log."""
        assert not self.is_running(), "already running"
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.environment},
            )
        _alive.append(self.process)

    def kill(self) -> None:
        """kill -9, and wait for the end."""
        self._end(signal.SIGKILL)

    def terminate(self) -> int:
        """SIGTERM; the exit status. A process that doesn't end in time is killed, and that is an error."""
        return self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> int:
        process = self.process
        if process is None:
            return 0
        if process.poll() is None:
            process.send_signal(number)
        try:
            status = process.wait(TERMINATE_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"pid {process.pid} did not end on {number.name}; log:\n{self.log_tail()}") from None
        finally:
            self.process = None
            if process in _alive:
                _alive.remove(process)
        return status

    def log_text(self) -> str:
        """Everything the process wrote so far, over all its starts."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def log_tail(self, size: int = 4000) -> str:
        """The end of the log, for messages."""
        return self.log_text()[-size:]
