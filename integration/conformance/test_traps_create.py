"""Traps of creating: paths, sequence names, flags and opcodes, containers, TTLs and their reaping (reference sections
2.3, 4.1, 4.2, 4.4), on the bridge and on ZooKeeper."""

from __future__ import annotations

import time

import pytest

from integration.conformance import wire
from integration.conformance.conftest import Connect
from integration.conformance.raw_client import (
    CHILDREN,
    CONTAINER,
    CREATED,
    DELETED,
    EPHEMERAL,
    EPHEMERAL_SEQUENTIAL,
    SEQUENTIAL,
    TTL,
    TTL_SEQUENTIAL,
    RawClient,
    create_body,
    path_version,
    path_watch,
    read_stat,
    read_text,
    ttl_body,
    wait_gone,
)

LONG_TTL_MS = 3_600_000


# Paths


@pytest.mark.parametrize(
    "name", ["...", "..b", "b..", ".b", "a b", " ", "é", "中", "퟿", "豈", "￯", "*?%\\", "~", "\xa0"]
)
def test_odd_names_are_names(client: RawClient, root: str, name: str) -> None:
    assert client.create(f"{root}/{name}") == f"{root}/{name}"
    assert client.children(root) == [name]


@pytest.mark.parametrize(
    "name",
    [
        *[".", "..", "", "a/", "./a", "a//b", "\x01", "\t", "\n", "\x1f", "\x7f", "\x80", "\x9f"],
        *["\ue000", "\uf8ff", "\ufff0", "\uffff", "\U0001f600"],
    ],
)
def test_other_names_are_bad_arguments(client: RawClient, root: str, name: str) -> None:
    expected = -101 if "/" in name else -8  # the parent is looked for before the name is looked at
    assert client.error(wire.CREATE, create_body(f"{root}/{name}")) == expected


def test_bytes_that_are_no_utf_8_are_no_path(client: RawClient, root: str) -> None:
    assert client.error(wire.CREATE, create_body(root.encode() + b"/\xff\xfe")) != 0
    assert client.children(root) == []


def test_a_path_has_no_limit_but_the_frame(client: RawClient, root: str) -> None:
    path = f"{root}/{'n' * 100_000}"
    assert client.create(path) == path
    assert client.exists(path)


def test_data_of_almost_a_frame_is_kept(client: RawClient, root: str) -> None:
    data = bytes(range(256)) * 4000
    client.create(f"{root}/big", data)
    assert client.get_data(f"{root}/big")[0] == data


@pytest.mark.parametrize("data", [None, b""])
def test_null_data_and_empty_data_are_different(client: RawClient, root: str, data: bytes | None) -> None:
    client.create(f"{root}/x", data)
    assert client.get_data(f"{root}/x")[0] == data
    assert client.get_data(f"{root}/x")[1].data_length == 0
    client.set_data(root, data)
    assert client.get_data(root)[0] == data


# Sequence names


def test_the_sequence_counts_every_create_and_no_delete(client: RawClient, root: str) -> None:
    assert client.create(f"{root}/x-", flags=SEQUENTIAL) == f"{root}/x-0000000000"
    client.create(f"{root}/plain")
    assert client.create(f"{root}/y-", flags=SEQUENTIAL) == f"{root}/y-0000000002"
    client.delete(f"{root}/plain")
    client.delete(f"{root}/y-0000000002")
    assert client.create(f"{root}/x-", flags=EPHEMERAL_SEQUENTIAL) == f"{root}/x-0000000003"


def test_a_failed_create_does_not_count(client: RawClient, root: str) -> None:
    client.create(f"{root}/x")
    assert client.error(wire.CREATE, create_body(f"{root}/x")) == -110
    assert client.create(f"{root}/s", flags=SEQUENTIAL) == f"{root}/s0000000001"


def test_the_counter_dies_with_its_znode(client: RawClient, root: str) -> None:
    client.create(f"{root}/p")
    client.create(f"{root}/p/s", flags=SEQUENTIAL)
    client.delete(f"{root}/p/s0000000000")
    client.delete(f"{root}/p")
    client.create(f"{root}/p")
    assert client.create(f"{root}/p/s", flags=SEQUENTIAL) == f"{root}/p/s0000000000"


def test_a_sequential_create_of_a_trailing_slash_has_an_empty_prefix(client: RawClient, root: str) -> None:
    assert client.create(f"{root}/", flags=SEQUENTIAL) == f"{root}/0000000000"
    assert client.create(f"{root}/", flags=EPHEMERAL_SEQUENTIAL) == f"{root}/0000000001"


