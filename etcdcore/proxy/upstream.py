"""The way to the cluster: one channel, what of a caller's headers goes along, and the next server when one fails.

Invariant: a request that a server may have seen is never sent again.
"""

import asyncio
from collections.abc import Mapping
from typing import Final, final

from etcdcore.errors import UNAVAILABLE
from etcdcore.rpc.channel import Channel, Stream
from etcdcore.rpc.status import EtcdError

FORWARDED: Final = ("token", "authorization", "hasleader", "client-api-version")
"""The headers that mean something to a server; the rest is between the client and us."""
CONNECT_TIMEOUT_S: Final = 5.0
"""A call that no server has seen yet is tried again for so long: one that restarts is soon back."""
CONNECT_PAUSE_S: Final = 0.05

Headers = Mapping[str, str]


def forwarded(metadata: Mapping[str, str]) -> dict[str, str]:
    return {name: metadata[name] for name in FORWARDED if name in metadata}


@final
class Upstream(Channel):
    """A channel over one that knows several servers."""

    def __init__(self, channel: Channel) -> None:
        self._channel: Final = channel

    async def unary(self, path: str, request: bytes, metadata: Headers, timeout_s: float | None) -> bytes:
        headers = forwarded(metadata)
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + CONNECT_TIMEOUT_S
        while True:
            try:
                return await self._channel.unary(path, request, headers, timeout_s)
            except EtcdError as error:
                if error.code != UNAVAILABLE:
                    raise
                self._channel.try_another()
                if error.was_sent or loop.time() >= deadline_s:
                    raise
            await asyncio.sleep(CONNECT_PAUSE_S)

    def stream(self, path: str, metadata: Headers) -> Stream:
        return self._channel.stream(path, forwarded(metadata))

    def try_another(self) -> None:
        self._channel.try_another()

    async def close(self) -> None:
        await self._channel.close()
