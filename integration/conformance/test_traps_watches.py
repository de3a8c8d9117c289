"""Traps of notifications and watch tables (reference sections 4.6, 4.7), on the bridge and on ZooKeeper."""

from __future__ import annotations

import pytest

from integration.conformance import wire
from integration.conformance.conftest import Connect
from integration.conformance.raw_client import (
    CHANGED,
    CHILDREN,
    CREATED,
    DELETED,
    EPHEMERAL,
    OPEN_ACL,
    Event,
    RawClient,
    Reply,
    create_body,
    multi_body,
    path_number,
    path_version,
    path_watch,
    set_acl_body,
    set_data_body,
)
from integration.conformance.wire import Cursor, i32

UNREADABLE = ((30, b"world", b"anyone"),)


# What a notification looks like, and when it comes


def test_the_bytes_of_a_notification(client: RawClient, root: str) -> None:
    client.get_data(root, watch=True)
    client.send(wire.SET_DATA, set_data_body(root, b"x"))
    body = client.read_frame()
    cursor = Cursor(body)
    assert cursor.i32() == wire.XID_NOTIFICATION
    zxid = cursor.i64()
    assert cursor.i32() == 0
    assert cursor.rest() == i32(CHANGED) + i32(3) + wire.buffer(root.encode())
    assert client.reply().error == 0
    assert client.stat(root).mzxid == zxid


@pytest.mark.parametrize("kind", ["create", "delete", "setData", "multi"])
def test_an_event_comes_before_the_reply_to_the_write_that_caused_it(client: RawClient, root: str, kind: str) -> None:
    path = f"{root}/x"
    if kind != "create":
        client.create(path)
    client.exists(path, watch=True)
    opcode, body, event = {
        "create": (wire.CREATE, create_body(path), CREATED),
        "delete": (wire.DELETE, path_version(path), DELETED),
        "setData": (wire.SET_DATA, set_data_body(path, b""), CHANGED),
        "multi": (wire.MULTI, multi_body((wire.SET_DATA, set_data_body(path, b""))), CHANGED),
    }[kind]
    xid = client.send(opcode, body)
    first, second = client.read(), client.read()
    assert isinstance(first, Event) and first.what == (event, path)
    assert isinstance(second, Reply) and (second.xid, second.error) == (xid, 0)
    assert first.zxid <= second.zxid


def test_an_event_comes_before_a_read_that_shows_the_change(connect: Connect, client: RawClient, root: str) -> None:
    writer = connect()
    for number in range(30):
        client.get_data(root, watch=True)
        writer.send(wire.SET_DATA, set_data_body(root, b"%d" % number))
        while client.get_data(root)[1].version == number:
            assert client.events == []
        assert [event.what for event in client.events] == [(CHANGED, root)]
        client.events = []
        writer.reply()


def test_every_watcher_gets_the_zxid_of_the_change(connect: Connect, client: RawClient, root: str) -> None:
    watchers = [connect() for _ in range(5)]
    for watcher in watchers:
        watcher.get_data(root, watch=True)
    zxid = client.set_data(root).mzxid
    for watcher in watchers:
        assert watcher.taken_events() == [Event(CHANGED, root, zxid)]


# One-shot watches


def test_a_one_shot_watch_fires_once(client: RawClient, root: str) -> None:
    client.get_data(root, watch=True)
    client.set_data(root)
    client.set_data(root)
    assert client.fired() == [(CHANGED, root)]


def test_exists_on_a_missing_znode_keeps_its_watch_through_the_error(client: RawClient, root: str) -> None:
    assert client.error(wire.EXISTS, path_watch(f"{root}/x", True)) == -101
    client.create(f"{root}/x")
    assert client.fired() == [(CREATED, f"{root}/x")]
    client.set_data(f"{root}/x")
    assert client.fired() == []


