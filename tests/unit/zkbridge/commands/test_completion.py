"""`zkbridge completion`: a script for each shell that asks `zkbridge` itself."""

import pytest
from click.testing import CliRunner

from zkbridge.cli import main
from zkbridge.commands.completion import SHELLS


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_asks_zkbridge_in_the_shells_own_way(shell: str) -> None:
    result = CliRunner().invoke(main, ["completion", shell])
    assert result.exit_code == 0
    assert f"_ZKBRIDGE_COMPLETE={shell}_complete" in result.output


def test_another_shell_is_refused_by_the_names_of_those_there_are() -> None:
    result = CliRunner().invoke(main, ["completion", "csh"])
    assert result.exit_code == 2
    assert "bash" in result.output and "fish" in result.output
