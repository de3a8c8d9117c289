"""A server inside of a program: any loop, several at once, failures that surface, an end that may come twice."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path

import pytest
import uvloop

from etcdcore import StartError, start_etcd
from etcdcore.client import EtcdError, connect
from etcdcore.config import ServerConfig
from etcdcore.errors import EngineError, PermissionDenied, UserNameEmpty

ANY_PORT = ("http://127.0.0.1:0",)
RUNNERS: dict[str, Callable[[Coroutine[object, object, None]], None]] = {"asyncio": asyncio.run, "uvloop": uvloop.run}


@pytest.mark.parametrize("loop", list(RUNNERS))
def test_in_process_and_remote_clients_see_one_store_on_any_loop(loop: str, tmp_path: Path) -> None:
    async def story() -> None:
        config = ServerConfig(data_dir=str(tmp_path), listen_client_urls=ANY_PORT)
        async with start_etcd(config) as etcd, connect(etcd.client_urls) as remote:
            await etcd.client.put("a", "1")
            assert (await remote.get("a")).kvs[0].value == b"1"
            async with etcd.client.watch("b") as watch:
                await remote.put("b", "2")
                assert (await anext(watch)).events[0].kv.value == b"2"

    RUNNERS[loop](story())


def test_several_servers_live_in_one_process_each_with_its_own_data(tmp_path: Path) -> None:
    async def story() -> None:
        configs = [ServerConfig(data_dir=str(tmp_path / name), listen_client_urls=ANY_PORT) for name in "abc"]
        async with start_etcd(configs[0]) as a, start_etcd(configs[1]) as b, start_etcd(configs[2]) as c:
            assert len({a.client_urls, b.client_urls, c.client_urls}) == 3
            for etcd, value in ((a, "1"), (b, "2"), (c, "3")):
                await etcd.client.put("k", value)
            assert [(await one.client.get("k")).kvs[0].value for one in (a, b, c)] == [b"1", b"2", b"3"]

    asyncio.run(story())


def test_closing_twice_is_closing_once_and_what_was_written_is_there_again(tmp_path: Path) -> None:
    config = ServerConfig(data_dir=str(tmp_path), listen_client_urls=())

    async def first() -> None:
        async with start_etcd(config) as etcd:
            await etcd.client.put("k", "v")
            await etcd.close()
            await etcd.close()
            with pytest.raises(EtcdError):
                await etcd.client.get("k")

    async def second() -> None:
        async with start_etcd(config) as etcd:
            assert (await etcd.client.get("k")).kvs[0].value == b"v"

    asyncio.run(first())
    asyncio.run(second())


def test_a_start_that_fails_raises_the_reason_and_leaves_nothing_behind(tmp_path: Path) -> None:
    async def story() -> None:
        config = ServerConfig(data_dir=str(tmp_path / "a"), listen_client_urls=ANY_PORT)
        async with start_etcd(config) as etcd:
            with pytest.raises(StartError, match="in use by process"):
                async with start_etcd(config):
                    pytest.fail("entered")
            taken = ServerConfig(data_dir=str(tmp_path / "b"), listen_client_urls=etcd.client_urls)
            with pytest.raises(StartError, match="already in use"):
                async with start_etcd(taken):
                    pytest.fail("entered")
            async with start_etcd(ServerConfig(data_dir=str(tmp_path / "b"), listen_client_urls=())) as other:
                await other.client.put("k", "v")

    asyncio.run(story())


def test_a_server_that_fails_cancels_the_body_and_raises_what_made_it_fail(tmp_path: Path) -> None:
    async def story() -> None:
        async with start_etcd(ServerConfig(data_dir=str(tmp_path), listen_client_urls=())) as etcd:
            etcd.server.member.fail(EngineError("the disk is gone"))
            await asyncio.sleep(30)

    with pytest.raises(EngineError, match="the disk is gone"):
        asyncio.run(story())


def test_an_error_of_the_body_comes_out_as_it_is(tmp_path: Path) -> None:
    async def story() -> None:
        async with start_etcd(ServerConfig(data_dir=str(tmp_path), listen_client_urls=())):
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        asyncio.run(story())


def test_a_client_with_a_user_gets_a_token_and_a_new_one_when_it_is_no_longer_good(tmp_path: Path) -> None:
    """Both channels; after a restart simple tokens are gone, so the client has to ask again."""

    async def story() -> None:
        config = ServerConfig(data_dir=str(tmp_path), listen_client_urls=ANY_PORT, bcrypt_cost=4)
        async with start_etcd(config) as etcd:
            auth = etcd.client.auth
            await auth.user_add("root", "secret")
            await auth.role_add("root")
            await auth.user_grant_role("root", "root")
            await auth.user_add("ann", "pass")
            await auth.role_add("reader")
            await auth.role_grant_permission("reader", "READ", "pub/", prefix=True)
            await auth.user_grant_role("ann", "reader")
            await auth.enable()
            with pytest.raises(EtcdError) as nobody:
                await etcd.client.get("pub/a")
            assert nobody.value.is_(UserNameEmpty)
            root, ann = etcd.new_client("root", "secret"), etcd.new_client("ann", "pass")
            await root.put("pub/a", "1")
            assert (await ann.get("pub/", prefix=True)).count == 1
            with pytest.raises(EtcdError) as refused:
                await ann.put("pub/a", "2")
            assert refused.value.is_(PermissionDenied)
            async with connect(etcd.client_urls, user="ann", password="pass") as remote:
                assert (await remote.get("pub/a")).count == 1
                # Every change of users moves the auth revision, which makes tokens old.
                await root.auth.user_add("bob", "x")
                assert (await remote.get("pub/a")).count == 1
                async with remote.watch("pub/", prefix=True) as watch:
                    await root.put("pub/b", "3")
                    assert (await anext(watch)).events[0].kv.key == b"pub/b"
        async with start_etcd(config) as again:
            restarted = again.new_client("ann", "pass")
            assert (await restarted.get("pub/", prefix=True)).count == 2

    asyncio.run(story())
