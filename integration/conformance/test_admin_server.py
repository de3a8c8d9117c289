"""The AdminServer, on the bridge and on ZooKeeper: names, fields, types, status codes, errors.

Source: ZooKeeper admin.Commands, admin.JettyAdminServer.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from integration.conformance.monitored import Monitored, ask, monitored, work
from integration.peers.process import free_port, wait_until
from integration.peers.servers import Bridge, RealZooKeeper, ZooKeeperServer

COMMANDS = {
    "configuration": ("conf", "config"),
    "connections": ("cons",),
    "dirs": (),
    "dump": (),
    "environment": ("env", "envi"),
    "get_trace_mask": ("gtmk",),
    "hash": (),
    "initial_configuration": ("icfg",),
    "is_read_only": ("isro",),
    "last_snapshot": ("lsnp",),
    "leader": ("lead",),
    "monitor": ("mntr",),
    "observer_connection_stat_reset": ("orst",),
    "observers": ("obsr",),
    "ruok": (),
    "server_stats": ("srvr",),
    "set_trace_mask": ("stmk",),
    "stats": ("stat",),
    "voting_view": (),
    "watch_summary": ("wchs",),
    "watches": ("wchc",),
    "watches_by_path": ("wchp",),
    "zabstate": (),
}
RESETS = {"connection_stat_reset": ("crst",), "stat_reset": ("srst",)}
# Names of fields that are data: sessions, paths, moments. What stands below is compared for one of them.
DATA_KEYS = re.compile(r"\d+|/.*")
# Compared elsewhere (test_monitoring), or Java's own.
UNCOMPARED = {"monitor", "environment"}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Monitored, Monitored]]:
    """Ours and ZooKeeper's, after the same work, each with its metrics port open too."""
    folder = tmp_path_factory.mktemp("admin")
    ours = monitored(Bridge, folder / "ours", with_metrics=True)
    real = monitored(RealZooKeeper, folder / "real", with_metrics=True)
    with ours.server, real.server:
        for server in (ours, real):
            work(server)
        yield ours, real
        for server in (ours, real):
            for client in server.clients:
                client.drop()


def shape_of(value: Any) -> Any:
    """The value with types in the place of values; of alike elements the first that is not empty."""
    if isinstance(value, dict):
        shapes: dict[str, Any] = {}
        for key, element in value.items():
            name = "<data>" if DATA_KEYS.fullmatch(key) else key
            shapes[name] = shapes.get(name) or shape_of(element)
        return shapes
    if isinstance(value, list):
        return [shape_of(element) for element in value[:1]]
    return type(value).__name__


def test_the_index_lists_the_same_commands(both: tuple[Monitored, Monitored]) -> None:
    ours, real = (server.admin("/commands") for server in both)
    assert (ours.status, ours.body) == (real.status, real.body)
    assert both[0].admin("/commands/").body == both[1].admin("/commands/").body == ours.body
    named = set(re.findall(r">(\w+)</a>", ours.text))
    assert named == {*COMMANDS, *RESETS, "restore", "snapshot", "system_properties"}


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_command_has_zookeepers_fields_types_and_order(both: tuple[Monitored, Monitored], name: str) -> None:
    ours, real = (server.command(name) for server in both)
    if name not in UNCOMPARED:
        assert shape_of(ours) == shape_of(real)
        assert list(shape_of(ours)) == list(shape_of(real))
    assert (ours["command"], ours["error"]) == (real["command"], real["error"])
    for alias in COMMANDS[name]:
        assert both[0].command(alias)["command"] == both[1].command(alias)["command"] == name


def test_values_that_do_not_depend_on_the_server_are_equal(both: tuple[Monitored, Monitored]) -> None:
    for name in ("hash", "is_read_only", "observers", "ruok", "voting_view", "zabstate", "leader", "watch_summary"):
        assert both[0].command(name) == both[1].command(name)
    ours, real = (server.command("configuration") for server in both)
    same = ours.keys() - {"client_port", "data_dir", "data_log_dir"}
    assert {key: ours[key] for key in same} == {key: real[key] for key in same}
    for server in both:
        assert f"admin.serverPort={server.admin_port}\n" in server.command("icfg")["initial_configuration"]


