"""What clients of etcd 3.7 ask for, on ours and on etcd 3.7: RangeStream, and its etcdctl."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from etcdcore.pb import rpc_pb2 as pb
from integration.etcd.behaviour.client import Client
from integration.etcd.proxy.process import front
from integration.peers import golang
from integration.peers.etcd import EtcdServer, NextEtcd, OurEtcd

RANGE_STREAM = "/etcdserverpb.KV/RangeStream"
TIMEOUT_S = 30
OPEN = b"\0"
REQUESTS = [
    pb.RangeRequest(key=b"a", range_end=b"b"),
    pb.RangeRequest(key=b"a", range_end=b"b", serializable=True),
    pb.RangeRequest(key=b"a", range_end=OPEN),
    pb.RangeRequest(key=OPEN, range_end=OPEN, limit=1),
    pb.RangeRequest(key=b"a", range_end=b"b", limit=10),
    pb.RangeRequest(key=b"a", range_end=b"b", limit=25),
    pb.RangeRequest(key=b"a", range_end=b"b", limit=100),
    pb.RangeRequest(key=b"a", range_end=b"b", limit=5000),
    pb.RangeRequest(key=b"a", range_end=b"b", revision=40),
    pb.RangeRequest(key=b"a", range_end=b"b", revision=60, limit=30),
    pb.RangeRequest(key=b"a", range_end=b"b", count_only=True),
    pb.RangeRequest(key=b"a", range_end=b"b", count_only=True, limit=3),
    pb.RangeRequest(key=b"a", range_end=b"b", keys_only=True),
    pb.RangeRequest(key=b"a", range_end=b"b", keys_only=True, limit=30),
    pb.RangeRequest(key=b"a0001"),
    pb.RangeRequest(key=b"none"),
    pb.RangeRequest(key=b"b", range_end=b"a"),
    pb.RangeRequest(key=b"big", range_end=b"bih"),
    pb.RangeRequest(key=b"a", range_end=b"b", sort_order=pb.RangeRequest.ASCEND),
]
# A limit below 0 is none, and etcd 3.7.3 tells all in one piece; of a target without an order it tells pairs twice.
OURS_ALONE = [
    pb.RangeRequest(key=b"a", range_end=b"b", limit=-3),
    pb.RangeRequest(key=b"a", range_end=b"b", sort_target=pb.RangeRequest.MOD),
]
REFUSED = [
    pb.RangeRequest(),
    pb.RangeRequest(key=b"a", range_end=b"b", sort_order=pb.RangeRequest.DESCEND),
    pb.RangeRequest(key=b"a", sort_order=pb.RangeRequest.ASCEND, sort_target=pb.RangeRequest.VALUE),
    pb.RangeRequest(key=b"a", min_mod_revision=1),
    pb.RangeRequest(key=b"a", max_create_revision=1),
    pb.RangeRequest(key=b"a", revision=100_000),
    pb.RangeRequest(key=b"a", revision=1),
    pb.RangeRequest(key=b"a", sort_order=7),  # type: ignore[arg-type]  # no such order
]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[EtcdServer, EtcdServer]]:
    """With the same history, and revisions 1 to 20 compacted."""
    folder: Path = tmp_path_factory.mktemp("next")
    with OurEtcd(folder / "ours") as ours, NextEtcd(folder / "next") as later:
        for server in (ours, later):
            client = Client(server)
            lease = client.grant(1000, 7).ID
            for number in range(120):
                client.put(b"a%04d" % (number % 97), b"v%d" % number, lease=lease if number % 5 == 0 else 0)
            client.delete(b"a0003")
            for number in range(40):
                client.put(b"big%02d" % number, b"%02d" % number * 50_000)
            client.compact(20, physical=True)
            client.close()
        yield ours, later


def _ask(server: EtcdServer, request: pb.RangeRequest) -> list[pb.RangeResponse] | str:
    """The pieces, without what is each server's own; or the refusal."""
    with server.channel() as channel:
        call = channel.unary_stream(
            RANGE_STREAM,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=pb.RangeStreamResponse.FromString,
        )
        try:
            pieces = [answer.range_response for answer in call(request, timeout=TIMEOUT_S)]
        except grpc.RpcError as error:
            return f"{error.code().name} {error.details()}"
    for piece in pieces:
        if piece.HasField("header"):
            assert piece.header.cluster_id and piece.header.member_id and piece.header.raft_term
            piece.header.ClearField("cluster_id")
            piece.header.ClearField("member_id")
            piece.header.ClearField("raft_term")
    return pieces


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
def test_the_pieces_are_those_of_etcd_and_merge_to_the_range(
    request_: pb.RangeRequest, both: tuple[EtcdServer, EtcdServer]
) -> None:
    ours, theirs = (_ask(server, request_) for server in both)
    assert ours == theirs
    _check_whole(both[0], request_, ours)


