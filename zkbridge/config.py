"""The configuration: flags, environment and zoo.cfg become one valid, frozen `Config`, or an error that names the cure.

Precedence: flag, then environment (`ZKBRIDGE_<FLAG>`), then the file given with --config, then the default. With a
file, a key that is absent has ZooKeeper's default; without one the defaults are friendlier (FLAGS names both).
"""

import contextlib
import re
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, TypeVar

from zkbridge.jute.frames import FRAME_BYTES_MAX_DEFAULT
from zkbridge.membership import Leader, Membership, MembershipError, ServerLine, leader_of, members_of, the_only_member
from zkbridge.protocol.connection import FOUR_LETTER_WORDS
from zkbridge.sessions.credentials import DIGEST_ALGORITHMS, AuthRules
from zkbridge.sessions.ids import SERVER_ID_MAX
from zkbridge.sessions.table import SESSION_TIMEOUT_MAX_TICKS, SESSION_TIMEOUT_MIN_TICKS
from zkbridge.zoo_cfg import ZooCfg, is_about_members, parse_properties, read_zoo_cfg

ENVIRONMENT_PREFIX: Final = "ZKBRIDGE_"
LOG_LEVELS: Final = ("debug", "info", "warning", "error")
INT32_MAX: Final = 2**31 - 1
ALL_WORDS: Final = frozenset(word.decode() for word in FOUR_LETTER_WORDS)


class ConfigError(Exception):
    """What is wrong with the configuration: one line for each cause, with its cure."""


@dataclass(frozen=True, slots=True)
class Flag:
    """One setting of the command line. `name` without dashes in front; the variable is ZKBRIDGE_<NAME>."""

    name: str
    metavar: str
    help: str
    is_switch: bool = False

    @property
    def key(self) -> str:
        """The name as Python and the environment want it."""
        return self.name.replace("-", "_")

    @property
    def variable(self) -> str:
        """The environment variable."""
        return ENVIRONMENT_PREFIX + self.key.upper()


FLAGS: Final = (
    Flag("data-dir", "DIR", "Where everything is kept; created if missing. [zoo.cfg: dataDir]"),
    Flag("client-addr", "HOST:PORT", "Where clients connect. [clientPort, clientPortAddress; 127.0.0.1:2181 without]"),
    Flag("etcd-addr", "HOST:PORT", "Serve the store under the znodes as etcd's API there. [etcdAddress; nowhere]"),
    Flag("config", "FILE", "A zoo.cfg; ZooKeeper's keys keep their meaning."),
    Flag("log-level", "LEVEL", f"One of {', '.join(LOG_LEVELS)}. [info]"),
    Flag("prefix", "PREFIX", "Prefix of the tree's keys in the store. [/zk/]"),
    Flag("server-id", "N", f"Top byte of the session ids given out here, 1 to {SERVER_ID_MAX}. [1]"),
    Flag("tick-time", "MS", "The base unit of time. [tickTime; 2000 without a file, 3000 with one that has none]"),
    Flag("min-session-timeout", "MS", "Least session timeout. [minSessionTimeout; 2 ticks]"),
    Flag("max-session-timeout", "MS", "Greatest session timeout. [maxSessionTimeout; 20 ticks]"),
    Flag("max-client-cnxns", "N", "Connections from one address, 0 for no limit. [maxClientCnxns; 0, with a file 60]"),
    Flag("max-cnxns", "N", "Connections in all, 0 for no limit. [maxCnxns; 0]"),
    Flag("four-letter-words", "LIST", "Allowed words or *. [4lw.commands.whitelist; *, with a file srvr]"),
    Flag("outstanding-limit", "N", "Requests in process before sockets wait. [globalOutstandingLimit; 1000]"),
    Flag("jute-maxbuffer", "BYTES", "Greatest request frame. [jute.maxbuffer; 0xfffff]"),
    Flag("extended-types", "", "Allow TTL nodes. [extendedTypesEnabled; no]", is_switch=True),
    Flag("container-check-interval", "MS", "How often containers and TTL nodes are reaped. [znode.container.…; 60000]"),
    Flag("super-digest", "USER:HASH", "Digest of the super user. [DigestAuthenticationProvider.superDigest]"),
    Flag("skip-acl", "", "Check no ACL. [skipACL; no]", is_switch=True),
    Flag("enforce-quota", "", "Refuse writes above a hard quota. [enforceQuota; no]", is_switch=True),
    Flag("admin-addr", "HOST:PORT", "Serve ZooKeeper's admin commands over HTTP. [admin.serverPort, …; nowhere]"),
    Flag("metrics-addr", "HOST:PORT", "Serve Prometheus metrics there. [metricsProvider.httpPort, …; nowhere]"),
    Flag("compaction-retention", "SECONDS", "How long the store's history is kept. [3600]"),
    Flag("wal-segment-bytes", "BYTES", "Size of a log file; the disk needs room for three. [67108864]"),
)
_FLAG_BY_KEY: Final = {flag.key: flag for flag in FLAGS}


