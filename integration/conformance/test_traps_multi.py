"""Traps of multi and multiRead (reference sections 2.4, 2.5), on the bridge and on ZooKeeper."""

from __future__ import annotations

import zlib

import pytest

from integration.conformance import wire
from integration.conformance.conftest import Connect
from integration.conformance.raw_client import (
    CHANGED,
    CHILDREN,
    CONTAINER,
    CREATED,
    DELETED,
    EPHEMERAL,
    OPEN_ACL,
    SEQUENTIAL,
    TTL,
    Event,
    RawClient,
    Reply,
    create_body,
    multi_body,
    path_version,
    path_watch,
    read_multi,
    set_acl_body,
    set_data_body,
    text,
    ttl_body,
    wait_gone,
)

Operation = tuple[int, bytes]


def create(path: str, data: bytes | None = b"", flags: int = 0, opcode: int = wire.CREATE) -> Operation:
    return opcode, create_body(path, data, OPEN_ACL, flags)


def delete(path: str, version: int = -1) -> Operation:
    return wire.DELETE, path_version(path, version)


def set_data(path: str, data: bytes | None = b"", version: int = -1) -> Operation:
    return wire.SET_DATA, set_data_body(path, data, version)


def check(path: str, version: int = -1) -> Operation:
    return wire.CHECK, path_version(path, version)


def codes(client: RawClient, *operations: Operation) -> list[int]:
    """What a multi failed with, one code for each operation; every result must be an error result."""
    results = client.multi(*operations)
    assert all(result.opcode == -1 and result.error == result.code for result in results)
    return [result.code for result in results]


# Success


def test_each_result_has_the_type_of_its_operation(client: RawClient, root: str) -> None:
    results = client.multi(
        create(f"{root}/a"),
        create(f"{root}/b", opcode=wire.CREATE2),
        create(f"{root}/c", flags=CONTAINER, opcode=wire.CREATE_CONTAINER),
        (wire.CREATE_TTL, ttl_body(f"{root}/d", 1_000_000)),
        set_data(f"{root}/a", b"1"),
        check(f"{root}/a", 1),
        delete(f"{root}/b"),
    )
    assert [result.opcode for result in results] == [1, 15, 15, 15, 5, 13, 2]
    assert [result.error for result in results] == [0] * 7
    assert [result.path for result in results[:4]] == [f"{root}/{name}" for name in "abcd"]
    assert client.children(root) == ["a", "c", "d"]


def test_all_operations_have_one_zxid_and_one_time(client: RawClient, root: str) -> None:
    results = client.multi(
        create(f"{root}/a", opcode=wire.CREATE2), create(f"{root}/b", opcode=wire.CREATE2), set_data(root, b"x")
    )
    first, second, changed = (result.stat for result in results)
    assert first is not None and second is not None and changed is not None
    assert first.czxid == second.czxid == changed.mzxid == client.stat(root).pzxid
    assert first.ctime == second.ctime == changed.mtime
    assert client.last_zxid >= first.czxid


def test_a_results_stat_is_that_of_its_moment(client: RawClient, root: str) -> None:
    results = client.multi(
        create(f"{root}/p", b"12", opcode=wire.CREATE2),
        create(f"{root}/p/x"),
        set_data(f"{root}/p", b"345"),
        delete(f"{root}/p/x"),
        set_data(f"{root}/p", b"6"),
    )
    seen = [
        (stat.version, stat.cversion, stat.child_count, stat.data_length)
        for stat in (results[index].stat for index in (0, 2, 4))
        if stat is not None
    ]
    assert seen == [(0, 0, 0, 2), (1, 1, 1, 3), (2, 2, 0, 1)]


def test_operations_see_those_before_them(client: RawClient, root: str) -> None:
    results = client.multi(
        create(f"{root}/a"),
        create(f"{root}/a/s", flags=SEQUENTIAL),
        create(f"{root}/a/s", flags=SEQUENTIAL),
        delete(f"{root}/a/s0000000000"),
        check(f"{root}/a/s0000000001", 0),
        set_data(f"{root}/a/s0000000001", b"1", 0),
        check(f"{root}/a/s0000000001", 1),
    )
    assert [result.error for result in results] == [0] * 7
    assert client.children(f"{root}/a") == ["s0000000001"]
    assert (client.stat(f"{root}/a").cversion, client.stat(f"{root}/a").child_count) == (3, 1)


