"""A store without disk, raft or loop: the `Backend` ABC over a dictionary, decided when the test says so."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final, final

from zkbridge.backend.interface import (
    NO_EVENTS,
    REFUSED_FENCE,
    REFUSED_SESSION,
    Backend,
    BarrierToken,
    Fence,
    RevisionSink,
    StoreEvent,
    WriteToken,
)


@final
class MemoryBackend(Backend):
    """`apply_one` decides the oldest write; with `is_automatic` a write is decided when the loop comes round."""

    def __init__(self, is_automatic: bool = True) -> None:
        self.keys: Final[dict[bytes, tuple[bytes, int, int, int]]] = {}
        self.leases: Final[dict[int, int]] = {}
        self.renewed: Final[list[int]] = []
        self.tokens: Final[list[WriteToken]] = []
        self._revision = 1
        self._queue: Final[deque[Callable[[], None]]] = deque()
        self._is_automatic: Final = is_automatic
        self._is_scheduled = False
        self._stopped = asyncio.Event()
        self.sink: RevisionSink

    async def serve(self) -> None:
        await self._stopped.wait()

    async def wait_writable(self) -> None:
        return

    async def stop(self) -> None:
        self.apply_all()
        self._stopped.set()

    def subscribe(self, sink: RevisionSink, prefix: bytes) -> int:
        self.sink = sink
        return self._revision

    async def load(self, prefix: bytes, revision: int, page: int) -> AsyncIterator[list[StoreEvent]]:
        yield [
            StoreEvent(True, key, value, create, mod, lease)
            for key, (value, create, mod, lease) in sorted(self.keys.items())
            if key.startswith(prefix)
        ]

    def revision(self) -> int:
        return self._revision

    def take_over(self, fence_key: bytes, token: WriteToken) -> None:
        self._enqueue(lambda: self._put_fence(fence_key, token))

    def submit(
        self,
        fence: Fence,
        session_key: bytes | None,
        puts: Sequence[tuple[bytes, bytes, int]],
        deletes: Sequence[bytes],
        token: WriteToken,
    ) -> None:
        self.tokens.append(token)
        self._enqueue(lambda: self._decide(fence, session_key, puts, deletes, token))

    def grant_lease(self, lease_id: int, ttl_s: int) -> None:
        self._enqueue(lambda: self._grant(lease_id, ttl_s))

    def revoke_lease(self, lease_id: int) -> None:
        self._enqueue(lambda: self._revoke(lease_id))

    def renew_leases(self, lease_ids: Sequence[int]) -> None:
        self.renewed.extend(lease_ids)

    def request_barrier(self, token: BarrierToken) -> None:
        self._enqueue(lambda: token.barrier_reached(self._revision))

    # The test's side

    def apply_one(self) -> bool:
        """Decides the oldest command; False if there is none."""
        if not self._queue:
            return False
        self._queue.popleft()()
        return True

    def drop_newest(self) -> None:
        """Forgets the newest command, as a store does that can't take it."""
        self._queue.pop()

    def apply_all(self) -> None:
        """Decides everything and says that the batch is over."""
        self._is_scheduled = False
        while self.apply_one():
            pass
        self.sink.batch_applied()

    def _enqueue(self, command: Callable[[], None]) -> None:
        self._queue.append(command)
        if self._is_automatic and not self._is_scheduled:
            self._is_scheduled = True
            asyncio.get_running_loop().call_soon(self.apply_all)

    def _put(self, key: bytes, value: bytes, lease: int) -> StoreEvent:
        old = self.keys.get(key)
        create = old[1] if old is not None else self._revision
        self.keys[key] = (value, create, self._revision, lease)
        return StoreEvent(True, key, value, create, self._revision, lease)

    def _put_fence(self, fence_key: bytes, token: WriteToken | None) -> None:
        self._revision += 1
        event = self._put(fence_key, b"", 0)
        self.sink.revision_applied(self._revision, NO_EVENTS if token else [event], token)

    def _decide(
        self,
        fence: Fence,
        session_key: bytes | None,
        puts: Sequence[tuple[bytes, bytes, int]],
        deletes: Sequence[bytes],
        token: WriteToken,
    ) -> None:
        if self.keys.get(fence.key, (b"", 0, 0, 0))[2] != fence.revision:
            self.sink.write_refused(token, REFUSED_FENCE, 0)
        elif session_key is not None and session_key not in self.keys:
            self._put_fence(fence.key, None)
            self.sink.write_refused(token, REFUSED_SESSION, self._revision)
        else:
            self._revision += 1
            touched = [key for key, _, _ in puts] + list(deletes)
            assert len(set(touched)) == len(touched), "a key twice in one transaction"
            for key in deletes:
                self.keys.pop(key, None)
            for key, value, lease in puts:
                assert lease == 0 or lease in self.leases, "put on a lease that was never granted"
                self._put(key, value, lease)
            self.sink.revision_applied(self._revision, NO_EVENTS, token)

    def _grant(self, lease_id: int, ttl_s: int) -> None:
        self.leases[lease_id] = ttl_s

    def _revoke(self, lease_id: int) -> None:
        self.leases.pop(lease_id, None)
        attached = [key for key, record in self.keys.items() if record[3] == lease_id]
        if attached:
            self._revision += 1
            for key in attached:
                del self.keys[key]
            events = [StoreEvent(False, key, b"", 0, self._revision, 0) for key in sorted(attached)]
            self.sink.revision_applied(self._revision, events, None)