@dataclass(frozen=True, slots=True)
class AdminSettings:
    """Where and how the AdminServer answers. Defaults are ZooKeeper's; an empty host is every interface."""

    host: str = ""
    port: int = 8080
    command_url: str = "/commands"
    idle_timeout_ms: int = 30_000
    rate_limit_interval_ms: int = 300_000
    """Least time between two snapshots, or two restores, that the AdminServer is asked for."""
    snapshot_enabled: bool = True
    restore_enabled: bool = True


@dataclass(frozen=True, slots=True)
class MetricsSettings:
    """Where Prometheus finds /metrics. Defaults are ZooKeeper's; an empty host is every interface."""

    host: str = ""
    port: int = 7000
    export_jvm_info: bool = True
    """Whether the process's own metrics (ZooKeeper: the JVM's) stand beside the server's."""


@dataclass(frozen=True, slots=True)
class Config:
    """Everything the server is told. Valid by construction through `load_config`; times in the unit of the name."""

    data_dir: Path
    client_host: str = "127.0.0.1"
    """Empty for every interface."""
    client_port: int = 2181
    """0 is any free port."""
    client_backlog: int = -1
    """-1 is the system's."""
    etcd_addr: str = ""
    """`host:port` for etcd's clients; empty for none."""
    log_level: str = "info"
    prefix: str = "/zk/"
    server_id: int = 1
    tick_time_ms: int = 2000
    min_session_timeout_ms: int = 4000
    max_session_timeout_ms: int = 40000
    max_client_cnxns: int = 0
    max_cnxns: int = 0
    whitelist: frozenset[str] = ALL_WORDS
    global_outstanding_limit: int = 1000
    jute_maxbuffer: int = FRAME_BYTES_MAX_DEFAULT
    sessionless_timeout_ms: int = 10_000
    extended_types: bool = False
    container_check_interval_ms: int = 60_000
    container_max_per_minute: int = 10_000
    container_max_never_used_ms: int = 0
    super_digest: str = field(default="", repr=False)
    digest_enabled: bool = True
    digest_algorithm: str = "SHA1"
    skip_acl: bool = False
    reconfig_enabled: bool = False
    enforce_quota: bool = False
    """Whether a write above a hard quota is refused; without it every quota only writes a line to the log."""
    admin: AdminSettings | None = None
    """None: no AdminServer."""
    metrics: MetricsSettings | None = None
    """None: no metrics port."""
    leader: Leader | None = None
    """With standaloneEnabled=false and one server.N line: the server shows itself as a leader. None: standalone."""
    compaction_retention_s: int = 3600
    wal_segment_bytes: int = 64 << 20
    warnings: tuple[str, ...] = ()
    """What the file says that is ignored; for the log."""

    def auth_rules(self) -> AuthRules:
        """What authentication has to know."""
        return AuthRules(self.super_digest, self.digest_algorithm, self.digest_enabled, self.skip_acl)


def load_config(flags: Mapping[str, str | None]) -> Config:
    """Flags by `Flag.key` (environment included, switches as true or false), and the file that they name.

    Raises ConfigError.
    """
    path = flags.get("config")
    if path is None:
        return build_config(flags, None)
    zoo_cfg = read_zoo_cfg_file(path)
    return build_config(flags, zoo_cfg, path, _read_my_id(flags.get("data_dir"), zoo_cfg))