def test_answers_look_as_zookeepers_do(both: tuple[Monitored, Monitored]) -> None:
    """Down to blanks and line ends; and nothing else than the data differs where there is some."""
    for name in ("ruok", "hash", "observers", "voting_view", "zabstate", "leader", "nope"):
        assert both[0].admin(f"/commands/{name}").body == both[1].admin(f"/commands/{name}").body
    for name in ("connections", "stats", "dump", "watches", "watches_by_path", "server_stats"):
        ours, real = (blank(server.admin(f"/commands/{name}").text) for server in both)
        assert ours == real


def blank(text: str) -> str:
    """Without values; lines that repeat are one. ZooKeeper leaves empty lists where watches and sessions were."""
    lines = re.sub(r'("/[^"]*"|"[\w.:-]+,? ?[^"]*"(?! :)|-?\d+(\.\d+)?)', "_", text).splitlines()
    return "\n".join(sorted({re.sub(r'"_"|"\d*_+"', "_", line).rstrip(",") for line in lines} - {"    _ : [ ]"}))


def test_watches_and_sessions_are_those_of_the_clients(both: tuple[Monitored, Monitored]) -> None:
    for server in both:
        first, second = server.clients
        watched = server.command("watches")["session_id_to_watched_paths"]
        assert set(watched[str(first.session_id)]) == {"/jobs", "/none"}
        assert watched[str(second.session_id)] == [], "its watches have fired"
        assert server.command("wchp")["path_to_session_ids"]["/none"] == [first.session_id]
        dump = server.command("dump")
        assert dump["session_id_to_ephemeral_paths"] == {str(first.session_id): ["/lock"]}
        expiring = [session for ids in dump["expiry_time_to_session_ids"].values() for session in ids]
        assert sorted(expiring) == sorted([first.session_id, second.session_id])
        sessions = {connection["session_id"] for connection in server.command("cons")["connections"]}
        assert sessions == {first.session_id, second.session_id}


def test_environment_has_javas_names(both: tuple[Monitored, Monitored]) -> None:
    ours, real = (server.command("environment") for server in both)
    assert not real.keys() - ours.keys()
    assert both[0].command("sysp")["command"] == both[1].command("sysp")["command"] == "system_properties"


def test_the_trace_mask_is_kept(both: tuple[Monitored, Monitored]) -> None:
    for server in both:
        for mask in (500, -1, 306):
            assert server.command(f"stmk?traceMask={mask}")["tracemask"] == mask
            assert server.command("gtmk")["tracemask"] == mask
            assert server.word("gtmk") == str(mask)
    for wrong in ("x", "", "9223372036854775808"):
        ours, real = (server.admin(f"/commands/stmk?traceMask={wrong}").fields for server in both)
        assert ours == real


@pytest.mark.parametrize(
    ("path", "method", "headers"),
    [
        ("/", "GET", {}),
        ("/commandsx", "GET", {}),
        ("/commands/nope", "GET", {}),
        ("/commands/nope", "POST", {}),
        ("/commands/ruok/", "GET", {}),
        ("/commands/%72uok", "GET", {}),
        ("/commands", "POST", {}),
        ("/commands/ruok", "HEAD", {}),
        ("/commands/ruok", "PUT", {}),
        ("/commands/ruok", "DELETE", {}),
        ("/commands/ruok", "OPTIONS", {}),
        ("/commands/ruok", "TRACE", {}),
        ("/commands/ruok", "GET", {"Accept-Encoding": "gzip"}),
        ("/commands/snapshot", "GET", {}),
        ("/commands/snapshot", "GET", {"Authorization": "foo bar"}),
        ("/commands/snap", "GET", {"Authorization": "digest"}),
        ("/commands/snapshot", "GET", {"Authorization": "digest a b c"}),
        ("/commands/restore", "POST", {}),
        ("/commands/rest", "GET", {}),
        ("/commands/rest", "POST", {"Authorization": "world anyone"}),
    ],
)
def test_status_and_headers_are_zookeepers(
    both: tuple[Monitored, Monitored], path: str, method: str, headers: dict[str, str]
) -> None:
    ours, real = (server.admin(path, method, headers) for server in both)
    assert ours.status == real.status
    for name in ("allow", "content-encoding"):
        assert ours.headers.get(name) == real.headers.get(name)
    if real.headers.get("content-type") == "application/json":
        assert ours.headers["content-type"] == "application/json"
        assert ours.headers.get("content-length") == real.headers.get("content-length")
        assert ours.body == real.body


def test_a_command_for_get_is_refused_to_post(both: tuple[Monitored, Monitored]) -> None:
    """Differs: ZooKeeper ends in a NullPointerException."""
    ours, real = (server.admin("/commands/ruok", "POST") for server in both)
    assert (ours.status, real.status) == (405, 500)


