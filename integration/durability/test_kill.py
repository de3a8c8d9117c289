"""A member that is killed again and again keeps what it has acknowledged."""

import multiprocessing
import os
import random
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

import pytest

from integration.durability.driver import run
from integration.durability.history import History

ROUNDS: Final = 100
SEED: Final = 20_260
LIFE_S_MAX: Final = 0.5
"""Counted from the start of the process, so that some lives end while the log is still being replayed."""


def _read_all(pipe: Connection, chunks: list[bytes]) -> None:
    while chunk := os.read(pipe.fileno(), 1 << 16):
        chunks.append(chunk)


def _live_and_die(context: multiprocessing.context.ForkServerContext, data_dir: Path, life_s: float) -> bytes:
    """One process from its start to its kill -9; everything that it said."""
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=run, args=(str(data_dir), theirs), name="member")
    process.start()
    theirs.close()
    chunks: list[bytes] = []
    reader = threading.Thread(target=_read_all, args=(ours, chunks))
    reader.start()
    time.sleep(life_s)
    assert process.exitcode is None, f"the member ended by itself with {process.exitcode}"
    process.kill()
    process.join()
    reader.join()
    ours.close()
    return b"".join(chunks)


@pytest.mark.timeout(180)
def test_a_member_killed_a_hundred_times_has_every_acknowledged_write(tmp_path: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["integration.durability.driver"])
    rng = random.Random(SEED)
    history = History()
    for _ in range(ROUNDS):
        history.take_life(_live_and_die(context, tmp_path / "data", rng.uniform(0.02, LIFE_S_MAX)))
    # The test has a point only if most lives came to write, and wrote much.
    history.take_life(_live_and_die(context, tmp_path / "data", 3.0))
    assert len(history.lives) > ROUNDS // 3, f"only {len(history.lives)} of {ROUNDS} lives were long enough"
    assert len(history.acknowledged) > 10_000
    print(f"{len(history.acknowledged)} writes acknowledged in {len(history.lives)} lives")
