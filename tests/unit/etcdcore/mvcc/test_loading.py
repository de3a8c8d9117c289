from etcdcore.mvcc.engine import KEY, SCAN_BYTES_MAX
from etcdcore.mvcc.key_index import KeyIndex
from etcdcore.mvcc.loading import load_index
from etcdcore.mvcc.revision import encode_mod_field, encode_record, encode_tombstone, record_key, tombstone_key
from etcdcore.mvcc.sorted_keys import SortedKeys
from etcdcore.mvcc.store import Store
from etcdcore.mvcc.superseded import Superseded
from etcdcore.storage.memory_engine import MemoryEngine


def test_an_empty_engine_has_no_keys() -> None:
    index: dict[bytes, KeyIndex] = {}
    assert load_index(MemoryEngine(), index, SortedKeys(), {}, Superseded()) == 0
    assert index == {}


def test_records_of_one_key_become_its_history_and_what_was_replaced_is_due() -> None:
    engine = MemoryEngine()
    long_key = b"k" * 130
    engine.append(KEY, record_key(5, 0), encode_record(b"a", 3, encode_mod_field(5), 3, b"v" * 200, 0))
    engine.append(KEY, record_key(5, 1), encode_record(long_key, 5, encode_mod_field(5), 1, b"", -9))
    engine.append(KEY, tombstone_key(6, 0), encode_tombstone(b"a"))
    index: dict[bytes, KeyIndex] = {}
    deleted: dict[bytes, KeyIndex] = {}
    superseded = Superseded()
    keys = SortedKeys()
    assert load_index(engine, index, keys, deleted, superseded) == 6
    assert list(deleted) == [b"a"]
    gone = index[b"a"]
    assert superseded.keys == [gone] and not superseded.spared
    assert (gone.create, gone.mod_main, gone.mod_sub, gone.version, gone.lease) == (0, 6, 0, 0, 0)
    assert gone.items() == [(5, 0)]
    there = index[long_key]
    assert (there.create, there.mod_main, there.mod_sub, there.version, there.lease) == (5, 5, 1, 1, -9)
    assert keys.between(b"", b"") == [b"a", long_key]


def test_more_records_than_one_page_are_all_read() -> None:
    engine = MemoryEngine()
    for number in range(9000):
        engine.append(
            KEY,
            record_key(number + 2, 0),
            encode_record(b"%d" % number, number + 2, encode_mod_field(number + 2), 1, b"", 0),
        )
    index: dict[bytes, KeyIndex] = {}
    assert load_index(engine, index, SortedKeys(), {}, Superseded()) == 9001
    assert len(index) == 9000


def test_records_longer_together_than_one_step_reads_are_all_read() -> None:
    store = Store(MemoryEngine())
    for number in range(6):
        store.put(b"%d" % number, b"v" * (SCAN_BYTES_MAX // 2), 0)
        store.end_revision()
    index: dict[bytes, KeyIndex] = {}
    assert load_index(store.engine, index, SortedKeys(), {}, Superseded()) == 7
    assert len(index) == 6
