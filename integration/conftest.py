"""Fixtures of the suites: servers on free ports with their data in temporary folders on disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.peers.servers import RealZooKeeper, ZooKeeperServer, target_class


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the differential test."""
    group = parser.getgroup("zkbridge integration")
    group.addoption("--seed", type=int, default=None, help="replay this seed of the differential test alone")
    group.addoption("--operations", type=int, default=None, help="operations of the differential test, in all")
    group.addoption(
        "--differences", type=int, default=None, help="differing scripts that the test shows before it stops"
    )


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ZooKeeperServer]:
    """A fresh server of the target under test."""
    with target_class()(tmp_path / "server") as started:
        yield started


@pytest.fixture
def real_zookeeper(tmp_path: Path) -> Iterator[RealZooKeeper]:
    """A fresh real ZooKeeper."""
    with RealZooKeeper(tmp_path / "zookeeper") as started:
        yield started
