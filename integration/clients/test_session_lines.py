"""A session's life in the bridge's log, as an operator looks for it who has its id from an application's log."""

from __future__ import annotations

import json
from pathlib import Path

from integration.conformance import wire
from integration.conformance.raw_client import EPHEMERAL, NO_PASSWORD, RawClient
from integration.conformance.wire import connect_request
from integration.peers.process import wait_until
from integration.peers.servers import Bridge

SECRET = b"a-password-that-nobody-may-read"


def _lines(bridge: Bridge, session_id: int) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for line in bridge.child.log_text().splitlines():
        if line.startswith("{") and f'"0x{session_id:x}"' in line:
            entry = json.loads(line)
            del entry["timestamp"]
            found.append(entry)
    return found


def _peer(client: RawClient) -> str:
    host, port = client.socket.getsockname()[:2]
    return f"{host}:{port}"


def test_a_session_is_found_by_its_id_from_its_opening_to_its_end(tmp_path: Path) -> None:
    """Opened, its connection lost, taken up again, expired with its ephemerals; and another that is closed."""
    with Bridge(tmp_path, {"tickTime": "500"}) as bridge:
        first = RawClient(bridge.port)
        first.connect(2_000)
        session_id, password = first.session_id, first.password
        first.add_auth("digest", b"user:" + SECRET)
        first.create("/a", SECRET, flags=EPHEMERAL)
        first.create("/b", flags=EPHEMERAL)
        peers = [_peer(first)]
        first.drop()
        wait_until(lambda: len(_lines(bridge, session_id)) == 2, 20, "the loss of the connection is told")
        second = RawClient(bridge.port)
        second.connect(3_000, session_id, password)
        peers.append(_peer(second))
        second.drop()
        wait_until(lambda: len(_lines(bridge, session_id)) == 5, 30, "the expiry is told")
        third = RawClient(bridge.port)
        third.connect(2_000, session_id, password)
        peers.append(_peer(third))
        third.drop()
        closer = RawClient(bridge.port)
        closer.connect(2_000)
        closer.create("/c", flags=EPHEMERAL)
        closer_id, closer_peer = closer.session_id, _peer(closer)
        closer.call(wire.CLOSE_SESSION)
        closer.expect_closed()
        wait_until(lambda: len(_lines(bridge, closer_id)) == 2, 20, "the close is told")
        told = [(line.pop("event"), line) for line in _lines(bridge, session_id)]
        common = {"session_id": f"0x{session_id:x}", "level": "info"}
        assert told == [
            ("session_opened", {**common, "peer": peers[0], "timeout_ms": 2_000}),
            ("session_disconnected", {**common, "peer": peers[0]}),
            ("session_reattached", {**common, "peer": peers[1], "timeout_ms": 3_000}),
            ("session_disconnected", {**common, "peer": peers[1]}),
            ("session_expired", {**common, "peer": peers[1], "timeout_ms": 3_000, "ephemerals": 2}),
            ("session_reattach_refused", {**common, "peer": peers[2]}),
        ]
        end = _lines(bridge, closer_id)[-1]
        assert (end["event"], end["peer"], end["ephemerals"]) == ("session_closed", closer_peer, 1)
        assert SECRET.decode() not in bridge.child.log_text()
        assert password.hex() not in bridge.child.log_text()


def test_many_sessions_at_once_are_summed_up(tmp_path: Path) -> None:
    """A crowd that comes together: a few lines, and the sums of the rest."""
    crowd = 150
    with Bridge(tmp_path) as bridge:
        clients = [RawClient(bridge.port) for _ in range(crowd)]
        for client in clients:
            client.send_bytes(connect_request(0, 10_000, 0, NO_PASSWORD, b"\x00"))
        for client in clients:
            client.read_handshake()
        for client in clients:
            client.send(wire.CLOSE_SESSION)
        for client in clients:
            client.reply()
            client.drop()
        bridge.stop()
        events = [json.loads(line) for line in bridge.child.log_text().splitlines() if line.startswith("{")]
    sums = [event for event in events if event["event"] == "sessions_summed_up"]
    assert sums and all(event["lines_max"] == 10 for event in sums)
    for kind in ("opened", "closed"):
        lines = [event for event in events if event["event"] == f"session_{kind}"]
        # A second of ten or less has lines alone; one of more has ten lines, and its sum.
        assert 10 <= len(lines) < crowd
        assert sum(event.get(kind, 0) for event in sums) + len(lines) >= crowd
