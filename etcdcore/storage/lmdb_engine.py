"""The engine of the product: LMDB, its one open write transaction as the batch.

LMDB runs without its own syncs, so a process that dies loses nothing that was committed (the kernel has the pages), but
a machine that dies could leave any mixture of old and new pages. Two things bring back the last synced state then:

- A read transaction stays open at the commit that was synced last, so LMDB never reuses a page of that state.
- The meta page of that commit is kept in a file of its own, written after the sync, with the boot id of the machine.
  Opening under another boot id puts this meta page back, which is exactly the synced state. The log has what follows.

Invariants:
1. All writes and the owner's reads go through the one write transaction; a failure in it goes back to the last commit.
2. The data file always contains every page of the last synced state.
3. The synced meta file names a state whose pages are on the disk.

The map is a reservation of address space, not of memory or disk (it is read-only, the file grows by writes), so it is
far larger than any store will be and never has to grow: growing it needs all transactions closed.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree
from struct import Struct
from threading import Lock
from typing import Final, cast, final

import lmdb

from etcdcore.errors import EngineCommitFailed, EngineCorrupt, EngineError, EngineFull, EngineSwapFailed
from etcdcore.mvcc.engine import TABLE_NAMES, Engine, EngineView
from etcdcore.storage.write_back import write_back

MAP_BYTES_DEFAULT: Final = 1 << 40
DATA_FILE_NAME: Final = "data.mdb"
SYNCED_FILE_NAME: Final = "synced.meta"
REWRITTEN_NAME: Final = "rewritten"
"""The directory of a copy without holes, until it takes the data file's place."""

# LMDB 0.9 on 64 bit. Page header: number u64 | pad u16 | flags u16 | lower u16 | upper u16. Meta page behind it:
# magic u32 | version u32 | address u64 | map size u64 | 2 tables of 48 bytes | last page u64 | transaction u64.
_META_HEAD: Final = Struct("=QHHHHII")
_META_MAGIC: Final = 0xBEEFC0DE
_META_VERSION: Final = 1
_TRANSACTION: Final = Struct("=Q")
_TRANSACTION_OFFSET: Final = 16 + 8 + 8 + 8 + 2 * 48 + 8
_BOOT_ID_BYTES: Final = 36

_PIN_ATTEMPTS_MAX: Final = 1000
"""Commits come every 100 ms and an attempt takes microseconds: needing more than two of them would be a bug."""

_Pairs = Iterator[tuple[bytes, bytes]]


