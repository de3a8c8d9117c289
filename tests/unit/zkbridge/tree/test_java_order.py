"""Orders of Java's hash tables. What a real Java says over random histories is in integration/conformance."""

import pytest

from zkbridge.tree.java_order import JavaHashSet, concurrent_order, id_hash, string_hash


@pytest.mark.parametrize(
    ("text", "code"),
    [("", 0), ("a", 97), ("Aa", 2112), ("BB", 2112), ("polygenelubricants", 0x80000000), ("\U0001f600", 0x1B0D63)],
)
def test_hashes_are_those_of_java(text: str, code: int) -> None:
    """The last one is a pair of surrogates in UTF-16."""
    assert string_hash(text) == code


def test_items_come_bin_by_bin_and_the_older_first_within_one() -> None:
    items = JavaHashSet()
    for item in "baq":
        items.add(item)
    assert items.ordered() == ["a", "q", "b"]
    items.discard("a")
    items.add("a")
    assert items.ordered() == ["q", "a", "b"]


def test_a_table_keeps_its_size_and_a_clone_takes_the_least() -> None:
    items = JavaHashSet()
    for number in range(13):
        items.add(chr(97 + number))
    for number in range(13):
        items.discard(chr(97 + number))
    items.add("q")  # 113, bin 17 of 32, 1 of 2
    items.add("b")  # 98, bin 2 of 32
    assert items.ordered() == ["b", "q"]
    assert items.clone().ordered() == ["q", "b"]  # 113 % 4 is 1, 98 % 4 is 2
    assert (len(items), "q" in items, "a" in items) == (2, True, False)


def test_an_empty_set_and_its_clone_begin_with_the_default_table() -> None:
    items = JavaHashSet().clone()
    assert items.ordered() == []
    for item in "qb":
        items.add(item)
    assert items.ordered() == ["q", "b"]  # bins 1 and 2 of 16


def test_a_concurrent_table_turns_bins_round_when_it_doubles() -> None:
    codes = [0, 32, 16, 64, *range(1, 8)]
    assert concurrent_order(codes)[:4] == [0, 1, 2, 3]
    assert concurrent_order([*codes, 8])[:3] == [1, 0, 3]


def test_an_id_hashes_as_the_jute_record() -> None:
    assert id_hash("ip", "10.0.0.1") == (37 * (37 * 17 + string_hash("ip")) + string_hash("10.0.0.1")) % 2**32
