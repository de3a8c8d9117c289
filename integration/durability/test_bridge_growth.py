"""Two hundred thousand writes leave a bounded process, and with a short retention a bounded store."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

import psutil
import pytest

from integration.abuse.connection import RawConnection, create, get_data, set_data
from integration.conformance import wire
from integration.peers.process import wait_until
from integration.peers.servers import Bridge

WRITES: Final = 200_000
NODES: Final = 100
WINDOW: Final = 500
VALUE_BYTES: Final = 100
MIB: Final = 1 << 20
HISTORY_BYTES_MAX: Final = 400
"""Of memory for a revision that is kept: the whole value is on disk, an entry of the index is not."""
SHORT_RETENTION_S: Final = 1
STORE_BYTES_MAX: Final = 20 * MIB
"""With a short retention; with all of the history it is 34 MiB."""
LOG_FILES_MAX: Final = 4


def _value(number: int) -> bytes:
    return (b"%d " % number).ljust(VALUE_BYTES, b".")


def _write(connection: RawConnection, count: int) -> None:
    """`count` setData, many at a time."""
    sent = answered = 0
    while answered < count:
        batch = min(WINDOW, count - sent)
        connection.send_bytes(
            b"".join(set_data(sent + i, b"/n%d" % ((sent + i) % NODES), _value(sent + i)) for i in range(batch))
        )
        sent += batch
        for _ in range(batch):
            reply = connection.read_frame()
            assert reply[12:16] == b"\0\0\0\0", reply
            answered += 1


def _create_nodes(connection: RawConnection) -> None:
    connection.open_session()
    for number in range(NODES):
        assert connection.call(create(number, b"/n%d" % number, _value(0)))[0] == 0


def _check_nodes(connection: RawConnection) -> None:
    for number in range(NODES):
        code, body = connection.call(get_data(1, b"/n%d" % number))
        assert code == 0 and wire.Cursor(body).buffer() == _value(WRITES - NODES + number)


def _store_bytes(bridge: Bridge) -> int:
    return (bridge.folder / "data" / "member" / "db" / "data.mdb").stat().st_size


def _log_files(bridge: Bridge) -> int:
    return len(list((bridge.folder / "data" / "member" / "wal").iterdir()))


@pytest.mark.timeout(240)
def test_memory_after_200000_writes_is_bounded_by_the_history_that_is_kept(tmp_path: Path) -> None:
    with Bridge(tmp_path) as bridge, RawConnection(bridge.port) as connection:
        _create_nodes(connection)
        process = psutil.Process(bridge.child.pid)
        _write(connection, 5000)
        before = process.memory_info().rss
        started = time.monotonic()
        _write(connection, WRITES)
        took_s = time.monotonic() - started
        _check_nodes(connection)
        grown = process.memory_info().rss - before
        print(
            f"{WRITES / took_s:.0f} writes/s; memory {before // MIB} MiB + {grown // MIB} MiB, "
            f"store {_store_bytes(bridge) // MIB} MiB, {_log_files(bridge)} log files"
        )
        assert grown < WRITES * HISTORY_BYTES_MAX, f"{grown // MIB} MiB for {WRITES} writes"
        assert _log_files(bridge) <= LOG_FILES_MAX


@pytest.mark.timeout(240)
def test_with_a_short_retention_the_store_reuses_its_room_and_memory_does_not_grow(tmp_path: Path) -> None:
    bridge = Bridge(tmp_path)
    bridge.child.command += ["--compaction-retention", str(SHORT_RETENTION_S), "--wal-segment-bytes", str(8 * MIB)]
    with bridge, RawConnection(bridge.port) as connection:
        _create_nodes(connection)
        process = psutil.Process(bridge.child.pid)
        sizes: list[tuple[int, int]] = []
        for _ in range(10):
            _write(connection, WRITES // 10)
            time.sleep(2 * SHORT_RETENTION_S)
            sizes.append((_store_bytes(bridge), process.memory_info().rss))
        stores, memories = [size[0] // MIB for size in sizes], [size[1] // MIB for size in sizes]
        print(f"store {stores} MiB, memory {memories} MiB, {_log_files(bridge)} log files")
        # What the first rounds took, the later ones use again, but for what lies in pieces too small for them.
        assert max(stores) * MIB < STORE_BYTES_MAX, stores
        assert memories[-1] <= 1.25 * memories[4], memories
        wait_until(lambda: _log_files(bridge) <= LOG_FILES_MAX, 15, "the log is cut below the checkpoint")
