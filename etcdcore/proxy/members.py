"""What the proxy says of the cluster's members: itself, or all proxies that are registered under one prefix.

A registration is the key `prefix/address` on a lease of the proxy's own, as etcd's naming library writes it.
"""

import asyncio
import json
import socket
from typing import Final, final

import structlog

from etcdcore.api.kv import PUT, RANGE
from etcdcore.api.lease import GRANT, KEEP_ALIVE
from etcdcore.pb import rpc_pb2
from etcdcore.proxy.upstream import Upstream
from etcdcore.rpc.calls import Call
from etcdcore.rpc.status import EtcdError
from etcdcore.types import prefix_end

_log = structlog.get_logger()

REGISTER_RETRY_S: Final = 1.0


@final
class ProxyMembers:
    """`prefix` empty: not registered, and alone."""

    def __init__(self, upstream: Upstream, advertise_url: str, prefix: str, ttl_s: int) -> None:
        self._upstream: Final = upstream
        self._advertise_url: Final = advertise_url
        self._prefix: Final = prefix.rstrip("/")
        self._ttl_s: Final = ttl_s

    async def serve(self) -> None:
        """Long-lived: keeps the registration, and registers anew when it was lost."""
        while self._prefix:
            try:
                await self._register()
            except EtcdError as error:
                _log.warning("registration_lost", error=error.text)
                self._upstream.try_another()
            await asyncio.sleep(REGISTER_RETRY_S)

    async def _register(self) -> None:
        grant = rpc_pb2.LeaseGrantRequest(TTL=self._ttl_s)
        lease = rpc_pb2.LeaseGrantResponse.FromString(
            await self._upstream.unary(GRANT, grant.SerializeToString(), {}, None)
        )
        value = json.dumps({"Op": 0, "Addr": self._advertise_url, "Metadata": {"Name": socket.gethostname()}})
        put = rpc_pb2.PutRequest(
            key=f"{self._prefix}/{self._advertise_url}".encode(), value=value.encode(), lease=lease.ID
        )
        await self._upstream.unary(PUT, put.SerializeToString(), {}, None)
        stream = self._upstream.stream(KEEP_ALIVE, {})
        try:
            while True:
                await stream.send(rpc_pb2.LeaseKeepAliveRequest(ID=lease.ID).SerializeToString())
                message = await stream.receive()
                if message is None or rpc_pb2.LeaseKeepAliveResponse.FromString(message).TTL <= 0:
                    return
                await asyncio.sleep(lease.TTL / 3)
        finally:
            stream.cancel()

    async def member_list(self, message: bytes, call: Call) -> bytes:
        """Members as clients of the proxy may know them: addresses of proxies."""
        found: list[rpc_pb2.Member] = []
        if self._prefix:
            prefix = f"{self._prefix}/".encode()
            request = rpc_pb2.RangeRequest(key=prefix, range_end=prefix_end(prefix))
            answer = await self._upstream.unary(RANGE, request.SerializeToString(), call.metadata, None)
            found = [member for pair in rpc_pb2.RangeResponse.FromString(answer).kvs if (member := _member(pair.value))]
        if not found:
            found = [rpc_pb2.Member(name=socket.gethostname(), clientURLs=[self._advertise_url])]
        return rpc_pb2.MemberListResponse(members=found).SerializeToString()


def _member(value: bytes) -> rpc_pb2.Member | None:
    """None for what is no registration: others may write under the prefix too."""
    try:
        registered = json.loads(value)
        return rpc_pb2.Member(name=str(registered["Metadata"]["Name"]), clientURLs=[str(registered["Addr"])])
    except (ValueError, KeyError, TypeError):
        return None
