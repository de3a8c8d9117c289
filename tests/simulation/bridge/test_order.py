"""Order of answers, errors, events and reads while writes are in flight. Source: design section 4, reference 4.5."""

from __future__ import annotations

from pathlib import Path

from tests.simulation.bridge.harness import World, run_world
from zkbridge.backend.interface import WriteToken
from zkbridge.errors import NODE_EXISTS, OK, SYSTEM_ERROR, UNIMPLEMENTED
from zkbridge.jute.records import ACL, AuthPacket, CreateRequest, Id, SetACLRequest, SyncRequest
from zkbridge.protocol import opcodes

EVENT_XID = -1


def test_a_read_waits_for_its_own_sessions_write_and_for_nobody_elses(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        writer, reader = world.open_session(), world.open_session()
        created = writer.create("/a")
        read = writer.get_data("/a")
        other = reader.get_data("/a")
        assert writer.codes() == []
        assert reader.codes() == [(other, -101)]
        world.backend.apply_all()
        assert writer.codes() == [(created, OK), (read, OK)]

    run_world(script, tmp_path)


def test_an_error_about_a_write_in_flight_is_answered_only_when_that_write_is_decided(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        first, second = world.open_session(), world.open_session()
        first.create("/a")
        refused = second.create("/a")
        assert second.codes() == []
        world.backend.apply_all()
        assert second.codes() == [(refused, NODE_EXISTS)]

    run_world(script, tmp_path)


def test_the_event_of_a_write_leaves_before_its_answer(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        peer = world.open_session()
        peer.create("/a")
        world.backend.apply_all()
        peer.get_data("/a", watch=True)
        peer.take()
        write = peer.set_data("/a")
        world.backend.apply_all()
        assert [xid for xid, _ in peer.codes()] == [EVENT_XID, write]

    run_world(script, tmp_path)


def test_a_write_of_a_session_whose_key_is_gone_fails_and_those_behind_it_are_planned_again(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        dead, alive = world.open_session(), world.open_session()
        # Behind the bridge's back, as when the store itself ends the lease of a bridge that it lost.
        world.backend.revoke_lease(dead.session_id)
        dead.create("/a")
        child = alive.create("/a/b")
        other = alive.create("/c")
        world.backend.apply_all()
        assert dead.codes() == [] and dead.transport.is_closed
        world.backend.apply_all()
        # /a/b was planned on /a, which never came to be.
        assert alive.codes() == [(child, -101), (other, OK)]
        assert "/a" not in world.bridge.replica.znodes

    run_world(script, tmp_path)


def test_an_acl_change_of_a_node_in_flight_waits_until_its_revision_is_known(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        writer, admin = world.open_session(), world.open_session()
        writer.create("/a")
        world.backend.apply_all()
        writer.set_data("/a")
        request = SetACLRequest("/a", [ACL(1, Id("world", "anyone"))], -1).encode()
        changed = admin.send(opcodes.SET_ACL, request)
        behind = admin.create("/b")
        assert admin.codes() == []
        world.backend.apply_all()
        world.backend.apply_all()
        assert admin.codes() == [(changed, OK), (behind, OK)]
        znode = world.bridge.replica.znodes["/a"]
        assert znode.aversion == 1
        assert znode.mzxid < world.bridge.replica.zxid - 1

    run_world(script, tmp_path)


def test_sync_takes_its_place_in_the_order(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        peer = world.open_session()
        sync = peer.send(opcodes.SYNC, SyncRequest("/").encode())
        read = peer.get_data("/")
        assert peer.codes() == []
        world.backend.apply_all()
        assert peer.codes() == [(sync, OK), (read, OK)]

    run_world(script, tmp_path)


def test_auth_is_answered_at_once_and_counts_only_for_what_comes_behind_it(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        peer = world.open_session()
        before = peer.send(opcodes.CREATE, _create_for_auth("/before"))
        auth = peer.send(opcodes.AUTH, AuthPacket(0, "digest", b"user:secret").encode(), xid=-4)
        write = peer.create("/a")
        after = peer.send(opcodes.CREATE, _create_for_auth("/after"))
        assert peer.codes()[-1:] == [(auth, OK)]
        world.backend.apply_all()
        answers = dict(peer.codes())
        assert answers[write] == OK and answers[after] == OK
        assert before not in answers  # refused at once: nobody had proven anything yet

    run_world(script, tmp_path)


def test_an_unknown_opcode_is_answered_in_its_place_and_ends_the_connection(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        peer = world.open_session()
        write = peer.create("/a")
        unknown = peer.send(99)
        peer.create("/never")
        world.backend.apply_all()
        assert peer.codes() == [(write, OK), (unknown, UNIMPLEMENTED)]
        assert peer.transport.is_closed

    run_world(script, tmp_path)


def test_while_the_store_takes_no_writes_they_are_refused_and_reads_go_on(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        peer = world.open_session()
        world.backend.sink.write_state_changed("disk full")
        refused = peer.create("/a")
        read = peer.get_data("/")
        assert peer.codes() == [(refused, SYSTEM_ERROR), (read, OK)]
        world.backend.sink.write_state_changed(None)
        taken = peer.create("/a")
        world.backend.apply_all()
        assert peer.codes() == [(taken, OK)]

    run_world(script, tmp_path)


def test_a_dropped_write_leaves_nothing_on_the_overlay(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        peer, other = world.open_session(), world.open_session()
        dropped = peer.create("/a")
        token = _last_token(world)
        world.backend.drop_newest()
        world.backend.sink.write_dropped(token, "disk full", True)
        assert peer.codes() == [(dropped, SYSTEM_ERROR)]
        orphan = other.create("/a/b")
        world.backend.apply_all()
        assert other.codes() == [(orphan, -101)]

    run_world(script, tmp_path)


def test_a_write_of_unknown_fate_ends_its_connection(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        peer = world.open_session()
        peer.create("/a")
        token = _last_token(world)
        world.backend.drop_newest()
        world.backend.sink.write_dropped(token, "stopping", False)
        assert peer.codes() == []
        assert peer.transport.is_closed

    run_world(script, tmp_path)


def _create_for_auth(path: str) -> bytes:
    return CreateRequest(path, b"", [ACL(31, Id("auth", ""))], 0).encode()


def _last_token(world: World) -> WriteToken:
    return world.backend.tokens[-1]
