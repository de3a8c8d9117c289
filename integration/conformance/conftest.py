"""Servers for the tests of single traps: each kind is started once, every test has a znode of its own on it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from integration.conformance import wire
from integration.conformance.frame_socket import Closed
from integration.conformance.raw_client import RawClient, Stat
from integration.conformance.script import SUPER_DIGEST
from integration.peers.servers import Bridge, RealZooKeeper, ZooKeeperServer

TICK_MS = 500
SETTINGS = {
    "tickTime": str(TICK_MS),
    "extendedTypesEnabled": "true",
    "DigestAuthenticationProvider.superDigest": SUPER_DIGEST,
    "znode.container.checkIntervalMs": "100",
}
PLAIN_SETTINGS = {
    "tickTime": "2000",
    "extendedTypesEnabled": "false",
    "4lw.commands.whitelist": "srvr, ruok",
    "nio.sessionlessCnxnTimeout": "1000",
}
SYSTEM_PATHS = ("/", "/zookeeper", "/zookeeper/config", "/zookeeper/quota")
KINDS: dict[str, type[ZooKeeperServer]] = {"bridge": Bridge, "zookeeper": RealZooKeeper}
_numbers = itertools.count()

Connect = Callable[..., RawClient]
Sockets = Callable[[], RawClient]


class FreshServer:
    """A server with ZooKeeper's defaults, and what it said before anybody wrote to it."""

    def __init__(self, server: ZooKeeperServer) -> None:
        self.port = server.port
        client = RawClient(server.port)
        self.first_session = client.connect()
        self.stats: dict[str, Stat] = {path: client.get_data(path)[1] for path in SYSTEM_PATHS}
        self.data = {path: client.get_data(path)[0] for path in SYSTEM_PATHS}
        self.acls = {path: client.get_acl(path)[0] for path in SYSTEM_PATHS}
        self.all_children_number = client.ok(wire.GET_ALL_CHILDREN_NUMBER, wire.buffer(b"/")).i32()
        client.close_session()
        client.drop()


def _kinds() -> list[object]:
    return [pytest.param(kind, marks=pytest.mark.xdist_group(f"traps-{kind}")) for kind in KINDS]


@pytest.fixture(scope="session", params=_kinds())
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ZooKeeperServer]:
    """A server with short ticks, all types of znodes and a super user `super:test`."""
    with KINDS[request.param](tmp_path_factory.mktemp("traps"), SETTINGS) as server:
        yield server


@pytest.fixture(scope="session")
def fresh(target: ZooKeeperServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FreshServer]:
    """A server of the same kind with the defaults."""
    with type(target)(tmp_path_factory.mktemp("fresh"), PLAIN_SETTINGS) as server:
        yield FreshServer(server)


@pytest.fixture
def sockets(target: ZooKeeperServer) -> Iterator[Sockets]:
    """Makes connections that have not spoken yet; their sessions end with the test."""
    clients: list[RawClient] = []

    def make() -> RawClient:
        clients.append(RawClient(target.port))
        return clients[-1]

    yield make
    for client in clients:
        with suppress(Closed, OSError, AssertionError):
            if client.session_id:
                client.send(wire.CLOSE_SESSION)
                client.socket.settimeout(2)
                while True:
                    client.read_frame()
        client.drop()


@pytest.fixture
def connect(sockets: Sockets) -> Connect:
    """Makes connections with a session; takes the arguments of `RawClient.connect`."""

    def make(**arguments: int | bytes) -> RawClient:
        client = sockets()
        assert client.connect(**arguments).session_id != 0  # type: ignore[arg-type]  # passed on as they come
        return client

    return make


@pytest.fixture
def client(connect: Connect) -> RawClient:
    """One connection with a session."""
    return connect()


@pytest.fixture
def root(client: RawClient) -> str:
    """A znode for this test alone; who is not the test's client sees it too."""
    return client.create(f"/trap{next(_numbers)}")