def read_zoo_cfg_file(path: str) -> ZooCfg:
    """The file, and the dynamic configuration file that it may name, which is read as ZooKeeper reads it, but never
    written: ZooKeeper moves lines from one into the other. Raises ConfigError."""
    zoo_cfg = _read_file(path, read_zoo_cfg)
    dynamic_path = zoo_cfg.settings.get("dynamicConfigFile", "")
    if not dynamic_path:
        return zoo_cfg
    dynamic = _read_file(dynamic_path, parse_properties)
    refusals = list(zoo_cfg.refusals)
    for key in zoo_cfg.members:
        if key != "version":
            refusals.append(f"{key}: belongs into {dynamic_path}, which dynamicConfigFile names")
    for key in dynamic:
        if key == "version":
            refusals.append(f"dynamicConfigFile: {dynamic_path} has a version inside; its name's ending is the version")
        elif not is_about_members(key):
            refusals.append(f"dynamicConfigFile: {dynamic_path} has {key}, which belongs into {path}")
    ending = dynamic_path.rpartition(".")[2]
    if "." in dynamic_path and re.fullmatch("[0-9a-fA-F]+", ending):
        dynamic["version"] = ending
    return replace(zoo_cfg, members=dynamic, refusals=tuple(refusals))


_Content = TypeVar("_Content")


