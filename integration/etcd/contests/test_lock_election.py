"""The Lock and Election services, by the same script on both servers. Reference section 2.11."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest

from etcdcore.pb import rpc_pb2, v3election_pb2, v3lock_pb2
from integration.peers.etcd import TARGETS, target_names

LONG_S = 20
SHORT_S = 0.6


@pytest.fixture(scope="module", params=target_names())
def channel(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[grpc.Channel]:
    with TARGETS[request.param](tmp_path_factory.mktemp(request.param)) as server, server.channel() as channel:
        yield channel


class Contestant:
    """Calls of both services and those that they rest on."""

    def __init__(self, channel: grpc.Channel) -> None:
        self.channel = channel

    def call(self, path: str, request: Any, kind: Any, timeout_s: float = LONG_S) -> Any:
        return self.begin(path, request, kind, timeout_s).result()

    def begin(self, path: str, request: Any, kind: Any, timeout_s: float = LONG_S) -> Any:
        ask: Callable[..., Any] = self.channel.unary_unary(
            path, request_serializer=lambda message: message.SerializeToString(), response_deserializer=kind.FromString
        ).future
        return ask(request, timeout=timeout_s)

    def lease(self, ttl_s: int = 60) -> int:
        request = rpc_pb2.LeaseGrantRequest(TTL=ttl_s)
        granted: int = self.call("/etcdserverpb.Lease/LeaseGrant", request, rpc_pb2.LeaseGrantResponse).ID
        return granted

    def revoke(self, lease_id: int) -> None:
        self.call(
            "/etcdserverpb.Lease/LeaseRevoke", rpc_pb2.LeaseRevokeRequest(ID=lease_id), rpc_pb2.LeaseRevokeResponse
        )

    def keys(self, prefix: bytes) -> list[bytes]:
        request = rpc_pb2.RangeRequest(key=prefix, range_end=prefix[:-1] + bytes((prefix[-1] + 1,)))
        found = self.call("/etcdserverpb.KV/Range", request, rpc_pb2.RangeResponse)
        return [pair.key for pair in found.kvs]

    def lock(self, name: bytes, lease_id: int = 0, timeout_s: float = LONG_S) -> Any:
        request = v3lock_pb2.LockRequest(name=name, lease=lease_id)
        return self.begin("/v3lockpb.Lock/Lock", request, v3lock_pb2.LockResponse, timeout_s)

    def unlock(self, key: bytes) -> Any:
        return self.call("/v3lockpb.Lock/Unlock", v3lock_pb2.UnlockRequest(key=key), v3lock_pb2.UnlockResponse)

    def campaign(self, name: bytes, lease_id: int, value: bytes, timeout_s: float = LONG_S) -> Any:
        request = v3election_pb2.CampaignRequest(name=name, lease=lease_id, value=value)
        return self.begin("/v3electionpb.Election/Campaign", request, v3election_pb2.CampaignResponse, timeout_s)

    def proclaim(self, leader: Any, value: bytes) -> Any:
        request = v3election_pb2.ProclaimRequest(leader=leader, value=value)
        return self.call("/v3electionpb.Election/Proclaim", request, v3election_pb2.ProclaimResponse)

    def resign(self, leader: Any) -> Any:
        request = v3election_pb2.ResignRequest(leader=leader)
        return self.call("/v3electionpb.Election/Resign", request, v3election_pb2.ResignResponse)

    def leader(self, name: bytes) -> Any:
        request = v3election_pb2.LeaderRequest(name=name)
        return self.call("/v3electionpb.Election/Leader", request, v3election_pb2.LeaderResponse)

    def observe(self, name: bytes) -> Any:
        ask = self.channel.unary_stream(
            "/v3electionpb.Election/Observe",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=v3election_pb2.LeaderResponse.FromString,
        )
        return ask(v3election_pb2.LeaderRequest(name=name), timeout=LONG_S)


@pytest.fixture
def contestant(channel: grpc.Channel) -> Contestant:
    return Contestant(channel)


def refusal(action: Callable[[], Any]) -> tuple[grpc.StatusCode, str]:
    """Code and text of the refusal, which must come."""
    with pytest.raises(grpc.RpcError) as caught:
        action()
    return caught.value.code(), caught.value.details()


def test_a_lock_is_a_key_of_the_name_and_the_lease(contestant: Contestant) -> None:
    lease = contestant.lease()
    held = contestant.lock(b"one", lease).result()
    assert held.key == b"one/%x" % lease
    assert contestant.keys(b"one/") == [held.key]
    again = contestant.lock(b"one", lease).result()
    assert again.key == held.key
    freed = contestant.unlock(held.key)
    assert freed.header.revision == held.header.revision + 1
    assert contestant.keys(b"one/") == []


def test_contestants_get_the_lock_in_the_order_in_which_they_came(contestant: Contestant) -> None:
    leases = [contestant.lease() for _ in range(4)]
    first = contestant.lock(b"order", leases[0]).result()
    waiting = []
    for count, lease in enumerate(leases[1:], start=2):
        waiting.append(contestant.lock(b"order", lease))
        while len(contestant.keys(b"order/")) < count:
            pass
    key = first.key
    for call, lease in zip(waiting, leases[1:], strict=True):
        assert not call.done()
        contestant.unlock(key)
        key = call.result().key
        assert key == b"order/%x" % lease


def test_a_lock_without_a_lease_gets_one_that_ends(contestant: Contestant) -> None:
    held = contestant.lock(b"leaseless").result()
    lease = int(held.key.split(b"/")[1], 16)
    request = rpc_pb2.LeaseTimeToLiveRequest(ID=lease, keys=True)
    left = contestant.call("/etcdserverpb.Lease/LeaseTimeToLive", request, rpc_pb2.LeaseTimeToLiveResponse)
    assert left.grantedTTL == 60
    assert list(left.keys) == [held.key]


def test_a_lock_that_is_given_up_leaves_no_key(contestant: Contestant) -> None:
    held = contestant.lock(b"given up", contestant.lease()).result()
    code, _ = refusal(lambda: contestant.lock(b"given up", contestant.lease(), SHORT_S).result())
    assert code == grpc.StatusCode.DEADLINE_EXCEEDED
    while contestant.keys(b"given up/") != [held.key]:
        pass


def test_the_lease_of_a_holder_that_ends_frees_the_lock(contestant: Contestant) -> None:
    lease = contestant.lease()
    contestant.lock(b"ends", lease).result()
    other = contestant.lock(b"ends", contestant.lease())
    while len(contestant.keys(b"ends/")) < 2:
        pass
    contestant.revoke(lease)
    other.result()


def test_a_waiting_contestant_whose_lease_ends_is_told(contestant: Contestant) -> None:
    held = contestant.lock(b"told", contestant.lease()).result()
    lease = contestant.lease()
    waiting = contestant.lock(b"told", lease)
    while len(contestant.keys(b"told/")) < 2:
        pass
    contestant.revoke(lease)
    contestant.unlock(held.key)
    assert refusal(waiting.result) == (grpc.StatusCode.UNKNOWN, "mutex: session is expired")


def test_an_unknown_lease_is_refused(contestant: Contestant) -> None:
    expected = (grpc.StatusCode.UNKNOWN, "etcdserver: requested lease not found")
    assert refusal(lambda: contestant.lock(b"unknown", 0x1234).result()) == expected
    assert refusal(lambda: contestant.campaign(b"unknown", 0x1234, b"v").result()) == expected


def test_a_leader_proclaims_and_resigns(contestant: Contestant) -> None:
    lease = contestant.lease()
    won = contestant.campaign(b"e", lease, b"first").result()
    assert won.leader.key == b"e/%x" % lease
    assert won.leader.name == b"e"
    assert won.leader.lease == lease
    assert won.leader.rev == won.header.revision
    assert contestant.leader(b"e").kv.value == b"first"
    contestant.proclaim(won.leader, b"second")
    assert contestant.leader(b"e").kv.value == b"second"
    next_one = contestant.campaign(b"e", contestant.lease(), b"third")
    while len(contestant.keys(b"e/")) < 2:
        pass
    assert contestant.leader(b"e").kv.value == b"second"
    contestant.resign(won.leader)
    next_one.result()
    assert contestant.leader(b"e").kv.value == b"third"
    assert refusal(lambda: contestant.proclaim(won.leader, b"late")) == (
        grpc.StatusCode.UNKNOWN,
        "election: not leader",
    )
    before = contestant.leader(b"e").header.revision
    assert contestant.resign(won.leader).header.revision == before


def test_a_second_campaign_of_a_lease_takes_its_key_again(contestant: Contestant) -> None:
    lease = contestant.lease()
    first = contestant.campaign(b"again", lease, b"1").result()
    second = contestant.campaign(b"again", lease, b"2").result()
    assert (second.leader.key, second.leader.rev) == (first.leader.key, first.leader.rev)
    assert contestant.leader(b"again").kv.value == b"2"
    assert contestant.campaign(b"again", lease, b"2").result().leader.rev == first.leader.rev


def test_nobody_leads_and_nobody_is_named(contestant: Contestant) -> None:
    assert refusal(lambda: contestant.leader(b"nobody")) == (grpc.StatusCode.UNKNOWN, "election: no leader")
    missing = (grpc.StatusCode.UNKNOWN, '"leader" field must be provided')
    assert refusal(lambda: contestant.proclaim(None, b"v")) == missing
    assert refusal(lambda: contestant.resign(None)) == missing


def test_a_candidate_that_gives_up_leaves_no_key(contestant: Contestant) -> None:
    won = contestant.campaign(b"fewer", contestant.lease(), b"v").result()
    code, _ = refusal(lambda: contestant.campaign(b"fewer", contestant.lease(), b"w", SHORT_S).result())
    assert code == grpc.StatusCode.DEADLINE_EXCEEDED
    while contestant.keys(b"fewer/") != [won.leader.key]:
        pass


def test_observers_see_every_leader_and_all_it_says(contestant: Contestant) -> None:
    seen: list[bytes] = []
    done = threading.Event()
    stream = contestant.observe(b"seen")

    def read() -> None:
        for response in stream:
            seen.append(response.kv.value)
            if response.kv.value == b"3":
                break
        done.set()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    first = contestant.campaign(b"seen", contestant.lease(), b"1").result()
    while not seen:
        pass
    contestant.proclaim(first.leader, b"2")
    while len(seen) < 2:
        pass
    second = contestant.campaign(b"seen", contestant.lease(), b"3")
    contestant.resign(first.leader)
    second.result()
    assert done.wait(LONG_S)
    stream.cancel()
    assert seen == [b"1", b"2", b"3"]
