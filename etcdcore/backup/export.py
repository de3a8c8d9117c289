"""Writes a view of the state as a bbolt file, in a thread beside the loop.

Invariants:
1. The file is of one log index: every record comes from one view, and so does the index in the meta bucket.
2. The thread never works longer than a page of records without letting the loop have the interpreter.
3. The disk keeps ROOM_BYTES_MIN: rather than take it the export fails, since the log needs it more.
"""

import os
import time
from collections.abc import Iterator
from typing import BinaryIO, Final, final

from etcdcore.backup.schema import (
    CLUSTER_VERSION_NAME,
    KEPT_META,
    STORAGE_VERSION,
    TABLES_BY_NAME,
    meta_records,
)
from etcdcore.bbolt.writer import DatabaseWriter
from etcdcore.mvcc.engine import CLUSTER, META, SCAN_BYTES_MAX, EngineView
from etcdcore.raft.messages import ConfState

PAGE_RECORDS: Final = 128
PAUSE_S_MIN: Final = 0.0005
"""A page takes half a millisecond or more, and then the thread rests for as long: the loop waits for one page, not for
a switch interval, and keeps half of the interpreter at least."""
ROOM_BYTES_MIN: Final = 64 << 20
"""A segment of the log."""
_ROOM_CHECK_PAGES: Final = 64


class ExportFailed(Exception):
    """The copy could not be made; the text says why. The state is untouched."""


class ExportCancelled(ExportFailed):
    """Somebody called `cancel`."""


@final
class Export:
    """One copy. `run` in a thread; `cancel` from the loop, after which `run` ends within a page."""

    __slots__ = ("_conf_state", "_index", "_is_cancelled", "_output", "_room_bytes_min", "_term", "_view")

    def __init__(
        self,
        view: EngineView,
        index: int,
        term: int,
        conf_state: ConfState,
        output: BinaryIO,
        room_bytes_min: int = ROOM_BYTES_MIN,
    ) -> None:
        """`output` is a new file on the disk that the room is counted on."""
        self._view: Final = view
        self._index: Final = index
        self._term: Final = term
        self._conf_state: Final = conf_state
        self._output: Final = output
        self._room_bytes_min: Final = room_bytes_min
        self._is_cancelled = False

    def cancel(self) -> None:
        self._is_cancelled = True

    def run(self) -> int:
        """Writes the file; returns its size. Raises ExportFailed, and EngineError when the view is closed meanwhile."""
        try:
            writer = DatabaseWriter(self._output)
            for name, table in TABLES_BY_NAME:
                writer.write_bucket(name, self._records(table))
            size = writer.finish()
            self._output.flush()
        except OSError as error:
            raise ExportFailed(f"the copy could not be written: {error}") from error
        return size

    def _records(self, table: int) -> Iterator[tuple[bytes, bytes]]:
        if table == META:
            kept = {key: value for key, value in self._stored(META) if key in KEPT_META}
            yield from meta_records(self._index, self._term, self._conf_state, kept)
        elif table == CLUSTER:
            records = dict(self._stored(CLUSTER))
            records.setdefault(CLUSTER_VERSION_NAME, STORAGE_VERSION)
            yield from sorted(records.items())
        else:
            yield from self._stored(table)

    def _stored(self, table: int) -> Iterator[tuple[bytes, bytes]]:
        start = b""
        pages = 0
        while True:
            if self._is_cancelled:
                raise ExportCancelled("the copy is not wanted any more")
            if pages % _ROOM_CHECK_PAGES == 0:
                self._check_room()
            began = time.perf_counter()
            page = self._view.page(table, start, PAGE_RECORDS, SCAN_BYTES_MAX)
            if not page:
                return
            yield from page
            start = page[-1][0] + b"\0"
            pages += 1
            time.sleep(max(PAUSE_S_MIN, time.perf_counter() - began))

    def _check_room(self) -> None:
        facts = os.fstatvfs(self._output.fileno())
        if facts.f_bavail * facts.f_frsize < self._room_bytes_min:
            raise ExportFailed(f"the disk has less than {self._room_bytes_min} bytes left, which the log may need")
