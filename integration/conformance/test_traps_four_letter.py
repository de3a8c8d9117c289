"""Traps of the four-letter words (reference section 6.1): what each prints, on the bridge and on ZooKeeper."""

from __future__ import annotations

import re
import socket

import pytest

from integration.conformance import wire
from integration.conformance.conftest import TICK_MS, Connect, FreshServer
from integration.conformance.raw_client import EPHEMERAL, RawClient
from integration.peers.process import ask_four_letters
from integration.peers.servers import ZooKeeperServer
from zkbridge.server.meters import NEVER_HAPPENS

ENVIRONMENT = [
    "zookeeper.version",
    "host.name",
    *(f"java.{name}" for name in ("version", "vendor", "home", "class.path", "library.path", "io.tmpdir", "compiler")),
    *(f"os.{name}" for name in ("name", "arch", "version")),
    *(f"user.{name}" for name in ("name", "home", "dir")),
    *(f"os.memory.{name}" for name in ("free", "max", "total")),
]
DATE = r"\w{3} \w{3} \d\d \d\d:\d\d:\d\d UTC \d{4}"
DOUBLE = r"\d+\.\d{1,4}"
VERSION = r"3\.9\.\d+-\S+, built on \d{4}-\d\d-\d\d \d\d:\d\d UTC"
ADDRESS = r"/127\.0\.0\.1:\d+"
SUMMARY = rf"""Latency min/avg/max: \d+/{DOUBLE}/\d+
Received: \d+
Sent: \d+
Connections: \d+
Outstanding: \d+
Zxid: 0x[0-9a-f]+
Mode: standalone
Node count: \d+
"""
BRIEF = rf" {ADDRESS}\[[01]\]\(queued=\d+,recved=\d+,sent=\d+\)\n"
LATENCIES = r"llat=\d+,minlat=\d+,avglat=\d+,maxlat=\d+"
WATCHED = r"(0x[0-9a-f]+\n(\t/\S*\n)+)*\n"
# Gauges that monitoring looks at, with the form of their values.
GAUGES = {
    "zk_avg_latency": DOUBLE,
    "zk_max_latency": r"\d+",
    "zk_min_latency": r"\d+",
    "zk_packets_received": r"\d+",
    "zk_packets_sent": r"\d+",
    "zk_num_alive_connections": r"\d+",
    "zk_outstanding_requests": r"\d+",
    "zk_server_state": "standalone",
    "zk_znode_count": r"\d+",
    "zk_watch_count": r"\d+",
    "zk_ephemerals_count": r"\d+",
    "zk_approximate_data_size": r"\d+",
    "zk_global_sessions": r"\d+",
    "zk_local_sessions": "0",
    "zk_open_file_descriptor_count": r"\d+",
    "zk_max_file_descriptor_count": r"\d+",
    "zk_connection_drop_probability": r"0\.0",
    "zk_last_client_response_size": r"-?\d+",
    "zk_max_client_response_size": r"-?\d+",
    "zk_min_client_response_size": r"-?\d+",
    "zk_outstanding_tls_handshake": "0",
    "zk_auth_failed_count": r"\d+",
    "zk_non_mtls_remote_conn_count": "0",
    "zk_non_mtls_local_conn_count": "0",
    "zk_connection_rejected": r"\d+",
    "zk_commit_count": r"\d+",
    "zk_uptime": r"\d+",
}
COUNTERS = {
    "connection_rejected",
    "connection_request_count",
    "sessionless_connections_expired",
    "stale_sessions_expired",
    "bytes_received_count",
    "response_bytes",
    "commit_count",
    *NEVER_HAPPENS,
}
SUMMARIES = ("updatelatency", "fsynctime", *(f"node_{what}_watch_count" for what in ("created", "deleted", "changed")))
FORMS = {
    "ruok": "imok",
    "isro": "rw",
    "srvr": rf"Zookeeper version: {VERSION}\n{SUMMARY}",
    "stat": rf"Zookeeper version: {VERSION}\nClients:\n({BRIEF})*\n{SUMMARY}",
    "conf": r"clientPort=\d+\nsecureClientPort=-1\n"
    r"dataDir=/\S+/version-2\ndataDirSize=\d+\ndataLogDir=/\S+/version-2\ndataLogSize=\d+\n"
    rf"tickTime={TICK_MS}\nmaxClientCnxns=0\nminSessionTimeout={2 * TICK_MS}\nmaxSessionTimeout={20 * TICK_MS}\n"
    r"clientPortListenBacklog=-1\nserverId=0\n",
    "dirs": r"datadir_size: \d+\nlogdir_size: \d+\n",
    "wchs": r"\d+ connections watching \d+ paths\nTotal watches:\d+\n",
    "wchc": WATCHED,
    "wchp": r"(/\S*\n(\t0x[0-9a-f]+\n)+)*\n",
    "gtmk": r"\d+",
    "crst": r"Connection stats reset\.\n",
    "srst": r"Server stats reset\.\n",
    "envi": rf"Environment:\nzookeeper\.version={VERSION}\nhost\.name=\S+\n(\S+=.*\n)+",
    "mntr": rf"zk_version\t{VERSION}\nzk_server_state\tstandalone\n(zk_\w+\t-?\d+(\.\d+)?(E-?\d+)?\n)+",
    "cons": rf"( {ADDRESS}\[[01]\]\(queued=\d+,recved=\d+,sent=\d+(,sid=0x[0-9a-f]+,lop=\w+,est=\d+,to=\d+"
    rf"(,lcxid=0x[0-9a-f]+)?,lzxid=0x[0-9a-f]+,lresp=\d+,{LATENCIES})?\)\n)*\n",
    "dump": rf"SessionTracker dump:\nSession Sets \(\d+\)/\(\d+\):\n(\d+ expire at {DATE}:\n(\t0x[0-9a-f]+\n)*)*"
    r"ephemeral nodes dump:\nSessions with Ephemerals \(\d+\):\n(0x[0-9a-f]+:\n(\t/\S*\n)*)*"
    rf"Connections dump:\nConnections Sets \(\d+\)/\(\d+\):\n"
    rf"(\d+ expire at {DATE}:\n(\tip: {ADDRESS} sessionId: 0x[0-9a-f]+\n)*)*",
}


