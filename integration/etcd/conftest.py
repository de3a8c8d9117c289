"""Fixtures of the etcd suites: servers on free ports with their data in temporary folders on disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.peers.etcd import TARGETS, EtcdServer, OurEtcd, RealEtcd, target_names


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes `etcd` runs on each target."""
    if "etcd" in metafunc.fixturenames:
        metafunc.parametrize("etcd", target_names(), indirect=True)


@pytest.fixture
def etcd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EtcdServer]:
    """A fresh server: the test runs once on etcdcore and once on the real etcd."""
    with TARGETS[request.param](tmp_path / "etcd") as started:
        yield started


@pytest.fixture
def real_etcd(tmp_path: Path) -> Iterator[RealEtcd]:
    """A fresh real etcd."""
    with RealEtcd(tmp_path / "real") as started:
        yield started


@pytest.fixture
def our_etcd(tmp_path: Path) -> Iterator[OurEtcd]:
    """A fresh etcdcore."""
    with OurEtcd(tmp_path / "ours") as started:
        yield started
