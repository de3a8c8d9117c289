"""The driver's log port in the product: the write-ahead log, written by a thread."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, final

from etcdcore.member.ports import LogPort
from etcdcore.raft.messages import Entry, HardState, SnapshotMeta
from etcdcore.storage.wal import Wal
from etcdcore.storage.wal_writer import WalFact, WalWriter
from etcdcore.types import LogIndex


@final
class WalLog(LogPort):
    """The open log; its writer's thread lives from `start` to `close`. Nothing is appended before the start."""

    def __init__(self, wal: Wal) -> None:
        self._wal: Final = wal
        self._writer: WalWriter | None = None

    @property
    def writer(self) -> WalWriter:
        """For its counts; only once started."""
        assert self._writer is not None, "the log was not started"
        return self._writer

    def start(
        self,
        loop: asyncio.AbstractEventLoop,
        on_durable: Callable[[int], None],
        on_fact: Callable[[WalFact], None],
    ) -> None:
        """Both are called on the loop from now on."""
        self._writer = WalWriter(self._wal, loop, on_durable, on_fact)

    def append(self, entries: Sequence[Entry], hard_state: HardState | None, must_sync: bool, token: int) -> None:
        self.writer.append(entries, hard_state, must_sync, token)

    def append_snapshot(self, meta: SnapshotMeta, is_installed: bool, token: int) -> None:
        self.writer.append_snapshot(meta, is_installed, token)

    def release_before(self, index: LogIndex) -> None:
        self.writer.release_before(index)

    async def close(self) -> None:
        """Writes what is pending and ends the thread."""
        if self._writer is None:
            self._wal.files.close()
        else:
            await self._writer.close()
