"""Traps of replies: their xid, their zxid, what ends a request and what ends a connection (sections 1.1, 1.2, 1.5, 1.6,
2.2), on the bridge and on ZooKeeper."""

from __future__ import annotations

from contextlib import suppress

import pytest

from integration.conformance import wire
from integration.conformance.conftest import Connect, FreshServer
from integration.conformance.frame_socket import Closed
from integration.conformance.raw_client import (
    EPHEMERAL,
    TTL,
    RawClient,
    auth_body,
    create_body,
    multi_body,
    path_number,
    path_version,
    path_watch,
    read_stat,
    read_text,
    read_texts,
    set_data_body,
    text,
    ttl_body,
)
from integration.conformance.wire import frame, i32, i64
from integration.peers.servers import RealZooKeeper, ZooKeeperServer

UNKNOWN_OPCODES = [0, -1, 10, 13, 20_000, 23, 99, 108, 2**31 - 1, -(2**31)]
DELETE_CONTAINER, CREATE_SESSION = 20, -10


# xids


@pytest.mark.parametrize("xid", [0, 1, -1, -4, -8, -100, 2**31 - 1, -(2**31)])
def test_any_xid_is_echoed(client: RawClient, xid: int) -> None:
    client.send(wire.EXISTS, path_watch("/"), xid)
    assert client.read_frame()[:4] == i32(xid)


@pytest.mark.parametrize("xid", [wire.XID_PING, 0, 7, -4])
def test_a_pong_has_xid_minus_two_whatever_the_ping_had(client: RawClient, xid: int) -> None:
    client.send(wire.PING, xid=xid)
    assert client.reply().xid == wire.XID_PING


def test_xids_may_repeat_and_fall(client: RawClient) -> None:
    for xid in (9, 9, 3, -7, 9):
        client.send(wire.EXISTS, path_watch("/"), xid)
    assert [client.reply().xid for _ in range(5)] == [9, 9, 3, -7, 9]


@pytest.mark.parametrize("xid", [wire.XID_AUTH, 12, 0])
def test_an_auth_reply_echoes_the_xid_and_has_zxid_0_and_no_body(client: RawClient, root: str, xid: int) -> None:
    reply = client.call(wire.AUTH, auth_body("digest", b"u:p"), xid)
    assert (reply.xid, reply.zxid, reply.error, reply.body) == (xid, 0, 0, b"")


@pytest.mark.parametrize("xid", [-8, 5])
def test_a_set_watches_reply_echoes_the_xid(client: RawClient, xid: int) -> None:
    assert client.call(wire.SET_WATCHES, i64(0) + wire.vector([]) * 3, xid).error == 0


# zxids


def test_a_refusal_is_16_bytes_with_the_last_applied_zxid(client: RawClient, root: str) -> None:
    written = client.last_zxid
    client.send(wire.EXISTS, path_watch(f"{root}/missing"), 14)
    body = client.read_frame()
    assert len(body) == 16
    assert body[:4] == i32(14) and body[12:] == i32(-101)
    assert int.from_bytes(body[4:12], "big") >= written > 0


def test_every_reply_of_the_last_stage_carries_the_last_applied_zxid(client: RawClient, root: str) -> None:
    for opcode, body in [
        (wire.SET_DATA, set_data_body(root, b"1")),
        (wire.PING, b""),
        (wire.EXISTS, path_watch(root)),
        (wire.SYNC, text(root)),
        (wire.SET_DATA, set_data_body(root, b"2", 99)),
        (wire.GET_EPHEMERALS, text("/")),
        (wire.WHO_AM_I, b""),
        (wire.ADD_WATCH, path_number(root, 0)),
        (wire.CHECK_WATCHES, path_number(root, 3)),
        (wire.REMOVE_WATCHES, path_number(root, 3)),
        (wire.REMOVE_WATCHES, path_number(root, 3)),
        (wire.MULTI, multi_body((wire.CHECK, path_version(root, 99)))),
        (wire.MULTI_READ, multi_body((wire.GET_DATA, path_watch(root)))),
    ]:
        before = client.last_zxid
        assert client.call(opcode, body).zxid >= before > 0


def test_a_writes_reply_is_at_or_past_the_zxid_of_its_stat(client: RawClient, root: str) -> None:
    reply = client.call(wire.SET_DATA, set_data_body(root, b"x"))
    assert reply.zxid >= read_stat(reply.cursor).mzxid > 0


def test_zxids_never_fall_on_a_connection_nor_between_connections(connect: Connect, root: str) -> None:
    writer, reader = connect(), connect()
    for number in range(20):
        writer.set_data(root, b"%d" % number)
        assert reader.call(wire.EXISTS, path_watch(root)).zxid >= writer.last_zxid
    # `read` has failed already if one connection saw a zxid fall.


