"""Every key of a zoo.cfg: what becomes of it here, and how its value is read.

This table is the only list: the start's lines, the refusals, `zkbridge config check` and docs/settings.md are made from
it. A key works, or has no effect (a line at the start says why), or is refused: it promises what is not done here, and
a server that runs without TLS or without an audit log that somebody counts on is worse than none.

Sources: ZooKeeper 3.9's administrator's guide; QuorumPeerConfig.parseProperties, which turns each key that it does not
know into the system property `zookeeper.<key>`; the classes that read those properties.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

__all__ = ["ENSEMBLE_PROVIDER", "KEYS", "PROMETHEUS_PROVIDER", "Kind", "Outcome", "ZooKey", "find_key"]


class Outcome(Enum):
    """What becomes of a key."""

    WORKS = "works"
    NO_EFFECT = "no effect"
    REFUSED = "refused"


class Kind(Enum):
    """How ZooKeeper reads a value, and what it makes of one that it can't read."""

    TEXT = "text"
    INT = "whole number"
    """Integer.parseInt; anything else ends the start."""
    LONG = "whole number, 64 bit"
    PROPERTY_INT = "whole number or the default"
    """Integer.getInteger, which takes 0x and a leading 0 for octal; the default for anything else."""
    BOOL = "true or false"
    """Anything else ends the start."""
    TRUE = "true, or else false"
    """Boolean.parseBoolean."""
    YES = "yes, or else no"
    """Exactly this word."""
    CHOICE = "one of a list"
    WORD = "one of a list, in any case"


@dataclass(frozen=True, slots=True)
class ZooKey:
    """One key. A trailing `.N` or `.*` of the name stands for whatever follows.

    `text`: what it does, or why it has no effect, or why it is refused and the cure. `default`: in words, for a file
    without the key. `unless`: the values with which a refused key says what is done here anyway.
    """

    name: str
    outcome: Outcome
    text: str
    kind: Kind = Kind.TEXT
    default: str = ""
    choices: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    is_secret: bool = False


def _works(name: str, text: str, kind: Kind = Kind.TEXT, default: str = "", is_secret: bool = False) -> ZooKey:
    return ZooKey(name, Outcome.WORKS, text, kind, default, is_secret=is_secret)


def _without_effect(reason: str, *names: str, kind: Kind = Kind.TEXT) -> Iterator[ZooKey]:
    for line in names:
        for name in line.split():
            yield ZooKey(name, Outcome.NO_EFFECT, reason, kind)


def _refused(reason: str, *names: str, unless: tuple[str, ...] = (), is_secret: bool = False) -> Iterator[ZooKey]:
    for line in names:
        for name in line.split():
            yield ZooKey(name, Outcome.REFUSED, reason, unless=unless, is_secret=is_secret)


_STORE: Final = "the store under the znodes has its own log, checkpoints and compaction"
_NO_SNAPSHOTS: Final = "the AdminServer refuses snapshot and restore in any case, and names what to do instead"
_SYNCED: Final = "every write is on the disk before it is acknowledged, always"
_GROUPS: Final = "writes that arrive together are synced together, without a delay that could be tuned"
_ONE_MEMBER: Final = "one member has nobody to elect, follow or wait for"
_NO_JVM: Final = "there is no JVM and no pool of threads to tune"
_NO_CACHE: Final = "answers are made from memory as fast as a cache would give them"
_WATCHES: Final = "there is one table of watches, which needs no cleaner"
_BOUNDED: Final = "requests in process are bounded by globalOutstandingLimit, and a socket is not read beyond that"
_CONNECTIONS: Final = "connections are bounded by maxCnxns and maxClientCnxns only"
_NO_TRACE: Final = "there is no such trace; the log and the metrics say what is done"
_NO_PROPERTY: Final = "ZooKeeper reads this name from no file either; it is the guide's name of a system property"
_NO_SASL_USER: Final = "there is no SASL here that would read it"
_WITHOUT_TLS: Final = "TLS on the client port is not supported yet; take the key out, or put a TLS proxy in front"
_WITHOUT_HTTPS: Final = "TLS for the AdminServer and metrics is not supported yet; take the key out"
_WITHOUT_SASL: Final = "SASL is not supported yet; take the key out, and use digest authentication"
_WITHOUT_AUDIT: Final = "an audit log is not supported yet; set it to false or take it out"
_FACTORIES: Final = tuple(f"org.apache.zookeeper.server.{name}ServerCnxnFactory" for name in ("NIO", "Netty"))
_WATCH_MANAGERS: Final = tuple(f"org.apache.zookeeper.server.watch.WatchManager{name}" for name in ("", "Optimized"))
_AUTH: Final = "org.apache.zookeeper.server.auth."
ENSEMBLE_PROVIDER: Final = f"{_AUTH}EnsembleAuthenticationProvider"
_DIGEST: Final = "DigestAuthenticationProvider."
PROMETHEUS_PROVIDER: Final = "org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider"
METRICS_PROVIDERS: Final = (
    "org.apache.zookeeper.metrics.impl.DefaultMetricsProvider",
    "org.apache.zookeeper.metrics.impl.NullMetricsProvider",
    PROMETHEUS_PROVIDER,
)

