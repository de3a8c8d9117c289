"""`make bench-etcd`: etcdcore beside etcd, both durable on the same disk, driven by etcd's own benchmark tool.

python -m integration.bench.etcd_run [--rounds N] [--total N] [--scenario a;b] [--check-perf s;m]

100 clients on 20 connections, 256-byte values, alternating rounds. Prints a table of medians and ratios: ours divided
by etcd's for rates, etcd's divided by ours for latencies, so that more is better in every row. The two kinds of range
take turns within a round, so that the one can be held against the other. Then `etcdctl check perf`, a minute for each
load and server, whose verdicts are bound to time and so are asked for here and not in the tests.
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
from typing import Final

from integration.peers import golang
from integration.peers.build import build_name
from integration.peers.etcd import Etcdctl, EtcdServer, OurEtcd, RealEtcd

KEYS = 10_000
CLIENTS = ("--conns", "20", "--clients", "100")
VALUES = ("--key-size", "8", "--val-size", "256")
RUN_TIMEOUT_S = 300
_NUMBER = r"([0-9.]+(?:e-?[0-9]+)?)"
_RATE = re.compile(rf"Requests/sec:\s+{_NUMBER}")
_AVERAGE = re.compile(rf"Average:\s+{_NUMBER}")
_P99 = re.compile(rf"99% in {_NUMBER}")
WATCH_EVENTS: Final = "Watch events summary:"
"""Its watch latency prints a summary of the puts first; an event's latency counts from its put's answer."""


@dataclass(frozen=True)
class Scenario:
    """One row: the tool's words, what part of `--total` it does, and the least ratio that the project promises."""

    name: str
    words: tuple[str, ...]
    share: float
    ratio_min: float
    is_latency: bool = False


SERIALIZABLE = Scenario("range, serializable", ("range", "bench-key", "--consistency=s"), 4.0, 1.5)
LINEARIZABLE = Scenario("range, linearizable", ("range", "bench-key", "--consistency=l"), 4.0, 1.5)
LINEARIZABLE_PART_MIN = 0.9
"""Of the serializable range's rate: what the linearizable one must reach."""
GROUPS = (
    (Scenario("put", ("put", *VALUES, f"--key-space-size={KEYS}"), 1.0, 1.0),),
    (Scenario("txn-put", ("txn-put", *VALUES, f"--key-space-size={KEYS}"), 1.0, 1.0),),
    (SERIALIZABLE, LINEARIZABLE),
    (Scenario("lease keepalive", ("lease-keepalive",), 1.0, 1.0),),
    (
        Scenario(
            "watch latency, ms",
            ("watch-latency", "--key-size=32", "--val-size=256", "--put-rate=500", "--put-total=2000"),
            0.0,
            1.0,
            True,
        ),
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
    summary = done.stdout[done.stdout.find(WATCH_EVENTS) :] if scenario.is_latency else done.stdout
    figure = (_AVERAGE if scenario.is_latency else _RATE).search(summary)
    p99 = _P99.search(summary)
    if done.returncode or figure is None or p99 is None:
        raise SystemExit(f"benchmark failed on {scenario.name} of {server.kind}:\n{done.stdout}{done.stderr}")
    return Sample(float(figure[1]) * (1000 if scenario.is_latency else 1), float(p99[1]) * 1000)


Samples = dict[tuple[Scenario, str], list[Sample]]
"""By scenario and kind of server, one of each round."""


def measure(
    binary: Path, scenarios: Sequence[Scenario], servers: Sequence[EtcdServer], rounds: int, total: int
) -> Samples:
    """The scenarios on all servers, in alternating rounds."""
    samples: Samples = {(scenario, server.kind): [] for scenario in scenarios for server in servers}
    runs = [(scenario, server) for scenario in scenarios for server in servers]
    for number in range(rounds):
        for scenario, server in runs if number % 2 == 0 else reversed(runs):
            samples[scenario, server.kind].append(sample(binary, scenario, server, total))
    return samples


def rate(samples: Samples, scenario: Scenario, server: EtcdServer) -> float:
    """The median."""
    return statistics.median(each.figure for each in samples[scenario, server.kind])


def report(samples: Samples, scenario: Scenario, ours: EtcdServer, theirs: EtcdServer) -> float:
    """Prints the row; the ratio."""
    figures = rate(samples, scenario, ours), rate(samples, scenario, theirs)
    late = [statistics.median(each.p99_ms for each in samples[scenario, one.kind]) for one in (ours, theirs)]
    ratio = figures[1] / figures[0] if scenario.is_latency else figures[0] / figures[1]
    digits = 2 if scenario.is_latency else 0
    print(
        f"| {scenario.name} | {figures[0]:,.{digits}f} | {figures[1]:,.{digits}f} | **{ratio:.2f}** "
        f"| {scenario.ratio_min:.1f} | {late[0]:.1f} | {late[1]:.1f} |",
        flush=True,
    )
    return ratio


def linearizable_part(samples: Samples, server: EtcdServer) -> float:
    """The linearizable range's rate in parts of the serializable one's."""
    return rate(samples, LINEARIZABLE, server) / rate(samples, SERIALIZABLE, server)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m integration.bench.etcd_run")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--total", type=int, default=30_000, help="requests a run")
    parser.add_argument("--scenario", default="", help="rows, separated by semicolons; all without")
    parser.add_argument("--check-perf", default="s;m", help="loads of `etcdctl check perf`, separated by semicolons")
    options = parser.parse_args(arguments)
    wanted = [name.strip() for name in options.scenario.split(";") if name.strip()]
    binary = golang.install(golang.BENCHMARK)
    missed: list[str] = []
    with tempfile.TemporaryDirectory(prefix="zkbridge-bench-") as name:
        folder = Path(name)
        with OurEtcd(folder / "ours") as ours, RealEtcd(folder / "theirs") as theirs:
            print(f"etcdcore: {build_name()}\n")
            print("| scenario | etcdcore/s | etcd/s | ratio | promised | p99 ms | etcd's p99 ms |")
            print("|---|---|---|---|---|---|---|", flush=True)
            ranges: Samples = {}
            for group in GROUPS:
                scenarios = [scenario for scenario in group if not wanted or scenario.name in wanted]
                samples = measure(binary, scenarios, (ours, theirs), options.rounds, options.total)
                for scenario in scenarios:
                    if report(samples, scenario, ours, theirs) < scenario.ratio_min:
                        missed.append(scenario.name)
                if scenarios == [SERIALIZABLE, LINEARIZABLE]:
                    ranges = samples
            if ranges:
                part = linearizable_part(ranges, ours)
                print(
                    f"\nlinearizable range divided by serializable: {part:.2f}, promised {LINEARIZABLE_PART_MIN}; "
                    f"etcd's {linearizable_part(ranges, theirs):.2f}"
                )
                if part < LINEARIZABLE_PART_MIN:
                    missed.append("linearizable divided by serializable")
            for load in filter(None, options.check_perf.split(";")):
                for server in (ours, theirs):
                    verdicts = "; ".join(Etcdctl.of(server).check_perf(load))
                    print(f"\ncheck perf --load={load}, {server.kind}: {verdicts}", flush=True)
    print(f"\nratio below the promise: {', '.join(missed) or 'none'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
