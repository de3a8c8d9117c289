"""One HTTP/2 connection between the socket and the calls. Conversations are in integration/etcd/http2."""

import asyncio
import socket
from typing import cast

from etcdcore.http2.codes import PREFACE
from etcdcore.http2.frames import SETTINGS_ACK, encode_settings
from etcdcore.http2.request_head import RequestHead
from etcdcore.http2.stream import Stream
from etcdcore.rpc.calls import MethodTable
from etcdcore.rpc.h2_protocol import H2Owner, H2Protocol, PlainExchange
from etcdcore.rpc.limits import RpcLimits


class Owner(H2Owner):
    """Knows the one connection."""

    def __init__(self) -> None:
        self.closed = asyncio.Event()

    def connection_opened(self, protocol: H2Protocol) -> None:
        self.closed.clear()

    def connection_closed(self, protocol: H2Protocol) -> None:
        self.closed.set()

    def open_exchange(self, protocol: H2Protocol, stream: Stream, head: RequestHead) -> PlainExchange:
        raise AssertionError("nobody asks for a page here")


def test_a_connection_that_the_client_has_just_cut_can_be_told_to_go_away() -> None:
    """On asyncio's own loop too, whose transport raises where uvloop's says that the connection is lost."""

    async def run() -> None:
        owner = Owner()
        opened: list[H2Protocol] = []

        def new_protocol() -> asyncio.BaseProtocol:
            opened.append(H2Protocol(owner, MethodTable(), RpcLimits(), "client", "", False))
            return cast(asyncio.BaseProtocol, opened[0])

        server = await asyncio.get_running_loop().create_server(new_protocol, "127.0.0.1", 0)
        client = socket.create_connection(server.sockets[0].getsockname())
        client.sendall(PREFACE + encode_settings([]))
        client.setblocking(False)
        greeting = b""
        async with asyncio.timeout(10):
            while SETTINGS_ACK not in greeting:
                greeting += await asyncio.get_running_loop().sock_recv(client, 1000)
        # Closed, not reset: the kernel takes GOAWAY and resets in answer to it, and then there is nothing to shut down.
        client.close()
        opened[0].go_away()
        async with asyncio.timeout(10):
            await owner.closed.wait()
        server.close()

    asyncio.run(run())
