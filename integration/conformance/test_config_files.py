"""Configuration files that people have, on the bridge and on ZooKeeper: who starts, and what the server then is."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

from integration.conformance import wire
from integration.conformance.config_files import ConfigFile, Started, Written, zookeepers_verdicts
from integration.conformance.raw_client import RawClient, path_watch, ttl_body
from integration.conformance.test_traps_four_letter import value_of
from integration.peers.servers import START_TIMEOUT_S
from zkbridge.config import ALL_WORDS, ConfigError, load_config

UNIMPLEMENTED, NO_AUTH = -6, -102
BASE = (
    "dataDir={data}\ntickTime=500\ninitLimit=5\nsyncLimit=2\nadmin.enableServer=false\n4lw.commands.whitelist=conf,ruok\n"
)
LINE = "server.1=localhost:{quorum}:{election};{port}\n"
BARE_LINE = "server.1=localhost:{quorum}:{election}\n"
LEADING = BASE + "standaloneEnabled=false\n"
DYNAMIC = "dynamicConfigFile={folder}/members.1a\n"
EVERYWHERE, LOOPBACK = "127.0.0.2", "127.0.0.1"
PEER_CONF = (
    "initLimit=5\nsyncLimit=2\nelectionAlg=3\nelectionPort={election}\nquorumPort={quorum}\npeerType=0\nmembership: \n"
)

# Name: file; where a client reaches it (127.0.0.2 answers only who listens everywhere); data of /zookeeper/config.
STARTING = {
    "the official image's default": (ConfigFile(BASE + LINE, "1\n"), EVERYWHERE, ""),
    "a client address in the line": (
        ConfigFile(BASE + "server.1=0.0.0.0:{quorum}:{election};127.0.0.1:{port}\n", "1"),
        LOOPBACK,
        "",
    ),
    "a line beside clientPort": (ConfigFile(BASE + BARE_LINE + "clientPort={port}\n"), EVERYWHERE, ""),
    "a line of another id": (
        ConfigFile(BASE + "server.1=localhost:{quorum}:{election};{other}\nclientPort={port}\n", "2"),
        EVERYWHERE,
        "",
    ),
    "a group and a role": (
        ConfigFile(BASE + "group.1=1\nserver.1=[::1]:{quorum}:{election}:participant;127.0.0.1:{port}\n", "1"),
        LOOPBACK,
        "",
    ),
    "a dynamic file": (ConfigFile(BASE + DYNAMIC, "1", {"members.1a": LINE}), EVERYWHERE, ""),
    "a leader": (
        ConfigFile(LEADING + LINE.replace("server.1", "server.3"), "3"),
        EVERYWHERE,
        "server.3=localhost:{quorum}:{election}:participant;0.0.0.0:{port}\nversion=0",
    ),
    "a leader beside clientPort": (
        ConfigFile(LEADING + BARE_LINE + "clientPort={port}\nclientPortAddress=127.0.0.1\n", "1"),
        LOOPBACK,
        "server.1=localhost:{quorum}:{election}:participant\nversion=0",
    ),
    "a leader with a dynamic file": (
        ConfigFile(LEADING + DYNAMIC, "1", {"members.1a": LINE}),
        EVERYWHERE,
        "server.1=localhost:{quorum}:{election}:participant;0.0.0.0:{port}\nversion=1a",
    ),
}


@pytest.mark.parametrize("kind", ["bridge", "zookeeper"])
@pytest.mark.parametrize("name", STARTING)
def test_one_server_line_is_one_member(name: str, kind: str, tmp_path: Path) -> None:
    config, address, membership = STARTING[name]
    is_leader = bool(membership)
    written = Written(config, tmp_path)
    membership = membership.format(**written.fields)
    before = written.files()
    with Started(kind, written) as server:
        assert value_of(server.ask("srvr"), "Mode") == ("leader" if is_leader else "standalone")
        with socket.socket() as probe:
            refused = probe.connect_ex((EVERYWHERE, written.port)) != 0
        assert refused == (address == LOOPBACK)
        conf = server.ask("conf")
        own_id = config.my_id.strip() if is_leader and config.my_id is not None else "0"
        peer = PEER_CONF.format(**written.fields) + membership if is_leader else ""
        assert conf.endswith(f"serverId={own_id}\n{peer}"), conf
        client = RawClient(written.port)
        assert client.connect().session_id >> 56 == (int(own_id) or 1)
        data, stat = client.get_data("/zookeeper/config")
        assert data is not None and (data.decode(), stat.version) == (membership, -1 if is_leader else 0)
        version = re.search("version=(.*)", membership)
        assert stat.mzxid == (0 if version is None else int(version[1], 16))
        client.drop()
    assert written.files() == before
    if kind == "bridge":
        assert f"{written.path}: initLimit, syncLimit: no effect here: one member" in server.child.log_text()


@pytest.mark.parametrize("kind", ["bridge", "zookeeper"])
def test_srvr_is_answered_whatever_the_whitelist_leaves_empty(kind: str, tmp_path: Path) -> None:
    """No other word is: not even `isro`, which clients ask that look for a server in read-only mode."""
    config = ConfigFile("dataDir={data}\nclientPort={port}\nadmin.enableServer=false\n4lw.commands.whitelist=\n")
    with Started(kind, Written(config, tmp_path)) as server:
        for word in sorted(ALL_WORDS - {"srvr"}):
            refusal = f"{word} is not executed because it is not in the whitelist.\n"
            assert server.ask(word) == refusal, word


# What the parser lets pass and the start does not: the classes that read system properties end it.
SIMPLE = "dataDir={data}\nclientPort={port}\nadmin.enableServer=false\n"
ENDING = {
    "a digest nobody has": SIMPLE + "DigestAuthenticationProvider.digestAlg=FOO\n",
    "a listener nobody has": SIMPLE + "serverCnxnFactory=a.B\n",
    "a watch manager nobody has": SIMPLE + "watchManagerName=a.B\n",
    "a scheme nobody has": SIMPLE + "enforce.auth.enabled=true\nenforce.auth.schemes=sasl\n",
    "no scheme": SIMPLE + "enforce.auth.enabled=true\n",
    "an address nobody has": SIMPLE + "clientPortAddress=no.such.host.invalid\n",
    "no directory": SIMPLE.replace("{data}", "{folder}/nowhere") + "datadir.autocreate=false\n",
}


@pytest.mark.parametrize("kind", ["bridge", "zookeeper"])
def test_what_ends_zookeepers_start_ends_ours(kind: str, tmp_path: Path) -> None:
    servers = [Started(kind, Written(ConfigFile(text), tmp_path / name)) for name, text in ENDING.items()]
    for server in servers:
        server.child.spawn()
    for server in servers:
        process = server.child.process
        assert process is not None
        assert process.wait(START_TIMEOUT_S) != 0, server.child.log_tail()
        if "clientPortAddress" in server.written.path.read_text() and kind == "bridge":
            assert "clients can't be served at no.such.host.invalid:" in server.child.log_text()


@pytest.mark.parametrize("kind", ["bridge", "zookeeper"])
def test_properties_that_are_no_numbers_and_no_booleans_are_passed_over(kind: str, tmp_path: Path) -> None:
    """Each has its default then; ours warns of it."""
    text = (
        "4lw.commands.whitelist=*\nmaxCnxns=many\nglobalOutstandingLimit=x\nnio.sessionlessCnxnTimeout=1s\nsnapCount=x\n"
        "preAllocSize=x\ncommitLogCount=x\nsnapshot.compression.method=x\nextendedTypesEnabled=yes\nskipACL=true\n"
    )
    with Started(kind, Written(ConfigFile(SIMPLE + text), tmp_path)) as server:
        client = RawClient(server.written.port)
        client.connect()
        assert client.error(wire.CREATE_TTL, ttl_body("/t", 1000)) == UNIMPLEMENTED
        client = RawClient(server.written.port)
        client.connect()
        client.create("/closed", acl=[(1, b"digest", b"u:h")])
        assert client.error(wire.GET_DATA, path_watch("/closed")) == NO_AUTH
        client.drop()
        if kind == "bridge":
            assert server.child.log_text().count("config_key_ignored") == 5


REFUSED = {
    "clientPort and the line differ": ConfigFile(BASE + LINE + "clientPort={other}\n", "1"),
    "the addresses differ": ConfigFile(BASE + LINE + "clientPort={port}\nclientPortAddress=127.0.0.1\n", "1"),
    "an address without a port": ConfigFile(BASE + LINE + "clientPortAddress=127.0.0.1\n", "1"),
    "a myid that is no number": ConfigFile(BASE + LINE, "one"),
    "an empty myid": ConfigFile(BASE + LINE, ""),
    "a leader without myid": ConfigFile(LEADING + LINE),
    "a leader without limits": ConfigFile("dataDir={data}\nstandaloneEnabled=false\n" + LINE, "1"),
    "a leader without members": ConfigFile(LEADING + "clientPort={port}\n", "1"),
    "an observer alone": ConfigFile(BASE + "server.1=localhost:{quorum}:{election}:observer;{port}\n", "1"),
    "an observer beside one member": ConfigFile(BASE + LINE + "server.2=localhost:1:2:observer\n", "1"),
    "no election port": ConfigFile(BASE + "server.1=localhost:{quorum};{port}\n", "1"),
    "two addresses": ConfigFile(BASE + "server.1=localhost:1:2|127.0.0.1:1:2;{port}\n", "1"),
    "one port for two": ConfigFile(BASE + "server.1=localhost:{quorum}:{quorum};{port}\n", "1"),
    "an unknown role": ConfigFile(BASE + "server.1=localhost:{quorum}:{election}:voter;{port}\n", "1"),
    "a name as id": ConfigFile(BASE + "server.x=localhost:{quorum}:{election};{port}\n", "1"),
    "three parts": ConfigFile(BASE + "server.1=localhost:{quorum}:{election};{port};{port}\n", "1"),
    "blanks inside": ConfigFile(BASE + "server.1=localhost:{quorum}:{election} ; {port}\n", "1"),
    "a blank behind": ConfigFile(BASE + "server.1=localhost:{quorum}:{election};{port} \n", "1"),
    "a weight without a group": ConfigFile(BASE + LINE + "weight.1=1\n", "1"),
    "a version inside the dynamic file": ConfigFile(BASE + DYNAMIC, "1", {"members.1a": LINE + "version=1\n"}),
    "another key in the dynamic file": ConfigFile(BASE + DYNAMIC, "1", {"members.1a": LINE + "tickTime=1\n"}),
    "no dynamic file": ConfigFile(BASE + DYNAMIC + "clientPort={port}\n", "1"),
    "a line beside the dynamic file": ConfigFile(BASE + DYNAMIC + LINE, "1", {"members.1a": LINE}),
}


def test_what_zookeeper_refuses_of_members_is_refused(tmp_path: Path) -> None:
    """Each by ZooKeeper's own parser, and by ours with the file's name and one line."""
    written = {name: Written(config, tmp_path / name) for name, config in REFUSED.items()}
    written["taken"] = Written(STARTING["the official image's default"][0], tmp_path / "taken")
    verdicts = zookeepers_verdicts([one.path for one in written.values()])
    taken = {name for name, one in written.items() if verdicts[one.path] == "taken"}
    assert taken == {"taken"}
    for name, one in written.items():
        if name == "taken":
            load_config({"config": str(one.path)})
            continue
        with pytest.raises(ConfigError) as caught:
            load_config({"config": str(one.path)})
        assert str(caught.value).startswith(str(one.folder)), name
        assert len(str(caught.value).splitlines()) == 1, name