@final
class LmdbEngine(Engine):
    """Opens or creates the database in directory `path`. `boot_id` names the machine's run ("" reads the kernel's).

    `restored` is True when the last synced state was put back because the machine had been restarted. Raises
    EngineError and EngineCorrupt.
    """

    def __init__(self, path: str, map_bytes: int = MAP_BYTES_DEFAULT, boot_id: str = "") -> None:
        self._path: Final = Path(path)
        self._map_bytes: Final = map_bytes
        self._boot_id: Final = (boot_id or _read_boot_id()).encode().ljust(_BOOT_ID_BYTES)[:_BOOT_ID_BYTES]
        try:
            self._path.mkdir(parents=True, exist_ok=True)
            self.restored: Final = self._restore_synced_state()
            self._pinned: lmdb.Transaction | None = None
            self._views: Final[list[LmdbView]] = []
            self._open()
        except (lmdb.Error, OSError) as error:
            raise EngineError(f"cannot open the engine in {path}: {error}") from error

    def _open(self) -> None:
        self._environment = lmdb.open(
            str(self._path),
            map_size=self._map_bytes,
            max_dbs=len(TABLE_NAMES),
            sync=False,
            metasync=False,
            writemap=False,
            readahead=False,
            max_spare_txns=4,
            # The one whose meta pages are read and put back here, whatever the environment variable for it says.
            lib_version=0,
        )
        self._tables = [self._environment.open_db(name) for name in TABLE_NAMES]
        self._txn: lmdb.Transaction = self._environment.begin(write=True)
        self.sync()

    def get(self, table: int, key: bytes) -> bytes | None:
        # Without buffers=True, which nobody sets here, LMDB's binding returns bytes and never a memoryview.
        return cast("bytes | None", self._txn.get(key, None, self._tables[table]))

    def put(self, table: int, key: bytes, value: bytes) -> None:
        try:
            self._txn.put(key, value, True, True, False, self._tables[table])
        except lmdb.Error as error:
            self._fail(error)

    def append(self, table: int, key: bytes, value: bytes) -> None:
        try:
            self._txn.put(key, value, True, True, True, self._tables[table])
        except lmdb.Error as error:
            self._fail(error)

    def delete(self, table: int, key: bytes) -> bool:
        try:
            return bool(self._txn.delete(key, b"", self._tables[table]))
        except lmdb.Error as error:
            self._fail(error)
            return False

    def _fail(self, error: lmdb.Error) -> None:
        """A failed write leaves an LMDB transaction unusable: go back to the last commit, and say what happened."""
        self.rollback()
        if isinstance(error, lmdb.MapFullError | lmdb.DiskError):
            raise EngineFull(f"no room in the engine: {error}") from error
        raise EngineError(f"write failed: {error}") from error

    def scan(
        self, table: int, start: bytes, end: bytes, limit: int = 0, reverse: bool = False, bytes_max: int = 0
    ) -> list[tuple[bytes, bytes]]:
        cursor = self._txn.cursor(self._tables[table])
        if reverse:
            # Stand on the greatest key below `end`.
            found = cursor.set_range(end) if end else False
            found = cursor.prev() if found else cursor.last()
            following = cursor.iterprev(keys=True, values=True)
        else:
            found = cursor.set_range(start) if start else cursor.first()
            following = cursor.iternext(keys=True, values=True)
        return _take(cast(_Pairs, following), start, end, limit, bytes_max) if found else []

    def commit(self) -> None:
        try:
            self._txn.commit()
        except lmdb.Error as error:
            self._txn = self._environment.begin(write=True)
            raise EngineCommitFailed(f"commit failed, back at the last one: {error}") from error
        self._txn = self._environment.begin(write=True)

    def rollback(self) -> None:
        self._txn.abort()
        self._txn = self._environment.begin(write=True)

    def sync(self) -> None:
        # The order matters: pin the state, so that its pages stay; take its meta page before later commits overwrite
        # it; write all pages; only then name it the synced state, and only then let the former one go.
        pin, meta = self._pin()
        try:
            write_back(self._path / DATA_FILE_NAME)
            self._environment.sync(True)
            self._write_synced(meta)
        except (lmdb.Error, OSError) as error:
            pin.abort()
            raise EngineError(f"sync failed: {error}") from error
        former = self._pinned
        self._pinned = pin
        if former is not None:
            former.abort()

    def _pin(self) -> tuple[lmdb.Transaction, bytes]:
        """A read transaction at the last commit, and that commit's meta page."""
        for _ in range(_PIN_ATTEMPTS_MAX):
            pin = self._environment.begin()
            meta = self._read_meta(pin.id())
            if meta is not None:
                return pin, meta
            # Two commits passed in between, and the page is overwritten: there is a newer state to take.
            pin.abort()
        raise EngineError(f"no commit held still for a sync in {_PIN_ATTEMPTS_MAX} attempts")

    def _read_meta(self, transaction: int) -> bytes | None:
        """The meta page of that commit, or None when it is overwritten already."""
        page_bytes = self._environment.stat()["psize"]
        with (self._path / DATA_FILE_NAME).open("rb") as file:
            page = os.pread(file.fileno(), page_bytes, (transaction & 1) * page_bytes)
        if _meta_transaction(page) != transaction:
            return None
        return page

    def _write_synced(self, meta: bytes) -> None:
        temporary = self._path / (SYNCED_FILE_NAME + ".tmp")
        with temporary.open("wb") as file:
            file.write(self._boot_id + meta)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(self._path / SYNCED_FILE_NAME)
        _sync_path(self._path)

    def _restore_synced_state(self) -> bool:
        """Puts the synced meta page back, in both places, if the machine was restarted since the file was written."""
        synced = self._path / SYNCED_FILE_NAME
        data = self._path / DATA_FILE_NAME
        if not synced.exists() or not data.exists():
            # New, or the copy that a backup made: whole as it is, since the first open never returned.
            return False
        content = synced.read_bytes()
        if content[:_BOOT_ID_BYTES] == self._boot_id:
            return False
        page = content[_BOOT_ID_BYTES:]
        transaction = _meta_transaction(page)
        if transaction < 0:
            raise EngineCorrupt(f"{synced} holds no meta page")
        older = bytearray(page)
        _TRANSACTION.pack_into(older, _TRANSACTION_OFFSET, max(transaction - 1, 0))
        with data.open("r+b") as file:
            for number in (0, 1):
                copy = bytearray(page) if transaction & 1 == number else older
                copy[:8] = _TRANSACTION.pack(number)
                file.seek(number * len(page))
                file.write(copy)
            file.flush()
            os.fsync(file.fileno())
        return True

    def backup(self, path: str) -> None:
        try:
            Path(path).mkdir(parents=True)
            self._environment.copy(path, compact=True)
        except (lmdb.Error, OSError) as error:
            raise EngineError(f"backup to {path} failed: {error}") from error

    def open_view(self) -> EngineView:
        # Those that are closed are forgotten here, on the owner's thread.
        self._views[:] = [view for view in self._views if not view.is_closed]
        try:
            view = LmdbView(self._environment.begin(), self._tables)
        except lmdb.Error as error:
            raise EngineError(f"cannot open a view: {error}") from error
        self._views.append(view)
        return view

    @property
    def is_viewed(self) -> bool:
        return not all(view.is_closed for view in self._views)

    def rewrite(self) -> None:
        target = self._path / REWRITTEN_NAME
        try:
            if target.exists():
                rmtree(target)
            target.mkdir()
            self._environment.copy(str(target), compact=True)
            _sync_path(target / DATA_FILE_NAME)
        except lmdb.DiskError as error:
            raise EngineFull(f"no room to rewrite into {target}: {error}") from error
        except (lmdb.Error, OSError) as error:
            raise EngineError(f"rewriting into {target} failed: {error}") from error

    def swap(self) -> None:
        """A crash in between leaves the old file or the new one, each whole and synced: the name of the synced state is
        gone first, since it says which pages of the old file count."""
        target = self._path / REWRITTEN_NAME
        try:
            self._environment.sync(True)
            self.close()
            (self._path / SYNCED_FILE_NAME).unlink()
            _sync_path(self._path)
            (target / DATA_FILE_NAME).rename(self._path / DATA_FILE_NAME)
            _sync_path(self._path)
            rmtree(target)
            self._open()
        except (lmdb.Error, OSError) as error:
            raise EngineSwapFailed(f"swapping {target} in failed: {error}") from error

    def size(self) -> tuple[int, int]:
        """Bytes of the file, and of the pages in the tables as the open batch sees them."""
        page_bytes = self._environment.stat()["psize"]
        allocated = (self._path / DATA_FILE_NAME).stat().st_size
        pages = 2
        for table in self._tables:
            stat = self._txn.stat(table)
            pages += stat["branch_pages"] + stat["leaf_pages"] + stat["overflow_pages"]
        return allocated, pages * page_bytes

    def open_read_count(self) -> int:
        return int(self._environment.info()["num_readers"])

    def close(self) -> None:
        for view in self._views:
            view.close()
        self._txn.abort()
        if self._pinned is not None:
            self._pinned.abort()
            self._pinned = None
        self._environment.close()