_WORKING: Final = (
    _works("tickTime", "The base unit of time in milliseconds.", Kind.INT, "3000"),
    _works("dataDir", "Where everything is kept."),
    _works("clientPort", "The port for clients; 0 is any free one.", Kind.INT),
    _works("clientPortAddress", "The address for clients.", default="every interface"),
    _works("clientPortListenBacklog", "How many connections may wait to be accepted.", Kind.INT, "-1, the system's"),
    _works("minSessionTimeout", "Least session timeout in milliseconds.", Kind.INT, "2 ticks"),
    _works("maxSessionTimeout", "Greatest session timeout in milliseconds.", Kind.INT, "20 ticks"),
    _works("maxClientCnxns", "Connections from one address; 0 or less is no limit.", Kind.INT, "60"),
    _works("maxCnxns", "Connections in all; 0 or less is no limit.", Kind.PROPERTY_INT, "0"),
    _works("clientTcpKeepAlive", "TCP keep-alive on the clients' connections.", Kind.TRUE, "false"),
    _works("nio.sessionlessCnxnTimeout", "When a connection without a session is closed.", Kind.PROPERTY_INT, "10000"),
    _works("4lw.commands.whitelist", "Four-letter words that are answered, or `*`; `srvr` always is.", default="srvr"),
    _works("globalOutstandingLimit", "Requests in process before sockets wait.", Kind.PROPERTY_INT, "1000"),
    _works(
        "jute.maxbuffer",
        "Greatest request in bytes. ZooKeeper takes it as a system property only.",
        Kind.PROPERTY_INT,
        "1048575",
    ),
    _works("extendedTypesEnabled", "TTL nodes.", Kind.TRUE, "false"),
    _works(
        "znode.container.checkIntervalMs",
        "How often containers and TTL nodes are reaped. ZooKeeper takes it as a system property only.",
        Kind.PROPERTY_INT,
        "60000",
    ),
    _works("znode.container.maxPerMinute", "How many of them are reaped in a minute.", Kind.PROPERTY_INT, "10000"),
    _works(
        "znode.container.maxNeverUsedIntervalMs",
        "When a container that never had a child is reaped; 0 is never.",
        Kind.PROPERTY_INT,
        "0",
    ),
    _works("enforceQuota", "Writes above a hard quota are refused.", Kind.TRUE, "false"),
    _works("skipACL", "Only `yes` turns every check of ACLs off.", Kind.YES, "no"),
    _works(_DIGEST + "superDigest", "`user:hash` of the super user.", is_secret=True),
    _works(_DIGEST + "enabled", "Digest authentication.", Kind.TRUE, "true"),
    _works(_DIGEST + "digestAlg", "Its hash, by Java's name; digests in ACLs must be of it.", default="SHA1"),
    _works("enforce.auth.enabled", "Clients without one of enforce.auth.schemes are sent away.", Kind.TRUE, "false"),
    _works("enforce.auth.schemes", "Comma list of `digest` and `ip`."),
    _works(
        "ensembleAuthName",
        "Comma list of names: a client that calls the ensemble otherwise is sent to its next server. It needs "
        "authProvider.N with the EnsembleAuthenticationProvider.",
        default="any name",
    ),
    _works(
        "reconfigEnabled",
        "A standalone server refuses reconfig either way; this says with which error, as in ZooKeeper.",
        Kind.BOOL,
        "false",
    ),
    _works("server.N", "One line is this server; `;[address:]port` at its end is the clients' address."),
    _works("standaloneEnabled", "`false`: one member shows itself as a leader, not as standalone.", Kind.BOOL, "true"),
    _works("version", "The version in /zookeeper/config of a leader.", default="0"),
    _works("dynamicConfigFile", "Where the server.N line stands. The file is read; it is never rewritten."),
    _works("multiAddress.enabled", "Several addresses in a server.N line.", Kind.BOOL, "false"),
    _works("datadir.autocreate", "`false`: the data directory must be there already.", Kind.TRUE, "true"),
    _works(
        "db.autocreate",
        "`false`: a data directory that holds nothing ends the start, unless a file `initialize` is in it.",
        Kind.TRUE,
        "true",
    ),
    _works("readonlymode.enabled", "`isro` is answered; one member is never read-only.", Kind.TRUE, "false"),
    _works("admin.enableServer", "The AdminServer. ZooKeeper has it unasked.", default="only `false` turns it off"),
    _works("admin.serverAddress", "Its address; asks for it, too.", default="every interface"),
    _works("admin.serverPort", "Its port; asks for it, too.", Kind.PROPERTY_INT, "8080"),
    _works("admin.commandURL", "Where its commands lie.", default="/commands"),
    _works("admin.idleTimeout", "When its silent connections are closed.", Kind.PROPERTY_INT, "30000"),
    ZooKey(
        "metricsProvider.className",
        Outcome.WORKS,
        "The Prometheus provider opens a port for /metrics.",
        Kind.CHOICE,
        "the default one, which opens none",
        METRICS_PROVIDERS,
    ),
    _works("metricsProvider.httpHost", "The address of /metrics.", default="every interface"),
    _works("metricsProvider.httpPort", "The port of /metrics.", Kind.INT, "7000"),
    _works("metricsProvider.exportJvmInfo", "Metrics of the process beside the server's.", Kind.TRUE, "true"),
    # Ours alone.
    _works("etcdAddress", "`host:port` for etcd's clients. A key of zkbridge's own.", default="nowhere"),
)

