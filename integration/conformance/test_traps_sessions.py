"""Traps of sessions and of order (reference sections 4.4, 4.5, 7.1, 7.2, 7.5), on the bridge and on ZooKeeper."""

from __future__ import annotations

import time

import pytest

from integration.conformance import wire
from integration.conformance.conftest import TICK_MS, Connect, Sockets
from integration.conformance.frame_socket import Closed
from integration.conformance.raw_client import (
    CHILDREN,
    DELETED,
    EPHEMERAL,
    RawClient,
    Reply,
    auth_body,
    create_body,
    path_version,
    path_watch,
    read_stat,
    read_texts,
    set_data_body,
    text,
    wait_gone,
)
from integration.conformance.wire import frame, i32

SHORTEST_MS = 2 * TICK_MS
LATE_S = 2 * TICK_MS / 1000 + 2.0
"""How much later than its timeout a session may end: two ticks, and what a busy machine takes."""


# closeSession


def test_close_answers_with_zxid_and_then_ends_the_connection(client: RawClient, root: str) -> None:
    before = client.last_zxid
    reply = client.call(wire.CLOSE_SESSION, xid=77)
    assert (reply.xid, reply.error, reply.body) == (77, 0, b"")
    assert reply.zxid > before
    client.expect_closed()


def test_a_close_deletes_all_ephemerals_in_one_transaction(connect: Connect, client: RawClient, root: str) -> None:
    owner = connect()
    client.create(f"{root}/a")
    client.create(f"{root}/b")
    paths = [f"{root}/{parent}/{name}" for parent in "ab" for name in range(3)]
    for path in paths:
        owner.create(path, flags=EPHEMERAL)
        client.exists(path, watch=True)
    zxid = owner.close_session().zxid
    events = client.taken_events()
    assert sorted(event.path for event in events) == paths
    assert {(event.kind, event.zxid) for event in events} == {(DELETED, events[0].zxid)}
    assert events[0].zxid <= zxid
    assert client.stat(f"{root}/a").pzxid == client.stat(f"{root}/b").pzxid == events[0].zxid
    assert (client.stat(f"{root}/a").cversion, client.stat(f"{root}/a").child_count) == (6, 0)


def test_a_close_behind_pipelined_creates_deletes_what_they_made(
    connect: Connect, client: RawClient, root: str
) -> None:
    owner = connect()
    for number in range(20):
        owner.send(wire.CREATE, create_body(f"{root}/{number}", flags=EPHEMERAL))
    owner.send(wire.CLOSE_SESSION, xid=99)
    assert [owner.reply().error for _ in range(20)] == [0] * 20
    assert owner.reply().xid == 99
    owner.expect_closed()
    assert client.children(root) == []


def test_an_ephemeral_that_another_client_deleted_is_no_trouble(connect: Connect, client: RawClient, root: str) -> None:
    owner = connect()
    owner.create(f"{root}/e", flags=EPHEMERAL)
    client.delete(f"{root}/e")
    client.create(f"{root}/e")
    assert owner.close_session().error == 0
    assert client.exists(f"{root}/e")


def test_persistent_znodes_outlive_their_session(connect: Connect, client: RawClient, root: str) -> None:
    owner = connect()
    owner.create(f"{root}/p")
    assert owner.close_session().error == 0
    assert client.exists(f"{root}/p")


# Connections come and go


def test_a_dropped_connection_keeps_its_ephemerals(connect: Connect, client: RawClient, root: str) -> None:
    owner = connect(timeout_ms=10_000)
    owner.create(f"{root}/e", flags=EPHEMERAL)
    owner.drop()
    time.sleep(0.3)
    assert client.exists(f"{root}/e")
    again = connect(session_id=owner.session_id, password=owner.password)
    assert again.stat(f"{root}/e").owner == owner.session_id
    assert read_texts(again.ok(wire.GET_EPHEMERALS, text("/"))) == [f"{root}/e"]


def test_the_same_session_writes_on_through_its_next_connection(connect: Connect, client: RawClient, root: str) -> None:
    owner = connect()
    again = connect(session_id=owner.session_id, password=owner.password)
    again.create(f"{root}/e", flags=EPHEMERAL)
    assert client.stat(f"{root}/e").owner == owner.session_id
    assert again.close_session().error == 0
    assert not client.exists(f"{root}/e")


# Expiry


