"""The `zkbridge` command. `zkbridge serve` starts one server; its settings are listed once, in `config.FLAGS`."""

import sys
from pathlib import Path
from typing import Final

import click
import structlog

import zkbridge
from zkbridge.config import FLAGS, ConfigError, Flag, load_config
from zkbridge.logs import set_up_logs

_ZOOKEEPER_DATA: Final = "version-2"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(zkbridge.__version__, prog_name="zkbridge")
def main() -> None:
    """A ZooKeeper ensemble whose state is an etcd keyspace."""
    if sys.flags.optimize:
        raise click.ClickException(
            "Python runs with -O (or PYTHONOPTIMIZE), which takes out the checks that keep data safe; run it without"
        )


def _option_of(flag: Flag) -> click.Option:
    """Values stay text: `config` parses them, so that flags, environment and file get the same messages."""
    if flag.is_switch:
        return click.Option(
            [f"--{flag.name}/--no-{flag.name}", flag.key],
            default=None,
            help=flag.help,
            envvar=flag.variable,
            show_envvar=True,
        )
    return click.Option(
        [f"--{flag.name}", flag.key],
        type=str,
        metavar=flag.metavar,
        help=flag.help,
        envvar=flag.variable,
        show_envvar=True,
    )


def _serve(**values: str | bool | None) -> None:
    """Start a server and serve until SIGTERM or SIGINT."""
    flags = {key: str(value).lower() if isinstance(value, bool) else value for key, value in values.items()}
    try:
        config = load_config(flags)
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    if (config.data_dir / _ZOOKEEPER_DATA).exists():
        raise click.ClickException(
            f"{config.data_dir} holds the data of a ZooKeeper server ({_ZOOKEEPER_DATA}), which the bridge can't read; "
            "give --data-dir a directory of its own"
        )
    _check_directory(config.data_dir)
    set_up_logs(config.log_level)
    log = structlog.get_logger()
    for warning in config.warnings:
        log.warning("config_key_ignored", reason=warning)
    # Late, so that --help and a wrong flag don't wait for the server's imports.
    from zkbridge.server.app import run

    sys.exit(run(config))


def _check_directory(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.ClickException(
            f"the data directory {directory} can't be made ({error.strerror}); give --data-dir a writable path"
        ) from error


main.add_command(
    click.Command("serve", callback=_serve, params=[_option_of(flag) for flag in FLAGS], help=_serve.__doc__)
)


if __name__ == "__main__":
    main()
