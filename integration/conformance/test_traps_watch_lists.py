"""Traps of setWatches, setWatches2, checkWatches and removeWatches (reference sections 4.8, 4.9), on both servers."""

from __future__ import annotations

import itertools

import pytest

from integration.conformance import wire
from integration.conformance.conftest import Connect
from integration.conformance.raw_client import (
    CHANGED,
    CHILDREN,
    CREATED,
    DELETED,
    Event,
    RawClient,
    Reply,
    path_number,
    path_watch,
    text,
    watch_lists,
)

CHILDREN_TYPE, DATA_TYPE, ANY_TYPE, PERSISTENT_TYPE, RECURSIVE_TYPE = 1, 2, 3, 4, 5
ALL_TYPES = range(1, 6)
FUTURE = 2**62


def resume(client: RawClient, zxid: int, *lists: list[str]) -> list[tuple[int, str]]:
    """What setWatches fires at once; every event has zxid -1 and comes before the reply."""
    opcode = wire.SET_WATCHES if len(lists) <= 3 else wire.SET_WATCHES2
    client.send(opcode, watch_lists(zxid, *lists, *[[] for _ in range((3 if len(lists) <= 3 else 5) - len(lists))]))
    events: list[Event] = []
    while isinstance(got := client.read(), Event):
        events.append(got)
    assert isinstance(got, Reply) and (got.error, got.body) == (0, b"")
    assert all((event.zxid, event.state, event.error) == (-1, 3, 0) for event in events)
    return [event.what for event in events]


def has_watch(client: RawClient, path: str, type: int) -> bool:
    error = client.error(wire.CHECK_WATCHES, path_number(path, type))
    assert error in (0, -121)
    return error == 0


# Data watches


def test_a_data_watch_on_a_missing_znode_fires_deleted(client: RawClient, root: str) -> None:
    assert resume(client, FUTURE, [f"{root}/x"]) == [(DELETED, f"{root}/x")]
    assert not has_watch(client, f"{root}/x", ANY_TYPE)


def test_a_data_watch_on_a_changed_znode_fires_changed_and_is_not_set(client: RawClient, root: str) -> None:
    zxid = client.set_data(root).mzxid
    assert resume(client, zxid - 1, [root]) == [(CHANGED, root)]
    assert not has_watch(client, root, ANY_TYPE)


def test_a_data_watch_on_an_unchanged_znode_is_set(client: RawClient, root: str) -> None:
    zxid = client.set_data(root).mzxid
    assert resume(client, zxid, [root]) == []
    client.set_data(root)
    client.set_data(root)
    assert client.fired() == [(CHANGED, root)]


def test_a_data_watch_does_not_look_at_children_or_the_acl(client: RawClient, root: str) -> None:
    zxid = client.stat(root).mzxid
    client.create(f"{root}/x")
    client.set_acl(root, ((31, b"world", b"anyone"), (1, b"ip", b"10.0.0.1")))
    assert resume(client, zxid, [root]) == []


def test_a_znode_born_again_shows_as_changed(client: RawClient, root: str) -> None:
    client.create(f"{root}/x")
    zxid = client.stat(f"{root}/x").mzxid
    client.delete(f"{root}/x")
    client.create(f"{root}/x")
    assert resume(client, zxid, [f"{root}/x"], [], [f"{root}/x"]) == [(CHANGED, f"{root}/x"), (CHILDREN, f"{root}/x")]


# Exist watches


def test_an_exist_watch_on_a_znode_fires_created_though_nothing_changed(client: RawClient, root: str) -> None:
    assert resume(client, FUTURE, [], [root]) == [(CREATED, root)]
    assert not has_watch(client, root, ANY_TYPE)


def test_an_exist_watch_on_a_missing_znode_is_set(client: RawClient, root: str) -> None:
    assert resume(client, 0, [], [f"{root}/x"]) == []
    client.create(f"{root}/x")
    assert client.fired() == [(CREATED, f"{root}/x")]


# Child watches


def test_a_child_watch_on_a_missing_znode_fires_deleted(client: RawClient, root: str) -> None:
    assert resume(client, FUTURE, [], [], [f"{root}/x"]) == [(DELETED, f"{root}/x")]


