"""`zkbridge serve` up to the point where the server would start."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from zkbridge.cli import main
from zkbridge.commands.serve import GROUPS, default_data_dir
from zkbridge.config import FLAGS


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(main, ["serve", *arguments], env=environment, prog_name="zkbridge")


@pytest.fixture
def empty_file(tmp_path: Path) -> str:
    """A file that names no data directory, which nothing can start with."""
    path = tmp_path / "zoo.cfg"
    path.write_text("clientPort=0\n")
    return str(path)


def test_help_lists_every_flag_once_with_its_variable_the_common_ones_first() -> None:
    text = run("--help").output
    for flag in FLAGS:
        assert len(re.findall(rf"^  --{flag.name} ", text, re.MULTILINE)) == 1, flag.name
    assert "ZKBRIDGE_DATA_DIR" in text
    assert text.index("Common:") < text.index("Sessions and connections:") < text.index("Examples:")


def test_every_flag_that_a_group_names_is_one() -> None:
    known = {flag.name for flag in FLAGS}
    named = [name for _, names in GROUPS for name in names]
    assert set(named) <= known
    assert len(named) == len(set(named))


def test_without_a_word_the_data_lies_where_the_users_state_does(tmp_path: Path) -> None:
    home = str(tmp_path)
    assert default_data_dir({"XDG_STATE_HOME": "/state", "HOME": home}) == Path("/state/zkbridge")
    assert default_data_dir({"HOME": home}) == tmp_path / ".local" / "state" / "zkbridge"
    assert default_data_dir({"HOME": home, "XDG_STATE_HOME": "relative"}) == tmp_path / ".local" / "state" / "zkbridge"


def test_without_a_home_the_data_lies_in_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert default_data_dir({}) == tmp_path / "zkbridge-data"
    assert default_data_dir({"HOME": "/nonexistent"}) == tmp_path / "zkbridge-data"


def test_a_file_without_a_data_directory_is_an_error_with_its_cure(empty_file: str) -> None:
    """As in ZooKeeper: who has a file has chosen."""
    result = run("--config", empty_file)
    assert result.exit_code == 1
    assert "give --data-dir DIR" in result.output


def test_the_environment_counts_and_a_flag_wins_over_it(empty_file: str) -> None:
    assert "'slow'" in run("--config", empty_file, ZKBRIDGE_TICK_TIME="slow").output
    output = run("--config", empty_file, "--tick-time", "5", ZKBRIDGE_TICK_TIME="slow").output
    assert "slow" not in output
    assert "--data-dir" in output


def test_switches_take_true_and_false_from_the_environment(empty_file: str) -> None:
    for value in ("true", "false", "1", "0"):
        output = run("--config", empty_file, ZKBRIDGE_SKIP_ACL=value).output
        assert output == "Error: no data directory; give --data-dir DIR (or dataDir in the file)\n"


def test_the_data_of_a_zookeeper_server_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "version-2").mkdir()
    result = run("--data-dir", str(tmp_path))
    assert result.exit_code == 1
    assert "holds the data of a ZooKeeper server" in result.output


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run("--data-dir", str(tmp_path / "file" / "data"))
    assert result.exit_code == 1
    assert "can't be made (Not a directory); give --data-dir a writable path" in result.output


def test_an_unknown_flag_is_refused() -> None:
    assert run("--fast").exit_code == 2
