"""A multiRead that is none: what its refusal carries depends on how far ZooKeeper gets. Source: reference 1.2."""

from __future__ import annotations

import struct
from pathlib import Path

from tests.simulation.bridge.harness import World, run_world
from zkbridge.errors import MARSHALLING_ERROR
from zkbridge.jute.multi import MultiReadRequest, MultiRequest
from zkbridge.jute.records import CheckVersionRequest, GetDataRequest
from zkbridge.protocol import opcodes

NO_RESULTS = struct.pack(">i?i", -1, True, -1)
CHECKS = MultiRequest([(13, CheckVersionRequest("/", 0))]).encode()
READS = MultiReadRequest([(4, GetDataRequest("/", False))]).encode()
END_BYTES = 9


def test_a_refused_multi_read_has_a_body_only_if_it_was_a_whole_multi(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        peer = world.open_session()
        mixed = READS[:-END_BYTES] + CHECKS
        for record, body in [(CHECKS, NO_RESULTS), (mixed, b""), (READS[:-1], b""), (CHECKS[:-1], b""), (b"", b"")]:
            peer.transport.written.clear()
            xid = peer.send(opcodes.MULTI_READ, record)
            frame = bytes(peer.transport.written)
            assert struct.unpack_from(">ii", frame) == (16 + len(body), xid)
            assert struct.unpack_from(">i", frame, 16) == (MARSHALLING_ERROR,)
            assert frame[20:] == body

    run_world(script, tmp_path)
