"""Stats of quotas, kept as the tree changes, are what counting gives; a fresh load makes the same."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property.plan.test_replicas_agree import run_script
from tests.property.plan.world import Writer, image
from zkbridge.jute.records import ACL, CreateRequest, DeleteRequest, Id, SetDataRequest

QUOTAS = ("/a", "/a/x", "/b", "/zookeeper/quota/a")
OPEN = [ACL(31, Id("world", "anyone"))]

_paths = st.sampled_from(("/a", "/a/x", "/a/x/1", "/a/y", "/b", "/b/z", "/c"))
_data = st.sampled_from((None, b"", b"some", b"d" * 200))
_creates = st.builds(CreateRequest, _paths, _data, st.just(OPEN), st.integers(0, 3))
_operations: st.SearchStrategy[tuple[str, object]] = st.one_of(
    st.tuples(st.just("create"), st.tuples(st.just(1), _creates)),
    st.tuples(st.just("delete"), st.builds(DeleteRequest, _paths, st.just(-1))),
    st.tuples(st.just("set_data"), st.builds(SetDataRequest, _paths, _data, st.just(-1))),
    st.tuples(st.sampled_from(("open", "close")), st.none()),
    st.tuples(
        st.just("multi"),
        st.lists(
            st.one_of(
                st.tuples(st.just(1), _creates),
                st.tuples(st.just(2), st.builds(DeleteRequest, _paths, st.just(-1))),
                st.tuples(st.just(5), st.builds(SetDataRequest, _paths, _data, st.just(-1))),
            ),
            max_size=4,
        ),
    ),
)
_sessions = st.sampled_from((0x100000000000001, 0x100000000000002))


def _quota_creates() -> list[tuple[int, tuple[str, object], int]]:
    """As setquota makes them, limits before stats."""
    paths: dict[str, bytes | None] = {}
    for quota in QUOTAS:
        at = "/zookeeper/quota"
        for name in quota.split("/")[1:]:
            at += f"/{name}"
            paths.setdefault(at, None)
        paths[f"{at}/zookeeper_limits"] = b"count=1,bytes=1"
        paths[f"{at}/zookeeper_stats"] = b"count=0,bytes=0"
    return [
        (0x100000000000001, ("create", (1, CreateRequest(path, data, OPEN, 0))), 1) for path, data in paths.items()
    ]


def _counted(writer: Writer, quota: str) -> bytes:
    """The figures of a path and all below it, by looking at each."""
    inside = [
        (path, znode)
        for path, znode in writer.replica.znodes.items()
        if path == quota or path.startswith(f"{quota}/")
    ]
    return b"count=%d,bytes=%d" % (len(inside), sum(len(znode.data or b"") for _, znode in inside))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(_sessions, _operations, st.integers(0, 3)), max_size=30))
def test_figures_are_those_of_a_count(script: list[tuple[int, tuple[str, object], int]]) -> None:
    writer, _ = run_script(_quota_creates() + script, True)
    writer.replica.check_invariants()
    for quota in ("/a/x", "/b"):  # those that have no quota below them
        stats = writer.replica.znodes[f"/zookeeper/quota{quota}/zookeeper_stats"]
        assert stats.data == _counted(writer, quota)
    loaded = writer.store.load()
    loaded.check_invariants()
    for quota in ("/a/x", "/b"):
        path = f"/zookeeper/quota{quota}/zookeeper_stats"
        assert loaded.znodes[path].data == writer.replica.znodes[path].data
    assert loaded.quotas.limited == writer.replica.quotas.limited == set(QUOTAS)
    assert image(writer.foreign)["znodes"] == image(writer.replica)["znodes"]
