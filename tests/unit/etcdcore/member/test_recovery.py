"""A directory whose parts do not fit together is refused, not repaired."""

import shutil
from pathlib import Path

import pytest

from etcdcore import EngineError, Member, Put, StorageError
from etcdcore.member.recovery import derive_id
from etcdcore.storage.errors import DataDirUnusable
from tests.unit.etcdcore.member.fakes import decide, on_loop, quick_config, running


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
async def test_a_store_ahead_of_its_log_is_refused(tmp_path: Path) -> None:
    await _written(tmp_path / "older")
    shutil.copytree(tmp_path / "older", tmp_path / "newer")
    async with running(quick_config(tmp_path / "newer")) as (member, _):
        for _ in range(20):
            await decide(member, Put(b"k", b"v"))
    shutil.rmtree(tmp_path / "older" / "member" / "db")
    shutil.copytree(tmp_path / "newer" / "member" / "db", tmp_path / "older" / "member" / "db")
    with pytest.raises(DataDirUnusable, match="but the log ends at"):
        Member.open(quick_config(tmp_path / "older"))


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


def test_ids_depend_on_the_name_alone_and_are_never_0() -> None:
    assert derive_id("n1") == derive_id("n1") != derive_id("n2")
    assert 0 < derive_id("n1") < 1 << 64
