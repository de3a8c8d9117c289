"""ZooKeeper's admin commands: `/commands` lists them, `/commands/<name>` answers in JSON.

Every answer has `command`, the first of the command's names, and `error`, null or a text. As in ZooKeeper an unknown
command is answered with 200 and an error. Source: ZooKeeper admin.Commands, admin.JettyAdminServer (3.9).

Differs: a command for GET that is asked by POST is refused with 405, where ZooKeeper ends in a NullPointerException;
`snapshot` and `restore` answer as there when the configuration disables them, and say what to do instead.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, final

from zkbridge.admin.facts import AdminFacts
from zkbridge.admin.json_text import Entries, Items, Value, json_pieces
from zkbridge.admin.pages import METHODS, PageAnswer, PageRequest, Pages, not_found, page, unserved_method
from zkbridge.protocol.four_letter import (
    FULL_VERSION,
    NOT_SERVING,
    ConnectionFacts,
    ServerSummary,
    monitor_values,
    shown_znode_count,
)
from zkbridge.sessions.credentials import AuthRules, authenticate, initial_credentials
from zkbridge.tree.acl import ADMIN, CREATE, DELETE, READ, WRITE, check_acl

JSON: Final = "application/json"
_NO_PROPOSALS: Final[Value] = {"last_buffer_size": -1, "min_buffer_size": -1, "max_buffer_size": -1}
JAVA_LONG_MAX: Final = 2**63 - 1
INSTEAD_OF_SNAPSHOTS: Final = (
    "no snapshot in ZooKeeper's format is made here: etcdctl snapshot save, on the etcd port, saves the whole store"
)
INSTEAD_OF_RESTORING: Final = (
    "a running server is not restored: stop it, etcdcore snapshot restore into an empty directory, start it there"
)

Fields = dict[str, Value]
Run = Callable[[AdminFacts, Mapping[str, list[str]]], Fields]


@dataclass(frozen=True, slots=True)
class Command:
    """`instead` is why a command is disabled, and what to do; such a command wants all rights on the root first."""

    names: tuple[str, ...]
    run: Run
    is_server_required: bool = True
    is_for_post: bool = False
    instead: str = ""


@final
class AdminPages(Pages):
    """The index and the commands, below `command_url`."""

    def __init__(self, facts: AdminFacts, command_url: str, auth_rules: AuthRules) -> None:
        self._facts: Final = facts
        self._command_url: Final = "/" + command_url.strip("/")
        self._auth_rules: Final = auth_rules

    def answer(self, request: PageRequest) -> PageAnswer:
        prefix = self._command_url
        if request.path != prefix and not request.path.startswith(prefix + "/"):
            return not_found()
        refusal = unserved_method(request.method)
        if refusal is not None:
            return refusal
        name = request.path[len(prefix) + 1 :]
        if not name:
            return self._index()
        command = _BY_NAME.get(name)
        if command is None:
            return _json({"command": name, "error": f"Unknown command: {name}"})
        if command.is_server_required and not self._facts.is_serving():
            return _json({"command": name, "error": NOT_SERVING})
        if command.instead:
            return self._refused(command, name, request)
        if (request.method == "POST") != command.is_for_post:
            return _json({"command": command.names[0], "error": f"{request.method} is not for this command"}, 405)
        fields = command.run(self._facts, request.query)
        # As there: an error that a command sets itself stands where it was set, before the command's name.
        fields["command"] = command.names[0]
        fields.setdefault("error", None)
        return _json(fields)

    def _index(self) -> PageAnswer:
        links = "".join(f'<a href="{self._command_url}/{name}">{name}</a>\n<br/>\n' for name in _PRIMARY_NAMES)
        # ZooKeeper says no type, and browsers guess this one.
        return page(200, "text/html;charset=utf-8", links.encode())

    def _refused(self, command: Command, name: str, request: PageRequest) -> PageAnswer:
        """Who asks must prove who he is first, as in ZooKeeper: `Authorization: digest user:password`."""
        auth_info = request.headers.get("authorization")
        if auth_info is None:
            return _json({"command": name, "error": "Auth info is missing for the command"}, 401)
        parts = auth_info.split(" ")
        credentials = None
        if len(parts) in (1, 2):
            secret = parts[1].encode() if len(parts) == 2 else None
            nobody = initial_credentials(request.peer_host, self._auth_rules)
            credentials = authenticate(nobody, parts[0], secret, request.peer_host, self._auth_rules)
        if credentials is None:
            return _json({"command": name, "error": "Not authenticated"}, 401)
        acl = self._facts.root_acl()
        if not all(check_acl(acl, right, credentials) for right in (READ, WRITE, CREATE, DELETE, ADMIN)):
            return _json({"command": name, "error": "Not authorized"}, 403)
        return _json({"command": command.names[0], "error": command.instead}, 503)


def _json(fields: Fields, status: int = 200) -> PageAnswer:
    headers = {"Content-Type": JSON}
    if status == 405:
        headers["Allow"] = METHODS
    return PageAnswer(status, headers, json_pieces(fields))


# The commands


def _configuration(facts: AdminFacts, query: Mapping[str, list[str]]) -> Fields:
    configuration = facts.configuration()
    return {
        "client_port": configuration.client_port,
        "data_dir": configuration.shown_data_dir,
        "data_log_dir": configuration.shown_data_dir,
        "tick_time": configuration.tick_time_ms,
        "max_client_cnxns": configuration.max_client_cnxns,
        "min_session_timeout": configuration.min_session_timeout_ms,
        "max_session_timeout": configuration.max_session_timeout_ms,
        "server_id": configuration.server_id,
        "client_port_listen_backlog": configuration.client_port_backlog,
    }


def _connection(connection: ConnectionFacts, is_brief: bool) -> Value:
    fields: dict[str, Value] = {
        "remote_socket_address": connection.address,
        "interest_ops": 1 if connection.is_reading else 0,
        "outstanding_requests": connection.outstanding_count,
        "packets_received": connection.received_count,
        "packets_sent": connection.sent_count,
    }
    if not is_brief:
        fields |= {
            "session_id": connection.session_id,
            "last_operation": connection.last_operation,
            "established": connection.established_ms,
            "session_timeout": connection.timeout_ms,
            "last_cxid": connection.last_xid,
            "last_zxid": connection.last_zxid,
            "last_response_time": connection.last_response_ms,
            "last_latency": connection.last_latency_ms,
            "min_latency": connection.latency_min_ms,
            "avg_latency": connection.latency_average_ms,
            "max_latency": connection.latency_max_ms,
        }
    return fields


def _connection_lists(facts: AdminFacts, is_brief: bool) -> Fields:
    connections = Items(_connection(connection, is_brief) for connection in facts.connections())
    return {"connections": connections, "secure_connections": []}


def _connections(facts: AdminFacts, query: Mapping[str, list[str]]) -> Fields:
    return _connection_lists(facts, False)


def _connection_stat_reset(facts: AdminFacts, query: Mapping[str, list[str]]) -> Fields:
    facts.reset_connections()
    return {}


def _dirs(facts: AdminFacts, query: Mapping[str, list[str]]) -> Fields:
    size = facts.configuration().data_dir_bytes
    return {"datadir_size": size, "logdir_size": size}


def _dump(facts: AdminFacts, query: Mapping[str, list[str]]) -> Fields:
    deadlines = facts.session_deadlines()
    ephemerals = facts.ephemerals()
    return {
        "expiry_time_to_session_ids": Entries((str(at_ms), Items(ids)) for at_ms, ids in deadlines),
        "session_id_to_ephemeral_paths": Entries((str(session_id), Items(paths)) for session_id, paths in ephemerals),
    }


def _environment(facts: AdminFacts, query: Mapping[str, list[str]]) -> Fields:
    return {"zookeeper.version": FULL_VERSION, **dict(facts.environment())}


def _get_trace_mask(facts: AdminFacts, query: Mapping[str, list[str]]) -> Fields:
    return {"tracemask": facts.trace_mask()}


def _set_trace_mask(facts: AdminFacts, query: Mapping[str, list[str]]) -> Fields:
    given = query.get("traceMask")
    if not given:
        return {"error": "setTraceMask requires long traceMask argument"}
    try:
        mask = int(given[0])
    except ValueError:
        mask = JAVA_LONG_MAX + 1
    if not -JAVA_LONG_MAX - 1 <= mask <= JAVA_LONG_MAX:
        return {"error": f"setTraceMask requires long traceMask argument, got {given[0]}"}
    facts.set_trace_mask(mask)
    return {"tracemask": mask}


def _hash(facts: AdminFacts, query: Mapping[str, list[str]]) -> Fields:
    return {"digests": []}  # see the four-letter word


def _initial_configuration(facts: AdminFacts, query: Mapping[str, list[str]]) -> Fields:
    return {"initial_configuration": facts.initial_configuration()}


def _is_read_only(facts: AdminFacts, query: Mapping[str, list[str]]) -> Fields:
    return {"read_only": False}


def _last_snapshot(facts: AdminFacts, query: Mapping[str, list[str]]) -> Fields:
    zxid, at_s = facts.last_snapshot()
    return {"zxid": f"{zxid & 0xFFFF_FFFF_FFFF_FFFF:x}", "timestamp": at_s}


def _leader(facts: AdminFacts, query: Mapping[str, list[str]]) -> Fields:
    leader = facts.leader()
    if leader is None:
        return {"error": "server is not initialized"}
    return {"is_leader": True, "leader_id": leader.server_id, "leader_ip": leader.addresses[0][0]}


def _monitor(facts: AdminFacts, query: Mapping[str, list[str]]) -> Fields:
    return dict(monitor_values(facts.summary()))


def _nothing(facts: AdminFacts, query: Mapping[str, list[str]]) -> Fields:
    return {}


def _observers(facts: AdminFacts, query: Mapping[str, list[str]]) -> Fields:
    return {"synced_observers": 0, "observers": []}


def _server_stats(facts: AdminFacts, query: Mapping[str, list[str]]) -> Fields:
    summary = facts.summary()
    sizes: dict[str, Value] = {
        "last_buffer_size": summary.response_bytes_last,
        "min_buffer_size": summary.response_bytes_min,
        "max_buffer_size": summary.response_bytes_max,
    }
    return {
        "version": FULL_VERSION,
        "read_only": False,
        "server_stats": _stats(summary, sizes, facts.configuration().data_dir_bytes),
        "client_response": sizes,
        **({"proposal_stats": _NO_PROPOSALS} if summary.mode == "leader" else {}),
        "node_count": shown_znode_count(summary),
    }


def _stats(summary: ServerSummary, sizes: Value, data_dir_bytes: int) -> dict[str, Value]:
    return {
        "packets_sent": summary.sent_count,
        "packets_received": summary.received_count,
        "fsync_threshold_exceed_count": summary.slow_sync_count,
        "client_response_stats": sizes,
        "uptime": summary.uptime_ms,
        "data_dir_size": data_dir_bytes,
        "log_dir_size": data_dir_bytes,
        "provider_null": False,
        "last_processed_zxid": summary.zxid,
        "outstanding_requests": summary.outstanding_count,
        "server_state": summary.mode,
        "avg_latency": round(float(summary.latency_average_ms), 4),
        "max_latency": summary.latency_max_ms,
        "min_latency": summary.latency_min_ms,
        "num_alive_client_connections": summary.connection_count,
        "auth_failed_count": summary.auth_failed_count,
        "non_mtlsremote_conn_count": 0,
        "non_mtlslocal_conn_count": 0,
    }


def _server_stats_with_connections(facts: AdminFacts, query: Mapping[str, list[str]]) -> Fields:
    return {**_server_stats(facts, query), **_connection_lists(facts, True)}


def _stat_reset(facts: AdminFacts, query: Mapping[str, list[str]]) -> Fields:
    facts.reset_server()
    return {}


def _system_properties(facts: AdminFacts, query: Mapping[str, list[str]]) -> Fields:
    """Java's; here the environment's names stand for those that somebody may look for."""
    return dict(sorted(facts.environment()))


def _voting_view(facts: AdminFacts, query: Mapping[str, list[str]]) -> Fields:
    leader = facts.leader()
    if leader is None:
        return {"current_config": {}}
    view: Value = {
        "server_addresses": [f"{host}:{quorum}" for host, quorum, _ in leader.addresses],
        "election_addresses": [f"{host}:{election}" for host, _, election in leader.addresses],
        "client_address": leader.client_address,
        "learner_type": "participant",
    }
    return {"current_config": {str(leader.server_id): view}}


def _watch_summary(facts: AdminFacts, query: Mapping[str, list[str]]) -> Fields:
    connections, paths, watches = facts.data_watch_summary()
    return {"num_connections": connections, "num_paths": paths, "num_total_watches": watches}


def _watches(facts: AdminFacts, query: Mapping[str, list[str]]) -> Fields:
    return {
        "session_id_to_watched_paths": Entries(
            (str(session_id), Items(paths)) for session_id, paths in facts.watches_by_session()
        )
    }


def _watches_by_path(facts: AdminFacts, query: Mapping[str, list[str]]) -> Fields:
    return {"path_to_session_ids": Entries(_session_lists(facts))}


def _session_lists(facts: AdminFacts) -> Iterator[tuple[str, Value]]:
    for path, session_ids in facts.watches_by_path():
        yield path, Items(session_ids)


def _zabstate(facts: AdminFacts, query: Mapping[str, list[str]]) -> Fields:
    leader = facts.leader()
    if leader is None:
        return {"voting": False, "zabstate": ""}
    zxid = facts.summary().zxid
    return {
        "myid": leader.server_id,
        "is_leader": True,
        "quorum_address": _addresses([(host, quorum) for host, quorum, _ in leader.addresses]),
        "election_address": _addresses([(host, election) for host, _, election in leader.addresses]),
        "client_address": leader.client_address,
        "voting": True,
        "last_zxid": f"0x{zxid:x}",
        "zab_epoch": zxid >> 32,
        "zab_counter": zxid & 0xFFFF_FFFF,
        "zabstate": "broadcast",
    }


def _addresses(addresses: list[tuple[str, int]]) -> Value:
    """As Jackson shows ZooKeeper's MultipleAddresses: whatever it has a getter for."""
    texts = [f"{host}:{port}" for host, port in addresses]
    return {
        "empty": False,
        "all_addresses": texts,
        "wildcard_addresses": [f"0.0.0.0:{port}" for _, port in addresses],
        "all_ports": [port for _, port in addresses],
        "all_host_strings": [host for host, _ in addresses],
        "reachable_address": texts[0],
        "all_reachable_addresses": texts,
        "all_reachable_addresses_or_all": texts,
        "reachable_or_one": texts[0],
        "one": texts[0],
    }