@pytest.fixture
def busy(connect: Connect, client: RawClient, root: str) -> RawClient:
    """The client, with an ephemeral and watches of all kinds, beside another that watches too."""
    client.create(f"{root}/e", flags=EPHEMERAL)
    client.get_data(root, watch=True)
    client.exists(f"{root}/missing", watch=True)
    client.children(root, watch=True)
    client.add_watch(f"{root}/p")
    connect().get_data(root, watch=True)
    return client


@pytest.mark.parametrize("word", FORMS)
def test_a_words_answer_has_zookeepers_form(target: ZooKeeperServer, busy: RawClient, word: str) -> None:
    text = ask_four_letters(target.port, word)
    assert re.fullmatch(FORMS[word], text), text


FIELDS = ("avg", "min", "max", "cnt", "sum")


def value_of(text: str, key: str) -> str:
    """The value in a line `key: value` or `key<tab>value`."""
    found = re.search(rf"^{re.escape(key)}(?:: |\t|=)(.*)$", text, re.MULTILINE)
    assert found is not None, f"no {key} in {text}"
    return found[1]


def test_srvr_counts_the_words_that_asked_and_its_own_answer_comes_after(target: ZooKeeperServer) -> None:
    ask_four_letters(target.port, "srst")
    texts = [ask_four_letters(target.port, "srvr") for _ in range(3)]
    received = [int(value_of(text, "Received")) for text in texts]
    assert received[1] == received[0] + 1 and received[2] == received[1] + 1
    sent = [int(value_of(text, "Sent")) for text in texts]
    assert sent[2] == sent[1] + 1


