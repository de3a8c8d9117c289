"""A bridge that stands still for longer than its clients' timeouts: the silence was its own, so nobody is expired."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Final

import pytest

from integration.abuse.connection import PING, RawConnection, create, request
from integration.conformance import wire
from integration.peers.process import wait_until
from integration.peers.servers import Bridge

TICK_MS: Final = 500
TIMEOUT_MS: Final = 1000
PAUSE_S: Final = 4.0
EPHEMERAL: Final = 1


def _exists(connection: RawConnection, path: bytes) -> bool:
    code, _ = connection.call(request(1, wire.EXISTS, wire.buffer(path) + wire.flag(False)))
    return code == 0


@pytest.mark.timeout(60)
def test_a_bridge_stopped_for_longer_than_a_session_timeout_expires_only_those_who_are_gone(tmp_path: Path) -> None:
    with Bridge(tmp_path, {"tickTime": str(TICK_MS)}) as bridge:
        pinging, late, gone = (RawConnection(bridge.port) for _ in range(3))
        for name, connection in ((b"/pinging", pinging), (b"/late", late), (b"/gone", gone)):
            connection.open_session(TIMEOUT_MS)
            assert connection.call(create(1, name, b"", EPHEMERAL))[0] == 0
        os.kill(bridge.child.pid, signal.SIGSTOP)
        try:
            gone.socket.close()
            deadline = time.monotonic() + PAUSE_S
            pings = 0
            while time.monotonic() < deadline:
                pinging.send_bytes(PING)
                pings += 1
                time.sleep(TIMEOUT_MS / 4000)
        finally:
            os.kill(bridge.child.pid, signal.SIGCONT)
        # What was sent meanwhile is answered; who speaks up at once is in time though its deadline passed long ago.
        assert late.call(PING)[0] == 0
        for _ in range(pings):
            pinging.read_frame()
        assert _exists(pinging, b"/pinging") and _exists(late, b"/late")

        def is_gone() -> bool:
            return _exists(late, b"/late") and _exists(pinging, b"/pinging") and not _exists(pinging, b"/gone")

        wait_until(is_gone, 10, "the session that nobody came back for ends")
        assert bridge.child.log_text().count('"session_expired"') == 1
        pinging.socket.close()
        late.socket.close()