def test_a_sequential_name_is_checked_with_its_number(client: RawClient, root: str) -> None:
    assert client.create(f"{root}/..", flags=SEQUENTIAL) == f"{root}/..0000000000"
    assert client.error(wire.CREATE, create_body(f"{root}/\x01", flags=SEQUENTIAL)) == -8
    assert client.error(wire.CREATE, create_body("s", flags=SEQUENTIAL)) == -8


def test_sequential_creates_in_a_multi_count_on(client: RawClient, root: str) -> None:
    sequential = (wire.CREATE, create_body(f"{root}/s-", flags=SEQUENTIAL))
    results = client.multi(sequential, (wire.CREATE, create_body(f"{root}/plain")), sequential)
    assert [result.path for result in results] == [f"{root}/s-0000000000", f"{root}/plain", f"{root}/s-0000000002"]


def test_pipelined_sequential_creates_number_in_order(client: RawClient, root: str) -> None:
    for _ in range(50):
        client.send(wire.CREATE, create_body(f"{root}/s-", flags=SEQUENTIAL))
    names = [read_text(client.reply().cursor) for _ in range(50)]
    assert names == [f"{root}/s-{number:010}" for number in range(50)]


# Flags and opcodes


def test_create_answers_with_the_path_and_create2_with_its_stat(client: RawClient, root: str) -> None:
    reply = client.call(wire.CREATE, create_body(f"{root}/one"))
    assert len(reply.body) == 4 + len(f"{root}/one")
    path, stat = client.create2(f"{root}/two", b"12345")
    assert (path, stat) == (f"{root}/two", client.stat(f"{root}/two"))
    assert (stat.data_length, stat.version, stat.czxid == stat.mzxid == stat.pzxid) == (5, 0, True)


@pytest.mark.parametrize(
    ("opcode", "body"),
    [
        (wire.CREATE_CONTAINER, create_body("{r}", flags=CONTAINER)),
        (wire.CREATE_TTL, ttl_body("{r}", LONG_TTL_MS)),
    ],
    ids=["container", "ttl"],
)
def test_containers_and_ttl_znodes_answer_with_a_stat_and_show_no_owner(
    client: RawClient, root: str, opcode: int, body: bytes
) -> None:
    path = f"{root}/x"
    at = body.index(b"{r}") - 4
    cursor = client.ok(opcode, wire.buffer(path.encode()) + body[at + 7 :])
    assert read_text(cursor) == path
    stat = read_stat(cursor)
    assert cursor.rest() == b""
    assert stat == client.stat(path)
    assert (stat.owner, stat.version, stat.child_count) == (0, 0, 0)


def test_an_ephemerals_owner_is_its_session(client: RawClient, root: str) -> None:
    client.create(f"{root}/e", flags=EPHEMERAL)
    assert client.stat(f"{root}/e").owner == client.session_id
    assert client.stat(root).owner == 0


def test_a_plain_create_with_the_container_flag_is_a_persistent_znode(connect: Connect, root: str) -> None:
    client = connect()
    client.create(f"{root}/c", flags=CONTAINER)
    client.create(f"{root}/c/x")
    client.delete(f"{root}/c/x")
    time.sleep(0.5)  # several rounds of the reaper
    assert client.exists(f"{root}/c")


@pytest.mark.parametrize("flags", [0, EPHEMERAL])
def test_create_container_makes_a_container_whatever_the_flag(client: RawClient, root: str, flags: int) -> None:
    client.ok(wire.CREATE_CONTAINER, create_body(f"{root}/c", flags=flags))
    client.create(f"{root}/c/x")  # not an ephemeral: it may have children
    client.delete(f"{root}/c/x")
    wait_gone(client, f"{root}/c")


def test_create_container_sequential_has_a_number(client: RawClient, root: str) -> None:
    cursor = client.ok(wire.CREATE_CONTAINER, create_body(f"{root}/c-", flags=SEQUENTIAL))
    assert read_text(cursor) == f"{root}/c-0000000000"


def test_a_sequential_ttl_znode_has_a_number(client: RawClient, root: str) -> None:
    cursor = client.ok(wire.CREATE_TTL, ttl_body(f"{root}/t-", LONG_TTL_MS, TTL_SEQUENTIAL))
    assert read_text(cursor) == f"{root}/t-0000000000"


