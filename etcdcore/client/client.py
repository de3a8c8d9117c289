"""The client: what it offers, in one place. Get one by `etcdcore.client.connect`, or from a server in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Final, Unpack, final

from etcdcore.client import requests
from etcdcore.client.admin import Auth, Maintenance, Members
from etcdcore.client.caller import Caller
from etcdcore.client.concurrency import Election, held_lock
from etcdcore.client.lease import KeptLease, keep_alive, keep_alive_once, kept_lease
from etcdcore.client.requests import DeleteOptions, Operation, PutOptions, RangeOptions, Text, WatchOptions
from etcdcore.client.watch import Watch
from etcdcore.pb import rpc_pb2

_KV: Final = "/etcdserverpb.KV/"
_LEASE: Final = "/etcdserverpb.Lease/"


@final
class Client:
    """One cluster. Safe to share by any number of tasks of one loop; all calls raise EtcdError.

    Responses are etcd's messages: `(await client.get("k")).kvs[0].value`, and the revision is in `.header.revision`.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller: Final = caller
        self.auth: Final = Auth(caller)
        self.maintenance: Final = Maintenance(caller)
        self.members: Final = Members(caller)

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Calls in progress are cancelled. May be called again."""
        await self._caller.close()

    # --- keys ---

    async def get(
        self, key: Text, *, timeout_s: float | None = None, **options: Unpack[RangeOptions]
    ) -> rpc_pb2.RangeResponse:
        """One key, or an interval (`prefix=True`, `range_end=`, `from_key=True`), at the latest revision."""
        request = requests.get(key, **options)
        return await self._caller.read(_KV + "Range", request, rpc_pb2.RangeResponse, timeout_s)

    async def put(
        self, key: Text, value: Text = b"", *, timeout_s: float | None = None, **options: Unpack[PutOptions]
    ) -> rpc_pb2.PutResponse:
        """Sets one key; `lease=` attaches it to a lease."""
        request = requests.put(key, value, **options)
        return await self._caller.write(_KV + "Put", request, rpc_pb2.PutResponse, timeout_s)

    async def delete(
        self, key: Text, *, timeout_s: float | None = None, **options: Unpack[DeleteOptions]
    ) -> rpc_pb2.DeleteRangeResponse:
        """Deletes one key, or an interval; `deleted` says how many there were."""
        request = requests.delete(key, **options)
        return await self._caller.write(_KV + "DeleteRange", request, rpc_pb2.DeleteRangeResponse, timeout_s)

    async def txn(
        self,
        compares: Iterable[rpc_pb2.Compare],
        success: Iterable[Operation] = (),
        failure: Iterable[Operation] = (),
        *,
        timeout_s: float | None = None,
    ) -> rpc_pb2.TxnResponse:
        """All or nothing; compares and operations are built by `etcdcore.client.requests`."""
        request = requests.txn(compares, success, failure)
        return await self._caller.write(_KV + "Txn", request, rpc_pb2.TxnResponse, timeout_s)

    async def compact(
        self, revision: int, *, physical: bool = False, timeout_s: float | None = None
    ) -> rpc_pb2.CompactionResponse:
        """Gives up the history before the revision."""
        request = rpc_pb2.CompactionRequest(revision=revision, physical=physical)
        return await self._caller.write(_KV + "Compact", request, rpc_pb2.CompactionResponse, timeout_s)

    def watch(self, key: Text, *, needs_leader: bool = False, **options: Unpack[WatchOptions]) -> Watch:
        """Changes of one key or an interval, from now or from a revision on, over broken connections too.

        To be used as `async with client.watch("k", prefix=True) as watch: async for response in watch: ...`; once it is
        entered, every later change is seen.
        """
        return Watch(self._caller, requests.watch(key, **options), needs_leader)

    # --- leases ---

    async def lease_grant(
        self, ttl_s: int, *, lease_id: int = 0, timeout_s: float | None = None
    ) -> rpc_pb2.LeaseGrantResponse:
        """A lease that runs out unless it is renewed; the server picks an id, and raises a small TTL."""
        request = rpc_pb2.LeaseGrantRequest(TTL=ttl_s, ID=lease_id)
        return await self._caller.write(_LEASE + "LeaseGrant", request, rpc_pb2.LeaseGrantResponse, timeout_s)

    async def lease_revoke(self, lease_id: int, *, timeout_s: float | None = None) -> rpc_pb2.LeaseRevokeResponse:
        """Ends a lease, and deletes its keys."""
        request = rpc_pb2.LeaseRevokeRequest(ID=lease_id)
        return await self._caller.write(_LEASE + "LeaseRevoke", request, rpc_pb2.LeaseRevokeResponse, timeout_s)

    async def lease_time_to_live(
        self, lease_id: int, *, keys: bool = False, timeout_s: float | None = None
    ) -> rpc_pb2.LeaseTimeToLiveResponse:
        """Seconds left, -1 for a lease that is not there."""
        request = rpc_pb2.LeaseTimeToLiveRequest(ID=lease_id, keys=keys)
        kind = rpc_pb2.LeaseTimeToLiveResponse
        return await self._caller.read(_LEASE + "LeaseTimeToLive", request, kind, timeout_s)

    async def leases(self, *, timeout_s: float | None = None) -> rpc_pb2.LeaseLeasesResponse:
        """All of them."""
        request = rpc_pb2.LeaseLeasesRequest()
        return await self._caller.read(_LEASE + "LeaseLeases", request, rpc_pb2.LeaseLeasesResponse, timeout_s)

    async def lease_keep_alive_once(self, lease_id: int) -> int:
        """Renews; returns the seconds it has again. Raises LeaseLost."""
        return await keep_alive_once(self._caller, lease_id)

    async def lease_keep_alive(self, lease_id: int) -> None:
        """Long-lived: renews each third of the TTL until cancelled. Raises LeaseLost."""
        await keep_alive(self._caller, lease_id)

    @asynccontextmanager
    async def lease(self, ttl_s: int) -> AsyncIterator[KeptLease]:
        """A lease kept alive inside of `async with`, and revoked behind it. If it is lost the body is cancelled and
        LeaseLost raised."""
        async with kept_lease(self, self._caller, ttl_s) as lease:
            yield lease

    # --- lock and election ---

    @asynccontextmanager
    async def lock(self, name: Text, *, ttl_s: int = 60) -> AsyncIterator[bytes]:
        """Held inside of `async with`; yields the key that stands for it while it is held (compare it in transactions).
        If the lock is lost the body is cancelled and LeaseLost raised."""
        async with self.lease(ttl_s) as lease, held_lock(self._caller, name, lease.lease_id) as key:
            yield key

    def election(self, name: Text) -> Election:
        """Campaign, proclaim, resign, and see who leads."""
        return Election(self._caller, requests.encode(name))
