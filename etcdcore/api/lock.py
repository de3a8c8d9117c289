"""The Lock service: the oldest key below a name holds the lock.

Invariant: a call that ends without the lock leaves no key behind, or nobody behind it would ever get it.
"""

import asyncio
import contextlib
from typing import Final, final

from etcdcore.api.contest import CLEANUP_TIMEOUT_S, Contest, ContestError, is_untouched_since, oldest_below
from etcdcore.api.convert_slow import parse
from etcdcore.pb import rpc_pb2, v3lock_pb2
from etcdcore.rpc.calls import Call
from etcdcore.rpc.channel import Channel
from etcdcore.rpc.status import EtcdError

LOCK: Final = "/v3lockpb.Lock/Lock"
UNLOCK: Final = "/v3lockpb.Lock/Unlock"


@final
class LockService:
    """Over a channel to the services of this server."""

    def __init__(self, channel: Channel) -> None:
        self._channel: Final = channel

    async def lock(self, message: bytes, call: Call) -> bytes:
        """Answers once the caller holds the lock; the key of the answer is to be deleted to free it."""
        request = parse(v3lock_pb2.LockRequest, message)
        contest = Contest(self._channel, call.metadata, request.name)
        lease_id = await contest.lease(request.lease)
        key = contest.key_of(lease_id)
        try:
            header = await self._acquire(contest, key, lease_id)
        except (EtcdError, asyncio.CancelledError):
            with contextlib.suppress(EtcdError, TimeoutError):  # the lease's end deletes it all the same
                async with asyncio.timeout(CLEANUP_TIMEOUT_S):
                    await contest.delete(key)
            raise
        return v3lock_pb2.LockResponse(header=header, key=key).SerializeToString()

    async def _acquire(self, contest: Contest, key: bytes, lease_id: int) -> rpc_pb2.ResponseHeader:
        oldest = rpc_pb2.RequestOp(request_range=oldest_below(contest.prefix))
        put = rpc_pb2.RequestOp(request_put=rpc_pb2.PutRequest(key=key, lease=lease_id))
        own = rpc_pb2.RequestOp(request_range=rpc_pb2.RangeRequest(key=key))
        answer = await contest.transact(
            rpc_pb2.TxnRequest(compare=[is_untouched_since(key, 0)], success=[put, oldest], failure=[own, oldest])
        )
        created = answer.header.revision
        if not answer.succeeded:
            created = answer.responses[0].response_range.kvs[0].create_revision
        holders = answer.responses[1].response_range.kvs
        if not holders or holders[0].create_revision == created:
            return answer.header
        await contest.wait_alone(created)
        found = await contest.read(rpc_pb2.RangeRequest(key=key))
        if not found.kvs:
            raise ContestError("mutex: session is expired")
        return found.header

    async def unlock(self, message: bytes, call: Call) -> bytes:
        """Deletes the key, whoever's it is."""
        request = parse(v3lock_pb2.UnlockRequest, message)
        answer = await Contest(self._channel, call.metadata, b"").delete(request.key)
        return v3lock_pb2.UnlockResponse(header=answer.header).SerializeToString()
