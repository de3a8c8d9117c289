"""Quotas on the bridge and on ZooKeeper: the figures in zookeeper_stats, and limits that are enforced.

Source: ZooKeeper DataTree (updateQuotaStat, getCounts), ZooKeeperServer.checkQuota, StatsTrack.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.conformance import wire
from integration.conformance.conftest import KINDS, SETTINGS
from integration.conformance.raw_client import (
    CONTAINER,
    EPHEMERAL,
    SEQUENTIAL,
    TTL,
    RawClient,
    create_body,
    path_version,
    set_data_body,
    ttl_body,
)
from integration.peers.process import ask_four_letters, wait_until
from integration.peers.servers import ZooKeeperServer

EXCEEDED, UNREADABLE = -125, -5
QUOTA = "/zookeeper/quota"


@pytest.fixture(
    scope="module",
    params=[pytest.param(kind, marks=pytest.mark.xdist_group(f"quota-{kind}")) for kind in KINDS],
)
def enforcing(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ZooKeeperServer]:
    """A server that enforces quotas."""
    settings = {**SETTINGS, "enforceQuota": "true"}
    with KINDS[request.param](tmp_path_factory.mktemp("quota"), settings) as server:
        yield server


@pytest.fixture
def strict(enforcing: ZooKeeperServer, request: pytest.FixtureRequest) -> Iterator[RawClient]:
    """A session on it, with nothing but system znodes in the tree before and after the test."""
    client = RawClient(enforcing.port)
    client.connect()
    yield client
    for path in reversed(_below(client, "/")):
        if path not in ("/zookeeper", "/zookeeper/config", QUOTA):
            client.delete(path)
    client.close_session()
    client.drop()


def _below(client: RawClient, path: str) -> list[str]:
    found: list[str] = []
    for name in client.children(path):
        child = f"{path.rstrip('/')}/{name}"
        found += [child, *_below(client, child)]
    return found


def set_quota(client: RawClient, path: str, limits: str | bytes | None) -> None:
    """As zkCli's setquota: the path's znodes below the quota's, limits, then stats."""
    at = QUOTA
    for name in path.split("/")[1:]:
        at += f"/{name}"
        if not client.exists(at):
            client.create(at, None)
    data = limits.encode() if isinstance(limits, str) else limits
    client.create(f"{at}/zookeeper_limits", data)
    client.create(f"{at}/zookeeper_stats", b"count=0,bytes=0")


def figures(client: RawClient, path: str) -> str:
    """What the stats say."""
    data, stat = client.get_data(f"{QUOTA}{path}/zookeeper_stats")
    assert data is not None and stat.data_length == len(data)
    return data.decode()


# Figures


def test_stats_follow_what_happens_below_the_path(strict: RawClient, enforcing: ZooKeeperServer) -> None:
    """The znode itself counts; each kind of znode does; the end of a session takes its ephemerals off again."""
    client = strict
    client.create("/q", b"12345")
    client.create("/q/a", b"123")
    client.create("/other", b"123456")
    set_quota(client, "/q", "count=-1,bytes=-1")
    assert figures(client, "/q") == "count=2,bytes=8"
    client.create("/q/a/b", None)
    client.create("/q/s-", b"1", flags=SEQUENTIAL)
    client.ok(wire.CREATE_CONTAINER, create_body("/q/c", b"22", flags=CONTAINER))
    client.ok(wire.CREATE_TTL, ttl_body("/q/t", 100_000, TTL))
    assert figures(client, "/q") == "count=6,bytes=11"
    owner = RawClient(enforcing.port)
    owner.connect()
    owner.create("/q/e", b"4444", flags=EPHEMERAL)
    assert figures(client, "/q") == "count=7,bytes=15"
    owner.close_session()
    owner.drop()
    assert figures(client, "/q") == "count=6,bytes=11"
    client.set_data("/q", b"1")
    client.set_data("/q/a", None)
    client.set_data("/other", b"")
    client.create("/qq", b"not below")
    assert figures(client, "/q") == "count=6,bytes=4"
    client.multi(
        (wire.DELETE, path_version("/q/c")),
        (wire.CREATE, create_body("/q/c", b"333")),
        (wire.SET_DATA, set_data_body("/q/c", b"55555")),
    )
    assert figures(client, "/q") == "count=6,bytes=7"


