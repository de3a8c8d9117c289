"""etcdcore.api.lease: grants, renewals and ends of leases (reference section 2.6)."""

from pathlib import Path

import pytest

from etcdcore.api import kv, lease
from etcdcore.api.settings import ApiSettings
from etcdcore.pb import rpc_pb2 as pb
from tests.unit.etcdcore.api.harness import Client, Refused, serving
from tests.unit.etcdcore.member.fakes import on_loop, until


async def grant(client: Client, ttl_s: int, lease_id: int = 0) -> pb.LeaseGrantResponse:
    return await client.call(lease.GRANT, pb.LeaseGrantRequest(TTL=ttl_s, ID=lease_id), pb.LeaseGrantResponse)


async def attach(client: Client, key: bytes, lease_id: int) -> None:
    await client.call(kv.PUT, pb.PutRequest(key=key, value=b"v", lease=lease_id), pb.PutResponse)


async def keys(client: Client) -> list[bytes]:
    found = await client.call(kv.RANGE, pb.RangeRequest(key=b"\0", range_end=b"\0"), pb.RangeResponse)
    return [pair.key for pair in found.kvs]


@on_loop
async def test_a_grant_without_an_id_gets_a_new_positive_one_and_at_least_the_minimum(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        first, second = await grant(client, 1), await grant(client, -5)
        assert first.ID > 0 and second.ID > 0 and first.ID != second.ID
        assert (first.TTL, second.TTL, first.header.revision) == (2, 2, 1)


@on_loop
async def test_grants_of_taken_ids_and_endless_times_are_refused(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        assert (await grant(client, 100, -7)).ID == -7
        for ttl_s, lease_id, refusal in (
            (100, -7, (9, "etcdserver: lease already exists")),
            (9_000_000_001, 8, (11, "etcdserver: too large lease TTL")),
        ):
            with pytest.raises(Refused) as refused:
                await grant(client, ttl_s, lease_id)
            assert (refused.value.code, refused.value.text) == refusal


@on_loop
async def test_a_revocation_deletes_the_keys_in_one_revision(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        granted = await grant(client, 100)
        for key in (b"b", b"a"):
            await attach(client, key, granted.ID)
        revoked = await client.call(lease.REVOKE, pb.LeaseRevokeRequest(ID=granted.ID), pb.LeaseRevokeResponse)
        assert (revoked.header.revision, await keys(client)) == (4, [])
        with pytest.raises(Refused) as refused:
            await client.call(lease.REVOKE, pb.LeaseRevokeRequest(ID=granted.ID), pb.LeaseRevokeResponse)
        assert (refused.value.code, refused.value.text) == (5, "etcdserver: requested lease not found")


@on_loop
async def test_renewals_are_answered_in_order_and_a_missing_lease_has_no_time(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        long, short = await grant(client, 100), await grant(client, 50)
        stream = client.open(lease.KEEP_ALIVE)
        for lease_id in (long.ID, 999, short.ID, long.ID):
            stream.write(pb.LeaseKeepAliveRequest(ID=lease_id))
        answers = [await stream.read(pb.LeaseKeepAliveResponse) for _ in range(4)]
        assert [(one.ID, one.TTL) for one in answers] == [(long.ID, 100), (999, 0), (short.ID, 50), (long.ID, 100)]
        stream.listener.input_ended()
        with pytest.raises(EOFError):
            await stream.read(pb.LeaseKeepAliveResponse)


@on_loop
async def test_renewals_of_a_client_that_does_not_read_wait(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        granted = await grant(client, 100)
        stream = client.open(lease.KEEP_ALIVE)
        stream.set_writable(False)
        for _ in range(3):
            stream.write(pb.LeaseKeepAliveRequest(ID=granted.ID))
        assert await stream.is_silent()
        stream.set_writable(True)
        assert [(await stream.read(pb.LeaseKeepAliveResponse)).TTL for _ in range(3)] == [100] * 3
        stream.set_writable(False)
        for _ in range(lease.KEEP_ALIVES_WAITING_MAX + 1):
            stream.write(pb.LeaseKeepAliveRequest(ID=granted.ID))
        with pytest.raises(Refused) as refused:
            await stream.read(pb.LeaseKeepAliveResponse)
        assert refused.value.code == 8


@on_loop
async def test_a_renewal_of_a_lease_that_has_run_out_waits_until_it_is_revoked(tmp_path: Path) -> None:
    async with serving(tmp_path, ApiSettings(lease_ttl_min_s=1)) as client:
        granted = await grant(client, 1)
        await attach(client, b"k", granted.ID)
        member = client.services.member
        member.lessor.leases[granted.ID].deadline_ms = 0
        stream = client.open(lease.KEEP_ALIVE)
        stream.write(pb.LeaseKeepAliveRequest(ID=granted.ID))
        stream.write(pb.LeaseKeepAliveRequest(ID=granted.ID))
        assert not stream.call.sent
        answer = await stream.read(pb.LeaseKeepAliveResponse)
        assert (answer.TTL, await keys(client)) == (0, [])
        assert (await stream.read(pb.LeaseKeepAliveResponse)).TTL == 0
        assert not client.services.leases.waiting


@on_loop
async def test_a_lease_without_renewal_takes_its_keys_along(tmp_path: Path) -> None:
    async with serving(tmp_path, ApiSettings(lease_ttl_min_s=1)) as client:
        granted = await grant(client, 1)
        await attach(client, b"k", granted.ID)
        await until(lambda: granted.ID not in client.services.member.lessor.leases)
        assert await keys(client) == []


@on_loop
async def test_time_to_live_tells_what_is_left_and_the_keys_in_order(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        granted = await grant(client, 100)
        for key in (b"b", b"a"):
            await attach(client, key, granted.ID)

        async def ask(lease_id: int, with_keys: bool) -> tuple[int, int, list[bytes]]:
            request = pb.LeaseTimeToLiveRequest(ID=lease_id, keys=with_keys)
            answer = await client.call(lease.TIME_TO_LIVE, request, pb.LeaseTimeToLiveResponse)
            return answer.TTL, answer.grantedTTL, list(answer.keys)

        assert await ask(granted.ID, True) == (99, 100, [b"a", b"b"])
        assert await ask(granted.ID, False) == (99, 100, [])
        assert await ask(5, True) == (-1, 0, [])


@on_loop
async def test_leases_are_listed_by_expiry(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        ids = [(await grant(client, ttl_s)).ID for ttl_s in (300, 100, 200)]
        listed = await client.call(lease.LEASES, pb.LeaseLeasesRequest(), pb.LeaseLeasesResponse)
        assert [one.ID for one in listed.leases] == [ids[1], ids[2], ids[0]]


def test_ids_of_leases_are_read_as_by_the_generated_classes() -> None:
    for lease_id in (0, 1, 127, 128, 1 << 62, -1, -(1 << 63)):
        assert lease.decode_lease_id(pb.LeaseRevokeRequest(ID=lease_id).SerializeToString()) == lease_id
    assert lease.decode_lease_id(b"\x08\x01\x08\x02") == 2
    assert lease.decode_lease_id(b"\x12\x01x") == 0
