"""All leases of the cluster, as every member knows them, and their deadlines, as only the primary keeps them.

The existence of a lease is replicated and stored; its deadline is neither, it begins anew when a member becomes
primary. Which keys hang on a lease is rebuilt at load from the keys themselves. Source: etcd server/lease/lessor.go.

Invariants:
1. The LEASE table holds exactly the leases that are here, but for those granted since `write`: most sessions of a few
   milliseconds never get there. `key: lease id i64 BE`, `value: protobuf leasepb.Lease`.
2. A key hangs on at most one lease, the one its present KeyValue names.
"""

from struct import Struct
from typing import Final, final

from mypy_extensions import mypyc_attr

from etcdcore.errors import CoreError, EngineCorrupt, LeaseExists, LeaseNotFound
from etcdcore.lease.expiry_queue import ExpiryQueue
from etcdcore.mvcc.engine import LEASE, Engine
from etcdcore.mvcc.revision import decode_varint, varint
from etcdcore.statistics import StoreCounts

TTL_MAX_S: Final = 9_000_000_000
EXPIRED_RETRY_MS: Final = 3_000
"""An expired lease is reported again after this time, should its revocation have been lost."""

PROMOTED_EXPIRIES_MAX: Final = 750
"""After a change of leader at most so many leases run out in one second: more would be one burst of revocations."""

_LEASE_KEY: Final = Struct(">q")


@final
@mypyc_attr(acyclic=True)
class Lease:
    """One lease; `deadline_ms` and `queued_ms` (its entry in the queue) count only while the lessor is primary."""

    __slots__ = ("deadline_ms", "keys", "lease_id", "queued_ms", "ttl_s")

    def __init__(self, lease_id: int, ttl_s: int) -> None:
        self.lease_id: Final = lease_id
        self.ttl_s: Final = ttl_s
        self.keys: Final[set[bytes]] = set()
        self.deadline_ms = 0
        self.queued_ms = 0