def test_a_silent_session_ends_after_its_timeout_and_not_before(connect: Connect, client: RawClient, root: str) -> None:
    owner = connect(timeout_ms=SHORTEST_MS)
    owner.create(f"{root}/e", flags=EPHEMERAL)
    silent_since = time.monotonic()
    client.exists(f"{root}/e", watch=True)
    client.children(root, watch=True)
    wait_gone(client, f"{root}/e")
    took = time.monotonic() - silent_since
    assert SHORTEST_MS / 1000 <= took <= SHORTEST_MS / 1000 + LATE_S
    events = client.events
    assert [event.what for event in events] == [(DELETED, f"{root}/e"), (CHILDREN, root)]
    assert events[0].zxid == events[1].zxid
    owner.expect_closed()  # with no packet before it


def test_an_expired_session_learns_of_it_at_its_next_handshake(
    connect: Connect, sockets: Sockets, client: RawClient, root: str
) -> None:
    owner = connect(timeout_ms=SHORTEST_MS)
    owner.create(f"{root}/e", flags=EPHEMERAL)
    owner.drop()
    wait_gone(client, f"{root}/e")
    again = sockets()
    shaken = again.connect(session_id=owner.session_id, password=owner.password)
    assert (shaken.timeout_ms, shaken.session_id, shaken.password) == (0, 0, bytes(16))
    again.expect_closed()


def test_a_dropped_session_ends_after_its_timeout_and_not_before(
    connect: Connect, client: RawClient, root: str
) -> None:
    owner = connect(timeout_ms=SHORTEST_MS)
    owner.create(f"{root}/e", flags=EPHEMERAL)
    silent_since = time.monotonic()
    owner.drop()
    wait_gone(client, f"{root}/e")
    assert SHORTEST_MS / 1000 <= time.monotonic() - silent_since <= SHORTEST_MS / 1000 + LATE_S


def test_any_request_keeps_a_session_alive(connect: Connect, root: str) -> None:
    requests = {wire.PING: b"", wire.EXISTS: path_watch("/"), wire.SYNC: text("/"), wire.DELETE: path_version("/x/y")}
    owners = {opcode: connect(timeout_ms=SHORTEST_MS) for opcode in requests}
    deadline = time.monotonic() + 2 * SHORTEST_MS / 1000 + TICK_MS / 1000
    while time.monotonic() < deadline:
        for opcode, owner in owners.items():
            owner.call(opcode, requests[opcode])
        time.sleep(SHORTEST_MS / 4000)


def test_auth_packets_do_not_keep_a_session_alive(connect: Connect) -> None:
    owner = connect(timeout_ms=SHORTEST_MS)
    started = time.monotonic()
    with pytest.raises(Closed):
        while time.monotonic() - started < SHORTEST_MS / 1000 + LATE_S:
            owner.call(wire.AUTH, auth_body("digest", b"u:p"), wire.XID_AUTH)
            time.sleep(0.1)
    assert time.monotonic() - started >= SHORTEST_MS / 1000


def test_a_renewed_sessions_new_timeout_counts(connect: Connect, client: RawClient, root: str) -> None:
    owner = connect(timeout_ms=10_000)
    owner.create(f"{root}/e", flags=EPHEMERAL)
    again = connect(timeout_ms=SHORTEST_MS, session_id=owner.session_id, password=owner.password)
    silent_since = time.monotonic()
    again.drop()
    wait_gone(client, f"{root}/e")
    assert SHORTEST_MS / 1000 <= time.monotonic() - silent_since <= SHORTEST_MS / 1000 + LATE_S


def test_renewing_starts_the_timeout_anew(connect: Connect, client: RawClient, root: str) -> None:
    owner = connect(timeout_ms=SHORTEST_MS)
    owner.create(f"{root}/e", flags=EPHEMERAL)
    owner.drop()
    session_id, password = owner.session_id, owner.password
    for _ in range(4):
        time.sleep(SHORTEST_MS / 2000)
        again = connect(timeout_ms=SHORTEST_MS, session_id=session_id, password=password)
        again.drop()
    assert client.exists(f"{root}/e")


# Order


