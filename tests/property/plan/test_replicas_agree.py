"""Random writes, any number in flight: every way to learn of them leads to the same tree."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.property.plan.world import KEYSPACE, Writer, image
from zkbridge.jute.multi import MultiOperation, MultiRequest
from zkbridge.jute.records import (
    ACL,
    CheckVersionRequest,
    CreateRequest,
    CreateTTLRequest,
    DeleteRequest,
    Id,
    SetACLRequest,
    SetDataRequest,
)
from zkbridge.plan.create import plan_create
from zkbridge.plan.delete import plan_delete, plan_delete_container
from zkbridge.plan.multi import plan_multi
from zkbridge.plan.plan import STALL, FailedMulti, Plan, PlanContext, encode_answer
from zkbridge.plan.session import plan_change_session, plan_close_session, plan_open_session
from zkbridge.plan.set_acl import plan_set_acl
from zkbridge.plan.set_data import plan_set_data
from zkbridge.tree.acl import Credentials
from zkbridge.tree.overlay import Overlay

SESSIONS = (0x100000000000001, 0x100000000000002)
SUPER = Credentials((("super", ""),), True)

_acls = st.sampled_from(
    (
        [ACL(31, Id("world", "anyone"))],
        [ACL(31, Id("digest", "u:h")), ACL(1, Id("world", "anyone"))],
        [ACL(-1, Id("ip", "10.0.0.0/8"))],
        [],
    )
)
_paths = st.sampled_from(
    (
        "/",
        "/a",
        "/b",
        "/a/x",
        "/a/y",
        "/a/x/1",
        "/b/x",
        "/zookeeper",
        "/zookeeper/config",
        "/zookeeper/quota/q",
        "//",
        "",
    )
)
_data = st.sampled_from((None, b"", b"some", b"d" * 200))
_versions = st.sampled_from((-1, -1, -1, 0, 1))

_creates = st.builds(CreateRequest, _paths, _data, _acls, st.sampled_from((0, 0, 0, 1, 2, 3, 4)))
_ttl_creates = st.builds(
    CreateTTLRequest, _paths, _data, _acls, st.sampled_from((0, 4, 5, 6)), st.sampled_from((1, 5_000, 0, 2**40))
)
_deletes = st.builds(DeleteRequest, _paths, _versions)
_set_datas = st.builds(SetDataRequest, _paths, _data, _versions)
_multi_operations: st.SearchStrategy[tuple[int, MultiOperation]] = st.one_of(
    st.tuples(st.sampled_from((1, 15, 19)), _creates),
    st.tuples(st.just(21), _ttl_creates),
    st.tuples(st.just(2), _deletes),
    st.tuples(st.just(2), _deletes),
    st.tuples(st.just(5), _set_datas),
    st.tuples(st.just(13), st.builds(CheckVersionRequest, _paths, _versions)),
)
_operations: st.SearchStrategy[tuple[str, object]] = st.one_of(
    st.tuples(st.just("create"), st.tuples(st.sampled_from((1, 15, 19)), _creates)),
    st.tuples(st.just("create"), st.tuples(st.just(21), _ttl_creates)),
    st.tuples(st.just("delete"), _deletes),
    st.tuples(st.just("set_data"), _set_datas),
    st.tuples(st.just("set_acl"), st.builds(SetACLRequest, _paths, _acls, _versions)),
    st.tuples(st.just("multi"), st.lists(_multi_operations, max_size=6)),
    st.tuples(st.just("multi"), st.lists(_multi_operations, max_size=6)),
    st.tuples(st.just("reap"), _paths),
    st.tuples(st.just("open"), st.none()),
    st.tuples(st.just("change"), st.integers(4_000, 40_000)),
    st.tuples(st.just("close"), st.none()),
)
_scripts = st.lists(st.tuples(st.sampled_from(SESSIONS), _operations, st.integers(0, 3)), max_size=40)


def _plan(kind: str, request: object, overlay: Overlay, context: PlanContext) -> Plan | FailedMulti | int:
    session_id = context.session_id
    if kind == "create":
        assert isinstance(request, tuple)
        return plan_create(request[1], request[0], overlay, context)
    if kind == "delete":
        assert isinstance(request, DeleteRequest)
        return plan_delete(request, overlay, context)
    if kind == "set_data":
        assert isinstance(request, SetDataRequest)
        return plan_set_data(request, overlay, context)
    if kind == "set_acl":
        assert isinstance(request, SetACLRequest)
        return plan_set_acl(request, overlay, context)
    if kind == "multi":
        assert isinstance(request, list)
        return plan_multi(MultiRequest(request), overlay, context)
    if kind == "reap":
        assert isinstance(request, str)
        return plan_delete_container(request, overlay, context)
    if kind == "open":
        if overlay.is_session_open(session_id):
            return 0
        return plan_open_session(session_id, 6_000, b"p" * 16, overlay, context, "b1")
    if kind == "change":
        assert isinstance(request, int)
        return plan_change_session(session_id, request, overlay, context)
    return plan_close_session(session_id, overlay, context)


def run_script(script: list[tuple[int, tuple[str, object], int]], are_in_flight: bool) -> tuple[Writer, list[object]]:
    """Plans a script, each step in its own millisecond; returns the outcomes, answers of plans included."""
    writer = Writer()
    outcomes: list[object] = []
    plans: list[tuple[int, Plan]] = []
    for session_id in SESSIONS:
        opened = plan_open_session(session_id, 6_000, b"p" * 16, writer.overlay, PlanContext(KEYSPACE, 0, SUPER))
        writer.submit(opened)
    writer.apply_all()
    for step, (session_id, (kind, request), applied_count) in enumerate(script):
        context = PlanContext(KEYSPACE, session_id, SUPER, 1_700_000_000_000 + step, True)
        before = writer.overlay.pending_count()
        outcome = _plan(kind, request, writer.overlay, context)
        if outcome == STALL:
            assert writer.in_flight, "a stall with nothing in flight would never end"
            assert writer.overlay.pending_count() == before
            writer.apply_all()
            outcome = _plan(kind, request, writer.overlay, context)
            assert outcome != STALL
        if isinstance(outcome, Plan):
            plans.append((len(outcomes), outcome))
            outcomes.append("plan")
            writer.submit(outcome)
        else:
            assert writer.overlay.pending_count() <= before or not writer.in_flight, "a refusal left a trace"
            outcomes.append(outcome.codes if isinstance(outcome, FailedMulti) else outcome)
        writer.apply(applied_count if are_in_flight else 1)
    writer.apply_all()
    for index, plan in plans:
        outcomes[index] = encode_answer(plan)
    return writer, outcomes


@settings(max_examples=300, deadline=None)
@given(_scripts)
def test_own_changes_foreign_events_and_a_fresh_load_make_the_same_tree(
    script: list[tuple[int, tuple[str, object], int]],
) -> None:
    writer, _ = run_script(script, True)
    expected = image(writer.replica)
    assert image(writer.foreign) == expected
    loaded = image(writer.store.load())
    assert loaded == expected


@settings(max_examples=200, deadline=None)
@given(_scripts)
def test_plans_in_flight_decide_as_if_each_were_applied_before_the_next(
    script: list[tuple[int, tuple[str, object], int]],
) -> None:
    in_flight, outcomes_in_flight = run_script(script, True)
    one_by_one, outcomes_one_by_one = run_script(script, False)
    assert outcomes_in_flight == outcomes_one_by_one
    assert image(in_flight.replica) == image(one_by_one.replica)
    assert in_flight.overlay.pending_count() == 0
    assert in_flight.overlay.pending_ephemeral_count() == 0
