"""The bridge killed a hundred times and stopped in the middle of its work: what it has acknowledged is there."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from integration.durability.bridge_client import KilledServer, ShortSession, WritingClient
from integration.peers.process import free_port
from integration.peers.servers import Bridge

KILLS: Final = 100
STOPS: Final = 15
CLIENTS: Final = 6
SEED: Final = 41
WORK_S_MAX: Final = 0.2
START_S_MAX: Final = 0.9
"""Every fifth life is counted from the start of the process, so that some end while the log is still being read."""
VERIFY_S_MAX: Final = 30.0


class Lives:
    """One bridge, life after life, and the clients that go through all of them."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.bridge: Final = Bridge(folder, {"tickTime": "1000"}, free_port())
        self.server: Final = KilledServer(self.bridge.port)
        self.rng: Final = random.Random(seed)
        self.writers: Final = [WritingClient(number, self.server, seed) for number in range(CLIENTS)]
        self.short: Final = [ShortSession(number, self.server) for number in range(2)]
        self.starts_ms: Final[list[int]] = []

    async def live(self, work_s: float | None, end: Callable[[], None]) -> None:
        """One life. `work_s`: how long after everybody has checked everything; None: at any moment from the start."""
        started = time.monotonic()
        self.bridge.child.spawn()
        self.server.started()
        async with asyncio.TaskGroup() as group:
            for writer in self.writers:
                writer.is_verified.clear()
            tasks = [group.create_task(writer.live()) for writer in self.writers]
            tasks += [group.create_task(short.live()) for short in self.short]
            if work_s is None:
                await asyncio.sleep(self.rng.uniform(0, START_S_MAX))
            else:
                async with asyncio.timeout(VERIFY_S_MAX):
                    for writer in self.writers:
                        await writer.is_verified.wait()
                self.starts_ms.append(int((time.monotonic() - started) * 1000))
                await asyncio.sleep(work_s)
                assert not [task for task in tasks if task.done()], "a client left while the server was there"
            assert self.bridge.child.is_running(), f"the bridge ended by itself:\n{self.bridge.child.log_tail()}"
            # The loop stands still meanwhile; what was answered before the end is in the sockets' buffers.
            end()
            self.server.is_down = True

    def report(self) -> str:
        """What the run came to."""
        ledgers = [writer.ledger for writer in self.writers]
        starts = sorted(self.starts_ms)
        return (
            f"{sum(ledger.acknowledged_count for ledger in ledgers)} requests acknowledged, "
            f"{sum(ledger.refused_count for ledger in ledgers)} of them as refused; "
            f"{sum(ledger.unanswered_count for ledger in ledgers)} unanswered, "
            f"{sum(ledger.effective_count for ledger in ledgers)} of them with effect; "
            f"{sum(len(short.closed) for short in self.short)} short sessions, "
            f"{sum(short.taken_up_count for short in self.short)} taken up, "
            f"{sum(short.over_count for short in self.short)} found over; "
            f"checked after {starts[len(starts) // 2]} ms in the median, {starts[-1]} ms at most"
        )


@pytest.mark.timeout(600)
def test_a_bridge_killed_a_hundred_times_has_every_acknowledged_write_and_every_session(tmp_path: Path) -> None:
    lives = Lives(tmp_path / "server", SEED)

    async def run() -> None:
        for number in range(KILLS):
            work_s = None if number % 5 == 4 else lives.rng.uniform(0, WORK_S_MAX)
            await lives.live(work_s, lives.bridge.kill)
        await lives.live(0.0, lives.bridge.kill)

    try:
        asyncio.run(run())
    finally:
        lives.bridge.child.kill()
    print(lives.report())
    for writer in lives.writers:
        assert writer.lives > KILLS // 4 and writer.ledger.acknowledged_count > KILLS, lives.report()
        assert writer.ledger.unanswered_count > 0, "no kill came while requests were on their way"
        assert len(writer.sequential_names) > KILLS // 4
    assert sum(len(short.closed) for short in lives.short) > KILLS // 2, lives.report()


@pytest.mark.timeout(300)
def test_a_bridge_stopped_under_load_ends_with_status_0_and_starts_quickly_with_everything(tmp_path: Path) -> None:
    lives = Lives(tmp_path / "server", SEED + 1)
    stops_s: list[float] = []

    def stop() -> None:
        started = time.monotonic()
        assert lives.bridge.stop() == 0, lives.bridge.child.log_tail()
        stops_s.append(time.monotonic() - started)

    async def run() -> None:
        for _ in range(STOPS):
            await lives.live(lives.rng.uniform(0, WORK_S_MAX), stop)
        await lives.live(0.0, stop)

    try:
        asyncio.run(run())
    finally:
        lives.bridge.child.kill()
    print(lives.report(), f"stopped within {max(stops_s):.2f} s")
    log = lives.bridge.child.log_text()
    assert "Traceback" not in log and '"level": "error"' not in log, log[-4000:]
    assert log.count('"server_stopped"') == STOPS + 1
    assert sorted(stops_s)[STOPS // 2] < 2.0, stops_s
    assert sorted(lives.starts_ms)[STOPS // 2] < 5000, lives.starts_ms
