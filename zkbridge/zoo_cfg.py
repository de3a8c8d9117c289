"""zoo.cfg: the properties syntax, and what each of ZooKeeper's keys means to the bridge.

A key is one of: understood (kept as text, `config` parses it), harmless (it tunes what the bridge has no use for),
refused (it promises what the bridge doesn't do yet: better to stop than to run without TLS or without an ensemble), or
unknown (a warning). ZooKeeper turns keys that it doesn't know into system properties `zookeeper.<key>`, so both forms
of a key are taken here.

Source: java.util.Properties.load, ZooKeeper QuorumPeerConfig.parseProperties; reference section 8.
"""

import re
from dataclasses import dataclass, field
from typing import Final

UNDERSTOOD_KEYS: Final = frozenset(
    {
        "tickTime",
        "dataDir",
        "clientPort",
        "clientPortAddress",
        "clientPortListenBacklog",
        "minSessionTimeout",
        "maxSessionTimeout",
        "maxClientCnxns",
        "maxCnxns",
        "4lw.commands.whitelist",
        "globalOutstandingLimit",
        "jute.maxbuffer",
        "extendedTypesEnabled",
        "znode.container.checkIntervalMs",
        "znode.container.maxPerMinute",
        "znode.container.maxNeverUsedIntervalMs",
        "skipACL",
        "reconfigEnabled",
        "nio.sessionlessCnxnTimeout",
        "DigestAuthenticationProvider.superDigest",
        "DigestAuthenticationProvider.enabled",
        "DigestAuthenticationProvider.digestAlg",
        "enforceQuota",
        "standaloneEnabled",
        "initLimit",
        "syncLimit",
        "multiAddress.enabled",
        "dynamicConfigFile",
        "admin.enableServer",
        "admin.serverAddress",
        "admin.serverPort",
        "admin.commandURL",
        "admin.idleTimeout",
        "admin.rateLimiterIntervalInMS",
        "admin.snapshot.enabled",
        "admin.restore.enabled",
        "metricsProvider.className",
        "metricsProvider.httpHost",
        "metricsProvider.httpPort",
        "metricsProvider.exportJvmInfo",
        # Ours alone: where the store under the znodes is served as etcd.
        "etcdAddress",
    }
)

_HARMLESS_KEYS: Final = frozenset(
    {
        # Storage of ZooKeeper's own: the bridge's core has its own log and snapshots.
        "dataLogDir snapCount preAllocSize forceSync fsync.warningthresholdms commitLogCount snapSizeLimitInKb",
        "autopurge.snapRetainCount autopurge.purgeInterval snapshot.trust.empty snapshot.compression.method",
        "serializeLastProcessedZxid.enabled digest.enabled flushDelay maxWriteQueuePollTime maxBatchSize",
        "minSnapshotIntervalInSeconds txnLogSizeLimitInKb",
        # Java's ways with sockets and threads.
        "serverCnxnFactory nio.numSelectorThreads nio.numWorkerThreads nio.directBufferBytes nio.shutdownTimeout",
        "nio.workerShutdownTimeout clientTcpKeepAlive tcpKeepAlive maxResponseCacheSize",
        "maxGetChildrenResponseCacheSize",
        "request_throttler.shutdownTimeout jute.maxbuffer.extrasize watchManagerName watcherCleanThreadsNum",
        "watcherCleanThreshold watcherCleanIntervalInSeconds maxInProcessingDeadWatchers bitHashCacheSize",
        # Ensembles of one: without server.N these say nothing.
        "electionAlg peerType quorumListenOnAllIPs cnxTimeout leaderServes",
        "localSessionsEnabled localSessionsUpgradingEnabled connectToLearnerMasterLimit",
        "skipReconfigACL advancedLoggingEnabled",
        # Served elsewhere or not at all; nobody's data or safety hangs on them.
        "admin.portUnification fips-mode enforce.auth.schemes secureClientPortAddress",
    }
)
HARMLESS_KEYS: Final = frozenset(key for line in _HARMLESS_KEYS for key in line.split())

_WITHOUT_TLS: Final = "TLS on the client port is not supported yet; take the key out, or put a TLS proxy in front"
_WITHOUT_ENSEMBLE: Final = "an ensemble is not supported yet; take the key out to run one embedded member"
_WITHOUT_SASL: Final = "SASL is not supported yet; take the key out, and use digest authentication"

# A pattern of the whole key, and why it is refused.
_REFUSED: Final = (
    (re.compile(r"sslQuorum|portUnification|quorum\..*|ssl\.quorum\..*"), _WITHOUT_ENSEMBLE),
    (re.compile(r"secureClientPort|ssl\..*|client\.portUnification|client\.certReload"), _WITHOUT_TLS),
    (re.compile(r"X509AuthenticationProvider\..*"), _WITHOUT_TLS),
    (re.compile(r"admin\.forceHttps|admin\.needClientAuth"), "the admin server is not supported yet; take the key out"),
    (
        re.compile(r"kerberos\..*|SASLAuthenticationProvider\..*|superUser(\.\d+)?|allowSaslFailedClients"),
        _WITHOUT_SASL,
    ),
    (re.compile(r"ensembleAuthName"), "ensemble authentication is not supported yet; take the key out"),
)

