"""Keeping leases alive."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from etcdcore.client.caller import Caller
from etcdcore.client.errors import LeaseLost
from etcdcore.errors import UNAVAILABLE
from etcdcore.pb import rpc_pb2
from etcdcore.rpc.status import EtcdError, cut_off

if TYPE_CHECKING:
    from etcdcore.client.client import Client

_PATH: Final = "/etcdserverpb.Lease/LeaseKeepAlive"
REOPEN_PAUSE_S: Final = 0.5
"""As clientv3, after a keepalive stream broke."""
REVOKE_TIMEOUT_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class KeptLease:
    """A lease that somebody keeps alive."""

    lease_id: int
    ttl_s: int


async def keep_alive_once(caller: Caller, lease_id: int) -> int:
    """The seconds that the lease has again. Raises LeaseLost."""
    stream = await caller.open_stream(_PATH)
    try:
        await stream.send(rpc_pb2.LeaseKeepAliveRequest(ID=lease_id).SerializeToString())
        stream.end_input()
        answer = await stream.receive()
    finally:
        stream.cancel()
    if answer is None:
        raise cut_off("the keepalive stream ended without an answer")
    ttl_s = rpc_pb2.LeaseKeepAliveResponse.FromString(answer).TTL
    if ttl_s <= 0:
        raise LeaseLost(lease_id)
    return ttl_s


async def keep_alive(caller: Caller, lease_id: int) -> None:
    """Renews each third of the TTL, over broken connections too. Raises LeaseLost, if it is or must be gone."""
    loop = asyncio.get_running_loop()
    ttl_s = 0
    deadline_s: float | None = None
    while True:
        try:
            async with asyncio.timeout_at(deadline_s):
                ttl_s = await keep_alive_once(caller, lease_id)
            deadline_s = loop.time() + ttl_s
        except TimeoutError as error:
            raise LeaseLost(lease_id) from error
        except EtcdError as error:
            is_over = deadline_s is not None and loop.time() >= deadline_s
            if error.code != UNAVAILABLE and not await caller.renew_token_for(error):
                raise
            if is_over:
                raise LeaseLost(lease_id) from error
            caller.try_another()
            await asyncio.sleep(REOPEN_PAUSE_S)
            continue
        await asyncio.sleep(ttl_s / 3)


@asynccontextmanager
async def kept_lease(client: Client, caller: Caller, ttl_s: int) -> AsyncIterator[KeptLease]:
    """See `Client.lease`."""
    granted = await client.lease_grant(ttl_s)
    try:
        async with asyncio.TaskGroup() as group:
            keeper = group.create_task(keep_alive(caller, granted.ID), name=f"keep lease {granted.ID:x}")
            yield KeptLease(granted.ID, granted.TTL)
            keeper.cancel()
    except BaseExceptionGroup as group_error:
        raise _only(group_error) from group_error
    finally:
        await _revoke(client, granted.ID)


def _only(error: BaseExceptionGroup) -> BaseException:
    """What the body raised, or why it was cancelled, without the group around it if it is alone."""
    inner = error.exceptions[0]
    if len(error.exceptions) > 1:
        return error
    return _only(inner) if isinstance(inner, BaseExceptionGroup) else inner


async def _revoke(client: Client, lease_id: int) -> None:
    """So that its keys go at once. If that fails they go when the lease runs out."""
    try:
        await client.lease_revoke(lease_id, timeout_s=REVOKE_TIMEOUT_S)
    except EtcdError:
        return