def test_srvr_shows_the_zxid_and_the_connection_that_asks(
    target: ZooKeeperServer, client: RawClient, root: str
) -> None:
    text = ask_four_letters(target.port, "srvr")
    assert int(value_of(text, "Zxid"), 16) >= client.last_zxid
    assert int(value_of(text, "Connections")) >= 2


def test_an_empty_server_has_five_znodes_the_root_counted_twice(fresh: FreshServer) -> None:
    text = ask_four_letters(fresh.port, "srvr")
    assert value_of(text, "Node count") == "5"
    assert value_of(text, "Mode") == "standalone"


def test_a_new_znode_counts_once(target: ZooKeeperServer, client: RawClient, root: str) -> None:
    before = int(value_of(ask_four_letters(target.port, "srvr"), "Node count"))
    client.create(f"{root}/x")
    assert int(value_of(ask_four_letters(target.port, "srvr"), "Node count")) == before + 1


def test_mntr_has_the_gauges_that_monitoring_looks_at(target: ZooKeeperServer, busy: RawClient) -> None:
    text = ask_four_letters(target.port, "mntr")
    wrong = {key: value_of(text, key) for key, form in GAUGES.items() if not re.fullmatch(form, value_of(text, key))}
    assert not wrong
    keys = re.findall(r"^(\w+)\t", text, re.MULTILINE)
    assert len(keys) == len(set(keys))


def test_mntr_has_the_counters_and_summaries_too(target: ZooKeeperServer, busy: RawClient) -> None:
    """Each is ZooKeeper's; ZooKeeper has more, of processors that are not here."""
    keys = set(re.findall(r"^zk_(\w+)\t", ask_four_letters(target.port, "mntr"), re.MULTILINE))
    assert not (COUNTERS | {f"{field}_{name}" for field in FIELDS for name in SUMMARIES}) - keys


def test_mntr_counts_what_is_done(target: ZooKeeperServer, connect: Connect, client: RawClient, root: str) -> None:
    """One change each that a watch hears of, and the bytes and requests of a new client."""

    def counts() -> dict[str, int]:
        text = ask_four_letters(target.port, "mntr")
        names = ["connection_request_count", "cnt_updatelatency", "bytes_received_count", "response_bytes"]
        names += [f"cnt_node_{event}_watch_count" for event in ("created", "deleted", "changed", "children")]
        names += ["sum_node_changed_watch_count"]
        return {name: int(value_of(text, f"zk_{name}")) for name in names}

    before = counts()
    others = [connect(), connect()]
    for other in others:
        other.get_data(root, watch=True)
    client.exists(f"{root}/n", watch=True)
    client.children(root, watch=True)
    client.set_data(root, b"1")
    client.create(f"{root}/n")
    client.get_data(f"{root}/n", watch=True)
    client.delete(f"{root}/n")
    after = counts()
    change = {name: after[name] - before[name] for name in after}
    assert change["connection_request_count"] == 2
    assert change["cnt_updatelatency"] >= 3
    assert (change["cnt_node_changed_watch_count"], change["sum_node_changed_watch_count"]) == (1, 2)
    assert change["cnt_node_created_watch_count"] == change["cnt_node_deleted_watch_count"] == 1
    assert change["cnt_node_children_watch_count"] == 1
    assert change["bytes_received_count"] > 200
    assert change["response_bytes"] > 200


def test_mntr_counts_watches_of_both_tables_and_wchs_those_of_one(
    target: ZooKeeperServer, connect: Connect, root: str
) -> None:
    def both() -> tuple[int, int]:
        summary = ask_four_letters(target.port, "wchs")
        return int(value_of(ask_four_letters(target.port, "mntr"), "zk_watch_count")), int(summary.split(":")[1])

    table, data = both()
    client = connect()
    client.get_data(root, watch=True)
    assert both() == (table + 1, data + 1)
    client.children(root, watch=True)
    assert both() == (table + 2, data + 1)
    client.add_watch(f"{root}/p")
    assert both() == (table + 4, data + 2)
    client.add_watch(f"{root}/r", recursive=True)
    assert both() == (table + 5, data + 3)