@pytest.mark.parametrize("request_", OURS_ALONE, ids=str)
def test_odd_requests_are_told_in_pieces_too(request_: pb.RangeRequest, both: tuple[EtcdServer, EtcdServer]) -> None:
    _check_whole(both[0], request_, _ask(both[0], request_))


def _check_whole(server: EtcdServer, request_: pb.RangeRequest, pieces: list[pb.RangeResponse] | str) -> None:
    merged = pb.RangeResponse()
    for piece in pieces:
        assert isinstance(piece, pb.RangeResponse)
        merged.MergeFrom(piece)
    client = Client(server)
    whole = client.range(request_)
    client.close()
    if request_.keys_only:
        # etcd 3.7 reads keys alone from its index, which knows no leases; 3.6's Range, and ours, tells them.
        for pair in whole.kvs:
            pair.lease = 0
    if request_.sort_target:
        whole.kvs.sort(key=lambda pair: pair.key)
    assert list(merged.kvs) == list(whole.kvs)
    assert (merged.count, merged.more, merged.header.revision) == (whole.count, whole.more, whole.header.revision)


@pytest.mark.parametrize("request_", REFUSED, ids=str)
def test_what_cannot_be_told_in_pieces_is_refused_as_by_etcd(
    request_: pb.RangeRequest, both: tuple[EtcdServer, EtcdServer]
) -> None:
    ours, theirs = (_ask(server, request_) for server in both)
    assert isinstance(ours, str) and ours == theirs


def test_pieces_are_of_one_revision_whatever_is_written_meanwhile(both: tuple[EtcdServer, EtcdServer]) -> None:
    client = Client(both[0])
    with both[0].channel() as channel:
        call = channel.unary_stream(RANGE_STREAM, response_deserializer=pb.RangeStreamResponse.FromString)
        request = pb.RangeRequest(key=b"big", range_end=b"bih")
        pieces = iter(call(request.SerializeToString(), timeout=TIMEOUT_S))
        first = next(pieces).range_response
        revision = client.put(b"big99", b"late").header.revision
        rest = [answer.range_response for answer in pieces]
    client.delete(b"big99")
    client.close()
    assert len(first.kvs) == 10 and rest[-1].header.revision < revision
    assert sum(len(piece.kvs) for piece in [first, *rest]) == rest[-1].count == 40


def _etcdctl(endpoint: str, *words: str) -> str:
    program = golang.install(golang.ETCDCTL_NEXT)
    done = subprocess.run(
        [str(program), f"--endpoints={endpoint}", *words],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    return f"{done.returncode}\n{done.stdout}{done.stderr if done.returncode else ''}"


COMMANDS = (
    ("get", "a", "--prefix", "--stream"),
    ("get", "a", "--prefix", "--stream", "--limit=20"),
    ("get", "a", "--prefix", "--stream", "--keys-only"),
    ("get", "a", "--prefix", "--stream", "--count-only", "--write-out=fields"),
    ("get", "a0001", "--print-value-only"),
    ("get", "", "--prefix", "--keys-only", "--limit=5", "--order=DESCEND"),
    ("put", "ctl", "1", "--prev-kv"),
    ("put", "ctl", "2", "--prev-kv"),
    ("del", "ctl", "--prev-kv"),
    ("lock", "name", "echo", "held"),
    ("role", "add", "r"),
    ("role", "grant-permission", "r", "readwrite", "a", "b"),
    ("role", "get", "r"),
    ("user", "add", "u:secret"),
    ("user", "get", "u"),
    ("endpoint", "health", "--write-out=simple"),
    ("alarm", "list"),
    ("auth", "status"),
    ("compaction", "30"),
    ("get", "a0001", "--rev=25"),
)


def test_etcdctl_of_3_7_is_answered_alike(both: tuple[EtcdServer, EtcdServer]) -> None:
    for words in COMMANDS:
        ours, theirs = (_mask(_etcdctl(server.client_url, *words)) for server in both)
        assert ours == theirs, words


def _mask(text: str) -> str:
    """Ids, times and addresses out."""
    return "\n".join(
        line
        for line in text.splitlines()
        if "127.0.0.1:" not in line and not line.startswith(('"ClusterID"', '"MemberID"', '"RaftTerm"', '"Revision"'))
    )


def test_the_proxy_streams_ranges_within_its_namespace(both: tuple[EtcdServer, EtcdServer], tmp_path: Path) -> None:
    """etcd's own proxy refuses the method; ours must not let it see what lies outside."""
    with front(tmp_path, "grpc-proxy", [both[0]], "--namespace=a00") as proxy:
        shown = _etcdctl(proxy.address, "get", "", "--prefix", "--stream", "--keys-only").split()
        assert shown[1:4] == ["00", "01", "02"] and len(shown) == 97
