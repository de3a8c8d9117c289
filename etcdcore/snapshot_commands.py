"""`etcdcore snapshot save | status | restore`: the flags and texts of `etcdctl snapshot save` and `etcdutl snapshot`.

What does the work is imported late, so that no other command waits for it.
"""

import asyncio
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from etcdcore.word_first import WordFirst

if TYPE_CHECKING:
    from etcdcore.backup.restore import RestoreReport

_DEFAULT_PEER_URL: Final = "http://localhost:2380"
_FILE: Final = click.Path(path_type=Path)


@click.group("snapshot", cls=WordFirst)
def snapshot() -> None:
    """Save a snapshot of a running server, look at one, make a data directory from one."""


@snapshot.command("save")
@click.argument("filename", type=_FILE)
@click.option("--endpoints", default="127.0.0.1:2379", show_default=True, help="The one server to take it from.")
@click.option("--cacert", default="", help="Authorities that the server's certificate is checked against.")
@click.option("--cert", default="", help="Our certificate.")
@click.option("--key", default="", help="Its key.")
@click.option("--user", default="", help="name[:password]; asked for when it is missing.")
@click.option("--password", default="", help="Then --user is the name alone.")
def save_command(filename: Path, endpoints: str, cacert: str, cert: str, key: str, user: str, password: str) -> None:
    """Store a snapshot of a server in a file, with its digest."""
    from etcdcore.backup.snapshot_file import SnapshotRefused
    from etcdcore.client.remote import ClientTls, connect
    from etcdcore.rpc.status import EtcdError
    from etcdcore.snapshot_save import save_snapshot

    if "," in endpoints:
        raise click.UsageError(f"snapshot must be requested to one selected node, not multiple {endpoints}")
    name, separator, given = user.partition(":")
    if not password:
        password = given if separator or not name else click.prompt("Password", hide_input=True)
    tls = ClientTls(cacert, cert, key) if cacert or cert or endpoints.startswith("https://") else None
    try:
        asyncio.run(save_snapshot(filename, connect(endpoints, user=name, password=password, tls=tls)))
    except (EtcdError, OSError, SnapshotRefused) as error:
        raise click.ClickException(f"cannot save a snapshot of {endpoints}: {error}") from error
    click.echo(f"Snapshot saved at {filename}")


@snapshot.command("status")
@click.argument("filename", type=_FILE)
@click.option(
    "-w", "--write-out", type=click.Choice(["simple", "json", "table", "fields"]), default="simple", show_default=True
)
def status_command(filename: Path, write_out: str) -> None:
    """Check a snapshot, and say its hash, revision, number of keys, size and version."""
    from etcdcore.backup.snapshot_file import SnapshotRefused
    from etcdcore.backup.status import FORMATS, read_status

    try:
        status = read_status(filename)
    except SnapshotRefused as error:
        raise click.ClickException(str(error)) from error
    click.echo(FORMATS[write_out](status))


@snapshot.command("restore")
@click.argument("filename", type=_FILE)
@click.option("--data-dir", type=_FILE, help="Where to; <name>.etcd if not given. Must not hold anything.")
@click.option("--wal-dir", default="", help="Refused: the log lies in the data directory.")
@click.option("--name", default="default", show_default=True, help="The member's name.")
@click.option("--initial-cluster", help="The new cluster, name=URL; default=http://localhost:2380 if not given.")
@click.option("--initial-cluster-token", default="etcd-cluster", show_default=True)
@click.option("--initial-advertise-peer-urls", default=_DEFAULT_PEER_URL, show_default=True)
@click.option("--skip-hash-check", is_flag=True, help="The file has no digest: it is the db file of a data directory.")
@click.option("--bump-revision", type=click.IntRange(0, (1 << 63) - 1), default=0, help="Raise the revision by this.")
@click.option("--mark-compacted", is_flag=True, help="With --bump-revision: give up the history before it.")
@click.option("--initial-memory-map-size", type=int, default=0, help="Without effect: nothing is mapped ahead.")
def restore_command(
    filename: Path,
    data_dir: Path | None,
    wal_dir: str,
    name: str,
    initial_cluster: str | None,
    initial_cluster_token: str,
    initial_advertise_peer_urls: str,
    skip_hash_check: bool,
    bump_revision: int,
    mark_compacted: bool,
    initial_memory_map_size: int,
) -> None:
    """Make the data directory of a new member from a snapshot, ours or a real etcd's, or from etcd's member/snap/db."""
    from etcdcore.backup.restore import RestoreConfig, restore
    from etcdcore.backup.snapshot_file import SnapshotRefused

    if wal_dir:
        raise click.UsageError(
            "--wal-dir: the log lies in the data directory; mount that disk at <data-dir>/member/wal"
        )
    config = RestoreConfig(
        filename,
        data_dir,
        name,
        initial_cluster if initial_cluster is not None else f"default={_DEFAULT_PEER_URL}",
        initial_cluster_token,
        tuple(url.strip() for url in initial_advertise_peer_urls.split(",")),
        skip_hash_check,
        bump_revision,
        mark_compacted,
    )
    try:
        report = restore(config)
    except SnapshotRefused as error:
        raise click.ClickException(str(error)) from error
    _say("added member", _added_member(report, config.peer_urls))
    _say("restored snapshot", {"path": str(filename), "data-dir": str(report.data_dir)})
    print(
        f"restored {report.record_count} records up to revision {report.revision} to {report.data_dir}: "
        f"member {report.member_id:x} of cluster {report.cluster_id:x}",
        file=sys.stderr,
    )


def _added_member(report: "RestoreReport", peer_urls: Sequence[str]) -> dict[str, object]:
    return {
        "cluster-id": f"{report.cluster_id:x}",
        "local-member-id": "0",
        "added-peer-id": f"{report.member_id:x}",
        "added-peer-peer-urls": list(peer_urls),
        "added-peer-is-learner": False,
    }


def _say(message: str, fields: Mapping[str, object]) -> None:
    """As etcdutl's log on a terminal: scripts take the new ids from there."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    print(f"{stamp}\tinfo\tsnapshot/restore\t{message}\t{json.dumps(fields)}", file=sys.stderr)
