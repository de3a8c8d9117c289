"""The `etcdcore` command. Without a subcommand it is `etcd`: the same flags, environment and exit codes.

What a call does not need is not imported: `--version` and `--help` answer before a server could be loaded.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from etcdcore import __version__
from etcdcore.config import ETCD_VERSION, ConfigError
from etcdcore.flags.command_line import CommandLine, UsageError, config_file_of, merge_environment, parse_command_line

if TYPE_CHECKING:
    from etcdcore.flags.settings import Settings

EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2
COMPLETION_VARIABLE: Final = "_ETCDCORE_COMPLETE"
"""Set by the shell's completion script, which asks click what a word may become."""


def main() -> None:
    """The entry point: a subcommand, or etcd's own flags."""
    if sys.flags.optimize:
        print(
            "Python runs with -O (or PYTHONOPTIMIZE), which takes out the checks that keep data safe; run it without",
            file=sys.stderr,
        )
        sys.exit(EXIT_FAILED)
    arguments = sys.argv[1:]
    if COMPLETION_VARIABLE not in os.environ:
        if not arguments or arguments[0].startswith("-"):
            sys.exit(serve(arguments))
        if arguments[0] == "serve":
            sys.exit(serve(arguments[1:]))
    from etcdcore.subcommands import commands

    commands(prog_name="etcdcore", complete_var=COMPLETION_VARIABLE)


def serve(arguments: Sequence[str]) -> int:
    """Serves until a signal. Returns the exit status; a signal is raised again instead, as etcd does."""
    try:
        line = parse_command_line(arguments)
        if line.wants_help:
            from etcdcore.flags.usage import usage

            print(usage())
            return 0
        if line.wants_version:
            print(version_text())
            return 0
        settings = load_settings(line, os.environ)
        from etcdcore.logs import set_up_logs

        set_up_logs(settings.config)
    except UsageError as error:
        print(f"{error}\nSee --help for all flags.", file=sys.stderr)
        return EXIT_USAGE
    except ConfigError as error:
        print(error, file=sys.stderr)
        return EXIT_FAILED
    from etcdcore.process import run

    return run(settings)


def load_settings(line: CommandLine, environment: Mapping[str, str]) -> "Settings":
    """From the file if one is named, else from the command line and the environment. Raises ConfigError."""
    from etcdcore.flags.settings import build_settings

    notes: list[str] = []
    path = config_file_of(line, environment)
    if path:
        from pathlib import Path

        from etcdcore.flags.config_file import read_config_file

        values = read_config_file(Path(path), notes)
        notes.append(f"loaded {path}; other command line flags and environment variables are ignored")
        return build_settings(values, notes)
    return build_settings(merge_environment(line, environment, notes), notes)


def version_text() -> str:
    """What `--version` prints."""
    return (
        f"etcd Version: {ETCD_VERSION}\n"
        f"etcdcore Version: {__version__}\n"
        f"Build: {'compiled' if is_compiled() else 'plain Python'}\n"
        f"Python Version: {sys.version}"
    )


def is_compiled() -> bool:
    """Whether what every request passes through is machine code here. Found without loading it."""
    from importlib.util import find_spec

    spec = find_spec("etcdcore.mvcc.store")
    return spec is not None and spec.origin is not None and not spec.origin.endswith(".py")