def test_stats_change_without_a_trace(strict: RawClient) -> None:
    """Neither version nor mzxid nor a watch tells of it."""
    client = strict
    client.create("/q")
    set_quota(client, "/q", "count=5,bytes=100")
    before = client.get_data(f"{QUOTA}/q/zookeeper_stats", watch=True)[1]
    client.create("/q/with-a-name", b"x" * 90)
    after = client.stat(f"{QUOTA}/q/zookeeper_stats")
    assert client.fired() == []
    assert after._replace(data_length=before.data_length) == before
    assert client.children(f"{QUOTA}/q") == ["zookeeper_limits", "zookeeper_stats"]
    client.set_data(f"{QUOTA}/q/zookeeper_stats", b"count=70,bytes=700=;more=1")
    assert client.fired() == [(3, f"{QUOTA}/q/zookeeper_stats")]
    client.create("/q/next", b"1")
    assert figures(client, "/q") == "count=71,bytes=701=;more=1"


def test_the_deepest_quota_counts_and_ends_with_its_limits(strict: RawClient) -> None:
    client = strict
    for path in ("/q", "/q/in", "/q/in/er"):
        client.create(path, b"1")
    set_quota(client, "/q", "count=-1,bytes=-1")
    set_quota(client, "/q/in", "count=-1,bytes=-1")
    client.create("/q/in/x", b"22")
    client.create("/q/y", b"333")
    assert (figures(client, "/q"), figures(client, "/q/in")) == ("count=4,bytes=6", "count=3,bytes=4")
    client.delete(f"{QUOTA}/q/in/zookeeper_limits")
    client.create("/q/in/z", b"4444")
    assert (figures(client, "/q"), figures(client, "/q/in")) == ("count=5,bytes=10", "count=3,bytes=4")
    client.delete(f"{QUOTA}/q/in/zookeeper_stats")
    client.create(f"{QUOTA}/q/in/zookeeper_stats", b"")
    assert figures(client, "/q/in") == "count=4,bytes=8"


def test_stats_alone_are_made_once_and_those_of_no_znode_are_zero(strict: RawClient) -> None:
    client = strict
    client.create("/q", b"1")
    client.create(f"{QUOTA}/q")
    client.create(f"{QUOTA}/q/zookeeper_stats", b"anything")
    client.create("/q/a")
    assert figures(client, "/q") == "count=1,bytes=1"
    set_quota(client, "/none", "count=-1,bytes=-1")
    assert figures(client, "/none") == "count=0,bytes=0"
    client.create("/none", b"1")
    client.delete("/none")
    assert figures(client, "/none") == "count=0,bytes=0"
    set_quota(client, "/zookeeper", "count=-1,bytes=-1")
    assert figures(client, "/zookeeper") == "count=12,bytes=94"


# Limits