def test_snapshot_and_restore_say_what_to_do_instead(both: tuple[Monitored, Monitored]) -> None:
    """Differs: as a ZooKeeper whose configuration disables both, with the reason."""
    ours = both[0]
    for path, method in (("/commands/snapshot", "GET"), ("/commands/restore", "POST")):
        answer = ours.admin(path, method, {"Authorization": "digest root:secret"})
        assert answer.status == 503
        assert "etcdc" in answer.fields["error"]


def test_who_may_not_do_all_on_the_root_is_told_so(both: tuple[Monitored, Monitored]) -> None:
    for server in both:
        client = server.clients[0]
        stat_acl = client.get_acl("/")[0]
        client.add_auth("digest", b"owner:pw")
        client.set_acl("/", [(31, b"auth", b"")])
        answer = server.admin("/commands/snapshot", headers={"Authorization": "digest other:pw"})
        client.set_acl("/", stat_acl)
        assert (answer.status, answer.fields) == (403, {"command": "snapshot", "error": "Not authorized"})


def test_metrics_have_zookeepers_names_and_kinds(both: tuple[Monitored, Monitored]) -> None:
    """What is missing is what mntr misses too, and the Java machine's."""
    from integration.conformance.test_monitoring import is_absent

    ours, real = (kinds_of(server.metrics().text) for server in both)
    shared = ours.keys() & real.keys()
    assert {name: ours[name] for name in shared} == {name: real[name] for name in shared}
    missing = {name for name in real.keys() - ours.keys() if not is_absent(name)}
    assert {name for name in missing if not name.startswith("jvm_")} == set()
    assert {name.split("_")[0] for name in ours.keys() - real.keys()} == {"zkbridge", "etcd", "python"}


def test_metrics_have_zookeepers_labels_and_the_same_counts(both: tuple[Monitored, Monitored]) -> None:
    ours, real = (samples_of(server.metrics().text) for server in both)
    shared = kinds_of(both[0].metrics().text).keys() & kinds_of(both[1].metrics().text).keys()

    def shown(samples: dict[str, str]) -> set[str]:
        return {name for name in samples if re.split(r"[{]|_(?:count|sum)(?:[{]|$)", name)[0] in shared}

    assert shown(ours) == shown(real)
    for name in (
        "znode_count",
        "watch_count",
        'read_per_namespace_sum{key="jobs"}',
        'write_per_namespace_count{key="jobs"}',
        "node_changed_watch_count_sum",
    ):
        assert float(ours[name]) == float(real[name])


def kinds_of(text: str) -> dict[str, str]:
    return dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))


def samples_of(text: str) -> dict[str, str]:
    """Ours has no comma behind the last label."""
    found = re.findall(r"^([^#\s][^{\s]*(?:\{[^}]*\})?) (\S+)$", text, re.MULTILINE)
    return {name.replace(",}", "}"): value for name, value in found}


