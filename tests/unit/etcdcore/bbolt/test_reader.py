"""Damaged files. Files of the real bbolt, and ours under `bbolt check`, are in integration/etcd/snapshot."""

import contextlib
import io
from struct import pack, pack_into, unpack_from

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etcdcore.bbolt.layout import PAGE_BYTES, BboltCorrupt, Meta, encode_meta_page
from etcdcore.bbolt.reader import BUCKET_DEPTH_MAX, Database, FileSource
from etcdcore.bbolt.writer import DatabaseWriter

LEAF_ENTRY = 16


def small_file() -> bytearray:
    """Pages: 0, 1 metas, 2 freelist, 3.. leaves of `key`, then their branch, then the root."""
    output = io.BytesIO()
    writer = DatabaseWriter(output)
    writer.write_bucket(b"key", [(b"%05d" % number, b"v" * 100) for number in range(200)])
    writer.write_bucket(b"meta", [(b"term", b"1")])
    writer.finish()
    return bytearray(output.getvalue())


def open_file(data: bytes | bytearray) -> Database:
    return Database(FileSource(io.BytesIO(data)))


def read_all(data: bytes | bytearray) -> None:
    database = open_file(data)
    database.check()
    for _, bucket in database.root.buckets():
        for _ in bucket.pairs():
            pass


