"""What `etcdcore` does beside serving, and what a shell may complete.

Serving itself does not come this way, since its flags are etcd's and not click's; here it is known for its name.
"""

from typing import Final

import click
from click.shell_completion import CompletionItem, get_completion_class

from etcdcore.cli import COMPLETION_VARIABLE
from etcdcore.proxy_commands import gateway, grpc_proxy
from etcdcore.snapshot_commands import snapshot

SHELLS: Final = ("bash", "zsh", "fish")


def _flags(start: str) -> list[CompletionItem]:
    """etcd's flags that begin so."""
    from etcdcore.flags.table import FLAGS

    if not start.startswith("-"):
        return []
    return [
        CompletionItem(f"--{flag.name}", help=flag.meaning)
        for flag in FLAGS.values()
        if f"--{flag.name}".startswith(start) and not flag.renamed
    ]


class _Commands(click.Group):
    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        return super().shell_complete(ctx, incomplete) + _flags(incomplete)


class _Serve(click.Command):
    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        return _flags(incomplete)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
def commands() -> None:
    """What `etcdcore` does beside serving."""


@commands.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print a script that completes etcdcore's words: source <(etcdcore completion bash)."""
    found = get_completion_class(shell)
    assert found is not None, "click knows the three shells"
    click.echo(found(commands, {}, "etcdcore", COMPLETION_VARIABLE).source())


commands.add_command(_Serve("serve", help="Start an etcd server; the flags are etcd's (serve --help lists them)."))
commands.add_command(gateway)
commands.add_command(grpc_proxy)
commands.add_command(snapshot)
