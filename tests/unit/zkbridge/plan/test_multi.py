"""multi: at most one operation for each key, a result for each operation. Source: reference section 2.4, design 2."""

import pytest

from tests.unit.zkbridge.plan.worlds import NOW_MS, OPEN, World, create
from zkbridge.errors import BAD_ARGUMENTS, MARSHALLING_ERROR
from zkbridge.jute.multi import MultiOperation, MultiResponse
from zkbridge.jute.records import (
    ACL,
    CheckVersionRequest,
    Create2Response,
    CreateResponse,
    CreateTTLRequest,
    DeleteRequest,
    ErrorResponse,
    Id,
    SetDataRequest,
    SetDataResponse,
)
from zkbridge.keyspace.records import encode_children, encode_znode
from zkbridge.plan.plan import STALL, FailedMulti, Plan, encode_answer


def set_data(path: str | None, data: bytes = b"new", version: int = -1) -> tuple[int, MultiOperation]:
    return 5, SetDataRequest(path, data, version)


def delete(path: str | None, version: int = -1) -> tuple[int, MultiOperation]:
    return 2, DeleteRequest(path, version)


def check(path: str | None, version: int = -1) -> tuple[int, MultiOperation]:
    return 13, CheckVersionRequest(path, version)


def keys_of(plan: object) -> tuple[dict[bytes, bytes], list[bytes]]:
    assert isinstance(plan, Plan)
    return {key: value for key, value, _ in plan.puts}, plan.deletes


def answer_of(plan: object) -> MultiResponse:
    assert isinstance(plan, Plan)
    return MultiResponse.decode(encode_answer(plan))


def test_kafkas_broker_registration_is_one_put_with_both_results() -> None:
    world = World()
    plan = world.multi(create("/ids", None, flags=1), set_data("/ids", b"json", version=0))
    puts, deletes = keys_of(plan)
    value = encode_znode(NOW_MS, NOW_MS, 1, b"json", owner=world.context.session_id)
    assert puts == {b"/zk/n/ids": value, b"/zk/c/": encode_children(1)}
    assert deletes == []
    created, changed = answer_of(plan).results
    assert created == (1, CreateResponse("/ids"))
    assert isinstance(changed[1], SetDataResponse)
    assert changed[1].stat.version == 1
    assert changed[1].stat.czxid == world.store.revision


def test_create_and_delete_of_one_path_write_the_parents_count_only() -> None:
    puts, deletes = keys_of(World().multi(create("/a"), delete("/a")))
    assert (puts, deletes) == ({b"/zk/c/": encode_children(1)}, [])


def test_create_delete_create_of_one_path_is_an_ordinary_new_key() -> None:
    world = World()
    puts, deletes = keys_of(world.multi(create("/a", b"1"), delete("/a"), create("/a", b"2")))
    assert puts == {b"/zk/n/a": encode_znode(NOW_MS, NOW_MS, 0, b"2"), b"/zk/c/": encode_children(2)}
    assert deletes == []
    assert world.replica.reborn == set()


def test_delete_and_create_of_a_znode_is_one_put_marked_reborn() -> None:
    world = World()
    world.create("/a")
    world.create("/a/child")
    world.delete("/a/child")
    puts, deletes = keys_of(world.multi(delete("/a"), create("/a", b"2")))
    assert puts[b"/zk/n/a"] == encode_znode(NOW_MS, NOW_MS, 0, b"2", reborn=True)
    assert deletes == [b"/zk/c/a"]
    assert world.replica.znodes["/a"].czxid == world.store.revision
    assert world.store.load().znodes["/a"].stat() == world.replica.znodes["/a"].stat()


def test_a_reborn_znode_keeps_its_czxid_through_later_writes() -> None:
    world = World()
    world.create("/a")
    world.multi(delete("/a"), create("/a"))
    czxid = world.store.revision
    world.set_data("/a")
    world.set_acl("/a", [ACL(31, Id("world", "anyone")), ACL(1, Id("ip", "10.0.0.1"))])
    assert world.store.load().znodes["/a"].czxid == czxid


