"""etcdcore.auth.intervals (reference 2.8: a request must be covered by the union of the user's intervals)."""

import pytest

from etcdcore.auth.intervals import Intervals, is_valid_range

UNION = Intervals([(b"b", b"d"), (b"a", b"c"), (b"d", b"e"), (b"x", b""), (b"y", b"\0")])
"""[a,e), x, [y, open)."""


@pytest.mark.parametrize(
    ("key", "range_end"),
    [
        (b"a", b""),
        (b"a", b"e"),
        (b"c", b"d\xff"),
        (b"d\xff", b""),
        (b"x", b""),
        (b"x", b"x\0"),
        (b"y", b"\0"),
        (b"zz", b"\0"),
        (b"yy", b"z"),
        (b"c", b"b"),
        (b"c", b"A"),
        (b"c", b"c"),
    ],
)
def test_what_the_union_holds_is_covered(key: bytes, range_end: bytes) -> None:
    assert UNION.covers(key, range_end)


@pytest.mark.parametrize(
    ("key", "range_end"),
    [
        (b"\0", b""),
        (b"e", b""),
        (b"a", b"e\0"),
        (b"A", b"b"),
        (b"a", b"\0"),
        (b"\0", b"\0"),
        (b"x", b"x\1"),
        (b"x\0", b""),
        (b"c", b"z"),
        (b"x", b"y"),
        (b"e", b"A"),
    ],
)
def test_what_reaches_out_of_the_union_is_not(key: bytes, range_end: bytes) -> None:
    assert not UNION.covers(key, range_end)


def test_nothing_is_covered_by_no_intervals() -> None:
    assert not Intervals([]).covers(b"a", b"")
    assert not Intervals([]).covers(b"a", b"\0")


def test_an_open_interval_swallows_what_follows() -> None:
    union = Intervals([(b"a", b"\0"), (b"b", b"c"), (b"d", b"")])
    assert union.covers(b"a", b"\0") and union.covers(b"c", b"\0")


@pytest.mark.parametrize(
    ("key", "range_end", "is_valid"),
    [
        (b"a", b"", True),
        (b"a", b"b", True),
        (b"a", b"\0", True),
        (b"a", b"a", False),
        (b"b", b"a", False),
        (b"", b"", False),
        (b"", b"a", False),
    ],
)
def test_a_permission_needs_a_key_and_an_end_behind_it(key: bytes, range_end: bytes, is_valid: bool) -> None:
    assert is_valid_range(key, range_end) == is_valid
