"""`zkbridge serve`: its options are made from `config.FLAGS`, the one list of settings."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import click

from zkbridge import __version__, cli
from zkbridge.build import HOW_TO_COMPILE, build_name, is_compiled
from zkbridge.config import FLAGS, ConfigError, Flag, load_config

_ZOOKEEPER_DATA: Final = "version-2"
_STATE_VARIABLE: Final = "XDG_STATE_HOME"
_STATE_DIRECTORY: Final = Path(".local") / "state"
"""Below the home directory, as the XDG base directory specification has it."""
_NO_HOME_DIRECTORY: Final = "zkbridge-data"
GROUPS: Final = (
    ("Common", ("data-dir", "client-addr", "etcd-addr", "config", "log-level")),
    (
        "Sessions and connections",
        ("tick-time", "min-session-timeout", "max-session-timeout", "max-client-cnxns", "max-cnxns"),
    ),
    ("Requests", ("outstanding-limit", "jute-maxbuffer", "extended-types", "container-check-interval")),
    ("Access", ("super-digest", "skip-acl", "enforce-quota", "four-letter-words")),
    ("Monitoring", ("admin-addr", "metrics-addr")),
    ("Store", ("prefix", "compaction-retention", "wal-segment-bytes", "server-id")),
)
"""The sections of `--help`; a flag that is in none of them comes under the last, "Further"."""
_EXAMPLES: Final = """Examples:

  zkbridge serve
    Serves on 127.0.0.1:2181; the log's first lines say where the data lies.

  zkbridge serve --data-dir /var/lib/zkbridge --client-addr 0.0.0.0:2181 --etcd-addr 127.0.0.1:2379
    Serves other machines, and the store under the znodes to etcdctl.

  zkbridge serve --config zoo.cfg
    Takes the settings of a ZooKeeper server.
"""


class _Serve(click.Command):
    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        records = {option.name: option.get_help_record(ctx) for option in self.get_params(ctx)}
        for title, names in (*GROUPS, ("Further", tuple(flag.name for flag in FLAGS))):
            rows = [records.pop(name.replace("-", "_"), None) for name in names]
            found = [row for row in rows if row is not None]
            if found:
                with formatter.section(title):
                    formatter.write_dl(found)
        with formatter.section("Other"):
            formatter.write_dl([row for row in records.values() if row is not None])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write("\n" + _EXAMPLES)


def option_of(flag: Flag) -> click.Option:
    """Values stay text: `config` parses them, so that flags, environment and file get the same messages."""
    if flag.is_switch:
        return click.Option(
            [f"--{flag.name}/--no-{flag.name}", flag.key],
            default=None,
            help=flag.help,
            envvar=flag.variable,
            show_envvar=True,
        )
    is_path = flag.metavar in ("DIR", "FILE")
    return click.Option(
        [f"--{flag.name}", flag.key],
        # A path for the shell's completion; nothing is checked here.
        type=click.Path() if is_path else str,
        metavar=flag.metavar,
        help=flag.help,
        envvar=flag.variable,
        show_envvar=True,
    )


def default_data_dir(environment: Mapping[str, str]) -> Path:
    """Where the data lies if nobody says: the same place from wherever the command is called."""
    state = environment.get(_STATE_VARIABLE, "")
    if state.startswith("/"):
        return Path(state) / "zkbridge"
    home = environment.get("HOME", "")
    if home.startswith("/") and Path(home).is_dir():
        return Path(home) / _STATE_DIRECTORY / "zkbridge"
    return Path(_NO_HOME_DIRECTORY).absolute()


def refusal_of_data(data_dir: Path) -> str:
    """Why a server can't start in this directory; empty if it can."""
    if not (data_dir / _ZOOKEEPER_DATA).exists():
        return ""
    return (
        f"{data_dir} holds the data of a ZooKeeper server ({_ZOOKEEPER_DATA}), which the bridge can't read; "
        "give --data-dir a directory of its own"
    )


def flags_of(values: Mapping[str, str | bool | None]) -> dict[str, str | None]:
    """What click found, as `load_config` wants it."""
    return {key: str(value).lower() if isinstance(value, bool) else value for key, value in values.items()}


def _serve(**values: str | bool | None) -> None:
    flags = flags_of(values)
    is_chosen = flags["data_dir"] is None and flags["config"] is None
    if is_chosen:
        flags["data_dir"] = str(default_data_dir(os.environ))
    try:
        config = load_config(flags)
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    if refusal := refusal_of_data(config.data_dir):
        raise click.ClickException(refusal)
    _check_directory(config.data_dir)
    # Late, so that --help and a wrong flag don't wait for the server's imports.
    import structlog

    from zkbridge.logs import set_up_logs

    set_up_logs(config.log_level)
    log = structlog.get_logger()
    log.info("zkbridge_starts", version=__version__, build=build_name(), python=sys.version.split()[0])
    if not is_compiled():
        log.info("plain_build", hint=HOW_TO_COMPILE)
    if is_chosen:
        log.info("data_dir_chosen", data_dir=str(config.data_dir), reason="no --data-dir was given")
    for warning in config.warnings:
        log.warning("config_key_ignored", reason=warning)
    for note in config.notes:
        log.info("config_keys_without_effect", reason=note)
    from zkbridge.server.app import run

    sys.exit(run(config))


def _check_directory(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.ClickException(
            f"the data directory {directory} can't be made ({error.strerror}); give --data-dir a writable path"
        ) from error


COMMAND: Final = _Serve(
    "serve", callback=_serve, params=[option_of(flag) for flag in FLAGS], help=cli.SUBCOMMANDS["serve"][1]
)
