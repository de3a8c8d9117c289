"""Empty unary calls a second for Go's client, on both carriers: `python -m integration.etcd.http2.measure`.

100 callers on 20 connections, each with one call at a time. Beside the rate stands what a call costs the server's core,
since the client takes more of the machine than the server does.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from integration.etcd.http2.echo_process import EchoProcess
from integration.peers import golang

LOAD: Final = Path(__file__).parent / "echoload"
CARRIERS: Final = ("ours", "grpcio")
WARM_UP_S: Final = 1.0
_RESULT: Final = re.compile(r"calls=(\d+) per_second=(\d+) p50_us=(\d+) p99_us=(\d+)")


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one run."""

    calls_per_s: int
    p50_us: int
    p99_us: int
    server_us_per_call: float


def measure(carrier: str, seconds: float, *options: str) -> Figures:
    """One fresh server, warmed up, then loaded for so long. `options` are echoload's."""
    program = golang.build_module(LOAD)
    with tempfile.TemporaryDirectory(prefix="echo-") as folder, EchoProcess(carrier, Path(folder)) as server:
        command = [str(program), "-address", f"127.0.0.1:{server.port}", *options, "-seconds"]
        subprocess.run([*command, str(WARM_UP_S)], check=True, capture_output=True)
        before_s = server.cpu_s()
        done = subprocess.run([*command, str(seconds)], check=True, capture_output=True, text=True)
        used_s = server.cpu_s() - before_s
    found = _RESULT.search(done.stdout)
    assert found is not None, done.stdout
    calls, rate, p50, p99 = map(int, found.groups())
    return Figures(rate, p50, p99, used_s * 1e6 / calls)


def main() -> None:
    """Alternating rounds of both carriers."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=2)
    arguments, options = parser.parse_known_args()
    for _ in range(arguments.rounds):
        for carrier in CARRIERS:
            figures = measure(carrier, arguments.seconds, *options)
            print(
                f"{carrier:7} {figures.calls_per_s:6} calls/s, p50 {figures.p50_us} us, p99 {figures.p99_us} us, "
                f"{figures.server_us_per_call:.1f} us of the server's core a call",
                flush=True,
            )


if __name__ == "__main__":
    main()
