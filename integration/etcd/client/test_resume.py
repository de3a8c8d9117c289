"""What a remote client lives through: servers that stop, are killed and come back, and several endpoints."""

import asyncio
import os
import signal

import pytest

from etcdcore.client import EtcdError, WatchCompacted, connect
from integration.peers.etcd import EtcdServer
from integration.peers.process import free_port


def test_a_watch_goes_on_over_restarts_without_a_gap_or_a_repetition(etcd: EtcdServer) -> None:
    async def story() -> None:
        seen: list[int] = []
        async with connect(etcd.client_url) as client, client.watch("k", prefix=True) as watch:
            for round_number in range(3):
                for number in range(10):
                    await client.put("k", f"{round_number * 10 + number}")
                if round_number == 1:
                    os.kill(etcd.child.pid, signal.SIGKILL)
                await asyncio.to_thread(etcd.restart)
            await client.put("k", "end")
            async for response in watch:
                seen += [event.kv.mod_revision for event in response.events]
                if response.events[-1].kv.value == b"end":
                    break
        assert seen == list(range(2, 33))

    asyncio.run(story())


def test_a_watch_that_was_away_while_its_history_was_compacted_says_so(etcd: EtcdServer) -> None:
    async def story() -> None:
        async with connect(etcd.client_url) as client:
            async with client.watch("k", start_revision=2) as watch:
                await client.put("k", "1")
                assert len((await anext(watch)).events) == 1
                watch._stream = None  # as if the connection had gone
                for number in range(5):
                    await client.put("k", str(number))
                last = (await client.get("k")).header.revision
                await client.compact(last)
                with pytest.raises(WatchCompacted) as caught:
                    await anext(watch)
            assert caught.value.compact_revision == last

    asyncio.run(story())


def test_reads_go_on_to_the_next_endpoint_and_writes_only_if_they_were_never_sent(etcd: EtcdServer) -> None:
    async def story() -> None:
        nowhere = f"http://127.0.0.1:{free_port()}"
        async with connect([nowhere, etcd.client_url]) as client:
            assert (await client.get("k")).count == 0
        async with connect([nowhere, etcd.client_url]) as client:
            await client.put("k", "v")
        async with connect(nowhere, timeout_s=1) as client:
            with pytest.raises(EtcdError):
                await client.get("k")

    asyncio.run(story())


def test_a_lease_is_kept_alive_over_a_restart(etcd: EtcdServer) -> None:
    async def story() -> None:
        async with connect(etcd.client_url) as client, client.lease(12) as kept:
            await client.put("k", "v", lease=kept.lease_id)
            await asyncio.to_thread(etcd.restart)
            await asyncio.sleep(13)
            assert (await client.get("k")).count == 1

    asyncio.run(story())
