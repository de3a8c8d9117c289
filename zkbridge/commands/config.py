"""`zkbridge config check FILE`: what each line of a zoo.cfg becomes, without starting anything."""

import sys
from typing import Final

import click

from zkbridge import cli
from zkbridge.commands.serve import flags_of, option_of, refusal_of_data
from zkbridge.config import FLAGS, ConfigError
from zkbridge.config_check import check_config

_CHECK_HELP: Final = """Say what becomes of each line of a zoo.cfg: it works, has no effect, or is refused.

Takes the flags and the environment of `zkbridge serve`, which win over the file. Ends with status 0 if a server would
start with it, else with 1. Nothing is started, made or changed.
"""


def _check(file: str, **values: str | bool | None) -> None:
    try:
        report = check_config(file, flags_of(values))
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    refusal = "" if report.config is None else refusal_of_data(report.config.data_dir)
    click.echo(report.text(refusal))
    sys.exit(0 if report.config is not None and not refusal else 1)


COMMAND: Final = click.Group("config", help=cli.SUBCOMMANDS["config"][1])
COMMAND.add_command(
    click.Command(
        "check",
        callback=_check,
        params=[
            click.Argument(["file"], type=click.Path(), metavar="FILE"),
            *(option_of(flag) for flag in FLAGS if flag.name != "config"),
        ],
        help=_CHECK_HELP,
        short_help="Say what becomes of each line of a zoo.cfg.",
    )
)
