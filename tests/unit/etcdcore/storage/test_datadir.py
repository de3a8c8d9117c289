"""The data directory: one owner, one format, and nothing of others touched."""

import fcntl
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from etcdcore.storage.datadir import FORMAT, DataDir
from etcdcore.storage.errors import DataDirLocked, DataDirUnusable
from tests.unit.etcdcore.storage.fakes import FaultyFileOps

HOLDING_CHILD = """
import sys
from pathlib import Path
from etcdcore.storage.datadir import DataDir
held = DataDir.open(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_a_new_directory_gets_its_layout_for_its_owner_alone(tmp_path: Path) -> None:
    opened = DataDir.open(tmp_path / "deep" / "data")
    assert opened.wal_path == tmp_path / "deep" / "data" / "member" / "wal"
    assert opened.snapshot_path.is_dir()
    assert opened.db_path == opened.member_path / "db"
    assert (opened.member_path / "format").read_bytes() == FORMAT
    for path in (opened.path, opened.member_path, opened.wal_path, opened.snapshot_path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    opened.close()


def test_a_second_process_is_refused_with_the_owners_pid_until_the_owner_dies(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDING_CHILD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        with pytest.raises(DataDirLocked) as caught:
            DataDir.open(tmp_path)
        assert caught.value.owner_pid == child.pid
        assert f"in use by process {child.pid}" in str(caught.value)
        child.send_signal(signal.SIGKILL)
        child.wait()
    DataDir.open(tmp_path).close()


def test_the_same_process_is_refused_too(tmp_path: Path) -> None:
    first = DataDir.open(tmp_path)
    with pytest.raises(DataDirLocked) as caught:
        DataDir.open(tmp_path)
    assert caught.value.owner_pid == os.getpid()
    first.close()
    first.close()
    DataDir.open(tmp_path).close()


def test_an_owner_that_left_no_pid_is_still_respected(tmp_path: Path) -> None:
    DataDir.open(tmp_path).close()
    with (tmp_path / "lock").open("r+b") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(DataDirLocked, match="in use by another process") as caught:
            DataDir.open(tmp_path)
        assert caught.value.owner_pid is None


def test_an_unknown_format_is_refused_and_the_lock_given_back(tmp_path: Path) -> None:
    DataDir.open(tmp_path).close()
    (tmp_path / "member" / "format").write_bytes(b"etcdcore data directory, format 2\n")
    for _ in range(2):
        with pytest.raises(DataDirUnusable, match="format 2"):
            DataDir.open(tmp_path)


def test_a_directory_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "member" / "snap").mkdir(parents=True)
    with pytest.raises(DataDirUnusable, match="holds snap but no format file"):
        DataDir.open(tmp_path)
    assert [path.name for path in (tmp_path / "member").iterdir()] == ["snap"]


def test_a_crash_at_any_step_of_the_first_start_leaves_a_directory_that_opens(tmp_path: Path) -> None:
    for operation in ("make_directory", "create", "write_synced", "sync", "rename", "sync_directory"):
        path = tmp_path / operation
        ops = FaultyFileOps()
        ops.errors[operation] = 5
        with pytest.raises(OSError, match="injected"):
            DataDir.open(path, ops)
        DataDir.open(path).close()


def test_the_free_space_is_the_file_systems(tmp_path: Path) -> None:
    opened = DataDir.open(tmp_path)
    stats = os.statvfs(tmp_path)
    assert 0 <= opened.free_bytes() <= stats.f_blocks * stats.f_frsize
    opened.close()
