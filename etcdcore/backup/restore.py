"""Makes a data directory from a snapshot, as `etcdutl snapshot restore` does, or from the db file of a real etcd.

Keys with all their revisions, leases, alarms, users and roles come over as they are; who the members are does not: the
directory is the first member of a new cluster, with ids of its own, whose log begins behind a snapshot marker.

<data-dir>/restoring/member/... -> renamed to <data-dir>/member when everything is on the disk

Invariants:
1. A directory that is not whole is never taken for one: `member` appears at once, nothing starts beside `restoring`.
2. Nothing is written of a snapshot before its digest and all its pages were found right.
"""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from etcdcore.apply.members import ClusterMember, derive_cluster_id, derive_member_id, encode_member
from etcdcore.backup.schema import CONSISTENT_INDEX, KEPT_META, encode_number
from etcdcore.backup.snapshot_file import SnapshotRefused, check_digest, open_snapshot
from etcdcore.bbolt.layout import BboltCorrupt
from etcdcore.bbolt.reader import Database, FileSource
from etcdcore.errors import EngineCorrupt, EngineError
from etcdcore.member.recovery import METADATA
from etcdcore.mvcc.compaction import SCHEDULED
from etcdcore.mvcc.engine import KEY, MEMBERS, MEMBERS_REMOVED, META, TABLE_NAMES, Engine
from etcdcore.mvcc.revision import decode_record, decode_record_key, record_key
from etcdcore.raft.messages import ConfState, HardState, SnapshotMeta
from etcdcore.storage.datadir import RESTORING_NAME, DataDir
from etcdcore.storage.errors import StorageError
from etcdcore.storage.file_ops import DIRECTORY_MODE, OsFileOps
from etcdcore.storage.lmdb_engine import LmdbEngine
from etcdcore.storage.segments import SEGMENT_BYTES
from etcdcore.storage.snapshots import SnapshotStore
from etcdcore.storage.wal import Wal, WalGroup
from etcdcore.types import LogIndex, MemberId, Term

COMMIT_RECORDS: Final = 50_000
COMMIT_BYTES: Final = 64 << 20
"""LMDB keeps the pages of an open batch in memory."""
REVISION_MAX: Final = (1 << 63) - 1
_FIRST_INDEX: Final = LogIndex(1)
_FIRST_TERM: Final = Term(1)
"""As if the log's only entry so far were the one that added the member."""
_OTHERS_TABLES: Final = frozenset((META, MEMBERS, MEMBERS_REMOVED))


@dataclass(frozen=True, slots=True)
class RestoreConfig:
    """etcdutl's flags. Empty `data_dir` is `<name>.etcd`."""

    snapshot_path: Path
    data_dir: Path | None = None
    name: str = "default"
    initial_cluster: str = "default=http://localhost:2380"
    initial_cluster_token: str = "etcd-cluster"
    peer_urls: tuple[str, ...] = ("http://localhost:2380",)
    skip_hash_check: bool = False
    bump_revision: int = 0
    mark_compacted: bool = False


@dataclass(frozen=True, slots=True)
class RestoreReport:
    data_dir: Path
    member_id: int
    cluster_id: int
    revision: int
    record_count: int


def restore(config: RestoreConfig) -> RestoreReport:
    """Raises SnapshotRefused; then nothing is left behind."""
    member = _founder(config)
    data_dir = config.data_dir if config.data_dir is not None else Path(f"{config.name}.etcd")
    with open_snapshot(config.snapshot_path) as file:
        if not config.skip_hash_check:
            check_digest(file)
        is_new = _claim(data_dir)
        restoring = data_dir / RESTORING_NAME
        try:
            report = _fill(config, file, data_dir, restoring, member)
            _publish(data_dir, restoring)
        except (BboltCorrupt, EngineCorrupt) as error:
            _give_up(data_dir, restoring, is_new)
            raise SnapshotRefused(f"{config.snapshot_path} is damaged: {error}") from error
        except (EngineError, StorageError, OSError) as error:
            _give_up(data_dir, restoring, is_new)
            raise SnapshotRefused(f"cannot restore to {data_dir}: {error}") from error
        except BaseException:
            _give_up(data_dir, restoring, is_new)
            raise
    return report


def _founder(config: RestoreConfig) -> ClusterMember:
    """The member that the flags describe. Raises SnapshotRefused as etcd's own check of them does."""
    if config.mark_compacted != (config.bump_revision > 0):
        raise SnapshotRefused("--mark-compacted required if --bump-revision > 0, and only then")
    cluster: dict[str, list[str]] = {}
    for part in config.initial_cluster.split(","):
        name, separator, url = part.strip().partition("=")
        if not separator or not name or not url:
            raise SnapshotRefused(f"--initial-cluster has {part!r}, expected name=URL")
        cluster.setdefault(name, []).append(url)
    own = cluster.get(config.name)
    if own is None:
        raise SnapshotRefused(f'couldn\'t find local name "{config.name}" in the initial cluster configuration')
    if len(cluster) > 1:
        raise SnapshotRefused(
            f"--initial-cluster names {len(cluster)} members; this version runs clusters of one: restore it alone"
        )
    if sorted(own) != sorted(config.peer_urls):
        raise SnapshotRefused(
            f"--initial-cluster has {','.join(sorted(own))} for {config.name}, but --initial-advertise-peer-urls has "
            f"{','.join(sorted(config.peer_urls))}"
        )
    member_id = derive_member_id(own, config.initial_cluster_token)
    return ClusterMember(member_id, config.name, own, (), False)