@pytest.mark.parametrize(
    ("limits", "count_codes", "size_codes"),
    [
        ("count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=3", [0, 0, EXCEEDED], [0, 0]),
        ("count=1,bytes=1", [0, 0, 0], [0, 0]),
        ("count=1,bytes=-1=;countHardLimit=4", [0, 0, 0], [0, 0]),
        ("countHardLimit=0", [EXCEEDED] * 3, [0, 0]),
        ("byteHardLimit=10", [0, 0, 0], [0, EXCEEDED]),
        ("byteHardLimit=0", [0, 0, 0], [EXCEEDED, EXCEEDED]),
        ("countHardLimit=-5;byteHardLimit=", [UNREADABLE] * 3, [UNREADABLE] * 2),
        ("countHardLimit=-5;byteHardLimit==", [UNREADABLE] * 3, [UNREADABLE] * 2),
        ("countHardLimit=-5;byteHardLimit==7", [0, 0, 0], [0, 0]),
        ("countHardLimit=+2,,;", [0, EXCEEDED, EXCEEDED], [0, 0]),
        (",countHardLimit=2", [UNREADABLE] * 3, [UNREADABLE] * 2),
        ("countHardLimit=2=junk;x=y", [UNREADABLE] * 3, [UNREADABLE] * 2),
        ("countHardLimit=2=junk;x=9", [0, EXCEEDED, EXCEEDED], [0, 0]),
        ("countHardLimit=9223372036854775808", [UNREADABLE] * 3, [UNREADABLE] * 2),
        ("count", [UNREADABLE] * 3, [UNREADABLE] * 2),
        ("garbage", [UNREADABLE] * 3, [UNREADABLE] * 2),
        (";;", [0, 0, 0], [0, 0]),
        ("", [0, 0, 0], [0, 0]),
        (None, [UNREADABLE] * 3, [UNREADABLE] * 2),
        (b"\xff\xfe=3", [0, 0, 0], [0, 0]),
    ],
)
def test_hard_limits_refuse(
    strict: RawClient, limits: str | bytes | None, count_codes: list[int], size_codes: list[int]
) -> None:
    """Three creates without data, then setData of 10 and of 11 bytes."""
    client = strict
    client.create("/q", b"")
    set_quota(client, "/q", limits)
    creates = [client.error(wire.CREATE, create_body(f"/q/{number}")) for number in range(3)]
    sizes = [client.error(wire.SET_DATA, set_data_body("/q", bytes(size))) for size in (10, 11)]
    assert (creates, sizes) == (count_codes, size_codes)


def test_limits_are_looked_at_after_the_parent_and_before_the_version(strict: RawClient) -> None:
    client = strict
    client.create("/q", b"12345")
    client.create("/q/e", flags=EPHEMERAL)
    set_quota(client, "/q", "countHardLimit=1;byteHardLimit=1")
    assert client.error(wire.CREATE, create_body("/q/e/x")) == -108
    assert client.error(wire.CREATE, create_body("/q/e")) == -110
    assert client.error(wire.CREATE, create_body("/q/none/x")) == -101
    assert client.error(wire.CREATE, create_body("/q/x")) == EXCEEDED
    assert client.error(wire.SET_DATA, set_data_body("/q", b"123456", 77)) == EXCEEDED
    assert client.error(wire.SET_DATA, set_data_body("/q", b"12345", 77)) == -103
    assert client.error(wire.SET_DATA, set_data_body("/q", b"1234")) == EXCEEDED
    assert client.error(wire.SET_DATA, set_data_body("/q", b"")) == 0
    assert client.error(wire.DELETE, path_version("/q/e")) == 0


def test_a_multi_is_refused_as_a_whole_but_its_own_operations_do_not_count(strict: RawClient) -> None:
    """Each operation is checked against the tree as it is before the multi."""
    client = strict
    client.create("/q")
    set_quota(client, "/q", "countHardLimit=2")
    creates = [(wire.CREATE, create_body(f"/q/{number}")) for number in range(4)]
    assert [result.error for result in client.multi(*creates)] == [0] * 4
    assert figures(client, "/q") == "count=5,bytes=0"
    refused = client.multi((wire.CREATE, create_body("/elsewhere")), (wire.CREATE, create_body("/q/x")))
    assert [result.error for result in refused] == [0, EXCEEDED]
    deleted = [(wire.DELETE, path_version(f"/q/{number}")) for number in range(4)]
    refused = client.multi(*deleted, (wire.CREATE, create_body("/q/x")))
    assert [result.error for result in refused] == [0, 0, 0, 0, EXCEEDED]


