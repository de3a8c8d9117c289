"""etcd's promises under concurrent clients, with kill -9 of the server in between: on etcdcore, and on etcd itself."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from integration.etcd.guarantees.clients import RecordingClient, Watcher, until
from integration.etcd.guarantees.history import Get, Operation, PutAll, WatchRecord
from integration.etcd.guarantees.traffic import Recording, Traffic, judge
from integration.etcd.snapshot.tools import bbolt
from integration.peers.etcd import Etcdctl, EtcdServer

SHOWN_MAX = 10
SHOWN_CHARACTERS_MAX = 600
# A busy machine of two cores makes a thousand in four seconds.
OPERATIONS_MIN = 300


def record(server: EtcdServer, seed: int, disturb: Callable[[], Awaitable[None]]) -> Recording:
    async def run() -> Recording:
        return await Traffic(server.address, seed).run(disturb)

    return asyncio.run(run())


def check(recording: Recording, kill_count: int) -> None:
    truth, broken = judge(recording)
    assert not broken, f"{len(broken)} promises broken:\n" + "\n".join(
        text[:SHOWN_CHARACTERS_MAX] for text in broken[:SHOWN_MAX]
    )
    # The run was worth judging.
    answered = [operation for operation in recording.operations if operation.result is not None]
    assert len(answered) >= OPERATIONS_MIN
    assert truth.last_revision == recording.last_revision
    assert recording.compactions
    deliveries = [delivery for watch in recording.watches for delivery in watch.deliveries]
    assert any(delivery.compact_revision for delivery in deliveries), "no watch was overtaken by a compaction"
    assert any(not delivery.events and not delivery.compact_revision for delivery in deliveries), "no progress"
    if kill_count:
        assert any(has_unknown_result(operation) for operation in recording.operations), "no operation was cut off"
        resumed = [watch for watch in recording.watches if watch.with_previous and watch.deliveries]
        assert len(resumed) > kill_count


def has_unknown_result(operation: Operation) -> bool:
    return operation.result is None and not isinstance(operation.request, Get)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_promises_hold_over_kills(etcd: EtcdServer, seed: int) -> None:
    """Issues 13766, 14370, 15220, 15271, 17247, 17780, 18089, 19179 and 20221 of etcd are of these kinds."""

    async def disturb() -> None:
        for pause_s in (2.0, 1.0, 3.0, 0.5):
            await asyncio.sleep(pause_s)
            await asyncio.to_thread(etcd.kill)
            await asyncio.to_thread(etcd.start)
        await asyncio.sleep(2.0)

    check(record(etcd, seed, disturb), 4)


def test_the_promises_hold_over_orderly_restarts_and_pauses(etcd: EtcdServer) -> None:
    """Issue 20418 of etcd: reads after the process was paused."""

    async def disturb() -> None:
        for pause_s in (0.5, 3.0):
            await asyncio.sleep(1.5)
            await asyncio.to_thread(etcd.restart)
            await asyncio.sleep(1.5)
            os.kill(etcd.child.pid, signal.SIGSTOP)
            await asyncio.sleep(pause_s)
            os.kill(etcd.child.pid, signal.SIGCONT)
        await asyncio.sleep(1.5)

    check(record(etcd, 3, disturb), 0)


def test_the_promises_hold_over_kills_amid_defragmentation_and_snapshots(etcd: EtcdServer, tmp_path: Path) -> None:
    """Issues 14685 (crash in defragment), 18055 (two snapshots in a short time) and 20271 (damaged pages) of etcd."""
    etcdctl = Etcdctl.of(etcd)

    async def disturb() -> None:
        for number, pause_s in enumerate((0.02, 0.1, 0.3)):
            await asyncio.sleep(2.0)
            async with asyncio.TaskGroup() as group:
                for path in (f"{number}a.db", f"{number}b.db"):
                    group.create_task(asyncio.to_thread(etcdctl.run, "snapshot", "save", str(tmp_path / path)))
                group.create_task(asyncio.to_thread(etcdctl.run, "defrag"))
                await asyncio.sleep(pause_s)
                await asyncio.to_thread(etcd.kill)
                await asyncio.to_thread(etcd.start)
        await asyncio.sleep(1.0)
        await asyncio.to_thread(etcdctl, "defrag")
        await asyncio.sleep(1.0)

    check(record(etcd, 5, disturb), 3)
    etcdctl("snapshot", "save", str(tmp_path / "last.db"))
    assert bbolt("check", str(tmp_path / "last.db")).checked().strip() == "OK"


def test_a_watcher_that_a_compaction_overtook_begins_again_and_gets_progress(etcd: EtcdServer) -> None:
    """Of the recording client itself, on a stream with a watch that goes on."""

    async def run() -> list[int]:
        client = RecordingClient(etcd.address, [])
        for number in range(10):
            result = await client.do(PutAll(((b"a", b"%d" % number),)))
        assert result is not None
        await client.compact(result.revision)
        records = [WatchRecord(b"a", b"", revision, False) for revision in (2, result.revision)]
        watcher = Watcher(etcd.address, records, 0.05, False)
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(watcher.serve())
            await client.do(PutAll(((b"b", b""),)))
            last = result.revision + 1
            await until(lambda: watcher.reached == last, 10.0, lambda: f"progress at {last}: {watcher.reached}")
            serving.cancel()
        await client.close()
        return [record.first_revision for record in watcher.records]

    assert asyncio.run(run()) == [2, 11, 11]


def test_the_judge_finds_an_acknowledged_write_that_is_taken_out_of_a_real_history(etcd: EtcdServer) -> None:
    """And a stale read, and an event out of its place: what it passes, it does not pass by looking away."""

    async def disturb() -> None:
        await asyncio.sleep(4.0)

    recording = record(etcd, 4, disturb)
    check(recording, 0)
    position = next(
        at
        for at, operation in enumerate(recording.operations[200:], 200)
        if isinstance(operation.request, PutAll) and operation.result is not None
    )
    taken = recording.operations.pop(position)
    _, broken = judge(recording)
    assert any(text.startswith("reliable") for text in broken)
    recording.operations.insert(position, taken)
    watch = max(recording.watches, key=lambda watch: len(watch.deliveries))
    with_events = [at for at, delivery in enumerate(watch.deliveries) if delivery.events]
    moved = watch.deliveries.pop(with_events[len(with_events) // 2])
    _, broken = judge(recording)
    assert broken
    watch.deliveries.append(moved)
    _, broken = judge(recording)
    assert any(text.startswith("ordered") for text in broken)