@pytest.mark.parametrize("change", ["create", "delete"])
def test_a_child_watch_on_a_changed_list_fires_children_changed(client: RawClient, root: str, change: str) -> None:
    client.create(f"{root}/x")
    zxid = client.last_zxid
    if change == "create":
        client.create(f"{root}/y")
    else:
        client.delete(f"{root}/x")
    assert resume(client, zxid, [], [], [root]) == [(CHILDREN, root)]
    assert not has_watch(client, root, ANY_TYPE)


def test_a_child_watch_on_an_unchanged_list_is_set(client: RawClient, root: str) -> None:
    client.create(f"{root}/x")
    zxid = client.stat(root).pzxid
    client.set_data(root)
    assert resume(client, zxid, [], [], [root]) == []
    client.create(f"{root}/y")
    assert client.fired() == [(CHILDREN, root)]


# Persistent watches, and all lists together


@pytest.mark.parametrize("recursive", [False, True])
def test_persistent_watches_are_set_without_catching_up(client: RawClient, root: str, recursive: bool) -> None:
    client.set_data(root)
    client.create(f"{root}/x")
    lists: list[list[str]] = [[], [], [], [], []]
    lists[4 if recursive else 3] = [root, f"{root}/missing"]
    assert resume(client, 0, *lists) == []
    client.set_data(root)
    client.create(f"{root}/missing")
    expected = [(CHANGED, root), (CREATED, f"{root}/missing")]
    assert client.fired() == (expected if recursive else [*expected, (CHILDREN, root)])


def test_events_come_in_the_order_of_the_lists(client: RawClient, root: str) -> None:
    client.create(f"{root}/a")
    client.create(f"{root}/b")
    fired = resume(client, 0, [f"{root}/b", f"{root}/gone", f"{root}/a"], [f"{root}/b", root], [root, f"{root}/gone"])
    assert fired == [
        (CHANGED, f"{root}/b"),
        (DELETED, f"{root}/gone"),
        (CHANGED, f"{root}/a"),
        (CREATED, f"{root}/b"),
        (CREATED, root),
        (CHILDREN, root),
        (DELETED, f"{root}/gone"),
    ]


def test_a_path_in_two_lists_gets_two_events(client: RawClient, root: str) -> None:
    assert resume(client, 0, [root, root], [root], [root]) == [
        (CHANGED, root),
        (CHANGED, root),
        (CREATED, root),
        (CHILDREN, root),
    ]


def test_set_watches_asks_for_no_permission(client: RawClient, root: str) -> None:
    client.create(f"{root}/x", acl=((30, b"world", b"anyone"),))
    assert resume(client, 0, [f"{root}/x"]) == [(CHANGED, f"{root}/x")]


def test_null_lists_are_minus_five(client: RawClient) -> None:
    for place in range(3):
        lists: list[list[str] | None] = [[], [], []]
        lists[place] = None
        assert client.error(wire.SET_WATCHES, watch_lists(0, *lists)) == -5
    for place in range(5):
        lists = [[], [], [], [], []]
        lists[place] = None
        assert client.error(wire.SET_WATCHES2, watch_lists(0, *lists)) == -5


def test_null_paths_are_minus_five_where_they_are_looked_up(client: RawClient, root: str) -> None:
    for place in range(5):
        vectors = [wire.vector([]) for _ in range(5)]
        vectors[place] = wire.vector([text(None), text(root)])
        code = client.error(wire.SET_WATCHES2, wire.i64(FUTURE) + b"".join(vectors))
        assert code == (-5 if place < 3 else 0)
    assert has_watch(client, root, PERSISTENT_TYPE) and has_watch(client, root, RECURSIVE_TYPE)
    assert not has_watch(client, root, DATA_TYPE)


def test_the_empty_path_in_the_lists_is_the_root(client: RawClient) -> None:
    assert resume(client, 0, [], [""], [""]) == [(CREATED, ""), (CHILDREN, "")]


def test_watches_follow_a_session_to_its_next_connection(connect: Connect, client: RawClient, root: str) -> None:
    watcher = connect()
    watcher.create(f"{root}/a")
    watcher.create(f"{root}/b")
    watcher.get_data(f"{root}/a", watch=True)
    watcher.get_data(f"{root}/b", watch=True)
    watcher.children(root, watch=True)
    watcher.drop()
    client.set_data(f"{root}/a")
    again = connect(session_id=watcher.session_id, password=watcher.password, last_zxid=watcher.last_zxid)
    assert resume(again, watcher.last_zxid, [f"{root}/a", f"{root}/b"], [], [root]) == [(CHANGED, f"{root}/a")]
    client.set_data(f"{root}/b")
    client.create(f"{root}/c")
    assert again.fired() == [(CHANGED, f"{root}/b"), (CHILDREN, root)]


