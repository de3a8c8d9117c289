"""The life of a session as plans. Source: reference 4.4, design 5."""

from tests.property.plan.world import KEYSPACE
from tests.unit.zkbridge.plan.worlds import SESSION, World, create
from zkbridge.jute.records import DeleteRequest
from zkbridge.keyspace.records import encode_children, encode_session
from zkbridge.plan.plan import Plan
from zkbridge.plan.session import plan_change_session, plan_close_session
from zkbridge.tree.changes import SessionClosed, ZnodeDeleted


def test_a_session_and_its_ephemerals_hang_on_the_lease_of_its_number() -> None:
    world = World()
    world.create("/e", flags=1)
    world.create("/p")
    world.set_data("/e")
    leases = {key: record.lease for key, record in world.store.records.items()}
    assert leases == {KEYSPACE.session_key(SESSION): SESSION, b"/zk/n/e": SESSION, b"/zk/n/p": 0, b"/zk/c/": 0}


def test_a_close_deletes_all_ephemerals_in_one_revision_those_in_flight_too() -> None:
    world = World()
    world.create("/p")
    world.create("/p/applied", flags=1)
    world.hold = True
    world.create("/p/in-flight", flags=1)
    world.create("/other")
    plan = plan_close_session(SESSION, world.overlay, world.context)
    assert isinstance(plan, Plan)
    assert plan.session_key == KEYSPACE.session_key(SESSION)
    assert plan.puts == [(b"/zk/c/p", encode_children(2), 0)]
    assert set(plan.deletes) == {b"/zk/n/p/applied", b"/zk/n/p/in-flight", KEYSPACE.session_key(SESSION)}
    assert [type(change) for change in plan.changes] == [ZnodeDeleted, ZnodeDeleted, SessionClosed]
    world.done(plan)
    world.apply_all()
    assert world.replica.znodes["/p"].children is None
    assert world.replica.znodes["/p"].pzxid == world.store.revision
    assert world.replica.sessions == {}
    assert world.replica.ephemerals == {}


def test_an_ephemeral_deleted_in_flight_is_not_deleted_twice() -> None:
    world = World()
    world.create("/e", flags=1)
    world.hold = True
    world.delete("/e")
    plan = plan_close_session(SESSION, world.overlay, world.context)
    assert isinstance(plan, Plan)
    assert plan.deletes == [KEYSPACE.session_key(SESSION)]


def test_a_reattached_session_keeps_its_password() -> None:
    world = World()
    plan = plan_change_session(SESSION, 9_000, world.overlay, world.context, "b2")
    assert isinstance(plan, Plan)
    assert plan.puts == [(KEYSPACE.session_key(SESSION), encode_session(b"p" * 16, 9_000, "b2"), SESSION)]
    world.done(plan)
    record = world.replica.sessions[SESSION]
    assert (record.timeout_ms, record.password, record.bridge) == (9_000, b"p" * 16, "b2")


def test_an_ephemeral_in_flight_that_a_multi_makes_persistent_is_forgotten() -> None:
    world = World()
    world.hold = True
    world.create("/e", flags=1)
    world.multi((2, DeleteRequest("/e", -1)), create("/e"))
    plan = plan_close_session(SESSION, world.overlay, world.context)
    assert isinstance(plan, Plan)
    assert plan.deletes == [KEYSPACE.session_key(SESSION)]
    world.apply_all()
    assert world.overlay.pending_ephemeral_count() == 0
