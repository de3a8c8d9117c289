"""Four-letter words: what each prints, given the facts.

The server implements `FourLetterFacts`; each word asks for no more than it prints, since a listing of all watches costs
what `ruok` must not. Formats are those of ZooKeeper 3.9.4, compared byte by byte with a running one.

Source: ZooKeeper command.FourLetterCommands and its commands; reference 6.1, 6.3.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from mypy_extensions import mypyc_attr

from zkbridge import __version__
from zkbridge.protocol.monitor import Metric, Value, gauge
from zkbridge.types import hex_of

ZOOKEEPER_VERSION: Final = "3.9.4"
"""The release whose behaviour clients may count on; they look for three numbers and a dash."""

FULL_VERSION: Final = f"{ZOOKEEPER_VERSION}-zkbridge-{__version__}, built on 2026-11-22 00:00 UTC"
"""Differs from ZooKeeper in the commit; the date is there because parsers expect one."""

TRACE_MASK: Final = 306
NOT_SERVING: Final = "This ZooKeeper instance is not currently serving requests"

LEADER: Final = "leader"
NO_PROPOSALS: Final = "Proposal sizes last/min/max: -1/-1/-1\n"
"""Of a leader without followers, to whom nothing is proposed."""

_MASK_BYTES: Final = 8
# These answer even while nothing is served.
_ALWAYS_ANSWERED: Final = frozenset({"ruok", "envi", "gtmk", "stmk", "isro"})


@dataclass(frozen=True, slots=True)
class ServerSummary:
    """The server in numbers. `znode_count` is the true one, root included once. Client response sizes are -1 before
    the first one; `metrics` are what mntr shows beside what this class says."""

    zxid: int
    mode: str
    znode_count: int
    connection_count: int
    outstanding_count: int
    received_count: int
    sent_count: int
    latency_min_ms: int = 0
    latency_average_ms: float = 0.0
    latency_max_ms: int = 0
    uptime_ms: int = 0
    watch_count: int = 0
    ephemeral_count: int = 0
    data_bytes: int = 0
    session_count: int = 0
    open_file_count: int = 0
    open_file_max: int = 0
    auth_failed_count: int = 0
    response_bytes_last: int = -1
    response_bytes_min: int = -1
    response_bytes_max: int = -1
    slow_sync_count: int = 0
    metrics: Sequence[Metric] = ()


@dataclass(frozen=True, slots=True)
class ConnectionFacts:
    """One connection. `address` is host:port; `session_id` 0 for none; `is_reading` is false for a throttled one.

    `expires_ms`, by the wall clock, is when it ends if its client stays silent.
    """

    address: str
    outstanding_count: int
    received_count: int
    sent_count: int
    session_id: int = 0
    timeout_ms: int = 0
    last_operation: str = "NA"
    established_ms: int = 0
    last_xid: int = -1
    last_zxid: int = -1
    last_response_ms: int = 0
    last_latency_ms: int = 0
    latency_min_ms: int = 0
    latency_average_ms: int = 0
    latency_max_ms: int = 0
    is_reading: bool = True
    expires_ms: int = 0


@dataclass(frozen=True, slots=True)
class ConfigurationFacts:
    """What `conf` prints."""

    client_port: int
    data_dir: str
    data_dir_bytes: int
    tick_time_ms: int
    max_client_cnxns: int
    min_session_timeout_ms: int
    max_session_timeout_ms: int
    client_port_backlog: int
    server_id: int
    peer: tuple[tuple[str, int], ...] = ()
    """What a member of an ensemble has beside these; empty in standalone mode."""
    membership: str = ""
    """The data of /zookeeper/config of such a member."""

    @property
    def shown_data_dir(self) -> str:
        """ZooKeeper keeps its files one folder deeper, and names that one."""
        return f"{self.data_dir}/version-2"


@mypyc_attr(allow_interpreted_subclasses=True)
class FourLetterFacts(ABC):
    """Where the words get their facts. Times of deadlines are wall clock milliseconds."""

    @abstractmethod
    def is_serving(self) -> bool: ...

    @abstractmethod
    def summary(self) -> ServerSummary: ...

    @abstractmethod
    def configuration(self) -> ConfigurationFacts: ...

    @abstractmethod
    def connections(self) -> Sequence[ConnectionFacts]: ...

    @abstractmethod
    def environment(self) -> Sequence[tuple[str, str]]:
        """What `envi` prints behind the version."""

    @abstractmethod
    def session_deadlines(self) -> Sequence[tuple[int, Sequence[int]]]:
        """(deadline, session ids), ascending."""

    @abstractmethod
    def ephemerals(self) -> Sequence[tuple[int, Sequence[str]]]:
        """(session id, paths)."""

    @abstractmethod
    def data_watch_summary(self) -> tuple[int, int, int]:
        """(connections, paths, watches) of the data table."""

    @abstractmethod
    def data_watches(self) -> Sequence[tuple[int, Sequence[str]]]:
        """(session id, paths) of the data table."""

    @abstractmethod
    def trace_mask(self) -> int: ...

    @abstractmethod
    def set_trace_mask(self, mask: int) -> None:
        """Kept for whoever asks for it: there is nothing here that it traces."""

    @abstractmethod
    def reset_connections(self) -> None:
        """`crst`."""

    @abstractmethod
    def reset_server(self) -> None:
        """`srst`."""


def answer_four_letter_word(word: str, mask: bytes, facts: FourLetterFacts, whitelist: frozenset[str]) -> bytes:
    """All that is sent before the connection is closed. `word` is a known one; `mask` is what follows `stmk`."""
    if word not in whitelist:
        return f"{word} is not executed because it is not in the whitelist.\n".encode()
    if word not in _ALWAYS_ANSWERED and not facts.is_serving():
        return f"{NOT_SERVING}\n".encode()
    return _text_of(word, mask, facts).encode()


def _text_of(word: str, mask: bytes, facts: FourLetterFacts) -> str:
    match word:
        case "ruok":
            return "imok"
        case "isro":
            return "rw" if facts.is_serving() else "null"
        case "srvr":
            return _version_line() + _summary_lines(facts.summary())
        case "stat":
            clients = "".join(f"{_connection_line(connection, True)}\n" for connection in facts.connections())
            return f"{_version_line()}Clients:\n{clients}\n{_summary_lines(facts.summary())}"
        case "cons":
            return "".join(f"{_connection_line(connection, False)}\n" for connection in facts.connections()) + "\n"
        case "conf":
            return _configuration_lines(facts.configuration())
        case "envi":
            lines = "".join(f"{key}={value}\n" for key, value in facts.environment())
            return f"Environment:\nzookeeper.version={FULL_VERSION}\n{lines}"
        case "dirs":
            size = facts.configuration().data_dir_bytes
            return f"datadir_size: {size}\nlogdir_size: {size}\n"
        case "dump":
            return _dump_lines(facts)
        case "wchs":
            connections, paths, watches = facts.data_watch_summary()
            return f"{connections} connections watching {paths} paths\nTotal watches:{watches}\n"
        case "wchc":
            return "".join(_indented(hex_of(sid), paths) for sid, paths in facts.data_watches()) + "\n"
        case "wchp":
            return _watches_by_path(facts.data_watches()) + "\n"
        case "mntr":
            return _monitor_lines(facts.summary())
        case "crst":
            facts.reset_connections()
            return "Connection stats reset.\n"
        case "srst":
            facts.reset_server()
            return "Server stats reset.\n"
        case "gtmk":
            return str(facts.trace_mask())
        case "stmk":
            facts.set_trace_mask(int.from_bytes(mask[:_MASK_BYTES], "big", signed=True))
            return str(facts.trace_mask())
        case "hash":
            # The digest of the whole tree each 128 transactions. Kept up to date it would cost two checksums of every
            # value written; made when asked, it would hold up a large tree. An empty list is what a young server shows.
            return ""
    raise AssertionError(f"four-letter word {word!r}")


def _version_line() -> str:
    return f"Zookeeper version: {FULL_VERSION}\n"


def _summary_lines(summary: ServerSummary) -> str:
    average = _java_double(summary.latency_average_ms)
    return (
        f"Latency min/avg/max: {summary.latency_min_ms}/{average}/{summary.latency_max_ms}\n"
        f"Received: {summary.received_count}\n"
        f"Sent: {summary.sent_count}\n"
        f"Connections: {summary.connection_count}\n"
        f"Outstanding: {summary.outstanding_count}\n"
        f"Zxid: {hex_of(summary.zxid)}\n"
        f"Mode: {summary.mode}\n"
        f"Node count: {shown_znode_count(summary)}\n"
        + (NO_PROPOSALS if summary.mode == LEADER else "")
    )


def shown_znode_count(summary: ServerSummary) -> int:
    """ZooKeeper has its root under two names, and counts both."""
    return summary.znode_count + 1


def _connection_line(connection: ConnectionFacts, is_brief: bool) -> str:
    interest = 1 if connection.is_reading else 0
    text = (
        f" /{connection.address}[{interest}](queued={connection.outstanding_count},"
        f"recved={connection.received_count},sent={connection.sent_count}"
    )
    if not is_brief and connection.session_id:
        cxid = f",lcxid={hex_of(connection.last_xid)}" if connection.last_xid >= 0 else ""
        text += (
            f",sid={hex_of(connection.session_id)},lop={connection.last_operation},est={connection.established_ms}"
            f",to={connection.timeout_ms}{cxid},lzxid={hex_of(connection.last_zxid)}"
            f",lresp={connection.last_response_ms},llat={connection.last_latency_ms}"
            f",minlat={connection.latency_min_ms},avglat={connection.latency_average_ms}"
            f",maxlat={connection.latency_max_ms}"
        )
    return text + ")"


def _configuration_lines(configuration: ConfigurationFacts) -> str:
    lines: list[tuple[str, int | str]] = [
        ("clientPort", configuration.client_port),
        ("secureClientPort", -1),
        ("dataDir", configuration.shown_data_dir),
        ("dataDirSize", configuration.data_dir_bytes),
        ("dataLogDir", configuration.shown_data_dir),
        ("dataLogSize", configuration.data_dir_bytes),
        ("tickTime", configuration.tick_time_ms),
        ("maxClientCnxns", configuration.max_client_cnxns),
        ("minSessionTimeout", configuration.min_session_timeout_ms),
        ("maxSessionTimeout", configuration.max_session_timeout_ms),
        ("clientPortListenBacklog", configuration.client_port_backlog),
        ("serverId", configuration.server_id),
        *configuration.peer,
    ]
    text = "".join(f"{key}={value}\n" for key, value in lines)
    # ZooKeeper ends the membership without a newline.
    return f"{text}membership: \n{configuration.membership}" if configuration.peer else text


def _dump_lines(facts: FourLetterFacts) -> str:
    deadlines = facts.session_deadlines()
    session_count = sum(len(session_ids) for _, session_ids in deadlines)
    parts = [f"SessionTracker dump:\nSession Sets ({len(deadlines)})/({session_count}):\n"]
    for deadline_ms, session_ids in deadlines:
        title = f"{len(session_ids)} expire at {_java_date(deadline_ms)}:"
        parts.append(_indented(title, [hex_of(session_id) for session_id in session_ids]))
    ephemerals = facts.ephemerals()
    parts.append(f"ephemeral nodes dump:\nSessions with Ephemerals ({len(ephemerals)}):\n")
    parts += [_indented(f"{hex_of(session_id)}:", paths) for session_id, paths in ephemerals]
    connections = facts.connections()
    by_end: dict[int, list[str]] = {}
    for connection in connections:
        line = f"ip: /{connection.address} sessionId: {hex_of(connection.session_id)}"
        by_end.setdefault(connection.expires_ms, []).append(line)
    parts.append(f"Connections dump:\nConnections Sets ({len(by_end)})/({len(connections)}):\n")
    for end_ms in sorted(by_end):
        parts.append(_indented(f"{len(by_end[end_ms])} expire at {_java_date(end_ms)}:", by_end[end_ms]))
    return "".join(parts)


def _watches_by_path(watches: Sequence[tuple[int, Sequence[str]]]) -> str:
    by_path: dict[str, list[str]] = {}
    for session_id, paths in watches:
        for path in paths:
            by_path.setdefault(path, []).append(hex_of(session_id))
    return "".join(_indented(path, session_ids) for path, session_ids in by_path.items())


def gauges_of(summary: ServerSummary) -> list[Metric]:
    """ZooKeeper's own, in its order; the rest of what is measured is in `summary.metrics`."""
    gauges: list[Metric] = [
        gauge("ephemerals_count", summary.ephemeral_count, "Ephemeral znodes."),
        gauge("num_alive_connections", summary.connection_count, "Open connections."),
        gauge("avg_latency", summary.latency_average_ms, "Milliseconds of a request in the mean, since srst."),
        gauge("outstanding_requests", summary.outstanding_count, "Requests not answered yet."),
        gauge("znode_count", shown_znode_count(summary), "Znodes, the root counted twice as ZooKeeper does."),
        gauge("global_sessions", summary.session_count, "Sessions."),
        gauge("local_sessions", 0, "Always 0: there are no local sessions."),
        gauge("non_mtls_remote_conn_count", 0, "Always 0: nothing is counted by how it came over TLS."),
        gauge("non_mtls_local_conn_count", 0, "Always 0: nothing is counted by how it came over TLS."),
        gauge("last_client_response_size", summary.response_bytes_last, "Bytes of the last reply or event."),
        gauge("max_client_response_size", summary.response_bytes_max, "Bytes of the longest, since srst."),
        gauge("min_client_response_size", summary.response_bytes_min, "Bytes of the shortest, since srst."),
        gauge("packets_sent", summary.sent_count, "Packets sent since srst."),
        gauge("packets_received", summary.received_count, "Packets received since srst."),
        gauge("connection_drop_probability", 0.0, "Always 0: no connection is dropped by chance."),
        gauge("watch_count", summary.watch_count, "Watches, of both of ZooKeeper's tables."),
        gauge("auth_failed_count", summary.auth_failed_count, "TLS clients refused by their certificate."),
        gauge("min_latency", summary.latency_min_ms, "Milliseconds of the fastest request, since srst."),
        gauge("max_latency", summary.latency_max_ms, "Milliseconds of the slowest request, since srst."),
        gauge("max_file_descriptor_count", summary.open_file_max, "The limit of open files."),
        gauge("open_file_descriptor_count", summary.open_file_count, "Open files."),
        gauge("approximate_data_size", summary.data_bytes, "Bytes of all paths and data."),
        gauge("uptime", summary.uptime_ms, "Milliseconds since the start."),
        gauge("outstanding_tls_handshake", 0, "Always 0: handshakes are not counted."),
    ]
    if summary.mode == LEADER:
        gauges.append(gauge("leader_uptime", summary.uptime_ms, "Milliseconds since it leads."))
        gauges.append(gauge("quorum_size", 1, "Always 1: it leads itself alone."))
        for name in ("learners", "followers", "non_voting_followers", "observers", "pending_syncs"):
            whole = f"synced_{name}" if name.endswith(("followers", "observers")) else name
            gauges.append(gauge(whole, 0, "Always 0: nobody follows."))
        for name in ("last_proposal_size", "max_proposal_size", "min_proposal_size"):
            gauges.append(gauge(name, -1, "Always -1: nothing is proposed to followers."))
    return gauges


def monitor_values(summary: ServerSummary) -> list[tuple[str, Value | str]]:
    """What mntr prints, without `zk_`, each value with its type: integers are integers."""
    values: list[tuple[str, Value | str]] = [("version", FULL_VERSION), ("server_state", summary.mode)]
    if summary.mode == LEADER:
        values.append(("peer_state", "leading - broadcast"))
    for metric in (*gauges_of(summary), *summary.metrics):
        for name, value in metric.monitor_values():
            values.append((name, round(value, 4) if isinstance(value, float) else value))
    return values


def _monitor_lines(summary: ServerSummary) -> str:
    return "".join(
        f"zk_{key}\t{_java_double(value) if isinstance(value, float) else value}\n"
        for key, value in monitor_values(summary)
    )


def _indented(title: str, lines: Sequence[str]) -> str:
    return title + "\n" + "".join(f"\t{line}\n" for line in lines)


def _java_double(number: float) -> str:
    """At most four decimals, at least one."""
    return str(round(float(number), 4))


def _java_date(wall_ms: int) -> str:
    """As java.util.Date prints it in UTC."""
    return datetime.fromtimestamp(wall_ms // 1000, UTC).strftime("%a %b %d %H:%M:%S UTC %Y")
