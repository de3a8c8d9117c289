"""Seeded random scripts over the KV, Lease and Watch services and HashKV: good requests, bad ones, and edges."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from google.protobuf.message import Message

from etcdcore.pb import rpc_pb2 as rpc
from integration.etcd.conformance import steps
from integration.etcd.conformance.kv_requests import LEASE_IDS, KvRequests
from integration.etcd.conformance.revisions import CURRENT
from integration.etcd.conformance.steps import KeepAlive, Settle, Step, Unary, WatchCancel, WatchClose, WatchCreate

CONNECTIONS = 3
FUTURE_STREAM = 0
"""The stream of watchers that may wait for a revision still to come, for which there is no progress to ask for."""
STREAMS = 4
WATCHERS_MAX = 12
"""Watchers that a script creates on a stream before it closes it."""
SETTLE_STEPS = 150
# A varint, a length-delimited and a fixed64 field with numbers that no message of etcd has.
SURPLUS = bytes.fromhex("f83f07c23e03616263893f0102030405060708")
METADATA: list[tuple[tuple[str, str], ...]] = [
    (("hasleader", "true"),),
    (("hasleader", "perhaps"),),
    (("client-api-version", "3.6.0"),),
    (("token", "no.1"),),
]
# Never near its end while a script runs, some equal; the last one is the greatest that is allowed.
TTLS = [3600, 3600, 7200, 100_000, 9_000_000_000]


class ScriptMaker:
    """Makes one script out of one seed."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.kv = KvRequests(self.rng)
        self._created = [0] * STREAMS
        self._kinds: list[tuple[float, Callable[[], Step]]] = [
            (300, lambda: self._unary(steps.RANGE, self.kv.range())),
            (270, lambda: self._unary(steps.PUT, self.kv.put())),
            (70, lambda: self._unary(steps.DELETE, self.kv.delete())),
            (180, lambda: self._unary(steps.TXN, self.kv.txn())),
            (6, lambda: self._unary(steps.COMPACT, self.kv.compaction())),
            (25, self._grant),
            (15, lambda: self._unary(steps.REVOKE, rpc.LeaseRevokeRequest(ID=self.kv.lease_id()))),
            (10, lambda: KeepAlive(self.kv.lease_id())),
            (25, self._time_to_live),
            (5, lambda: self._unary(steps.LEASES, rpc.LeaseLeasesRequest())),
            (10, self._hash),
            (30, self._watch),
            (12, lambda: WatchCancel(self.rng.randrange(STREAMS), self.rng.choice([*range(8), 100, -1]))),
            (2, self._close),
            (0.3, self._large_put),
        ]

    def script(self, count: int) -> list[Step]:
        """So many steps, and what it takes between them to see what the watchers got."""
        kinds = [kind for _, kind in self._kinds]
        weights = [weight for weight, _ in self._kinds]
        made: list[Step] = []
        for number, make in enumerate(self.rng.choices(kinds, weights, k=count)):
            made.append(make())
            if number % SETTLE_STEPS == SETTLE_STEPS - 1:
                made.append(Settle())
        return [*made, Settle()]

    def _unary(self, method: steps.Method, message: Message) -> Unary:
        metadata = self.rng.choice(METADATA) if self.kv.chance(0.03) else ()
        surplus = SURPLUS if self.kv.chance(0.02) else b""
        return Unary(method, message, self.rng.randrange(CONNECTIONS), metadata, surplus)

    def _grant(self) -> Unary:
        ttl = 9_000_000_001 if self.kv.chance(0.05) else self.rng.choice(TTLS)
        return self._unary(steps.GRANT, rpc.LeaseGrantRequest(ID=self.rng.choice(LEASE_IDS), TTL=ttl))

    def _time_to_live(self) -> Unary:
        request = rpc.LeaseTimeToLiveRequest(ID=self.kv.lease_id(), keys=self.kv.chance(0.6))
        return self._unary(steps.TIME_TO_LIVE, request)

    def _hash(self) -> Unary:
        return self._unary(steps.HASH_KV, rpc.HashKVRequest(revision=self.kv.read_revision(latest=0.4)))

    def _large_put(self) -> Unary:
        size = self.rng.choice([1_400_000, 1_572_864, 1_600_000, 2_097_100, 2_200_000])
        return Unary(steps.PUT, rpc.PutRequest(key=b"large", value=b"x" * size))

    def _watch(self) -> Step:
        stream = self.rng.randrange(STREAMS)
        if self._created[stream] >= WATCHERS_MAX:
            return self._close(stream)
        self._created[stream] += 1
        key, range_end = self.kv.interval(wide=0.6)
        start = self.kv.read_revision(latest=0.5)
        if stream == FUTURE_STREAM:
            start = self.rng.choice([0, 0, CURRENT + 1, CURRENT + self.rng.randrange(2, 60), (1 << 63) - 1, -1])
        request = rpc.WatchCreateRequest(key=key, range_end=range_end, start_revision=start)
        request.prev_kv = self.kv.chance(0.4)
        request.progress_notify = self.kv.chance(0.2)
        request.fragment = self.kv.chance(0.2)
        if self.kv.chance(0.3):
            # There is no filter 7, which the type of the field knows: hence Any.
            filters: Any = self.rng.choice([[0], [0], [1], [1], [0, 1], [1, 1], [7]])
            request.filters.extend(filters)
        if self.kv.chance(0.3):
            request.watch_id = self.rng.choice([*range(1, 8), 100, -7])
        return WatchCreate(stream, request)

    def _close(self, stream: int | None = None) -> Step:
        closed = self.rng.randrange(STREAMS) if stream is None else stream
        self._created[closed] = 0
        return WatchClose(closed)
