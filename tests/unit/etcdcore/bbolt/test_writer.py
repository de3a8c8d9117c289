import io
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etcdcore.bbolt.layout import PAGE_BYTES
from etcdcore.bbolt.reader import Database, FileSource
from etcdcore.bbolt.writer import DatabaseWriter

Buckets = dict[bytes, dict[bytes, bytes]]

KEYS = st.binary(min_size=1, max_size=24) | st.binary(min_size=1, max_size=3000)
VALUES = st.binary(max_size=24) | st.binary(min_size=400, max_size=9000)


def write(buckets: Buckets, page_bytes: int = PAGE_BYTES) -> io.BytesIO:
    output = io.BytesIO()
    writer = DatabaseWriter(output, page_bytes)
    for name, pairs in buckets.items():
        writer.write_bucket(name, sorted(pairs.items()))
    assert writer.finish() == len(output.getvalue())
    return output


def read(file: io.BytesIO) -> Buckets:
    database = Database(FileSource(file))
    database.check()
    return {name: dict(bucket.pairs()) for name, bucket in database.root.buckets()}


@given(
    st.dictionaries(st.binary(min_size=1, max_size=9), st.dictionaries(KEYS, VALUES, max_size=60), max_size=5),
    st.sampled_from([512, 1024, 4096, 65536]),
)
def test_what_is_written_reads_back_and_every_page_is_used_once(buckets: Buckets, page_bytes: int) -> None:
    assert read(write(buckets, page_bytes)) == buckets


@pytest.mark.parametrize("count", [0, 1, 2, 3, 30, 31, 300, 5000, 20_000])
def test_a_tree_of_any_height_reads_back(count: int) -> None:
    pairs = {b"%08d" % number: b"value" for number in range(count)}
    assert read(write({b"key": pairs}, 512)) == {b"key": pairs}


def test_keys_longer_than_a_page_make_branches_that_overflow() -> None:
    pairs = {bytes((number,)) * 2000: b"" for number in range(1, 40)}
    assert read(write({b"key": pairs}, 512)) == {b"key": pairs}


def test_small_buckets_lie_inline_and_take_no_page() -> None:
    few = write({b"a": {b"1": b"2"}, b"b": {}})
    # Two metas, the freelist, the root.
    assert len(few.getvalue()) == 4 * PAGE_BYTES


def test_the_size_is_whole_sectors_as_the_check_of_a_snapshot_wants_it() -> None:
    assert len(write({b"key": {b"%d" % number: b"x" * number for number in range(500)}}).getvalue()) % 512 == 0


def test_pairs_are_written_as_they_come_so_a_million_need_no_memory() -> None:
    """Pairs are made as they are asked for; what is asked for ahead of what is written is a page or two a level."""
    written = io.BytesIO()
    ahead_max = 0

    def pairs() -> Iterator[tuple[bytes, bytes]]:
        nonlocal ahead_max
        for number in range(50_000):
            ahead_max = max(ahead_max, number * 60 - len(written.getbuffer()))
            yield b"%017d" % number, b"v" * 43

    writer = DatabaseWriter(written)
    writer.write_bucket(b"key", pairs())
    assert ahead_max < 2 * PAGE_BYTES


@pytest.mark.parametrize(
    "pairs",
    [
        [(b"b", b""), (b"a", b"")],
        [(b"a", b""), (b"a", b"")],
        [(b"", b"")],
        [(b"k" * 32769, b"")],
    ],
)
def test_pairs_that_the_format_cannot_hold_are_refused(pairs: list[tuple[bytes, bytes]]) -> None:
    with pytest.raises(ValueError):
        DatabaseWriter(io.BytesIO()).write_bucket(b"key", pairs)


def test_a_bucket_given_twice_is_refused() -> None:
    writer = DatabaseWriter(io.BytesIO())
    writer.write_bucket(b"key", [])
    with pytest.raises(ValueError, match="twice"):
        writer.write_bucket(b"key", [])