def test_a_ttl_znode_may_have_children_an_ephemeral_may_not(client: RawClient, root: str) -> None:
    client.ok(wire.CREATE_TTL, ttl_body(f"{root}/t", LONG_TTL_MS, TTL))
    client.create(f"{root}/t/x")
    client.create(f"{root}/e", flags=EPHEMERAL)
    for flags in (0, EPHEMERAL, SEQUENTIAL):
        assert client.error(wire.CREATE, create_body(f"{root}/e/x", flags=flags)) == -108


# Reaping, every 100 ms on these servers


def test_a_container_goes_with_its_last_child_and_watchers_are_told(client: RawClient, root: str) -> None:
    client.ok(wire.CREATE_CONTAINER, create_body(f"{root}/c", flags=CONTAINER))
    client.create(f"{root}/c/x")
    client.get_data(f"{root}/c", watch=True)
    client.children(root, watch=True)
    pzxid = client.stat(root).pzxid
    client.delete(f"{root}/c/x")
    wait_gone(client, f"{root}/c")
    assert client.fired() == [(DELETED, f"{root}/c"), (CHILDREN, root)]
    assert client.stat(root).pzxid > pzxid
    assert client.stat(root).cversion == 2


def test_a_container_that_never_had_a_child_stays(client: RawClient, root: str) -> None:
    client.ok(wire.CREATE_CONTAINER, create_body(f"{root}/c", flags=CONTAINER))
    time.sleep(0.5)
    assert client.exists(f"{root}/c")


def test_a_container_with_a_child_stays(client: RawClient, root: str) -> None:
    client.ok(wire.CREATE_CONTAINER, create_body(f"{root}/c", flags=CONTAINER))
    client.create(f"{root}/c/x")
    client.create(f"{root}/c/y")
    client.delete(f"{root}/c/x")
    time.sleep(0.5)
    assert client.exists(f"{root}/c")


def test_nested_containers_go_one_after_the_other(client: RawClient, root: str) -> None:
    for path in ("/c", "/c/d", "/c/d/e"):
        client.ok(wire.CREATE_CONTAINER, create_body(root + path, flags=CONTAINER))
    client.create(f"{root}/c/d/e/x")
    client.delete(f"{root}/c/d/e/x")
    wait_gone(client, f"{root}/c")


def test_a_childs_create_in_a_container_that_has_gone_is_no_node(client: RawClient, root: str) -> None:
    client.ok(wire.CREATE_CONTAINER, create_body(f"{root}/c", flags=CONTAINER))
    client.create(f"{root}/c/x")
    client.delete(f"{root}/c/x")
    wait_gone(client, f"{root}/c")
    assert client.error(wire.CREATE, create_body(f"{root}/c/x")) == -101


def test_a_ttl_znode_goes_after_its_time_and_not_before(client: RawClient, root: str) -> None:
    client.create(f"{root}/seen")
    client.exists(f"{root}/t", watch=True)
    started = time.monotonic()
    client.ok(wire.CREATE_TTL, ttl_body(f"{root}/t", 400))
    wait_gone(client, f"{root}/t")
    assert time.monotonic() - started >= 0.4
    assert client.fired() == [(CREATED, f"{root}/t")]


def test_only_set_data_renews_a_ttl(client: RawClient, root: str) -> None:
    client.ok(wire.CREATE_TTL, ttl_body(f"{root}/t", 600))
    for _ in range(4):
        time.sleep(0.2)
        client.set_data(f"{root}/t")
        client.stat(f"{root}/t")
    assert client.exists(f"{root}/t")
    assert wait_gone(client, f"{root}/t") > 0.3


def test_children_keep_a_ttl_znode_and_give_it_no_more_time(client: RawClient, root: str) -> None:
    client.ok(wire.CREATE_TTL, ttl_body(f"{root}/t", 300))
    client.create(f"{root}/t/x")
    time.sleep(0.6)
    assert client.exists(f"{root}/t")
    client.delete(f"{root}/t/x")
    assert wait_gone(client, f"{root}/t") < 5


def test_a_container_may_be_deleted_by_hand(client: RawClient, root: str) -> None:
    client.ok(wire.CREATE_CONTAINER, create_body(f"{root}/c", flags=CONTAINER))
    client.create(f"{root}/c/x")
    assert client.error(wire.DELETE, path_version(f"{root}/c")) == -111
    client.delete(f"{root}/c/x")
    assert client.error(wire.DELETE, path_version(f"{root}/c")) in (0, -101)
    assert client.error(wire.EXISTS, path_watch(f"{root}/c")) == -101
