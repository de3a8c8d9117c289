"""Leases (reference section 2.6)."""

from __future__ import annotations

import time

import pytest

from etcdcore.pb import rpc_pb2 as pb
from integration.etcd.behaviour.client import Client, Refused, Stream, put_op
from integration.peers.etcd import EtcdServer

NOT_FOUND = (5, "etcdserver: requested lease not found")


def renew(stream: Stream, *lease_ids: int) -> list[tuple[int, int]]:
    for lease_id in lease_ids:
        stream.write(pb.LeaseKeepAliveRequest(ID=lease_id))
    answers = [stream.read(pb.LeaseKeepAliveResponse) for _ in lease_ids]
    return [(answer.ID, answer.TTL) for answer in answers]


def test_ids_are_the_clients_or_chosen_and_positive(client: Client) -> None:
    """V3LeaseGrantByID, V3LeaseNegativeID."""
    chosen = client.grant(100)
    assert chosen.ID > 0 and chosen.TTL == 100 and not chosen.error
    for lease_id in (4242, -4242, (1 << 63) - 1, -(1 << 63)):
        granted = client.grant(50, lease_id)
        got_id, got_ttl_s = granted.ID, granted.TTL
        assert (got_id, got_ttl_s) == (lease_id, 50)
        assert client.time_to_live(lease_id).grantedTTL == 50
        client.revoke(lease_id)


def test_a_lease_is_granted_once(client: Client) -> None:
    """V3LeaseExists."""
    lease_id = client.grant(100).ID
    with pytest.raises(Refused) as refused:
        client.grant(100, lease_id)
    assert (refused.value.code, refused.value.text) == (9, "etcdserver: lease already exists")


@pytest.mark.parametrize(("wanted", "granted"), [(-1, 2), (0, 2), (1, 2), (3, 3), (9_000_000_000, 9_000_000_000)])
def test_times_are_raised_to_the_minimum(client: Client, wanted: int, granted: int) -> None:
    answer = client.grant(wanted)
    ttl_s = answer.TTL
    assert ttl_s == granted
    client.revoke(answer.ID)


def test_a_time_past_the_maximum_is_refused(client: Client) -> None:
    with pytest.raises(Refused) as refused:
        client.grant(9_000_000_001)
    assert (refused.value.code, refused.value.text) == (11, "etcdserver: too large lease TTL")


def test_grants_and_empty_revocations_take_no_revision(client: Client) -> None:
    before = client.revision()
    granted = client.grant(100)
    assert granted.header.revision == before
    assert client.revoke(granted.ID).header.revision == before


def test_a_revocation_deletes_its_keys_in_order_in_one_revision(client: Client, prefix: bytes) -> None:
    """8.3.9; V3LeaseRevoke."""
    lease_id = client.grant(100).ID
    for name in (b"b", b"a", b"c"):
        client.put(prefix + name, lease=lease_id)
    client.put(prefix + b"other")
    watch = client.watch()
    watch.create(pb.WatchCreateRequest(key=prefix, range_end=prefix + b"\xff"))
    revision = client.revoke(lease_id).header.revision
    response = watch.next()
    assert [(event.type, event.kv.key) for event in response.events] == [
        (1, prefix + name) for name in (b"a", b"b", b"c")
    ]
    assert {event.kv.mod_revision for event in response.events} == {revision}
    assert client.get(prefix) == [(prefix + b"other", b"v")]
    with pytest.raises(Refused) as refused:
        client.revoke(lease_id)
    assert (refused.value.code, refused.value.text) == NOT_FOUND


def test_a_key_hangs_on_the_lease_of_its_last_put(client: Client, prefix: bytes) -> None:
    """8.3.8; V3LeaseSwitch, RecoverKeyWithDetachedLease."""
    first, second = client.grant(100).ID, client.grant(100).ID
    client.put(prefix + b"moved", lease=first)
    client.put(prefix + b"moved", lease=second)
    client.put(prefix + b"freed", lease=first)
    client.put(prefix + b"freed")
    client.put(prefix + b"held", lease=first)
    assert list(client.time_to_live(first, keys=True).keys) == [prefix + b"held"]
    client.revoke(first)
    assert [key for key, _ in client.get(prefix)] == [prefix + b"freed", prefix + b"moved"]
    client.revoke(second)
    assert [key for key, _ in client.get(prefix)] == [prefix + b"freed"]


def test_a_deleted_key_hangs_on_nothing(client: Client, prefix: bytes) -> None:
    lease_id = client.grant(100).ID
    client.put(prefix + b"k", lease=lease_id)
    client.delete(prefix + b"k")
    assert list(client.time_to_live(lease_id, keys=True).keys) == []
    client.put(prefix + b"k")
    client.revoke(lease_id)
    assert client.get(prefix + b"k") == [(prefix + b"k", b"v")]


