"""Concurrent clients of every kind for some time, while somebody kills the server; what they recorded."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random

from integration.etcd.guarantees.clients import RecordingClient, Watcher, until
from integration.etcd.guarantees.history import (
    OPEN_END,
    Compaction,
    Delete,
    Exchange,
    Get,
    Operation,
    PutAll,
    Request,
    Revoke,
    WatchRecord,
)
from integration.etcd.guarantees.linearizability import check_keys
from integration.etcd.guarantees.replay import Replay, replay
from integration.etcd.guarantees.watch_checks import check_watches

CLIENT_COUNT = 8
KEYS = [b"key/%d" % number for number in range(6)]
LEASE_TTL_S = 600
PAUSE_S = 0.004
RETRY_S = 0.1
KEPT_REVISIONS = 40
DRAIN_S = 30.0


@dataclass(slots=True)
class Recording:
    """Everything; `last_revision` is what a read said in the end."""

    operations: list[Operation] = field(default_factory=list)
    watches: list[WatchRecord] = field(default_factory=list)
    compactions: list[Compaction] = field(default_factory=list)
    last_revision: int = 0


class Traffic:
    """`run` while `disturb` does what it wants with the server, which is on its own from the start again."""

    def __init__(self, address: str, seed: int) -> None:
        self._address = address
        self._random = Random(seed)
        self._recording = Recording()
        self._is_over = asyncio.Event()
        self._value_count = 0
        self._first_revision = 0
        self._compacted = 0
        # Of everything: what it has reached may be compacted, and all watches together know every revision.
        self._whole: list[Watcher] = []
        self._past: list[Watcher] = []

    async def run(self, disturb: Callable[[], Awaitable[None]]) -> Recording:
        operations = self._recording.operations
        probe = RecordingClient(self._address, [])
        result = await probe.do(Get(KEYS[0]))
        assert result is not None, "the server does not answer"
        self._first_revision = result.revision
        watchers = self._watchers(result.revision + 1)
        clients = [RecordingClient(self._address, operations) for _ in range(CLIENT_COUNT)]
        async with asyncio.TaskGroup() as group:
            watching = [group.create_task(watcher.serve()) for watcher in watchers]
            working = [group.create_task(self._work(client, Random(at))) for at, client in enumerate(clients)]
            working += [group.create_task(self._compact(probe)), group.create_task(self._watch_the_past())]
            await disturb()
            self._is_over.set()
            await asyncio.wait(working)
            result = await probe.do(Get(KEYS[0]))
            assert result is not None, "the server does not answer in the end"
            self._recording.last_revision = result.revision
            last = result.revision
            await until(
                lambda: all(watcher.reached >= last for watcher in watchers),
                DRAIN_S,
                lambda: f"all watches at {last}: {[watcher.reached for watcher in watchers]}",
            )
            for task in watching:
                task.cancel()
        for client in (*clients, probe):
            await client.close()
        for watcher in (*watchers, *self._past):
            self._recording.watches += watcher.records
        return self._recording

    def _watchers(self, start: int) -> list[Watcher]:
        everything = WatchRecord(b"\0", OPEN_END, start, True)
        prefix = WatchRecord(b"key/", b"key0", start, False)
        one_key = WatchRecord(KEYS[0], b"", start, True)
        deletions = WatchRecord(b"key/", b"key0", start, True, no_puts=True)
        puts = WatchRecord(b"key/", b"key0", start, True, no_deletes=True)
        kinds = [
            ([everything], 0.2, False),
            ([everything], 3600.0, True),
            ([prefix], 0.05, False),
            ([one_key], 0.1, False),
            ([deletions, puts], 0.15, True),
            # Progress of a stream is of all its watches at once: none may be behind it.
            (
                [everything, prefix, one_key, deletions, *(WatchRecord(key, b"", start, False) for key in KEYS)],
                0.02,
                False,
            ),
        ]
        found = [Watcher(self._address, *kind) for kind in kinds]
        # The second never asks for progress: what it has reached is that of its last event.
        self._whole = found[:2]
        return found

    async def _work(self, client: RecordingClient, random: Random) -> None:
        known: dict[bytes, int] = {}
        leases: list[int] = []
        while not self._is_over.is_set():
            request = await self._choose(client, random, known, leases)
            result = await client.do(request)
            if result is None:
                await asyncio.sleep(RETRY_S)
                continue
            if isinstance(request, Get | Exchange) and result.pair is not None:
                known[request.key] = result.pair.mod_revision
            elif isinstance(request, Get):
                known[request.key] = 0
            await asyncio.sleep(random.uniform(0, 2 * PAUSE_S))

    async def _choose(
        self, client: RecordingClient, random: Random, known: dict[bytes, int], leases: list[int]
    ) -> Request:
        key = random.choice(KEYS)
        choice = random.randrange(100)
        if choice < 30:
            return Get(key)
        if choice < 50:
            return PutAll(((key, self._value(random)),))
        if choice < 60:
            return PutAll(tuple((other, self._value(random)) for other in random.sample(KEYS, 3)))
        if choice < 70:
            return Delete(key)
        if choice < 85:
            return Exchange(key, known.get(key, 0), self._value(random))
        if choice < 90 and known.get(key):
            return Exchange(key, known[key], None)
        if choice < 95 or not leases:
            lease = random.randrange(1, 1 << 62)
            if await client.grant(lease, LEASE_TTL_S):
                leases.append(lease)
                return PutAll(((key, self._value(random)),), lease)
            return Get(key)
        return Revoke(leases.pop())

    def _value(self, random: Random) -> bytes:
        """Unique: by it the checks know who wrote it."""
        self._value_count += 1
        return b"%d:" % self._value_count + b"x" * random.choice((0, 10, 3000))

    async def _compact(self, client: RecordingClient) -> None:
        while not self._is_over.is_set():
            await asyncio.sleep(0.3)
            target = min(watcher.reached for watcher in self._whole) - KEPT_REVISIONS
            if target > max(self._compacted, self._first_revision):
                self._compacted = target
                self._recording.compactions.append(Compaction(target, time.monotonic_ns()))
                await client.compact(target)

    async def _watch_the_past(self) -> None:
        """Short watches from a revision that is past already, some of them compacted meanwhile."""
        while not self._is_over.is_set():
            reached = max(watcher.reached for watcher in self._whole)
            start = self._random.randrange(self._first_revision + 1, reached + 2)
            record = WatchRecord(b"\0", OPEN_END, start, self._random.random() < 0.5)
            watcher = Watcher(self._address, [record], 0.1, False)
            self._past.append(watcher)
            try:
                async with asyncio.timeout(self._random.uniform(0.1, 0.8)):
                    await watcher.serve()
            except TimeoutError:
                continue


def judge(recording: Recording) -> tuple[Replay, list[str]]:
    """The history, and every promise that it breaks, in words."""
    truth = replay(recording.operations, recording.watches, {})
    violations = truth.violations + check_watches(recording.watches, truth, recording.compactions)
    violations += check_keys(truth.settled, {})
    return truth, [f"{violation.promise}: {violation.text}" for violation in violations]
