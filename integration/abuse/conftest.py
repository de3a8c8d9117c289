"""One server for all abuse: it has to be as good after the last test as before the first."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from integration.peers.servers import RealZooKeeper, ZooKeeperServer, target_class

SESSIONLESS_TIMEOUT_MS = 3000
SETTINGS = {"tickTime": "500", "nio.sessionlessCnxnTimeout": str(SESSIONLESS_TIMEOUT_MS), "maxSessionTimeout": "60000"}


@pytest.fixture(scope="module")
def abused(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ZooKeeperServer]:
    """The target under test."""
    with target_class()(tmp_path_factory.mktemp("abuse") / "target", SETTINGS) as started:
        yield started


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealZooKeeper]:
    """The real thing, abused in the same way."""
    with RealZooKeeper(tmp_path_factory.mktemp("oracle") / "zookeeper", SETTINGS) as started:
        yield started
