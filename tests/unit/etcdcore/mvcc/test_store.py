"""The store across restarts, rollbacks and long histories."""

from pathlib import Path

import pytest

from etcdcore.errors import EngineCommitFailed, EngineCorrupt, RevisionCompacted, RevisionInFuture
from etcdcore.mvcc.engine import KEY, SCAN_BYTES_MAX
from etcdcore.mvcc.revision import record_key
from etcdcore.mvcc.store import Store
from etcdcore.storage.lmdb_engine import LmdbEngine
from etcdcore.storage.memory_engine import MemoryEngine
from etcdcore.types import KeyValue


def put(store: Store, *keys: bytes, value: bytes = b"v") -> None:
    for key in keys:
        store.put(key, value, 0)
    store.end_revision()


def test_a_fresh_store_is_at_revision_one_and_nothing_is_compacted() -> None:
    store = Store(MemoryEngine())
    assert (store.current_revision, store.compacted_revision, store.compaction) == (1, -1, None)


def test_writes_within_a_request_are_seen_before_its_revision_is_current() -> None:
    store = Store(MemoryEngine())
    store.put(b"a", b"1", 0)
    assert (store.current_revision, store.visible_revision) == (1, 2)
    assert store.key_now(b"a") == KeyValue(b"a", 2, 2, 1, b"1", 0)
    assert len(store.end_revision()) == 1
    assert (store.current_revision, store.visible_revision) == (2, 2)
    assert store.end_revision() == []
    assert store.current_revision == 2


def test_deleting_a_key_that_is_not_there_is_a_bug() -> None:
    store = Store(MemoryEngine())
    put(store, b"a")
    store.delete(b"a")
    with pytest.raises(AssertionError):
        store.delete(b"a")


def test_events_need_nothing_read_back() -> None:
    """An engine that cannot be read serves all writes."""
    engine = MemoryEngine()
    store = Store(engine)
    put(store, b"a")
    engine.scan = engine.get = None  # type: ignore[method-assign, assignment]  # a fake in one line
    store.put(b"a", b"w", 0)
    store.put(b"b", b"x", 0)
    assert [event.kv.value for event in store.end_revision()] == [b"w", b"x"]


def test_the_index_is_rebuilt_from_lmdb(tmp_path: Path) -> None:
    engine = LmdbEngine(str(tmp_path))
    store = Store(engine)
    put(store, b"a", b"b")
    put(store, b"k" * 200, b"a", value=b"")
    store.delete(b"b")
    store.put(b"leased", b"v" * 300, -5)
    store.end_revision()
    engine.commit()
    engine.close()
    engine = LmdbEngine(str(tmp_path))
    again = Store(engine)
    again.check_invariants()
    assert again.current_revision == 4
    for key in (b"a", b"b", b"k" * 200, b"leased"):
        old = store.index[key]
        new = again.index[key]
        assert (new.create, new.mod_main, new.mod_sub, new.version, new.lease) == (
            old.create,
            old.mod_main,
            old.mod_sub,
            old.version,
            old.lease,
        )
        assert new.history == old.history
    engine.close()


def test_after_a_failed_commit_a_new_store_is_at_the_last_one() -> None:
    engine = MemoryEngine()
    store = Store(engine)
    put(store, b"a")
    engine.commit()
    put(store, b"a", b"b")
    engine.fail_next_commit = True
    with pytest.raises(EngineCommitFailed):
        engine.commit()
    again = Store(engine)
    again.check_invariants()
    assert (again.current_revision, list(again.index)) == (2, [b"a"])
    put(again, b"a", b"b")
    assert again.current_revision == store.current_revision


def test_a_foreign_record_stops_the_load() -> None:
    engine = MemoryEngine()
    engine.put(KEY, b"not a revision", b"")
    with pytest.raises(EngineCorrupt):
        Store(engine)
    engine = MemoryEngine()
    engine.put(KEY, record_key(2, 0), b"\x0a\x01k\x10")
    with pytest.raises(EngineCorrupt):
        Store(engine)


def test_old_revisions_of_a_long_history_are_found() -> None:
    store = Store(MemoryEngine())
    for number in range(100):
        put(store, b"a", value=b"%d" % number)
        put(store, b"other")
    for number in range(100):
        for revision in (2 + 2 * number, 3 + 2 * number):
            pair = store.key_at(b"a", revision)
            assert pair is not None and pair.value == b"%d" % number
    assert store.key_at(b"a", 1) is None


def test_revisions_that_cannot_be_read_are_refused() -> None:
    store = Store(MemoryEngine())
    put(store, b"a")
    put(store, b"a")
    store.compact(3)
    assert store.check_revision(4) == RevisionInFuture()
    assert store.check_revision(2) == RevisionCompacted()
    assert store.check_revision(3) is None
    assert store.key_at(b"a", 2) is None


def test_a_history_longer_than_one_step_reads_is_read_whole() -> None:
    store = Store(MemoryEngine())
    values = [bytes([number]) * (SCAN_BYTES_MAX // 2) for number in range(6)]
    for value in values:
        put(store, b"k", value=value)
    revisions, following = store.read_history(2, 1000, 1 << 30)
    assert ([event.kv.value for events in revisions for event in events], following) == (values, 8)
