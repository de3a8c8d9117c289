"""Range, Put, DeleteRange and Compact (reference sections 2.1, 2.2, 2.3, 2.5)."""

from __future__ import annotations

import pytest

from etcdcore.pb import rpc_pb2 as pb
from integration.etcd.behaviour.client import Client, Refused
from integration.peers.etcd import EtcdServer

KEY_NOT_PROVIDED = (3, "etcdserver: key is not provided")
COMPACTED = (11, "etcdserver: mvcc: required revision has been compacted")
FUTURE = (11, "etcdserver: mvcc: required revision is a future revision")


def refusal(refused: pytest.ExceptionInfo[Refused]) -> tuple[int, str]:
    return refused.value.code, refused.value.text


def test_a_fresh_store_is_at_revision_one_and_each_write_is_the_next(fresh: Client) -> None:
    assert fresh.revision() == 1
    assert fresh.put(b"a").header.revision == 2
    assert fresh.put(b"a").header.revision == 3
    assert fresh.delete(b"x").header.revision == 3
    assert fresh.delete(b"a").header.revision == 4


def test_a_key_has_its_lives(client: Client, prefix: bytes) -> None:
    """V3PutOverwrite."""
    key = prefix + b"k"
    first = client.put(key, b"1").header.revision
    second = client.put(key, b"2").header.revision
    pair = client.range(pb.RangeRequest(key=key)).kvs[0]
    assert (pair.create_revision, pair.mod_revision, pair.version, pair.value) == (first, second, 2, b"2")
    client.delete(key)
    third = client.put(key, b"2").header.revision
    pair = client.range(pb.RangeRequest(key=key)).kvs[0]
    assert (pair.create_revision, pair.mod_revision, pair.version) == (third, third, 1)


def test_an_empty_value_is_a_value(client: Client, prefix: bytes) -> None:
    """KVWithEmptyValue."""
    client.put(prefix + b"k", b"")
    assert client.get(prefix + b"k") == [(prefix + b"k", b"")]


def test_the_previous_pair_comes_if_asked_for(client: Client, prefix: bytes) -> None:
    key = prefix + b"k"
    assert not client.put(key, b"1", prev_kv=True).HasField("prev_kv")
    assert client.put(key, b"2", prev_kv=True).prev_kv.value == b"1"
    assert not client.put(key, b"3").HasField("prev_kv")
    assert [pair.value for pair in client.delete(key, prev_kv=True).prev_kvs] == [b"3"]


def test_ignore_value_keeps_the_value(client: Client, prefix: bytes) -> None:
    """V3PutIgnoreValue."""
    key = prefix + b"k"
    lease = client.grant(100).ID
    with pytest.raises(Refused) as refused:
        client.put(key, b"", ignore_value=True)
    assert refusal(refused) == (3, "etcdserver: key not found")
    client.put(key, b"kept")
    with pytest.raises(Refused) as refused:
        client.put(key, b"x", ignore_value=True)
    assert refusal(refused) == (3, "etcdserver: value is provided")
    client.put(key, b"", ignore_value=True, lease=lease)
    pair = client.range(pb.RangeRequest(key=key)).kvs[0]
    assert (pair.value, pair.lease, pair.version) == (b"kept", lease, 2)


def test_ignore_lease_keeps_the_lease(client: Client, prefix: bytes) -> None:
    """V3PutIgnoreLease."""
    key = prefix + b"k"
    lease = client.grant(100).ID
    with pytest.raises(Refused) as refused:
        client.put(key, b"", ignore_lease=True)
    assert refusal(refused) == (3, "etcdserver: key not found")
    client.put(key, b"1", lease=lease)
    with pytest.raises(Refused) as refused:
        client.put(key, b"x", lease=lease, ignore_lease=True)
    assert refusal(refused) == (3, "etcdserver: lease is provided")
    client.put(key, b"2", ignore_lease=True)
    pair = client.range(pb.RangeRequest(key=key)).kvs[0]
    assert (pair.value, pair.lease) == (b"2", lease)