# Bodies


@pytest.mark.parametrize(
    ("opcode", "body"),
    [
        (wire.CREATE, create_body("/x", b"data")),
        (wire.CREATE2, create_body("/x", b"data")),
        (wire.CREATE_CONTAINER, create_body("/x")),
        (wire.CREATE_TTL, ttl_body("/x", 1000)),
        (wire.DELETE, path_version("/x")),
        (wire.EXISTS, path_watch("/")),
        (wire.GET_DATA, path_watch("/")),
        (wire.SET_DATA, set_data_body("/x", b"")),
        (wire.GET_ACL, text("/")),
        (wire.SET_ACL, text("/x")),
        (wire.GET_CHILDREN, path_watch("/")),
        (wire.GET_CHILDREN2, path_watch("/")),
        (wire.SYNC, text("/")),
        (wire.MULTI, multi_body((wire.DELETE, path_version("/x")))),
        (wire.MULTI_READ, multi_body((wire.GET_DATA, path_watch("/")))),
        (wire.SET_WATCHES, i64(0) + wire.vector([]) * 3),
        (wire.SET_WATCHES2, i64(0) + wire.vector([]) * 5),
        (wire.ADD_WATCH, path_number("/", 0)),
        (wire.CHECK_WATCHES, path_number("/", 1)),
        (wire.REMOVE_WATCHES, path_number("/", 1)),
        (wire.GET_EPHEMERALS, text("/")),
        (wire.GET_ALL_CHILDREN_NUMBER, text("/")),
    ],
    ids=lambda value: wire.OPCODE_NAMES[value] if isinstance(value, int) else "",
)
def test_a_body_that_ends_early_is_minus_five_and_the_connection_lives(
    client: RawClient, opcode: int, body: bytes
) -> None:
    for cut in sorted({0, 2, len(body) // 2, len(body) - 1}):
        assert client.error(opcode, body[:cut]) == -5, f"{cut} of {len(body)} bytes"
    assert client.call(wire.PING).error == 0


def test_bytes_behind_a_record_are_ignored(client: RawClient, root: str) -> None:
    assert client.error(wire.EXISTS, path_watch(root) + b"trailing") == 0
    assert client.error(wire.CREATE, create_body(f"{root}/x") + b"trailing") == 0
    assert client.error(wire.PING, b"trailing") == 0


def test_any_byte_but_zero_is_true(client: RawClient, root: str) -> None:
    assert client.error(wire.GET_DATA, text(root) + b"\x07") == 0
    client.set_data(root)
    assert client.fired() == [(3, root)]


@pytest.mark.parametrize("size", [-2, -(2**31), 2**31 - 1])
def test_a_string_of_unreasonable_length_is_minus_five(client: RawClient, size: int) -> None:
    assert client.error(wire.EXISTS, i32(size) + b"/x\x00") == -5


@pytest.mark.parametrize("opcode", [wire.EXISTS, wire.GET_DATA, wire.GET_ACL, wire.GET_CHILDREN, wire.GET_CHILDREN2])
def test_a_null_path_is_minus_five(client: RawClient, opcode: int) -> None:
    assert client.error(opcode, path_watch(None)) == -5


@pytest.mark.parametrize("size", [1, 4, 7])
def test_a_frame_too_short_for_its_header_closes(client: RawClient, size: int) -> None:
    client.send_bytes(frame(bytes(size)))
    client.expect_closed()


# Unknown opcodes


@pytest.mark.parametrize("opcode", UNKNOWN_OPCODES)
def test_an_unknown_opcode_is_minus_six_with_zxid_minus_one_and_closes(client: RawClient, opcode: int) -> None:
    reply = client.call(opcode, path_version("/"), 3)
    assert (reply.xid, reply.zxid, reply.error, reply.body) == (3, -1, -6, b"")
    client.expect_closed()


def test_a_write_before_an_unknown_opcode_is_done_though_its_answer_may_be_lost(
    target: ZooKeeperServer, connect: Connect, client: RawClient, root: str
) -> None:
    """ZooKeeper answers the unknown opcode out of its turn, and then closes: the write's reply may not get out."""
    client.send(wire.SET_DATA, set_data_body(root, b"x"), 1)
    client.send(12345, b"", 2)
    replies = []
    with suppress(Closed):
        while True:
            reply = client.reply()
            replies.append((reply.xid, reply.error))
    written, refused = (1, 0), (2, -6)
    assert replies in ([refused], [written, refused]) or (
        isinstance(target, RealZooKeeper) and replies == [refused, written]
    )
    assert connect().get_data(root)[0] == b"x"


def test_the_session_of_a_refused_opcode_lives_on(connect: Connect, client: RawClient, root: str) -> None:
    client.create(f"{root}/e", flags=EPHEMERAL)
    assert client.call(777).error == -6
    assert connect(session_id=client.session_id, password=client.password).exists(f"{root}/e")


def test_delete_container_is_taken_from_a_client_by_zookeeper_and_refused_as_unknown_by_the_bridge(
    target: ZooKeeperServer, client: RawClient, root: str
) -> None:
    """Differs on purpose: a delete that asks for no permission is ZooKeeper's bug, and no client sends it."""
    client.create(f"{root}/x", acl=((0, b"world", b"anyone"),))
    reply = client.call(DELETE_CONTAINER, text(f"{root}/x"))
    if isinstance(target, RealZooKeeper):
        assert reply.error == 0
        return
    assert (reply.zxid, reply.error, reply.body) == (-1, -6, b"")
    client.expect_closed()


def test_create_session_without_a_timeout_is_minus_five_and_the_connection_lives(client: RawClient) -> None:
    assert client.error(CREATE_SESSION) == -5
    assert client.call(wire.PING).error == 0


# Single opcodes


def test_reconfig_is_disabled(client: RawClient) -> None:
    assert client.error(wire.RECONFIG, text(None) + text(None) + text("x") + i64(-1)) == -123
    assert client.call(wire.PING).error == 0


def test_sasl_without_configuration_is_a_null_token(client: RawClient, root: str) -> None:
    reply = client.call(wire.SASL, wire.buffer(b""))
    assert (reply.zxid, reply.error, reply.body) == (0, 0, i32(-1))
    assert client.call(wire.PING).error == 0


@pytest.mark.parametrize("path", [None, "", "/", "/missing", "no slash", "/a/../b"])
def test_sync_echoes_any_path(client: RawClient, path: str | None) -> None:
    assert client.ok(wire.SYNC, text(path)).rest() == text(path)


def test_ephemerals_are_the_callers_own_by_plain_prefix(connect: Connect, client: RawClient, root: str) -> None:
    for name in ("ab", "abc", "b"):
        client.create(f"{root}/{name}", flags=EPHEMERAL)
    other = connect()
    other.create(f"{root}/abd", flags=EPHEMERAL)
    mine = [f"{root}/ab", f"{root}/abc", f"{root}/b"]

    def ephemerals(prefix: str | None) -> list[str]:
        return sorted(read_texts(client.ok(wire.GET_EPHEMERALS, text(prefix))))

    for prefix in (None, "", "  ", "/", root, f"{root}/"):
        assert ephemerals(prefix) == mine
    assert ephemerals(f"{root}/a") == mine[:2]
    assert ephemerals(f"{root}/abc") == mine[1:2]
    assert ephemerals("nothing") == []


def test_all_children_number_counts_all_descendants(client: RawClient, root: str) -> None:
    for path in ("/a", "/a/b", "/a/b/c", "/ab"):
        client.create(root + path)

    def count(path: str) -> int:
        return client.ok(wire.GET_ALL_CHILDREN_NUMBER, text(path)).i32()

    assert [count(root + path) for path in ("", "/a", "/a/b", "/ab")] == [4, 2, 1, 0]
    assert client.error(wire.GET_ALL_CHILDREN_NUMBER, text(f"{root}/missing")) == -101


def test_an_empty_server_has_three_znodes_below_the_root(fresh: FreshServer) -> None:
    assert fresh.all_children_number == 3


def test_who_am_i_hides_the_hash_and_names_the_address(client: RawClient) -> None:
    client.add_auth("digest", b"user:password")
    cursor = client.ok(wire.WHO_AM_I)
    infos = [(read_text(cursor), read_text(cursor)) for _ in range(cursor.i32())]
    assert sorted(infos) == [("digest", "user"), ("ip", "127.0.0.1")]


def test_who_am_i_has_an_empty_user_for_super(client: RawClient) -> None:
    client.add_auth("digest", b"super:test")
    cursor = client.ok(wire.WHO_AM_I)
    infos = [(read_text(cursor), read_text(cursor)) for _ in range(cursor.i32())]
    assert sorted(infos) == [("digest", "super"), ("ip", "127.0.0.1"), ("super", "")]


def test_ttl_znodes_are_minus_six_where_they_are_off_and_the_connection_lives(fresh: FreshServer) -> None:
    client = RawClient(fresh.port)
    client.connect()
    assert client.error(wire.CREATE_TTL, ttl_body("/ttl", 1000, TTL)) == -6
    assert client.error(wire.CREATE_TTL, ttl_body("bad", 0, TTL, acl=None)) == -6
    assert client.error(wire.CREATE_TTL, ttl_body(None, 0, TTL)) == -6
    assert client.error(wire.CREATE_TTL, ttl_body("/ttl", 1000, 9)) == -8
    assert client.call(wire.PING).error == 0
    client.close_session()
    client.drop()
