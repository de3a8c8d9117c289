"""The command line up to the point where a server would start."""

import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner, Result

import zkbridge
from zkbridge.cli import main
from zkbridge.config import FLAGS


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(main, arguments, env=environment, prog_name="zkbridge")


def test_help_lists_every_flag_with_its_variable() -> None:
    text = run("serve", "--help").output
    for flag in FLAGS:
        assert f"--{flag.name}" in text
    assert "ZKBRIDGE_DATA_DIR" in text


def test_the_version_is_the_packages() -> None:
    assert run("--version").output == f"zkbridge, version {zkbridge.__version__}\n"


def test_a_missing_data_directory_is_an_error_with_its_cure() -> None:
    result = run("serve")
    assert result.exit_code == 1
    assert "give --data-dir DIR" in result.output


def test_the_environment_counts_and_a_flag_wins_over_it() -> None:
    assert "'slow'" in run("serve", ZKBRIDGE_TICK_TIME="slow").output
    output = run("serve", "--tick-time", "5", ZKBRIDGE_TICK_TIME="slow").output
    assert "slow" not in output
    assert "--data-dir" in output


def test_switches_take_true_and_false_from_the_environment() -> None:
    for value in ("true", "false", "1", "0"):
        output = run("serve", ZKBRIDGE_SKIP_ACL=value).output
        assert output == "Error: no data directory; give --data-dir DIR (or dataDir in the file)\n"


def test_the_data_of_a_zookeeper_server_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "version-2").mkdir()
    result = run("serve", "--data-dir", str(tmp_path))
    assert result.exit_code == 1
    assert "holds the data of a ZooKeeper server" in result.output


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run("serve", "--data-dir", str(tmp_path / "file" / "data"))
    assert result.exit_code == 1
    assert "can't be made (Not a directory); give --data-dir a writable path" in result.output


def test_an_unknown_flag_is_refused() -> None:
    assert run("serve", "--fast").exit_code == 2


def test_python_without_asserts_is_refused() -> None:
    command = [sys.executable, "-O", "-m", "zkbridge", "serve"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 1
    assert "Python runs with -O" in result.stderr
