"""A torn tail is cut and reported, damage in the middle is refused by file and offset, a directory has one owner."""

import asyncio
import multiprocessing
import os
import shutil
from pathlib import Path
from typing import Final

import pytest

from etcdcore import CoreError, Member, MemberConfig, Put, PutResult, Range
from etcdcore.storage.errors import DataDirLocked, WalCorrupted
from etcdcore.storage.lmdb_engine import LmdbEngine
from integration.durability.driver import FRAME, OPENED, run
from tests.unit.etcdcore.member.fakes import decide

PUTS: Final = 12


def _config(data_dir: Path) -> MemberConfig:
    """The engine commits nothing by itself, so everything has to come out of the log."""
    return MemberConfig(
        data_dir,
        commit_interval_ms=10_000,
        commit_operations=1_000_000,
        checkpoint_interval_s=3600,
        segment_bytes=1 << 16,
    )


async def _write_image(data_dir: Path, image: Path) -> None:
    """A copy of the directory while the member lives: what a kill at this moment leaves."""
    member = Member.open(_config(data_dir))
    async with asyncio.TaskGroup() as group:
        group.create_task(member.serve(), name="member")
        await member.wait_writable()
        for number in range(PUTS):
            assert isinstance(await decide(member, Put(b"k%02d" % number, b"value %d" % number)), PutResult)
        shutil.copytree(data_dir, image)
        await member.stop()


async def _contents_after_start(data_dir: Path) -> tuple[Member, list[bytes]]:
    member = Member.open(_config(data_dir))
    async with asyncio.TaskGroup() as group:
        group.create_task(member.serve(), name="member")
        await member.wait_writable()
        result = member.range(Range(b"k", b"l"))
        await member.stop()
    assert not isinstance(result, CoreError)
    return member, [kv.key for kv in result.kvs]


async def _write_image_of_a_power_failure(data_dir: Path, image: Path) -> None:
    """The engine's unsynced commits reach the image too, but nobody may rely on them."""
    member = Member.open(_config(data_dir))
    async with asyncio.TaskGroup() as group:
        group.create_task(member.serve(), name="member")
        await member.wait_writable()
        for number in range(PUTS):
            assert isinstance(await decide(member, Put(b"k%02d" % number, b"value")), PutResult)
            if number == PUTS // 2:
                await member.cut_log()
            elif number > PUTS // 2:
                member.commit()
        shutil.copytree(data_dir, image)
        await member.stop()


def _segment(image: Path) -> Path:
    (segment,) = (image / "member" / "wal").glob("*.wal")
    return segment


@pytest.mark.timeout(120)
def test_a_tail_torn_at_any_byte_of_its_last_records_is_cut_and_reported(tmp_path: Path) -> None:
    image = tmp_path / "image"
    asyncio.run(_write_image(tmp_path / "data", image))
    whole = _segment(image).read_bytes()
    end = len(whole.rstrip(b"\0"))
    first = whole.index(b"value %d" % (PUTS - 2))
    counts: list[int] = []
    clean_cuts = 0
    for cut in range(first, end):
        torn = tmp_path / "torn"
        shutil.copytree(image, torn)
        _segment(torn).write_bytes(whole[:cut] + bytes(len(whole) - cut))
        member, keys = asyncio.run(_contents_after_start(torn))
        assert keys == [b"k%02d" % number for number in range(len(keys))], f"a hole after a cut at {cut}"
        tail = member.recovery_report.torn_tail
        assert tail is None or tail.offset <= cut, tail
        if tail is None:
            clean_cuts += 1
        else:
            assert tail.path == _segment(torn) and tail.dropped_bytes > 0
        counts.append(len(keys))
        shutil.rmtree(torn)
    assert counts == sorted(counts), "a later cut never loses more"
    assert clean_cuts <= 6, "only a cut between two records (an entry and a commit index for each put) leaves nothing"
    assert counts[0] == PUTS - 2 and counts[-1] >= PUTS - 1


def test_a_flipped_bit_in_the_middle_is_refused_with_file_and_offset(tmp_path: Path) -> None:
    image = tmp_path / "image"
    asyncio.run(_write_image(tmp_path / "data", image))
    segment = _segment(image)
    whole = segment.read_bytes()
    middle = whole.index(b"value %d" % (PUTS // 2))
    for offset in (middle, middle + 3, whole.index(b"value 2")):
        damaged = bytearray(whole)
        damaged[offset] ^= 0x10
        segment.write_bytes(damaged)
        with pytest.raises(WalCorrupted) as refused:
            Member.open(_config(image))
        assert refused.value.path == segment
        assert offset - 128 < refused.value.offset <= offset
        assert str(segment) in str(refused.value) and str(refused.value.offset) in str(refused.value)
        assert segment.read_bytes() == damaged, "nothing was cut"
    segment.write_bytes(whole)
    assert len(asyncio.run(_contents_after_start(image))[1]) == PUTS


def test_after_a_power_failure_the_engine_goes_back_to_its_last_sync_and_the_log_has_the_rest(tmp_path: Path) -> None:
    image = tmp_path / "image"
    asyncio.run(_write_image_of_a_power_failure(tmp_path / "data", image))

    async def start() -> list[bytes]:
        engine = LmdbEngine(str(image / "member" / "db"), boot_id="the machine's next life")
        assert engine.restored
        member = Member.open(_config(image), engine=engine)
        async with asyncio.TaskGroup() as group:
            group.create_task(member.serve(), name="member")
            await member.wait_writable()
            assert member.recovery_report.replayed_entries >= PUTS - PUTS // 2 - 1
            result = member.range(Range(b"k", b"l"))
            await member.stop()
        assert not isinstance(result, CoreError)
        return [kv.key for kv in result.kvs]

    assert asyncio.run(start()) == [b"k%02d" % number for number in range(PUTS)]


def test_a_second_process_is_refused_with_the_pid_of_the_first(tmp_path: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=run, args=(str(tmp_path / "data"), theirs), name="member")
    process.start()
    try:
        theirs.close()
        assert FRAME.unpack(os.read(ours.fileno(), FRAME.size))[0] == OPENED
        with pytest.raises(DataDirLocked) as refused:
            Member.open(_config(tmp_path / "data"))
        assert refused.value.owner_pid == process.pid
        assert str(process.pid) in str(refused.value)
    finally:
        process.kill()
        process.join()
        ours.close()
    asyncio.run(_contents_after_start(tmp_path / "data"))
