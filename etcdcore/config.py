"""What a member and a server around it are told at their start: frozen and valid once built."""

import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

ETCD_VERSION: Final = "3.6.16"
"""The etcd whose API this is: what clients are told, who switch features by it."""
CLUSTER_VERSION: Final = "3.6.0"
"""What members of that etcd agree on among themselves."""
URL_SCHEMES: Final = ("http", "https", "unix", "unixs")
LOG_LEVELS: Final = ("debug", "info", "warn", "error", "panic", "fatal")
FEATURE_GATES: Final = (
    "CompactHashCheck",
    "InitialCorruptCheck",
    "LeaseCheckpoint",
    "LeaseCheckpointPersist",
    "SetMemberLocalAddr",
    "StopGRPCServiceOnDefrag",
    "TxnModeWriteWithSharedBuffer",
)
QUOTA_DEFAULT_BYTES: Final = 2 << 30
TLS_VERSIONS: Final = ("TLS1.2", "TLS1.3")
CIPHER_SUITES: Final = {
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "ECDHE-RSA-AES256-GCM-SHA384",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "ECDHE-ECDSA-AES128-GCM-SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "ECDHE-ECDSA-AES256-GCM-SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-RSA-CHACHA20-POLY1305",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305": "ECDHE-RSA-CHACHA20-POLY1305",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305": "ECDHE-ECDSA-CHACHA20-POLY1305",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA": "ECDHE-RSA-AES128-SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA": "ECDHE-RSA-AES256-SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256": "ECDHE-RSA-AES128-SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA": "ECDHE-ECDSA-AES128-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA": "ECDHE-ECDSA-AES256-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256": "ECDHE-ECDSA-AES128-SHA256",
    "TLS_RSA_WITH_AES_128_GCM_SHA256": "AES128-GCM-SHA256",
    "TLS_RSA_WITH_AES_256_GCM_SHA384": "AES256-GCM-SHA384",
    "TLS_RSA_WITH_AES_128_CBC_SHA": "AES128-SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA": "AES256-SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA256": "AES128-SHA256",
}
"""Go's names of cipher suites of TLS 1.2, which etcd's flag takes, and OpenSSL's."""
ELECTION_TIMEOUT_MAX_MS: Final = 50_000
WATCH_PROGRESS_INTERVAL_S: Final = 600.0
WATCH_PROGRESS_INTERVAL_MIN_S: Final = 0.1
CLIENT_URLS_DEFAULT: Final = ("http://localhost:2379",)
PEER_URLS_DEFAULT: Final = ("http://localhost:2380",)


class ConfigError(ValueError):
    """A setting that no member could run with; the text names the setting, what it must be and what it was."""