@pytest.mark.parametrize("opcode", [wire.GET_DATA, wire.GET_CHILDREN, wire.GET_CHILDREN2])
def test_other_reads_of_a_missing_znode_set_no_watch(client: RawClient, root: str, opcode: int) -> None:
    assert client.error(opcode, path_watch(f"{root}/x", True)) == -101
    client.create(f"{root}/x")
    client.delete(f"{root}/x")
    assert client.fired() == []


def test_exists_on_a_znode_watches_its_data_and_its_end(client: RawClient, root: str) -> None:
    client.create(f"{root}/x")
    client.exists(f"{root}/x", watch=True)
    client.set_data(f"{root}/x")
    client.exists(f"{root}/x", watch=True)
    client.delete(f"{root}/x")
    assert client.fired() == [(CHANGED, f"{root}/x"), (DELETED, f"{root}/x")]


def test_exists_and_get_data_share_one_watch(client: RawClient, root: str) -> None:
    client.exists(root, watch=True)
    client.get_data(root, watch=True)
    client.set_data(root)
    client.set_data(root)
    assert client.fired() == [(CHANGED, root)]


@pytest.mark.parametrize("opcode", [wire.GET_CHILDREN, wire.GET_CHILDREN2])
def test_a_child_watch_fires_for_the_list_only(client: RawClient, root: str, opcode: int) -> None:
    client.create(f"{root}/x")
    client.ok(opcode, path_watch(root, True))
    client.set_data(root)
    client.set_data(f"{root}/x")
    client.create(f"{root}/x/y")
    assert client.fired() == []
    client.delete(f"{root}/x/y")
    client.delete(f"{root}/x")
    assert client.fired() == [(CHILDREN, root)]
    client.create(f"{root}/x")
    assert client.fired() == []


def test_a_data_watch_does_not_see_children(client: RawClient, root: str) -> None:
    client.get_data(root, watch=True)
    client.create(f"{root}/x")
    assert client.fired() == []


def test_a_child_watch_on_a_znode_that_goes_fires_deleted_and_is_gone(client: RawClient, root: str) -> None:
    client.create(f"{root}/x")
    client.children(f"{root}/x", watch=True)
    client.delete(f"{root}/x")
    assert client.fired() == [(DELETED, f"{root}/x")]
    client.create(f"{root}/x")
    client.create(f"{root}/x/y")
    assert client.fired() == []


def test_a_delete_under_both_watches_is_one_packet_and_uses_both_up(client: RawClient, root: str) -> None:
    client.create(f"{root}/x")
    client.get_data(f"{root}/x", watch=True)
    client.children(f"{root}/x", watch=True)
    client.delete(f"{root}/x")
    client.create(f"{root}/x")
    client.create(f"{root}/x/y")
    client.set_data(f"{root}/x")
    assert client.fired() == [(DELETED, f"{root}/x")]


def test_a_delete_tells_the_znodes_watchers_before_its_parents(client: RawClient, root: str) -> None:
    client.create(f"{root}/x")
    client.children(root, watch=True)
    client.get_data(f"{root}/x", watch=True)
    client.delete(f"{root}/x")
    assert client.fired() == [(DELETED, f"{root}/x"), (CHILDREN, root)]


def test_a_watch_on_a_missing_znodes_children_list_is_no_watch_after_recreation(client: RawClient, root: str) -> None:
    client.exists(f"{root}/x", watch=True)
    client.children(root, watch=True)
    client.create(f"{root}/x")
    assert client.fired() == [(CREATED, f"{root}/x"), (CHILDREN, root)]


def test_set_acl_fires_nothing(client: RawClient, root: str) -> None:
    client.get_data(root, watch=True)
    client.children(root, watch=True)
    client.add_watch(root, recursive=True)
    client.set_acl(root, OPEN_ACL)
    assert client.fired() == []


