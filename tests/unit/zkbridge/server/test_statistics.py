"""Counting by namespace and of sizes. Source: ZooKeeper DataTree.updateReadStat, BufferStats."""

from zkbridge.server.statistics import NAMESPACES_MAX, OTHER_NAMESPACES, Namespaces, ResponseSizes, ServerStatistics
from zkbridge.tree.acl import OPEN_ACL
from zkbridge.tree.changes import DataSet, ZnodeCreated, ZnodeDeleted


def test_the_namespace_is_the_first_name_of_a_path() -> None:
    namespaces = Namespaces()
    for path in ("/a", "/a/b", "/a/b/c", "/ab", "/"):
        namespaces.note(path, 10)
    assert namespaces.summaries["a"].highest == 16
    assert {name: (summary.count, summary.total) for name, summary in namespaces.summaries.items()} == {
        "a": (3, 30 + 2 + 4 + 6),
        "ab": (1, 10 + 3),
    }


def test_namespaces_past_the_bound_are_counted_as_one() -> None:
    """Clients choose the names of znodes."""
    namespaces = Namespaces()
    for number in range(NAMESPACES_MAX + 5):
        namespaces.note(f"/n{number}", 0)
    assert len(namespaces.summaries) == NAMESPACES_MAX + 1
    assert namespaces.summaries[OTHER_NAMESPACES].count == 5


def test_every_change_of_a_znode_is_a_write_of_its_namespace() -> None:
    statistics = ServerStatistics(0)
    created = ZnodeCreated("/a/b", b"12", OPEN_ACL, 0, 0)
    statistics.note_changes([created, DataSet("/a/b", None, 1, 0), ZnodeDeleted("/a/b")])
    summary = statistics.writes.summaries["a"]
    assert (summary.count, summary.total, summary.highest) == (3, 3 * 4 + 2, 6)


def test_response_sizes_are_minus_one_before_there_is_one() -> None:
    sizes = ResponseSizes()
    assert (sizes.last, sizes.lowest, sizes.highest) == (-1, -1, -1)
    sizes.note_frames([bytes(4 + 16), bytes(4)])
    sizes.note_frames([bytes(4 + 9)])
    sizes.note_frames([])
    assert (sizes.last, sizes.lowest, sizes.highest, sizes.total) == (9, 0, 16, 25)
    sizes.reset()
    assert (sizes.last, sizes.lowest, sizes.highest, sizes.total) == (-1, -1, -1, 25)


def test_latencies_are_of_reads_and_writes_together() -> None:
    statistics = ServerStatistics(0)
    assert (statistics.latency_min_ms, statistics.latency_average_ms, statistics.latency_max_ms) == (0, 0.0, 0)
    statistics.update_latency_ms.note(8)
    assert statistics.latency_min_ms == 8
    statistics.read_latency_ms.note_many(2, 3)
    assert (statistics.latency_min_ms, statistics.latency_average_ms, statistics.latency_max_ms) == (2, 3.5, 8)
    statistics.reset(0)
    assert (statistics.latency_min_ms, statistics.latency_average_ms, statistics.latency_max_ms) == (0, 0.0, 0)


def test_a_reset_takes_off_what_open_connections_have_sent() -> None:
    statistics = ServerStatistics(0)
    statistics.sent_count = 5
    statistics.reset(7)
    assert statistics.sent_count + 7 == 0
