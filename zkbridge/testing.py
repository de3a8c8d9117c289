"""A real server for other people's tests: a pytest fixture, and the context manager behind it.

    def test_something(zkbridge_server):
        client = KazooClient(zkbridge_server.hosts)

    with running_server() as server:
        ...

The server runs in a process of its own, on a free port of 127.0.0.1, its data in a directory that goes away with it.
Importing this module starts nothing; pytest loads it as the plugin `zkbridge`.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

START_TIMEOUT_S: Final = 30.0
STOP_TIMEOUT_S: Final = 30.0
_START_ATTEMPTS: Final = 3
_POLL_S: Final = 0.02
_ANSWER_TIMEOUT_S: Final = 5.0
_LOG_TAIL_BYTES: Final = 4000


class ServerDidNotStart(Exception):
    """The server ended or stayed silent; the message carries the end of its log."""


class RunningServer:
    """A server process. `flags` are those of `zkbridge serve` without dashes, as in {"tick-time": "200"}."""

    def __init__(self, directory: Path, flags: Mapping[str, str] | None = None, config: Path | None = None) -> None:
        self.data_dir: Final = directory / "data"
        self.log_path: Final = directory / "server.log"
        self._flags: Final = dict(flags or {})
        self._config: Final = config
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def hosts(self) -> str:
        """host:port, as clients want it."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Of the server process."""
        assert self._process is not None, "the server was not started"
        return self._process.pid

    def start(self) -> None:
        """Start on the data that is there, and wait until it serves. Raises ServerDidNotStart."""
        for attempt in range(_START_ATTEMPTS):
            # The port is kept over a restart, so that clients find the server again.
            port = self.port or _free_port()
            self._spawn(port)
            if self._wait_serving(port):
                self.port = port
                return
            # Between our look and the server's bind somebody else may have taken the port: only then try again.
            if self.port or attempt == _START_ATTEMPTS - 1 or "in use" not in self.log_tail():
                break
        self.kill()
        raise ServerDidNotStart(f"zkbridge did not start within {START_TIMEOUT_S} s; its log ends:\n{self.log_tail()}")

    def _spawn(self, port: int) -> None:
        command = [sys.executable, "-m", "zkbridge", "serve", "--data-dir", str(self.data_dir)]
        command += ["--client-addr", f"127.0.0.1:{port}"]
        if self._config is not None:
            command += ["--config", str(self._config)]
        for name, value in self._flags.items():
            command += [f"--{name}", value] if value else [f"--{name}"]
        # Settings of the caller's own environment are not this server's.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ZKBRIDGE_")}
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True
            )

    def _wait_serving(self, port: int) -> bool:
        assert self._process is not None
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                return False
            if "Mode:" in ask_four_letter_word(port, "srvr"):
                return True
            time.sleep(_POLL_S)
        return False

    def stop(self) -> int:
        """SIGTERM, and wait for the orderly end. Returns the exit status; harmless on a stopped server."""
        process = self._process
        assert process is not None, "the server was not started"
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            return process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self) -> None:
        """kill -9, as in a crash."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def restart(self) -> None:
        """Stop in order, start on the same data and port."""
        self.stop()
        self.start()

    def log_tail(self) -> str:
        """The last lines of the log."""
        if not self.log_path.exists():
            return ""
        return self.log_path.read_bytes()[-_LOG_TAIL_BYTES:].decode("utf-8", "replace")


def ask_four_letter_word(port: int, word: str) -> str:
    """The answer of a server on 127.0.0.1; empty if there is none."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=_ANSWER_TIMEOUT_S) as connection:
            connection.sendall(word.encode())
            parts: list[bytes] = []
            while part := connection.recv(65536):
                parts.append(part)
            return b"".join(parts).decode("utf-8", "replace")
    except OSError:
        return ""  # Not listening yet, or going down: the caller polls.


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running_server(flags: Mapping[str, str] | None = None, config: Path | None = None) -> Iterator[RunningServer]:
    """A fresh server that stops with the block. Raises ServerDidNotStart."""
    with tempfile.TemporaryDirectory(prefix="zkbridge-") as directory:
        server = RunningServer(Path(directory), flags, config)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture
def zkbridge_server() -> Iterator[RunningServer]:
    """A fresh zkbridge server, for one test."""
    with running_server() as server:
        yield server