@final
class LmdbView(EngineView):
    """A read transaction, which may be used in any thread (the binding opens all with MDB_NOTLS), in one at a time."""

    def __init__(self, txn: lmdb.Transaction, tables: "list[lmdb._Database]") -> None:
        self._txn: Final = txn
        self._tables: Final = tables
        self._lock: Final = Lock()
        self.is_closed = False

    def page(self, table: int, start: bytes, limit: int, bytes_max: int) -> list[tuple[bytes, bytes]]:
        with self._lock:
            if self.is_closed:
                raise EngineError("the view is closed")
            try:
                cursor = self._txn.cursor(self._tables[table])
                if not (cursor.set_range(start) if start else cursor.first()):
                    return []
                return _take(cast(_Pairs, cursor.iternext(keys=True, values=True)), start, b"", limit, bytes_max)
            except lmdb.Error as error:
                raise EngineError(f"cannot read the view: {error}") from error

    def close(self) -> None:
        with self._lock:
            if not self.is_closed:
                self.is_closed = True
                self._txn.abort()


def _take(following: _Pairs, start: bytes, end: bytes, limit: int, bytes_max: int) -> list[tuple[bytes, bytes]]:
    """The pairs as they come, in either direction, as long as they are in the interval and within the bounds."""
    pairs: list[tuple[bytes, bytes]] = []
    size = 0
    for pair in following:
        if pair[0] < start or (end and pair[0] >= end):
            break
        pairs.append(pair)
        size += len(pair[0]) + len(pair[1])
        if len(pairs) == limit or 0 < bytes_max <= size:
            break
    return pairs


def _sync_path(path: Path) -> None:
    """Of a file, or of a directory, whose names it makes durable."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _meta_transaction(page: bytes) -> int:
    """The transaction number in a meta page, or -1 when it is none."""
    if len(page) < _TRANSACTION_OFFSET + _TRANSACTION.size:
        return -1
    head = _META_HEAD.unpack_from(page, 0)
    if head[5] != _META_MAGIC or head[6] & 0xFFFF != _META_VERSION:
        return -1
    transaction: int = _TRANSACTION.unpack_from(page, _TRANSACTION_OFFSET)[0]
    return transaction


def _read_boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except FileNotFoundError:
        # No such file but on Linux: every open then goes back to the last synced state, which is always right.
        return f"unknown-{os.urandom(12).hex()}"