def test_kafkas_registration_create_with_null_data_and_set_it(client: RawClient, root: str) -> None:
    results = client.multi(create(f"{root}/id", None, EPHEMERAL), set_data(f"{root}/id", b"{}", 0))
    stat = results[1].stat
    assert stat is not None
    assert (stat.version, stat.owner, stat.data_length) == (1, client.session_id, 2)
    assert stat.czxid == stat.mzxid == client.stat(f"{root}/id").czxid
    assert client.get_data(f"{root}/id") == (b"{}", stat)


def test_create_delete_and_create_of_one_path(client: RawClient, root: str) -> None:
    path = f"{root}/x"
    client.multi(create(path, b"1"), set_data(path, b"2"), delete(path), create(path, b"3"))
    data, stat = client.get_data(path)
    assert (data, stat.version, stat.czxid == stat.mzxid == stat.pzxid) == (b"3", 0, True)
    parent = client.stat(root)
    assert (parent.cversion, parent.child_count, parent.pzxid) == (3, 1, stat.czxid)


def test_delete_and_create_of_a_znode_is_a_new_znode(client: RawClient, root: str) -> None:
    path = f"{root}/x"
    client.create(path, b"1")
    client.set_data(path, b"2")
    old = client.set_acl(path, OPEN_ACL)
    results = client.multi(delete(path), create(path, b"3", opcode=wire.CREATE2))
    stat = results[1].stat
    assert stat is not None
    assert stat.czxid == stat.mzxid == stat.pzxid > old.mzxid
    assert stat[4:10] == (0, 0, 0, 0, 1, 0)
    assert client.stat(path) == stat
    changed = client.set_data(path, b"4")
    assert (changed.czxid, changed.version) == (stat.czxid, 1)


def test_create_and_delete_leaves_only_the_count(client: RawClient, root: str) -> None:
    client.multi(create(f"{root}/x"), delete(f"{root}/x"))
    stat = client.stat(root)
    assert (stat.cversion, stat.child_count) == (2, 0)
    assert stat.pzxid > stat.czxid
    assert client.create(f"{root}/s", flags=SEQUENTIAL) == f"{root}/s0000000001"


def test_an_ephemeral_may_be_replaced_by_a_persistent_znode(connect: Connect, client: RawClient, root: str) -> None:
    owner = connect()
    owner.create(f"{root}/e", flags=EPHEMERAL)
    owner.multi(delete(f"{root}/e"), create(f"{root}/e"))
    assert owner.close_session().error == 0
    assert client.exists(f"{root}/e")


def test_a_multi_of_a_thousand_operations_is_one(client: RawClient, root: str) -> None:
    results = client.multi(*[create(f"{root}/{number}", opcode=wire.CREATE2) for number in range(1000)])
    assert len({result.stat.czxid for result in results if result.stat}) == 1
    assert client.stat(root).child_count == 1000
    client.multi(*[delete(f"{root}/{number}") for number in range(1000)])
    assert (client.stat(root).cversion, client.stat(root).child_count) == (2000, 0)


def test_an_empty_multi_is_an_end_header(client: RawClient, root: str) -> None:
    reply = client.call(wire.MULTI, multi_body())
    assert (reply.error, reply.body) == (0, wire.multi_header(-1, True, -1))


def test_a_multi_of_checks_only(client: RawClient, root: str) -> None:
    assert [result.opcode for result in client.multi(check(root, 0), check("/"))] == [wire.CHECK] * 2


def test_bytes_behind_the_end_header_are_ignored_and_the_headers_error_too(client: RawClient, root: str) -> None:
    body = wire.multi_header(wire.CHECK, False, 77) + path_version(root) + wire.multi_header(-1, True, -1) + b"more"
    assert [result.error for result in read_multi(client.ok(wire.MULTI, body))] == [0]


