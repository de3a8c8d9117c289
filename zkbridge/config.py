"""The configuration: flags, environment and zoo.cfg become one valid, frozen `Config`, or an error that names the cure.

Precedence: flag, then environment (`ZKBRIDGE_<FLAG>`), then the file given with --config, then the default. With a
file, a key that is absent has ZooKeeper's default; without one the defaults are friendlier (FLAGS names both).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from zkbridge.addresses import client_address, etcd_address, every_interface, flag_address
from zkbridge.flags import FLAG_BY_KEY, FLAGS, LOG_LEVELS, Flag
from zkbridge.jute.frames import FRAME_BYTES_MAX_DEFAULT
from zkbridge.membership import Leader, Membership, MembershipError, ServerLine, leader_of, members_of, the_only_member
from zkbridge.protocol.connection import FOUR_LETTER_WORDS
from zkbridge.sessions.credentials import DIGEST_ALGORITHMS, AuthRules
from zkbridge.sessions.ids import SERVER_ID_MAX
from zkbridge.sessions.table import SESSION_TIMEOUT_MAX_TICKS, SESSION_TIMEOUT_MIN_TICKS
from zkbridge.sources import INT32_MAX, ConfigError, Sources
from zkbridge.zoo_cfg import ZooCfg
from zkbridge.zoo_cfg_files import read_my_id, read_text, read_zoo_cfg_file
from zkbridge.zoo_keys import ENSEMBLE_PROVIDER, PROMETHEUS_PROVIDER

__all__ = [
    "ALL_WORDS",
    "FLAGS",
    "AdminSettings",
    "Config",
    "ConfigError",
    "Flag",
    "MetricsSettings",
    "build_config",
    "load_config",
]

DIGEST: Final = "DigestAuthenticationProvider."
ALL_WORDS: Final = frozenset(word.decode() for word in FOUR_LETTER_WORDS)


@dataclass(frozen=True, slots=True)
class AdminSettings:
    """Where and how the AdminServer answers. Defaults are ZooKeeper's; an empty host is every interface."""

    host: str = ""
    port: int = 8080
    command_url: str = "/commands"
    idle_timeout_ms: int = 30_000


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
    client_keep_alive: bool = False
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
    enforced_schemes: frozenset[str] = frozenset()
    """A client needs an identity of one of these; empty: anybody may ask."""
    ensemble_names: frozenset[str] | None = None
    """What clients may call this ensemble in an auth packet; None: they can't, empty: as they like."""
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
    """What the file says that nobody understands; for the log."""
    notes: tuple[str, ...] = ()
    """Which keys of the file have no effect, and why, one line for each reason; for the log."""
    initial_text: str = ""
    """The configuration file as it was at the start, for the AdminServer; empty without one."""

    def auth_rules(self) -> AuthRules:
        """What authentication has to know."""
        return AuthRules(
            self.super_digest,
            self.digest_algorithm,
            self.digest_enabled,
            self.skip_acl,
            self.enforced_schemes,
            self.ensemble_names,
        )


def load_config(flags: Mapping[str, str | None]) -> Config:
    """Flags by `Flag.key` (environment included, switches as true or false), and the file that they name.

    Raises ConfigError.
    """
    path = flags.get("config")
    if path is None:
        return build_config(flags, None)
    zoo_cfg = read_zoo_cfg_file(path)
    config = build_config(flags, zoo_cfg, path, read_my_id(flags.get("data_dir"), zoo_cfg))
    return replace(config, initial_text=read_text(path))


