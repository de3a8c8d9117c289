"""Opens what a member's data directory holds, and says what it found. Blocking: runs before the loop is needed.

Invariants:
1. The engine is never older than the newest snapshot marker, else entries that it needs are gone: refused.
2. The engine is never ahead of the log once `check_applied` is through. If it was, the log had lost something that was
   durable: the only voter starts a new log behind what the engine has, any other member is refused.

Why the only voter may go on: whatever was applied was committed, so the engine holds a later state of the same history,
and nobody else counts on this member's log. A voter of several may have acknowledged the lost entries to a leader.
"""

import struct
from dataclasses import dataclass, field
from typing import Final

from etcdcore.apply.members import ClusterMember, derive_cluster_id, derive_member_id
from etcdcore.config import MemberConfig
from etcdcore.errors import EngineError
from etcdcore.mvcc.engine import Engine
from etcdcore.raft.messages import ConfState, HardState, Snapshot, SnapshotMeta
from etcdcore.raft.storage import MemoryStorage
from etcdcore.storage.datadir import DataDir
from etcdcore.storage.errors import DataDirUnusable, SnapshotUnreadable
from etcdcore.storage.file_ops import FileOps
from etcdcore.storage.lmdb_engine import MAP_BYTES_DEFAULT, LmdbEngine
from etcdcore.storage.memory_engine import MemoryEngine
from etcdcore.storage.snapshots import SnapshotStore
from etcdcore.storage.wal import TornTail, Wal, WalGroup
from etcdcore.types import LogIndex, MemberId, Term

METADATA: Final = struct.Struct("<QQ")
"""Of the log: member id, cluster id."""


@dataclass(slots=True)
class RecoveryReport:
    """For the log and for people: nothing in it is an error."""

    is_new: bool = False
    applied_index: int = 0
    """Where the engine stood."""
    replayed_entries: int = 0
    """Entries of the log behind it: applied again before the member is writable."""
    torn_tail: TornTail | None = None
    """A write that had not finished, hence was acknowledged to nobody, was cut."""
    lost_entries: int = 0
    """Entries that the log had lost although they were durable: the engine has their effects, the log is new."""
    engine_restored: bool = False
    """The machine had gone down: the engine went back to its last synced state."""
    unreadable_markers: list[SnapshotUnreadable] = field(default_factory=list)


@dataclass(slots=True)
class OpenedParts:
    """Everything on disk, open; the member owns it from here on."""

    data_dir: DataDir
    wal: Wal
    snapshots: SnapshotStore
    engine: Engine
    log: MemoryStorage
    member_id: MemberId
    cluster_id: int
    founder: ClusterMember
    """This member, as it stands in the table of members of a cluster that it has begun alone."""
    report: RecoveryReport

    def close(self) -> None:
        """Drops what the engine has not committed; the log's file is closed by its writer."""
        self.engine.close()
        self.data_dir.close()


def open_parts(config: MemberConfig, file_ops: FileOps | None, engine: Engine | None) -> OpenedParts:
    """`engine` takes the place of the one on disk. Raises StorageError (say, locked) and EngineError."""
    data_dir = DataDir.open(config.data_dir, file_ops)
    try:
        return _open_locked(config, data_dir, file_ops, engine)
    except BaseException:
        data_dir.close()
        raise


def check_applied(parts: OpenedParts, applied_index: int) -> None:
    """Asserts I1 and I2 once the store says where it stands."""
    first, last = parts.log.first_index(), parts.log.last_index()
    if applied_index + 1 < first:
        raise DataDirUnusable(
            f"{parts.data_dir.db_path} has applied the log up to {applied_index}, but the log begins at {first}"
        )
    if applied_index > parts.wal.last_index:
        if parts.log.initial_state()[1] != ConfState(voters=(parts.member_id,)):
            raise DataDirUnusable(
                f"{parts.data_dir.db_path} has applied the log up to {applied_index}, but the log ends at {last}"
            )
        _start_log_behind(parts, LogIndex(applied_index))
        last = parts.log.last_index()
    parts.report.applied_index = applied_index
    parts.report.replayed_entries = last - applied_index


def _start_log_behind(parts: OpenedParts, applied_index: LogIndex) -> None:
    """Makes the engine's state the snapshot that the log begins with. A crash in between finds the same to do."""
    log, wal = parts.log, parts.wal
    hard_state, conf_state = log.initial_state()
    # The entry at the index is gone and with it its term; none can have been later than the last that is known of.
    term = Term(max(hard_state.term, log.term(log.last_index()), 1))
    meta = SnapshotMeta(applied_index, term, conf_state)
    parts.report.lost_entries = applied_index - wal.last_index
    parts.engine.sync()
    try:
        parts.snapshots.save(meta)
    except OSError as error:
        raise DataDirUnusable(f"{parts.data_dir.snapshot_path} cannot be written: {error}") from error
    group = WalGroup()
    wal.encode_snapshot_marker(group, meta, True)
    for write in group.writes:
        wal.files.write(write, b"".join(write.parts))
    log.apply_snapshot(Snapshot(meta))
    log.set_hard_state(HardState(max(hard_state.term, term), hard_state.vote, applied_index))


def _open_locked(
    config: MemberConfig, data_dir: DataDir, file_ops: FileOps | None, engine: Engine | None
) -> OpenedParts:
    report = RecoveryReport()
    snapshots = SnapshotStore(data_dir.snapshot_path, file_ops)
    marker, report.unreadable_markers = snapshots.load_newest()
    if Wal.exists(data_dir.wal_path, file_ops):
        after = LogIndex(0) if marker is None else marker.index
        wal, contents = Wal.open(data_dir.wal_path, after, config.segment_bytes, file_ops)
        member_id, cluster_id = METADATA.unpack(contents.metadata)
        log = MemoryStorage(ConfState(voters=(MemberId(member_id),)))
        if marker is not None:
            log.apply_snapshot(Snapshot(marker))
        log.append(contents.entries)
        if contents.hard_state is not None:
            log.set_hard_state(contents.hard_state)
        report.torn_tail = contents.torn_tail
    else:
        if marker is not None:
            raise DataDirUnusable(f"{data_dir.snapshot_path} has a marker, but {data_dir.wal_path} holds no log")
        report.is_new = True
        member_id = derive_member_id(config.peer_urls, config.cluster_token)
        cluster_id = derive_cluster_id([member_id])
        log = MemoryStorage(ConfState(voters=(MemberId(member_id),)))
        wal = Wal.create(data_dir.wal_path, METADATA.pack(member_id, cluster_id), config.segment_bytes, file_ops)
    try:
        if engine is None:
            engine = _open_engine(config, data_dir, report)
    except BaseException:
        wal.files.close()
        raise
    founder = ClusterMember(member_id, config.name, config.peer_urls, (), False)
    return OpenedParts(data_dir, wal, snapshots, engine, log, MemberId(member_id), cluster_id, founder, report)


def _open_engine(config: MemberConfig, data_dir: DataDir, report: RecoveryReport) -> Engine:
    if config.in_memory:
        return MemoryEngine()
    if report.is_new and any(data_dir.db_path.glob("*.mdb")):
        raise EngineError(f"{data_dir.db_path} holds a store, but there is no log that it belongs to")
    engine = LmdbEngine(str(data_dir.db_path), max(MAP_BYTES_DEFAULT, 2 * config.quota_bytes))
    report.engine_restored = engine.restored
    return engine
