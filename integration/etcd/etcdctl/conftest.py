"""Both servers at once, so that one script can be played on each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.peers.etcd import TARGETS, EtcdServer, RealEtcd, target_names

FLAGS = ("--bcrypt-cost", "4", "--watch-progress-notify-interval", "200ms")


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[list[EtcdServer]]:
    """The real etcd and ours; with ZKBRIDGE_TEST_ETCD=etcd two real ones, which shows what the normaliser misses."""
    ours = TARGETS[target_names()[0]]
    with RealEtcd(tmp_path / "etcd", FLAGS) as real, ours(tmp_path / "ours", FLAGS) as target:
        yield [real, target]