def test_without_stats_nothing_is_refused_and_unreadable_ones_refuse(strict: RawClient) -> None:
    client = strict
    client.create("/q")
    set_quota(client, "/q", "countHardLimit=1")
    stats = f"{QUOTA}/q/zookeeper_stats"
    client.set_data(stats, b"garbage")
    assert client.error(wire.CREATE, create_body("/q/a")) == UNREADABLE
    client.set_data(stats, b"")
    assert client.error(wire.CREATE, create_body("/q/a")) == 0
    assert figures(client, "/q") == "count=0,bytes=-1"
    client.delete(stats)
    assert client.error(wire.CREATE, create_body("/q/b")) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_restart_gives_the_same_figures(kind: str, tmp_path: Path) -> None:
    """Differs, and is not looked at: figures that a client wrote itself live on there until the next snapshot."""
    with KINDS[kind](tmp_path, {**SETTINGS, "enforceQuota": "true"}) as server:
        client = RawClient(server.port)
        client.connect()
        client.create("/q", b"1")
        set_quota(client, "/q", "countHardLimit=3")
        client.create("/q/a", b"22")
        client.close_session()
        client.drop()
        server.restart()
        client = RawClient(server.port)
        client.connect()
        assert figures(client, "/q") == "count=2,bytes=3"
        client.create("/q/b", b"4")
        assert figures(client, "/q") == "count=3,bytes=4"
        assert client.error(wire.CREATE, create_body("/q/c")) == EXCEEDED
        client.close_session()
        client.drop()


@pytest.mark.parametrize("limits", ["count=1,bytes=-1", "countHardLimit=1"])
def test_limits_that_are_passed_are_told_to_the_log(strict: RawClient, enforcing: ZooKeeperServer, limits: str) -> None:
    client = strict
    path = "/told-soft" if "Hard" not in limits else "/told-hard"
    client.create(path)
    set_quota(client, path, limits)
    client.error(wire.CREATE, create_body(f"{path}/a"))
    log = enforcing.child.log_path

    def is_told() -> bool:
        lines = [line.lower() for line in log.read_text().splitlines() if path in line]
        return any("quota" in line and "exceeded" in line and "count" in line for line in lines)

    wait_until(is_told, 20, "the log has a line on it")


def test_mntr_sums_up_quotas_by_the_first_name_of_their_paths(strict: RawClient, enforcing: ZooKeeperServer) -> None:
    """Hard limits go before soft ones, and one that is not set counts as -1."""
    client = strict
    client.create("/mntr", b"123")
    client.create("/mntr/in")
    set_quota(client, "/mntr", "countHardLimit=2")
    set_quota(client, "/mntr/in", "count=7,bytes=9")
    assert client.error(wire.CREATE, create_body("/mntr/x")) == EXCEEDED
    client.create("/mntr/in/x")
    lines = ask_four_letters(enforcing.port, "mntr").splitlines()
    assert sorted(line for line in lines if line.startswith("zk_mntr_quota")) == [
        "zk_mntr_quota_bytes_limit_per_namespace\t8",
        "zk_mntr_quota_bytes_usage_per_namespace\t3",
        "zk_mntr_quota_count_limit_per_namespace\t9",
        "zk_mntr_quota_count_usage_per_namespace\t4",
        "zk_mntr_quota_exceeded_error_per_namespace\t1",
    ]
    ask_four_letters(enforcing.port, "srst")
    lines = ask_four_letters(enforcing.port, "mntr").splitlines()
    assert "zk_mntr_quota_exceeded_error_per_namespace\t0" in lines


# Without enforceQuota


def test_a_server_that_does_not_enforce_counts_all_the_same(client: RawClient) -> None:
    client.create("/lax")
    set_quota(client, "/lax", "countHardLimit=1;byteHardLimit=1")
    client.create("/lax/a", b"12345")
    assert figures(client, "/lax") == "count=2,bytes=5"
    for path in ("/lax/a", "/lax", f"{QUOTA}/lax/zookeeper_limits", f"{QUOTA}/lax/zookeeper_stats", f"{QUOTA}/lax"):
        client.delete(path)