@pytest.mark.parametrize("path", ["Range", "Put", "DeleteRange"])
def test_a_key_must_be_given(client: Client, path: str) -> None:
    with pytest.raises(Refused) as refused:
        client.call(f"/etcdserverpb.KV/{path}", b"", pb.RangeResponse)
    assert refusal(refused) == KEY_NOT_PROVIDED


def test_a_put_on_a_lease_that_is_not_there_leaves_no_trace(client: Client, prefix: bytes) -> None:
    """V3PutOnNonExistLease."""
    before = client.revision()
    with pytest.raises(Refused) as refused:
        client.put(prefix + b"k", lease=123456)
    assert refusal(refused) == (5, "etcdserver: requested lease not found")
    assert (client.get(prefix), client.revision()) == ([], before)


@pytest.mark.parametrize(
    ("begin", "end", "deleted", "left"),
    [
        # V3DeleteRange
        (b"fo", b"fop", [b"foo"], [b"bar", b"fop"]),
        (b"fo", b"foz", [b"foo", b"fop"], [b"bar"]),
        (b"foo", b"", [b"foo"], [b"bar", b"fop"]),
        (b"foo", b"fo", [], [b"bar", b"foo", b"fop"]),
        (b"zz", b"zzz", [], [b"bar", b"foo", b"fop"]),
    ],
)
def test_intervals_are_deleted_in_key_order_in_one_revision(
    client: Client, prefix: bytes, begin: bytes, end: bytes, deleted: list[bytes], left: list[bytes]
) -> None:
    for name in (b"fop", b"foo", b"bar"):
        client.put(prefix + name)
    before = client.revision()
    answer = client.delete(prefix + begin, prefix + end if end else b"", prev_kv=True)
    assert answer.deleted == len(deleted)
    assert [pair.key for pair in answer.prev_kvs] == [prefix + name for name in deleted]
    assert answer.header.revision == before + (1 if deleted else 0)
    assert [key for key, _ in client.get(prefix)] == [prefix + name for name in left]


def test_the_whole_keyspace_can_be_read_and_deleted(fresh: Client) -> None:
    for key in (b"\0", b"a", b"\xff\xff"):
        fresh.put(key)
    everything = pb.RangeRequest(key=b"\0", range_end=b"\0")
    assert [pair.key for pair in fresh.range(everything).kvs] == [b"\0", b"a", b"\xff\xff"]
    assert [pair.key for pair in fresh.range(pb.RangeRequest(key=b"a", range_end=b"\0")).kvs] == [b"a", b"\xff\xff"]
    assert fresh.delete(b"\0", b"\0").deleted == 3
    assert fresh.range(everything).count == 0


_KEYS = [b"a", b"b", b"c", b"d", b"e"]


@pytest.mark.parametrize(
    ("options", "names", "more", "count"),
    [
        # V3RangeRequest: `b` is written last and has the smallest value; `d` was put twice.
        ({}, b"abcde", False, 5),
        ({"limit": 2}, b"ab", True, 5),
        ({"limit": 5}, b"abcde", False, 5),
        ({"limit": -1}, b"abcde", False, 5),
        ({"count_only": True}, b"", False, 5),
        ({"count_only": True, "limit": 1}, b"", False, 5),
        ({"sort_order": 2}, b"edcba", False, 5),
        ({"sort_order": 2, "limit": 2}, b"ed", True, 5),
        ({"sort_order": 1, "sort_target": 4}, b"bacde", False, 5),
        ({"sort_order": 2, "sort_target": 1, "limit": 1}, b"d", True, 5),
        ({"sort_order": 1, "sort_target": 2}, b"acdeb", False, 5),
        ({"sort_order": 2, "sort_target": 3}, b"bdeca", False, 5),
        # Without an order only the first limit + 1 keys are sorted, ascending.
        ({"sort_target": 4, "limit": 1}, b"b", True, 5),
        ({"sort_target": 3, "limit": 3}, b"acd", True, 5),
    ],
)
def test_ranges_are_sorted_limited_and_counted(
    client: Client, prefix: bytes, options: dict[str, int], names: bytes, more: bool, count: int
) -> None:
    for name, value in ((b"a", b"5"), (b"c", b"6"), (b"d", b"7"), (b"e", b"8"), (b"d", b"7"), (b"b", b"1")):
        client.put(prefix + name, value)
    request = pb.RangeRequest(key=prefix, range_end=prefix + b"\xff", **options)  # type: ignore[arg-type]  # bools too
    found = client.range(request)
    assert [pair.key for pair in found.kvs] == [prefix + bytes([name]) for name in names]
    assert (found.more, found.count) == (more, count)