@final
class Lessor:
    """Loads the leases from the engine; who owns the store too then calls `attach` for every key with a lease."""

    __slots__ = ("_engine", "_queue", "_unwritten", "counts", "is_primary", "leases", "now_ms")

    def __init__(self, engine: Engine) -> None:
        self._engine: Final = engine
        self._queue: Final = ExpiryQueue()
        self._unwritten: Final[dict[int, None]] = {}
        """Granted since the last `write`, and still here."""
        self.counts = StoreCounts()
        self.is_primary = False
        self.now_ms = 0
        self.leases: Final[dict[int, Lease]] = {}
        for _, data in engine.scan(LEASE, b"", b""):
            lease_id, ttl_s = _decode_lease(data)
            self.leases[lease_id] = Lease(lease_id, ttl_s)

    def advance(self, now_ms: int) -> None:
        """Says what the time is, before commands are applied: deadlines of granted leases count from here."""
        self.now_ms = max(self.now_ms, now_ms)

    def grant(self, lease_id: int, ttl_s: int) -> CoreError | None:
        """A new lease without keys. Refuses LeaseExists."""
        if lease_id in self.leases:
            return LeaseExists()
        self.counts.lease_granted_count += 1
        self.counts.lease_ttl_s.observe(ttl_s)
        lease = self.leases[lease_id] = Lease(lease_id, ttl_s)
        self._unwritten[lease_id] = None
        if self.is_primary:
            lease.deadline_ms = self.now_ms + ttl_s * 1000
            self._push(lease, lease.deadline_ms)
        return None

    def remove(self, lease_id: int) -> None:
        """Forgets a lease whose keys are gone already."""
        del self.leases[lease_id]
        self.counts.lease_revoked_count += 1
        if lease_id in self._unwritten:
            del self._unwritten[lease_id]
        else:
            self._engine.delete(LEASE, _LEASE_KEY.pack(lease_id))

    def write(self) -> None:
        """Puts new leases into the engine's batch, which is about to be committed. Raises EngineFull."""
        for lease_id in self._unwritten:
            self._engine.put(LEASE, _LEASE_KEY.pack(lease_id), _encode_lease(lease_id, self.leases[lease_id].ttl_s))
        self._unwritten.clear()

    def attach(self, lease_id: int, key: bytes) -> None:
        """Raises KeyError for a lease that does not exist: the check comes before the change."""
        self.leases[lease_id].keys.add(key)

    def move(self, key: bytes, former_lease_id: int, lease_id: int) -> None:
        """Key hangs on another lease now; 0 is none."""
        if former_lease_id:
            former = self.leases.get(former_lease_id)
            if former is not None:
                former.keys.discard(key)
        if lease_id:
            self.leases[lease_id].keys.add(key)

    # What only the primary does.

    def promote(self, now_ms: int, extend_ms: int) -> None:
        """Becomes primary: every lease gets its full time from now, and `extend_ms` more, and mass expiries are spread.

        `extend_ms` covers the time in which clients could not renew, one election timeout.
        """
        self.advance(now_ms)
        self.is_primary = True
        self._queue.clear()
        start_ms = self.now_ms + extend_ms
        # The second that is being filled, and how many leases run out in it.
        second = 0
        count = 0
        for lease in sorted(self.leases.values(), key=_ttl_and_id):
            deadline_ms = start_ms + lease.ttl_s * 1000
            if deadline_ms // 1000 > second:
                second = deadline_ms // 1000
                count = 0
            elif count == PROMOTED_EXPIRIES_MAX:
                second += 1
                count = 0
            count += 1
            lease.deadline_ms = max(deadline_ms, second * 1000)
            self._push(lease, lease.deadline_ms)

    def _push(self, lease: Lease, due_ms: int) -> None:
        lease.queued_ms = due_ms
        self._queue.push(due_ms, lease.lease_id)

    def demote(self) -> None:
        """Is primary no more: nothing expires here."""
        self.is_primary = False
        self._queue.clear()

    def renew(self, lease_id: int, now_ms: int) -> int:
        """Full time again from now; returns the granted seconds, or 0 when the lease is missing or has run out.

        One that has run out is about to be revoked: to renew it would take back an expiry that was reported already.
        """
        lease = self.leases.get(lease_id)
        if lease is None or not self.is_primary or lease.deadline_ms <= now_ms:
            return 0
        lease.deadline_ms = now_ms + lease.ttl_s * 1000
        self.counts.lease_renewed_count += 1
        return lease.ttl_s

    def is_due(self, lease_id: int, now_ms: int) -> bool:
        """Whether it has run out and is still here: it is about to be revoked."""
        lease = self.leases.get(lease_id)
        return lease is not None and self.is_primary and lease.deadline_ms <= now_ms

    def by_expiry(self) -> list[int]:
        """All leases, those that run out first at first; on a member that does not know, by their granted times."""
        return [lease.lease_id for lease in sorted(self.leases.values(), key=_deadline_ttl_and_id)]

    def expired(self, now_ms: int, limit: int) -> list[int]:
        """At most `limit` leases whose time is over, in order of deadlines; again and again until they are revoked."""
        self.advance(now_ms)
        found: list[int] = []
        while len(found) < limit:
            entry = self._queue.pop_due(now_ms)
            if entry is None:
                break
            due_ms, lease_id = entry
            lease = self.leases.get(lease_id)
            if lease is None or lease.queued_ms != due_ms:
                continue
            if lease.deadline_ms > now_ms:
                self._push(lease, lease.deadline_ms)
                continue
            found.append(lease_id)
            self._push(lease, now_ms + EXPIRED_RETRY_MS)
        return found

    def next_deadline(self) -> int | None:
        """When to ask for expired leases next, or None. It may be early, never late."""
        return self._queue.next_deadline()

    def time_to_live(self, lease_id: int, now_ms: int) -> tuple[int, int]:
        """Whole seconds left, and seconds granted; (-1, 0) for a missing lease. Only the primary knows what is left."""
        lease = self.leases.get(lease_id)
        if lease is None:
            return -1, 0
        if not self.is_primary:
            return lease.ttl_s, lease.ttl_s
        return max(lease.deadline_ms - now_ms, 0) // 1000, lease.ttl_s

    def keys_of(self, lease_id: int) -> list[bytes] | LeaseNotFound:
        """The keys of a lease in order. Refuses LeaseNotFound."""
        lease = self.leases.get(lease_id)
        return LeaseNotFound() if lease is None else sorted(lease.keys)

    def check_invariants(self) -> None:
        stored = [_decode_lease(data) for _, data in self._engine.scan(LEASE, b"", b"")]
        assert sorted(stored) == sorted(
            (lease.lease_id, lease.ttl_s) for lease in self.leases.values() if lease.lease_id not in self._unwritten
        )  # I1
        keys: set[bytes] = set()
        for lease in self.leases.values():
            assert not keys & lease.keys  # I2
            keys |= lease.keys


def _deadline_ttl_and_id(lease: Lease) -> tuple[int, int, int]:
    return lease.deadline_ms, lease.ttl_s, lease.lease_id


def _ttl_and_id(lease: Lease) -> tuple[int, int]:
    return lease.ttl_s, lease.lease_id


def _encode_lease(lease_id: int, ttl_s: int) -> bytes:
    return b"\x08" + varint(lease_id) + b"\x10" + varint(ttl_s)


def _decode_lease(data: bytes) -> tuple[int, int]:
    try:
        lease_id, offset = decode_varint(data, 1)
        ttl_s, _ = decode_varint(data, offset + 1)
    except IndexError as error:
        raise EngineCorrupt("a lease record ends inside a field") from error
    return lease_id - (1 << 64) if lease_id >= 1 << 63 else lease_id, ttl_s
