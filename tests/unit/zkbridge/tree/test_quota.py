"""Quotas: their text, which one is over a path, what passes. Source: ZooKeeper StatsTrack, PathTrie, checkQuota."""

import pytest

from tests.property.plan.world import KEYSPACE
from tests.unit.zkbridge.plan.worlds import NOW_MS, SESSION, STRANGER, World, create
from zkbridge.errors import MARSHALLING_ERROR, OK, QUOTA_EXCEEDED
from zkbridge.plan.plan import Plan, PlanContext
from zkbridge.tree.quota import (
    NAMESPACES_MAX,
    WARNINGS_MAX,
    Quotas,
    encode_figures,
    namespace_figures,
    namespace_of,
    parse_figures,
)


@pytest.mark.parametrize(
    ("text", "figures"),
    [
        ("", {}),
        ("count=1,bytes=2", {"count": 1, "bytes": 2}),
        ("count=-1,bytes=5=;byteHardLimit=7", {"count": -1, "bytes": 5, "byteHardLimit": 7}),
        ("count==5", {"count": -1}),
        ("=5", {"": 5}),
        ("count=+5,;,", {"count": 5}),
        ("count=", None),
        (",count=5", None),
        ("count=5 ", None),
        ("count=9223372036854775808", None),
        ("nonsense", None),
    ],
)
def test_text_is_read_as_java_splits_it(text: str, figures: dict[str, int] | None) -> None:
    assert parse_figures(text.encode()) == figures


def test_count_and_bytes_come_first_and_all_else_sorted_behind_a_second_equals_sign() -> None:
    assert encode_figures({}) == b"count=-1,bytes=-1"
    assert encode_figures({"z": 3, "bytes": 2, "a": 1}) == b"count=-1,bytes=2=;a=1;z=3"
    assert parse_figures(None) is None


def test_the_deepest_path_with_limits_is_over_a_path() -> None:
    quotas = Quotas()
    for path in ("/a", "/a/b/c", ""):
        quotas.znode_created(f"/zookeeper/quota{path}/zookeeper_limits")
    quotas.znode_created("/zookeeper/quota/x/zookeeper_stats")
    paths = ("/a", "/a/b", "/a/b/c/d", "/ab", "/x", "/")
    assert [quotas.path_over(path) for path in paths] == ["/a", "/a", "/a/b/c", "", "", ""]
    quotas.znode_deleted("/zookeeper/quota/a/zookeeper_limits")
    assert quotas.path_over("/a/b") == ""


def test_what_the_log_and_the_metrics_hear_is_bounded() -> None:
    quotas = Quotas()
    for number in range(NAMESPACES_MAX + 5):
        code = quotas.check(f"/n{number}", f"n{number}", b"countHardLimit=0", b"count=0,bytes=0", True, 1, 0)
        assert code == QUOTA_EXCEEDED
    assert quotas.check("/n0", "n0", b"countHardLimit=0", b"count=5,bytes=0", True, 1, 0) == QUOTA_EXCEEDED
    assert len(quotas.exceeded) == NAMESPACES_MAX and quotas.exceeded["n0"] == 2
    warnings = quotas.take_warnings()
    assert len(warnings) == WARNINGS_MAX
    assert (warnings[0].times, warnings[0].value, warnings[0].limit, warnings[0].is_hard) == (2, 6, 0, True)
    assert quotas.take_warnings() == []


def test_a_soft_limit_warns_and_passes() -> None:
    quotas = Quotas()
    assert quotas.check("/a", "a", b"count=1,bytes=3", b"count=1,bytes=3", True, 1, 1) == OK
    told = [(warning.figure, warning.value, warning.is_hard) for warning in quotas.take_warnings()]
    assert told == [("count", 2, False), ("bytes", 4, False)]
    assert quotas.exceeded == {}
    assert quotas.check("/a", "a", b"count", b"", True, 1, 1) == MARSHALLING_ERROR
    assert quotas.check("/a", "a", b"count=0", None, False, 1, 1) == OK


def test_plans_are_refused_only_where_quotas_are_enforced() -> None:
    world = World()
    for path, data in (
        ("/q", b""),
        ("/zookeeper/quota/q", None),
        ("/zookeeper/quota/q/zookeeper_limits", b"countHardLimit=1;byteHardLimit=2"),
        ("/zookeeper/quota/q/zookeeper_stats", b""),
    ):
        world.create(path, data=data)
    assert isinstance(world.create("/q/lax"), Plan)
    world.context = PlanContext(KEYSPACE, SESSION, STRANGER, NOW_MS, True, True)
    assert world.create("/q/strict") == QUOTA_EXCEEDED
    assert world.set_data("/q", b"123") == QUOTA_EXCEEDED
    assert isinstance(world.set_data("/q", b"12"), Plan)
    assert not isinstance(world.multi(create("/p"), create("/q/x")), Plan)
    assert namespace_figures(world.replica.znodes) == {"q": (1, 2, 2, 2)}
    assert world.replica.quotas.exceeded == {"q": 3}


def test_names_of_metrics_are_the_first_of_a_path() -> None:
    assert [namespace_of(path) for path in ("/a", "/a/b", "/")] == ["a", "a", ""]