def test_filters_by_revision_are_inclusive_and_do_not_change_the_count(client: Client, prefix: bytes) -> None:
    revisions = [client.put(prefix + name).header.revision for name in (b"a", b"b", b"c")]
    client.put(prefix + b"a")
    for options, names, more in (
        ({"min_mod_revision": revisions[2]}, b"ac", False),
        ({"max_mod_revision": revisions[1]}, b"b", False),
        ({"min_create_revision": revisions[1]}, b"bc", False),
        ({"max_create_revision": revisions[1]}, b"ab", False),
        ({"max_create_revision": revisions[1], "limit": 1}, b"a", True),
        ({"min_mod_revision": revisions[2], "limit": 2}, b"ac", False),
    ):
        request = pb.RangeRequest(key=prefix, range_end=prefix + b"\xff", **options)  # type: ignore[arg-type]  # as above
        found = client.range(request)
        assert [pair.key for pair in found.kvs] == [prefix + bytes([name]) for name in names]
        assert (found.more, found.count) == (more, 3)


def test_keys_only_leaves_out_nothing_but_the_value(client: Client, prefix: bytes) -> None:
    lease = client.grant(100).ID
    client.put(prefix + b"k", b"v", lease=lease)
    whole = client.range(pb.RangeRequest(key=prefix + b"k")).kvs[0]
    whole.value = b""
    assert client.range(pb.RangeRequest(key=prefix + b"k", keys_only=True)).kvs[0] == whole


@pytest.mark.parametrize("options", [{"sort_order": 7}, {"sort_target": 9}, {"sort_order": -1}])
def test_unknown_sort_options_are_refused(client: Client, options: dict[str, int]) -> None:
    with pytest.raises(Refused) as refused:
        client.range(pb.RangeRequest(key=b"a", **options))  # type: ignore[arg-type]  # numbers that are no enums
    assert refusal(refused) == (3, "etcdserver: invalid sort option")


def test_old_revisions_are_read_and_the_header_tells_the_present_one(client: Client, prefix: bytes) -> None:
    key = prefix + b"k"
    first = client.put(key, b"1").header.revision
    second = client.put(key, b"2").header.revision
    found = client.range(pb.RangeRequest(key=key, revision=first))
    assert (found.kvs[0].value, found.header.revision >= second) == (b"1", True)
    assert client.get(key, revision=first - 1) == []
    assert client.get(key, revision=-5) == [(key, b"2")]
    client.delete(key)
    assert client.get(key, revision=second) == [(key, b"2")]
    with pytest.raises(Refused) as refused:
        client.get(key, revision=client.revision() + 1)
    assert refusal(refused) == FUTURE


@pytest.mark.parametrize("serializable", [False, True])
def test_reads_see_what_was_acknowledged_before(client: Client, prefix: bytes, serializable: bool) -> None:
    for number in range(20):
        revision = client.put(prefix + b"k", b"%d" % number).header.revision
        found = client.range(pb.RangeRequest(key=prefix + b"k", serializable=serializable))
        assert (found.kvs[0].value, found.header.revision >= revision) == (b"%d" % number, True)


def test_compaction_has_its_bounds(fresh: Client) -> None:
    """V3CompactCurrentRev; reference 2.5, 8.3.16."""
    for number in range(5):
        fresh.put(b"k", b"%d" % number)
    with pytest.raises(Refused) as refused:
        fresh.compact(7)
    assert refusal(refused) == FUTURE
    assert fresh.compact(3, physical=True).header.revision == 6
    assert fresh.get(b"k", revision=3) == [(b"k", b"1")]
    with pytest.raises(Refused) as refused:
        fresh.get(b"k", revision=2)
    assert refusal(refused) == COMPACTED
    for revision in (3, 1, 0, -1):
        with pytest.raises(Refused) as refused:
            fresh.compact(revision)
        assert refusal(refused) == COMPACTED
    fresh.compact(6)
    assert fresh.get(b"k", revision=6) == fresh.get(b"k") == [(b"k", b"4")]