def _read_file(path: str, read: Callable[[str], _Content]) -> _Content:
    try:
        return read(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: can't be read ({error.strerror}); give --config a readable file") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8") from error
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from error


def _read_my_id(data_dir: str | None, zoo_cfg: ZooCfg) -> int | None:
    """The file myid of the data directory, or of the one that the zoo.cfg names; None without it, as for ZooKeeper."""
    for directory in (data_dir, zoo_cfg.settings.get("dataDir")):
        if directory and (Path(directory).expanduser() / "myid").is_file():
            path = Path(directory).expanduser() / "myid"
            text = _read_file(str(path), lambda content: content.split("\n")[0].removesuffix("\r"))
            if re.fullmatch(r"[+-]?[0-9]+", text) is None:
                raise ConfigError(f"{path}: {text!r} is not a number; write the N of this server's server.N line")
            return int(text)
    return None


def build_config(
    flags: Mapping[str, str | None], zoo_cfg: ZooCfg | None, path: str = "zoo.cfg", my_id: int | None = None
) -> Config:
    """`load_config` without the reading. Raises ConfigError with every cause at once."""
    unknown = flags.keys() - _FLAG_BY_KEY.keys()
    assert not unknown, f"flags {sorted(unknown)}"
    sources = _Sources(flags, zoo_cfg, path)
    data_dir = sources.text("data_dir", "dataDir", "")
    if not data_dir:
        sources.errors.append("no data directory; give --data-dir DIR (or dataDir in the file)")
    member, leader = _member(sources, zoo_cfg, my_id)
    host, port = _client_address(sources, member, my_id)
    tick = sources.number("tick_time", "tickTime", 2000, 3000, least=1)
    timeout_min = sources.number("min_session_timeout", "minSessionTimeout", -1, least=-1)
    timeout_max = sources.number("max_session_timeout", "maxSessionTimeout", -1, least=-1)
    # As in ZooKeeper, -1 is "by the tick". 0 would expire a session at once.
    timeout_min = SESSION_TIMEOUT_MIN_TICKS * tick if timeout_min <= 0 else timeout_min
    timeout_max = SESSION_TIMEOUT_MAX_TICKS * tick if timeout_max <= 0 else timeout_max
    if timeout_min > timeout_max:
        sources.errors.append(
            f"least session timeout {timeout_min} ms is more than the greatest, {timeout_max} ms; "
            "change --min-session-timeout or --max-session-timeout (minSessionTimeout, maxSessionTimeout)"
        )
    own_id = 1 if leader is None else leader.line.server_id
    reaping = "znode.container."
    digest = "DigestAuthenticationProvider."
    config = Config(
        data_dir=Path(data_dir).expanduser(),
        client_host=host,
        client_port=port,
        client_backlog=sources.number(None, "clientPortListenBacklog", -1, least=-1),
        etcd_addr=_etcd_address(sources),
        log_level=sources.choice("log_level", None, "info", LOG_LEVELS),
        prefix=_prefix(sources),
        server_id=sources.number("server_id", None, own_id, least=1, most=SERVER_ID_MAX),
        tick_time_ms=tick,
        min_session_timeout_ms=timeout_min,
        max_session_timeout_ms=timeout_max,
        max_client_cnxns=sources.number("max_client_cnxns", "maxClientCnxns", 0, 60),
        max_cnxns=sources.number("max_cnxns", "maxCnxns", 0),
        whitelist=_whitelist(sources.text("four_letter_words", "4lw.commands.whitelist", "*", "srvr")),
        global_outstanding_limit=sources.number("outstanding_limit", "globalOutstandingLimit", 1000, least=1),
        jute_maxbuffer=sources.number("jute_maxbuffer", "jute.maxbuffer", FRAME_BYTES_MAX_DEFAULT, least=1024),
        sessionless_timeout_ms=sources.number(None, "nio.sessionlessCnxnTimeout", 10_000, least=1),
        extended_types=sources.boolean("extended_types", "extendedTypesEnabled", False),
        container_check_interval_ms=sources.number(
            "container_check_interval", reaping + "checkIntervalMs", 60_000, least=1
        ),
        container_max_per_minute=sources.number(None, reaping + "maxPerMinute", 10_000, least=1),
        container_max_never_used_ms=sources.number(None, reaping + "maxNeverUsedIntervalMs", 0),
        super_digest=_super_digest(sources),
        digest_enabled=sources.boolean(None, digest + "enabled", True),
        digest_algorithm=sources.choice(None, digest + "digestAlg", "SHA1", tuple(DIGEST_ALGORITHMS)),
        skip_acl=sources.boolean("skip_acl", "skipACL", False),
        reconfig_enabled=sources.boolean(None, "reconfigEnabled", False),
        enforce_quota=sources.boolean("enforce_quota", "enforceQuota", False),
        admin=_admin_settings(sources),
        metrics=_metrics_settings(sources),
        leader=leader,
        compaction_retention_s=sources.number("compaction_retention", None, 3600, least=1),
        wal_segment_bytes=sources.number("wal_segment_bytes", None, 64 << 20, least=1 << 20, most=1 << 30),
        warnings=() if zoo_cfg is None else tuple(f"{path}: {warning}" for warning in zoo_cfg.warnings),
    )
    if sources.errors:
        raise ConfigError("\n".join(sources.errors))
    return config


def _flag_address(sources: "_Sources", flag_key: str, example_port: int) -> tuple[str, int] | None:
    """Host and port of a flag `HOST:PORT`; None if nobody gave it."""
    address = sources.text(flag_key, None, "")
    if not address:
        return None
    match = re.fullmatch(r"(?:\[([^\]]+)\]|([^:\[\]]*)):(\d{1,5})", address)
    if match is None or int(match[3]) > 65535:
        sources.errors.append(
            f"--{_FLAG_BY_KEY[flag_key].name} {address}: expected HOST:PORT, "
            f"as in 127.0.0.1:{example_port} or [::1]:{example_port}"
        )
        return "", 0
    return match[1] or match[2], int(match[3])


def _every_interface(host: str) -> str:
    """ZooKeeper's defaults say 0.0.0.0, by which Java means IPv6 too."""
    return "" if host == "0.0.0.0" else host


def _admin_settings(sources: "_Sources") -> AdminSettings | None:
    """The AdminServer, if somebody asks for it; ZooKeeper 3.9 opens it unasked, to everybody who reaches the port."""
    address = _flag_address(sources, "admin_addr", 8080)
    # Only the word false turns it off, as in ZooKeeper.
    enabled = sources.text(None, "admin.enableServer", "")
    asking = ("admin.enableServer", "admin.serverPort", "admin.serverAddress")
    is_asked = any(sources.text(None, key, "") for key in asking)
    settings = AdminSettings(
        host=_every_interface(sources.text(None, "admin.serverAddress", "")),
        port=sources.number(None, "admin.serverPort", 8080, most=65535),
        command_url=sources.text(None, "admin.commandURL", "/commands"),
        idle_timeout_ms=sources.number(None, "admin.idleTimeout", 30_000),
        rate_limit_interval_ms=sources.number(None, "admin.rateLimiterIntervalInMS", 300_000),
        snapshot_enabled=sources.boolean(None, "admin.snapshot.enabled", True),
        restore_enabled=sources.boolean(None, "admin.restore.enabled", True),
    )
    if address is not None:
        return replace(settings, host=address[0], port=address[1])
    return settings if is_asked and enabled != "false" else None


PROMETHEUS_PROVIDER: Final = "org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider"
PLAIN_PROVIDERS: Final = (
    "org.apache.zookeeper.metrics.impl.DefaultMetricsProvider",
    "org.apache.zookeeper.metrics.impl.NullMetricsProvider",
)


def _metrics_settings(sources: "_Sources") -> MetricsSettings | None:
    """The port of the Prometheus provider, if the file names that class. The default provider opens none."""
    address = _flag_address(sources, "metrics_addr", 7000)
    provider = sources.text(None, "metricsProvider.className", PLAIN_PROVIDERS[0])
    if provider not in (PROMETHEUS_PROVIDER, *PLAIN_PROVIDERS):
        sources.errors.append(
            f"{sources.path}: metricsProvider.className: {provider!r} is not known here; "
            f"use {PROMETHEUS_PROVIDER} or {PLAIN_PROVIDERS[0]}"
        )
    settings = MetricsSettings(
        host=_every_interface(sources.text(None, "metricsProvider.httpHost", "")),
        port=sources.number(None, "metricsProvider.httpPort", 7000, most=65535),
        export_jvm_info=sources.text(None, "metricsProvider.exportJvmInfo", "true").lower() == "true",
    )
    if address is not None:
        return replace(settings, host=address[0], port=address[1])
    return settings if provider == PROMETHEUS_PROVIDER else None


def _member(
    sources: "_Sources", zoo_cfg: ZooCfg | None, my_id: int | None
) -> tuple[ServerLine | None, Leader | None]:
    """The one server.N line, and what it makes of this server."""
    if zoo_cfg is None:
        return None, None
    is_standalone = sources.boolean(None, "standaloneEnabled", True)
    is_multi_address = sources.boolean(None, "multiAddress.enabled", False)
    limits = [sources.number(None, key, 0, least=-INT32_MAX) for key in ("initLimit", "syncLimit")]
    membership = Membership()
    try:
        membership = members_of(zoo_cfg.members, is_multi_address)
        member = the_only_member(membership, is_standalone)
        if member is None or is_standalone:
            return member, None
        return member, leader_of(membership, member, my_id, limits[0], limits[1])
    except MembershipError as error:
        sources.errors.append(f"{sources.path}: {error}")
        # The lines are told once; what they say of the client's address is of no use any more.
        return None, None


def _client_address(sources: "_Sources", member: ServerLine | None, my_id: int | None) -> tuple[str, int]:
    """By the flag, else clientPort, else the server.N line. ZooKeeper opens no client port at all if the file myid is
    missing and only the line has one; a server that nobody can reach is of no use, so the line counts here."""
    address = _flag_address(sources, "client_addr", 2181)
    if address is not None:
        return address
    if not sources.has_file:
        return "127.0.0.1", 2181
    host = sources.text(None, "clientPortAddress", "")
    port = sources.number(None, "clientPort", -1, least=0, most=65535)
    client = None if member is None or my_id not in (None, member.server_id) else member.client
    if port >= 0:
        if client is None or my_id is None:
            return host, port
        if port != client[1] or (host and not _is_same_host(host, client[0])):
            sources.errors.append(
                f"{sources.path}: clientPort: {host or '*'}:{port} is not the client address of the server.{my_id} "
                f"line, {client[0]}:{client[1]}; keep one of the two"
            )
        return _every_interface(client[0]), client[1]
    if host:
        sources.errors.append(f"{sources.path}: clientPortAddress: needs clientPort; add it")
    elif client is not None:
        return _every_interface(client[0]), client[1]
    elif member is not None and member.client is not None:
        sources.errors.append(
            f"{sources.path}: server.{member.server_id}: the file myid says {my_id}, so this line's client port is not "
            "this server's, and no client could connect; make the two agree, or add clientPort"
        )
    elif not sources.errors:
        sources.errors.append(f"{sources.path}: no clientPort, so no client could connect; add it or --client-addr")
    return "", 0


def _is_same_host(one: str, other: str) -> bool:
    """Whether two names or addresses mean one address, as Java compares them: after asking the resolver."""

    def address_of(host: str) -> str:
        with contextlib.suppress(OSError):
            return str(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0])
        return host

    return address_of(one) == address_of(other)