@pytest.mark.parametrize("opcode", [wire.CREATE, wire.CREATE2])
def test_the_container_flag_makes_a_container_in_a_multi(client: RawClient, root: str, opcode: int) -> None:
    results = client.multi(create(f"{root}/c", flags=CONTAINER, opcode=opcode))
    assert results[0].opcode == wire.CREATE2
    client.create(f"{root}/c/x")
    client.delete(f"{root}/c/x")
    wait_gone(client, f"{root}/c")


@pytest.mark.parametrize(("flags", "type", "name"), [(0, 1, "t"), (EPHEMERAL, 1, "t"), (SEQUENTIAL, 1, "t0000000000")])
def test_a_ttl_operation_with_a_plain_flag_is_a_plain_create(
    client: RawClient, root: str, flags: int, type: int, name: str
) -> None:
    results = client.multi((wire.CREATE_TTL, ttl_body(f"{root}/t", 1000, flags)))
    assert (results[0].opcode, results[0].path) == (type, f"{root}/{name}")


# Failure


def test_a_failure_is_zero_before_its_code_and_minus_two_behind(client: RawClient, root: str) -> None:
    before = client.stat(root)
    assert codes(
        client, create(f"{root}/a"), check(root, 0), delete(f"{root}/missing"), create(f"{root}/b"), check(root, 9)
    ) == [0, 0, -101, -2, -2]
    assert client.stat(root) == before


def test_the_bytes_of_a_failure(client: RawClient, root: str) -> None:
    reply = client.call(wire.MULTI, multi_body(delete(f"{root}/missing"), delete(f"{root}/missing")), 5)
    assert reply.error == 0
    assert reply.body.hex() == "ffffffff00ffffff9bffffff9bffffffff00fffffffefffffffeffffffff01ffffffff"


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        (create("{r}"), -110),
        (create("{r}/missing/x"), -101),
        (create("nopath"), -8),
        ((wire.CREATE, create_body("{r}/x", acl=())), -114),
        ((wire.CREATE_TTL, ttl_body("{r}/x", 0, TTL)), -8),
        ((wire.CREATE_TTL, ttl_body("{r}/missing/x", 1000, 7, acl=())), -8),
        ((wire.CREATE_TTL, ttl_body("{r}/x", 1000, -1)), -8),
        ((wire.CREATE_TTL, ttl_body("{r}/x", 1 << 40, TTL)), -8),
        (delete("{r}/missing"), -101),
        (delete("{r}", 5), -103),
        (delete("/"), -8),
        (set_data("{r}", b"", 5), -103),
        (set_data("{r}/"), -8),
        (set_data("/zookeeper/config"), -102),
        (check("{r}", 5), -103),
        (check("{r}/missing"), -101),
    ],
    ids=lambda value: f"{value[0]}-{zlib.crc32(value[1]):08x}" if isinstance(value, tuple) else None,
)
def test_the_failing_operations_own_code(client: RawClient, root: str, operation: Operation, code: int) -> None:
    opcode, body = operation
    size = int.from_bytes(body[:4], "big")
    path = body[4 : 4 + size].replace(b"{r}", root.encode())
    assert codes(client, (opcode, wire.buffer(path) + body[4 + size :])) == [code]


def test_a_check_before_another_clients_write_loses(connect: Connect, client: RawClient, root: str) -> None:
    connect().set_data(root, b"other")
    assert codes(client, check(root, 0), create(f"{root}/x")) == [-103, -2]
    assert client.children(root) == []


def test_rollback_forgets_sequence_numbers_and_ephemerals(client: RawClient, root: str) -> None:
    assert codes(client, create(f"{root}/s", flags=EPHEMERAL | SEQUENTIAL), check(root, 9)) == [0, -103]
    assert client.create(f"{root}/s", flags=SEQUENTIAL) == f"{root}/s0000000000"
    assert read_ephemerals(client) == []