def test_a_failed_write_fires_nothing(client: RawClient, root: str) -> None:
    client.get_data(root, watch=True)
    client.children(root, watch=True)
    assert client.error(wire.SET_DATA, set_data_body(root, b"", 9)) == -103
    assert client.error(wire.SET_ACL, set_acl_body(root, OPEN_ACL, 9)) == -103
    assert client.error(wire.CREATE, create_body(f"{root}/..")) == -8
    assert client.fired() == []


def test_watches_end_with_their_connection(connect: Connect, client: RawClient, root: str) -> None:
    watcher = connect()
    watcher.get_data(root, watch=True)
    watcher.add_watch(root)
    again = connect(session_id=watcher.session_id, password=watcher.password)
    client.set_data(root)
    assert again.fired() == []


# Persistent and recursive watches


def test_a_persistent_watch_sees_its_znode_and_its_list_again_and_again(client: RawClient, root: str) -> None:
    path = f"{root}/p"
    client.add_watch(path)
    client.create(path)
    client.set_data(path)
    client.create(f"{path}/x")
    client.set_data(f"{path}/x")
    client.create(f"{path}/x/y")
    client.delete(f"{path}/x/y")
    client.delete(f"{path}/x")
    client.delete(path)
    client.create(path)
    expected = [(CREATED, path), (CHANGED, path), (CHILDREN, path), (CHILDREN, path), (DELETED, path), (CREATED, path)]
    assert client.fired() == expected


def test_a_recursive_watch_sees_the_whole_tree_and_no_lists(client: RawClient, root: str) -> None:
    path = f"{root}/p"
    client.add_watch(path, recursive=True)
    client.create(path)
    client.create(f"{path}/x")
    client.create(f"{path}/x/y")
    client.set_data(f"{path}/x/y")
    client.create(f"{root}/px")
    client.delete(f"{path}/x/y")
    client.delete(f"{path}/x")
    client.set_data(path)
    client.delete(path)
    assert client.fired() == [
        (CREATED, path),
        (CREATED, f"{path}/x"),
        (CREATED, f"{path}/x/y"),
        (CHANGED, f"{path}/x/y"),
        (DELETED, f"{path}/x/y"),
        (DELETED, f"{path}/x"),
        (CHANGED, path),
        (DELETED, path),
    ]


def test_a_recursive_watch_on_the_root_sees_everything(client: RawClient, root: str) -> None:
    client.add_watch("/", recursive=True)
    client.create(f"{root}/x")
    client.delete(f"{root}/x")
    assert [what for what in client.fired() if what[1].startswith(f"{root}/")] == [
        (CREATED, f"{root}/x"),
        (DELETED, f"{root}/x"),
    ]


def test_many_watches_of_one_connection_are_one_packet_for_each_fire(client: RawClient, root: str) -> None:
    client.create(f"{root}/x")
    client.get_data(f"{root}/x", watch=True)
    client.add_watch(f"{root}/x")
    client.add_watch(f"{root}/x", recursive=True)
    client.add_watch(root, recursive=True)
    client.add_watch("/", recursive=True)
    client.set_data(f"{root}/x")
    assert client.fired() == [(CHANGED, f"{root}/x")]


def test_persistent_and_recursive_on_the_parent_are_two_packets_for_a_create(client: RawClient, root: str) -> None:
    client.add_watch(root)
    client.add_watch(root, recursive=True)
    client.create(f"{root}/x")
    assert client.fired() == [(CREATED, f"{root}/x"), (CHILDREN, root)]


def test_a_delete_under_all_kinds_of_watches(client: RawClient, root: str) -> None:
    path = f"{root}/x"
    client.create(path)
    client.get_data(path, watch=True)
    client.children(path, watch=True)
    client.add_watch(path)
    client.add_watch(root, recursive=True)
    client.children(root, watch=True)
    client.delete(path)
    assert client.fired() == [(DELETED, path), (CHILDREN, root)]


