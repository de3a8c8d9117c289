"""Four-letter words of a live bridge count what they count in ZooKeeper 3.9.4. Source: reference section 6.1."""

from __future__ import annotations

import re
from pathlib import Path

from tests.simulation.bridge.harness import Peer, World, run_world
from zkbridge.protocol import opcodes


def ask(world: World, word: str) -> str:
    peer = Peer(world.bridge)
    peer.client.data_received(word.encode())
    text = bytes(peer.transport.written).decode()
    peer.client.connection_lost(None)
    return text


def test_a_word_counts_as_a_packet_received_before_it_is_answered(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        for number in (1, 2, 3):
            lines = ask(world, "srvr").splitlines()
            assert (lines[2], lines[3]) == (f"Received: {number}", f"Sent: {number - 1}")

    run_world(script, tmp_path)


def test_the_connection_that_asks_shows_its_word_and_is_read_no_more(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        world.open_session()
        lines = ask(world, "stat").splitlines()
        assert lines[2:5] == [
            " /127.0.0.1:40000[1](queued=0,recved=1,sent=1)",
            " /127.0.0.1:40000[0](queued=0,recved=1,sent=0)",
            "",
        ]

    run_world(script, tmp_path)


def test_a_reset_connection_has_done_nothing(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        peer = world.open_session()
        peer.create("/a")
        world.backend.apply_all()
        ask(world, "crst")
        line = ask(world, "cons").splitlines()[0]
        assert "(queued=0,recved=0,sent=0,sid=0x" in line
        assert ",lop=NA," in line and "lcxid" not in line
        assert line.endswith(",lzxid=0xffffffffffffffff,lresp=0,llat=0,minlat=0,avglat=0,maxlat=0)")
        peer.send(opcodes.PING, xid=opcodes.PING_XID)
        line = ask(world, "cons").splitlines()[0]
        assert ",lop=PING," in line and "lcxid" not in line and "lzxid=0xffff" not in line

    run_world(script, tmp_path)


def test_a_connections_zxid_is_that_of_its_last_answer(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        peer = world.open_session()
        peer.create("/a")
        world.backend.apply_all()
        assert f",lzxid={world.bridge.replica.zxid:#x}," in ask(world, "cons")

    run_world(script, tmp_path)


def test_the_configuration_is_that_of_a_standalone_server(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        assert ask(world, "conf").endswith("\nserverId=0\n")

    run_world(script, tmp_path)


def test_dump_groups_connections_by_their_end(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        first = world.open_session()
        second = world.open_session()
        text = ask(world, "dump").split("Connections dump:\n")[1]
        date = r"\w{3} \w{3} \d\d \d\d:\d\d:\d\d UTC \d{4}"
        assert re.match(r"Connections Sets \((1|2|3)\)/\(3\):\n", text)
        assert len(re.findall(rf"^\d expire at {date}:$", text, re.M)) == int(text[text.index("(") + 1])
        for peer in (first, second):
            assert f"\tip: /127.0.0.1:40000 sessionId: {peer.session_id:#x}\n" in text
        assert "\tip: /127.0.0.1:40000 sessionId: 0x0\n" in text

    run_world(script, tmp_path)