_ONE_MEMBER_KEYS: Final = (
    *_without_effect(
        f"{_ONE_MEMBER}; standaloneEnabled=false asks for it and `conf` shows it then",
        "initLimit syncLimit",
        kind=Kind.INT,
    ),
    *_without_effect(
        _ONE_MEMBER,
        "observerMasterPort connectToLearnerMasterLimit quorum.cnxn.threads.size",
        "multiAddress.reachabilityCheckTimeoutMs",
        kind=Kind.INT,
    ),
    *_without_effect(
        _ONE_MEMBER,
        "quorumListenOnAllIPs syncEnabled multiAddress.reachabilityCheckEnabled sslQuorum portUnification",
        "sslQuorumReloadCertFiles quorum.auth.enableSasl quorum.auth.serverRequireSasl quorum.auth.learnerRequireSasl",
        kind=Kind.BOOL,
    ),
    ZooKey("electionAlg", Outcome.NO_EFFECT, _ONE_MEMBER, Kind.CHOICE, choices=("3",)),
    ZooKey("peerType", Outcome.NO_EFFECT, _ONE_MEMBER, Kind.WORD, choices=("participant", "observer")),
    *_without_effect(
        _ONE_MEMBER,
        "group.N weight.N oraclePath quorum.auth.learner.loginContext quorum.auth.server.loginContext",
        "quorum.auth.kerberos.servicePrincipal ssl.quorum.* leaderServes cnxTimeout quorumCnxnTimeoutMs tcpKeepAlive",
        "electionPortBindRetry fastleader.minNotificationInterval fastleader.maxNotificationInterval",
        "observer.reconnectDelayMs observer.election.DelayMs observer.syncEnabled observerMaster.sizeLimit",
        "leader.maxConcurrentSnapSyncs leader.maxConcurrentDiffSyncs leader.maxTimeToWaitForEpoch",
        "leader.closeSocketAsync leader.ackLoggingFrequency leader.nodelay learner.closeSocketAsync",
        "learner.asyncSending follower.nodelay follower.skipLearnerRequestToNextProcessor forceSnapshotSync",
        "forward_learner_requests_to_commit_processor_disabled leaderConnectDelayDuringRetryMs",
        "maxConcurrentSnapSyncs maxConcurrentDiffSyncs maxTimeToWaitForEpoch",
    ),
    *_without_effect(
        "every session is a global one, which survives a restart of the server",
        "localSessionsEnabled localSessionsUpgradingEnabled",
        kind=Kind.BOOL,
    ),
)

