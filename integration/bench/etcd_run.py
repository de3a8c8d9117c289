"""`make bench-etcd`: etcdcore beside etcd, both durable on the same disk, driven by etcd's own benchmark tool.

python -m integration.bench.etcd_run [--rounds N] [--total N] [--scenario a;b]

100 clients on 20 connections, 256-byte values, alternating rounds. Prints a table of medians and ratios: ours divided
by etcd's for rates, etcd's divided by ours for latencies, so that more is better in every row.
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from integration.peers import golang
from integration.peers.etcd import EtcdServer, OurEtcd, RealEtcd

KEYS = 10_000
CLIENTS = ("--conns", "20", "--clients", "100")
VALUES = ("--key-size", "8", "--val-size", "256")
RUN_TIMEOUT_S = 300
_RATE = re.compile(r"Requests/sec:\s+([0-9.]+)")
_AVERAGE = re.compile(r"Average:\s+([0-9.]+)")
_P99 = re.compile(r"99% in ([0-9.]+)")


@dataclass(frozen=True)
class Scenario:
    """One row: the tool's words, what part of `--total` it does, and the least ratio that the project promises."""

    name: str
    words: tuple[str, ...]
    share: float
    ratio_min: float
    is_latency: bool = False


SCENARIOS = (
    Scenario("put", ("put", *VALUES, f"--key-space-size={KEYS}"), 1.0, 1.0),
    Scenario("txn-put", ("txn-put", *VALUES, f"--key-space-size={KEYS}"), 1.0, 1.0),
    Scenario("range, serializable", ("range", "bench-key", "--consistency=s"), 2.0, 1.5),
    Scenario("range, linearizable", ("range", "bench-key", "--consistency=l"), 2.0, 1.5),
    Scenario("lease keepalive", ("lease-keepalive",), 1.0, 1.0),
    Scenario(
        "watch latency, ms",
        ("watch-latency", "--key-size=32", "--val-size=256", "--put-rate=500", "--put-total=2000"),
        0.0,
        1.0,
        True,
    ),
)


@dataclass(frozen=True)
class Sample:
    """Requests a second, or the average latency in milliseconds; and the 99th percentile in milliseconds."""

    figure: float
    p99_ms: float


def sample(binary: Path, scenario: Scenario, server: EtcdServer, total: int) -> Sample:
    """One run of the tool."""
    command = [str(binary), f"--endpoints={server.address}", "--precise", *CLIENTS, *scenario.words]
    if scenario.share:
        command.append(f"--total={int(total * scenario.share)}")
    done = subprocess.run(command, capture_output=True, text=True, timeout=RUN_TIMEOUT_S, check=False)
    figure = (_AVERAGE if scenario.is_latency else _RATE).search(done.stdout)
    p99 = _P99.search(done.stdout)
    if done.returncode or figure is None or p99 is None:
        raise SystemExit(f"benchmark failed on {scenario.name} of {server.kind}:\n{done.stdout}{done.stderr}")
    return Sample(float(figure[1]) * (1000 if scenario.is_latency else 1), float(p99[1]) * 1000)


def measure(binary: Path, scenario: Scenario, ours: EtcdServer, theirs: EtcdServer, rounds: int, total: int) -> float:
    """Prints the row; the ratio."""
    samples: dict[str, list[Sample]] = {ours.kind: [], theirs.kind: []}
    for _ in range(rounds):
        for server in (ours, theirs):
            samples[server.kind].append(sample(binary, scenario, server, total))
    figures = {kind: statistics.median(found.figure for found in each) for kind, each in samples.items()}
    late = {kind: statistics.median(found.p99_ms for found in each) for kind, each in samples.items()}
    ratio = figures[ours.kind] / figures[theirs.kind]
    if scenario.is_latency:
        ratio = 1 / ratio
    digits = 2 if scenario.is_latency else 0
    print(
        f"| {scenario.name} | {figures[ours.kind]:,.{digits}f} | {figures[theirs.kind]:,.{digits}f} | **{ratio:.2f}** "
        f"| {scenario.ratio_min:.1f} | {late[ours.kind]:.1f} | {late[theirs.kind]:.1f} |",
        flush=True,
    )
    return ratio


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m integration.bench.etcd_run")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--total", type=int, default=30_000, help="requests a run")
    parser.add_argument("--scenario", default="", help="rows, separated by semicolons; all without")
    options = parser.parse_args(arguments)
    wanted = [name.strip() for name in options.scenario.split(";") if name.strip()]
    binary = golang.install(golang.BENCHMARK)
    missed: list[str] = []
    with tempfile.TemporaryDirectory(prefix="zkbridge-bench-") as name:
        folder = Path(name)
        with OurEtcd(folder / "ours") as ours, RealEtcd(folder / "theirs") as theirs:
            print("| scenario | etcdcore/s | etcd/s | ratio | promised | p99 ms | etcd's p99 ms |")
            print("|---|---|---|---|---|---|---|", flush=True)
            for scenario in SCENARIOS:
                if wanted and scenario.name not in wanted:
                    continue
                if measure(binary, scenario, ours, theirs, options.rounds, options.total) < scenario.ratio_min:
                    missed.append(scenario.name)
    print(f"\nratio below the promise: {', '.join(missed) or 'none'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