def _etcd_address(sources: "_Sources") -> str:
    address = sources.text("etcd_addr", "etcdAddress", "")
    match = re.fullmatch(r"(?:\[[^\]]+\]|[^:\[\]]*):(\d{1,5})", address)
    if address and (match is None or int(match[1]) > 65535):
        sources.errors.append(f"--etcd-addr {address}: expected HOST:PORT, as in 127.0.0.1:2379 or [::1]:2379")
    return address


def _prefix(sources: "_Sources") -> str:
    prefix = sources.text("prefix", None, "/zk/")
    if not prefix.endswith("/"):
        sources.errors.append(f"--prefix {prefix!r}: expected a slash at its end, as in /zk/")
    return prefix


def _super_digest(sources: "_Sources") -> str:
    digest = sources.text("super_digest", "DigestAuthenticationProvider.superDigest", "")
    # The value stays out of the message: it is as good as a password to whoever can try guesses.
    if digest and not re.fullmatch(r"[^:]+:[A-Za-z0-9+/]+=*", digest):
        sources.errors.append("--super-digest (superDigest): expected USER:BASE64 of the hash of user:password")
    return digest


def _whitelist(text: str) -> frozenset[str]:
    """Words that the bridge doesn't know are as good as absent, as in ZooKeeper; `srvr` is always there, since its
    zkServer.sh and other people's health checks ask it. Source: ZooKeeper FourLetterCommands.isEnabled."""
    words = {word.strip() for word in text.split(",")}
    return ALL_WORDS if "*" in words else ALL_WORDS & (words | {"srvr"})


