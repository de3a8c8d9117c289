"""The command line up to the point where a server would start."""

import subprocess
import sys

import pytest
from click.testing import CliRunner, Result

import zkbridge
from zkbridge.cli import SUBCOMMANDS, main
from zkbridge.tree import replica


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(main, arguments, env=environment, prog_name="zkbridge")


def test_the_version_is_the_packages_and_says_which_build_this_is() -> None:
    build = "compiled" if replica.__file__.endswith(".so") else "plain Python"
    assert run("--version").output == f"zkbridge, version {zkbridge.__version__} ({build} build)\n"


def test_help_lists_each_subcommand_with_what_it_says_of_itself_and_ends_with_examples() -> None:
    output = run("--help").output
    for name, (_, what) in SUBCOMMANDS.items():
        assert f"{name} " in output
        assert what in run(name, "--help").output
    assert "Examples:" in output.partition("Commands:")[2]


def test_an_unknown_subcommand_is_refused() -> None:
    assert run("server").exit_code == 2


@pytest.mark.parametrize(("word", "expected"), [("se", "plain,serve"), ("serve --data", "plain,--data-dir")])
def test_a_shell_is_told_what_a_word_may_become(word: str, expected: str) -> None:
    words = f"zkbridge {word}"
    environment = {"_ZKBRIDGE_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    assert expected in run(**environment).output.splitlines()


def test_python_without_asserts_is_refused() -> None:
    command = [sys.executable, "-O", "-m", "zkbridge", "serve"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 1
    assert "Python runs with -O" in result.stderr
