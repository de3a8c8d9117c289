"""Keeps a proxy's list of servers that of the cluster's members, as clientv3 does when it is told an interval.

Source: etcd client/v3/client.go, autoSync.
"""

import asyncio
from typing import Final

import structlog

from etcdcore.client.remote import RemoteChannel
from etcdcore.pb import rpc_pb2
from etcdcore.rpc.status import EtcdError

SYNC_TIMEOUT_S: Final = 5.0
RETIREMENT_S: Final = 60.0
"""For calls in progress on a server that is no member any more; watches begin anew elsewhere after it."""
_MEMBER_LIST: Final = "/etcdserverpb.Cluster/MemberList"

_log = structlog.get_logger()


async def serve_endpoint_sync(channel: RemoteChannel, interval_s: float) -> None:
    """Long-lived: asks every so many seconds. When nobody answers, the list stays as it is."""
    async with asyncio.TaskGroup() as group:
        while True:
            await asyncio.sleep(interval_s)
            try:
                answer = await channel.unary(_MEMBER_LIST, b"", {}, SYNC_TIMEOUT_S)
            except EtcdError as error:
                channel.try_another()
                _log.warning("endpoints_not_synced", reason=error.text)
                continue
            if found := endpoints_of(rpc_pb2.MemberListResponse.FromString(answer)):
                for retired in channel.set_endpoints(found):
                    group.create_task(channel.retire(retired, RETIREMENT_S), name="retire connection")


def endpoints_of(members: rpc_pb2.MemberListResponse) -> list[str]:
    """Where clients are served: members that have started and vote."""
    started = [member for member in members.members if member.name and not member.isLearner]
    return [url for member in started for url in member.clientURLs]
