"""A member that is killed again and again keeps what it has acknowledged."""

import multiprocessing
import os
import random
import threading
import time
from pathlib import Path
from typing import Final

import pytest

from integration.durability.driver import run
from integration.durability.history import History

ROUNDS: Final = 100
SEED: Final = 20_260
START_S_MAX: Final = 0.3
"""Every other life is counted from the start of the process, so that some end while the log is still being read..."""
WORK_S_MAX: Final = 0.2
"""...and the others from the moment the member was writable."""
OPEN_S_MAX: Final = 30.0


class Life:
    """One process from its start to its kill -9, and everything that it said."""

    def __init__(self, context: multiprocessing.context.ForkServerContext, data_dir: Path) -> None:
        self._pipe, theirs = context.Pipe(duplex=False)
        self._process: Final = context.Process(target=run, args=(str(data_dir), theirs), name="member")
        self._process.start()
        theirs.close()
        self._chunks: Final[list[bytes]] = []
        self._has_spoken: Final = threading.Event()
        self._reader: Final = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        while chunk := os.read(self._pipe.fileno(), 1 << 16):
            self._chunks.append(chunk)
            self._has_spoken.set()

    def wait_open(self) -> None:
        assert self._has_spoken.wait(OPEN_S_MAX), "the member did not open"

    def end(self) -> bytes:
        assert self._process.exitcode is None, f"the member ended by itself with {self._process.exitcode}"
        self._process.kill()
        self._process.join()
        self._reader.join()
        self._pipe.close()
        return b"".join(self._chunks)


@pytest.mark.timeout(300)
def test_a_member_killed_a_hundred_times_has_every_acknowledged_write(tmp_path: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["integration.durability.driver"])
    rng = random.Random(SEED)
    history = History()
    for number in range(ROUNDS):
        life = Life(context, tmp_path / "data")
        if number % 2:
            life.wait_open()
            time.sleep(rng.uniform(0, WORK_S_MAX))
        else:
            time.sleep(rng.uniform(0, START_S_MAX))
        history.take_life(life.end())
    last = Life(context, tmp_path / "data")
    last.wait_open()
    history.take_life(last.end())
    # The test has a point only if the member came to write in between.
    assert len(history.lives) > ROUNDS // 3 and len(history.acknowledged) > 2000
    print(f"{len(history.acknowledged)} writes acknowledged in {len(history.lives)} lives")