@dataclass(frozen=True, slots=True)
class MemberConfig:
    """Raises ConfigError when a setting is out of its bounds. Sizes in bytes, times in the unit of their name."""

    data_dir: Path
    name: str = "default"
    tick_ms: int = 100
    election_ticks: int = 10
    """Without a word from a leader for this many ticks, up to twice as many, a voter of several stands for election."""
    commit_interval_ms: int = 100
    """The engine's open batch is committed, not synced, at least this often while there is something in it..."""
    commit_operations: int = 10_000
    """...and whenever it holds this many commands."""
    checkpoint_interval_s: float = 5.0
    """The engine is synced this often while there is something new, and the log is cut below what was synced."""
    checkpoint_bytes: int = 64 << 20
    """...and whenever the log has grown by this much: bounds the disk space and the time of a replay."""
    entry_bytes_max: int = 1 << 20
    """Commands that arrive together share a log entry up to this size (one larger command still has its own)."""
    entry_commands_max: int = 1024
    """...and to this number: an entry is applied in one go, and 4096 deletes kept everybody waiting for 115 ms."""
    pending_commands_max: int = 262_144
    """Past this many commands in flight, further ones are dropped: the caller's own bound should be smaller."""
    kept_entries: int = 1024
    """Entries kept in memory below the last checkpoint for followers that lag; none without followers."""
    compaction_retention_s: int = 3600
    """History of the last so many seconds can be read; 0 switches compaction by time off."""
    compaction_revisions_max: int = 1_000_000
    """Of history, at most so many revisions are kept; 0 switches this bound off."""
    checkpoint_entries: int = 1 << 30
    """...and whenever so many entries have come to the log."""
    compaction_step: int = 800
    """Records that one step of a compaction reads: a millisecond or two..."""
    hash_compactions: bool = False
    """Each compaction first hashes what it goes by, for HashKV of its revision: work for all the store's records."""
    compaction_pause_s: float = 0.002
    """...and the pause between two steps: it takes half of the time at most, less beside other work."""
    slow_apply_s: float = 0.1
    """An entry that takes longer to apply is counted and logged."""
    segment_bytes: int = 64 << 20
    in_memory: bool = False
    """For tests: the store is not on disk (the log is), so nothing survives that the log no longer has."""
    peer_urls: tuple[str, ...] = PEER_URLS_DEFAULT
    """Under which other members reach this one: a new cluster's ids are made of these and the token."""
    client_urls: tuple[str, ...] = ()
    """Told to whoever lists the members, once they are published."""
    cluster_token: str = "etcd-cluster"
    quota_bytes: int = 0
    """Past this size of the store a NOSPACE alarm is raised and nothing may grow; 0 is no quota."""
    learners_max: int = 1
    strict_reconfig_check: bool = True
    """Membership changes that would leave no quorum of started members are refused."""
    auth_token: str = "simple"
    """Or `jwt,pub-key=…,priv-key=…,sign-method=…,ttl=…`."""
    auth_token_ttl_s: int = 300
    bcrypt_cost: int = 10

    def __post_init__(self) -> None:
        self._check("name", len(self.name), 1, 1024)
        self._check("tick_ms", self.tick_ms, 1, 10_000)
        self._check("election_ticks", self.election_ticks, 3, 1000)
        self._check("commit_interval_ms", self.commit_interval_ms, 1, 10_000)
        self._check("commit_operations", self.commit_operations, 1, 1_000_000)
        self._check("checkpoint_interval_s", self.checkpoint_interval_s, 0.01, 3600)
        self._check("checkpoint_bytes", self.checkpoint_bytes, 4096, 1 << 34)
        self._check("entry_bytes_max", self.entry_bytes_max, 1, 64 << 20)
        self._check("entry_commands_max", self.entry_commands_max, 1, 65_536)
        self._check("pending_commands_max", self.pending_commands_max, 1, 1 << 30)
        self._check("kept_entries", self.kept_entries, 0, 1 << 24)
        self._check("compaction_retention_s", self.compaction_retention_s, 0, 10 * 365 * 86_400)
        self._check("compaction_revisions_max", self.compaction_revisions_max, 0, 1 << 62)
        self._check("checkpoint_entries", self.checkpoint_entries, 1, 1 << 62)
        self._check("compaction_step", self.compaction_step, 1, 1 << 31)
        self._check("compaction_pause_s", self.compaction_pause_s, 0, 60)
        self._check("slow_apply_s", self.slow_apply_s, 0, 3600)
        self._check("segment_bytes", self.segment_bytes, 4096, 1 << 34)
        self._check("quota_bytes", self.quota_bytes, 0, 1 << 46)
        self._check("learners_max", self.learners_max, 0, 1024)
        self._check("auth_token_ttl_s", self.auth_token_ttl_s, 1, 1 << 31)
        self._check("bcrypt_cost", self.bcrypt_cost, 4, 31)
        if not self.peer_urls:
            raise ConfigError("peer_urls must name at least one URL")

    def _check(self, setting: str, value: float, lowest: float, highest: float) -> None:
        if not lowest <= value <= highest:
            raise ConfigError(f"{setting} must be {lowest}..{highest}, got {value}")