def test_transactions_attach_too(client: Client, prefix: bytes) -> None:
    lease_id = client.grant(100).ID
    client.txn(success=[put_op(prefix + b"k", lease=lease_id)])
    assert list(client.time_to_live(lease_id, keys=True).keys) == [prefix + b"k"]
    client.revoke(lease_id)
    assert client.get(prefix) == []


def test_time_to_live_of_a_lease_and_of_none(client: Client, prefix: bytes) -> None:
    """8.3.10; V3GetNonExistLease."""
    lease_id = client.grant(100).ID
    client.put(prefix + b"k", lease=lease_id)
    answer = client.time_to_live(lease_id)
    assert (answer.ID, answer.grantedTTL, list(answer.keys)) == (lease_id, 100, [])
    assert 95 <= answer.TTL <= 100
    missing = client.time_to_live(1234, keys=True)
    assert (missing.ID, missing.TTL, missing.grantedTTL, list(missing.keys)) == (1234, -1, 0, [])
    assert missing.HasField("header")


def test_leases_are_listed_those_first_that_run_out_first(fresh: Client) -> None:
    """V3LeaseLeases."""
    assert fresh.leases() == []
    ids = [fresh.grant(ttl_s).ID for ttl_s in (300, 100, 200)]
    assert fresh.leases() == [ids[1], ids[2], ids[0]]
    fresh.revoke(ids[1])
    assert fresh.leases() == [ids[2], ids[0]]


def test_renewals_are_answered_one_by_one_in_order(client: Client) -> None:
    """8.3.10; V3LeaseKeepAlive."""
    one, other = client.grant(100).ID, client.grant(50).ID
    stream = client.keep_alive()
    assert renew(stream, one, 777, other, one) == [(one, 100), (777, 0), (other, 50), (one, 100)]
    client.revoke(one)
    assert renew(stream, one, other) == [(one, 0), (other, 50)]
    stream.done_writing()
    with pytest.raises(EOFError):
        stream.read(pb.LeaseKeepAliveResponse)


def test_a_lease_lives_as_long_as_it_is_renewed_and_then_takes_its_keys(client: Client, prefix: bytes) -> None:
    """V3LeaseExpire."""
    lease_id = client.grant(2).ID
    client.put(prefix + b"k", lease=lease_id)
    watch = client.watch()
    watch.create(pb.WatchCreateRequest(key=prefix + b"k"))
    stream = client.keep_alive()
    for _ in range(6):
        time.sleep(0.5)
        assert renew(stream, lease_id) == [(lease_id, 2)]
    renewed = time.monotonic()
    event = watch.next().events[0]
    lived_s = time.monotonic() - renewed
    assert (event.type, event.kv.key) == (1, prefix + b"k")
    assert 1.9 <= lived_s < 6
    assert renew(stream, lease_id) == [(lease_id, 0)]
    assert client.time_to_live(lease_id).TTL == -1


def test_leases_and_what_hangs_on_them_survive_a_restart(etcd: EtcdServer) -> None:
    """V3LeaseRevokeAndRecover, RecoverAndRevoke, RecoverKeyWithMultipleLease."""
    client = Client(etcd)
    kept, gone, later = client.grant(100).ID, client.grant(100).ID, client.grant(200).ID
    client.put(b"kept", lease=kept)
    client.put(b"gone", lease=gone)
    client.put(b"moved", lease=kept)
    client.put(b"moved", lease=later)
    client.revoke(gone)
    client.close()
    etcd.kill()
    etcd.start()
    client = Client(etcd)
    assert client.time_to_live(gone).TTL == -1
    answer = client.time_to_live(kept, keys=True)
    assert (answer.grantedTTL, list(answer.keys)) == (100, [b"kept"])
    client.revoke(kept)
    assert client.get(b"kept") == [] and client.get(b"moved") == [(b"moved", b"v")]
    client.revoke(later)
    assert client.get(b"moved") == []
    client.close()


def test_many_leases_run_out_together_each_in_its_revision(client: Client, prefix: bytes) -> None:
    leases = [client.grant(2).ID for _ in range(40)]
    watch = client.watch()
    watch.create(pb.WatchCreateRequest(key=prefix, range_end=prefix + b"\xff"))
    for number, lease_id in enumerate(leases):
        client.put(prefix + b"%02d" % number, lease=lease_id)
    assert [kind for kind, _, _ in watch.events(40)] == ["put"] * 40
    assert [kind for kind, _, _ in watch.events(40)] == ["delete"] * 40
    assert client.get(prefix) == []
