"""Families of etcd that stay as they are here, because what they count does not exist: they are shown for dashboards.

Each is truly zero. There is no v2 store; pages of LMDB are neither rebalanced nor spilled at a commit; a compaction
holds nothing back for the index alone; no snapshot comes from another member; and a server is no proxy.
"""

from typing import Final

from etcdcore.statistics import DISK_BOUNDS_S, Histogram, exponential_bounds
from etcdcore.web.metrics_text import Labels, MetricsText

_HISTOGRAMS: Final = (
    (
        "etcd_debugging_disk_backend_commit_rebalance_duration_seconds",
        "The latency distributions of commit.rebalance called by bboltdb backend.",
        DISK_BOUNDS_S,
    ),
    (
        "etcd_debugging_disk_backend_commit_spill_duration_seconds",
        "The latency distributions of commit.spill called by bboltdb backend.",
        DISK_BOUNDS_S,
    ),
    (
        "etcd_debugging_mvcc_index_compaction_pause_duration_milliseconds",
        "Bucketed histogram of index compaction pause duration.",
        exponential_bounds(0.5, 2.0, 14),
    ),
    (
        "etcd_debugging_snap_save_marshalling_duration_seconds",
        "The marshalling cost distributions of save called by snapshot.",
        DISK_BOUNDS_S,
    ),
    (
        "etcd_snap_db_fsync_duration_seconds",
        "The latency distributions of fsyncing .snap.db file",
        DISK_BOUNDS_S,
    ),
    (
        "etcd_snap_db_save_total_duration_seconds",
        "The total latency distributions of v3 snapshot save",
        exponential_bounds(0.1, 2.0, 10),
    ),
)
_STORE: Final = "etcd_debugging_store_"
_NUMBERS: Final[tuple[tuple[str, str, str, tuple[Labels, ...]], ...]] = (
    (f"{_STORE}expires_total", "counter", "Total number of expired keys.", ({},)),
    (
        f"{_STORE}reads_total",
        "counter",
        "Total number of reads action by (get/getRecursive), local to this member.",
        ({"action": "getRecursive"},),
    ),
    (
        f"{_STORE}watch_requests_total",
        "counter",
        "Total number of incoming watch requests (new or reestablished).",
        ({},),
    ),
    (f"{_STORE}watchers", "gauge", "Count of currently active watchers.", ({},)),
    (
        f"{_STORE}writes_total",
        "counter",
        "Total number of writes (e.g. set/compareAndDelete) seen by this member.",
        ({"action": "create"}, {"action": "set"}),
    ),
    ("etcd_grpc_proxy_cache_hits_total", "gauge", "Total number of cache hits", ({},)),
    ("etcd_grpc_proxy_cache_keys_total", "gauge", "Total number of keys/ranges cached", ({},)),
    ("etcd_grpc_proxy_cache_misses_total", "gauge", "Total number of cache misses", ({},)),
    ("etcd_grpc_proxy_events_coalescing_total", "counter", "Total number of events coalescing", ({},)),
    ("etcd_grpc_proxy_watchers_coalescing_total", "gauge", "Total number of current watchers coalescing", ({},)),
)


def add_still_metrics(metrics: MetricsText) -> None:
    for name, about, bounds in _HISTOGRAMS:
        metrics.histogram(name, about, [({}, Histogram(bounds))])
    for name, kind, about, labels in _NUMBERS:
        metrics.family(name, kind, about, [(one, 0) for one in labels])
