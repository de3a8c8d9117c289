"""Whatever an etcd client does to the keys of a tree: the replica becomes what a restart would have loaded."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property.plan.world import KEYSPACE, Writer, image
from zkbridge.backend.interface import StoreEvent
from zkbridge.jute.records import ACL, CreateRequest, Id
from zkbridge.keyspace.changes import changes_from_events, unsettled_parents
from zkbridge.keyspace.records import encode_children, encode_session, encode_znode
from zkbridge.plan.create import plan_create
from zkbridge.plan.plan import Plan, PlanContext
from zkbridge.plan.session import plan_open_session, plan_settle_parents
from zkbridge.tree.acl import OPEN_ACL, AclEntry, Credentials
from zkbridge.tree.znode import CONTAINER_OWNER, TTL_OWNER

SESSIONS = (0x100000000000001, 0x100000000000002)
SUPER = Credentials((("super", ""),), True)
NOW_MS = 1_700_000_000_000
TREE = (("/a", 0), ("/a/x", 0), ("/a/y", 1), ("/b", 0), ("/a/x/1", 1))

_paths = st.sampled_from(
    ("/", "/a", "/b", "/a/x", "/a/y", "/a/x/1", "/b/x", "/c", "/c/d", "/zookeeper", "/zookeeper/config")
)
_acls = st.sampled_from((OPEN_ACL, (AclEntry(31, "digest", "u:h"),), (AclEntry(1, "world", "anyone"),)))
_owners = st.sampled_from((0, 0, 0, *SESSIONS, CONTAINER_OWNER, TTL_OWNER + 5_000))
_int32 = st.sampled_from((0, 1, 7, -1, 2**31 - 1, -(2**31)))
_revisions = st.sampled_from((0, 3, 101, 104, 10_000))
_past_revisions = st.sampled_from((0, 3, 101, 104))

_records = st.builds(
    encode_znode,
    st.sampled_from((0, NOW_MS, NOW_MS + 5)),
    st.sampled_from((0, NOW_MS, NOW_MS + 7)),
    _int32,
    st.sampled_from((None, b"", b"foreign")),
    _int32,
    _owners,
    _acls,
    st.one_of(st.just(-1), _revisions),
    _past_revisions,
    st.booleans(),
)
_session_keys = st.sampled_from([KEYSPACE.session_key(session_id) for session_id in SESSIONS])
_puts = st.one_of(
    st.tuples(_paths.map(KEYSPACE.znode_key), _records),
    st.tuples(_paths.map(KEYSPACE.znode_key), _records),
    st.tuples(_paths.map(KEYSPACE.children_key), st.builds(encode_children, _int32, _past_revisions)),
    st.tuples(
        _session_keys,
        st.builds(encode_session, st.sampled_from((b"p" * 16, b"q" * 3)), st.integers(0, 2**31 - 1), st.just("b2")),
    ),
)
_deletes = st.one_of(
    _paths.map(KEYSPACE.znode_key), _paths.map(KEYSPACE.children_key), _session_keys
).map(lambda key: (key, None))
_transactions = st.lists(st.one_of(_puts, _puts, _deletes), min_size=1, max_size=4, unique_by=lambda item: item[0])


def _world() -> Writer:
    writer = Writer()
    server = PlanContext(KEYSPACE, 0, SUPER, NOW_MS)
    for session_id in SESSIONS:
        writer.submit(plan_open_session(session_id, 6_000, b"p" * 16, writer.overlay, server))
    context = PlanContext(KEYSPACE, SESSIONS[0], SUPER, NOW_MS)
    for path, flags in TREE:
        request = CreateRequest(path, b"own", [ACL(31, Id("world", "anyone"))], flags)
        plan = plan_create(request, 1, writer.overlay, context)
        assert isinstance(plan, Plan)
        writer.submit(plan)
        writer.apply_all()
    return writer


def _events(writer: Writer, transaction: list[tuple[bytes, bytes | None]]) -> list[StoreEvent]:
    """What the next revision would be."""
    records = writer.store.records
    revision = writer.store.revision + 1
    events: list[StoreEvent] = []
    for key, value in transaction:
        old = records.get(key)
        if value is not None:
            created = revision if old is None else old.create_revision
            events.append(StoreEvent(True, key, value, created, revision, 0))
        elif old is not None:
            events.append(StoreEvent(False, key, b"", 0, revision, 0))
    return events


def _take(writer: Writer, events: list[StoreEvent]) -> None:
    """The store and the replica take the revision, and what has to be settled is."""
    store = writer.store
    store.revision += 1
    for event in events:
        if event.is_put:
            store.records[event.key] = event
        else:
            del store.records[event.key]
    changes = changes_from_events(events, writer.replica, KEYSPACE)
    unsettled = unsettled_parents(changes, writer.replica)
    writer.replica.apply(store.revision, changes)
    if unsettled:
        plan = plan_settle_parents(unsettled, writer.overlay, PlanContext(KEYSPACE, 0, SUPER, NOW_MS))
        if isinstance(plan, Plan):
            writer.submit(plan)
            (_, revision, _) = writer.in_flight.pop()
            writer.replica.apply(revision, plan.changes)
            writer.overlay.settle(plan)


@settings(max_examples=400, deadline=None)
@given(st.lists(_transactions, min_size=1, max_size=5))
def test_foreign_writes_leave_the_replica_that_a_restart_would_load(
    transactions: list[list[tuple[bytes, bytes | None]]],
) -> None:
    """What no tree can have is passed over and told; the store is then another than the tree, so it is left out."""
    writer = _world()
    for transaction in transactions:
        events = _events(writer, transaction)
        strange: list[str] = []
        changes_from_events(events, writer.replica, KEYSPACE, strange)
        if events and not strange:
            _take(writer, events)
            assert image(writer.replica) == image(writer.store.load())
