"""The table: every flag of etcd 3.6 with its kind, its default, what becomes of it here, and what it means.

Three things can become of a flag. It *works*: `field` names the setting of `ServerConfig` that it fills. It is *idle*:
what it asks for holds anyway, or tunes a part of etcd that this server has no counterpart of; `reason` says why, and
goes to the log when it is set. Or it is *refused* unless it has its default: `reason` says why and what to do instead.
"""

from dataclasses import dataclass, replace
from typing import Final

from etcdcore.flags.values import DURATION, GATES, LIST, ORIGINS, SIGNED, SWITCH, TEXT, UNSIGNED, URLS

WORKS: Final = "works"
IDLE: Final = "idle"
REFUSED: Final = "refused"


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag. `name` without dashes in front; `default` as it would be written."""

    name: str
    kind: str
    default: str
    meaning: str
    fate: str = WORKS
    field: str = ""
    """Of ServerConfig, or of its `client_tls` or `peer_tls` as in `client_tls.cert_file`."""
    reason: str = ""
    choices: tuple[str, ...] = ()
    """All values there are, for a flag whose wrong value is a usage error."""
    renamed: str = ""
    """The flag that has taken the place of this deprecated one, or `feature-gates:<name>`."""

    @property
    def variable(self) -> str:
        """The environment variable."""
        return "ETCD_" + self.name.upper().replace("-", "_")


def _works(name: str, kind: str, default: str, field: str, meaning: str) -> Flag:
    return Flag(name, kind, default, meaning, WORKS, field or name.replace("-", "_"))


def _idle(name: str, kind: str, default: str, meaning: str, reason: str) -> Flag:
    return Flag(name, kind, default, meaning, IDLE, "", reason)


def _refused(name: str, kind: str, default: str, meaning: str, reason: str) -> Flag:
    return Flag(name, kind, default, meaning, REFUSED, "", reason)


def _renamed(name: str, kind: str, default: str, successor: str) -> Flag:
    option = successor if ":" not in successor else successor.replace(":", "=") + "=true"
    return Flag(name, kind, default, f"Deprecated: use --{option}.", WORKS, renamed=successor)


_ALONE: Final = "this server is the only member of its cluster"
_NO_DISCOVERY: Final = f"there is nobody to discover: {_ALONE} and starts it by itself; leave the flag out"
_NO_V2_DISCOVERY: Final = (
    "v2 discovery needs a v2 store; use --discovery-token and --discovery-endpoints (an etcd), or leave the flag out"
)
_NO_TRACING: Final = (
    "spans are not exported; watch /metrics and the slow-request lines of the log (--warning-unary-request-duration)"
)
_NO_CHECKPOINTS: Final = (
    "remaining times of leases are not written to the log: after a restart a lease has its full time again, as in etcd "
    "by default; leave the flag out"
)

_MEMBER: Final = (
    _works("name", TEXT, "default", "", "Name of this member."),
    _works("data-dir", TEXT, "", "", "The data directory; ${name}.etcd without."),
    _refused(
        "wal-dir",
        TEXT,
        "",
        "A directory of its own for the log.",
        "the log lies in <data-dir>/member/wal; to have it on another disk, mount that disk there",
    ),
    _works("snapshot-count", UNSIGNED, "10000", "", "Log entries after which the store is synced and the log cut."),
    _works("heartbeat-interval", UNSIGNED, "100", "heartbeat_interval_ms", "Milliseconds of a heartbeat interval."),
    _works("election-timeout", UNSIGNED, "1000", "election_timeout_ms", "Milliseconds until an election."),
    _idle(
        "initial-election-tick-advance",
        SWITCH,
        "true",
        "A shorter first election timeout.",
        f"{_ALONE}, and leads at once",
    ),
    _works("listen-peer-urls", URLS, "http://localhost:2380", "", "Where members of the cluster may ask."),
    _works("listen-client-urls", URLS, "http://localhost:2379", "", "Where clients connect."),
    _works(
        "listen-client-http-urls", URLS, "", "", "Where HTTP alone is served; the client URLs then serve gRPC alone."
    ),
    _idle("max-snapshots", UNSIGNED, "5", "Snapshot files kept.", "at most two snapshot markers are ever kept"),
    _idle("max-wals", UNSIGNED, "5", "Log files kept.", "no log file is kept longer than a restart may need it"),
    _refused(
        "memory-mlock",
        SWITCH,
        "false",
        "Keep the store in memory.",
        "the store's file is mapped far beyond its size, so locking it would take all memory; "
        "give the machine enough memory, or forbid swapping (vm.swappiness=0)",
    ),
    _works("quota-backend-bytes", SIGNED, "0", "", "Greatest size of the store; 0 is 2 GiB, negative no limit."),
    _idle(
        "backend-bbolt-freelist-type",
        TEXT,
        "map",
        "How bbolt finds free pages.",
        "the store is LMDB, which keeps its free pages in a tree of its own",
    ),
    _works("backend-batch-interval", DURATION, "100ms", "backend_batch_interval_s", "Longest time to a commit."),
    _works("backend-batch-limit", SIGNED, "10000", "", "Most operations to a commit."),
    _works("max-txn-ops", UNSIGNED, "128", "", "Most operations in a transaction."),
    _works("max-request-bytes", UNSIGNED, "1572864", "", "Greatest request."),
    _works("max-concurrent-streams", UNSIGNED, "4294967295", "", "Most open streams of a connection."),
    _works(
        "grpc-keepalive-min-time", DURATION, "5s", "grpc_keepalive_min_time_s", "Least time between a client's pings."
    ),
    _works(
        "grpc-keepalive-interval", DURATION, "2h", "grpc_keepalive_interval_s", "Time between our pings; 0 for none."
    ),
    _works("grpc-keepalive-timeout", DURATION, "20s", "grpc_keepalive_timeout_s", "Wait for the answer to a ping."),
    _works("socket-reuse-port", SWITCH, "false", "", "SO_REUSEPORT on the listeners."),
    _idle("socket-reuse-address", SWITCH, "false", "SO_REUSEADDR on the listeners.", "it is always set"),
    _works("enable-grpc-gateway", SWITCH, "true", "", "The JSON gateway under /v3/."),
    _idle("raft-read-timeout", DURATION, "5s", "Read timeout between members.", f"{_ALONE}"),
    _idle("raft-write-timeout", DURATION, "5s", "Write timeout between members.", f"{_ALONE}"),
    _works("feature-gates", GATES, "", "", "Feature gates, as in A=true,B=false."),
    _works("grpc-server", TEXT, "own", "", "Ours alone: own (our HTTP/2 server) or grpcio."),
)
_CLUSTERING: Final = (
    _works("initial-advertise-peer-urls", URLS, "http://localhost:2380", "", "Peer URLs told to the cluster."),
    _works("initial-cluster", TEXT, "default=http://localhost:2380", "", "The members of a new cluster."),
    replace(_works("initial-cluster-state", TEXT, "new", "", "new, or existing."), choices=("new", "existing")),
    _works("initial-cluster-token", TEXT, "etcd-cluster", "", "Part of the cluster's id."),
    _works("advertise-client-urls", URLS, "http://localhost:2379", "", "Client URLs told to the cluster."),
    _refused("discovery", TEXT, "", "URL of a v2 discovery service.", _NO_V2_DISCOVERY),
    _works("discovery-token", TEXT, "", "discovery.token", "Token of the new cluster at the discovery cluster."),
    _works("discovery-endpoints", LIST, "", "discovery.endpoints", "Endpoints of the discovery cluster, an etcd."),
    _works("discovery-dial-timeout", DURATION, "2s", "discovery.dial_timeout_s", "Time for a connection to it."),
    _works("discovery-request-timeout", DURATION, "5s", "discovery.request_timeout_s", "Time for a request to it."),
    _works("discovery-keepalive-time", DURATION, "2s", "discovery.keepalive_time_s", "Time between pings to it."),
    _works(
        "discovery-keepalive-timeout", DURATION, "6s", "discovery.keepalive_timeout_s", "Wait for the answer to a ping."
    ),
    _works(
        "discovery-insecure-transport",
        SWITCH,
        "true",
        "discovery.insecure_transport",
        "No TLS for endpoints without a scheme, unless certificates are given.",
    ),
    _works(
        "discovery-insecure-skip-tls-verify",
        SWITCH,
        "false",
        "discovery.insecure_skip_tls_verify",
        "Trust whatever certificate it shows: for tests.",
    ),
    _works("discovery-cert", TEXT, "", "discovery.cert", "Our certificate at the discovery cluster."),
    _works("discovery-key", TEXT, "", "discovery.key", "Its key."),
    _works("discovery-cacert", TEXT, "", "discovery.cacert", "Who signs the discovery cluster's certificates."),
    _works("discovery-user", TEXT, "", "discovery.user", "Our user at the discovery cluster."),
    _works("discovery-password", TEXT, "", "discovery.password", "The user's password."),
    replace(
        _refused(
            "discovery-fallback",
            TEXT,
            "exit",
            "What to do when discovery fails.",
            "the v2 proxy is gone, so there is only exit; leave the flag out",
        ),
        choices=("exit", "proxy"),
    ),
    _refused("discovery-proxy", TEXT, "", "For v2 discovery.", _NO_V2_DISCOVERY),
    _refused("discovery-srv", TEXT, "", "DNS domain of the cluster.", _NO_DISCOVERY),
    _refused("discovery-srv-name", TEXT, "", "Part of the DNS name.", _NO_DISCOVERY),
    _works("strict-reconfig-check", SWITCH, "true", "", "Refuse changes that would lose the quorum."),
    _idle("pre-vote", SWITCH, "true", "Ask before an election.", f"{_ALONE}: nobody's election can be disturbed"),
    _works("auto-compaction-retention", TEXT, "0", "", "History that is kept; 0 keeps all."),
    _works("auto-compaction-mode", TEXT, "periodic", "", "periodic (a duration; bare numbers are hours) or revision."),
    replace(
        _idle(
            "v2-deprecation", LIST, "write-only", "Phase of the v2 store's end.", "there has never been a v2 store here"
        ),
        choices=("write-only", "write-only-skip-check", "write-only-drop-data", "gone"),
    ),
)
_SECURITY: Final = (
    _works("cert-file", TEXT, "", "client_tls.cert_file", "Certificate of the client port."),
    _works("key-file", TEXT, "", "client_tls.key_file", "Key of the client port."),
    _works("client-cert-auth", SWITCH, "false", "client_tls.client_cert_auth", "Clients must show a certificate."),
    _idle(
        "client-cert-file",
        TEXT,
        "",
        "Certificate of etcd's calls to itself.",
        "the gateway calls the services without a connection",
    ),
    _idle(
        "client-key-file",
        TEXT,
        "",
        "Key of etcd's calls to itself.",
        "the gateway calls the services without a connection",
    ),
    _works("client-crl-file", TEXT, "", "client_tls.crl_file", "Revoked client certificates."),
    _works("client-cert-allowed-hostname", LIST, "", "client_tls.allowed_hostnames", "Names a client may have."),
    _works("trusted-ca-file", TEXT, "", "client_tls.trusted_ca_file", "Who signs client certificates."),
    _works("auto-tls", SWITCH, "false", "client_tls.auto_tls", "A self-signed certificate for the client port."),
    _works("peer-cert-file", TEXT, "", "peer_tls.cert_file", "Certificate of the peer port."),
    _works("peer-key-file", TEXT, "", "peer_tls.key_file", "Key of the peer port."),
    _works("peer-client-cert-auth", SWITCH, "false", "peer_tls.client_cert_auth", "Peers must show a certificate."),
    _idle("peer-client-cert-file", TEXT, "", "Certificate of calls to peers.", f"{_ALONE} and calls no peers"),
    _idle("peer-client-key-file", TEXT, "", "Key of calls to peers.", f"{_ALONE} and calls no peers"),
    _works("peer-trusted-ca-file", TEXT, "", "peer_tls.trusted_ca_file", "Who signs peers' certificates."),
    _works("peer-cert-allowed-cn", LIST, "", "peer_tls.allowed_cns", "Common names a peer may have."),
    _works("peer-cert-allowed-hostname", LIST, "", "peer_tls.allowed_hostnames", "Names a peer may have."),
    _works("peer-auto-tls", SWITCH, "false", "peer_tls.auto_tls", "A self-signed certificate for the peer port."),
    _works("self-signed-cert-validity", UNSIGNED, "1", "tls.validity_years", "Years that self-signed ones are valid."),
    _works("peer-crl-file", TEXT, "", "peer_tls.crl_file", "Revoked peer certificates."),
    _works("cipher-suites", LIST, "", "tls.cipher_suites", "Cipher suites of TLS 1.2."),
    _works("cors", ORIGINS, "*", "", "Origins that browsers may call from."),
    _works("host-whitelist", LIST, "*", "", "Host names that plain HTTP requests may use."),
    _works("tls-min-version", TEXT, "TLS1.2", "tls.min_version", "Least TLS version."),
    _works("tls-max-version", TEXT, "", "tls.max_version", "Greatest TLS version."),
)
_AUTH: Final = (
    _works("auth-token", TEXT, "simple", "", "simple, or jwt,sign-method=…,pub-key=…,priv-key=…,ttl=…"),
    _works("bcrypt-cost", UNSIGNED, "10", "", "Cost of a password's hash."),
    _works("auth-token-ttl", UNSIGNED, "300", "", "Seconds that a simple token lives unused."),
)
_MONITORING: Final = (
    _idle(
        "enable-pprof",
        SWITCH,
        "false",
        "Go's profiler over HTTP.",
        "pprof is Go's; look into the running process with py-spy (py-spy record --pid …)",
    ),
    _works("metrics", TEXT, "basic", "", "basic, or extensive for histograms of calls."),
    _works("listen-metrics-urls", URLS, "", "", "Where /metrics and /health are served alone."),
)
_LOGGING: Final = (
    _refused("logger", TEXT, "zap", "The kind of log lines.", "lines have zap's keys always; leave the flag out"),
    _works("log-outputs", LIST, "default", "", "default, stdout, stderr or files."),
    _works("log-level", TEXT, "info", "", "debug, info, warn, error, panic or fatal."),
    _works("log-format", TEXT, "json", "", "json or console."),
    _works("enable-log-rotation", SWITCH, "false", "", "Rotate the log's file."),
    _works(
        "log-rotation-config-json",
        TEXT,
        '{"maxsize": 100, "maxage": 0, "maxbackups": 0, "localtime": false, "compress": false}',
        "",
        "How to rotate.",
    ),
    _works(
        "warning-unary-request-duration", DURATION, "300ms", "warning_unary_request_duration_s", "Slower is logged."
    ),
)
_TRACING: Final = (
    _renamed("experimental-enable-distributed-tracing", SWITCH, "false", "enable-distributed-tracing"),
    _refused("enable-distributed-tracing", SWITCH, "false", "Send spans to a collector.", _NO_TRACING),
    _renamed("experimental-distributed-tracing-address", TEXT, "localhost:4317", "distributed-tracing-address"),
    _idle("distributed-tracing-address", TEXT, "localhost:4317", "Where spans go.", _NO_TRACING),
    _renamed("experimental-distributed-tracing-service-name", TEXT, "etcd", "distributed-tracing-service-name"),
    _idle("distributed-tracing-service-name", TEXT, "etcd", "Name in spans.", _NO_TRACING),
    _renamed("experimental-distributed-tracing-instance-id", TEXT, "", "distributed-tracing-instance-id"),
    _idle("distributed-tracing-instance-id", TEXT, "", "Id in spans.", _NO_TRACING),
    _renamed("experimental-distributed-tracing-sampling-rate", SIGNED, "0", "distributed-tracing-sampling-rate"),
    _idle("distributed-tracing-sampling-rate", SIGNED, "0", "Spans taken of a million.", _NO_TRACING),
)
_ONE_HASH: Final = f"{_ALONE}: there is no other member's hash to compare with"
_EXPERIMENTAL: Final = (
    _renamed("experimental-initial-corrupt-check", SWITCH, "false", "feature-gates:InitialCorruptCheck"),
    _renamed("experimental-corrupt-check-time", DURATION, "0s", "corrupt-check-time"),
    _idle("corrupt-check-time", DURATION, "0s", "Time between comparisons of members.", _ONE_HASH),
    _renamed("experimental-compact-hash-check-enabled", SWITCH, "false", "feature-gates:CompactHashCheck"),
    _renamed("experimental-compact-hash-check-time", DURATION, "1m", "compact-hash-check-time"),
    _idle("compact-hash-check-time", DURATION, "1m", "Time between comparisons after compaction.", _ONE_HASH),
    _renamed("experimental-enable-lease-checkpoint", SWITCH, "false", "feature-gates:LeaseCheckpoint"),
    _renamed("experimental-compaction-batch-limit", SIGNED, "1000", "compaction-batch-limit"),
    _works("compaction-batch-limit", SIGNED, "1000", "", "Most revisions of one step of a compaction."),
    _renamed("experimental-peer-skip-client-san-verification", SWITCH, "false", "peer-skip-client-san-verification"),
    _idle(
        "peer-skip-client-san-verification",
        SWITCH,
        "false",
        "Take peers of any address.",
        "addresses in peers' certificates are never looked at here",
    ),
    _renamed("experimental-watch-progress-notify-interval", DURATION, "10m", "watch-progress-notify-interval"),
    _works(
        "watch-progress-notify-interval",
        DURATION,
        "10m",
        "watch_progress_notify_interval_s",
        "Time between progress notifications.",
    ),
    _renamed("experimental-warning-apply-duration", DURATION, "100ms", "warning-apply-duration"),
    _works("warning-apply-duration", DURATION, "100ms", "warning_apply_duration_s", "Slower applying is logged."),
    _renamed(
        "experimental-txn-mode-write-with-shared-buffer", SWITCH, "true", "feature-gates:TxnModeWriteWithSharedBuffer"
    ),
    _renamed(
        "experimental-bootstrap-defrag-threshold-megabytes", UNSIGNED, "0", "bootstrap-defrag-threshold-megabytes"
    ),
    _idle(
        "bootstrap-defrag-threshold-megabytes",
        UNSIGNED,
        "0",
        "Defragment at the start.",
        "the store uses freed pages again by itself",
    ),
    _renamed("experimental-warning-unary-request-duration", DURATION, "300ms", "warning-unary-request-duration"),
    _works("max-learners", SIGNED, "1", "", "Most learners."),
    _renamed("experimental-compaction-sleep-interval", DURATION, "10ms", "compaction-sleep-interval"),
    _works(
        "compaction-sleep-interval",
        DURATION,
        "10ms",
        "compaction_sleep_interval_s",
        "Pause between the steps of a compaction.",
    ),
    _renamed("experimental-downgrade-check-time", DURATION, "5s", "downgrade-check-time"),
    _idle("downgrade-check-time", DURATION, "5s", "Time between looks at a downgrade.", f"{_ALONE}"),
    _renamed("experimental-enable-lease-checkpoint-persist", SWITCH, "false", "feature-gates:LeaseCheckpointPersist"),
    _renamed("experimental-memory-mlock", SWITCH, "false", "memory-mlock"),
    _renamed("experimental-snapshot-catchup-entries", UNSIGNED, "5000", "snapshot-catchup-entries"),
    _idle("snapshot-catchup-entries", UNSIGNED, "5000", "Entries kept for slow followers.", f"{_ALONE}"),
    _renamed("experimental-stop-grpc-service-on-defrag", SWITCH, "false", "feature-gates:StopGRPCServiceOnDefrag"),
)
_UNSAFE: Final = (
    _idle("force-new-cluster", SWITCH, "false", "Go on alone, whoever else was a member.", f"{_ALONE} as it is"),
    _works(
        "unsafe-no-fsync", SWITCH, "false", "", "Sync nothing: what was acknowledged is lost when the machine stops."
    ),
)
_IGNORED_NAMES: Final = (
    "cluster-active-size", "cluster-remove-delay", "cluster-sync-interval", "config", "force", "max-result-buffer",
    "max-retry-attempts", "peer-heartbeat-interval", "peer-election-timeout", "retry-interval", "snapshot", "v", "vv",
)  # fmt: skip
IGNORED: Final = tuple(
    _idle(name, TEXT, "", "Of etcd before version 2.", "etcd ignores it too") for name in _IGNORED_NAMES
)

SECTIONS: Final = (
    ("Member", _MEMBER),
    ("Clustering", _CLUSTERING),
    ("Security", _SECURITY),
    ("Auth", _AUTH),
    ("Monitoring", _MONITORING),
    ("Logging", _LOGGING),
    ("Distributed tracing", _TRACING),
    ("Tuning, and flags that had experimental- in front", _EXPERIMENTAL),
    ("Unsafe", _UNSAFE),
)
FLAGS: Final = {flag.name: flag for _, flags in SECTIONS for flag in flags} | {flag.name: flag for flag in IGNORED}

FILE_ONLY: Final = {
    "client-cert-allowed-cn": _works(
        "client-cert-allowed-cn", LIST, "", "client_tls.allowed_cns", "Common names a client may have."
    ),
    "client-skip-client-san-verification": _idle(
        "client-skip-client-san-verification",
        SWITCH,
        "false",
        "Take clients of any address.",
        "addresses in clients' certificates are never looked at here",
    ),
}
"""Settings that etcd has in a file's client-transport-security and under no flag."""
KNOWN: Final = FLAGS | FILE_ONLY

GATES_REFUSED: Final = {"LeaseCheckpoint": _NO_CHECKPOINTS, "LeaseCheckpointPersist": _NO_CHECKPOINTS}
"""Feature gates that cannot be switched on; the others change nothing in a cluster of one."""
