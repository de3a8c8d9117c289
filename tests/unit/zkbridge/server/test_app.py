"""How a bridge starts on a store that takes no writes yet, and how it stops waiting."""

import asyncio
from pathlib import Path

from tests.simulation.bridge.memory_backend import MemoryBackend
from tests.unit.etcdcore.member.fakes import on_loop
from zkbridge.backend.interface import REFUSED_NO_SPACE
from zkbridge.commit.ordered import TakeOver
from zkbridge.config import Config
from zkbridge.server.app import Bridge


async def _turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@on_loop
async def test_a_take_over_that_the_store_drops_is_tried_again(tmp_path: Path) -> None:
    backend = MemoryBackend(is_automatic=False)
    bridge = Bridge(Config(data_dir=tmp_path), backend)
    async with asyncio.TaskGroup() as group:
        start = group.create_task(bridge.start(asyncio.Event()))
        await _turns()
        backend.drop_newest()
        bridge.feed.write_dropped(TakeOver(), REFUSED_NO_SPACE, True)
        await _turns()
        assert not start.done()
        backend.apply_all()
        await _turns()
        assert await start and bridge.committer.can_submit


@on_loop
async def test_a_start_that_waits_for_the_store_ends_when_it_is_asked_to_stop(tmp_path: Path) -> None:
    backend = MemoryBackend(is_automatic=False)
    bridge = Bridge(Config(data_dir=tmp_path), backend)
    stop = asyncio.Event()
    stop.set()
    assert not await bridge.start(stop)
    assert not backend.apply_one(), "nothing was asked of the store"
