"""The hash of the history. Source: reference section 2.5."""

import pytest

from etcdcore.errors import RevisionCompacted, RevisionInFuture
from etcdcore.mvcc.engine import SCAN_BYTES_MAX
from etcdcore.mvcc.hashing import CompactionHashes, HashRun, KvHash, begin_hash, crc32c
from etcdcore.mvcc.revision import encode_mod_field, encode_record, encode_tombstone, record_key, tombstone_key
from etcdcore.mvcc.store import Store
from etcdcore.storage.memory_engine import MemoryEngine


def make_store() -> Store:
    """a@2 a@3 b@4 -b@5 c@6 a@7."""
    store = Store(MemoryEngine())
    for key in (b"a", b"a", b"b", b"", b"c", b"a"):
        if key:
            store.put(key, b"v", 0)
        else:
            store.delete(b"b")
        store.end_revision()
    return store


def hash_of(store: Store, revision: int, budget: int = 1000) -> int:
    run = begin_hash(store, revision)
    assert isinstance(run, HashRun)
    while not run.done:
        assert run.step(budget) is None
    return run.hash


def compact(store: Store, revision: int) -> None:
    assert store.compact(revision) is None
    while not store.step_compaction(1):
        pass


def test_crc32c_has_the_known_check_value() -> None:
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(b"6789", crc32c(b"12345")) == 0xE3069283


def test_the_hash_is_over_the_tables_name_and_the_stored_bytes() -> None:
    store = make_store()
    expected = crc32c(
        b"key"
        + record_key(2, 0)
        + encode_record(b"a", 2, encode_mod_field(2), 1, b"v", 0)
        + record_key(3, 0)
        + encode_record(b"a", 2, encode_mod_field(3), 2, b"v", 0)
        + record_key(4, 0)
        + encode_record(b"b", 4, encode_mod_field(4), 1, b"v", 0)
        + tombstone_key(5, 0)
        + encode_tombstone(b"b")
    )
    assert hash_of(store, 5) == expected


def test_a_step_reads_few_records_when_they_are_long() -> None:
    store = Store(MemoryEngine())
    expected = crc32c(b"key")
    for number in range(6):
        value = bytes([number]) * (SCAN_BYTES_MAX // 2)
        store.put(b"k", value, 0)
        store.end_revision()
        stored = encode_record(b"k", 2, encode_mod_field(number + 2), number + 1, value, 0)
        expected = crc32c(stored, crc32c(record_key(number + 2, 0), expected))
    run = begin_hash(store, 0)
    assert isinstance(run, HashRun)
    steps = 0
    while not run.done:
        assert run.step(1000) is None
        steps += 1
    assert (run.hash, steps) == (expected, 4)


def test_revision_zero_is_the_current_one() -> None:
    assert hash_of(make_store(), 0) == hash_of(make_store(), 7)
    assert hash_of(make_store(), 6) != hash_of(make_store(), 7)


@pytest.mark.parametrize("budget", [1, 2, 3, 100])
def test_steps_of_any_size_make_the_same_hash(budget: int) -> None:
    assert hash_of(make_store(), 0, budget) == hash_of(make_store(), 0)


@pytest.mark.parametrize("revision", range(2, 8))
def test_members_agree_however_far_their_compaction_has_come(revision: int) -> None:
    """A tombstone exactly at the compacted revision is kept in the table, and left out of the hash."""
    waiting = make_store()
    waiting.compact(revision)
    half = make_store()
    half.compact(revision)
    half.step_compaction(1)
    through = make_store()
    compact(through, revision)
    assert hash_of(waiting, 0) == hash_of(half, 0) == hash_of(through, 0)


def test_only_the_newest_puts_up_to_the_compacted_revision_count() -> None:
    store = make_store()
    compact(store, 5)
    expected = crc32c(b"key" + record_key(3, 0) + encode_record(b"a", 2, encode_mod_field(3), 2, b"v", 0))
    assert hash_of(store, 5) == expected


def test_what_a_compaction_goes_by_is_hashed_before_it_and_remembered() -> None:
    """As of the compaction before, hence what HashKV said then; a tombstone at its very revision counts."""
    for revision in range(2, 8):
        store, untouched = make_store(), make_store()
        assert store.compact(revision) is None
        run = HashRun(store, revision, store.compacted_before)
        while not run.done:
            assert run.step(2) is None
        made = run.result()
        assert (made.revision, made.compacted_revision) == (revision, -1)
        assert made.hash == hash_of(untouched, revision)


def test_the_last_ten_compactions_are_remembered() -> None:
    kept = CompactionHashes()
    for revision in range(1, 13):
        kept.keep(KvHash(revision * 100, revision, revision - 1))
    assert [revision for revision in range(1, 14) if kept.find(revision) is not None] == list(range(3, 13))
    found = kept.find(7)
    assert found is not None and (found.hash, found.compacted_revision) == (700, 6)


def test_compacted_and_future_revisions_are_refused() -> None:
    store = make_store()
    compact(store, 4)
    assert begin_hash(store, 3) == RevisionCompacted()
    assert begin_hash(store, 8) == RevisionInFuture()


def test_a_compaction_in_between_begins_the_hash_anew_or_refuses_it() -> None:
    store = make_store()
    run = begin_hash(store, 6)
    assert isinstance(run, HashRun)
    run.step(2)
    compact(store, 5)
    while not run.done:
        assert run.step(2) is None
    assert (run.hash, run.compacted_revision) == (hash_of(store, 6), 5)
    late = begin_hash(store, 6)
    assert isinstance(late, HashRun)
    compact(store, 7)
    assert late.step(2) == RevisionCompacted()
