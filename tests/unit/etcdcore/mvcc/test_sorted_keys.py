import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etcdcore.mvcc.sorted_keys import CHUNK_KEYS_MAX, DROPPED_KEYS_MAX, SortedKeys

small = st.binary(max_size=2)


@given(st.lists(st.tuples(small, st.booleans(), small, small), max_size=60))
def test_any_mix_of_changes_and_intervals_agrees_with_a_set(script: list[tuple[bytes, bool, bytes, bytes]]) -> None:
    keys = SortedKeys()
    model: set[bytes] = set()
    for key, asks, start, end in script:
        if key in model:
            keys.discard(key)
            model.discard(key)
        else:
            keys.add(key)
            model.add(key)
        if asks:
            expected = sorted(k for k in model if k >= start and (not end or k < end))
            assert keys.between(start, end) == expected
            assert keys.between(start, end, 2) == expected[:2]
        keys.check_invariants()
        assert len(keys) == len(model)


def test_chunks_are_split_when_keys_come_one_by_one() -> None:
    keys = SortedKeys()
    count = 3 * CHUNK_KEYS_MAX
    for number in range(0, count, 2):
        keys.add(b"%06d" % number)
    keys.between(b"", b"")
    for number in range(1, count, 2):
        keys.add(b"%06d" % number)
        if number % 64 == 1:
            keys.between(b"x", b"y")
    keys.check_invariants()
    assert keys.between(b"", b"") == [b"%06d" % number for number in range(count)]
    assert keys.between(b"000001", b"", 3000) == [b"%06d" % number for number in range(1, 3001)]
    assert keys.between(b"002047", b"002051") == [b"002047", b"002048", b"002049", b"002050"]


@pytest.mark.parametrize("stride", [1, 2, 7, 1001])
def test_many_keys_go_and_come_again(stride: int) -> None:
    """Runs of neighbours and keys far apart, in one chunk and over several, with and without an interval between."""
    count = 6 * CHUNK_KEYS_MAX
    order = list(range(count))
    random.Random(stride).shuffle(order)
    keys = SortedKeys()
    for number in order:
        keys.add(b"%06d" % number)
    assert len(keys.between(b"", b"")) == count
    gone = [b"%06d" % (number * stride % count) for number in range(3 * DROPPED_KEYS_MAX)]
    gone = list(dict.fromkeys(gone))
    for key in gone:
        keys.discard(key)
    keys.check_invariants()
    left = sorted({b"%06d" % number for number in range(count)} - set(gone))
    assert len(keys) == len(left)
    for key in gone[::2]:
        keys.add(key)
    keys.check_invariants()
    assert keys.between(b"", b"") == sorted(left + gone[::2])
    keys.check_invariants()


def test_keys_that_come_and_go_without_a_question_leave_nothing() -> None:
    keys = SortedKeys()
    for number in range(10 * DROPPED_KEYS_MAX):
        keys.add(b"%09d" % number)
        if number >= 100:
            keys.discard(b"%09d" % (number - 100))
    keys.check_invariants()
    assert len(keys) == 100
    assert len(keys.between(b"", b"")) == 100


def test_loaded_keys_are_in_order_and_come_and_go_like_others() -> None:
    keys = SortedKeys()
    count = 3 * CHUNK_KEYS_MAX
    keys.load([b"%06d" % number for number in reversed(range(0, count, 2))])
    keys.check_invariants()
    assert len(keys) == count // 2
    for number in range(count):
        if number % 2:
            keys.add(b"%06d" % number)
        elif number % 3 == 0:
            keys.discard(b"%06d" % number)
    keys.check_invariants()
    assert keys.between(b"", b"") == [b"%06d" % number for number in range(count) if number % 2 or number % 3]


def test_an_empty_set_has_no_intervals() -> None:
    keys = SortedKeys()
    assert keys.between(b"", b"") == []
    keys.add(b"a")
    keys.discard(b"a")
    assert keys.between(b"", b"") == []