_STORAGE_KEYS: Final = (
    *_without_effect("the log lies in dataDir, beside everything else", "dataLogDir"),
    *_without_effect(_STORE, "autopurge.snapRetainCount autopurge.purgeInterval", kind=Kind.INT),
    *_without_effect(
        _STORE,
        "preAllocSize snapCount commitLogCount snapSizeLimitInKb txnLogSizeLimitInKb snapshotSizeFactor",
        "minSnapshotIntervalInSeconds snapshot.compression.method snapshot.trust.empty digest.enabled",
        "serializeLastProcessedZxid.enabled closeSessionTxn.enabled",
    ),
    *_without_effect("slow syncs are in the metrics, not in the log", "fsync.warningthresholdms"),
    *_without_effect(_SYNCED, "forceSync"),
    *_without_effect(_GROUPS, "flushDelay maxWriteQueuePollTime maxBatchSize"),
)

_PROCESS_KEYS: Final = (
    ZooKey("serverCnxnFactory", Outcome.NO_EFFECT, "there is one kind of listener", Kind.CHOICE, choices=_FACTORIES),
    ZooKey("watchManagerName", Outcome.NO_EFFECT, _WATCHES, Kind.CHOICE, choices=_WATCH_MANAGERS),
    *_without_effect(
        _WATCHES,
        "watcherCleanThreadsNum watcherCleanThreshold watcherCleanIntervalInSeconds maxInProcessingDeadWatchers",
        "bitHashCacheSize",
    ),
    *_without_effect(
        _NO_JVM,
        "nio.numSelectorThreads nio.numWorkerThreads nio.directBufferBytes nio.shutdownTimeout",
        "commitProcessor.numWorkerThreads commitProcessor.maxReadBatchSize commitProcessor.maxCommitBatchSize",
        "commitProcessor.shutdownTimeout netty.advancedFlowControl.enabled intBufferStartingSizeBytes",
        "jmx.log4j.disable jmx.log4j.mbean",
    ),
    *_without_effect("what is stored may be as long as a request", "jute.maxbuffer.extrasize"),
    *_without_effect("the AdminServer speaks HTTP/1.1", "admin.httpVersion"),
    *_without_effect(_NO_SNAPSHOTS, "admin.rateLimiterIntervalInMS", kind=Kind.INT),
    *_without_effect(_NO_SNAPSHOTS, "admin.snapshot.enabled admin.restore.enabled", kind=Kind.TRUE),
    *_without_effect(_NO_JVM, "jvm.pause.monitor", kind=Kind.BOOL),
    *_without_effect(
        _NO_JVM, "jvm.pause.info-threshold.ms jvm.pause.warn-threshold.ms jvm.pause.sleep.time.ms", kind=Kind.LONG
    ),
    *_without_effect(
        "metrics are made when they are asked for",
        "metricsProvider.numWorkerThreads metricsProvider.maxQueueSize metricsProvider.workerShutdownTimeoutMs",
    ),
    *_without_effect(_NO_CACHE, "maxResponseCacheSize maxGetChildrenResponseCacheSize"),
    *_without_effect(
        _BOUNDED,
        "request_throttle_max_requests request_throttle_stall_time request_throttle_drop_stale",
        "request_stale_latency_check request_stale_connection_check request_throttler.shutdownTimeout",
        "largeRequestMaxBytes largeRequestThreshold throttled_op_wait_time",
    ),
    *_without_effect(
        _CONNECTIONS,
        "connection_throttle_tokens connection_throttle_fill_time connection_throttle_fill_count",
        "connection_throttle_freeze_time connection_throttle_drop_increase connection_throttle_drop_decrease",
        "connection_throttle_decrease_ratio connection_throttle_weight_enabled",
        "connection_throttle_global_session_weight connection_throttle_local_session_weight",
        "connection_throttle_renew_session_weight netty.server.outstandingHandshake.limit",
        "netty.server.earlyDropSecureConnectionHandshakes",
    ),
    *_without_effect(
        _NO_PROPERTY,
        "connectionMaxTokens connectionTokenFillTime connectionTokenFillCount connectionFreezeTime",
        "connectionDropIncrease connectionDropDecrease connectionDecreaseRatio requestThrottleLimit",
        "requestThrottleStallTime requestThrottleDropStale requestStaleLatencyCheck requestStaleConnectionCheck",
        "throttledOpWaitTime advancedFlowControlEnabled outstandingHandshake.limit",
    ),
    *_without_effect(_NO_TRACE, "messageTracker.BufferSize messageTracker.Enabled pathStats.*"),
    *_without_effect("data of ZooKeeper 3.5.3 can't be read here", "emulate353TTLNodes"),
    *_without_effect("ACLs are checked when a request is decided", "enableEagerACLCheck"),
    *_without_effect("nobody is known by a proxy's header", "IPAuthenticationProvider.usexforwardedfor"),
    *_without_effect("nothing here is encrypted", "fips-mode"),
    *_without_effect("without an audit log nothing is loaded for it", "audit.impl.class"),
    *_without_effect(
        _NO_SASL_USER,
        "kerberos.* allowSaslFailedClients sasl.serverconfig security.auth_to_local requireKerberosConfig server.realm",
    ),
)