def read_ephemerals(client: RawClient) -> list[bytes | None]:
    cursor = client.ok(wire.GET_EPHEMERALS, text("/"))
    return [cursor.buffer() for _ in range(cursor.i32())]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        wire.multi_header(wire.CREATE, False, -1),
        wire.multi_header(-1, False, -1),
        multi_body((wire.CREATE, create_body("/x")))[:-9],
        multi_body((wire.CREATE, create_body("/x")))[:-1],
        multi_body((wire.CREATE, create_body("/x", flags=7))),
        multi_body((wire.CREATE, create_body("/x", flags=-1))),
        multi_body((wire.CREATE, create_body("/x", flags=TTL))),
        multi_body((wire.CREATE2, create_body("/x", flags=6))),
        multi_body((wire.CREATE_CONTAINER, create_body("/x", flags=TTL))),
        multi_body((wire.CREATE_TTL, create_body("/x", flags=TTL))),
        multi_body((wire.GET_DATA, path_watch("/"))),
        multi_body((wire.CHECK, path_version("/")), (wire.GET_DATA, path_watch("/"))),
        multi_body((wire.GET_CHILDREN, path_watch("/"))),
        multi_body((wire.EXISTS, path_watch("/"))),
        multi_body((wire.SYNC, text("/"))),
        multi_body((wire.SET_ACL, set_acl_body("/", OPEN_ACL))),
        multi_body((wire.MULTI, multi_body())),
        multi_body((12345, b"")),
        multi_body((wire.CHECK, path_version(None))),
        multi_body((wire.DELETE, path_version("/missing")), (wire.SET_DATA, set_data_body(None, b""))),
        multi_body((wire.CREATE, create_body(None))),
        multi_body((wire.CREATE, create_body("/x", acl=((31, b"world", None),)))),
    ],
    ids=lambda body: f"{zlib.crc32(body):08x}",
)
def test_what_is_no_multi_is_minus_five_as_a_whole(client: RawClient, body: bytes) -> None:
    reply = client.call(wire.MULTI, body)
    assert (reply.error, reply.body) == (-5, b"")
    assert client.error(wire.EXISTS, path_watch("/x")) == -101


# Watches


def test_watches_fire_for_each_operation_in_order_before_the_reply_with_one_zxid(client: RawClient, root: str) -> None:
    client.create(f"{root}/gone")
    client.exists(f"{root}/new", watch=True)
    client.get_data(root, watch=True)
    client.get_data(f"{root}/gone", watch=True)
    client.children(root, watch=True)
    client.send(wire.MULTI, multi_body(set_data(root), create(f"{root}/new"), delete(f"{root}/gone"), check(root)))
    seen = [client.read() for _ in range(5)]
    events = [got for got in seen if isinstance(got, Event)]
    assert [event.what for event in events] == [
        (CHANGED, root),
        (CREATED, f"{root}/new"),
        (CHILDREN, root),
        (DELETED, f"{root}/gone"),
    ]
    assert isinstance(seen[4], Reply)
    assert {event.zxid for event in events} == {client.stat(root).mzxid}


def test_delete_and_create_in_one_multi_fires_deleted_then_created(client: RawClient, root: str) -> None:
    client.create(f"{root}/x")
    client.add_watch(f"{root}/x")
    client.add_watch(root)
    client.multi(delete(f"{root}/x"), create(f"{root}/x"))
    assert client.fired() == [(DELETED, f"{root}/x"), (CHILDREN, root), (CREATED, f"{root}/x"), (CHILDREN, root)]


def test_a_failed_multi_fires_nothing_and_keeps_the_watches(client: RawClient, root: str) -> None:
    client.get_data(root, watch=True)
    client.children(root, watch=True)
    assert codes(client, create(f"{root}/x"), set_data(root), check(root, 9)) == [0, 0, -103]
    assert client.fired() == []
    client.create(f"{root}/x")
    assert client.fired() == [(CHILDREN, root)]


# multiRead


