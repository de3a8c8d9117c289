"""Locks and elections, by etcd's own Lock and Election services."""

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, final

from etcdcore.client.caller import Caller
from etcdcore.client.requests import Text, encode
from etcdcore.pb import kv_pb2, v3election_pb2, v3lock_pb2
from etcdcore.rpc.status import EtcdError

_LOCK: Final = "/v3lockpb.Lock/"
_ELECTION: Final = "/v3electionpb.Election/"
UNLOCK_TIMEOUT_S: Final = 5.0


@asynccontextmanager
async def held_lock(caller: Caller, name: Text, lease_id: int) -> AsyncIterator[bytes]:
    """See `Client.lock`; the lease is its owner's."""
    request = v3lock_pb2.LockRequest(name=encode(name), lease=lease_id)
    answer = await caller.write(_LOCK + "Lock", request, v3lock_pb2.LockResponse)
    try:
        yield answer.key
    finally:
        unlock = v3lock_pb2.UnlockRequest(key=answer.key)
        with contextlib.suppress(EtcdError):  # the lease's end frees it all the same
            await caller.write(_LOCK + "Unlock", unlock, v3lock_pb2.UnlockResponse, UNLOCK_TIMEOUT_S)


@final
class Election:
    """One election, known by its name. Needs a lease, which its owner keeps alive: losing it is losing the office."""

    def __init__(self, caller: Caller, name: bytes) -> None:
        self._caller: Final = caller
        self._name: Final = name

    async def campaign(self, value: Text, lease_id: int, *, timeout_s: float | None = None) -> v3election_pb2.LeaderKey:
        """Waits to be elected; what comes back is needed to proclaim and to resign."""
        request = v3election_pb2.CampaignRequest(name=self._name, lease=lease_id, value=encode(value))
        kind = v3election_pb2.CampaignResponse
        return (await self._caller.write(_ELECTION + "Campaign", request, kind, timeout_s)).leader

    async def proclaim(self, leader: v3election_pb2.LeaderKey, value: Text) -> v3election_pb2.ProclaimResponse:
        """A new value, without a new election."""
        request = v3election_pb2.ProclaimRequest(leader=leader, value=encode(value))
        return await self._caller.write(_ELECTION + "Proclaim", request, v3election_pb2.ProclaimResponse)

    async def resign(self, leader: v3election_pb2.LeaderKey) -> v3election_pb2.ResignResponse:
        """Makes room for the next candidate."""
        request = v3election_pb2.ResignRequest(leader=leader)
        return await self._caller.write(_ELECTION + "Resign", request, v3election_pb2.ResignResponse)

    async def leader(self) -> kv_pb2.KeyValue:
        """Who leads. Raises EtcdError (`election: no leader`) if nobody does."""
        request = v3election_pb2.LeaderRequest(name=self._name)
        return (await self._caller.read(_ELECTION + "Leader", request, v3election_pb2.LeaderResponse)).kv

    async def observe(self) -> AsyncGenerator[kv_pb2.KeyValue, None]:
        """The leader, and each that follows, or each new value; ends when the server does."""
        stream = await self._caller.open_stream(_ELECTION + "Observe")
        try:
            await stream.send(v3election_pb2.LeaderRequest(name=self._name).SerializeToString())
            stream.end_input()
            while (message := await stream.receive()) is not None:
                yield v3election_pb2.LeaderResponse.FromString(message).kv
        finally:
            stream.cancel()
