"""A directory whose parts do not fit together is refused; but a log that lost its end costs the only voter nothing."""

import asyncio
import errno
import shutil
from pathlib import Path
from typing import Final

import pytest

from etcdcore import EngineError, Member, MemberConfig, Put, PutResult, StorageError
from etcdcore.member.recovery import check_applied, open_parts
from etcdcore.raft.messages import ConfState
from etcdcore.storage.errors import DataDirUnusable, WalWriteFailed
from etcdcore.types import MemberId
from tests.unit.etcdcore.member.fakes import contents, decide, on_loop, quick_config, running
from tests.unit.etcdcore.storage.fakes import FaultyFileOps

PUTS: Final = 8


async def _written(data_dir: Path) -> None:
    async with running(quick_config(data_dir)) as (member, _):
        for number in range(20):
            await decide(member, Put(b"k%d" % number, b"v"))


@on_loop
async def test_a_store_without_its_log_is_refused(tmp_path: Path) -> None:
    await _written(tmp_path)
    shutil.rmtree(tmp_path / "member" / "wal")
    with pytest.raises((StorageError, EngineError)):
        Member.open(quick_config(tmp_path))


@on_loop
async def test_a_log_without_its_store_is_refused_once_the_log_was_cut(tmp_path: Path) -> None:
    await _written(tmp_path)
    shutil.rmtree(tmp_path / "member" / "db")
    with pytest.raises(DataDirUnusable, match="but the log begins at"):
        Member.open(quick_config(tmp_path))


@on_loop
async def test_a_refused_start_leaves_the_directory_free_for_the_next(tmp_path: Path) -> None:
    await _written(tmp_path)
    (tmp_path / "member" / "db").rename(tmp_path / "kept")
    with pytest.raises(DataDirUnusable):
        Member.open(quick_config(tmp_path))
    shutil.rmtree(tmp_path / "member" / "db")
    (tmp_path / "kept").rename(tmp_path / "member" / "db")
    async with running(quick_config(tmp_path)) as (member, _):
        assert member.revision() == 21


@on_loop
async def test_ids_are_those_that_etcd_gives_a_member_alone_with_its_defaults(tmp_path: Path) -> None:
    """Known from etcd's own logs: member 8e9e05c52164694d of cluster cdf818194e3a8c32."""
    async with running(quick_config(tmp_path)) as (member, _):
        assert (member.member_id, member.cluster_id) == (0x8E9E05C52164694D, 0xCDF818194E3A8C32)


def _config(data_dir: Path) -> MemberConfig:
    return quick_config(data_dir, commit_interval_ms=10_000, checkpoint_interval_s=3600)


async def _write_image(tmp_path: Path) -> Path:
    """What a kill leaves when the engine has committed everything, though it has synced nothing since the start."""
    image = tmp_path / "image"
    async with running(_config(tmp_path / "data")) as (member, _):
        for number in range(PUTS):
            assert isinstance(await decide(member, Put(b"k%d" % number, b"value %d" % number)), PutResult)
        member.commit()
        shutil.copytree(tmp_path / "data", image)
    return image


def _segment(image: Path) -> Path:
    (segment,) = (image / "member" / "wal").glob("*.wal")
    return segment


def _cut(image: Path, cut: int) -> None:
    whole = _segment(image).read_bytes()
    _segment(image).write_bytes(whole[:cut] + bytes(len(whole) - cut))


@on_loop
async def test_a_log_torn_below_what_the_engine_has_applied_costs_nothing(tmp_path: Path) -> None:
    image = await _write_image(tmp_path)
    whole = _segment(image).read_bytes()
    losses: list[int] = []
    for cut in (whole.index(b"value 1") + 3, whole.index(b"value 4"), whole.index(b"value 7") + 6):
        torn = tmp_path / f"torn{cut}"
        await asyncio.to_thread(shutil.copytree, image, torn)
        _cut(torn, cut)
        async with running(_config(torn)) as (member, _):
            assert len(contents(member)) == PUTS
            losses.append(member.recovery_report.lost_entries)
            assert isinstance(await decide(member, Put(b"later", b"1")), PutResult)
            revision = member.revision()
        async with running(_config(torn)) as (member, _):
            assert member.recovery_report.lost_entries == 0
            assert len(contents(member)) == PUTS + 1 and member.revision() == revision
    assert losses == sorted(losses, reverse=True) and losses[-1] > 0


@on_loop
async def test_a_crash_while_the_new_log_begins_is_made_good_by_the_next_start(tmp_path: Path) -> None:
    image = await _write_image(tmp_path)
    _cut(image, _segment(image).read_bytes().index(b"value 3"))
    ops = FaultyFileOps()
    ops.errors["write_synced"] = errno.EIO
    with pytest.raises(WalWriteFailed):
        Member.open(_config(image), ops)
    async with running(_config(image)) as (member, _):
        assert member.recovery_report.lost_entries > 0 and len(contents(member)) == PUTS
        assert isinstance(await decide(member, Put(b"later", b"1")), PutResult)
    async with running(_config(image)) as (member, _):
        assert len(contents(member)) == PUTS + 1


@on_loop
async def test_a_voter_of_several_whose_log_lost_entries_is_refused(tmp_path: Path) -> None:
    image = await _write_image(tmp_path)
    _cut(image, _segment(image).read_bytes().index(b"value 3"))
    parts = open_parts(_config(image), None, None)
    parts.log.set_conf_state(ConfState(voters=(parts.member_id, MemberId(7))))
    with pytest.raises(DataDirUnusable, match="but the log ends at"):
        check_applied(parts, parts.wal.last_index + 1)
    parts.wal.files.close()
    parts.close()
