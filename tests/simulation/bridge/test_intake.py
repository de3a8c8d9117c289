"""Which sockets are read while requests wait: ZooKeeper's globalOutstandingLimit, and bounds on what is held."""

from __future__ import annotations

from pathlib import Path

from tests.simulation.bridge.harness import World, run_world
from zkbridge.errors import OK
from zkbridge.jute.records import SyncRequest
from zkbridge.protocol import opcodes
from zkbridge.server.pipeline import HELD_BYTES_MAX, PENDING_REQUESTS_MAX


def test_past_the_outstanding_limit_who_waits_is_not_read_and_who_does_not_is(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        first, second, reader = world.open_session(), world.open_session(), world.open_session()
        first.create("/a")
        first.create("/b")
        assert not first.transport.is_paused  # the limit itself is still allowed
        second.create("/c")
        assert second.transport.is_paused
        read = reader.get_data("/")
        assert reader.codes() == [(read, OK)] and not reader.transport.is_paused
        world.backend.apply_all()
        assert [code for _, code in second.codes()] == [OK]
        assert not second.transport.is_paused

    run_world(script, tmp_path, outstanding_limit=2)


def test_a_connection_with_too_many_unanswered_requests_is_read_again_when_its_syncs_are_answered(
    tmp_path: Path,
) -> None:
    async def script(world: World) -> None:
        peer = world.open_session()
        for _ in range(PENDING_REQUESTS_MAX):
            assert not peer.transport.is_paused
            peer.send(opcodes.SYNC, SyncRequest("/").encode())
        assert peer.transport.is_paused
        # A barrier is no revision: nothing else of the store follows it.
        while world.backend.apply_one():
            pass
        assert len(peer.codes()) == PENDING_REQUESTS_MAX
        assert not peer.transport.is_paused

    run_world(script, tmp_path)


def test_long_requests_stop_the_reading_of_their_connection_by_their_bytes(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        peer, other = world.open_session(), world.open_session()
        peer.create("/a")
        world.backend.apply_all()
        paused: list[bool] = []
        for _ in range(HELD_BYTES_MAX // 1_000_000 + 1):
            peer.set_data("/a", bytes(1_000_000))
            paused.append(peer.transport.is_paused)
        assert paused == [False] * (HELD_BYTES_MAX // 1_000_000) + [True]
        other.create("/b")
        assert not other.transport.is_paused
        world.backend.apply_all()
        paused = [peer.transport.is_paused]
        assert paused == [False]
        assert peer.client.pipeline.held_bytes == 0

    run_world(script, tmp_path)