def _claim(data_dir: Path) -> bool:
    """Makes the directory, or sees that it is empty. True when it was made."""
    try:
        if data_dir.exists():
            if any(data_dir.iterdir()):
                raise SnapshotRefused(f'data-dir "{data_dir}" not empty or could not be read')
            return False
        data_dir.mkdir(mode=DIRECTORY_MODE, parents=True)
    except OSError as error:
        raise SnapshotRefused(f'data-dir "{data_dir}" not empty or could not be read: {error}') from error
    return True


def _give_up(data_dir: Path, restoring: Path, is_new: bool) -> None:
    shutil.rmtree(restoring, ignore_errors=True)
    if is_new:
        shutil.rmtree(data_dir, ignore_errors=True)


def _publish(data_dir: Path, restoring: Path) -> None:
    ops = OsFileOps()
    ops.sync_directory(restoring / "member")
    ops.rename(restoring / "member", data_dir / "member")
    ops.sync_directory(data_dir)
    shutil.rmtree(restoring)
    ops.sync_directory(data_dir)
    ops.sync_directory(data_dir.absolute().parent)


def _fill(
    config: RestoreConfig, file: BinaryIO, data_dir: Path, restoring: Path, member: ClusterMember
) -> RestoreReport:
    cluster_id = derive_cluster_id([member.member_id])
    parts = DataDir.open(restoring)
    try:
        engine = LmdbEngine(str(parts.db_path))
        try:
            copy = _Copy(engine)
            copy.take_all(Database(FileSource(file)))
            revision = copy.bump(config.bump_revision) if config.bump_revision else copy.revision
            copy.put(MEMBERS, b"%x" % member.member_id, encode_member(member))
            copy.put(META, CONSISTENT_INDEX, encode_number(_FIRST_INDEX))
            engine.commit()
            engine.sync()
        finally:
            engine.close()
        meta = SnapshotMeta(_FIRST_INDEX, _FIRST_TERM, ConfState(voters=(MemberId(member.member_id),)))
        _start_log(parts, meta, METADATA.pack(member.member_id, cluster_id))
        SnapshotStore(parts.snapshot_path).save(meta)
    finally:
        parts.close()
    return RestoreReport(data_dir, member.member_id, cluster_id, max(revision, 1), copy.record_count)


def _start_log(parts: DataDir, meta: SnapshotMeta, metadata: bytes) -> None:
    wal = Wal.create(parts.wal_path, metadata, SEGMENT_BYTES)
    try:
        group = WalGroup()
        wal.encode_snapshot_marker(group, meta, True)
        wal.encode_hard_state(group, HardState(meta.term, meta.conf_state.voters[0], meta.index))
        for write in group.writes:
            wal.files.write(write, b"".join(write.parts))
    finally:
        wal.files.close()


class _Copy:
    """Buckets into tables, committed in pieces: the directory counts only when all of it is there."""

    def __init__(self, engine: Engine) -> None:
        self._engine: Final = engine
        self._pending_count = 0
        self._pending_bytes = 0
        self.revision = 0
        self.record_count = 0

    def take_all(self, database: Database) -> None:
        """Every bucket that there is a table for. Raises BboltCorrupt, also when one is missing that etcd needs."""
        database.check()
        buckets = dict(database.root.buckets())
        if TABLE_NAMES[KEY] not in buckets or TABLE_NAMES[META] not in buckets:
            raise BboltCorrupt("there are no buckets `key` and `meta`: this is no etcd's file")
        for table, name in enumerate(TABLE_NAMES):
            bucket = buckets.get(name)
            if bucket is None:
                continue
            if table == KEY:
                self._take_keys(bucket.pairs())
            elif table == META:
                for key, value in bucket.pairs():
                    if key in KEPT_META:
                        self.put(META, key, value)
            elif table not in _OTHERS_TABLES:
                for key, value in bucket.pairs():
                    self.put(table, key, value)

    def _take_keys(self, pairs: Iterable[tuple[bytes, bytes]]) -> None:
        append = self._engine.append
        for key, value in pairs:
            main, _, _ = decode_record_key(key)
            decode_record(value)
            self.revision = main
            append(KEY, key, value)
            self._note(len(key) + len(value))
            self.record_count += 1

    def bump(self, amount: int) -> int:
        """Raises the revision and gives up all history below, as etcdutl does: clients can't see time go back.

        What holds the revision is a record without a key, which no request can name.
        """
        revision = self.revision + amount
        if revision > REVISION_MAX:
            raise SnapshotRefused(f"--bump-revision {amount} leads from revision {self.revision} past the greatest")
        self.put(KEY, record_key(revision, 0), b"")
        self.put(META, SCHEDULED, record_key(revision, 0))
        self.record_count += 1
        return revision

    def put(self, table: int, key: bytes, value: bytes) -> None:
        self._engine.put(table, key, value)
        self._note(len(key) + len(value))

    def _note(self, size: int) -> None:
        self._pending_count += 1
        self._pending_bytes += size
        if self._pending_count >= COMMIT_RECORDS or self._pending_bytes >= COMMIT_BYTES:
            self._engine.commit()
            self._pending_count = self._pending_bytes = 0