COMMANDS: Final = (
    Command(("configuration", "conf", "config"), _configuration),
    Command(("connection_stat_reset", "crst"), _connection_stat_reset),
    Command(("connections", "cons"), _connections),
    Command(("dirs",), _dirs),
    Command(("dump",), _dump),
    Command(("environment", "env", "envi"), _environment, is_server_required=False),
    Command(("get_trace_mask", "gtmk"), _get_trace_mask, is_server_required=False),
    Command(("hash",), _hash),
    Command(("initial_configuration", "icfg"), _initial_configuration),
    Command(("is_read_only", "isro"), _is_read_only),
    Command(("last_snapshot", "lsnp"), _last_snapshot),
    Command(("leader", "lead"), _leader),
    Command(("monitor", "mntr"), _monitor),
    Command(("observer_connection_stat_reset", "orst"), _nothing),
    Command(("observers", "obsr"), _observers),
    Command(("restore", "rest"), _nothing, is_for_post=True, instead=INSTEAD_OF_RESTORING),
    Command(("ruok",), _nothing),
    Command(("server_stats", "srvr"), _server_stats),
    Command(("set_trace_mask", "stmk"), _set_trace_mask, is_server_required=False),
    Command(("snapshot", "snap"), _nothing, instead=INSTEAD_OF_SNAPSHOTS),
    Command(("stat_reset", "srst"), _stat_reset),
    Command(("stats", "stat"), _server_stats_with_connections),
    Command(("system_properties", "sysp"), _system_properties, is_server_required=False),
    Command(("voting_view",), _voting_view),
    Command(("watch_summary", "wchs"), _watch_summary),
    Command(("watches", "wchc"), _watches),
    Command(("watches_by_path", "wchp"), _watches_by_path),
    Command(("zabstate",), _zabstate, is_server_required=False),
)
_BY_NAME: Final = {name: command for command in COMMANDS for name in command.names}
_PRIMARY_NAMES: Final = sorted(command.names[0] for command in COMMANDS)