# Safe as long as they say what the bridge does anyway.
_REFUSED_UNLESS: Final = {
    "readonlymode.enabled": ("false", "read-only mode is not supported yet; set it to false or take it out"),
    "sessionRequireClientSASLAuth": ("false", _WITHOUT_SASL),
    "enforce.auth.enabled": ("false", "enforced authentication is not supported yet; set it to false or take it out"),
}
_DIGEST_PROVIDER: Final = "org.apache.zookeeper.server.auth.DigestAuthenticationProvider"
_IP_PROVIDER: Final = "org.apache.zookeeper.server.auth.IPAuthenticationProvider"
_AUTH_PROVIDER: Final = re.compile(r"authProvider(\.\w+)?")


@dataclass(frozen=True, slots=True)
class ZooCfg:
    """A configuration file, sorted. `settings`: understood keys (without `zookeeper.`) and their text.

    `refusals` and `warnings`: whole sentences that name the key.
    """

    settings: dict[str, str]
    refusals: tuple[str, ...]
    warnings: tuple[str, ...]
    members: dict[str, str] = field(default_factory=dict)
    """Lines about members, as they stand: `server.N`, `group.N`, `weight.N`, `version`."""


def read_zoo_cfg(text: str) -> ZooCfg:
    """Sort every key of a configuration file."""
    settings: dict[str, str] = {}
    members: dict[str, str] = {}
    refusals: list[str] = []
    warnings: list[str] = []
    for written_key, value in parse_properties(text).items():
        key = written_key.removeprefix("zookeeper.")
        if is_about_members(key):
            members[key] = value
            continue
        refusal = _refusal_of(key, value.strip())
        if refusal is not None:
            refusals.append(f"{written_key}: {refusal}")
        elif key in UNDERSTOOD_KEYS:
            settings[key] = value.strip()
        elif key not in HARMLESS_KEYS and key not in _REFUSED_UNLESS and not _AUTH_PROVIDER.fullmatch(key):
            warnings.append(f"{written_key}: the bridge doesn't know this key and ignores it")
    return ZooCfg(settings, tuple(refusals), tuple(warnings), members)


def is_about_members(key: str) -> bool:
    """Whether the key may stand in a dynamic configuration file."""
    return key.startswith(("server.", "group", "weight")) or key == "version"


def _refusal_of(key: str, value: str) -> str | None:
    if key in _REFUSED_UNLESS:
        allowed, reason = _REFUSED_UNLESS[key]
        return None if value.lower() == allowed else reason
    if _AUTH_PROVIDER.fullmatch(key):
        if value in (_DIGEST_PROVIDER, _IP_PROVIDER):
            return None
        return f"the authentication provider {value} is not supported; digest and ip are built in, take the key out"
    for pattern, reason in _REFUSED:
        if pattern.fullmatch(key):
            return reason
    return None


# The syntax of java.util.Properties.

_ESCAPES: Final = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}
_BLANKS: Final = " \t\f"


def parse_properties(text: str) -> dict[str, str]:
    """Keys and values; the last one of a repeated key counts. Raises ValueError on a broken unicode escape."""
    properties: dict[str, str] = {}
    for line in _logical_lines(text):
        end = _end_of_key(line)
        rest = line[end:].lstrip(_BLANKS)
        if rest and rest[0] in "=:":
            rest = rest[1:].lstrip(_BLANKS)
        properties[_unescape(line[:end])] = _unescape(rest)
    return properties


def _logical_lines(text: str) -> list[str]:
    """Lines without comments and blank ones; one that ends in an odd number of backslashes goes on in the next."""
    lines: list[str] = []
    begun: str | None = None
    for raw in re.split(r"\r\n|\r|\n", text):
        line = raw.lstrip(_BLANKS)
        if begun is None:
            if not line or line[0] in "#!":
                continue
            begun = ""
        trailing = len(line) - len(line.rstrip("\\"))
        if trailing % 2:
            begun += line[:-1]
        else:
            lines.append(begun + line)
            begun = None
    if begun is not None:
        lines.append(begun)
    return lines


def _end_of_key(line: str) -> int:
    position = 0
    while position < len(line):
        if line[position] == "\\":
            position += 2
            continue
        if line[position] in "=:" or line[position] in _BLANKS:
            return position
        position += 1
    return len(line)


def _unescape(text: str) -> str:
    if "\\" not in text:
        return text
    parts: list[str] = []
    position = 0
    while position < len(text):
        letter = text[position]
        position += 1
        if letter != "\\" or position == len(text):
            parts.append("" if letter == "\\" else letter)
            continue
        escaped = text[position]
        position += 1
        if escaped != "u":
            parts.append(_ESCAPES.get(escaped, escaped))
            continue
        digits = text[position : position + 4]
        if not re.fullmatch(r"[0-9a-fA-F]{4}", digits):
            raise ValueError(f"broken escape \\u{digits}, expected four hexadecimal digits")
        parts.append(chr(int(digits, 16)))
        position += 4
    return "".join(parts)