class _Sources:
    """Where a setting may come from, in order of precedence. Gathers `errors` instead of stopping at the first."""

    def __init__(self, flags: Mapping[str, str | None], zoo_cfg: ZooCfg | None, path: str) -> None:
        self._flags: Final = flags
        self._settings: Final[Mapping[str, str]] = {} if zoo_cfg is None else zoo_cfg.settings
        self.has_file: Final = zoo_cfg is not None
        self.path: Final = path
        self.errors: Final[list[str]] = [f"{path}: {refusal}" for refusal in (zoo_cfg.refusals if zoo_cfg else ())]

    def _find(self, flag_key: str | None, zoo_key: str | None) -> tuple[str, str] | None:
        """(text, where it stands); None if nobody says anything."""
        if flag_key is not None:
            flag = _FLAG_BY_KEY[flag_key]
            text = self._flags.get(flag_key)
            if text is not None:
                return text.strip(), f"--{flag.name} (or {flag.variable})"
        if zoo_key is not None and zoo_key in self._settings:
            return self._settings[zoo_key], f"{self.path}: {zoo_key}"
        return None

    def text(self, flag_key: str | None, zoo_key: str | None, default: str, file_default: str | None = None) -> str:
        found = self._find(flag_key, zoo_key)
        if found is not None:
            return found[0]
        return file_default if self.has_file and file_default is not None else default

    def number(
        self,
        flag_key: str | None,
        zoo_key: str | None,
        default: int,
        file_default: int | None = None,
        *,
        least: int = 0,
        most: int = INT32_MAX,
    ) -> int:
        """Decimal, or hexadecimal with 0x in front as Java's Integer.getInteger has it."""
        found = self._find(flag_key, zoo_key)
        if found is None:
            return file_default if self.has_file and file_default is not None else default
        text, place = found
        is_number = re.fullmatch(r"-?(\d+|0[xX][0-9a-fA-F]+)", text) is not None
        number = int(text, 16 if "x" in text.lower() else 10) if is_number else least - 1
        if not least <= number <= most:
            self.errors.append(f"{place}: {text!r}, expected a whole number from {least} to {most}")
            return default
        return number

    def boolean(self, flag_key: str | None, zoo_key: str | None, default: bool) -> bool:
        found = self._find(flag_key, zoo_key)
        if found is None:
            return default
        text, place = found
        if text.lower() in ("true", "yes"):
            return True
        if text.lower() not in ("false", "no"):
            self.errors.append(f"{place}: {text!r}, expected true or false")
        return False

    def choice(self, flag_key: str | None, zoo_key: str | None, default: str, choices: tuple[str, ...]) -> str:
        found = self._find(flag_key, zoo_key)
        if found is None:
            return default
        text, place = found
        for choice in choices:
            if text.lower() == choice.lower():
                return choice
        self.errors.append(f"{place}: {text!r}, expected one of {', '.join(choices)}")
        return default
