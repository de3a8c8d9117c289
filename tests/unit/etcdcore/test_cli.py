"""The command is etcd's: its flags with one dash or two, its exit codes, and one clear line when it cannot start."""

from pathlib import Path

import pytest

from etcdcore.cli import load_settings, serve
from etcdcore.config import ETCD_VERSION, ConfigError
from etcdcore.flags.command_line import CommandLine


def test_the_version_names_the_etcd_that_it_stands_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert serve(["--version"]) == 0
    assert capsys.readouterr().out.startswith(f"etcd Version: {ETCD_VERSION}\n")


def test_help_lists_every_flag_and_leaves_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert serve(["-h"]) == 0
    assert "--experimental-watch-progress-notify-interval" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        (["--no-such-flag"], 2, "flag provided but not defined: -no-such-flag"),
        (["--name"], 2, "flag needs an argument: -name"),
        (["--pre-vote=maybe"], 2, "invalid boolean value"),
        (["--max-wals=-1"], 2, "value out of range"),
        (["stray"], 1, "'stray' is not a valid flag"),
        (["--election-timeout=100"], 1, "at least as 5 times"),
        (["--listen-client-urls=http://127.0.0.1:1"], 1, "--advertise-client-urls is required"),
        (["--wal-dir=elsewhere"], 1, "mount that disk there"),
    ],
)
def test_what_cannot_start_says_why_under_etcds_exit_codes(
    arguments: list[str], status: int, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert serve(arguments) == status
    assert text in capsys.readouterr().err


def test_a_file_named_by_the_environment_excludes_flags(tmp_path: Path) -> None:
    path = tmp_path / "etcd.yaml"
    path.write_text("name: from-file\n")
    line = CommandLine({"name": "from-flag"}, "", False, False)
    assert load_settings(line, {"ETCD_CONFIG_FILE": str(path)}).config.name == "from-file"


def test_an_unreadable_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't be read"):
        load_settings(CommandLine({}, str(tmp_path / "none"), False, False), {})
