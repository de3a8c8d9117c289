"""Group commit: a thread that owns the log's file, and the loop's side of it.

Whatever the loop appends while one write is on its way to the disk goes there together with the next. The loop encodes
and joins nothing but its own records; the thread makes one write-and-sync per group, as each system call costs it the
interpreter's lock, and reports once per group.

    loop    append 1 | append 2, append 3 ......... | on_durable(1) | append 4 ... | on_durable(3)
    thread           | write 1 --------------------> write 2+3 --------------------> write 4 ...

Invariants:
1. Tokens are reported in the order they were given, each only after all that was appended up to it is on the disk.
2. A group is taken only when the one before is on the disk, so its first record may say so (wal_records I1).
3. On a full disk nothing is lost or reordered: the group at hand is kept and tried again until there is room.
4. After any other failed write nothing is ever reported durable again: a failed sync says nothing about what is on the
   disk. A failed removal stops the member too.
5. Segments are removed in order and only behind their group, in a thread of their own: the pages of one take the system
   tens of milliseconds to free, and the next group does not wait for that.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from time import perf_counter
from typing import Final, final

from etcdcore.raft.messages import Entry, HardState, SnapshotMeta
from etcdcore.statistics import DISK_BOUNDS_S, Histogram
from etcdcore.storage.errors import DiskFull, WalClosed, WalWriteFailed
from etcdcore.storage.segments import SegmentName
from etcdcore.storage.wal import Wal, WalGroup
from etcdcore.types import LogIndex

RETRY_S: Final = 1.0
# Records that need no sync (commit indexes) wait for one that does, up to this many bytes.
UNSYNCED_BYTES_MAX: Final = 1 << 16


@final
class DiskRecovered:
    """There is room again; all that waited is on the disk and the next segment is reserved."""

    __slots__ = ()


WalFact = DiskFull | DiskRecovered | WalWriteFailed


class _Stopped(Exception):
    """The writer is to close while a group waits for room."""


@final
class WalWriter:
    """Append from the loop; hear back on the loop.

    `on_failure` gets `DiskFull` when room runs out (again if a group gets stuck after the reservation failed) and
    `DiskRecovered` when it is back; `WalWriteFailed` once, after which the member must stop.
    """

    def __init__(
        self,
        wal: Wal,
        loop: asyncio.AbstractEventLoop,
        on_durable: Callable[[int], None],
        on_failure: Callable[[WalFact], None],
        retry_s: float = RETRY_S,
    ) -> None:
        self._wal: Final = wal
        self._loop: Final = loop
        self._on_durable: Final = on_durable
        self._on_failure: Final = on_failure
        self._retry_s: Final = retry_s
        self._lock: Final = threading.Lock()
        self._wake_up: Final[SimpleQueue[None]] = SimpleQueue()
        # Under the lock: what is appended and not yet taken, whether the thread waits for a wake-up, and the end.
        self._pending = WalGroup()
        self._is_idle = False
        self._is_closing = False
        self._failure: WalWriteFailed | None = None
        self._remover: Final = ThreadPoolExecutor(1, "wal_remover")
        # The thread's own; others may look.
        self._full: DiskFull | None = None
        self.group_count = 0
        self.byte_count = 0
        self.write_s_last = 0.0
        self.write_s: Final = Histogram(DISK_BOUNDS_S)
        """Each write with its sync: one system call."""
        self._finished: Final[asyncio.Future[None]] = loop.create_future()
        self._log_thread: Final = threading.Thread(target=self._run, name="wal_writer", daemon=True)
        self._log_thread.start()

    # --- the loop's side ---

    @property
    def pending_bytes(self) -> int:
        """What was appended and not yet taken to be written."""
        return self._pending.byte_count

    @property
    def is_disk_full(self) -> bool:
        return self._full is not None

    def append(self, entries: Sequence[Entry], hard_state: HardState | None, must_sync: bool, token: int) -> None:
        """Queues the records. Without `must_sync` they wait for the next that has it, and the token for nothing but
        its predecessors. Raises WalWriteFailed after a failure and WalClosed after `close`.
        """
        with self._lock:
            self._check_open()
            group = self._pending
            # Entries first, as etcd does: a hard state never speaks of a commit index that the log does not reach.
            self._wal.encode_entries(group, entries)
            if hard_state is not None:
                self._wal.encode_hard_state(group, hard_state)
            self._submit(group, must_sync or group.byte_count > UNSYNCED_BYTES_MAX, token)

    def append_snapshot(self, meta: SnapshotMeta, is_installed: bool, token: int) -> None:
        """Queues a snapshot marker, to be written once the snapshot itself is on the disk.

        `is_installed`: it came from the leader and replaces the log. Raises as `append`.
        """
        with self._lock:
            self._check_open()
            self._wal.encode_snapshot_marker(self._pending, meta, is_installed)
            self._submit(self._pending, True, token)

    def release_before(self, index: LogIndex) -> None:
        """Drops the segments that hold only entries before `index`, once all that was appended so far is durable."""
        with self._lock:
            self._check_open()
            self._wal.release_before(self._pending, index)
            if self._pending.drops:
                self._submit(self._pending, True, None)

    def retry(self) -> None:
        """Looks at once whether a full disk has room again, rather than within a second."""
        self._wake_up.put(None)

    async def close(self) -> None:
        """Writes what is pending and ends the thread. What a full disk keeps waiting is given up, never reported."""
        with self._lock:
            self._is_closing = True
        self._wake_up.put(None)
        await asyncio.shield(self._finished)
        self._log_thread.join()

    def _check_open(self) -> None:
        if self._failure is not None:
            raise self._failure
        if self._is_closing:
            raise WalClosed("the log was closed")

    def _submit(self, group: WalGroup, must_sync: bool, token: int | None) -> None:
        if token is not None:
            assert group.token is None or group.token <= token, (group.token, token)
            group.token = token
        if must_sync:
            group.must_sync = True
        if not self._is_idle:
            return  # the thread looks for itself when it is done
        if group.must_sync:
            self._is_idle = False
            self._wake_up.put(None)
        elif group.token is not None:
            self._loop.call_soon(self._on_durable, group.token)
            group.token = None

    # --- the thread's side ---

    def _run(self) -> None:
        self._guard(self._serve)
        self._remover.shutdown()
        self._guard(self._wal.files.close)
        self._loop.call_soon_threadsafe(self._finished.set_result, None)

    def _guard(self, work: Callable[[], None]) -> None:
        """A thread's outer boundary: a bug here must stop the member, not hang it."""
        try:
            work()
        except WalWriteFailed as failure:
            self._fail(failure)
        except _Stopped:
            pass
        except Exception as error:
            self._fail(WalWriteFailed(self._wal.files.path, repr(error)))

    def _fail(self, failure: WalWriteFailed) -> None:
        with self._lock:
            if self._failure is not None:
                return
            self._failure = failure
        self._loop.call_soon_threadsafe(self._on_failure, failure)

    def _serve(self) -> None:
        self._reserve()
        while True:
            group = self._take()
            if group is None:
                return
            self._persist(group)
            if group.drops:
                self._remover.submit(self._remove, group.drops)
            token = self._token_with_unsynced(group.token)
            if token is not None:
                self._loop.call_soon_threadsafe(self._on_durable, token)
            if self._full is not None or not self._wal.files.has_spare:
                self._reserve()

    def _remove(self, names: Sequence[SegmentName]) -> None:
        """In the remover's thread."""
        self._guard(lambda: self._wal.files.drop(names))
        if self._full is not None:
            self.retry()  # there is more room now

    def _take(self) -> WalGroup | None:
        """The next group that needs the disk, once there is one; None at the end."""
        while True:
            with self._lock:
                group = self._pending
                if group.must_sync or (self._is_closing and group.writes):
                    self._pending = WalGroup()
                    return group
                if self._is_closing:
                    return None
                if group.token is not None:
                    # It came while the thread was busy with something else than a group.
                    self._loop.call_soon_threadsafe(self._on_durable, group.token)
                    group.token = None
                self._is_idle = True
            self._wait()
            if self._full is not None:
                self._reserve()

    def _wait(self) -> None:
        """For a wake-up; not longer than a retry is due if the disk is full."""
        try:
            self._wake_up.get(timeout=None if self._full is None else self._retry_s)
        except Empty:
            return

    def _persist(self, group: WalGroup) -> None:
        for write in group.writes:
            data = b"".join(write.parts)
            while True:
                started = perf_counter()
                try:
                    self._wal.files.write(write, data)
                except DiskFull as full:
                    self._report_full(full)
                    if self._is_closing:
                        raise _Stopped from full
                    self._wait()
                    continue
                self.write_s_last = perf_counter() - started
                self.write_s.observe(self.write_s_last)
                self.byte_count += len(data)
                break
        self.group_count += 1

    def _reserve(self) -> None:
        """The spare segment ahead of need; that there is one is what ends a full disk."""
        if not self._wal.files.has_spare:
            try:
                self._wal.files.reserve_spare()
            except DiskFull as full:
                self._report_full(full)
                self._full = full
                return
        if self._full is not None:
            self._full = None
            self._loop.call_soon_threadsafe(self._on_failure, DiskRecovered())

    def _report_full(self, full: DiskFull) -> None:
        if self._full is None or (full.blocked and not self._full.blocked):
            # First: whoever is told asks `is_disk_full` at once.
            self._full = full
            self._loop.call_soon_threadsafe(self._on_failure, full)

    def _token_with_unsynced(self, token: int | None) -> int | None:
        """The group's token, or that of records behind it which need no sync and so are done as well."""
        with self._lock:
            pending = self._pending
            if pending.token is not None and not pending.must_sync:
                token = pending.token
                pending.token = None
        return token
