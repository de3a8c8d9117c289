"""`play` runs a story, an async function of a client, once for each way to a server."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from etcdcore.client import Client, connect
from etcdcore.config import ServerConfig
from etcdcore.embed import start_etcd
from integration.peers.etcd import TARGETS, EtcdServer, target_names

IN_PROCESS = "in-process"
Story = Callable[[Client], Awaitable[None]]
Play = Callable[[Story], None]
STORY_TIMEOUT_S = 40


@asynccontextmanager
async def embedded(folder: Path) -> AsyncIterator[Client]:
    """A client of a server in this process that listens nowhere."""
    async with start_etcd(ServerConfig(data_dir=str(folder), listen_client_urls=())) as etcd:
        yield etcd.client


def ways() -> list[str]:
    return [IN_PROCESS, *target_names()]


@pytest.fixture(scope="session", params=ways())
def way(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EtcdServer | str]:
    """A server for all stories, who keep to keys of their own; or the word that there is none."""
    if request.param == IN_PROCESS:
        yield IN_PROCESS
        return
    with TARGETS[request.param](tmp_path_factory.mktemp(request.param)) as server:
        yield server


@pytest.fixture
def play(way: EtcdServer | str, tmp_path: Path) -> Play:
    def run(story: Story) -> None:
        async def act() -> None:
            client = embedded(tmp_path) if isinstance(way, str) else connect(way.client_url)
            async with asyncio.timeout(STORY_TIMEOUT_S), client as ready:
                await story(ready)

        asyncio.run(act())

    return run