def build_config(
    flags: Mapping[str, str | None], zoo_cfg: ZooCfg | None, path: str = "zoo.cfg", my_id: int | None = None
) -> Config:
    """`load_config` without the reading. Raises ConfigError with every cause at once."""
    unknown = flags.keys() - FLAG_BY_KEY.keys()
    assert not unknown, f"flags {sorted(unknown)}"
    sources = Sources(flags, zoo_cfg, path)
    data_dir = sources.text("data_dir", "dataDir", "")
    if not data_dir:
        sources.errors.append("no data directory; give --data-dir DIR (or dataDir in the file)")
    _check_quorum_auth(sources)
    member, leader = _member(sources, zoo_cfg, my_id)
    host, port = client_address(sources, member, my_id)
    tick = sources.number("tick_time", "tickTime", 2000, 3000, least=1)
    timeout_min = sources.number("min_session_timeout", "minSessionTimeout", -1, least=-1, is_raised=True)
    timeout_max = sources.number("max_session_timeout", "maxSessionTimeout", -1, least=-2, is_raised=True)
    # As in ZooKeeper, -1 is "by the tick". 0 would expire a session at once.
    timeout_min = SESSION_TIMEOUT_MIN_TICKS * tick if timeout_min <= 0 else timeout_min
    timeout_max = SESSION_TIMEOUT_MAX_TICKS * tick if timeout_max == -1 else timeout_max
    if timeout_min > timeout_max:
        sources.errors.append(
            f"least session timeout {timeout_min} ms is more than the greatest, {timeout_max} ms; "
            "change --min-session-timeout or --max-session-timeout (minSessionTimeout, maxSessionTimeout)"
        )
    own_id = 1 if leader is None else leader.line.server_id
    reaping = "znode.container."
    config = Config(
        data_dir=Path(data_dir).expanduser(),
        client_host=host,
        client_port=port,
        client_backlog=sources.number(None, "clientPortListenBacklog", -1, least=-1, is_raised=True),
        etcd_addr=etcd_address(sources),
        log_level=sources.choice("log_level", None, "info", LOG_LEVELS),
        prefix=_prefix(sources),
        server_id=sources.number("server_id", None, own_id, least=1, most=SERVER_ID_MAX),
        tick_time_ms=tick,
        min_session_timeout_ms=timeout_min,
        max_session_timeout_ms=timeout_max,
        max_client_cnxns=sources.number("max_client_cnxns", "maxClientCnxns", 0, 60, is_raised=True),
        max_cnxns=sources.number("max_cnxns", "maxCnxns", 0, is_raised=True),
        client_keep_alive=sources.boolean(None, "clientTcpKeepAlive", False),
        whitelist=_whitelist(sources),
        global_outstanding_limit=sources.number(
            "outstanding_limit", "globalOutstandingLimit", 1000, least=1, is_raised=True
        ),
        jute_maxbuffer=sources.number("jute_maxbuffer", "jute.maxbuffer", FRAME_BYTES_MAX_DEFAULT, least=1024),
        sessionless_timeout_ms=sources.number(None, "nio.sessionlessCnxnTimeout", 10_000, least=1, is_raised=True),
        extended_types=sources.boolean("extended_types", "extendedTypesEnabled", False),
        container_check_interval_ms=sources.number(
            "container_check_interval", reaping + "checkIntervalMs", 60_000, least=1
        ),
        container_max_per_minute=sources.number(None, reaping + "maxPerMinute", 10_000, least=1),
        container_max_never_used_ms=sources.number(None, reaping + "maxNeverUsedIntervalMs", 0),
        super_digest=_super_digest(sources),
        digest_enabled=sources.boolean(None, DIGEST + "enabled", True),
        digest_algorithm=sources.choice(None, DIGEST + "digestAlg", "SHA1", tuple(DIGEST_ALGORITHMS)),
        skip_acl=sources.boolean("skip_acl", "skipACL", False),
        enforced_schemes=_enforced_schemes(sources),
        ensemble_names=_ensemble_names(sources, zoo_cfg),
        reconfig_enabled=sources.boolean(None, "reconfigEnabled", False),
        enforce_quota=sources.boolean("enforce_quota", "enforceQuota", False),
        admin=_admin_settings(sources),
        metrics=_metrics_settings(sources),
        leader=leader,
        compaction_retention_s=sources.number("compaction_retention", None, 3600, least=1),
        wal_segment_bytes=sources.number("wal_segment_bytes", None, 64 << 20, least=1 << 20, most=1 << 30),
        warnings=() if zoo_cfg is None else tuple(f"{path}: {warning}" for warning in zoo_cfg.warnings),
        notes=() if zoo_cfg is None else tuple(f"{path}: {note}" for note in zoo_cfg.notes),
    )
    if not sources.boolean(None, "datadir.autocreate", True) and data_dir and not config.data_dir.is_dir():
        sources.errors.append(f"{path}: datadir.autocreate: false, and {config.data_dir} is not there; make it first")
    if not sources.boolean(None, "db.autocreate", True) and data_dir and not _has_data(config.data_dir):
        sources.errors.append(
            f"{path}: db.autocreate: false, and {config.data_dir} holds no data; if it is new and none was lost, "
            "put an empty file `initialize` there"
        )
    if sources.errors:
        raise ConfigError("\n".join(sources.errors))
    return config


def _has_data(data_dir: Path) -> bool:
    """Whether there is a store, or somebody's word that there needs to be none. ZooKeeper starts without either and
    lets no client in; it also removes the file, where we leave the directory to its owner."""
    return (data_dir / "member").exists() or (data_dir / "initialize").exists()


