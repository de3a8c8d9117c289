"""What is counted while the core works: plain integers where things happen, read now and then by who shows them.

Counting is part of hot paths, so nothing here locks, allocates or knows of metric libraries. Another thread may read
while one counts: what it sees is a moment old, never torn. Example, bounds (1.0, 2.0): observe(0.5), observe(2.0),
observe(9.0) leave counts [1, 1, 1] and sum 11.5.
"""

from bisect import bisect_left
from typing import Final, final


def exponential_bounds(first: float, factor: float, count: int) -> tuple[float, ...]:
    """Upper bounds of so many classes, each `factor` times the one before."""
    return tuple(first * factor**power for power in range(count))


DISK_BOUNDS_S: Final = exponential_bounds(0.001, 2.0, 14)
"""Those of etcd's histograms of disk work: 1 ms to 8.192 s."""


HANDLING_BOUNDS_S: Final[tuple[float, ...]] = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Prometheus' own default, which the histogram of calls has in etcd."""


@final
class Histogram:
    """How many observations fell into each class; the last class has no upper bound."""

    __slots__ = ("bounds", "counts", "highest", "lowest", "sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds: Final = bounds
        self.counts: Final[list[int]] = [0] * (len(bounds) + 1)
        self.sum = 0.0
        self.lowest = 0.0
        self.highest = 0.0
        """Of all observations; 0 before there is one."""

    @property
    def count(self) -> int:
        return sum(self.counts)

    def observe(self, value: float) -> None:
        if value < self.lowest or not self.highest:
            self.lowest = value
        if value > self.highest:
            self.highest = value
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def reset_range(self) -> None:
        """`lowest` and `highest` begin anew; counts and sum go on, as whoever collects them expects."""
        self.lowest = 0.0
        self.highest = 0.0


@final
class StoreCounts:
    """What was done to store and lessor since the process began; a store that is built anew goes on with them."""

    __slots__ = (
        "delete_count",
        "lease_granted_count",
        "lease_renewed_count",
        "lease_revoked_count",
        "lease_ttl_s",
        "put_bytes",
        "put_count",
        "range_count",
        "txn_count",
    )

    def __init__(self) -> None:
        self.put_count = 0
        self.put_bytes = 0
        self.delete_count = 0
        """Operations, whatever number of keys each deleted."""
        self.range_count = 0
        self.txn_count = 0
        """Transactions of more than one operation, as etcd counts them."""
        self.lease_granted_count = 0
        self.lease_ttl_s: Final = Histogram(exponential_bounds(1.0, 2.0, 24))
        """Of the granted ones."""
        self.lease_renewed_count = 0
        self.lease_revoked_count = 0


@final
class MemberCounts:
    """What a member met since it was opened."""

    __slots__ = (
        "apply_s",
        "checkpoint_revision",
        "checkpoint_s",
        "checkpointed_at_s",
        "commit_s",
        "compacted_at_s",
        "compacted_keys",
        "compaction_ms",
        "compaction_step_ms",
        "defragment_count",
        "defragment_s",
        "hash_revision_s",
        "hash_s",
        "leader_changes",
        "lease_expired_count",
        "marker_s",
        "proposals_failed",
        "range_s",
        "read_indexes_failed",
        "read_indexes_slow",
        "slow_apply_count",
        "slow_apply_s",
        "snapshot_s",
    )

    def __init__(self) -> None:
        self.leader_changes = 0
        self.proposals_failed = 0
        self.read_indexes_failed = 0
        self.read_indexes_slow = 0
        """Those that their caller gave up waiting for."""
        self.lease_expired_count = 0
        self.slow_apply_count = 0
        self.slow_apply_s = SLOW_APPLY_S
        """Entries that take longer to apply are counted as slow."""
        self.commit_s: Final = Histogram(DISK_BOUNDS_S)
        """The engine's commits that had something in them."""
        self.checkpoint_s: Final = Histogram(DISK_BOUNDS_S)
        self.marker_s: Final = Histogram(DISK_BOUNDS_S)
        """Of the files that say how far the engine was synced, written and synced themselves."""
        """From a commit to the marker that lets the log be cut: the engine's sync in a thread."""
        self.checkpoint_revision = -1
        """The store's, when the engine was last synced; -1: it was not, since the start."""
        self.checkpointed_at_s = 0.0
        """By the loop's clock."""
        self.apply_s: Final = Histogram(APPLY_BOUNDS_S)
        """One observation for each entry, which holds all commands of one turn of the loop."""

        self.range_s: Final = Histogram(APPLY_BOUNDS_S)
        """Of one in `RANGES_PER_SAMPLE` ranges: their clock would cost what a small range does."""
        self.compaction_step_ms: Final = Histogram(exponential_bounds(1.0, 2.0, 13))
        """What the loop waited for one step of a compaction."""
        self.compaction_ms: Final = Histogram(exponential_bounds(100.0, 2.0, 14))
        self.compacted_keys = 0
        self.compacted_at_s = 0.0
        """By the loop's clock, when the last compaction ended; 0: none has."""
        self.snapshot_s: Final = Histogram(exponential_bounds(0.01, 2.0, 17))
        self.defragment_count = 0
        """Of those under way."""
        self.defragment_s: Final = Histogram(exponential_bounds(0.1, 2.0, 13))
        self.hash_s: Final = Histogram(_HASH_BOUNDS_S)
        self.hash_revision_s: Final = Histogram(_HASH_BOUNDS_S)

    def observe_apply(self, seconds: float) -> bool:
        """Whether it was slow."""
        self.apply_s.observe(seconds)
        if seconds > self.slow_apply_s:
            self.slow_apply_count += 1
            return True
        return False


_HASH_BOUNDS_S: Final = exponential_bounds(0.01, 2.0, 15)
APPLY_BOUNDS_S: Final = exponential_bounds(0.0001, 2.0, 20)
RANGES_PER_SAMPLE: Final = 16
SLOW_APPLY_S: Final = 0.1
