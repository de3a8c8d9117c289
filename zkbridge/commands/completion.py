"""`zkbridge completion bash | zsh | fish`: the script that click has for the shell."""

from typing import Final

import click
from click.shell_completion import get_completion_class

from zkbridge import cli

SHELLS: Final = ("bash", "zsh", "fish")


@click.command("completion", help=cli.SUBCOMMANDS["completion"][1])
@click.argument("shell", type=click.Choice(SHELLS))
def COMMAND(shell: str) -> None:
    found = get_completion_class(shell)
    assert found is not None, "click knows the three shells"
    click.echo(found(cli.main, {}, "zkbridge", cli.COMPLETION_VARIABLE).source())