def test_what_needs_a_revision_in_flight_stalls_and_goes_through_afterwards() -> None:
    world = World()
    world.create("/a")
    world.hold = True
    world.multi(delete("/a"), create("/a"))
    assert world.set_data("/a") == STALL
    assert world.set_acl("/a") == STALL
    assert world.multi(create("/b"), set_data("/a")) == STALL
    assert world.create("/b") != STALL
    world.apply_all()
    assert isinstance(world.set_data("/a"), Plan)
    assert world.set_acl("/a") == STALL
    world.apply_all()
    assert isinstance(world.set_acl("/a"), Plan)


def test_each_operation_sees_those_before_it_and_its_stat_is_of_that_moment() -> None:
    world = World()
    plan = world.multi(
        create("/p", opcode=15), create("/p/s-", flags=2), create("/p/s-", flags=2), set_data("/p"), check("/p", 1)
    )
    results = answer_of(plan).results
    assert [type for type, _ in results] == [15, 1, 1, 5, 13]
    first, third = results[0][1], results[3][1]
    assert isinstance(first, Create2Response)
    assert (first.stat.num_children, first.stat.cversion, first.stat.version) == (0, 0, 0)
    assert results[2][1] == CreateResponse("/p/s-0000000001")
    assert isinstance(third, SetDataResponse)
    assert (third.stat.num_children, third.stat.cversion, third.stat.version) == (2, 2, 1)


def test_containers_and_ttl_znodes_answer_with_type_15() -> None:
    world = World()
    plan = world.multi(
        create("/c19", opcode=19),
        create("/c4", flags=4),
        (21, CreateTTLRequest("/t", b"", OPEN, 5, 1_000)),
        (21, CreateTTLRequest("/plain", b"", OPEN, 0, 1_000)),
    )
    assert [type for type, _ in answer_of(plan).results] == [15, 15, 15, 1]
    assert world.replica.containers == {"/c19", "/c4"}
    assert world.replica.ttl_znodes == {"/t"}


@pytest.mark.parametrize("flags", [-1, 7, 99])
def test_unknown_flags_of_a_create_ttl_fail_that_operation_alone(flags: int) -> None:
    outcome = World().multi(check("/"), (21, CreateTTLRequest("/t", b"", [], flags, 0)), create("/b"))
    assert isinstance(outcome, FailedMulti)
    assert outcome.codes == [0, BAD_ARGUMENTS, -2]


def test_a_failed_multi_names_the_first_error_and_changes_nothing() -> None:
    world = World()
    outcome = world.multi(create("/a"), check("/missing"), delete("/also-missing"), create("/b"))
    assert isinstance(outcome, FailedMulti)
    assert outcome.codes == [0, -101, -2, -2]
    results = MultiResponse.decode(outcome.encode()).results
    assert results == [(-1, ErrorResponse(code)) for code in outcome.codes]
    assert world.overlay.pending_count() == 0
    assert world.replica.znodes.keys().isdisjoint({"/a", "/b"})


def test_the_bytes_of_a_failed_multi_are_zookeepers() -> None:
    """Byte example of reference section 1.7, without its header."""
    expected = "ffffffff00ffffff9bffffff9bffffffff00fffffffefffffffeffffffff01ffffffff"
    assert FailedMulti(0, -101, 2).encode().hex() == expected


def test_a_null_path_fails_the_request_as_a_whole() -> None:
    for wrong in (create(None), check(None), set_data(None), delete(None)):
        assert World().multi(create("/a"), wrong) == MARSHALLING_ERROR
        assert World().multi(check("/missing"), wrong) == MARSHALLING_ERROR


@pytest.mark.parametrize("operations", [[], [check("/")]])
def test_a_multi_that_writes_nothing_has_an_empty_plan(operations: list[tuple[int, MultiOperation]]) -> None:
    plan = World().multi(*operations)
    assert keys_of(plan) == ({}, [])
    assert len(answer_of(plan).results) == len(operations)


def test_a_subtree_is_moved_in_one_multi() -> None:
    world = World()
    world.create("/a")
    world.create("/a/b")
    puts, deletes = keys_of(world.multi(delete("/a/b"), delete("/a"), create("/n"), create("/n/b")))
    assert set(puts) == {b"/zk/n/n", b"/zk/n/n/b", b"/zk/c/", b"/zk/c/n"}
    assert set(deletes) == {b"/zk/n/a", b"/zk/n/a/b", b"/zk/c/a"}