def test_firing_takes_the_one_shot_watch_and_leaves_the_persistent_one(client: RawClient, root: str) -> None:
    client.add_watch(root)
    client.get_data(root, watch=True)
    client.set_data(root)
    assert client.error(wire.CHECK_WATCHES, path_number(root, 2)) == -121
    assert client.error(wire.CHECK_WATCHES, path_number(root, 4)) == 0
    client.set_data(root)
    assert client.fired() == [(CHANGED, root), (CHANGED, root)]


def test_adding_a_watch_twice_is_one_watch(client: RawClient, root: str) -> None:
    client.add_watch(root)
    client.add_watch(root)
    client.set_data(root)
    assert client.fired() == [(CHANGED, root)]


# The ACL filter


def test_who_may_not_read_is_not_told_but_the_watch_is_used_up(connect: Connect, root: str) -> None:
    owner, watcher = connect(), connect()
    owner.add_auth("digest", b"owner:secret")
    owner.create(f"{root}/x")
    watcher.get_data(f"{root}/x", watch=True)
    owner.set_acl(f"{root}/x", ((31, b"auth", b""),))
    owner.set_data(f"{root}/x")
    assert watcher.fired() == []
    assert watcher.error(wire.CHECK_WATCHES, path_number(f"{root}/x", 2)) == -121
    owner.set_acl(f"{root}/x", OPEN_ACL)
    owner.set_data(f"{root}/x")
    assert watcher.fired() == []


def test_a_znode_that_is_born_unreadable_is_not_announced(client: RawClient, root: str) -> None:
    client.exists(f"{root}/x", watch=True)
    client.add_watch(root, recursive=True)
    client.create(f"{root}/x", acl=UNREADABLE)
    assert client.fired() == []


def test_a_deleted_znodes_last_acl_decides(client: RawClient, root: str) -> None:
    client.create(f"{root}/x")
    client.create(f"{root}/y")
    client.get_data(f"{root}/x", watch=True)
    client.get_data(f"{root}/y", watch=True)
    client.set_acl(f"{root}/x", UNREADABLE)
    client.delete(f"{root}/x")
    client.delete(f"{root}/y")
    assert client.fired() == [(DELETED, f"{root}/y")]


def test_for_a_change_of_children_the_parents_acl_decides(client: RawClient, root: str) -> None:
    client.children(root, watch=True)
    client.create(f"{root}/x", acl=UNREADABLE)
    assert client.fired() == [(CHILDREN, root)]
    client.create(f"{root}/p")
    client.children(f"{root}/p", watch=True)
    client.set_acl(f"{root}/p", UNREADABLE)
    client.create(f"{root}/p/x")
    assert client.fired() == []


def test_a_persistent_watch_outlives_what_it_may_not_see(client: RawClient, root: str) -> None:
    client.create(f"{root}/x")
    client.add_watch(f"{root}/x")
    client.set_acl(f"{root}/x", UNREADABLE)
    client.set_data(f"{root}/x")
    client.set_acl(f"{root}/x", OPEN_ACL)
    client.set_data(f"{root}/x")
    assert client.fired() == [(CHANGED, f"{root}/x")]


# The end of a session


def test_the_end_of_a_session_fires_for_each_ephemeral_with_one_zxid(
    connect: Connect, client: RawClient, root: str
) -> None:
    owner = connect()
    names = [f"{root}/{number}" for number in range(5)]
    for name in names:
        owner.create(name, flags=EPHEMERAL)
        client.exists(name, watch=True)
    client.children(root, watch=True)
    persistent = connect()
    persistent.add_watch(root)
    assert owner.close_session().error == 0
    events = client.taken_events()
    assert sorted(event.what for event in events) == sorted([(DELETED, name) for name in names] + [(CHILDREN, root)])
    assert len({event.zxid for event in events}) == 1
    assert persistent.fired() == [(CHILDREN, root)] * 5
    assert client.stat(root).pzxid == events[0].zxid
