"""The settings of the command line as one table; `zkbridge serve` and docs/settings.md are made of it."""

from dataclasses import dataclass
from typing import Final

from zkbridge.sessions.ids import SERVER_ID_MAX

ENVIRONMENT_PREFIX: Final = "ZKBRIDGE_"
LOG_LEVELS: Final = ("debug", "info", "warning", "error")


@dataclass(frozen=True, slots=True)
class Flag:
    """One setting. `name` without dashes in front; the variable is ZKBRIDGE_<NAME>.

    `zoo_keys`: the keys of a zoo.cfg that say the same. `default`: in words; `file_default`: what it is if
    there is a file without the key, where that differs.
    """

    name: str
    metavar: str
    meaning: str
    default: str
    zoo_keys: tuple[str, ...] = ()
    file_default: str = ""
    is_switch: bool = False

    @property
    def key(self) -> str:
        """The name as Python and the environment want it."""
        return self.name.replace("-", "_")

    @property
    def variable(self) -> str:
        """The environment variable."""
        return ENVIRONMENT_PREFIX + self.key.upper()

    @property
    def help(self) -> str:
        """The line of `--help`: what it is, and in brackets the file's key and the default."""
        default = self.default + (f", with a file {self.file_default}" if self.file_default else "")
        source = "; ".join(part for part in (", ".join(self.zoo_keys), default) if part)
        return f"{self.meaning} [{source}]" if source else self.meaning


FLAGS: Final = (
    Flag("data-dir", "DIR", "Where everything is kept; created if missing.", "~/.local/state/zkbridge", ("dataDir",)),
    Flag("client-addr", "HOST:PORT", "Where clients connect.", "127.0.0.1:2181", ("clientPort", "server.N"), "there"),
    Flag("etcd-addr", "HOST:PORT", "Serve the store under the znodes as etcd's API.", "nowhere", ("etcdAddress",)),
    Flag("config", "FILE", "A zoo.cfg; ZooKeeper's keys keep their meaning.", ""),
    Flag("log-level", "LEVEL", f"One of {', '.join(LOG_LEVELS)}.", "info"),
    Flag("prefix", "PREFIX", "Prefix of the tree's keys in the store.", "/zk/"),
    Flag("server-id", "N", f"Top byte of the session ids given out here, 1 to {SERVER_ID_MAX}.", "1"),
    Flag("tick-time", "MS", "The base unit of time.", "2000", ("tickTime",), "3000"),
    Flag("min-session-timeout", "MS", "Least session timeout.", "2 ticks", ("minSessionTimeout",)),
    Flag("max-session-timeout", "MS", "Greatest session timeout.", "20 ticks", ("maxSessionTimeout",)),
    Flag("max-client-cnxns", "N", "Connections from one address, 0 for no limit.", "0", ("maxClientCnxns",), "60"),
    Flag("max-cnxns", "N", "Connections in all, 0 for no limit.", "0", ("maxCnxns",)),
    Flag("four-letter-words", "LIST", "Allowed words or *; srvr always is.", "*", ("4lw.commands.whitelist",), "srvr"),
    Flag("outstanding-limit", "N", "Requests in process before sockets wait.", "1000", ("globalOutstandingLimit",)),
    Flag("jute-maxbuffer", "BYTES", "Greatest request frame.", "0xfffff", ("jute.maxbuffer",)),
    Flag("extended-types", "", "Allow TTL nodes.", "no", ("extendedTypesEnabled",), is_switch=True),
    Flag(
        "container-check-interval",
        "MS",
        "How often containers and TTL nodes are reaped.",
        "60000",
        ("znode.container.checkIntervalMs",),
    ),
    Flag("super-digest", "USER:HASH", "Digest of the super user.", "", ("DigestAuthenticationProvider.superDigest",)),
    Flag("skip-acl", "", "Check no ACL.", "no", ("skipACL",), is_switch=True),
    Flag("enforce-quota", "", "Refuse writes above a hard quota.", "no", ("enforceQuota",), is_switch=True),
    Flag("admin-addr", "HOST:PORT", "Serve ZooKeeper's admin commands over HTTP.", "nowhere", ("admin.serverPort",)),
    Flag(
        "metrics-addr", "HOST:PORT", "Serve Prometheus metrics there.", "nowhere", ("metricsProvider.httpPort",)
    ),
    Flag("compaction-retention", "SECONDS", "How long the store's history is kept.", "3600"),
    Flag("wal-segment-bytes", "BYTES", "Size of a log file; the disk needs room for three.", "67108864"),
)
FLAG_BY_KEY: Final = {flag.key: flag for flag in FLAGS}