def test_answers_come_in_the_order_of_the_requests(client: RawClient, root: str) -> None:
    requests = [
        (wire.CREATE, create_body(f"{root}/x")),
        (wire.EXISTS, path_watch(f"{root}/x")),
        (wire.SET_DATA, set_data_body(f"{root}/x", b"1")),
        (wire.GET_DATA, path_watch(f"{root}/x")),
        (wire.SYNC, text(root)),
        (wire.DELETE, path_version(f"{root}/missing")),
        (wire.GET_CHILDREN, path_watch(root)),
        (wire.DELETE, path_version(f"{root}/x")),
        (wire.EXISTS, path_watch(f"{root}/x")),
        (wire.WHO_AM_I, b""),
    ] * 5
    client.send_bytes(b"".join(frame(i32(n) + i32(op) + body) for n, (op, body) in enumerate(requests)))
    replies = [client.reply() for _ in requests]
    assert [reply.xid for reply in replies] == list(range(len(requests)))
    assert [reply.error for reply in replies] == [0, 0, 0, 0, 0, -101, 0, 0, -101, 0] * 5


def test_a_pong_keeps_its_place(client: RawClient, root: str) -> None:
    client.send(wire.SET_DATA, set_data_body(root, b""), 1)
    client.send(wire.PING, xid=wire.XID_PING)
    client.send(wire.SET_DATA, set_data_body(root, b""), 3)
    client.send(wire.PING, xid=wire.XID_PING)
    assert [client.reply().xid for _ in range(4)] == [1, wire.XID_PING, 3, wire.XID_PING]


def test_a_read_sees_the_writes_before_it_and_none_behind_it(client: RawClient, root: str) -> None:
    for _ in range(30):
        client.send(wire.SET_DATA, set_data_body(root, b"x"))
        client.send(wire.EXISTS, path_watch(root))
    stats = [read_stat(client.reply().cursor) for _ in range(60)]
    assert [stat.version for stat in stats[1::2]] == list(range(1, 31))
    assert stats[0::2] == stats[1::2]


def test_a_watch_is_set_at_its_place_between_writes(client: RawClient, root: str) -> None:
    client.send(wire.SET_DATA, set_data_body(root, b"1"), 1)
    client.send(wire.GET_DATA, path_watch(root, True), 2)
    client.send(wire.SET_DATA, set_data_body(root, b"2"), 3)
    seen = [client.read() for _ in range(4)]
    assert [got.xid if isinstance(got, Reply) else "event" for got in seen] == [1, 2, "event", 3]


def test_sync_then_read_sees_what_another_client_was_told_is_written(
    connect: Connect, client: RawClient, root: str
) -> None:
    other = connect()
    for number in range(20):
        client.set_data(root, b"%d" % number)
        other.send(wire.SYNC, text(root))
        other.send(wire.GET_DATA, path_watch(root))
        assert other.reply().error == 0
        assert other.reply().cursor.buffer() == b"%d" % number


def test_writes_of_many_clients_have_one_order(connect: Connect, client: RawClient, root: str) -> None:
    writers = [connect() for _ in range(4)]
    for number in range(25):
        for writer in writers:
            writer.send(wire.SET_DATA, set_data_body(root, b"%d" % number))
    versions: list[tuple[int, int]] = []
    for writer in writers:
        stats = [read_stat(writer.reply().cursor) for _ in range(25)]
        assert stats == sorted(stats, key=lambda stat: stat.mzxid)
        versions += [(stat.mzxid, stat.version) for stat in stats]
    assert [version for _, version in sorted(versions)] == list(range(1, 101))


def test_a_request_that_fails_does_not_hold_up_those_behind_it(client: RawClient, root: str) -> None:
    client.send(wire.CREATE, create_body(f"{root}/x"), 1)
    client.send(wire.CREATE, create_body(f"{root}/x"), 2)
    client.send(wire.CREATE, b"", 3)
    client.send(wire.CREATE, create_body(f"{root}/y"), 4)
    replies = [client.reply() for _ in range(4)]
    assert [(reply.xid, reply.error) for reply in replies] == [(1, 0), (2, -110), (3, -5), (4, 0)]


def test_what_is_behind_a_close_is_not_done(connect: Connect, client: RawClient, root: str) -> None:
    owner = connect()
    owner.send(wire.CLOSE_SESSION, xid=1)
    owner.send(wire.CREATE, create_body(f"{root}/late"), 2)
    assert owner.reply().xid == 1
    owner.socket.settimeout(5)
    with pytest.raises(Closed):
        while True:
            assert owner.reply().error == -112
    assert not client.exists(f"{root}/late")