def test_a_multi_read_answers_each_on_its_own(client: RawClient, root: str) -> None:
    client.create(f"{root}/x", b"data")
    body = multi_body(
        (wire.GET_DATA, path_watch(f"{root}/x")),
        (wire.GET_DATA, path_watch(f"{root}/missing")),
        (wire.GET_CHILDREN, path_watch(root)),
        (wire.GET_CHILDREN, path_watch(f"{root}/missing")),
    )
    data, missing, children, lost = read_multi(client.ok(wire.MULTI_READ, body))
    assert (data.opcode, data.error, data.data, data.stat) == (4, 0, b"data", client.stat(f"{root}/x"))
    assert (missing.opcode, missing.error, missing.code) == (-1, -101, -101)
    assert (children.opcode, children.error, children.children) == (8, 0, ("x",))
    assert (lost.opcode, lost.code) == (-1, -101)


def test_a_multi_read_checks_permissions(client: RawClient, root: str) -> None:
    client.create(f"{root}/x", acl=((30, b"world", b"anyone"),))
    body = multi_body((wire.GET_DATA, path_watch(f"{root}/x")), (wire.GET_CHILDREN, path_watch(f"{root}/x")))
    assert [result.code for result in read_multi(client.ok(wire.MULTI_READ, body))] == [-102, -102]


def test_a_multi_read_sets_no_watch(client: RawClient, root: str) -> None:
    body = multi_body((wire.GET_DATA, path_watch(root, True)), (wire.GET_CHILDREN, path_watch(root, True)))
    client.ok(wire.MULTI_READ, body)
    client.set_data(root)
    client.create(f"{root}/x")
    assert client.fired() == []


def test_an_empty_multi_read_is_an_end_header(client: RawClient) -> None:
    reply = client.call(wire.MULTI_READ, multi_body())
    assert (reply.error, reply.body) == (0, wire.multi_header(-1, True, -1))


@pytest.mark.parametrize(
    "operations",
    [
        [(wire.CREATE, create_body("/x")), (wire.CHECK, path_version("/x"))],
        [(wire.CHECK, path_version(None))],
        [(wire.CREATE_TTL, ttl_body("/x", 1000, 99))],
        [(wire.GET_DATA, path_watch(None)), (wire.GET_DATA, path_watch("/"))],
        [(wire.GET_CHILDREN, path_watch(None))],
    ],
    ids=["writes", "a null path of a check", "a bad flag", "a null path", "a null path of a list"],
)
def test_a_multi_read_that_fails_on_its_way_is_minus_five_with_an_empty_answer(
    client: RawClient, operations: list[Operation]
) -> None:
    reply = client.call(wire.MULTI_READ, multi_body(*operations))
    assert (reply.error, reply.body) == (-5, wire.multi_header(-1, True, -1))
    assert client.call(wire.PING).error == 0


def test_a_multi_read_that_fails_on_its_way_keeps_the_results_so_far(client: RawClient, root: str) -> None:
    read = (wire.GET_DATA, path_watch(root))
    reply = client.call(wire.MULTI_READ, multi_body(read, read, (wire.GET_DATA, path_watch(None)), read))
    assert reply.error == -5
    assert [result.opcode for result in read_multi(reply.cursor)] == [wire.GET_DATA] * 2


@pytest.mark.parametrize(
    "body",
    [
        multi_body((wire.GET_DATA, path_watch("/")), (wire.SET_DATA, set_data_body("/", b""))),
        multi_body((wire.CHECK, path_version("/")), (wire.GET_DATA, path_watch("/"))),
        multi_body((wire.EXISTS, path_watch("/"))),
        multi_body((wire.GET_DATA, path_watch("/")), (12345, b"")),
        multi_body((wire.CREATE, create_body("/x", flags=7))),
        multi_body((wire.GET_DATA, path_watch("/")))[:-1],
        multi_body((wire.GET_CHILDREN, b"")),
        b"",
    ],
    ids=["read, write", "write, read", "exists", "unknown", "bad flags", "no end", "a short body", "nothing"],
)
def test_what_is_no_multi_read_is_minus_five_without_a_body(client: RawClient, body: bytes) -> None:
    reply = client.call(wire.MULTI_READ, body)
    assert (reply.error, reply.body) == (-5, b"")
    assert client.call(wire.PING).error == 0
