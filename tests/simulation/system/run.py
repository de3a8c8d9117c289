"""Runs seeds until so many are done or one fails: python -m tests.simulation.system.run --seeds N [--first S].

A failing seed prints its story and runs again with fewer faults, since a short history is easier to read: the smallest
number of faults with which it still fails is told.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Final

import structlog

from tests.simulation.system.scenario import Scenario

CHUNK: Final = 20
QUIET: Final = 50
"""Above every level that the product logs."""


def be_quiet() -> None:
    """The product's log lines say nothing that the trace does not."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(QUIET))


@dataclass(frozen=True, slots=True)
class Chunk:
    """What some seeds came to; of a failing one nothing is counted."""

    seeds: int
    faults: int
    writes: int
    failing_seed: int | None


def work(first: int, count: int) -> Chunk:
    """Runs some seeds, up to the first that fails."""
    be_quiet()
    faults = writes = 0
    for seed in range(first, first + count):
        try:
            summary = Scenario(seed).run()
        except Exception:
            return Chunk(seed - first, faults, writes, seed)
        faults += len(summary.faults)
        writes += summary.writes
    return Chunk(count, faults, writes, None)


def fails(seed: int, faults_wanted: int | None = None) -> str:
    """The story of a failing seed; empty if it passes."""
    be_quiet()
    try:
        Scenario(seed, faults_wanted).run()
    except Exception:
        return traceback.format_exc()
    return ""


def shrink(seed: int) -> str:
    """The story with as few faults as fail."""
    for faults_wanted in range(6):
        story = fails(seed, faults_wanted)
        if story:
            return f"still fails with {faults_wanted} faults:\n{story}"
    return fails(seed)


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.system.run")
    parser.add_argument("--seeds", type=int, default=300)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    return simulate(options.first, options.seeds, options.processes)


def simulate(first: int, count: int, processes: int) -> int:
    """Tells how far it is, and at the end how many faults were survived."""
    began_s = time.monotonic()
    seeds = faults = writes = 0
    with ProcessPoolExecutor(processes) as pool:
        starts = range(first, first + count, CHUNK)
        running = [pool.submit(work, start, min(CHUNK, first + count - start)) for start in starts]
        for done in as_completed(running):
            chunk = done.result()
            if chunk.failing_seed is not None:
                pool.shutdown(cancel_futures=True)
                print(shrink(chunk.failing_seed), file=sys.stderr)
                return 1
            seeds += chunk.seeds
            faults += chunk.faults
            writes += chunk.writes
            took_s = time.monotonic() - began_s
            survived = f"{faults} faults, {writes} acknowledged writes"
            print(f"{seeds} of {count} seeds, {survived}, {took_s:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
