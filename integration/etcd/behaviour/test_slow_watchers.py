"""A client that never reads its watch stream (8.3.30): the server's memory is bounded, and others do not notice."""

from __future__ import annotations

import time
from pathlib import Path

from etcdcore.pb import rpc_pb2 as pb
from integration.etcd.behaviour.client import Client
from integration.peers.etcd import EtcdServer

VALUE_BYTES = 200_000
PUTS = 600
GROWTH_BYTES_MAX = 64 << 20


def resident_bytes(server: EtcdServer) -> int:
    for line in Path(f"/proc/{server.child.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("the process has no resident memory")


def test_clients_that_do_not_read_hold_nobody_up_and_hear_everything_later(etcd: EtcdServer) -> None:
    client = Client(etcd)
    deaf_channel = etcd.channel()
    quick = client.watch()
    quick.create(pb.WatchCreateRequest(key=b"k"))
    open_deaf = deaf_channel.stream_stream("/etcdserverpb.Watch/Watch")
    request = pb.WatchRequest(create_request=pb.WatchCreateRequest(key=b"k")).SerializeToString()
    deaf = [open_deaf(iter([request])) for _ in range(5)]
    assert all(pb.WatchResponse.FromString(next(call)).created for call in deaf)
    before = resident_bytes(etcd)
    slowest_s = 0.0
    for number in range(PUTS):
        started = time.monotonic()
        client.put(b"k", bytes(VALUE_BYTES))
        slowest_s = max(slowest_s, time.monotonic() - started)
        assert quick.next().events[0].kv.version == number + 1
    # What is behind is 120 MB for each of them.
    growth = resident_bytes(etcd) - before
    versions: list[int] = []
    while len(versions) < PUTS:
        versions += [event.kv.version for event in pb.WatchResponse.FromString(next(deaf[0])).events]
    assert versions == list(range(1, PUTS + 1))
    for call in deaf:
        call.cancel()
    deaf_channel.close()
    client.close()
    assert slowest_s < 3
    if etcd.kind == "etcdcore":
        assert growth < GROWTH_BYTES_MAX + PUTS * VALUE_BYTES, f"grew by {growth >> 20} MiB"
