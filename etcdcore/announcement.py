"""The line "starting an etcd server", with every setting under etcd's names: what people paste into a report. Pure.

Source: etcd server/embed/etcd.go, print. `go-version` and `git-sha` say what runs here instead.
"""

from collections.abc import Mapping
from typing import Final

from etcdcore.config import CLIENT_URLS_DEFAULT, ETCD_VERSION, ServerConfig
from etcdcore.flags.settings import Settings
from etcdcore.flags.table import FLAGS
from etcdcore.flags.values import Value, parse_value

_ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64"}
"""Python's names for machines, and Go's."""
_COMPACT_HASH_CHECK: Final = "compact-hash-check-time"
_SKIP_CHECK: Final = "write-only-skip-check"


def starting_line(
    settings: Settings, python: str, machine: str, processor_count: int, is_initialized: bool
) -> dict[str, object]:
    """The fields in etcd's order."""
    config, shown = settings.config, _Shown(settings.values)
    retention_s = config.compaction()[0] / 1000 if config.auto_compaction_mode == "periodic" else 0
    retention = f"{config.compaction()[1]}ns" if config.auto_compaction_mode == "revision" else duration(retention_s)
    return {
        "etcd-version": ETCD_VERSION,
        "git-sha": "none: this is etcdcore",
        "go-version": f"none: Python {python}",
        "go-os": "linux",
        "go-arch": _ARCHITECTURES.get(machine, machine),
        "max-cpu-set": processor_count,
        "max-cpu-available": processor_count,
        "member-initialized": is_initialized,
        "name": config.name,
        "data-dir": str(config.data_path),
        "wal-dir": "",
        "wal-dir-dedicated": "",
        "member-dir": str(config.data_path / "member"),
        "force-new-cluster": shown.value("force-new-cluster"),
        "heartbeat-interval": duration(config.heartbeat_interval_ms / 1000),
        "election-timeout": duration(config.election_timeout_ms / 1000),
        "initial-election-tick-advance": shown.value("initial-election-tick-advance"),
        "snapshot-count": config.snapshot_count,
        "max-wals": shown.value("max-wals"),
        "max-snapshots": shown.value("max-snapshots"),
        "snapshot-catchup-entries": shown.value("snapshot-catchup-entries"),
        "initial-advertise-peer-urls": list(config.initial_advertise_peer_urls),
        "listen-peer-urls": list(config.listen_peer_urls),
        "advertise-client-urls": list(config.advertise_client_urls or CLIENT_URLS_DEFAULT),
        "listen-client-urls": list(config.listen_client_urls),
        "listen-metrics-urls": list(config.listen_metrics_urls),
        "experimental-local-address": "",
        "cors": sorted(config.cors),
        "host-whitelist": sorted(config.host_whitelist),
        "initial-cluster": "" if is_initialized else _cluster(config),
        "initial-cluster-state": config.initial_cluster_state,
        "initial-cluster-token": "" if is_initialized else config.cluster_token,
        "quota-backend-bytes": config.quota_backend_bytes or config.quota_bytes,
        "max-request-bytes": config.max_request_bytes,
        "max-concurrent-streams": config.max_concurrent_streams,
        "pre-vote": shown.value("pre-vote"),
        "feature-gates": ",".join(f"{gate}={str(on).lower()}" for gate, on in sorted(settings.gates.items())),
        # As in etcd 3.6: the setting is a feature gate now, and this field is left.
        "initial-corrupt-check": False,
        "corrupt-check-time-interval": shown.duration("corrupt-check-time"),
        "compact-check-time-interval": shown.duration(_COMPACT_HASH_CHECK),
        "auto-compaction-mode": config.auto_compaction_mode,
        "auto-compaction-retention": retention,
        "auto-compaction-interval": retention,
        "discovery-url": "",
        "discovery-proxy": "",
        "discovery-token": shown.value("discovery-token"),
        "discovery-endpoints": shown.texts("discovery-endpoints"),
        "discovery-dial-timeout": shown.duration("discovery-dial-timeout"),
        "discovery-request-timeout": shown.duration("discovery-request-timeout"),
        "discovery-keepalive-time": shown.duration("discovery-keepalive-time"),
        "discovery-keepalive-timeout": shown.duration("discovery-keepalive-timeout"),
        "discovery-insecure-transport": shown.value("discovery-insecure-transport"),
        "discovery-insecure-skip-tls-verify": shown.value("discovery-insecure-skip-tls-verify"),
        "discovery-cert": shown.value("discovery-cert"),
        "discovery-key": shown.value("discovery-key"),
        "discovery-cacert": shown.value("discovery-cacert"),
        "discovery-user": shown.value("discovery-user"),
        "downgrade-check-interval": shown.duration("downgrade-check-time"),
        "max-learners": config.max_learners,
        # Whatever else was asked for, as in etcd.
        "v2-deprecation": _SKIP_CHECK if shown.texts("v2-deprecation") == _SKIP_CHECK else "write-only",
    }


class _Shown:
    """Values of flags, those that nobody set by their default."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        self._values: Final = values

    def value(self, name: str) -> Value:
        found = self._values.get(name)
        return parse_value(FLAGS[name].kind, FLAGS[name].default) if found is None else found

    def texts(self, name: str) -> str:
        found = self.value(name)
        assert isinstance(found, tuple), f"--{name} is a list"
        return ",".join(found)

    def duration(self, name: str) -> str:
        found = self.value(name)
        assert isinstance(found, int | float), f"--{name} is a duration"
        return duration(found)


def _cluster(config: ServerConfig) -> str:
    return config.initial_cluster or ",".join(f"{config.name}={url}" for url in config.initial_advertise_peer_urls)


def duration(seconds: float) -> str:
    """As Go writes it: `0s`, `100ms`, `1.5s`, `1m0s`, `2h0m0s`."""
    sign, nanoseconds = "-" if seconds < 0 else "", round(abs(seconds) * 1e9)
    if nanoseconds == 0:
        return "0s"
    for unit, size in (("ns", 1), ("µs", 1_000), ("ms", 1_000_000)):
        if nanoseconds < size * 1000:
            return f"{sign}{_decimal(nanoseconds, size)}{unit}"
    minutes, rest = divmod(nanoseconds, 60_000_000_000)
    text = f"{_decimal(rest, 1_000_000_000)}s"
    if minutes:
        hours, minutes = divmod(minutes, 60)
        text = f"{hours}h{minutes}m{text}" if hours else f"{minutes}m{text}"
    return sign + text


def _decimal(number: int, size: int) -> str:
    whole, part = divmod(number, size)
    return f"{whole}.{str(size + part)[1:]}".rstrip("0").rstrip(".") if part else str(whole)
