"""What the proxy counts: plain integers where it happens, written out under etcd's names when asked."""

from typing import final


@final
class ProxyCounts:
    __slots__ = (
        "cache_hits",
        "cache_keys",
        "cache_misses",
        "client_watchers",
        "events_merged",
        "renewals",
        "renewals_merged",
        "upstream_watches",
    )

    def __init__(self) -> None:
        self.cache_hits = 0
        self.cache_misses = 0
        self.cache_keys = 0
        self.client_watchers = 0
        """Watchers of clients at present..."""
        self.upstream_watches = 0
        """...and the watches that serve them all."""
        self.events_merged = 0
        """Events that did not have to come from upstream once more."""
        self.renewals = 0
        self.renewals_merged = 0
        """Renewals of leases that were answered by one for somebody else."""

    def metrics(self) -> str:
        """Prometheus' text format."""
        lines: list[str] = []
        for name, kind, value, text in (
            (
                "etcd_grpc_proxy_watchers_coalescing_total",
                "gauge",
                max(self.client_watchers - self.upstream_watches, 0),
                "Watchers of clients that share a watch with another.",
            ),
            ("etcd_grpc_proxy_events_coalescing_total", "counter", self.events_merged, "Events told more than once."),
            ("etcd_grpc_proxy_cache_keys_total", "gauge", self.cache_keys, "Answers in the cache."),
            ("etcd_grpc_proxy_cache_hits_total", "gauge", self.cache_hits, "Reads answered from the cache."),
            ("etcd_grpc_proxy_cache_misses_total", "gauge", self.cache_misses, "Reads that had to ask."),
            ("etcdcore_proxy_client_watchers", "gauge", self.client_watchers, "Watchers of clients."),
            ("etcdcore_proxy_upstream_watches", "gauge", self.upstream_watches, "Watches of the cluster."),
            ("etcdcore_proxy_lease_renewals_total", "counter", self.renewals, "Renewals that clients asked for."),
            (
                "etcdcore_proxy_lease_renewals_merged_total",
                "counter",
                self.renewals_merged,
                "Renewals answered by one for another client.",
            ),
        ):
            lines += [f"# HELP {name} {text}", f"# TYPE {name} {kind}", f"{name} {value}"]
        return "\n".join(lines) + "\n"
