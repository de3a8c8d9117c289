"""The `etcdcore` command. Without a subcommand it is `etcd`: the same flags, environment and exit codes."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import click

from etcdcore import __version__
from etcdcore.config import ETCD_VERSION, ConfigError
from etcdcore.flags.command_line import (
    CommandLine,
    UsageError,
    config_file_of,
    merge_environment,
    parse_command_line,
    usage,
)
from etcdcore.flags.config_file import read_config_file
from etcdcore.flags.settings import Settings, build_settings
from etcdcore.logs import set_up_logs
from etcdcore.proxy_commands import gateway, grpc_proxy
from etcdcore.snapshot_commands import snapshot

EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2

_USAGE: Final = """Usage:

  etcdcore [serve] [flags]
    Start an etcd server; flags, environment (ETCD_...) and files are those of etcd.

  etcdcore --version
  etcdcore --help
  etcdcore --config-file FILE
    A YAML or JSON file; other flags and the environment are ignored then.
"""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def commands() -> None:
    """What `etcdcore` does beside serving."""


@commands.command(
    "serve", add_help_option=False, context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False}
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def serve_command(arguments: tuple[str, ...]) -> None:
    """Start an etcd server; the flags are etcd's (serve --help lists them)."""
    sys.exit(serve(arguments))


commands.add_command(gateway)
commands.add_command(grpc_proxy)
commands.add_command(snapshot)


def main() -> None:
    """The entry point: a subcommand, or etcd's own flags."""
    if sys.flags.optimize:
        print(
            "Python runs with -O (or PYTHONOPTIMIZE), which takes out the checks that keep data safe; run it without",
            file=sys.stderr,
        )
        sys.exit(EXIT_FAILED)
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(serve(sys.argv[1:]))
    commands()


def serve(arguments: Sequence[str]) -> int:
    """Serves until a signal. Returns the exit status; a signal is raised again instead, as etcd does."""
    try:
        line = parse_command_line(arguments)
        if line.wants_help:
            print(_USAGE + _subcommands() + usage())
            return 0
        if line.wants_version:
            print(f"etcd Version: {ETCD_VERSION}\netcdcore Version: {__version__}\nPython Version: {sys.version}")
            return 0
        settings = load_settings(line, os.environ)
        set_up_logs(settings.config)
    except UsageError as error:
        print(f"{error}\nSee --help for all flags.", file=sys.stderr)
        return EXIT_USAGE
    except ConfigError as error:
        print(error, file=sys.stderr)
        return EXIT_FAILED
    # Late, so that --help and a wrong flag don't wait for the server's imports.
    from etcdcore.process import run

    return run(settings)


def load_settings(line: CommandLine, environment: Mapping[str, str]) -> Settings:
    """From the file if one is named, else from the command line and the environment. Raises ConfigError."""
    notes: list[str] = []
    path = config_file_of(line, environment)
    if path:
        values = read_config_file(Path(path))
        notes.append(f"loaded {path}; other command line flags and environment variables are ignored")
        return build_settings(values, notes)
    return build_settings(merge_environment(line, environment, notes), notes)


def _subcommands() -> str:
    lines = [
        f"\n  etcdcore {name}\n    {command.get_short_help_str(200)}"
        for name, command in sorted(commands.commands.items())
        if name != "serve"
    ]
    return "".join(lines) + "\n" if lines else ""


if __name__ == "__main__":
    main()
