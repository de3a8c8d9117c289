"""Settings that show only while a server runs do what etcd's do."""

import asyncio
from pathlib import Path

import pytest

from etcdcore import start_etcd
from etcdcore.client import Client, EtcdError
from etcdcore.client.requests import put
from etcdcore.config import ServerConfig
from etcdcore.errors import NoSpace, RequestTooLarge, RevisionCompacted, TooManyOperations

PATIENCE_S = 15


async def _until_compacted(client: Client, revision: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                await client.get("k", revision=revision)
            except EtcdError as error:
                assert error.is_(RevisionCompacted)
                return
            await asyncio.sleep(0.1)


def _config(folder: Path, **settings: object) -> ServerConfig:
    return ServerConfig(data_dir=str(folder), listen_client_urls=(), **settings)  # type: ignore[arg-type]  # as they come


@pytest.mark.parametrize(("mode", "retention"), [("revision", "10"), ("periodic", "1s")])
def test_history_beyond_the_retention_is_compacted_by_itself(mode: str, retention: str, tmp_path: Path) -> None:
    async def story() -> None:
        config = _config(tmp_path, auto_compaction_mode=mode, auto_compaction_retention=retention)
        async with start_etcd(config) as etcd:
            for number in range(50):
                await etcd.client.put("k", str(number))
            await _until_compacted(etcd.client, 20)
            latest = (await etcd.client.get("k")).kvs[0]
            assert (latest.value, latest.version) == (b"49", 50)
            if mode == "revision":
                assert (await etcd.client.get("k", revision=latest.mod_revision - 9)).kvs[0].value == b"40"

    asyncio.run(story())


def test_without_retention_history_stays(tmp_path: Path) -> None:
    async def story() -> None:
        async with start_etcd(_config(tmp_path)) as etcd:
            for number in range(50):
                await etcd.client.put("k", str(number))
            await asyncio.sleep(2.5)
            assert (await etcd.client.get("k", revision=2)).kvs[0].value == b"0"

    asyncio.run(story())


def test_limits_of_requests_and_transactions_are_those_that_were_set(tmp_path: Path) -> None:
    async def story() -> None:
        async with start_etcd(_config(tmp_path, max_request_bytes=1000, max_txn_ops=3)) as etcd:
            with pytest.raises(EtcdError) as large:
                await etcd.client.put("k", b"x" * 2000)
            assert large.value.is_(RequestTooLarge)
            with pytest.raises(EtcdError) as many:
                await etcd.client.txn([], [put(f"k{number}") for number in range(4)])
            assert many.value.is_(TooManyOperations)

    asyncio.run(story())


def test_progress_comes_at_the_interval_that_was_set(tmp_path: Path) -> None:
    async def story() -> None:
        config = _config(tmp_path, watch_progress_notify_interval_s=0.3)
        async with start_etcd(config) as etcd, etcd.client.watch("k", progress_notify=True) as watch:
            async with asyncio.timeout(PATIENCE_S):
                assert not (await anext(watch)).events

    asyncio.run(story())


def test_a_store_past_its_quota_refuses_what_makes_it_grow(tmp_path: Path) -> None:
    async def story() -> None:
        async with start_etcd(_config(tmp_path, quota_backend_bytes=2 << 20)) as etcd:
            with pytest.raises(EtcdError) as full:
                # The size is looked at when the engine commits, every 100 ms: a fast disk takes many puts by then.
                for number in range(10_000):
                    await etcd.client.put(f"k{number}", b"x" * 50_000)
            assert full.value.is_(NoSpace)
            assert [alarm.alarm for alarm in (await etcd.client.maintenance.alarms()).alarms] == [1]
            assert (await etcd.client.delete("k", prefix=True)).deleted > 0

    asyncio.run(story())


def test_everything_works_without_syncing_and_is_there_after_a_clean_end(tmp_path: Path) -> None:
    async def story() -> None:
        config = _config(tmp_path, unsafe_no_fsync=True, snapshot_count=10)
        async with start_etcd(config) as etcd:
            for number in range(100):
                await etcd.client.put("k", str(number))
        async with start_etcd(config) as etcd:
            assert (await etcd.client.get("k")).kvs[0].version == 100

    asyncio.run(story())