# checkWatches and removeWatches

WATCHES = {
    "data": (DATA_TYPE, ANY_TYPE),
    "children": (CHILDREN_TYPE, ANY_TYPE),
    "persistent": (PERSISTENT_TYPE, ANY_TYPE),
    "recursive": (RECURSIVE_TYPE, ANY_TYPE),
}


def set_watch(client: RawClient, path: str, kind: str) -> None:
    match kind:
        case "data":
            client.get_data(path, watch=True)
        case "children":
            client.children(path, watch=True)
        case _:
            client.add_watch(path, recursive=kind == "recursive")


@pytest.mark.parametrize("kind", WATCHES)
def test_a_watch_is_found_by_its_types_only_and_checking_changes_nothing(
    client: RawClient, root: str, kind: str
) -> None:
    set_watch(client, root, kind)
    for _ in range(2):
        assert tuple(type for type in ALL_TYPES if has_watch(client, root, type)) == tuple(sorted(WATCHES[kind]))
    assert not any(has_watch(client, f"{root}/x", type) for type in ALL_TYPES)


@pytest.mark.parametrize(("kind", "type"), list(itertools.product(WATCHES, ALL_TYPES)))
def test_a_watch_is_removed_by_its_types_only(client: RawClient, root: str, kind: str, type: int) -> None:
    set_watch(client, root, kind)
    removable = type in WATCHES[kind]
    assert client.error(wire.REMOVE_WATCHES, path_number(root, type)) == (0 if removable else -121)
    assert has_watch(client, root, ANY_TYPE) is not removable
    client.set_data(root)
    client.create(f"{root}/x")
    fired = client.fired()
    assert fired == [] if removable else len(fired) >= 1


def test_any_removes_all_kinds_at_once(client: RawClient, root: str) -> None:
    for kind in WATCHES:
        set_watch(client, root, kind)
    assert client.error(wire.REMOVE_WATCHES, path_number(root, ANY_TYPE)) == 0
    assert client.error(wire.REMOVE_WATCHES, path_number(root, ANY_TYPE)) == -121
    client.set_data(root)
    client.create(f"{root}/x")
    assert client.fired() == []


@pytest.mark.parametrize("kind", WATCHES)
def test_removing_one_kind_leaves_the_others(client: RawClient, root: str, kind: str) -> None:
    for other in WATCHES:
        set_watch(client, root, other)
    assert client.error(wire.REMOVE_WATCHES, path_number(root, min(set(WATCHES[kind]) - {ANY_TYPE}))) == 0
    for other in WATCHES:
        own_type = min(set(WATCHES[other]) - {ANY_TYPE})
        assert has_watch(client, root, own_type) is (other != kind)


def test_watches_of_another_connection_do_not_count(connect: Connect, client: RawClient, root: str) -> None:
    connect().get_data(root, watch=True)
    assert client.error(wire.REMOVE_WATCHES, path_number(root, ANY_TYPE)) == -121


def test_an_exists_watch_is_a_data_watch(client: RawClient, root: str) -> None:
    assert client.error(wire.EXISTS, path_watch(f"{root}/x", True)) == -101
    assert client.error(wire.REMOVE_WATCHES, path_number(f"{root}/x", DATA_TYPE)) == 0
    client.create(f"{root}/x")
    assert client.fired() == []


@pytest.mark.parametrize("opcode", [wire.CHECK_WATCHES, wire.REMOVE_WATCHES])
@pytest.mark.parametrize("type", [0, 6, -1, 2**31 - 1])
def test_an_unknown_type_is_minus_five(client: RawClient, root: str, opcode: int, type: int) -> None:
    client.get_data(root, watch=True)
    assert client.error(opcode, path_number(root, type)) == -5
    assert has_watch(client, root, DATA_TYPE)


@pytest.mark.parametrize("opcode", [wire.CHECK_WATCHES, wire.REMOVE_WATCHES])
def test_a_null_path_has_no_watch(client: RawClient, opcode: int) -> None:
    assert client.error(opcode, text(None) + wire.i32(ANY_TYPE)) == -121
