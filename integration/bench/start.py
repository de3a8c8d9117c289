"""How long a start takes, from exec to the first answer, beside etcd and ZooKeeper, in alternating rounds.

python -m integration.bench.start [--rounds N] [--busy N]

`--busy` keeps so many processes computing meanwhile, as on a loaded machine. Prints medians and ratios (ours divided by
the real one's; below 1 is faster), for an empty directory and for one that was stopped. Then what `--version` and
`--help` cost.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from integration.peers.build import build_name, our_python
from integration.peers.etcd import EtcdServer, OurEtcd, RealEtcd
from integration.peers.servers import Bridge, RealZooKeeper, ZooKeeperServer

BUSY = "while True: pass"
QUESTIONS = (("etcdcore", "--version"), ("etcdcore", "--help"), ("zkbridge", "--version"), ("zkbridge", "--help"))


@dataclass(frozen=True)
class Times:
    """Seconds of one server's starts."""

    empty: list[float] = field(default_factory=list)
    again: list[float] = field(default_factory=list)


def _seconds(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def start_twice(server: EtcdServer | ZooKeeperServer, times: Times) -> None:
    """On an empty directory, and on the same once it was stopped."""
    try:
        times.empty.append(_seconds(server.start))
        server.stop()
        times.again.append(_seconds(server.start))
    finally:
        server.kill()


def _ask(words: Sequence[str]) -> float:
    command = [*our_python(), "-m", *words]
    return _seconds(lambda: subprocess.run(command, capture_output=True, check=True))


def _row(name: str, ours: list[float], theirs: list[float]) -> str:
    medians = statistics.median(ours), statistics.median(theirs)
    return f"| {name} | {medians[0]:.2f} | {medians[1]:.2f} | **{medians[0] / medians[1]:.2f}** |"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="integration.bench.start")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--busy", type=int, default=0)
    options = parser.parse_args(arguments)
    # A server that a user installed has its modules compiled to bytecode; the first round leaves that behind.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    found = {kind: Times() for kind in ("etcdcore", "etcd", "zkbridge", "zookeeper")}
    with ExitStack() as stack:
        for _ in range(options.busy):
            process = subprocess.Popen([sys.executable, "-c", BUSY])
            stack.callback(process.wait)
            stack.callback(process.kill)
        for _ in range(options.rounds):
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                start_twice(OurEtcd(folder / "etcdcore"), found["etcdcore"])
                start_twice(RealEtcd(folder / "etcd"), found["etcd"])
                start_twice(Bridge(folder / "zkbridge"), found["zkbridge"])
                start_twice(RealZooKeeper(folder / "zookeeper"), found["zookeeper"])
        asked = [statistics.median(_ask(words) for _ in range(options.rounds)) for words in QUESTIONS]
    print(f"{build_name()} build, {options.busy} busy processes beside, medians of {options.rounds} rounds, seconds\n")
    print("| start | ours | real | ratio |\n|---|---|---|---|")
    for ours, real in (("etcdcore", "etcd"), ("zkbridge", "zookeeper")):
        print(_row(f"{ours} beside {real}, empty directory", found[ours].empty, found[real].empty))
        print(_row(f"{ours} beside {real}, again", found[ours].again, found[real].again))
    print()
    for words, seconds in zip(QUESTIONS, asked, strict=True):
        print(f"{' '.join(words)}: {seconds:.2f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
