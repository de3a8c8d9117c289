"""Subcommands as etcd's command line library takes them: their flags may stand before the word.

`gateway --endpoints=a:1 start` is `gateway start --endpoints=a:1`. A flag without an equals sign takes the next word
along, whatever its kind, since nobody knows it yet. Source: cobra command.go, stripFlags.
"""

from typing import Final

import click

_HELP: Final = ("-h", "--help")


class WordFirst(click.Group):
    """A group that moves its flags behind the subcommand's name."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, word_first(args))


def word_first(arguments: list[str]) -> list[str]:
    """The same with the first word that is no flag and no flag's value in front; as it was if there is none."""
    index = 0
    while index < len(arguments):
        argument = arguments[index]
        if argument in _HELP or argument == "--":
            return arguments
        if not argument.startswith("-") or argument == "-":
            return [argument, *arguments[:index], *arguments[index + 1 :]]
        index += 1 if "=" in argument else 2
    return arguments