def _admin_settings(sources: Sources) -> AdminSettings | None:
    """The AdminServer, if somebody asks for it; ZooKeeper 3.9 opens it unasked, to everybody who reaches the port."""
    address = flag_address(sources, "admin_addr", 8080)
    # Only the word false turns it off, as in ZooKeeper.
    enabled = sources.text(None, "admin.enableServer", "")
    asking = ("admin.enableServer", "admin.serverPort", "admin.serverAddress")
    is_asked = any(sources.text(None, key, "") for key in asking)
    settings = AdminSettings(
        host=every_interface(sources.text(None, "admin.serverAddress", "")),
        port=sources.number(None, "admin.serverPort", 8080, most=65535),
        command_url=sources.text(None, "admin.commandURL", "/commands"),
        idle_timeout_ms=sources.number(None, "admin.idleTimeout", 30_000),
    )
    if address is not None:
        return replace(settings, host=address[0], port=address[1])
    return settings if is_asked and enabled != "false" else None


def _metrics_settings(sources: Sources) -> MetricsSettings | None:
    """The port of the Prometheus provider, if the file names that class. The default provider opens none."""
    address = flag_address(sources, "metrics_addr", 7000)
    provider = sources.text(None, "metricsProvider.className", "")
    settings = MetricsSettings(
        host=every_interface(sources.text(None, "metricsProvider.httpHost", "")),
        port=sources.number(None, "metricsProvider.httpPort", 7000, most=65535),
        export_jvm_info=sources.boolean(None, "metricsProvider.exportJvmInfo", True),
    )
    if address is not None:
        return replace(settings, host=address[0], port=address[1])
    return settings if provider == PROMETHEUS_PROVIDER else None


def _check_quorum_auth(sources: Sources) -> None:
    """What members prove to each other has no effect here; a contradiction ends the start all the same, as there."""
    prefix = "quorum.auth."
    is_enabled, is_server, is_learner = (
        sources.boolean(None, prefix + name, False)
        for name in ("enableSasl", "serverRequireSasl", "learnerRequireSasl")
    )
    if (is_server or is_learner) and not is_enabled:
        key = "serverRequireSasl" if is_server else "learnerRequireSasl"
        sources.errors.append(f"{sources.path}: {prefix}{key}: true needs {prefix}enableSasl=true")
    elif is_server and not is_learner:
        sources.errors.append(f"{sources.path}: {prefix}serverRequireSasl: true needs {prefix}learnerRequireSasl=true")


def _member(
    sources: Sources, zoo_cfg: ZooCfg | None, my_id: int | None
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


def _prefix(sources: Sources) -> str:
    prefix = sources.text("prefix", None, "/zk/")
    if not prefix.endswith("/"):
        sources.errors.append(f"--prefix {prefix!r}: expected a slash at its end, as in /zk/")
    return prefix


def _super_digest(sources: Sources) -> str:
    digest = sources.text("super_digest", "DigestAuthenticationProvider.superDigest", "")
    # The value stays out of the message: it is as good as a password to whoever can try guesses.
    if digest and not re.fullmatch(r"[^:]+:[A-Za-z0-9+/]+=*", digest):
        sources.errors.append("--super-digest (superDigest): expected USER:BASE64 of the hash of user:password")
    return digest


def _enforced_schemes(sources: Sources) -> frozenset[str]:
    """Source: ZooKeeper AuthenticationHelper, which ends the start over a scheme that it doesn't have."""
    if not sources.boolean(None, "enforce.auth.enabled", False):
        return frozenset()
    known = {"ip", "digest"} if sources.boolean(None, DIGEST + "enabled", True) else {"ip"}
    text = sources.text(None, "enforce.auth.schemes", "")
    schemes = frozenset(scheme.strip() for scheme in text.split(","))
    for scheme in sorted(schemes - known):
        sources.errors.append(
            f"{sources.path}: enforce.auth.schemes: {scheme!r} is not a scheme here; use {' or '.join(sorted(known))}"
        )
    return schemes


def _ensemble_names(sources: Sources, zoo_cfg: ZooCfg | None) -> frozenset[str] | None:
    """The names, if the file asks for the provider of the scheme `ensemble`."""
    if zoo_cfg is None or ENSEMBLE_PROVIDER not in zoo_cfg.settings.values():
        return None
    text = sources.text(None, "ensembleAuthName", "")
    return frozenset(name.strip() for name in text.split(",")) if text else frozenset()


def _whitelist(sources: Sources) -> frozenset[str]:
    """Words that the bridge doesn't know are as good as absent, as in ZooKeeper; `srvr` is always there, since its
    zkServer.sh and other people's health checks ask it. Source: ZooKeeper FourLetterCommands.isEnabled."""
    text = sources.text("four_letter_words", "4lw.commands.whitelist", "*", "srvr")
    words = {word.strip() for word in text.split(",")}
    if sources.boolean(None, "readonlymode.enabled", False):
        words.add("isro")
    return ALL_WORDS if "*" in words else ALL_WORDS & (words | {"srvr"})
