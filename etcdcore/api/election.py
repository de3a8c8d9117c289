"""The Election service: the oldest key below a name is the leader's, and its value is what the leader says.

Invariant: a campaign that ends without the office leaves no key behind.
"""

import asyncio
import contextlib
from typing import Final, final

from etcdcore.api.contest import (
    CLEANUP_TIMEOUT_S,
    Contest,
    ContestError,
    is_untouched_since,
    oldest_below,
)
from etcdcore.api.convert_slow import parse
from etcdcore.api.tasks import CallStream
from etcdcore.pb import kv_pb2, rpc_pb2, v3election_pb2
from etcdcore.rpc.calls import Call
from etcdcore.rpc.channel import Channel
from etcdcore.rpc.status import EtcdError
from etcdcore.types import prefix_end

CAMPAIGN: Final = "/v3electionpb.Election/Campaign"
PROCLAIM: Final = "/v3electionpb.Election/Proclaim"
LEADER: Final = "/v3electionpb.Election/Leader"
OBSERVE: Final = "/v3electionpb.Election/Observe"
RESIGN: Final = "/v3electionpb.Election/Resign"


@final
class ElectionService:
    """Over a channel to the services of this server."""

    def __init__(self, channel: Channel) -> None:
        self._channel: Final = channel

    async def campaign(self, message: bytes, call: Call) -> bytes:
        """Answers once the caller leads, with what he needs to proclaim and to resign."""
        request = parse(v3election_pb2.CampaignRequest, message)
        contest = Contest(self._channel, call.metadata, request.name)
        lease_id = await contest.lease(request.lease)
        key = contest.key_of(lease_id)
        put = rpc_pb2.RequestOp(request_put=rpc_pb2.PutRequest(key=key, value=request.value, lease=lease_id))
        own = rpc_pb2.RequestOp(request_range=rpc_pb2.RangeRequest(key=key))
        answer = await contest.transact(
            rpc_pb2.TxnRequest(compare=[is_untouched_since(key, 0)], success=[put], failure=[own])
        )
        header = answer.header
        leader = v3election_pb2.LeaderKey(name=request.name, key=key, rev=header.revision, lease=lease_id)
        try:
            if not answer.succeeded:
                # A candidate of the same lease: the same candidate, perhaps with something else to say.
                former = answer.responses[0].response_range.kvs[0]
                leader.rev = former.create_revision
                if former.value != request.value:
                    header = (await _proclaim(contest, leader, request.value)).header
            await contest.wait_alone(leader.rev)
        except (EtcdError, asyncio.CancelledError):
            with contextlib.suppress(EtcdError, TimeoutError):  # the lease's end deletes it all the same
                async with asyncio.timeout(CLEANUP_TIMEOUT_S):
                    await _resign(contest, leader)
            raise
        return v3election_pb2.CampaignResponse(header=header, leader=leader).SerializeToString()

    async def proclaim(self, message: bytes, call: Call) -> bytes:
        """A new value, if the caller still leads."""
        request = parse(v3election_pb2.ProclaimRequest, message)
        _check_leader(request.HasField("leader"))
        contest = Contest(self._channel, call.metadata, request.leader.name)
        answer = await _proclaim(contest, request.leader, request.value)
        return v3election_pb2.ProclaimResponse(header=answer.header).SerializeToString()

    async def resign(self, message: bytes, call: Call) -> bytes:
        """Makes room for the next; nothing if the caller does not lead."""
        request = parse(v3election_pb2.ResignRequest, message)
        _check_leader(request.HasField("leader"))
        contest = Contest(self._channel, call.metadata, request.leader.name)
        answer = await _resign(contest, request.leader)
        return v3election_pb2.ResignResponse(header=answer.header).SerializeToString()

    async def leader(self, message: bytes, call: Call) -> bytes:
        """Who leads now."""
        request = parse(v3election_pb2.LeaderRequest, message)
        contest = Contest(self._channel, call.metadata, request.name)
        found = await contest.read(oldest_below(contest.prefix))
        if not found.kvs:
            raise ContestError("election: no leader")
        return v3election_pb2.LeaderResponse(header=found.header, kv=found.kvs[0]).SerializeToString()

    async def observe(self, message: bytes, stream: CallStream) -> None:
        """The leader and all it says, then the next leader, for as long as the client listens."""
        request = parse(v3election_pb2.LeaderRequest, message)
        contest = Contest(self._channel, stream.call.metadata, request.name)
        while True:
            header, leader = await _wait_leader(contest)
            await stream.send(v3election_pb2.LeaderResponse(header=header, kv=leader).SerializeToString())
            async for response in contest.watch(leader.key, b"", header.revision + 1):
                if await _tell(stream, response):
                    break


async def _tell(stream: CallStream, response: rpc_pb2.WatchResponse) -> bool:
    """What a leader said; true when it leads no more."""
    for event in response.events:
        if event.type == kv_pb2.Event.EventType.DELETE:
            return True
        said = v3election_pb2.LeaderResponse(header=response.header, kv=event.kv)
        await stream.send(said.SerializeToString())
    return False


async def _wait_leader(contest: Contest) -> tuple[rpc_pb2.ResponseHeader, kv_pb2.KeyValue]:
    """Who leads, once somebody does, and the revision at which that was seen."""
    found = await contest.read(oldest_below(contest.prefix))
    if found.kvs:
        return found.header, found.kvs[0]
    async for response in contest.watch(contest.prefix, prefix_end(contest.prefix), found.header.revision):
        for event in response.events:
            if event.type == kv_pb2.Event.EventType.PUT:
                # What follows in the same response is of later revisions: the next watch begins behind this one.
                header = rpc_pb2.ResponseHeader()
                header.CopyFrom(response.header)
                header.revision = event.kv.mod_revision
                return header, event.kv
    raise AssertionError("a watch ends by an error only")


async def _proclaim(contest: Contest, leader: v3election_pb2.LeaderKey, value: bytes) -> rpc_pb2.TxnResponse:
    put = rpc_pb2.PutRequest(key=leader.key, value=value, lease=leader.lease)
    answer = await contest.transact(
        rpc_pb2.TxnRequest(
            compare=[is_untouched_since(leader.key, leader.rev)], success=[rpc_pb2.RequestOp(request_put=put)]
        )
    )
    if not answer.succeeded:
        raise ContestError("election: not leader")
    return answer


async def _resign(contest: Contest, leader: v3election_pb2.LeaderKey) -> rpc_pb2.TxnResponse:
    delete = rpc_pb2.DeleteRangeRequest(key=leader.key)
    return await contest.transact(
        rpc_pb2.TxnRequest(
            compare=[is_untouched_since(leader.key, leader.rev)],
            success=[rpc_pb2.RequestOp(request_delete_range=delete)],
        )
    )


def _check_leader(is_given: bool) -> None:
    if not is_given:
        raise ContestError('"leader" field must be provided')
