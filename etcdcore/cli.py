"""The `etcdcore` command. The core runs inside zkbridge so far; its own gRPC port is still to come."""

from pathlib import Path

import click

from etcdcore import __version__


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="etcdcore")
def main() -> None:
    """An etcd v3 server in Python."""


@main.command()
@click.option("--data-dir", type=click.Path(path_type=Path, file_okay=False), required=True)
def serve(data_dir: Path) -> None:
    """Serve a data directory over gRPC (not in this version)."""
    raise click.ClickException(
        f"this version has no gRPC port, so nothing could reach a member on {data_dir}; "
        f"use `zkbridge serve --data-dir {data_dir}`, which runs one in its own process"
    )
