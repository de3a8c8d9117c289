"""The command line of snapshots; `save`, and what etcdutl makes of the files, are in integration/etcd/snapshot."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from etcdcore.bbolt.writer import DatabaseWriter
from etcdcore.subcommands import commands


def write_snapshot(path: Path) -> Path:
    with path.open("w+b") as file:
        writer = DatabaseWriter(file)
        writer.write_bucket(b"key", [])
        writer.write_bucket(b"meta", [(b"storageVersion", b"3.6.0")])
        writer.finish()
    return path


def test_status_and_restore_run_to_the_end(tmp_path: Path) -> None:
    snapshot = write_snapshot(tmp_path / "s.db")
    status = CliRunner().invoke(commands, ["snapshot", "status", str(snapshot), "-w", "fields"])
    assert status.exit_code == 0
    assert '"Version" : 3.6.0' in status.output
    flags = ["--data-dir", str(tmp_path / "d"), "--skip-hash-check", "--bump-revision", "5", "--mark-compacted"]
    restored = CliRunner().invoke(commands, ["snapshot", "restore", str(snapshot), *flags])
    assert restored.exit_code == 0, restored.output
    assert "up to revision 5" in restored.output
    assert (tmp_path / "d" / "member" / "format").exists()


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        (["status", "none.db"], 1, "cannot open none.db"),
        (["restore", "none.db", "--data-dir", "d"], 1, "cannot open none.db"),
        (["restore", "none.db", "--wal-dir", "w"], 2, "--wal-dir"),
        (["restore", "none.db", "--bump-revision", "5"], 1, "--mark-compacted required"),
        (["save", "s.db", "--endpoints", "a:1,b:2"], 2, "one selected node"),
        (["save", "s.db", "--endpoints", "127.0.0.1:1"], 1, "cannot save a snapshot of 127.0.0.1:1"),
    ],
)
def test_what_cannot_be_done_says_why(
    arguments: list[str], status: int, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(commands, ["snapshot", *arguments])
    assert (done.exit_code, text in done.output) == (status, True), done.output
    assert list(tmp_path.iterdir()) == []