@pytest.mark.parametrize(
    ("path", "method"),
    [("/", "GET"), ("/metrics/", "GET"), ("/metricsx", "GET")]
    + [("/metrics", method) for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE")],
)
def test_the_metrics_port_answers_as_zookeepers(both: tuple[Monitored, Monitored], path: str, method: str) -> None:
    ours, real = (server.metrics(path, method) for server in both)
    assert ours.status == real.status
    assert ours.headers.get("allow") == real.headers.get("allow")
    if ours.status == 200 and method != "OPTIONS":
        assert ours.headers["content-type"] == real.headers["content-type"]


def test_some_metrics_can_be_asked_for_by_name(both: tuple[Monitored, Monitored]) -> None:
    for server in both:
        text = server.metrics("/metrics?name[]=znode_count&name[]=updatelatency_sum").text
        assert samples_of(text).keys() == {"znode_count", "updatelatency_sum"}


def test_counters_for_prometheus_do_not_go_back_with_srst(both: tuple[Monitored, Monitored]) -> None:
    for server in both:
        before = samples_of(server.metrics().text)
        assert server.command("srst") == {"command": "stat_reset", "error": None}
        after = samples_of(server.metrics().text)
        for name in ("connection_request_count", "updatelatency_count", 'write_per_namespace_sum{key="jobs"}'):
            assert float(after[name]) >= float(before[name]) > 0
        assert server.command("crst") == {"command": "connection_stat_reset", "error": None}


def test_a_prometheus_client_reads_the_page(both: tuple[Monitored, Monitored]) -> None:
    """Each sample once, nothing that its parser refuses; ZooKeeper itself has a family twice for that parser."""
    for server in both:
        families = list(text_string_to_metric_families(server.metrics().text))
        samples = [(sample.name, *sorted(sample.labels.items())) for family in families for sample in family.samples]
        assert len(samples) == len(set(samples)) > 100
        assert server is both[1] or len({family.name for family in families}) == len(families)


@pytest.mark.parametrize("taken", ["admin.serverPort", "metricsProvider.httpPort"])
@pytest.mark.parametrize("kind", [Bridge, RealZooKeeper])
def test_a_monitoring_port_that_cannot_be_had_is_the_end(
    tmp_path: Path, kind: type[ZooKeeperServer], taken: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        server = monitored(kind, tmp_path / "server", with_metrics=True, settings={taken: port}).server
        server.child.spawn()
        try:
            wait_until(lambda: not server.child.is_running(), 60, "the server ends")
            if kind is Bridge:
                names = {"admin.serverPort": "AdminServer", "metricsProvider.httpPort": "metrics port"}
                assert f"the {names[taken]} cannot listen on 127.0.0.1:{port}: " in server.child.log_tail()
        finally:
            server.child.kill()


def test_a_crowd_on_the_admin_port_takes_nothing_from_the_tree(both: tuple[Monitored, Monitored]) -> None:
    """Ours: connections past a bound are closed at once; ZooKeeper's clients are served beside such a crowd too."""
    for server in both:
        crowd = [socket.create_connection(("127.0.0.1", server.admin_port), timeout=20) for _ in range(100)]
        assert server.clients[0].exists("/jobs")
        for conn in crowd:
            conn.close()
        wait_until(lambda port=server.admin_port: answers(port), 30, "the port answers again")  # type: ignore[misc]


def answers(port: int) -> bool:
    try:
        return ask(port, "/commands/ruok").status == 200
    except (OSError, AssertionError):
        return False


@pytest.fixture(scope="module")
def leaders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Monitored, Monitored]]:
    """Both with `standaloneEnabled=false` and one server line, which makes each a leader of itself."""
    folder = tmp_path_factory.mktemp("leaders")
    places = f"127.0.0.1:{free_port()}:{free_port()}"
    settings = {"standaloneEnabled": "false", "initLimit": "5", "syncLimit": "2", "server.1": places}
    servers: list[Monitored] = []
    for kind in (Bridge, RealZooKeeper):
        data = folder / kind.__name__ / "data"
        data.mkdir(parents=True)
        (data / "myid").write_text("1\n")
        servers.append(monitored(kind, data.parent, with_metrics=False, settings=settings))
    ours, real = servers
    with ours.server, real.server:
        for server in servers:
            wait_until(lambda asked=server: asked.command("zabstate")["zabstate"] == "broadcast", 60, "it leads")  # type: ignore[misc]
        yield ours, real


@pytest.mark.parametrize("name", ["leader", "zabstate", "voting_view", "observers", "server_stats", "configuration"])
def test_a_leader_shows_what_zookeepers_shows(leaders: tuple[Monitored, Monitored], name: str) -> None:
    ours = leaders[0]
    shown = [server.command(name) for server in leaders]
    assert shape_of(shown[0]) == shape_of(shown[1])
    if name in ("leader", "zabstate", "voting_view", "observers"):
        for fields, server in zip(shown, leaders, strict=True):
            for varying in ("last_zxid", "zab_epoch", "zab_counter"):
                fields.pop(varying, None)
            text = str(fields).replace(str(server.server.port), "PORT")
            assert text == str(shown[0]).replace(str(ours.server.port), "PORT")


def test_a_leaders_mntr_and_srvr_have_the_leaders_lines(leaders: tuple[Monitored, Monitored]) -> None:
    ours, real = leaders
    for key in (
        *("learners", "synced_followers", "synced_non_voting_followers", "synced_observers", "pending_syncs"),
        *("quorum_size", "peer_state", "server_state", "last_proposal_size", "max_proposal_size"),
    ):
        assert ours.mntr()[key] == real.mntr()[key]
    assert ours.mntr().keys() >= {"leader_uptime"} <= real.mntr().keys()
    words = [re.sub(r"0x[0-9a-f]+|\d+(\.\d+)?|-\S+, built", "_", server.word("srvr")) for server in leaders]
    assert words[0].splitlines()[1:] == words[1].splitlines()[1:]
