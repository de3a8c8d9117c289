"""`make bench`: the bridge beside ZooKeeper, both durable on the same disk, driven by zkload in alternating rounds.

python -m integration.bench.run [--rounds N] [--seconds S] [--scenario a;b] [--nodes N]

Prints a table of medians and ratios (ours divided by ZooKeeper's), as the README shows it. `--nodes` also loads so many
100-byte nodes into both and compares load time, restart time and resident memory.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from integration.bench.raw_load import load_nodes
from integration.peers import golang
from integration.peers.build import build_name
from integration.peers.servers import Bridge, RealZooKeeper, ZooKeeperServer


@dataclass(frozen=True)
class Scenario:
    """One row: zkload's scenario, its load, and the least ratio that the project promises."""

    name: str
    kind: str
    connections: int
    window: int
    ratio_min: float


SCENARIOS = (
    Scenario("get", "get", 50, 20, 2.0),
    Scenario("exists", "exists", 50, 20, 2.0),
    Scenario("children", "children", 50, 20, 1.5),
    Scenario("mixed", "mixed", 50, 20, 1.5),
    Scenario("set", "set", 50, 20, 1.0),
    Scenario("create", "create", 50, 20, 1.0),
    Scenario("multi", "multi", 50, 20, 1.0),
    Scenario("seq", "seq", 50, 20, 1.0),
    Scenario("churn", "churn", 50, 1, 1.0),
    Scenario("fanout", "fanout", 50, 20, 0.7),
    Scenario("get, one outstanding", "get", 100, 1, 1.2),
    Scenario("set, one outstanding", "set", 100, 1, 1.0),
)


@dataclass(frozen=True)
class Row:
    """Medians over the rounds; p99 in milliseconds."""

    scenario: Scenario
    ours: float
    theirs: float
    ours_p99: float
    theirs_p99: float

    @property
    def ratio(self) -> float:
        return self.ours / self.theirs

    def render(self) -> str:
        return (
            f"| {self.scenario.name} | {self.ours:,.0f} | {self.theirs:,.0f} | **{self.ratio:.2f}** "
            f"| {self.scenario.ratio_min:.1f} | {self.ours_p99:.1f} | {self.theirs_p99:.1f} |"
        )


def measure(binary: Path, scenario: Scenario, ours: str, theirs: str, rounds: int, seconds: float) -> Row:
    """One scenario on both servers, in alternating rounds."""
    command = [str(binary), "-targets", f"zkbridge={ours}", "-targets", f"zookeeper={theirs}"]
    command += ["-scenario", scenario.kind, "-rounds", str(rounds), "-duration", f"{seconds}s"]
    command += ["-conns", str(scenario.connections), "-window", str(scenario.window), "-size", "256"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"zkload failed on {scenario.name}:\n{done.stdout}")
    results = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

    def median(target: str, key: str) -> float:
        return statistics.median(float(result[key]) for result in results if result["target"] == target)

    return Row(
        scenario,
        median("zkbridge", "ops_per_s"),
        median("zookeeper", "ops_per_s"),
        median("zkbridge", "p99_ms"),
        median("zookeeper", "p99_ms"),
    )


def resident_mib(server: ZooKeeperServer) -> float:
    """Resident memory of the server's process."""
    resident: int = psutil.Process(server.child.pid).memory_info().rss
    return resident / 2**20


def measure_nodes(server: ZooKeeperServer, count: int) -> tuple[float, float, float]:
    """(seconds to load, seconds to restart until it serves, MiB resident after the restart)."""
    started = time.monotonic()
    load_nodes("127.0.0.1", server.port, count, 100)
    loaded = time.monotonic()
    server.stop()
    restarting = time.monotonic()
    server.start()
    restarted = time.monotonic()
    return loaded - started, restarted - restarting, resident_mib(server)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m integration.bench.run")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--scenario", default="", help="rows, separated by semicolons; all without")
    parser.add_argument("--nodes", type=int, default=0, help="also compare with so many 100-byte nodes")
    options = parser.parse_args(arguments)
    wanted = [name.strip() for name in options.scenario.split(";") if name.strip()]
    with tempfile.TemporaryDirectory(prefix="zkbridge-bench-") as name:
        folder = Path(name)
        binary = golang.build_module(golang.ZKLOAD)
        rows: list[Row] = []
        with Bridge(folder / "ours") as ours, RealZooKeeper(folder / "theirs") as theirs:
            print(f"zkbridge: {build_name()}\n")
            print("| scenario | zkbridge/s | ZooKeeper/s | ratio | promised | p99 ms | ZooKeeper's p99 ms |")
            print("|---|---|---|---|---|---|---|", flush=True)
            for scenario in SCENARIOS:
                if not wanted or scenario.name in wanted:
                    row = measure(binary, scenario, ours.address, theirs.address, options.rounds, options.seconds)
                    rows.append(row)
                    print(row.render(), flush=True)
        if options.nodes:
            print(f"\n| {options.nodes:,} nodes of 100 bytes | load s | restart s | resident MiB |\n|---|---|---|---|")
            for label, kind in (("zkbridge", Bridge), ("ZooKeeper", RealZooKeeper)):
                with kind(folder / f"nodes-{label}") as server:
                    load_s, restart_s, mib = measure_nodes(server, options.nodes)
                    print(f"| {label} | {load_s:.1f} | {restart_s:.1f} | {mib:,.0f} |", flush=True)
    missed = [row.scenario.name for row in rows if row.ratio < row.scenario.ratio_min]
    late = [row.scenario.name for row in rows if row.ours_p99 > row.theirs_p99]
    print(f"\nratio below the promise: {', '.join(missed) or 'none'}; p99 worse: {', '.join(late) or 'none'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