def test_revision_zero_compacts_once(fresh: Client) -> None:
    fresh.compact(0)
    with pytest.raises(Refused) as refused:
        fresh.compact(0)
    assert refusal(refused) == COMPACTED


def test_deleted_and_overwritten_keys_survive_compaction_as_they_should(fresh: Client) -> None:
    fresh.put(b"gone")
    fresh.put(b"kept", b"1")
    deleted = fresh.delete(b"gone").header.revision
    fresh.put(b"kept", b"2")
    fresh.compact(deleted, physical=True)
    assert fresh.get(b"gone", revision=deleted) == []
    assert fresh.get(b"kept", revision=deleted) == [(b"kept", b"1")]


def test_the_revision_survives_a_restart_after_compaction_of_everything(etcd: EtcdServer) -> None:
    """8.3.1; V3PutRestart."""
    client = Client(etcd)
    client.put(b"k", b"1")
    client.put(b"k", b"2")
    last = client.delete(b"k").header.revision
    client.compact(last, physical=True)
    client.close()
    etcd.kill()
    etcd.start()
    client = Client(etcd)
    assert client.revision() == last
    assert client.put(b"k").header.revision == last + 1
    with pytest.raises(Refused) as refused:
        client.get(b"k", revision=last - 1)
    assert refusal(refused) == COMPACTED
    client.close()


@pytest.mark.parametrize("size", [1_572_864 - 100, 1_000_000])
def test_large_values_are_kept(client: Client, prefix: bytes, size: int) -> None:
    """V3LargeRequests."""
    size -= len(prefix)
    value = b"x" * size
    client.put(prefix + b"k", value)
    assert client.get(prefix + b"k") == [(prefix + b"k", value)]


def test_a_request_past_the_limit_is_refused(client: Client, prefix: bytes) -> None:
    """V3TooLargeRequest: by etcd up to gRPC's own limit, past that by gRPC."""
    with pytest.raises(Refused) as refused:
        client.put(prefix + b"k", b"x" * 1_572_864)
    assert refusal(refused) == (3, "etcdserver: request is too large")
    with pytest.raises(Refused) as refused:
        client.put(prefix + b"k", b"x" * (1_572_864 + 524_288))
    assert refused.value.code == 8


def test_headers_name_the_cluster_the_member_and_the_term(client: Client, prefix: bytes) -> None:
    first = client.put(prefix + b"k").header
    second = client.range(pb.RangeRequest(key=prefix + b"k")).header
    assert first == second
    assert first.cluster_id and first.member_id and first.raft_term


def test_unknown_fields_are_passed_over(client: Client, prefix: bytes) -> None:
    """8.3.29."""
    request = pb.PutRequest(key=prefix + b"k", value=b"v").SerializeToString() + b"\xfa\x3e\x03abc"
    client.call("/etcdserverpb.KV/Put", request, pb.PutResponse)
    assert client.get(prefix + b"k") == [(prefix + b"k", b"v")]


@pytest.mark.parametrize("path", ["/etcdserverpb.KV/Put", "/etcdserverpb.KV/Range", "/etcdserverpb.KV/Txn"])
def test_what_is_no_message_is_an_internal_error(client: Client, path: str) -> None:
    with pytest.raises(Refused) as refused:
        client.call(path, b"\x0a\xff", pb.PutResponse)
    assert refused.value.code == 13
    assert refused.value.text.startswith("grpc: error unmarshalling request: ")


def test_a_client_that_wants_a_leader_is_served_by_one(client: Client) -> None:
    """GRPCRequireLeader, the half of it that one member can show."""
    metadata = [("hasleader", "true"), ("client-api-version", "3.6.0")]
    client.call("/etcdserverpb.KV/Range", pb.RangeRequest(key=b"k"), pb.RangeResponse, metadata)
