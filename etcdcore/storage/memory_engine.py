"""The engine for simulation and tests: sorted lists in memory, with commit, rollback and a crash to lose unsynced data.

Invariants: as `mvcc.engine`. A crash goes back to what was synced, a rollback to what was committed.
"""

import pickle
from bisect import bisect_left, insort
from pathlib import Path
from typing import Final, final

from etcdcore.errors import EngineCommitFailed, EngineError
from etcdcore.mvcc.engine import TABLE_NAMES, Engine, EngineView

BACKUP_FILE_NAME: Final = "memory.engine"


@final
class _Table:
    """One table: the pairs, and their keys in order."""

    __slots__ = ("keys", "values")

    def __init__(self, values: dict[bytes, bytes]) -> None:
        self.values: Final = values
        self.keys: Final = sorted(values)

    def put(self, key: bytes, value: bytes) -> None:
        if key not in self.values:
            insort(self.keys, key)
        self.values[key] = value

    def delete(self, key: bytes) -> bool:
        if key not in self.values:
            return False
        del self.values[key]
        del self.keys[bisect_left(self.keys, key)]
        return True

    def scan(self, start: bytes, end: bytes, limit: int, reverse: bool, bytes_max: int) -> list[tuple[bytes, bytes]]:
        """As the engine's."""
        keys = self.keys
        values = self.values
        first = bisect_left(keys, start)
        last = bisect_left(keys, end) if end else len(keys)
        chosen = keys[first:last]
        if reverse:
            chosen.reverse()
        if limit:
            del chosen[limit:]
        if bytes_max:
            size = 0
            for count, key in enumerate(chosen, 1):
                size += len(key) + len(values[key])
                if size >= bytes_max:
                    del chosen[count:]
                    break
        return [(key, values[key]) for key in chosen]


@final
class _MemoryView(EngineView):
    """A copy of all tables."""

    def __init__(self, tables: list[_Table]) -> None:
        self._tables: list[_Table] | None = tables

    def page(self, table: int, start: bytes, limit: int, bytes_max: int) -> list[tuple[bytes, bytes]]:
        tables = self._tables
        if tables is None:
            raise EngineError("the view is closed")
        return tables[table].scan(start, b"", limit, False, bytes_max)

    def close(self) -> None:
        self._tables = None


@final
class MemoryEngine(Engine):
    """Keeps the undo of the open batch and of all that is committed but not synced.

    `fail_next_commit` makes the next commit fail as a full disk would; `crash` is a power failure.
    """

    def __init__(self) -> None:
        self._tables: Final = [_Table({}) for _ in TABLE_NAMES]
        self._batch_undo: list[tuple[int, bytes, bytes | None]] = []
        self._unsynced_undo: list[tuple[int, bytes, bytes | None]] = []
        self.fail_next_commit = False

    def get(self, table: int, key: bytes) -> bytes | None:
        return self._tables[table].values.get(key)

    def put(self, table: int, key: bytes, value: bytes) -> None:
        self._batch_undo.append((table, key, self._tables[table].values.get(key)))
        self._tables[table].put(key, value)

    def append(self, table: int, key: bytes, value: bytes) -> None:
        target = self._tables[table]
        assert not target.keys or key > target.keys[-1], f"append of {key!r} after {target.keys[-1]!r}"
        self._batch_undo.append((table, key, None))
        target.keys.append(key)
        target.values[key] = value

    def delete(self, table: int, key: bytes) -> bool:
        self._batch_undo.append((table, key, self._tables[table].values.get(key)))
        return self._tables[table].delete(key)

    def scan(
        self, table: int, start: bytes, end: bytes, limit: int = 0, reverse: bool = False, bytes_max: int = 0
    ) -> list[tuple[bytes, bytes]]:
        return self._tables[table].scan(start, end, limit, reverse, bytes_max)

    def commit(self) -> None:
        if self.fail_next_commit:
            self.fail_next_commit = False
            self.rollback()
            raise EngineCommitFailed("the commit was made to fail")
        self._unsynced_undo += self._batch_undo
        self._batch_undo = []

    def rollback(self) -> None:
        self._undo(self._batch_undo)
        self._batch_undo = []

    def crash(self) -> None:
        """Loses all that was not synced, as a power failure does."""
        self.rollback()
        self._undo(self._unsynced_undo)
        self._unsynced_undo = []

    def _undo(self, log: list[tuple[int, bytes, bytes | None]]) -> None:
        for table, key, value in reversed(log):
            if value is None:
                self._tables[table].delete(key)
            else:
                self._tables[table].put(key, value)

    def sync(self) -> None:
        self._unsynced_undo = []

    def _committed(self) -> list[dict[bytes, bytes]]:
        copies = [dict(table.values) for table in self._tables]
        for table, key, value in reversed(self._batch_undo):
            if value is None:
                copies[table].pop(key, None)
            else:
                copies[table][key] = value
        return copies

    def backup(self, path: str) -> None:
        copies = self._committed()
        directory = Path(path)
        directory.mkdir(parents=True)
        (directory / BACKUP_FILE_NAME).write_bytes(pickle.dumps(copies))

    @classmethod
    def restore(cls, path: str) -> "MemoryEngine":
        """A new engine with the contents of a backup that this process wrote."""
        engine = cls()
        copies = pickle.loads((Path(path) / BACKUP_FILE_NAME).read_bytes())
        for number, values in enumerate(copies):
            engine._tables[number] = _Table(values)
        return engine

    def open_view(self) -> EngineView:
        return _MemoryView([_Table(values) for values in self._committed()])

    @property
    def is_viewed(self) -> bool:
        return False  # a view is a copy

    def rewrite(self) -> None:
        """Memory has no holes."""

    def swap(self) -> None:
        """As it is."""

    def size(self) -> tuple[int, int]:
        used = 0
        for table in self._tables:
            for key, value in table.values.items():
                used += len(key) + len(value)
        return used, used

    def close(self) -> None:
        self.rollback()
