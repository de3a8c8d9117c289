"""What the bridge asks of a store and what it is told: values and ABCs only, no store behind them.

Invariants:
1. The sink hears of every revision above the one that `subscribe` returned, in order, each exactly once, foreign keys
   included (with an empty list of events, so that the zxid advances).
2. Writes of one caller are decided in the order in which they were submitted. Each token ends in exactly one of:
   `revision_applied` with it, `write_refused`, `write_dropped`.
3. All calls come from, and go to, one event loop; nothing here is thread-safe.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from typing import Final, final

from mypy_extensions import mypyc_attr

from zkbridge.summary import Summary

REFUSED_NO_SPACE: Final = "no space is left on the disk of the data directory"
"""Nothing was written, as the store takes no writes until there is room."""
REFUSED_FENCE: Final = "fence"
"""Another put moved the fence key: nothing was written. Either this writer was deposed, or a refusal for
`REFUSED_SESSION` ahead of this write took it along."""
REFUSED_SESSION: Final = "session"
"""The session's key is gone. The fence key was put in the same transaction, so every write behind it that carries the
old fence is refused with `REFUSED_FENCE`; the revision given with the refusal is the new fence."""


@final
@mypyc_attr(acyclic=True)
class StoreEvent:
    """One key after one revision: its record if `is_put`; a deletion has no value, create_revision or lease."""

    __slots__ = ("create_revision", "is_put", "key", "lease", "mod_revision", "value")

    def __init__(
        self, is_put: bool, key: bytes, value: bytes, create_revision: int, mod_revision: int, lease: int
    ) -> None:
        self.is_put: Final = is_put
        self.key: Final = key
        self.value: Final = value
        self.create_revision: Final = create_revision
        self.mod_revision: Final = mod_revision
        self.lease: Final = lease

    def __repr__(self) -> str:
        kind = "put" if self.is_put else "delete"
        return f"StoreEvent({kind} {self.key!r} at {self.mod_revision}, {len(self.value)} bytes)"


NO_EVENTS: Final[list[StoreEvent]] = []
"""The list handed over when the token says what changed. Shared: never changed by anyone."""


@final
class StoreFacts:
    """What a store in this process counts and times, for `mntr` and Prometheus.

    `checkpoint_revision` is that of the last checkpoint, `checkpoint_age_s` seconds ago; -1 if there was none yet.
    `slow_sync_count`: syncs of the log that took more than a second.
    `families` are (name, kind, about, [(labels or more of the name, value)]) under etcd's own names.
    """

    __slots__ = (
        "checkpoint_age_s",
        "checkpoint_ms",
        "checkpoint_revision",
        "families",
        "open_ms",
        "replayed_count",
        "slow_sync_count",
        "sync_ms",
    )

    def __init__(
        self,
        sync_ms: Summary,
        checkpoint_ms: Summary,
        checkpoint_revision: int,
        checkpoint_age_s: float,
        open_ms: int,
        replayed_count: int,
        slow_sync_count: int,
        families: list[tuple[str, str, str, list[tuple[str, str]]]],
    ) -> None:
        self.sync_ms: Final = sync_ms
        self.checkpoint_ms: Final = checkpoint_ms
        self.checkpoint_revision: Final = checkpoint_revision
        self.checkpoint_age_s: Final = checkpoint_age_s
        self.open_ms: Final = open_ms
        self.replayed_count: Final = replayed_count
        self.slow_sync_count: Final = slow_sync_count
        self.families: Final = families


@final
class Fence:
    """The fence key and the mod_revision with which this writer took over. Keep one object as long as it holds: the
    backend caches what it builds from it by identity."""

    __slots__ = ("key", "revision")

    def __init__(self, key: bytes, revision: int) -> None:
        self.key: Final = key
        self.revision: Final = revision

    def __repr__(self) -> str:
        return f"Fence({self.key!r} at {self.revision})"


@mypyc_attr(allow_interpreted_subclasses=True)
class WriteToken:
    """Base of whatever stands for a write in flight (`plan.Plan`): handed in with it, handed back with its fate."""

    __slots__ = ()


@mypyc_attr(allow_interpreted_subclasses=True)
class BarrierToken(ABC):
    """Base of whatever waits for a linearizable barrier (`sync`)."""

    __slots__ = ()

    @abstractmethod
    def barrier_reached(self, revision: int) -> None:
        """The sink has been given every revision that was committed when the barrier was asked for."""

    @abstractmethod
    def barrier_dropped(self, reason: str) -> None:
        """No answer can be given: not the leader, stopping."""


@mypyc_attr(allow_interpreted_subclasses=True)
class RevisionSink(ABC):
    """Who is told. Calls are direct, on the loop, and must not await; an exception out of one stops the store."""

    __slots__ = ()

    @abstractmethod
    def revision_applied(self, revision: int, events: list[StoreEvent], token: WriteToken | None) -> None:
        """One whole revision. `events` is `NO_EVENTS` when a token is given: its plan already knows the changes."""

    @abstractmethod
    def write_refused(self, token: WriteToken, reason: str, revision: int) -> None:
        """The transaction went to its else branch. `reason` is `REFUSED_FENCE` or `REFUSED_SESSION`; for the latter
        `revision` is the new fence (the sink got that revision just before, as an event of the fence key without a
        token), else 0. Any other reason is the store's own error text: nothing was written, nothing moved the fence,
        so writes planned on top of this one may have gone through."""

    @abstractmethod
    def write_dropped(self, token: WriteToken, reason: str, is_decided: bool) -> None:
        """The write never reached the log (`is_decided`: it has surely no effect), or its fate is unknown."""

    @abstractmethod
    def batch_applied(self) -> None:
        """Nothing more comes for now: time to write to the sockets."""

    @abstractmethod
    def leases_expired(self, lease_ids: list[int]) -> list[int]:
        """Leases whose time is over. Returns those the sink takes care of (it closes their sessions, then revokes the
        lease); the store revokes the others. Reported again every few seconds until the lease is gone, so that one
        whose closing got lost is not forgotten."""

    @abstractmethod
    def write_state_changed(self, reason: str | None) -> None:
        """Writes are dropped for this reason until further notice (disk full, no leader); None: they go through."""

    @abstractmethod
    def backend_failed(self, error: BaseException) -> None:
        """The store has stopped for good; `serve` raises the same error."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Backend(ABC):
    """A store with etcd's model: revisions, one transaction per write, leases.

    Life: `serve` runs in a task of the caller's group, `wait_writable` returns once writes go through; `subscribe`,
    then `load` at the revision it returned, holding back what the sink hears meanwhile; `stop` ends `serve`.
    """

    __slots__ = ()

    @abstractmethod
    async def serve(self) -> None:
        """Long-lived; returns after `stop`, raises when the store fails."""

    @abstractmethod
    async def wait_writable(self) -> None: ...

    def is_out_of_room(self) -> bool:
        """Whether writes are held up because one has found no room. A store without a disk always has room."""
        return False

    @abstractmethod
    async def stop(self) -> None:
        """Finish what is in flight, make it durable, close. Later writes are dropped."""

    @abstractmethod
    def subscribe(self, sink: RevisionSink, prefix: bytes) -> int:
        """From now on the sink hears of every revision, with the events of keys under the prefix. Returns the current
        revision, the last one it will not hear of."""

    @abstractmethod
    def load(self, prefix: bytes, revision: int, page: int) -> AsyncIterator[list[StoreEvent]]:
        """All keys under the prefix as of the revision, in key order, in lists of at most `page` keys."""

    @abstractmethod
    def revision(self) -> int:
        """The last revision applied here."""

    @abstractmethod
    def take_over(self, fence_key: bytes, token: WriteToken) -> None:
        """Put the fence key. The revision that the sink gets with the token is the fence."""

    @abstractmethod
    def submit(
        self,
        fence: Fence,
        session_key: bytes | None,
        puts: list[tuple[bytes, bytes, int]],
        deletes: list[bytes],
        token: WriteToken,
    ) -> None:
        """One transaction: if the fence holds and the session's key (when given) exists, then delete and put
        (key, value, lease); else, if the fence holds, put the fence key. No key may occur twice."""

    @abstractmethod
    def grant_lease(self, lease_id: int, ttl_s: int) -> None:
        """Decided before any write submitted after it. A lease that exists already stays as it is."""

    @abstractmethod
    def revoke_lease(self, lease_id: int) -> None:
        """Deletes the keys still attached to it. An unknown lease is no error."""

    @abstractmethod
    def renew_leases(self, lease_ids: Sequence[int]) -> None:
        """Each lease's time starts anew. Unknown ones are ignored."""

    def facts(self) -> StoreFacts | None:
        """What the store counts; None when it is somebody else's."""
        return None

    def reset_facts(self) -> None:  # noqa: B027  # nothing to do for a store without facts
        """The summaries of `facts` begin anew."""

    @abstractmethod
    def request_barrier(self, token: BarrierToken) -> None: ...
