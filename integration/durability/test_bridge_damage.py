"""What the whole process does with damaged and contested directories, seen as a user sees it: status, log, data."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Final

import pytest

from integration.abuse.connection import RawConnection, create, get_data, request
from integration.conformance import wire
from integration.peers.servers import Bridge

NODES: Final = 12
STARTS: Final = 12
COMMIT_S: Final = 0.5
"""The store's batch is committed every tenth of a second."""
REFUSED_S_MAX: Final = 20.0


def _write_nodes(port: int) -> None:
    with RawConnection(port) as connection:
        connection.open_session()
        for number in range(NODES):
            assert connection.call(create(number + 1, b"/node%02d" % number, b"value %02d" % number))[0] == 0


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a bridge that was killed behind its last acknowledged write."""
    folder = tmp_path_factory.mktemp("image")
    with Bridge(folder) as bridge:
        _write_nodes(bridge.port)
        time.sleep(COMMIT_S)
        bridge.kill()
    return folder


def _bridge_on_copy(image: Path, folder: Path) -> Bridge:
    # The log is mostly a reservation: copy what is written of it, and leave the rest a hole.
    shutil.copytree(image / "data", folder / "data", copy_function=_copy_sparse)
    return Bridge(folder)


def _copy_sparse(source: str, target: str) -> str:
    data = Path(source).read_bytes()
    written = data.rstrip(b"\0")
    with open(target, "wb") as file:
        file.write(written)
        file.truncate(len(data))
    return target


def _segment(folder: Path) -> Path:
    (segment,) = (folder / "data" / "member" / "wal").glob("*.wal")
    return segment


def _events(bridge: Bridge, name: str) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in bridge.child.log_text().splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == name]


def _end_of_start(bridge: Bridge) -> int:
    """Starts what is going to refuse; its exit status."""
    bridge.child.spawn()
    assert bridge.child.process is not None
    try:
        return bridge.child.process.wait(REFUSED_S_MAX)
    except subprocess.TimeoutExpired:
        bridge.kill()
        raise AssertionError(f"it did not refuse:\n{bridge.child.log_tail()}") from None


@pytest.mark.timeout(240)
def test_a_log_torn_at_its_last_records_starts_with_every_node_and_says_what_it_cut(
    image: Path, tmp_path: Path
) -> None:
    """Every byte of the last records is torn at in the member's own test; here, evenly, some of them."""
    whole = _segment(image).read_bytes()
    end = len(whole.rstrip(b"\0"))
    first = whole.index(b"value %02d" % (NODES - 2))
    step = max((end - first) // STARTS, 1)
    said = lost = 0
    for cut in range(first, end, step):
        folder = tmp_path / f"torn{cut}"
        folder.mkdir()
        bridge = _bridge_on_copy(image, folder)
        segment = _segment(folder)
        with segment.open("r+b") as file:
            file.truncate(cut)
            file.truncate(len(whole))
        with bridge, RawConnection(bridge.port) as connection:
            connection.open_session()
            # The store had applied and committed all of them, so even the torn log of durable records costs nothing.
            for number in range(NODES):
                code, body = connection.call(get_data(number + 1, b"/node%02d" % number))
                assert code == 0 and wire.Cursor(body).buffer() == b"value %02d" % number, (cut, number)
            assert connection.call(create(99, b"/later"))[0] == 0
        cuts = _events(bridge, "wal_tail_cut")
        for fact in cuts:
            assert fact["path"] == str(segment) and int(str(fact["offset"])) <= cut
            assert int(str(fact["size_bytes"])) > 0 and fact["level"] == "warning"
        said += len(cuts)
        lost += len(_events(bridge, "wal_entries_lost"))
        assert "Traceback" not in bridge.child.log_text()
        shutil.rmtree(folder)
    assert said >= STARTS // 2 and lost >= STARTS // 2, "a cut behind the last entry only loses the commit index"


def test_a_flipped_bit_in_the_middle_ends_the_start_and_names_file_and_offset(image: Path, tmp_path: Path) -> None:
    bridge = _bridge_on_copy(image, tmp_path)
    segment = _segment(tmp_path)
    whole = bytearray(segment.read_bytes())
    offset = whole.index(b"value %02d" % (NODES // 2))
    whole[offset] ^= 0x10
    segment.write_bytes(whole)
    assert _end_of_start(bridge) == 1
    log = bridge.child.log_text()
    (failed,) = _events(bridge, "server_failed")
    reason = str(failed["reason"])
    assert str(segment) in reason and "at offset " in reason and failed["level"] == "error"
    named = int(reason.split("at offset ")[1].split(":")[0])
    assert offset - 256 < named <= offset
    assert "Traceback" not in log
    assert segment.read_bytes() == whole, "nothing was cut"


def test_a_second_process_on_the_directory_is_refused_with_the_pid_of_the_first(tmp_path: Path) -> None:
    with Bridge(tmp_path) as owner:
        second = Bridge(tmp_path)
        second.child.log_path = tmp_path / "second.log"
        assert _end_of_start(second) == 1
        (failed,) = _events(second, "server_failed")
        assert f"process {owner.child.pid}" in str(failed["reason"])
        assert "Traceback" not in second.child.log_text()
        with RawConnection(owner.port) as connection:
            connection.open_session()
            assert connection.call(request(1, wire.PING))[0] == 0, "the owner never noticed"
