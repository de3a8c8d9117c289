"""Monitors that ask for everything: clients are served meanwhile, and the answer is whole."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from integration.conformance import wire
from integration.conformance.monitored import SESSION_TIMEOUT_MS, Monitored, monitored
from integration.conformance.raw_client import RawClient
from integration.peers.servers import Bridge

WATCHES = 60_000
WATCHES_A_REQUEST = 20_000
"""So that a request stays below jute.maxbuffer."""
PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitored]:
    """A bridge with a client that watches very many paths."""
    server = monitored(Bridge, tmp_path_factory.mktemp("monitors") / "server", with_metrics=True)
    with server.server:
        client = RawClient(server.server.port)
        client.connect(timeout_ms=SESSION_TIMEOUT_MS)
        for first in range(0, WATCHES, WATCHES_A_REQUEST):
            paths = [wire.buffer(b"/watched/path/%d" % number) for number in range(first, first + WATCHES_A_REQUEST)]
            lists = wire.vector([]) + wire.vector(paths) + wire.vector([])
            client.call(wire.SET_WATCHES, wire.i64(client.last_zxid) + lists)
        server.clients.append(client)
        yield server
        client.drop()


def test_a_listing_of_all_watches_is_whole_and_holds_nobody_up(watched: Monitored) -> None:
    """Asked for by several at once, while a client pings: its answers come between the steps."""
    answers: list[int] = []

    def ask_for_all() -> None:
        fields = json.loads(watched.admin("/commands/watches_by_path").body)
        answers.append(len(fields["path_to_session_ids"]))

    monitors = [threading.Thread(target=ask_for_all) for _ in range(3)]
    for monitor in monitors:
        monitor.start()
    pings = 0
    while any(monitor.is_alive() for monitor in monitors):
        watched.clients[0].call(wire.PING, xid=wire.XID_PING)
        pings += 1
    assert answers == [WATCHES] * len(monitors)
    # Made in one go, each listing would have answered no ping at all.
    assert pings > 50


def test_all_listings_of_the_watches_agree(watched: Monitored) -> None:
    session_id = str(watched.clients[0].session_id)
    assert len(watched.command("watches")["session_id_to_watched_paths"][session_id]) == WATCHES
    assert watched.command("watch_summary")["num_total_watches"] == WATCHES
    assert watched.mntr()["watch_count"] == str(WATCHES)


def test_who_asks_and_does_not_read_costs_nothing(watched: Monitored) -> None:
    """Its answer is made no further than its socket takes it."""
    lazy: list[socket.socket] = []
    for _ in range(10):
        conn = socket.create_connection(("127.0.0.1", watched.admin_port), timeout=PATIENCE_S)
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        conn.sendall(b"GET /commands/watches HTTP/1.1\r\nHost: h\r\n\r\n")
        lazy.append(conn)
    deadline = time.monotonic() + PATIENCE_S
    for _ in range(20):
        watched.clients[0].call(wire.PING, xid=wire.XID_PING)
        assert watched.command("ruok")["error"] is None
        assert b"watch_count" in watched.metrics().body
        assert time.monotonic() < deadline
    for conn in lazy:
        conn.close()
