"""Counters at their end, on the bridge and on ZooKeeper: names of sequential znodes, cversion, versions.

Source: ZooKeeper PrepRequestProcessor.pRequest2TxnCreate (the pending parent's cversion wraps around) and
DataTree.createNode (the tree's own never goes down, so it stays at its end).
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from integration.conformance import wire
from integration.conformance.aged import AgedBridge, AgedServer, AgedZooKeeper
from integration.conformance.raw_client import (
    SEQUENTIAL,
    RawClient,
    create_body,
    set_data_body,
)

LAST = 2**31 - 1
FIRST = -(2**31)
KINDS: dict[str, type[AgedBridge] | type[AgedZooKeeper]] = {"bridge": AgedBridge, "zookeeper": AgedZooKeeper}
SEQUENTIAL_CREATE = (wire.CREATE, create_body("/c/n-", flags=SEQUENTIAL))


@pytest.fixture(
    scope="module",
    params=[pytest.param(kind, marks=pytest.mark.xdist_group(f"aged-{kind}")) for kind in KINDS],
)
def aged(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgedServer]:
    """A server of each kind."""
    server = KINDS[request.param](tmp_path_factory.mktemp("aged") / "server")
    yield server
    server.stop()


@pytest.fixture
def client(aged: AgedServer) -> Iterator[RawClient]:
    """A session, and `/c` for this test."""
    client = RawClient(aged.port)
    client.connect()
    client.create("/c")
    yield client
    for name in client.children("/c"):
        client.delete(f"/c/{name}")
    client.delete("/c")
    client.close_session()
    client.drop()


@pytest.mark.parametrize(
    ("start", "numbers", "cversion"),
    [
        (LAST - 1, ["2147483646", "2147483647", "-2147483648"], -5),
        (LAST, ["2147483647", "-2147483648", "-2147483647"], -5),
        (-5, ["-000000005", "-000000004", "-000000003"], -7),
        (FIRST, ["-2147483648", "-2147483647", "-2147483646"], 3),
    ],
)
def test_a_multi_counts_on_past_the_end(
    client: RawClient, aged: AgedServer, start: int, numbers: list[str], cversion: int
) -> None:
    """And what comes after it meets the last name again, unless the count was not at its end."""
    aged.age("/c", start)
    results = client.multi(*[SEQUENTIAL_CREATE] * 3)
    assert [result.path for result in results] == [f"/c/n-{number}" for number in numbers]
    assert client.stat("/c").cversion == cversion
    assert client.error(*SEQUENTIAL_CREATE) == (-110 if start > 0 else 0)


def test_a_count_at_its_end_stays_there_and_znodes_are_made_all_the_same(client: RawClient, aged: AgedServer) -> None:
    """Differs, and is not looked at: such a create moves no pzxid in ZooKeeper, which a later setWatches relies on."""
    aged.age("/c", LAST)
    assert client.stat("/c").cversion == -2
    client.create("/c/plain")
    assert client.stat("/c").cversion == -3
    before = client.last_zxid
    client.delete("/c/plain")
    stat = client.stat("/c")
    assert stat.cversion == -2 and stat.pzxid > before
    assert client.create("/c/n-", flags=SEQUENTIAL) == "/c/n-2147483647"
    assert client.error(*SEQUENTIAL_CREATE) == -110


@pytest.mark.parametrize(("version", "following"), [(LAST, FIRST), (-2, -1), (FIRST, FIRST + 1)])
def test_versions_of_data_and_acl_wrap_around(
    client: RawClient, aged: AgedServer, version: int, following: int
) -> None:
    aged.age("/c", 0, version, version)
    assert client.error(wire.SET_DATA, set_data_body("/c", b"", version)) == 0
    assert client.error(wire.SET_DATA, set_data_body("/c", b"", version)) == -103
    assert client.set_acl("/c", [(31, b"world", b"anyone")]).aversion == following
    assert client.stat("/c").version == following