@dataclass(frozen=True, slots=True)
class Url:
    """Where to listen, or what to tell others. `host` is empty and `path` set for unix and unixs."""

    scheme: str
    host: str
    port: int
    path: str = ""

    @property
    def is_secure(self) -> bool:
        return self.scheme in ("https", "unixs")

    @property
    def is_unix(self) -> bool:
        return self.scheme.startswith("unix")

    def __str__(self) -> str:
        if self.is_unix:
            return f"{self.scheme}://{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def parse_url(text: str) -> Url:
    """`http://host:port`, `https://…`, `unix://path`, `unixs://path`; raises ConfigError that says what is missing."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise ConfigError(f"{text!r} is no URL ({error}); expected one such as http://127.0.0.1:2379") from error
    if parts.scheme not in URL_SCHEMES:
        raise ConfigError(f"URL scheme must be one of {', '.join(URL_SCHEMES)}, as in http://127.0.0.1:2379: {text!r}")
    if parts.scheme.startswith("unix"):
        path = parts.netloc + parts.path
        if not path:
            raise ConfigError(f"a {parts.scheme} URL names a socket's path, as in unix:///run/etcd.sock: {text!r}")
        return Url(parts.scheme, "", 0, path)
    if port is None:
        raise ConfigError(f"URL must have a host and a port, as in http://127.0.0.1:2379: {text!r}")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ConfigError(f"URL must not have a path, a query or a fragment: {text!r}")
    return Url(parts.scheme, host, port)


@dataclass(frozen=True, slots=True)
class TlsConfig:
    """What secures one port. Files are read again when they have changed, so rotation needs no restart."""

    cert_file: str = ""
    key_file: str = ""
    trusted_ca_file: str = ""
    client_cert_auth: bool = False
    crl_file: str = ""
    allowed_cns: tuple[str, ...] = ()
    allowed_hostnames: tuple[str, ...] = ()
    auto_tls: bool = False
    """Self-signed certificates of our own making, if no files are given."""
    validity_years: int = 1
    cipher_suites: tuple[str, ...] = ()
    min_version: str = "TLS1.2"
    max_version: str = ""

    def __post_init__(self) -> None:
        for flag, version in (("tls-min-version", self.min_version), ("tls-max-version", self.max_version)):
            if version and version not in TLS_VERSIONS:
                raise ConfigError(f"--{flag}: unexpected TLS version {version!r} (must be one of: TLS1.2, TLS1.3)")
        if self.max_version and self.min_version > self.max_version:
            raise ConfigError(f"min version ({self.min_version}) is greater than max version ({self.max_version})")
        if self.cipher_suites and self.min_version == "TLS1.3":
            raise ConfigError(
                "cipher suites cannot be configured when only TLS1.3 is enabled; leave --cipher-suites out"
            )
        for suite in self.cipher_suites:
            if suite not in CIPHER_SUITES:
                raise ConfigError(
                    f"--cipher-suites: unexpected TLS cipher suite {suite!r}; known are {', '.join(CIPHER_SUITES)}"
                )
        if bool(self.cert_file) != bool(self.key_file):
            raise ConfigError(f"certificate ({self.cert_file!r}) and key ({self.key_file!r}) must both be given")
        if self.allowed_cns and self.allowed_hostnames:
            raise ConfigError("allowed common names and allowed host names exclude each other; give one of them")

    @property
    def is_set(self) -> bool:
        return self.auto_tls or bool(self.cert_file or self.key_file)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveryConfig:
    """The etcd cluster through which a new cluster is put together; without endpoints there is none."""
    token: str = ""
    endpoints: tuple[str, ...] = ()
    dial_timeout_s: float = 2.0
    request_timeout_s: float = 5.0
    keepalive_time_s: float = 2.0
    keepalive_timeout_s: float = 6.0
    insecure_transport: bool = True
    insecure_skip_tls_verify: bool = False
    cert: str = ""
    key: str = ""
    cacert: str = ""
    user: str = ""
    password: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if bool(self.token) != bool(self.endpoints):
            raise ConfigError("both --discovery-token and --discovery-endpoints must be set")
        if not all(endpoint.strip() for endpoint in self.endpoints):
            raise ConfigError("--discovery-endpoints must not contain empty endpoints")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig:
    """One etcd server. Settings are named as etcd's flags, with the unit behind. Raises ConfigError.

    The defaults are those of etcd, but that only the client port is listened on. An empty `data_dir` is `<name>.etcd`.
    """

    name: str = "default"
    data_dir: str = ""
    listen_client_urls: tuple[str, ...] = CLIENT_URLS_DEFAULT
    """None at all: only this process reaches the server."""
    listen_client_http_urls: tuple[str, ...] = ()
    listen_peer_urls: tuple[str, ...] = ()
    """None: there are no peers to listen for. etcd's flag has a default."""
    listen_metrics_urls: tuple[str, ...] = ()
    advertise_client_urls: tuple[str, ...] = ()
    """None: those that are listened on."""
    initial_advertise_peer_urls: tuple[str, ...] = PEER_URLS_DEFAULT
    initial_cluster: str = ""
    """`name=url,...`; empty is this member alone."""
    initial_cluster_state: str = "new"
    initial_cluster_token: str = "etcd-cluster"
    discovery: DiscoveryConfig = field(default_factory=DiscoveryConfig)
    strict_reconfig_check: bool = True
    max_learners: int = 1
    heartbeat_interval_ms: int = 100
    election_timeout_ms: int = 1000
    snapshot_count: int = 10_000
    quota_backend_bytes: int = 0
    """0 is 2 GiB; negative is no quota."""
    backend_batch_interval_s: float = 0.1
    backend_batch_limit: int = 10_000
    max_txn_ops: int = 128
    max_request_bytes: int = 1_572_864
    max_concurrent_streams: int = (1 << 32) - 1
    grpc_keepalive_min_time_s: float = 5.0
    grpc_keepalive_interval_s: float = 7200.0
    grpc_keepalive_timeout_s: float = 20.0
    grpc_server: str = "own"
    """`own` is our HTTP/2 server, `grpcio` the library's."""
    socket_reuse_port: bool = False
    enable_grpc_gateway: bool = True
    auto_compaction_mode: str = "periodic"
    auto_compaction_retention: str = "0"
    compaction_batch_limit: int = 1000
    compaction_sleep_interval_s: float = 0.01
    watch_progress_notify_interval_s: float = WATCH_PROGRESS_INTERVAL_S
    """As etcd takes it: not above 0 is the default, below the least is the least (`progress_interval_s`)."""
    warning_apply_duration_s: float = 0.1
    warning_unary_request_duration_s: float = 0.3
    auth_token: str = "simple"
    auth_token_ttl: int = 300
    bcrypt_cost: int = 10
    client_tls: TlsConfig = field(default_factory=TlsConfig)
    peer_tls: TlsConfig = field(default_factory=TlsConfig)
    cors: tuple[str, ...] = ("*",)
    host_whitelist: tuple[str, ...] = ("*",)
    metrics: str = "basic"
    log_level: str = "info"
    log_format: str = "json"
    log_outputs: tuple[str, ...] = ("default",)
    enable_log_rotation: bool = False
    log_rotation_config_json: str = ""
    unsafe_no_fsync: bool = False
    feature_gates: tuple[str, ...] = ()
    """Those that are on."""

    def __post_init__(self) -> None:
        for setting in ("listen_client_urls", "listen_client_http_urls", "listen_peer_urls", "listen_metrics_urls"):
            for text in getattr(self, setting):
                _check_bind(setting, parse_url(text))
        for setting in ("advertise_client_urls", "initial_advertise_peer_urls"):
            for text in getattr(self, setting):
                if not parse_url(text).is_unix and not parse_url(text).host:
                    raise ConfigError(f"--{_flag(setting)} {text!r} must name a host that others can reach")
        heartbeat, election = self.heartbeat_interval_ms, self.election_timeout_ms
        if heartbeat <= 0:
            raise ConfigError(f"--heartbeat-interval must be >0 (set to {heartbeat}ms)")
        if election <= 0:
            raise ConfigError(f"--election-timeout must be >0 (set to {election}ms)")
        if 5 * heartbeat > election:
            raise ConfigError(
                f"--election-timeout[{election}ms] should be at least as 5 times as --heartbeat-interval[{heartbeat}ms]"
            )
        if election > ELECTION_TIMEOUT_MAX_MS:
            raise ConfigError(
                f"--election-timeout[{election}ms] is too long, and should be set less than {ELECTION_TIMEOUT_MAX_MS}ms"
            )
        _check_choice("auto-compaction-mode", self.auto_compaction_mode, ("periodic", "revision"))
        _check_choice("metrics", self.metrics, ("basic", "extensive"))
        _check_choice("log-level", self.log_level, LOG_LEVELS)
        _check_choice("log-format", self.log_format, ("json", "console"))
        _check_choice("grpc-server", self.grpc_server, ("own", "grpcio"))
        _check_choice("initial-cluster-state", self.initial_cluster_state, ("new", "existing"))
        for gate in self.feature_gates:
            _check_choice("feature-gates", gate, FEATURE_GATES)
        self.compaction()
        for bound, value, lowest, highest in (
            ("bcrypt-cost", self.bcrypt_cost, 4, 31),
            ("auth-token-ttl", self.auth_token_ttl, 1, 1 << 31),
            ("max-txn-ops", self.max_txn_ops, 1, 1 << 31),
            ("max-request-bytes", self.max_request_bytes, 1, 1 << 31),
            ("max-concurrent-streams", self.max_concurrent_streams, 1, (1 << 32) - 1),
            ("compaction-batch-limit", self.compaction_batch_limit, 1, 1 << 31),
        ):
            if not lowest <= value <= highest:
                raise ConfigError(f"--{bound} must be {lowest}..{highest}, got {value}")
        self.member()

    @property
    def data_path(self) -> Path:
        return Path(self.data_dir or f"{self.name}.etcd")

    @property
    def cluster_token(self) -> str:
        return self.discovery.token or self.initial_cluster_token

    @property
    def progress_interval_s(self) -> float:
        """Time between progress notifications."""
        wanted = self.watch_progress_notify_interval_s
        return max(wanted, WATCH_PROGRESS_INTERVAL_MIN_S) if wanted > 0 else WATCH_PROGRESS_INTERVAL_S

    @property
    def quota_bytes(self) -> int:
        """0 for none."""
        if self.quota_backend_bytes == 0:
            return QUOTA_DEFAULT_BYTES
        return max(self.quota_backend_bytes, 0)

    def compaction(self) -> tuple[int, int]:
        """(milliseconds of history, revisions of history) that auto-compaction keeps; 0 for no bound."""
        text = self.auto_compaction_retention.strip() or "0"
        if self.auto_compaction_mode == "revision":
            if not text.isdecimal():
                raise ConfigError(
                    f"--auto-compaction-retention {text!r} must be a number of revisions in mode revision"
                )
            return 0, int(text)
        if text.isdecimal():
            return int(text) * 3_600_000, 0
        return int(parse_duration(text) * 1000), 0

    def check_new_cluster(self) -> None:
        """What the initial settings of a data directory that is yet to be made must say. Raises ConfigError."""
        if self.initial_cluster_state == "existing":
            raise ConfigError(
                "--initial-cluster-state=existing is not supported: this server cannot join an existing cluster; "
                "start a new one (leave the flag out), or restore a snapshot with `etcdcore snapshot restore`"
            )
        urls: dict[str, list[str]] = {}
        for part in filter(None, self.initial_cluster.split(",")):
            name, _, url = part.strip().partition("=")
            parse_url(url)
            urls.setdefault(name, []).append(url)
        if not urls:
            return
        if self.name not in urls:
            raise ConfigError(
                f"couldn't find local name {self.name!r} in --initial-cluster {self.initial_cluster!r}; "
                f"it must have {self.name}={','.join(self.initial_advertise_peer_urls)}"
            )
        if len(urls) > 1:
            raise ConfigError(
                f"--initial-cluster {self.initial_cluster!r} names several members, which is not supported: "
                "this server is the only member of its cluster; name it alone"
            )
        if sorted(urls[self.name]) != sorted(self.initial_advertise_peer_urls):
            raise ConfigError(
                f"--initial-cluster has {','.join(urls[self.name])} for {self.name}, but --initial-advertise-peer-urls "
                f"is {','.join(self.initial_advertise_peer_urls)}; both must be the same"
            )

    def member(self) -> MemberConfig:
        """The part that the member is told."""
        retention_ms, revisions = self.compaction()
        return MemberConfig(
            self.data_path,
            name=self.name,
            tick_ms=self.heartbeat_interval_ms,
            election_ticks=self.election_timeout_ms // self.heartbeat_interval_ms,
            commit_interval_ms=max(int(self.backend_batch_interval_s * 1000), 1),
            commit_operations=self.backend_batch_limit,
            compaction_retention_s=-(-retention_ms // 1000),
            compaction_revisions_max=revisions,
            checkpoint_entries=self.snapshot_count,
            compaction_step=self.compaction_batch_limit,
            hash_compactions=True,
            compaction_pause_s=self.compaction_sleep_interval_s,
            slow_apply_s=self.warning_apply_duration_s,
            learners_max=self.max_learners,
            strict_reconfig_check=self.strict_reconfig_check,
            peer_urls=self.initial_advertise_peer_urls,
            client_urls=self.advertise_client_urls,
            cluster_token=self.cluster_token,
            quota_bytes=self.quota_bytes,
            auth_token=self.auth_token,
            auth_token_ttl_s=self.auth_token_ttl,
            bcrypt_cost=self.bcrypt_cost,
        )


_DURATION_UNITS: Final = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def parse_duration(text: str) -> float:
    """Seconds of a duration as Go writes it: `1h30m`, `500ms`, `-1.5s`, `0`. Raises ConfigError."""
    rest = text[1:] if text[:1] in ("-", "+") else text
    if rest == "0":
        return 0.0
    seconds = 0.0
    found = ""
    for number, unit in re.findall(r"(\d+\.?\d*|\.\d+)([a-zµμ]+)", rest):
        if unit not in _DURATION_UNITS:
            raise ConfigError(f"{text!r}: unknown unit {unit!r}; expected a duration such as 500ms, 10s or 1h30m")
        seconds += float(number) * _DURATION_UNITS[unit]
        found += number + unit
    if not rest or found != rest:
        raise ConfigError(f"{text!r} is no duration; expected one such as 500ms, 10s or 1h30m")
    return -seconds if text.startswith("-") else seconds


def _flag(setting: str) -> str:
    return setting.replace("_", "-")


def _check_choice(flag: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ConfigError(f"--{flag} must be one of {', '.join(choices)}, got {value!r}")


def _check_bind(setting: str, url: Url) -> None:
    """A socket is bound to an address: etcd takes no name but localhost there, as names may move."""
    if url.is_unix or url.host in ("", "localhost"):
        return
    try:
        ip_address(url.host)
    except ValueError as error:
        raise ConfigError(
            f"--{_flag(setting)}: expected an IP address or localhost to listen on, got {url.host!r} in {str(url)!r}"
        ) from error