def test_the_watch_words_name_sessions_and_paths(target: ZooKeeperServer, busy: RawClient, root: str) -> None:
    by_session = ask_four_letters(target.port, "wchc")
    block = by_session.split(f"{busy.session_id:#x}\n")[1].split("0x")[0]
    assert set(block.split()) == {root, f"{root}/missing", f"{root}/p"}
    by_path = ask_four_letters(target.port, "wchp")
    assert re.search(rf"^{root}/missing\n\t{busy.session_id:#x}\n", by_path, re.MULTILINE)
    assert re.search(rf"^{root}\n(\t0x[0-9a-f]+\n){{2}}", by_path, re.MULTILINE)


def test_cons_tells_the_last_operation_of_each_session(target: ZooKeeperServer, busy: RawClient, root: str) -> None:
    for opcode, body, name in [
        (wire.PING, b"", "PING"),
        (wire.EXISTS, wire.buffer(b"/") + b"\0", "EXIS"),
        (wire.GET_DATA, wire.buffer(b"/") + b"\0", "GETD"),
        (wire.GET_CHILDREN, wire.buffer(b"/") + b"\0", "GETC"),
        (wire.GET_ACL, wire.buffer(b"/"), "GETA"),
        (wire.SET_DATA, wire.buffer(root.encode()) + wire.buffer(b"") + wire.i32(-1), "SETD"),
        (wire.SYNC, wire.buffer(b"/"), "SYNC"),
        (wire.WHO_AM_I, b"", "HOMI"),
    ]:
        reply = busy.call(opcode, body)
        lines = ask_four_letters(target.port, "cons").splitlines()
        mine = next(line for line in lines if f"sid={busy.session_id:#x}," in line)
        assert f",lop={name}," in mine and f",lzxid={reply.zxid:#x}," in mine and ",to=10000," in mine
        if opcode != wire.PING:
            assert f",lcxid={reply.xid:#x}," in mine


def test_crst_forgets_what_connections_have_done(target: ZooKeeperServer, busy: RawClient) -> None:
    ask_four_letters(target.port, "crst")
    lines = ask_four_letters(target.port, "cons").splitlines()
    mine = next(line for line in lines if f"sid={busy.session_id:#x}," in line)
    assert "(queued=0,recved=0,sent=0," in mine and ",lop=NA," in mine and "lcxid" not in mine
    assert mine.endswith(",lzxid=0xffffffffffffffff,lresp=0,llat=0,minlat=0,avglat=0,maxlat=0)")


def test_the_connection_that_asks_for_stat_is_in_it_with_its_word(target: ZooKeeperServer) -> None:
    text = ask_four_letters(target.port, "stat")
    assert len(re.findall(rf"^ {ADDRESS}\[0\]\(queued=0,recved=1,sent=0\)$", text, re.MULTILINE)) == 1


def test_dump_shows_sessions_and_ephemerals(target: ZooKeeperServer, busy: RawClient, root: str) -> None:
    text = ask_four_letters(target.port, "dump")
    sid = f"{busy.session_id:#x}"
    tracker, rest = text.split("ephemeral nodes dump:\n")
    assert f"\t{sid}\n" in tracker
    assert re.search(rf"^{sid}:\n\t{root}/e$", rest, re.MULTILINE)
    assert re.search(rf"^\tip: {ADDRESS} sessionId: {sid}$", rest, re.MULTILINE)


def test_conf_names_the_port(target: ZooKeeperServer) -> None:
    assert value_of(ask_four_letters(target.port, "conf"), "clientPort") == str(target.port)


def test_envi_gives_the_version_in_the_first_bytes(target: ZooKeeperServer) -> None:
    """kazoo reads it out of one receive."""
    assert re.match(r"Environment:\nzookeeper\.version=\d+\.\d+\.\d+", ask_four_letters(target.port, "envi"))