_REFUSED_KEYS: Final = (
    *_refused(_WITHOUT_TLS, "secureClientPort secureClientPortAddress ssl.*"),
    *_refused(_WITHOUT_TLS, "X509AuthenticationProvider.*"),
    *_refused(_WITHOUT_TLS, "client.portUnification client.certReload", unless=("false",)),
    *_refused(_WITHOUT_HTTPS, "admin.forceHttps admin.needClientAuth admin.portUnification", unless=("false",)),
    *_refused(_WITHOUT_HTTPS, "metricsProvider.httpsPort metricsProvider.ssl.*"),
    *_refused(_WITHOUT_SASL, "superUser superUser.N letAnySaslUserDoX"),
    *_refused(_WITHOUT_SASL, "SASLAuthenticationProvider.*", is_secret=True),
    *_refused(_WITHOUT_SASL, "sessionRequireClientSASLAuth", unless=("false",)),
    *_refused(_WITHOUT_AUDIT, "audit.enable", unless=("false",)),
    *_refused(
        "this authentication provider is not supported; digest, ip and ensemble are, take the key out",
        "authProvider authProvider.N",
        unless=(f"{_AUTH}DigestAuthenticationProvider", f"{_AUTH}IPAuthenticationProvider", ENSEMBLE_PROVIDER),
    ),
)

KEYS: Final = (*_WORKING, *_ONE_MEMBER_KEYS, *_STORAGE_KEYS, *_PROCESS_KEYS, *_REFUSED_KEYS)
_BY_NAME: Final = {key.name: key for key in KEYS}
_PATTERNS: Final = tuple(
    (re.compile(re.escape(key.name[:-1]) + r".+", re.DOTALL), key) for key in KEYS if key.name.endswith((".N", ".*"))
)


def find_key(name: str) -> ZooKey | None:
    """The key of this name, which has no `zookeeper.` in front; None for one that ZooKeeper does not know either."""
    found = _BY_NAME.get(name)
    if found is not None:
        return found
    for pattern, key in _PATTERNS:
        if pattern.fullmatch(name):
            return key
    # Groups and weights need no dot for ZooKeeper.
    for beginning in ("group", "weight"):
        if name.startswith(beginning):
            return _BY_NAME[beginning + ".N"]
    return None
