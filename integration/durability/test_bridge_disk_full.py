"""The whole bridge on a disk that fills up: writes are refused, the rest goes on, and it recovers with everything."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from integration.abuse.connection import PING, RawConnection, create, get_data, set_data
from integration.conformance import wire
from integration.conformance.frame_socket import Closed
from integration.durability.small_disk import fill, mounted
from integration.peers.process import wait_until
from integration.peers.servers import Bridge

DISK_MIB: Final = 48
SEGMENT_BYTES: Final = 2 << 20
SYSTEM_ERROR: Final = -1
SLOTS: Final = 200
VALUE: Final = bytes(4000)
RECOVERY_S_MAX: Final = 10.0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    with mounted(tmp_path / "disk", DISK_MIB) as path:
        yield path


def _bridge(disk: Path) -> Bridge:
    bridge = Bridge(disk)
    # Its own log is not on the full disk: that would be another test.
    bridge.child.log_path = disk.parent / "server.log"
    bridge.child.command += ["--wal-segment-bytes", str(SEGMENT_BYTES)]
    return bridge


def _events(bridge: Bridge, name: str) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in bridge.child.log_text().splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == name]


class Writer:
    """Sets nodes in turn, one request after the other, and knows what was acknowledged."""

    def __init__(self, connection: RawConnection) -> None:
        self._connection: Final = connection
        self._number = 0
        self.acknowledged: Final[dict[bytes, bytes]] = {}

    def write(self) -> int:
        self._number += 1
        path = b"/slot%d" % (self._number % SLOTS)
        value = b"%d " % self._number + VALUE
        make = set_data if path in self.acknowledged else create
        code, _ = self._connection.call(make(self._number, path, value))
        if code == 0:
            self.acknowledged[path] = value
        return code

    def write_until_refused(self) -> None:
        for _ in range(20_000):
            code = self.write()
            if code != 0:
                assert code == SYSTEM_ERROR, code
                return
        raise AssertionError("no write was refused on a full disk")

    def check(self, connection: RawConnection) -> None:
        for path, value in self.acknowledged.items():
            code, body = connection.call(get_data(1, path))
            assert code == 0 and wire.Cursor(body).buffer() == value, path


@pytest.mark.timeout(200)
def test_on_a_full_disk_writes_are_refused_and_all_else_goes_on_until_there_is_room(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    with _bridge(small_disk) as bridge, RawConnection(bridge.port) as connection, RawConnection(bridge.port) as idle:
        connection.open_session(4000)
        idle.open_session(4000)
        writer = Writer(connection)
        for _ in range(SLOTS):
            assert writer.write() == 0
        for turn in range(1, 3):
            fill(ballast)
            writer.write_until_refused()
            refusals = _events(bridge, "writes_refused")
            assert refusals[-1]["level"] == "error"
            assert "no space is left on the disk" in str(refusals[-1]["reason"])
            assert "free some space" in str(refusals[-1]["cure"])
            # Longer than the session timeout, so that a session that nobody renewed would be over.
            deadline = time.monotonic() + 7
            while time.monotonic() < deadline:
                assert writer.write() == SYSTEM_ERROR
                for each in (connection, idle):
                    assert each.call(PING)[0] == 0
                    assert each.call(get_data(1, b"/slot1"))[0] == 0
                time.sleep(0.5)
            writer.check(idle)
            with RawConnection(bridge.port) as newcomer, pytest.raises(Closed):
                newcomer.open_session()
            assert len(_events(bridge, "writes_refused")) <= 2 * turn, "one line tells it, not one a write"
            ballast.unlink()
            wait_until(lambda: writer.write() == 0, RECOVERY_S_MAX, "writes work again with room on the disk")
            for _ in range(SLOTS):
                assert writer.write() == 0
            with RawConnection(bridge.port) as newcomer:
                newcomer.open_session()
            assert _events(bridge, "writes_resumed")
        writer.check(idle)
        assert not _events(bridge, "session_expired")
        bridge.kill()
        bridge.start()
        with RawConnection(bridge.port) as reader:
            reader.open_session()
            writer.check(reader)
        assert bridge.stop() == 0
        assert "Traceback" not in bridge.child.log_text()


@pytest.mark.timeout(100)
def test_a_start_on_a_full_disk_says_so_and_the_next_one_has_everything(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    with _bridge(small_disk) as bridge:
        with RawConnection(bridge.port) as connection:
            connection.open_session()
            writer = Writer(connection)
            fill(ballast)
            writer.write_until_refused()
        bridge.kill()
        fill(ballast)
        bridge.child.spawn()

        def has_told() -> bool:
            if not bridge.child.is_running():
                return True
            return bool(_events(bridge, "store_not_writable") or len(_events(bridge, "writes_refused")) > 1)

        wait_until(has_told, RECOVERY_S_MAX, "the log says what hinders the start")
        if bridge.child.is_running():
            for event in _events(bridge, "store_not_writable"):
                assert event["level"] == "error" and "no room" in str(event["reason"])
                assert int(str(event["free_bytes"])) < 1 << 20
            assert bridge.stop() == 0, "a start that waits can be stopped"
        else:
            # Not a byte was left, not even for the lock.
            assert bridge.stop() == 1
            reason = str(_events(bridge, "server_failed")[-1]["reason"])
            assert str(small_disk) in reason and "No space left" in reason
        ballast.unlink()
        bridge.start()
        with RawConnection(bridge.port) as reader:
            reader.open_session()
            writer.check(reader)
        assert bridge.stop() == 0
        assert "Traceback" not in bridge.child.log_text()
