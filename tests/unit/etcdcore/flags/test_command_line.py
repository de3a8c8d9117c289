"""Command line and environment are read as Go's flag package and etcd read them."""

import pytest

from etcdcore.config import ConfigError
from etcdcore.flags.command_line import UsageError, config_file_of, merge_environment, parse_command_line


def test_one_dash_and_two_equals_sign_and_blank_are_the_same() -> None:
    for arguments in (["-name", "x"], ["--name", "x"], ["-name=x"], ["--name=x"]):
        assert parse_command_line(arguments).values == {"name": "x"}


def test_a_switch_stands_alone_and_never_takes_the_next_word() -> None:
    assert parse_command_line(["--pre-vote", "--name", "x"]).values == {"pre-vote": True, "name": "x"}
    assert parse_command_line(["--pre-vote=false"]).values == {"pre-vote": False}
    with pytest.raises(ConfigError, match="'false' is not a valid flag"):
        parse_command_line(["--pre-vote", "false"])


def test_the_last_of_a_repeated_flag_counts() -> None:
    assert parse_command_line(["--name", "x", "--name", "y"]).values == {"name": "y"}


@pytest.mark.parametrize("word", ["---name", "--=x", "-=x"])
def test_bad_syntax_is_a_usage_error(word: str) -> None:
    with pytest.raises(UsageError, match="bad flag syntax"):
        parse_command_line([word])


def test_flag_and_environment_for_one_setting_are_a_conflict() -> None:
    line = parse_command_line(["--name", "x"])
    with pytest.raises(ConfigError, match="ETCD_NAME is shadowed"):
        merge_environment(line, {"ETCD_NAME": "y"}, [])


def test_the_environment_sets_what_no_flag_does_and_warns_of_what_it_does_not_know() -> None:
    notes: list[str] = []
    values = merge_environment(
        parse_command_line([]), {"ETCD_NAME": "y", "ETCD_NOBODY": "1", "ETCD_DATA_DIR": "", "PATH": "/"}, notes
    )
    assert values == {"name": "y"}
    assert notes == ["recognized and used environment variable ETCD_NAME=y",
                     "unrecognized environment variable ETCD_NOBODY=1"]  # fmt: skip


def test_a_bad_value_in_the_environment_names_its_variable() -> None:
    with pytest.raises(ConfigError, match="ETCD_MAX_WALS"):
        merge_environment(parse_command_line([]), {"ETCD_MAX_WALS": "many"}, [])


def test_the_file_is_named_by_flag_or_environment() -> None:
    assert config_file_of(parse_command_line(["--config-file", "a"]), {"ETCD_CONFIG_FILE": "b"}) == "a"
    assert config_file_of(parse_command_line([]), {"ETCD_CONFIG_FILE": "b"}) == "b"
