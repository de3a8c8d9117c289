"""`zkbridge config check`: the report, and the status that scripts look at."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from zkbridge.cli import main


def check(path: Path, *arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(main, ["config", "check", str(path), *arguments], env=environment, prog_name="zkbridge")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that a server starts with."""
    path = tmp_path / "zoo.cfg"
    path.write_text(f"dataDir={tmp_path / 'data'}\nclientPort=1\ntickTime=5\n")
    return path


def test_a_file_that_a_server_starts_with_ends_with_status_0_and_nothing_is_made(path: Path) -> None:
    result = check(path)
    assert result.exit_code == 0
    assert result.output.splitlines()[-1].startswith("A server would start with it: clients at *:1, ")
    assert [one.name for one in path.parent.iterdir()] == ["zoo.cfg"]


def test_a_refused_line_ends_with_status_1(path: Path) -> None:
    path.write_text(path.read_text() + "secureClientPort=2\n")
    result = check(path)
    assert result.exit_code == 1
    assert "    4  secureClientPort=2" in result.output
    assert result.output.splitlines()[-1] == "A server would not start with it."


def test_flags_and_environment_win_as_at_a_start(path: Path) -> None:
    assert "--tick-time (or ZKBRIDGE_TICK_TIME) wins over it" in check(path, "--tick-time", "7").output
    assert "--tick-time (or ZKBRIDGE_TICK_TIME) wins over it" in check(path, ZKBRIDGE_TICK_TIME="7").output
    assert check(path, ZKBRIDGE_TICK_TIME="slow").exit_code == 1


def test_a_zookeeper_servers_data_is_a_reason_not_to_start(path: Path) -> None:
    (path.parent / "data" / "version-2").mkdir(parents=True)
    result = check(path)
    assert result.exit_code == 1
    assert "holds the data of a ZooKeeper server" in result.output


def test_a_file_that_is_not_there_is_an_error(path: Path) -> None:
    result = check(path.with_name("nowhere"))
    assert result.exit_code == 1
    assert "can't be read (No such file or directory)" in result.output
