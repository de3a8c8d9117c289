"""What keys of a zoo.cfg do to clients, on the bridge and on ZooKeeper."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from integration.conformance import wire
from integration.conformance.config_files import ConfigFile, Started, Written
from integration.conformance.frame_socket import Closed
from integration.conformance.raw_client import RawClient, auth_body, create_body, path_watch, set_acl_body

BASE = "dataDir={data}\nclientPort={port}\nadmin.enableServer=false\n"
INVALID_ACL, AUTH_FAILED, REQUIRE_AUTH = -114, -115, -124
KEEP_ALIVE_TIMER = "02"


@pytest.fixture(params=["bridge", "zookeeper"])
def kind(request: pytest.FixtureRequest) -> str:
    """Which server."""
    return str(request.param)


@pytest.fixture
def guarded(kind: str, tmp_path: Path) -> Iterator[Started]:
    """A server that enforces authentication, is of a named ensemble, and keeps connections alive."""
    text = (
        "enforce.auth.enabled=true\nenforce.auth.schemes= digest \nclientTcpKeepAlive=true\n"
        "authProvider.e=org.apache.zookeeper.server.auth.EnsembleAuthenticationProvider\nensembleAuthName=one, two\n"
    )
    with Started(kind, Written(ConfigFile(BASE + text), tmp_path)) as server:
        yield server


def test_a_guarded_server_sends_clients_away_that_show_no_identity(guarded: Started) -> None:
    """Even a ping; sessions are opened all the same, and the rest of what came in one piece is dropped."""
    port = guarded.written.port
    for opcode, body in ((wire.PING, b""), (wire.EXISTS, path_watch("/")), (wire.CLOSE_SESSION, b"")):
        client = RawClient(port)
        assert client.connect().session_id != 0
        xid = client.send(opcode, body, wire.XID_PING if opcode == wire.PING else None)
        client.send(wire.EXISTS, path_watch("/"))
        reply = client.reply()
        assert (reply.xid, reply.zxid, reply.error, reply.body) == (xid, 0, REQUIRE_AUTH, b"")
        with pytest.raises(Closed):
            client.reply()
    client = RawClient(port)
    client.connect()
    client.add_auth("ip", b"")
    client.send(wire.PING, b"", wire.XID_PING)
    assert client.reply().error == REQUIRE_AUTH
    client = RawClient(port)
    client.connect()
    client.add_auth("digest", b"user:secret")
    assert client.exists("/")

    # The ensemble's name: the right one, none and another one.
    client.add_auth("ensemble", b"two")
    client.add_auth("ensemble", b"")
    assert client.exists("/")
    client.send(wire.AUTH, auth_body("ensemble", b"three"), wire.XID_AUTH)
    with pytest.raises(Closed):
        client.reply()

    client = RawClient(port)
    client.connect()
    _, timer = next(row for row in _connections(port))
    assert timer == KEEP_ALIVE_TIMER
    client.drop()


def _connections(port: int) -> list[tuple[str, str]]:
    """(state, timer) of the established connections at a server's port, as Linux tells them."""
    rows: list[tuple[str, str]] = []
    for name in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]:
            match = re.match(r"\s*\d+: \w+:(\w{4}) \w+:\w{4} (\w\w) \S+ (\w\w):", line)
            if match is not None and int(match[1], 16) == port and match[2] == "01":
                rows.append((match[2], match[3]))
    return rows


def test_without_digest_authentication_there_is_none_in_acls_either(kind: str, tmp_path: Path) -> None:
    with Started(kind, Written(ConfigFile(BASE + "DigestAuthenticationProvider.enabled=false\n"), tmp_path)) as server:
        client = RawClient(server.written.port)
        client.connect()
        client.create("/a")
        digest = (31, b"digest", b"u:h")
        for acl in ([digest], [(31, b"world", b"anyone"), digest], [(31, b"auth", b"")]):
            assert client.error(wire.CREATE, create_body("/b", b"", acl)) == INVALID_ACL
            assert client.error(wire.SET_ACL, set_acl_body("/a", acl)) == INVALID_ACL
        client.send(wire.AUTH, auth_body("digest", b"u:p"), wire.XID_AUTH)
        assert client.reply().error == AUTH_FAILED
        with pytest.raises(Closed):
            client.reply()


def test_digests_are_of_the_algorithm_that_is_asked_for(kind: str, tmp_path: Path) -> None:
    text = BASE + "DigestAuthenticationProvider.digestAlg=SHA-256\n"
    with Started(kind, Written(ConfigFile(text), tmp_path)) as server:
        client = RawClient(server.written.port)
        client.connect()
        client.add_auth("digest", b"u:p")
        client.create("/a", acl=[(31, b"auth", b"")])
        assert client.get_acl("/a")[0] == [(31, b"digest", b"u:/Y8xRBngpX5duYn15uUqIRaIaCviy5TEwSk419hCwuA=")]


@pytest.mark.parametrize(("line", "limit"), [("maxClientCnxns=2", 2), ("maxClientCnxns=-1", None), ("maxCnxns=0x2", 2)])
def test_a_limit_of_connections_is_the_files(kind: str, line: str, limit: int | None, tmp_path: Path) -> None:
    """A negative one is none. One after the other: ZooKeeper counts a connection a moment after it accepted it."""
    with Started(kind, Written(ConfigFile(f"{BASE}{line}\n"), tmp_path)) as server:
        clients: list[RawClient] = []
        served = 0
        for _ in range(4):
            with suppress(Closed, OSError):
                clients.append(RawClient(server.written.port))
                clients[-1].connect()
                served += 1
        assert served == (limit or 4)
        for client in clients:
            client.drop()
