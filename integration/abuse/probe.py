"""The other client: a process of its own that reads and writes one node and measures how long each answer takes.

Started by `watch_over`; as a program, `python -m integration.abuse.probe PORT`, it works until its standard input ends
and then prints one JSON line.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from integration.abuse.connection import RawConnection, get_data, set_data
from integration.conformance.frame_socket import Closed
from integration.peers.process import ask_four_letters, wait_until
from integration.peers.servers import ZooKeeperServer

REPOSITORY = Path(__file__).resolve().parents[2]
PROBE_PATH = b"/zookeeper"
"""A node that is always there, so that the probe leaves no trace in the tree."""
PAUSE_S = 0.003
START_TIMEOUT_S = 30.0
LATENCY_MAX_MS = 1500.0
"""The slowest answer allowed: a stall that clients survive, on a machine busy with the abuse and other suites."""
LATENCY_MEDIAN_MAX_MS = 100.0
ANSWERS_FOR_A_MEDIAN = 100


@dataclass(frozen=True, slots=True)
class Report:
    """What the probe has seen."""

    answers: int
    errors: list[str]
    median_ms: float
    p99_ms: float
    max_ms: float


def measure(port: int) -> Report:
    """Set and get in turns until standard input ends."""
    taken: list[float] = []
    errors: list[str] = []
    with RawConnection(port) as connection:
        connection.open_session()
        print("ready", flush=True)
        number = 0
        try:
            while not select.select([sys.stdin], [], [], PAUSE_S)[0]:
                number += 1
                value = b"%d" % number
                for frame in (set_data(number, PROBE_PATH, value), get_data(number, PROBE_PATH)):
                    start = time.perf_counter()
                    error, body = connection.call(frame)
                    taken.append((time.perf_counter() - start) * 1000)
                    if error:
                        errors.append(f"error {error} after {number} rounds")
                if body[4 : 4 + len(value)] != value:
                    errors.append(f"read {body[:20]!r} after writing {value!r}")
        except Closed:
            errors.append(f"closed after {number} rounds")
        except TimeoutError:
            errors.append(f"no answer after {number} rounds")
    taken.sort()
    if not taken:
        return Report(0, errors, 0.0, 0.0, 0.0)
    return Report(len(taken), errors, taken[len(taken) // 2], taken[len(taken) * 99 // 100], taken[-1])


@contextmanager
def watch_over(server: ZooKeeperServer) -> Iterator[None]:
    """While the body runs another client is served without error or long wait; afterwards the server is well."""
    process = subprocess.Popen(
        [sys.executable, "-m", "integration.abuse.probe", str(server.port)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        assert process.stdout.readline() == "ready\n", "the probe does not start"
        yield
        process.stdin.close()
        report = Report(**json.loads(process.stdout.readline()))
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    check_well(server)
    if "ZKBRIDGE_ABUSE_REPORT" in os.environ:
        print(f"\nprobe: {report}", file=sys.stderr)
    assert not report.errors, f"another client noticed: {report}"
    assert report.answers > 0, "the probe got no turn"
    assert report.max_ms < LATENCY_MAX_MS, f"another client waited: {report}"
    if report.answers >= ANSWERS_FOR_A_MEDIAN:
        assert report.median_ms < LATENCY_MEDIAN_MAX_MS, f"another client was slowed down: {report}"


def check_well(server: ZooKeeperServer) -> None:
    """The process lives, answers ruok, and has logged no error of its own."""
    assert server.child.is_running(), f"the server has died; log:\n{server.child.log_tail()}"
    wait_until(lambda: ask_four_letters(server.port, "ruok") == "imok", START_TIMEOUT_S, "ruok is answered")
    log = server.child.log_text()
    if "org.apache.zookeeper" not in " ".join(server.child.command):  # ZooKeeper logs a trace for each bad packet
        for sign in ("Traceback", '"level": "error"', '"level": "critical"'):
            assert sign not in log, f"{sign} in the log:\n{log[max(0, log.index(sign) - 2000) :][:6000]}"


if __name__ == "__main__":
    seen = measure(int(sys.argv[1]))
    print(json.dumps({name: getattr(seen, name) for name in Report.__slots__}), flush=True)
