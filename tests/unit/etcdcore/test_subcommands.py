"""The words of `etcdcore` beside etcd's flags, and what a shell may complete."""

import pytest
from click.testing import CliRunner

from etcdcore.subcommands import SHELLS, commands


@pytest.mark.parametrize("shell", SHELLS)
def test_the_completion_script_asks_etcdcore_in_the_shells_own_way(shell: str) -> None:
    result = CliRunner().invoke(commands, ["completion", shell])
    assert result.exit_code == 0
    assert f"_ETCDCORE_COMPLETE={shell}_complete" in result.output


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("gr", ["plain,grpc-proxy"]),
        ("--data", ["plain,--data-dir"]),
        ("serve --listen-p", ["plain,--listen-peer-urls"]),
        ("--name x --quota", ["plain,--quota-backend-bytes"]),
        ("snapshot re", ["plain,restore"]),
        ("gateway start --retry", ["plain,--retry-delay"]),
    ],
)
def test_subcommands_and_etcds_flags_are_completed(words: str, expected: list[str]) -> None:
    line = f"etcdcore {words}"
    environment = {"_ETCDCORE_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
    result = CliRunner().invoke(commands, [], env=environment, prog_name="etcdcore")
    assert result.output.splitlines() == expected
