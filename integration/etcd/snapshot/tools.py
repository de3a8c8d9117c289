"""The commands under test and their judges, a history to save, and everything that a client can see of it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from threading import Event

from etcdcore.pb import kv_pb2, rpc_pb2
from integration.peers import golang
from integration.peers.etcd import Answer, Etcdctl, EtcdServer

COMMAND_TIMEOUT_S = 120
CALL_TIMEOUT_S = 20
LEASE_TTL_S = 3600


def run(command: list[str]) -> Answer:
    done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_TIMEOUT_S, check=False)
    return Answer(done.returncode, done.stdout, done.stderr)


def etcdutl(*arguments: str) -> Answer:
    return run([str(golang.install(golang.ETCDUTL)), *arguments])


def bbolt(*arguments: str) -> Answer:
    return run([str(golang.install(golang.BBOLT)), *arguments])


def etcdcore(*arguments: str) -> Answer:
    return run([sys.executable, "-m", "etcdcore", *arguments])


def restore_flags(server: EtcdServer) -> list[str]:
    """What makes a directory that this server, not started yet, takes for its own."""
    return [
        *("--data-dir", str(server.data_dir), "--name", server.name),
        *("--initial-cluster", f"{server.name}={server.peer_url}"),
        *("--initial-advertise-peer-urls", server.peer_url),
    ]


def save(server: EtcdServer, path: Path, *flags: str) -> Path:
    """By etcdctl, which checks the size and the digest of what it gets."""
    Etcdctl.of(server, *flags)("snapshot", "save", str(path))
    return path


class Caller:
    """Calls with messages, for what etcdctl does not show."""

    def __init__(self, server: EtcdServer) -> None:
        self.channel = server.channel()

    def __enter__(self) -> Caller:
        return self

    def __exit__(self, *details: object) -> None:
        self.channel.close()

    def range(self, **fields: object) -> rpc_pb2.RangeResponse:
        request = rpc_pb2.RangeRequest(**fields)  # type: ignore[arg-type]  # the fields as protobuf takes them
        call = self.channel.unary_unary("/etcdserverpb.KV/Range")
        return rpc_pb2.RangeResponse.FromString(call(request.SerializeToString(), timeout=CALL_TIMEOUT_S))

    def put(self, key: bytes, value: bytes, lease: int = 0) -> int:
        """The revision."""
        request = rpc_pb2.PutRequest(key=key, value=value, lease=lease)
        call = self.channel.unary_unary("/etcdserverpb.KV/Put")
        response = rpc_pb2.PutResponse.FromString(call(request.SerializeToString(), timeout=CALL_TIMEOUT_S))
        return response.header.revision

    def txn(self, operations: list[rpc_pb2.RequestOp]) -> int:
        request = rpc_pb2.TxnRequest(success=operations)
        call = self.channel.unary_unary("/etcdserverpb.KV/Txn")
        response = rpc_pb2.TxnResponse.FromString(call(request.SerializeToString(), timeout=CALL_TIMEOUT_S))
        return response.header.revision

    def compact(self, revision: int) -> None:
        request = rpc_pb2.CompactionRequest(revision=revision, physical=True)
        call = self.channel.unary_unary("/etcdserverpb.KV/Compact")
        call(request.SerializeToString(), timeout=CALL_TIMEOUT_S)

    def grant(self, lease_id: int, ttl_s: int) -> None:
        request = rpc_pb2.LeaseGrantRequest(ID=lease_id, TTL=ttl_s)
        call = self.channel.unary_unary("/etcdserverpb.Lease/LeaseGrant")
        call(request.SerializeToString(), timeout=CALL_TIMEOUT_S)

    def leases(self) -> dict[int, tuple[int, frozenset[bytes]]]:
        """Granted seconds and keys of each."""
        call = self.channel.unary_unary("/etcdserverpb.Lease/LeaseLeases")
        listed = rpc_pb2.LeaseLeasesResponse.FromString(call(b"", timeout=CALL_TIMEOUT_S)).leases
        ask = self.channel.unary_unary("/etcdserverpb.Lease/LeaseTimeToLive")
        found = {}
        for lease in listed:
            request = rpc_pb2.LeaseTimeToLiveRequest(ID=lease.ID, keys=True)
            answer = ask(request.SerializeToString(), timeout=CALL_TIMEOUT_S)
            facts = rpc_pb2.LeaseTimeToLiveResponse.FromString(answer)
            found[lease.ID] = (facts.grantedTTL, frozenset(facts.keys))
        return found

    def hash_kv(self, revision: int = 0) -> tuple[int, int, int]:
        """Hash, compacted revision, and the revision that was hashed."""
        request = rpc_pb2.HashKVRequest(revision=revision)
        call = self.channel.unary_unary("/etcdserverpb.Maintenance/HashKV")
        response = rpc_pb2.HashKVResponse.FromString(call(request.SerializeToString(), timeout=CALL_TIMEOUT_S))
        return response.hash, response.compact_revision, response.hash_revision

    def events(self, start_revision: int, last_revision: int) -> list[tuple[int, bytes]]:
        """Revision and encoding of every event from one revision to another, by a watch with previous pairs."""
        create = rpc_pb2.WatchCreateRequest(key=b"\0", range_end=b"\0", start_revision=start_revision, prev_kv=True)
        requests = iter([rpc_pb2.WatchRequest(create_request=create).SerializeToString()])
        call = self.channel.stream_stream("/etcdserverpb.Watch/Watch")(_held_open(requests), timeout=CALL_TIMEOUT_S)
        found: list[tuple[int, bytes]] = []
        try:
            for data in call:
                response = rpc_pb2.WatchResponse.FromString(data)
                assert not response.canceled, response
                found += [(event.kv.mod_revision, event.SerializeToString()) for event in response.events]
                if found and found[-1][0] >= last_revision:
                    return found
        finally:
            call.cancel()
        raise AssertionError(f"the watch ended after {found[-1:]}")


def _held_open(requests: Iterator[bytes]) -> Iterator[bytes]:
    """The watch ends with its input, so that comes to no end by itself; cancelling the call ends the generator."""
    yield from requests
    Event().wait(CALL_TIMEOUT_S)


@dataclass(frozen=True, slots=True)
class Contents:
    """What clients see. `pairs` by revision, oldest that can be read first; `events` from the compacted revision on."""

    revision: int
    pairs: dict[int, list[kv_pb2.KeyValue]]
    events: list[tuple[int, bytes]]
    leases: dict[int, tuple[int, frozenset[bytes]]]


def read_contents(server: EtcdServer, first_revision: int) -> Contents:
    with Caller(server) as caller:
        revision = caller.range(key=b"health").header.revision
        pairs = {}
        for past in range(first_revision, revision + 1):
            pairs[past] = list(caller.range(key=b"\0", range_end=b"\0", revision=past).kvs)
        return Contents(revision, pairs, caller.events(first_revision, revision), caller.leases())


def make_history(server: EtcdServer, seed: int = 1, count: int = 150) -> int:
    """Puts, deletes, transactions, leases, and a compaction on the way. Returns the compacted revision."""
    random = Random(seed)
    compacted = 0
    with Caller(server) as caller:
        for lease_id in (7, 1 << 62, -5):
            caller.grant(lease_id, LEASE_TTL_S)
        for number in range(count):
            key = b"key/%d" % random.randrange(20)
            choice = random.randrange(10)
            if choice < 6:
                lease = random.choice((0, 0, 7, 1 << 62, -5))
                caller.put(key, random.randbytes(random.choice((0, 1, 40, 700))), lease)
            elif choice < 8:
                caller.txn([_delete(key), _put(b"log", b"%d" % number)])
            else:
                caller.txn([_put(b"key/%d" % (20 + other), b"%d" % number) for other in range(random.randrange(1, 6))])
            if number == count // 2:
                compacted = caller.range(key=b"health").header.revision
                caller.compact(compacted)
        caller.put(b"large", random.randbytes(1_000_000))
        caller.put(b"\xff\xff", b"")
    return compacted


def _put(key: bytes, value: bytes) -> rpc_pb2.RequestOp:
    return rpc_pb2.RequestOp(request_put=rpc_pb2.PutRequest(key=key, value=value))


def _delete(key: bytes) -> rpc_pb2.RequestOp:
    return rpc_pb2.RequestOp(request_delete_range=rpc_pb2.DeleteRangeRequest(key=key))


def member_ids(server: EtcdServer) -> tuple[int, int]:
    """Cluster id and member id, as every answer tells them."""
    with Caller(server) as caller:
        header = caller.range(key=b"health").header
        return header.cluster_id, header.member_id


def status_json(answer: Answer) -> dict[str, object]:
    found: dict[str, object] = json.loads(answer.checked())
    return found
