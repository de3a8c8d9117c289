"""Random frames at the socket: good ones bent, cut and mixed, from one seed, on many connections."""

from __future__ import annotations

import os
import random

from integration.abuse.cases import PATH_OPCODES, rest_of
from integration.abuse.connection import RawConnection, request
from integration.abuse.memory import PeakMemory
from integration.abuse.probe import watch_over
from integration.conformance import wire
from integration.conformance.frame_socket import Closed
from integration.peers.servers import Bridge, ZooKeeperServer

SEED = int(os.environ.get("ZKBRIDGE_FUZZ_SEED", "1"))
CONNECTIONS = 400
FRAMES_PER_CONNECTION = 8
KNOCK_XID = 0x5A5A5A5A


def bend(chance: random.Random, data: bytes) -> bytes:
    """A frame with some of its bits, lengths or bytes changed; its own length is made right again, mostly."""
    body = bytearray(data[4:])
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(len(body))
        match chance.randrange(5):
            case 0:
                body[at] ^= 1 << chance.randrange(8)
            case 1:
                del body[at : at + chance.randrange(1, 9)]
            case 2:
                body[at:at] = chance.randbytes(chance.randrange(1, 9))
            case 3:
                body[at : at + 4] = wire.i32(chance.choice((-1, -2, 0, 1, 0x7FFFFFFF, -(2**31), 0xFFFFF, 65536)))
            case _:
                body[at : at + 4] = body[:4]
        if not body:
            return wire.i32(0)
    if chance.random() < 0.03:
        return wire.i32(chance.choice((-1, 2**20, 2**31 - 1, len(body) - 1))) + bytes(body)
    return wire.frame(bytes(body))


def frames(chance: random.Random) -> list[bytes]:
    """What one connection sends."""
    made: list[bytes] = []
    for number in range(FRAMES_PER_CONNECTION):
        opcode = chance.choice((*PATH_OPCODES, wire.MULTI, wire.MULTI_READ, wire.SET_WATCHES, wire.AUTH, wire.PING))
        path = wire.buffer(chance.choice((b"/", b"/fuzz", b"/fuzz/a", b"/fuzz/b", b"/zookeeper/quota")))
        match opcode:
            case wire.MULTI | wire.MULTI_READ:
                kinds = (wire.CREATE, wire.DELETE, wire.SET_DATA, wire.CHECK, wire.GET_DATA, wire.GET_CHILDREN)
                body = b""
                for kind in chance.sample(kinds, chance.randrange(1, 5)):
                    rest = wire.i32(-1) if kind == wire.CHECK else rest_of(kind)
                    body += wire.multi_header(kind, False, -1) + path + rest
                body += wire.multi_header(-1, True, -1)
            case wire.SET_WATCHES:
                body = wire.i64(0) + wire.vector([path] * 3) * 3
            case wire.AUTH:
                body = wire.i32(0) + wire.buffer(b"digest") + wire.buffer(b"a:b")
            case wire.PING:
                body = b""
            case _:
                body = path + rest_of(opcode)
        good = request(number, opcode, body)
        made.append(bend(chance, good) if chance.random() < 0.4 else good)
    return made


def test_no_frame_brings_the_server_down_or_leaves_a_connection_hanging(abused: ZooKeeperServer) -> None:
    """After its frames each connection is either closed or answers a knock; nobody else notices."""
    chance = random.Random(SEED)
    closed = served = 0
    with watch_over(abused), PeakMemory(abused) as memory:
        for _ in range(CONNECTIONS):
            with RawConnection(abused.port) as connection:
                if chance.random() < 0.1:
                    connection.send_bytes(bend(chance, wire.connect_request(0, 4000, 0, bytes(16))))
                else:
                    connection.open_session(timeout_ms=2000)
                connection.send_bytes(b"".join(frames(chance)))
                # A frame that was cut short swallows the knock, so enough are sent to fill what was announced.
                connection.send_bytes(request(KNOCK_XID, wire.EXISTS, wire.buffer(b"/") + b"\x00") * 40)
                try:
                    while wire.Cursor(connection.read_frame()).i32() != KNOCK_XID:
                        pass
                    served += 1
                except Closed:
                    closed += 1
                except TimeoutError:
                    raise AssertionError(f"silence after {closed + served} connections, seed {SEED}") from None
    assert closed > CONNECTIONS // 20 and served > CONNECTIONS // 20, f"{closed} closed, {served} served: a lame fuzz"
    if isinstance(abused, Bridge):
        assert memory.growth_mib < 100, f"{memory.growth_mib:.0f} MiB"