def test_envi_has_javas_names_for_what_runs(target: ZooKeeperServer) -> None:
    """ZooKeeper's own test reads java.version; others look for os.arch as Java spells it."""
    names = re.findall(r"^([\w.]+)=", ask_four_letters(target.port, "envi"), re.MULTILINE)
    assert names[: len(ENVIRONMENT)] == ENVIRONMENT
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*", value_of(ask_four_letters(target.port, "envi"), "java.version"))
    assert value_of(ask_four_letters(target.port, "envi"), "os.arch") in ("amd64", "aarch64")


def test_a_ping_leaves_the_xid_of_the_last_real_operation(target: ZooKeeperServer, client: RawClient) -> None:
    xid = client.call(wire.EXISTS, wire.buffer(b"/") + b"\0").xid
    client.call(wire.PING, xid=wire.XID_PING)
    line = next(
        line for line in ask_four_letters(target.port, "cons").splitlines() if f"sid={client.session_id:#x}," in line
    )
    assert ",lop=PING," in line and f",lcxid={xid:#x}," in line


def test_the_response_sizes_are_those_of_replies_and_events(
    target: ZooKeeperServer, client: RawClient, root: str
) -> None:
    """A ping's reply is a header, 16 bytes; the answer to the handshake, and a word's own, count for nothing."""
    client.set_data(root, b"x" * 5000)
    client.get_data(root)
    client.call(wire.PING, xid=wire.XID_PING)
    text = ask_four_letters(target.port, "mntr")
    assert int(value_of(text, "zk_last_client_response_size")) == 16
    assert int(value_of(text, "zk_min_client_response_size")) == 16
    assert int(value_of(text, "zk_max_client_response_size")) >= 5000 + 4 + 68 + 16


def test_crst_leaves_what_the_server_has_sent(target: ZooKeeperServer, busy: RawClient) -> None:
    before = int(value_of(ask_four_letters(target.port, "srvr"), "Sent"))
    ask_four_letters(target.port, "crst")
    assert int(value_of(ask_four_letters(target.port, "srvr"), "Sent")) > before


def test_srst_forgets_what_open_connections_have_sent(target: ZooKeeperServer, busy: RawClient) -> None:
    ask_four_letters(target.port, "srst")
    text = ask_four_letters(target.port, "srvr")
    assert int(value_of(text, "Sent")) < 5 and int(value_of(text, "Received")) < 5


def test_stmk_echoes_its_mask_and_gtmk_tells_it(target: ZooKeeperServer) -> None:
    for mask in (5, 306):
        with socket.create_connection(("127.0.0.1", target.port), timeout=20) as conn:
            conn.sendall(b"stmk" + mask.to_bytes(8, "big"))
            assert conn.recv(100) == str(mask).encode()
            assert conn.recv(100) == b""
        assert ask_four_letters(target.port, "gtmk") == str(mask)


@pytest.mark.parametrize("word", [*sorted(set(FORMS) - {"srvr", "ruok"}), "hash"])
def test_a_word_off_the_whitelist_is_refused_in_words(fresh: FreshServer, word: str) -> None:
    expected = f"{word} is not executed because it is not in the whitelist.\n"
    assert ask_four_letters(fresh.port, word) == expected


def test_a_connection_whose_watches_have_fired_is_listed_without_any(
    target: ZooKeeperServer, connect: Connect, root: str
) -> None:
    client = connect()
    before = int(ask_four_letters(target.port, "wchs").split(" ")[0])
    client.get_data(root, watch=True)
    client.set_data(root, b"1")
    client.taken_events()
    assert int(ask_four_letters(target.port, "wchs").split(" ")[0]) == before + 1
    assert re.search(rf"^{client.session_id:#x}\n(?!\t)", ask_four_letters(target.port, "wchc"), re.MULTILINE)
