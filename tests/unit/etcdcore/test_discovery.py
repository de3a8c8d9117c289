"""What a member reads out of the discovery cluster's keys."""

import pytest

from etcdcore.discovery import DiscoveryRefused, is_full, parse_size, registered
from etcdcore.pb.kv_pb2 import KeyValue


@pytest.mark.parametrize("text", ["", "0", "-1", "1.0", "one", " 1", "1_0", str(1 << 63)])
def test_a_size_is_a_positive_decimal_number(text: str) -> None:
    """etcd v3discovery getClusterSize."""
    assert (parse_size("1"), parse_size("+3"), parse_size(str((1 << 63) - 1))) == (1, 3, (1 << 63) - 1)
    with pytest.raises(DiscoveryRefused, match="discovery: size key is bad"):
        parse_size(text)


def test_members_come_in_the_order_of_their_registration() -> None:
    pairs = [
        KeyValue(key=b"m/a", value=b"a=http://a:1 ", create_revision=7),
        KeyValue(key=b"m/b", value=b"b=http://b:1", create_revision=5),
        KeyValue(key=b"m/c", value=b"nothing", create_revision=4),
    ]
    assert registered(pairs) == [("m/b", "b=http://b:1"), ("m/a", "a=http://a:1")]


def test_a_cluster_is_full_for_those_who_came_too_late() -> None:
    """etcd v3discovery checkCluster."""
    members = [("m/b", "b=x"), ("m/a", "a=x")]
    assert not is_full([], "m/a", 1)
    assert not is_full(members, "m/b", 1)
    assert is_full(members, "m/a", 1)
    assert not is_full(members, "m/a", 2)
    assert not is_full(members, "m/c", 3)
