"""What a lock and an election have in common: contestants are keys below a name, and the oldest of them has won.

A contestant's key is `name/` and its lease's id in hexadecimal, so that its end frees it. Everything goes through the
server's own services, in the caller's name: he needs the permissions that he would need to do it himself.
Source: etcd client/v3/concurrency/key.go, mutex.go, election.go; reference section 2.11.
"""

from collections.abc import AsyncGenerator, Mapping
from typing import Final, final

from etcdcore.api.kv import DELETE_RANGE, RANGE, TXN
from etcdcore.api.lease import GRANT
from etcdcore.api.watch import WATCH
from etcdcore.errors import UNAVAILABLE, UNKNOWN, RevisionCompacted
from etcdcore.pb import kv_pb2, rpc_pb2
from etcdcore.rpc.channel import Channel
from etcdcore.rpc.status import EtcdError, cut_off
from etcdcore.types import prefix_end

LEASE_TTL_S: Final = 60
"""Of the lease that a contestant without one is given; nobody keeps it alive but the client."""
CLEANUP_TIMEOUT_S: Final = 5.0
_PUT: Final = kv_pb2.Event.EventType.PUT
_DELETE: Final = kv_pb2.Event.EventType.DELETE


class ContestError(EtcdError):
    """A refusal that has a text of its own and no code: clients see UNKNOWN."""

    def __init__(self, text: str) -> None:
        super().__init__(UNKNOWN, text)


def is_untouched_since(key: bytes, create_revision: int) -> rpc_pb2.Compare:
    """The condition that a key is the one created at that revision; 0: that there is none."""
    return rpc_pb2.Compare(
        result=rpc_pb2.Compare.CompareResult.EQUAL,
        target=rpc_pb2.Compare.CompareTarget.CREATE,
        key=key,
        create_revision=create_revision,
    )


def oldest_below(prefix: bytes) -> rpc_pb2.RangeRequest:
    """The read of the contestant that has won."""
    return rpc_pb2.RangeRequest(
        key=prefix,
        range_end=prefix_end(prefix),
        limit=1,
        sort_order=rpc_pb2.RangeRequest.SortOrder.ASCEND,
        sort_target=rpc_pb2.RangeRequest.SortTarget.CREATE,
    )


@final
class Contest:
    """One caller's view of the contest of one name."""

    def __init__(self, channel: Channel, metadata: Mapping[str, str], name: bytes) -> None:
        self._channel: Final = channel
        self._metadata: Final = metadata
        self.prefix: Final = name + b"/"

    def key_of(self, lease_id: int) -> bytes:
        return self.prefix + f"{lease_id:x}".encode()

    async def lease(self, wanted: int) -> int:
        """The lease to contest with: the caller's, or a new one."""
        if wanted:
            return wanted
        request = rpc_pb2.LeaseGrantRequest(TTL=LEASE_TTL_S)
        answer = await self._unary(GRANT, request.SerializeToString())
        return rpc_pb2.LeaseGrantResponse.FromString(answer).ID

    async def transact(self, request: rpc_pb2.TxnRequest) -> rpc_pb2.TxnResponse:
        return rpc_pb2.TxnResponse.FromString(await self._unary(TXN, request.SerializeToString()))

    async def read(self, request: rpc_pb2.RangeRequest) -> rpc_pb2.RangeResponse:
        return rpc_pb2.RangeResponse.FromString(await self._unary(RANGE, request.SerializeToString()))

    async def delete(self, key: bytes) -> rpc_pb2.DeleteRangeResponse:
        request = rpc_pb2.DeleteRangeRequest(key=key)
        return rpc_pb2.DeleteRangeResponse.FromString(await self._unary(DELETE_RANGE, request.SerializeToString()))

    async def wait_alone(self, create_revision: int) -> None:
        """Until no contestant is left that came before that revision: waits for the youngest of them, then the next."""
        before = rpc_pb2.RangeRequest(
            key=self.prefix,
            range_end=prefix_end(self.prefix),
            limit=1,
            sort_order=rpc_pb2.RangeRequest.SortOrder.DESCEND,
            sort_target=rpc_pb2.RangeRequest.SortTarget.CREATE,
            max_create_revision=create_revision - 1,
        )
        while True:
            found = await self.read(before)
            if not found.kvs:
                return
            async for response in self.watch(found.kvs[0].key, b"", found.header.revision):
                if any(event.type == _DELETE for event in response.events):
                    break

    async def watch(
        self, key: bytes, range_end: bytes, start_revision: int
    ) -> AsyncGenerator[rpc_pb2.WatchResponse, None]:
        """Responses with events. Raises EtcdError when the watch is refused or canceled, or the server stops."""
        stream = self._channel.stream(WATCH, self._metadata)
        try:
            create = rpc_pb2.WatchCreateRequest(key=key, range_end=range_end, start_revision=start_revision)
            await stream.send(rpc_pb2.WatchRequest(create_request=create).SerializeToString())
            while (message := await stream.receive()) is not None:
                response = rpc_pb2.WatchResponse.FromString(message)
                if response.canceled:
                    raise ContestError(response.cancel_reason or RevisionCompacted.text)
                if response.events:
                    yield response
        finally:
            stream.cancel()
        raise cut_off("etcdserver: server stopped")

    async def _unary(self, path: str, request: bytes) -> bytes:
        try:
            return await self._channel.unary(path, request, self._metadata, None)
        except EtcdError as error:
            if error.code == UNAVAILABLE:
                raise
            # As etcd's own: these services are its clients, and a client's errors lose their codes on the way.
            raise ContestError(error.text) from error
