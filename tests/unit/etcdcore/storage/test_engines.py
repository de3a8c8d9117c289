"""One suite for both engines: what the store may rely on."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from etcdcore.errors import EngineCommitFailed, EngineError, EngineFull
from etcdcore.mvcc.engine import KEY, LEASE, META, Engine
from etcdcore.storage.lmdb_engine import SYNCED_FILE_NAME, LmdbEngine
from etcdcore.storage.memory_engine import MemoryEngine


@pytest.fixture(params=["memory", "lmdb"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    opened: Engine = MemoryEngine() if request.param == "memory" else LmdbEngine(str(tmp_path / "db"))
    yield opened
    opened.close()


def test_reads_see_the_open_batch(engine: Engine) -> None:
    engine.put(META, b"a", b"1")
    assert engine.get(META, b"a") == b"1"
    assert engine.scan(META, b"", b"") == [(b"a", b"1")]
    assert engine.get(META, b"b") is None


def test_tables_are_apart(engine: Engine) -> None:
    engine.put(META, b"a", b"1")
    assert engine.get(LEASE, b"a") is None
    assert engine.scan(LEASE, b"", b"") == []


def test_empty_values_are_values(engine: Engine) -> None:
    engine.put(META, b"a", b"")
    assert engine.get(META, b"a") == b""


def test_a_put_replaces(engine: Engine) -> None:
    engine.put(META, b"a", b"1")
    engine.put(META, b"a", b"22")
    assert engine.scan(META, b"", b"") == [(b"a", b"22")]


def test_delete_says_whether_there_was_a_key(engine: Engine) -> None:
    engine.put(META, b"a", b"1")
    assert engine.delete(META, b"a")
    assert not engine.delete(META, b"a")
    assert engine.get(META, b"a") is None


@pytest.mark.parametrize(
    ("start", "end", "limit", "reverse", "found"),
    [
        (b"", b"", 0, False, "abcd"),
        (b"b", b"", 0, False, "bcd"),
        (b"b", b"d", 0, False, "bc"),
        (b"aa", b"cc", 0, False, "bc"),
        (b"", b"", 2, False, "ab"),
        (b"e", b"", 0, False, ""),
        (b"c", b"b", 0, False, ""),
        (b"", b"", 0, True, "dcba"),
        (b"b", b"d", 0, True, "cb"),
        (b"", b"cc", 1, True, "c"),
        (b"", b"z", 2, True, "dc"),
        (b"", b"a", 0, True, ""),
    ],
)
def test_scan_is_bounded_ordered_and_limited(
    engine: Engine, start: bytes, end: bytes, limit: int, reverse: bool, found: str
) -> None:
    for key in (b"a", b"b", b"c", b"d"):
        engine.append(KEY, key, key * 2)
    expected = [(letter.encode(), letter.encode() * 2) for letter in found]
    assert engine.scan(KEY, start, end, limit, reverse) == expected


def test_rollback_goes_back_to_the_last_commit(engine: Engine) -> None:
    engine.put(META, b"a", b"1")
    engine.put(META, b"b", b"1")
    engine.commit()
    engine.put(META, b"a", b"2")
    engine.delete(META, b"b")
    engine.append(KEY, b"k", b"v")
    engine.rollback()
    assert engine.scan(META, b"", b"") == [(b"a", b"1"), (b"b", b"1")]
    assert engine.get(KEY, b"k") is None


def test_a_view_shows_one_commit_whatever_comes_after(engine: Engine) -> None:
    engine.put(META, b"a", b"1")
    engine.put(LEASE, b"l", b"")
    engine.commit()
    engine.put(META, b"b", b"not committed")
    view = engine.open_view()
    engine.put(META, b"a", b"2")
    engine.delete(LEASE, b"l")
    engine.commit()
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(view.page, META, b"", 10, 1000).result() == [(b"a", b"1")]
        assert thread.submit(view.page, LEASE, b"", 10, 1000).result() == [(b"l", b"")]
    view.close()
    later = engine.open_view()
    assert later.page(META, b"", 10, 1000) == [(b"a", b"2"), (b"b", b"not committed")]
    later.close()


def test_a_view_is_read_in_pages_bounded_in_pairs_and_in_bytes(engine: Engine) -> None:
    for number in range(6):
        engine.put(KEY, b"%d" % number, b"x" * 10)
    engine.commit()
    view = engine.open_view()
    assert [key for key, _ in view.page(KEY, b"", 4, 1000)] == [b"0", b"1", b"2", b"3"]
    assert [key for key, _ in view.page(KEY, b"3\0", 4, 1000)] == [b"4", b"5"]
    assert [key for key, _ in view.page(KEY, b"", 4, 12)] == [b"0", b"1"]
    assert view.page(KEY, b"5\0", 4, 1000) == []


def test_a_closed_view_says_so_and_the_engine_closes_those_that_are_left(engine: Engine) -> None:
    view = engine.open_view()
    left = engine.open_view()
    view.close()
    view.close()
    with pytest.raises(EngineError, match="closed"):
        view.page(KEY, b"", 1, 1)
    if isinstance(engine, LmdbEngine):
        engine.close()
        with pytest.raises(EngineError, match="closed"):
            left.page(KEY, b"", 1, 1)


def test_a_backup_holds_what_is_committed_and_nothing_else(tmp_path: Path, engine: Engine) -> None:
    engine.put(META, b"a", b"1")
    engine.commit()
    engine.put(META, b"a", b"2")
    path = str(tmp_path / "backup")
    engine.backup(path)
    copy: Engine = MemoryEngine.restore(path) if isinstance(engine, MemoryEngine) else LmdbEngine(path)
    assert copy.scan(META, b"", b"") == [(b"a", b"1")]
    copy.close()


def test_size_tells_allocated_and_used_bytes(engine: Engine) -> None:
    for number in range(100):
        engine.append(KEY, b"%03d" % number, b"x" * 1000)
    engine.commit()
    allocated, used = engine.size()
    assert allocated >= used >= 100_000


def test_a_failed_commit_leaves_the_memory_engine_at_the_last_one() -> None:
    engine = MemoryEngine()
    engine.put(META, b"a", b"1")
    engine.commit()
    engine.put(META, b"a", b"2")
    engine.fail_next_commit = True
    with pytest.raises(EngineCommitFailed):
        engine.commit()
    assert engine.get(META, b"a") == b"1"
    engine.put(META, b"a", b"3")
    engine.commit()
    assert engine.get(META, b"a") == b"3"


def test_a_crash_of_the_memory_engine_loses_what_was_not_synced() -> None:
    engine = MemoryEngine()
    engine.put(META, b"a", b"1")
    engine.commit()
    engine.sync()
    engine.put(META, b"a", b"2")
    engine.commit()
    engine.put(META, b"b", b"3")
    engine.crash()
    assert engine.scan(META, b"", b"") == [(b"a", b"1")]


def test_a_full_map_is_a_typed_error_and_leaves_lmdb_usable_at_its_last_commit(tmp_path: Path) -> None:
    engine = LmdbEngine(str(tmp_path), map_bytes=1 << 20)
    engine.append(KEY, b"0", b"kept")
    engine.commit()
    with pytest.raises(EngineFull):
        for number in range(1, 2000):
            engine.append(KEY, b"%05d" % number, b"x" * 1000)
    assert engine.scan(KEY, b"", b"") == [(b"0", b"kept")]
    engine.put(META, b"a", b"1")
    engine.commit()
    assert engine.get(META, b"a") == b"1"
    engine.close()


def test_a_full_disk_at_commit_is_a_typed_error_and_leaves_lmdb_usable_at_its_last_commit(tmp_path: Path) -> None:
    """A limit on the size of files stands for the full disk."""
    engine = LmdbEngine(str(tmp_path))
    engine.put(META, b"a", b"1")
    engine.commit()
    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    for number in range(2000):
        engine.append(KEY, b"%05d" % number, b"x" * 1000)
    engine.put(META, b"a", b"2")
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, former[1]))
    try:
        with pytest.raises(EngineCommitFailed):
            engine.commit()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)
    assert engine.get(META, b"a") == b"1"
    assert engine.scan(KEY, b"", b"") == []
    engine.put(META, b"a", b"3")
    engine.commit()
    engine.sync()
    assert engine.get(META, b"a") == b"3"
    engine.close()


def test_lmdb_may_be_synced_from_another_thread_while_the_owner_commits(tmp_path: Path) -> None:
    engine = LmdbEngine(str(tmp_path), boot_id="first")
    with ThreadPoolExecutor(1) as pool:
        for number in range(60):
            syncing = pool.submit(engine.sync)
            for _ in range(5):
                engine.append(KEY, b"%08d" % (number * 5 + _), b"x" * 100)
                engine.commit()
            syncing.result()
        # What the last sync found committed when it began, at least, is there.
    engine.close()
    again = LmdbEngine(str(tmp_path), boot_id="second")
    stored = [key for key, _ in again.scan(KEY, b"", b"")]
    assert stored == [b"%08d" % number for number in range(len(stored))]
    assert len(stored) >= 295
    again.close()


ONE_KEY = """
import sys
from etcdcore.storage.lmdb_engine import LmdbEngine
engine = LmdbEngine(sys.argv[1], boot_id="first")
engine.put(1, b"a", b"1")
engine.commit()
engine.sync()
engine.close()
"""


def test_lmdb_has_the_format_whose_meta_pages_are_kept_whatever_the_environment_says(tmp_path: Path) -> None:
    # The binding reads the variable when it is imported.
    environment = {**os.environ, "LMDB_DEFAULT_LIB_VERSION": "1"}
    subprocess.run([sys.executable, "-c", ONE_KEY, str(tmp_path)], env=environment, check=True)
    again = LmdbEngine(str(tmp_path), boot_id="second")
    assert again.restored
    assert again.get(META, b"a") == b"1"
    again.close()


def test_lmdb_keeps_what_was_committed_when_only_the_process_died(tmp_path: Path) -> None:
    engine = LmdbEngine(str(tmp_path), boot_id="first")
    engine.put(META, b"a", b"1")
    engine.commit()
    engine.put(META, b"a", b"2")
    engine.close()
    engine = LmdbEngine(str(tmp_path), boot_id="first")
    assert not engine.restored
    assert engine.get(META, b"a") == b"1"
    engine.close()


@pytest.mark.parametrize("commits", [1, 2, 3, 20])
def test_lmdb_goes_back_to_the_synced_state_when_the_machine_was_restarted(tmp_path: Path, commits: int) -> None:
    """Every key of the synced state is there, however much was rewritten over it since."""
    engine = LmdbEngine(str(tmp_path), boot_id="first")
    for number in range(500):
        engine.put(META, b"%03d" % number, b"synced")
    engine.commit()
    engine.sync()
    for _ in range(commits):
        for number in range(500):
            engine.put(META, b"%03d" % number, b"later!")
        engine.append(KEY, b"%d" % _, b"")
        engine.commit()
    engine.close()
    engine = LmdbEngine(str(tmp_path), boot_id="second")
    assert engine.restored
    assert {value for _, value in engine.scan(META, b"", b"")} == {b"synced"}
    assert len(engine.scan(META, b"", b"")) == 500
    assert engine.scan(KEY, b"", b"") == []
    engine.put(META, b"000", b"on")
    engine.commit()
    engine.sync()
    engine.close()
    engine = LmdbEngine(str(tmp_path), boot_id="second")
    assert not engine.restored
    assert engine.get(META, b"000") == b"on"
    engine.close()


def test_the_bare_copy_of_a_backup_opens_without_a_synced_state(tmp_path: Path) -> None:
    engine = LmdbEngine(str(tmp_path / "db"), boot_id="first")
    engine.put(META, b"a", b"1")
    engine.commit()
    engine.backup(str(tmp_path / "copy"))
    engine.close()
    assert not (tmp_path / "copy" / SYNCED_FILE_NAME).exists()
    copy = LmdbEngine(str(tmp_path / "copy"), boot_id="second")
    assert copy.get(META, b"a") == b"1"
    copy.close()


def _hole_filled(engine: Engine, path: Path) -> tuple[int, int]:
    """Sizes of the file before and after a rewrite that leaves a tenth of what there was."""
    for number in range(1000):
        engine.put(META, b"%04d" % number, b"x" * 1000)
    engine.commit()
    for number in range(900):
        engine.delete(META, b"%04d" % number)
    engine.commit()
    before = engine.size()[0]
    engine.rewrite()
    engine.swap()
    return before, engine.size()[0]


def test_a_rewrite_keeps_what_is_committed_and_gives_room_back(tmp_path: Path) -> None:
    engine = LmdbEngine(str(tmp_path), boot_id="first")
    before, after = _hole_filled(engine, tmp_path)
    assert after < before // 3
    assert [key for key, _ in engine.scan(META, b"", b"")] == [b"%04d" % number for number in range(900, 1000)]
    engine.put(META, b"new", b"1")
    engine.commit()
    engine.rollback()
    assert engine.get(META, b"new") == b"1"
    engine.close()
    for boot_id in ("first", "second"):
        engine = LmdbEngine(str(tmp_path), boot_id=boot_id)
        assert len(engine.scan(META, b"0", b"1")) == 100
        assert engine.restored == (boot_id == "second")
        engine.close()


def test_a_crash_of_the_machine_between_the_steps_of_a_swap_loses_nothing(tmp_path: Path) -> None:
    """The name of the synced state is gone, the new file not yet there: the old one is whole."""
    engine = LmdbEngine(str(tmp_path), boot_id="first")
    engine.put(META, b"a", b"1")
    engine.commit()
    engine.rewrite()
    engine.sync()
    engine.close()
    (tmp_path / SYNCED_FILE_NAME).unlink()
    again = LmdbEngine(str(tmp_path), boot_id="second")
    assert again.get(META, b"a") == b"1"
    again.rewrite()
    again.swap()
    assert again.get(META, b"a") == b"1"
    again.close()


def test_an_engine_with_an_open_view_says_so(engine: Engine) -> None:
    view = engine.open_view()
    assert engine.is_viewed == isinstance(engine, LmdbEngine), "a view of memory is a copy"
    view.close()
    assert not engine.is_viewed
    engine.rewrite()
    engine.swap()


def test_a_rewrite_that_cannot_be_written_is_a_typed_error(tmp_path: Path) -> None:
    engine = LmdbEngine(str(tmp_path))
    (tmp_path / "rewritten").write_bytes(b"")
    with pytest.raises(EngineError):
        engine.rewrite()
    engine.put(META, b"a", b"1")
    engine.commit()
    engine.close()
