"""One server of each kind for all scripts of a file, each script under its own prefix; `fresh` ones where needed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.etcd.behaviour.client import Client
from integration.peers.etcd import TARGETS, EtcdServer, OurEtcd, target_names

GRPCIO = "etcdcore on grpcio"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A script that takes `shared` (by `client`) runs on each kind of server, and on our second gRPC server."""
    if "shared" in metafunc.fixturenames:
        names = target_names()
        if OurEtcd.kind in names:
            names.append(GRPCIO)
        metafunc.parametrize("shared", names, indirect=True, scope="module")


@pytest.fixture(scope="module")
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EtcdServer]:
    """A server for all scripts of a file."""
    flags = ["--watch-progress-notify-interval", "300ms"]
    folder: Path = tmp_path_factory.mktemp("shared")
    kind = TARGETS.get(request.param, OurEtcd)
    if request.param == GRPCIO:
        flags += ["--grpc-server", "grpcio"]
    with kind(folder / "etcd", flags) as started:
        yield started


@pytest.fixture
def client(shared: EtcdServer) -> Iterator[Client]:
    """A connection of this script's own to the shared server."""
    client = Client(shared)
    yield client
    client.close()


@pytest.fixture
def prefix(request: pytest.FixtureRequest) -> bytes:
    """A folder of keys that no other script uses, with its slash."""
    return f"/{request.node.name}/".encode()


@pytest.fixture
def fresh(etcd: EtcdServer) -> Iterator[Client]:
    """A connection to a server that only this script uses: revisions count from 1."""
    client = Client(etcd)
    yield client
    client.close()
