"""An etcd server inside of any asyncio program.

    async with start_etcd(ServerConfig(data_dir="data")) as etcd:
        await etcd.client.put("key", "value")

Any number of them in one process, on any loop (uvloop or asyncio's own). Nothing global is touched: no signal handlers,
no logging set-up. If the server fails the body is cancelled, and `async with` raises what made it fail.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, final

from etcdcore.client.caller import Caller
from etcdcore.client.client import Client
from etcdcore.config import ServerConfig
from etcdcore.rpc.local import LocalChannel
from etcdcore.server import EtcdServer, ServerLife


@final
class Etcd:
    """A server that is ready, and a client that calls it without a network."""

    def __init__(self, life: ServerLife, serving: asyncio.Task[None], server: EtcdServer) -> None:
        self._life: Final = life
        self._serving: Final = serving
        self.server: Final = server
        self.client: Final = self.new_client()
        """Calls the services in this process, as nobody in particular; see `new_client` for a user."""

    @property
    def config(self) -> ServerConfig:
        return self._life.config

    @property
    def client_urls(self) -> tuple[str, ...]:
        """Where other clients can connect, with the ports that were found for port 0."""
        return tuple(str(url) for url in self.server.client_urls)

    def new_client(self, user: str = "", password: str = "") -> Client:
        """One more client, in the name of a user if authentication is on."""
        return Client(Caller(LocalChannel(self.server.services.table), user, password))

    async def close(self) -> None:
        """Stops in order and returns when all is on disk. May be called again, and is by the end of `async with`."""
        self._life.stop()
        await asyncio.wait((self._serving,))
        await self.client.close()


@asynccontextmanager
async def start_etcd(config: ServerConfig) -> AsyncIterator[Etcd]:
    """Entered when clients are served. Raises StartError (a taken port, a locked directory) and ConfigError."""
    life = ServerLife(config)
    try:
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(life.serve(), name=f"etcd {config.name}")
            await life.ready.wait()
            assert life.server is not None, "ready with a server"
            etcd = Etcd(life, serving, life.server)
            try:
                yield etcd
            finally:
                await etcd.close()
    except BaseExceptionGroup as group_error:
        raise _only(group_error) from group_error


def _only(error: BaseExceptionGroup[BaseException]) -> BaseException:
    """What is inside, if it is one."""
    if len(error.exceptions) > 1:
        return error
    inner = error.exceptions[0]
    return _only(inner) if isinstance(inner, BaseExceptionGroup) else inner
