"""The `zkbridge` command. Its subcommands lie in `zkbridge.commands`, each imported when it is asked for."""

import sys
from importlib import import_module
from typing import Final

import click

import zkbridge

COMPLETION_VARIABLE: Final = "_ZKBRIDGE_COMPLETE"
"""Set by the shell's completion script, which asks click what a word may become."""
SUBCOMMANDS: Final = {
    "serve": ("zkbridge.commands.serve", "Start a server and serve until SIGTERM or SIGINT."),
    "config": ("zkbridge.commands.config", "Say what becomes of each line of a zoo.cfg."),
    "completion": ("zkbridge.commands.completion", "Print a script that completes zkbridge's words in a shell."),
}
"""By name: the module whose `COMMAND` it is, and what it does."""
_EXAMPLES: Final = """Examples:

  zkbridge serve
    Serves on 127.0.0.1:2181 and says where it keeps its data.

  zkbridge serve --data-dir /var/lib/zkbridge --client-addr 0.0.0.0:2181
    Serves other machines, too.

  source <(zkbridge completion bash)
    Completes words in this shell from now on; zsh and fish likewise.
"""


class _Subcommands(click.Group):
    """A group that knows what its commands do without having imported them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in SUBCOMMANDS:
            return None
        command = import_module(SUBCOMMANDS[cmd_name][0]).COMMAND
        assert isinstance(command, click.Command), f"{SUBCOMMANDS[cmd_name][0]}.COMMAND"
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, what) for name, (_, what) in SUBCOMMANDS.items()])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write("\n" + _EXAMPLES)


def _print_version(ctx: click.Context, _parameter: click.Parameter, is_wanted: bool) -> None:
    if not is_wanted or ctx.resilient_parsing:
        return
    from zkbridge.build import build_name

    click.echo(f"zkbridge, version {zkbridge.__version__} ({build_name()} build)")
    ctx.exit()


@click.group(cls=_Subcommands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_print_version, help="Version and build."
)
def main() -> None:
    """A ZooKeeper ensemble whose state is an etcd keyspace."""
    if sys.flags.optimize:
        raise click.ClickException(
            "Python runs with -O (or PYTHONOPTIMIZE), which takes out the checks that keep data safe; run it without"
        )