def page_of_kind(data: bytearray, kind: int) -> int:
    for number in range(3, len(data) // PAGE_BYTES):
        if unpack_from("<H", data, number * PAGE_BYTES + 8)[0] == kind:
            return number
    raise AssertionError(f"no page of kind {kind}")


def test_the_whole_file_reads() -> None:
    read_all(small_file())


def test_a_damaged_first_meta_leaves_the_second() -> None:
    data = small_file()
    data[20] ^= 1
    read_all(data)


def test_a_first_page_of_zeros_leaves_the_second() -> None:
    data = small_file()
    data[:PAGE_BYTES] = bytes(PAGE_BYTES)
    read_all(data)


def test_the_newer_meta_counts() -> None:
    data = small_file()
    newer = Meta(PAGE_BYTES, 3, 0, 2, len(data) // PAGE_BYTES, 9)
    data[PAGE_BYTES : 2 * PAGE_BYTES] = encode_meta_page(1, newer)
    assert open_file(data).meta.transaction == 9


def test_two_damaged_metas_are_refused() -> None:
    data = small_file()
    data[20] ^= 1
    data[PAGE_BYTES + 20] ^= 1
    with pytest.raises(BboltCorrupt, match="neither meta"):
        read_all(data)


@pytest.mark.parametrize("length", [0, 1, 79, 80, 4096, 5000, -1, -PAGE_BYTES])
def test_a_torn_file_is_refused(length: int) -> None:
    with pytest.raises(BboltCorrupt):
        read_all(small_file()[:length])


def test_a_branch_that_leads_back_to_itself_is_refused() -> None:
    data = small_file()
    branch = page_of_kind(data, 1)
    pack_into("<Q", data, branch * PAGE_BYTES + 16 + 8, branch)
    with pytest.raises(BboltCorrupt, match="used twice"):
        read_all(data)


def test_a_page_with_two_parents_is_refused() -> None:
    data = small_file()
    branch = page_of_kind(data, 1)
    first_child = unpack_from("<Q", data, branch * PAGE_BYTES + 16 + 8)[0]
    pack_into("<Q", data, branch * PAGE_BYTES + 16 + 16 + 8, first_child)
    with pytest.raises(BboltCorrupt, match="used twice"):
        read_all(data)


@pytest.mark.parametrize("child", [0, 1, 2, 1 << 40])
def test_a_child_that_is_no_tree_page_is_refused(child: int) -> None:
    data = small_file()
    pack_into("<Q", data, page_of_kind(data, 1) * PAGE_BYTES + 16 + 8, child)
    with pytest.raises(BboltCorrupt):
        read_all(data)


@pytest.mark.parametrize("kind", [1, 2])
def test_an_absurd_count_is_refused(kind: int) -> None:
    data = small_file()
    pack_into("<H", data, page_of_kind(data, kind) * PAGE_BYTES + 10, 0xFFFF)
    with pytest.raises(BboltCorrupt, match="65535 elements"):
        read_all(data)


def test_an_absurd_overflow_is_refused() -> None:
    data = small_file()
    pack_into("<I", data, page_of_kind(data, 2) * PAGE_BYTES + 12, 0xFFFFFFFF)
    with pytest.raises(BboltCorrupt, match="spans"):
        read_all(data)


def test_a_branch_without_children_is_refused() -> None:
    data = small_file()
    pack_into("<H", data, page_of_kind(data, 1) * PAGE_BYTES + 10, 0)
    with pytest.raises(BboltCorrupt, match="without children"):
        read_all(data)


@pytest.mark.parametrize("field", [4, 8, 12], ids=["position", "key bytes", "value bytes"])
def test_an_element_outside_of_its_page_is_refused(field: int) -> None:
    data = small_file()
    pack_into("<I", data, page_of_kind(data, 2) * PAGE_BYTES + LEAF_ENTRY + field, 0xFFFFFFF0)
    with pytest.raises(BboltCorrupt, match="outside"):
        read_all(data)


def test_elements_that_share_their_bytes_are_refused() -> None:
    """Else a page of 64 KiB could stand for gigabytes."""
    data = small_file()
    at = page_of_kind(data, 2) * PAGE_BYTES + 16
    pack_into("<I", data, at + 16 + 4, unpack_from("<I", data, at + 4)[0] - 16)
    with pytest.raises(BboltCorrupt, match="outside"):
        read_all(data)


def test_keys_out_of_order_are_refused() -> None:
    data = small_file()
    at = data.index(b"00001vvv")
    data[at : at + 5] = b"00000"
    with pytest.raises(BboltCorrupt, match="out of order"):
        read_all(data)


def test_a_leaf_key_below_the_bound_of_its_branch_is_refused() -> None:
    data = small_file()
    branch = page_of_kind(data, 1)
    second = unpack_from("<Q", data, branch * PAGE_BYTES + 16 + 16 + 8)[0]
    first_key_at = data.index(b"000", second * PAGE_BYTES)
    data[first_key_at : first_key_at + 5] = b"00035"
    with pytest.raises(BboltCorrupt, match="out of order"):
        read_all(data)


def test_a_page_that_is_used_and_free_is_refused() -> None:
    data = small_file()
    at = 2 * PAGE_BYTES
    pack_into("<H", data, at + 10, 1)
    pack_into("<Q", data, at + 16, 3)
    with pytest.raises(BboltCorrupt, match="page 3 is used and free"):
        read_all(data)


def test_a_page_that_is_neither_used_nor_free_is_refused() -> None:
    data = small_file()
    count = len(data) // PAGE_BYTES
    meta = open_file(data).meta
    lost = Meta(PAGE_BYTES, meta.root_page, 0, 2, count + 1, 9)
    data[:PAGE_BYTES] = encode_meta_page(0, lost)
    with pytest.raises(BboltCorrupt, match=f"page {count} is neither"):
        read_all(data + bytes(PAGE_BYTES))


@pytest.mark.parametrize("count", [0xFFFE, 0xFFFF])
def test_an_absurd_freelist_is_refused(count: int) -> None:
    data = small_file()
    pack_into("<H", data, 2 * PAGE_BYTES + 10, count)
    pack_into("<Q", data, 2 * PAGE_BYTES + 16, 1 << 60)
    with pytest.raises(BboltCorrupt, match="freelist"):
        read_all(data)


def test_a_file_without_a_freelist_is_whole() -> None:
    data = small_file()
    meta = open_file(data).meta
    data[:PAGE_BYTES] = encode_meta_page(0, Meta(PAGE_BYTES, meta.root_page, 0, (1 << 64) - 1, meta.page_count, 9))
    read_all(data)


def leaf_page(number: int, key: bytes, value: bytes) -> bytes:
    head = pack("<QHHI", number, 2, 1, 0) + pack("<IIII", 1, 16, len(key), len(value))
    return (head + key + value).ljust(PAGE_BYTES, b"\0")


def test_nested_buckets_are_read_and_bounded() -> None:
    """Each page holds one bucket, whose root is the next page."""
    depth = BUCKET_DEPTH_MAX + 2
    pages = [leaf_page(number, b"b", pack("<QQ", number + 1, 7)) for number in range(2, 2 + depth)]
    pages.append(pack("<QHHI", 2 + depth, 2, 0, 0).ljust(PAGE_BYTES, b"\0"))
    meta = encode_meta_page(0, Meta(PAGE_BYTES, 2, 0, (1 << 64) - 1, 3 + depth, 1))
    database = open_file(meta + bytes(PAGE_BYTES) + b"".join(pages))
    first = database.root.bucket(b"b")
    assert first is not None
    assert first.sequence == 7
    assert [name for name, _ in first.buckets()] == [b"b"]
    assert list(first.pairs()) == []
    with pytest.raises(BboltCorrupt, match="deep"):
        database.check()


@given(st.lists(st.tuples(st.integers(0, 12 * PAGE_BYTES - 1), st.integers(0, 255)), min_size=1, max_size=12))
def test_any_damage_is_either_harmless_or_the_one_error(damage: list[tuple[int, int]]) -> None:
    data = small_file()
    for offset, byte in damage:
        data[offset % len(data)] = byte
    with contextlib.suppress(BboltCorrupt):
        read_all(data)


@given(st.data())
def test_any_damage_to_headers_and_tables_is_either_harmless_or_the_one_error(data: st.DataObject) -> None:
    file = small_file()
    for _ in range(data.draw(st.integers(1, 4))):
        page = data.draw(st.integers(2, len(file) // PAGE_BYTES - 1))
        offset = data.draw(st.integers(0, 63))
        file[page * PAGE_BYTES + offset] = data.draw(st.integers(0, 255))
    with contextlib.suppress(BboltCorrupt):
        read_all(file)
