"""Group commit, and what happens when the disk is full or fails."""

import asyncio
import errno
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest

from etcdcore.raft.messages import ConfState, SnapshotMeta
from etcdcore.storage.errors import DiskFull, WalClosed, WalWriteFailed
from etcdcore.storage.wal import Wal, WalContents
from etcdcore.storage.wal_writer import DiskRecovered, WalFact, WalWriter
from etcdcore.types import LogIndex, Term
from tests.unit.etcdcore.storage.fakes import FaultyFileOps, entry, hard_state

SEGMENT_BYTES = 4096
NEVER_S = 3600.0


class Harness:
    """A writer over faulty files, and all it said."""

    def __init__(self, directory: Path, ops: FaultyFileOps) -> None:
        self.directory: Final = directory
        self.ops: Final = ops
        self.durable: Final[list[int]] = []
        self.facts: Final[list[WalFact]] = []
        self._heard: Final = asyncio.Event()
        wal = Wal.create(directory, b"metadata", SEGMENT_BYTES, ops)
        self.writer: Final = WalWriter(wal, asyncio.get_running_loop(), self._on_durable, self._on_failure, NEVER_S)

    def _on_durable(self, token: int) -> None:
        self.durable.append(token)
        self._heard.set()

    def _on_failure(self, fact: WalFact) -> None:
        self.facts.append(fact)
        self._heard.set()

    def append(self, index: int, size: int = 20, must_sync: bool = True) -> None:
        self.writer.append([entry(index, data=b"v" * size)], None, must_sync, index)

    async def until_durable(self, token: int) -> None:
        await self._until(lambda: bool(self.durable) and self.durable[-1] >= token)

    async def until_facts(self, count: int) -> None:
        await self._until(lambda: len(self.facts) >= count)

    async def until_blocked(self) -> None:
        await self._until(lambda: any(isinstance(fact, DiskFull) and fact.blocked for fact in self.facts))

    async def until_recovered(self) -> None:
        await self._until(lambda: any(isinstance(fact, DiskRecovered) for fact in self.facts))

    async def _until(self, is_done: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not is_done():
                self._heard.clear()
                await self._heard.wait()

    def contents(self) -> WalContents:
        """What a restart would find now. Read from a copy, as the log has an owner and opening tidies up."""
        with TemporaryDirectory() as copy:
            for path in sorted(self.directory.glob("*.wal")):
                shutil.copy(path, copy)
            return Wal.open(Path(copy), LogIndex(0), SEGMENT_BYTES)[1]


def run(directory: Path, story: Callable[[Harness], Awaitable[None]]) -> Harness:
    async def main() -> Harness:
        harness = Harness(directory, FaultyFileOps())
        await story(harness)
        harness.ops.gate.set()
        harness.ops.removal_gate.set()
        await harness.writer.close()
        return harness

    return asyncio.run(main())


def indexes(harness: Harness) -> list[int]:
    return [each.index for each in harness.contents().entries]


# --- group commit ---


def test_what_arrives_during_a_write_goes_together_in_the_next(tmp_path: Path) -> None:
    async def story(harness: Harness) -> None:
        ops = harness.ops
        ops.writes.clear()
        ops.write_started.clear()
        ops.gate.clear()
        harness.append(1)
        await asyncio.to_thread(ops.write_started.wait, 10)
        for index in range(2, 11):
            harness.append(index)
        assert harness.durable == []
        ops.gate.set()
        await harness.until_durable(10)
        assert harness.durable == [1, 10]
        assert ops.writes == [57, 9 * 57]
        assert harness.writer.group_count == 2

    assert indexes(run(tmp_path, story)) == list(range(1, 11))


def test_tokens_are_reported_in_order_and_only_when_durable(tmp_path: Path) -> None:
    async def story(harness: Harness) -> None:
        for index in range(1, 400):
            harness.append(index, size=index % 300)
            if index % 3 == 0:
                await asyncio.sleep(0)
            if harness.durable and index % 40 == 0:
                # What was reported is in the files already, whatever becomes of this process.
                assert len(harness.contents().entries) >= harness.durable[-1]
        await harness.until_durable(399)
        assert harness.durable == sorted(set(harness.durable))

    assert indexes(run(tmp_path, story)) == list(range(1, 400))


def test_records_without_sync_wait_for_the_next_that_has_it_but_their_token_does_not(tmp_path: Path) -> None:
    async def story(harness: Harness) -> None:
        harness.append(1)
        await harness.until_durable(1)
        writes = len(harness.ops.writes)
        harness.writer.append([], hard_state(1, 2, 1), False, 2)
        await harness.until_durable(2)
        assert len(harness.ops.writes) == writes
        harness.append(2)
        await harness.until_durable(2)

    harness = run(tmp_path, story)
    assert harness.contents().hard_state == hard_state(1, 2, 1)


def test_records_without_sync_behind_a_write_are_reported_with_it(tmp_path: Path) -> None:
    async def story(harness: Harness) -> None:
        ops = harness.ops
        ops.write_started.clear()
        ops.gate.clear()
        harness.append(1)
        await asyncio.to_thread(ops.write_started.wait, 10)
        harness.writer.append([], hard_state(1, 2, 1), False, 2)
        ops.gate.set()
        await harness.until_durable(2)
        assert harness.durable == [2]

    assert run(tmp_path, story).contents().hard_state == hard_state(1, 2, 1)


def test_records_without_sync_that_come_while_the_thread_is_busy_otherwise_are_reported(tmp_path: Path) -> None:
    """It reserves a segment behind the last write: nobody else would ever look at the token."""

    async def story(harness: Harness) -> None:
        harness.append(1)
        await harness.until_durable(1)
        ops = harness.ops
        ops.allocation_started.clear()
        ops.allocation_gate.clear()
        last = 1
        while not ops.allocation_started.is_set():
            last += 1
            harness.append(last, size=400)
            await harness.until_durable(last)
            await asyncio.to_thread(ops.allocation_started.wait, 0.01)
        harness.writer.append([], hard_state(1, 2, 1), False, last + 1)
        ops.allocation_gate.set()
        await harness.until_durable(last + 1)

    run(tmp_path, story)


def test_closing_writes_what_is_pending_and_appending_then_is_refused(tmp_path: Path) -> None:
    async def story(harness: Harness) -> None:
        harness.append(1)
        harness.writer.append([], hard_state(1, 2, 1), False, 2)
        await harness.writer.close()
        with pytest.raises(WalClosed):
            harness.append(2)

    harness = run(tmp_path, story)
    assert indexes(harness) == [1]
    assert harness.contents().hard_state == hard_state(1, 2, 1)
    assert harness.facts == []
    assert not list(tmp_path.glob("*.tmp"))


def test_segments_follow_each_other_and_are_released(tmp_path: Path) -> None:
    async def story(harness: Harness) -> None:
        for index in range(1, 101):
            harness.append(index, size=400)
        harness.writer.release_before(LogIndex(80))
        harness.append(101)
        await harness.until_durable(101)
        harness.writer.append_snapshot(SnapshotMeta(LogIndex(90), Term(1), ConfState()), False, 102)
        await harness.until_durable(102)

    run(tmp_path, story)
    segments = sorted(tmp_path.glob("*.wal"))
    assert 2 <= len(segments) <= 5
    contents = Wal.open(tmp_path, LogIndex(79), SEGMENT_BYTES)[1]
    assert [each.index for each in contents.entries] == list(range(80, 102))
    assert [meta.index for meta in contents.snapshot_markers] == [90]


def test_what_is_appended_while_segments_are_removed_does_not_wait_for_that(tmp_path: Path) -> None:
    async def story(harness: Harness) -> None:
        harness.ops.removal_gate.clear()
        for index in range(1, 101):
            harness.append(index, size=400)
        harness.writer.release_before(LogIndex(80))
        assert await asyncio.to_thread(harness.ops.removal_started.wait, 10)
        harness.append(101)
        await harness.until_durable(101)
        assert harness.ops.calls.count("unlink") == 0

    # Closing does wait: all are gone when it is done.
    harness = run(tmp_path, story)
    assert harness.ops.calls.count("unlink") > 5
    assert len(list(tmp_path.glob("*.wal"))) <= 5


# --- full disk ---


def test_a_full_disk_is_told_before_the_segment_in_use_is(tmp_path: Path) -> None:
    async def story(harness: Harness) -> None:
        harness.append(1, size=2500)
        await harness.until_durable(1)
        harness.ops.is_full = True
        harness.append(2, size=2500)  # takes the reserved segment; another one cannot be reserved
        await harness.until_durable(2)
        await harness.until_facts(1)
        (full,) = harness.facts
        assert isinstance(full, DiskFull)
        assert not full.blocked
        assert harness.writer.is_disk_full
        harness.append(3)  # still fits
        await harness.until_durable(3)
        harness.ops.is_full = False
        harness.writer.retry()
        await harness.until_facts(2)
        assert isinstance(harness.facts[1], DiskRecovered)
        assert not harness.writer.is_disk_full

    assert indexes(run(tmp_path, story)) == [1, 2, 3]


def test_a_group_that_finds_no_room_waits_in_order_and_is_written_once_there_is_some(tmp_path: Path) -> None:
    async def story(harness: Harness) -> None:
        harness.append(1, size=2500)
        await harness.until_durable(1)
        harness.ops.is_full = True
        harness.append(2, size=2500)
        await harness.until_durable(2)
        harness.append(3, size=2500)
        await harness.until_facts(2)
        assert [isinstance(fact, DiskFull) and fact.blocked for fact in harness.facts] == [False, True]
        harness.append(4)
        harness.append(5)
        harness.writer.retry()
        assert harness.durable == [1, 2]
        assert [each.index for each in harness.contents().entries] == [1, 2]
        harness.ops.is_full = False
        harness.writer.retry()
        await harness.until_durable(5)
        await harness.until_facts(3)
        assert isinstance(harness.facts[2], DiskRecovered)

    assert indexes(run(tmp_path, story)) == [1, 2, 3, 4, 5]


def test_a_write_that_ran_out_of_room_half_way_is_taken_back_and_repeated(tmp_path: Path) -> None:
    async def story(harness: Harness) -> None:
        harness.append(1)
        await harness.until_durable(1)
        harness.ops.is_write_full = True
        harness.append(2, size=900)
        await harness.until_facts(1)
        (full,) = harness.facts
        assert isinstance(full, DiskFull)
        assert full.blocked
        contents = harness.contents()
        assert [each.index for each in contents.entries] == [1]
        assert contents.torn_tail is None
        harness.ops.is_write_full = False
        harness.writer.retry()
        await harness.until_durable(2)
        await harness.until_facts(2)
        assert isinstance(harness.facts[1], DiskRecovered)

    assert indexes(run(tmp_path, story)) == [1, 2]


def test_removed_segments_make_room_at_once(tmp_path: Path) -> None:
    """Without the timer, which this harness's writer never sees."""

    async def story(harness: Harness) -> None:
        harness.ops.removal_gate.clear()
        for index in range(1, 21):
            harness.append(index, size=400)
        await harness.until_durable(20)
        harness.writer.release_before(LogIndex(15))
        assert await asyncio.to_thread(harness.ops.removal_started.wait, 10)
        harness.ops.is_full = True
        for index in range(21, 41):
            harness.append(index, size=400)
        await harness.until_blocked()
        harness.ops.is_full = False
        harness.ops.removal_gate.set()
        await harness.until_durable(40)
        await harness.until_recovered()

    run(tmp_path, story)
    contents = Wal.open(tmp_path, LogIndex(14), SEGMENT_BYTES)[1]
    assert [each.index for each in contents.entries] == list(range(15, 41))


def test_closing_on_a_full_disk_ends_and_reports_nothing_durable(tmp_path: Path) -> None:
    async def story(harness: Harness) -> None:
        harness.ops.is_write_full = True
        harness.append(1)
        await harness.until_facts(1)
        await harness.writer.close()
        assert harness.durable == []

    assert indexes(run(tmp_path, story)) == []


# --- failure ---


@pytest.mark.parametrize("operation", ["write_synced", "rename", "sync_directory", "open"])
def test_any_other_failure_is_final_and_reported_once(tmp_path: Path, operation: str) -> None:
    async def story(harness: Harness) -> None:
        harness.append(1, size=2500)
        await harness.until_durable(1)
        harness.ops.errors[operation] = errno.EIO
        harness.append(2, size=2500)
        harness.append(3, size=10)
        await harness.until_facts(1)
        harness.ops.errors.clear()
        with pytest.raises(WalWriteFailed):
            harness.append(4)
        await harness.writer.close()
        assert harness.durable == [1]
        assert [type(fact) for fact in harness.facts] == [WalWriteFailed]
        assert "injected" in str(harness.facts[0])

    run(tmp_path, story)


def test_a_failed_removal_is_final_too(tmp_path: Path) -> None:
    async def story(harness: Harness) -> None:
        for index in range(1, 101):
            harness.append(index, size=400)
        await harness.until_durable(100)
        harness.ops.errors["unlink"] = errno.EIO
        harness.writer.release_before(LogIndex(80))
        await harness.until_facts(1)
        with pytest.raises(WalWriteFailed):
            harness.append(101)
        await harness.writer.close()
        assert [type(fact) for fact in harness.facts] == [WalWriteFailed]
        assert "injected" in str(harness.facts[0])

    run(tmp_path, story)
    contents = Wal.open(tmp_path, LogIndex(79), SEGMENT_BYTES)[1]
    assert [each.index for each in contents.entries] == list(range(80, 101))


def test_no_room_while_the_directory_is_synced_is_final_too(tmp_path: Path) -> None:
    """The name of the segment may or may not be on the disk: there is nothing to try again."""

    async def story(harness: Harness) -> None:
        harness.append(1, size=2500)
        await harness.until_durable(1)
        harness.ops.errors["sync_directory"] = errno.ENOSPC
        harness.append(2, size=2500)
        await harness.until_facts(1)
        assert [type(fact) for fact in harness.facts] == [WalWriteFailed]
        assert harness.durable == [1]

    run(tmp_path, story)


# --- kill -9 ---

WRITING_CHILD = """
import asyncio, os, sys
from pathlib import Path
from etcdcore.raft.messages import Entry
from etcdcore.storage.wal import Wal
from etcdcore.storage.wal_writer import WalWriter
from etcdcore.types import LogIndex, Term

async def main():
    directory, after, kept, segment_bytes = Path(sys.argv[1]), *map(int, sys.argv[2:])
    if Wal.exists(directory):
        wal, contents = Wal.open(directory, LogIndex(after), segment_bytes)
    else:
        wal = Wal.create(directory, b"metadata", segment_bytes)
    acknowledge = lambda token: os.write(1, b"%d\\n" % token)
    writer = WalWriter(wal, asyncio.get_running_loop(), acknowledge, lambda fact: os._exit(3))
    index = wal.last_index
    while True:
        entries = [Entry(LogIndex(index + i), Term(1), 0, b"%d" % (index + i) * 40) for i in range(1, 8)]
        index += 7
        writer.append(entries, None, True, index)
        if index > kept:
            writer.release_before(LogIndex(index - kept))
        await asyncio.sleep(0)
        if writer.pending_bytes > 100_000:
            await asyncio.sleep(0.005)

asyncio.run(main())
"""


class KilledWriter:
    """A log that a child writes until it is killed, again and again. `kept`: behind so many entries, segments go."""

    def __init__(self, directory: Path, kept: int, segment_bytes: int) -> None:
        self._directory: Final = directory
        self._kept: Final = kept
        self._segment_bytes: Final = segment_bytes
        self.acknowledged = 0

    def run(self, entry_count: int) -> None:
        """Until so many more are acknowledged, and what a restart finds then."""
        arguments = [str(each) for each in (self._directory, self._after, self._kept, self._segment_bytes)]
        child = subprocess.Popen([sys.executable, "-c", WRITING_CHILD, *arguments], stdout=subprocess.PIPE)
        assert child.stdout is not None
        output = b""
        wanted = self.acknowledged + entry_count
        while self.acknowledged < wanted:
            assert select.select([child.stdout], [], [], 30)[0], "the child acknowledges nothing"
            piece = os.read(child.stdout.fileno(), 4096)
            assert piece, "the child ended"
            output += piece
            self._take(output)
        child.send_signal(signal.SIGKILL)
        self._take(output + child.stdout.read())
        child.stdout.close()
        child.wait()
        after = self._after
        wal, contents = Wal.open(self._directory, LogIndex(after), self._segment_bytes)
        wal.files.close()
        assert [each.index for each in contents.entries] == list(range(after + 1, wal.last_index + 1))
        assert wal.last_index >= self.acknowledged
        assert all(each.data == b"%d" % each.index * 40 for each in contents.entries)

    def _take(self, output: bytes) -> None:
        complete = output[: output.rfind(b"\n") + 1].split()
        if complete:
            self.acknowledged = int(complete[-1])

    @property
    def _after(self) -> int:
        return max(self.acknowledged - self._kept // 2, 0)


def test_no_acknowledged_record_is_lost_when_the_process_is_killed(tmp_path: Path) -> None:
    writer = KilledWriter(tmp_path / "wal", 1_000_000_000, 65536)
    for round_number in range(5):
        writer.run(20 + 300 * round_number)


def test_nor_when_its_segments_are_recycled_meanwhile(tmp_path: Path) -> None:
    """The ten segments that are kept are few enough for each to have been another one several times."""
    writer = KilledWriter(tmp_path / "wal", 2000, 16384)
    for _ in range(5):
        writer.run(8000)
    assert len(list((tmp_path / "wal").iterdir())) < 200
