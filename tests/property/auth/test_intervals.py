"""Unions of intervals against a naive model: sets of all keys of a small alphabet."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from etcdcore.auth.intervals import Intervals, is_valid_range

LETTERS = b"\0ab\xff"
KEYS = [bytes(letters) for length in (1, 2, 3) for letters in product(LETTERS, repeat=length)]
keys = st.sampled_from([key for key in KEYS if len(key) < 3])
ends = st.sampled_from([b"", b"\0", *(key for key in KEYS if len(key) < 3)])


def _held(key: bytes, end: bytes) -> set[bytes]:
    """The keys of an interval among all there are; long ones stand for what lies between the short ones."""
    if not end:
        return {key}
    if end == b"\0":
        return {held for held in KEYS if held >= key}
    return {held for held in KEYS if key <= held < end}


@given(st.lists(st.tuples(keys, ends).filter(lambda interval: is_valid_range(*interval)), max_size=6), keys, ends)
def test_an_interval_is_covered_exactly_when_every_key_of_it_is(
    given: list[tuple[bytes, bytes]], key: bytes, end: bytes
) -> None:
    union = Intervals(given)
    allowed: set[bytes] = set()
    for interval in given:
        allowed |= _held(*interval)
    asked = _held(key, end)
    if union.covers(key, end):
        assert asked <= allowed
    elif asked and (end != b"\0" or any(held_end == b"\0" for _, held_end in given)):
        # An open end is more than all the keys of the model, unless an open interval is among those given. And between
        # two neighbours of the model there are more keys: what is refused must lack one, or end in such a gap.
        longer = {held + b"\xff\xff" for held in asked} if end else set()
        missing = {held for held in asked | longer if not any(_is_in(held, interval) for interval in given)}
        missing = {held for held in missing if _is_in(held, (key, end))}
        assert missing


def _is_in(key: bytes, interval: tuple[bytes, bytes]) -> bool:
    start, end = interval
    if not end:
        return key == start
    return start <= key and (end == b"\0" or key < end)


@given(st.lists(st.tuples(keys, ends).filter(lambda interval: is_valid_range(*interval)), max_size=6), st.randoms())
def test_the_order_in_which_intervals_are_given_means_nothing(
    given: list[tuple[bytes, bytes]], random: st.DataObject
) -> None:
    shuffled = list(given)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis' own Random
    one, other = Intervals(given), Intervals(shuffled)
    for key in KEYS:
        assert one.covers(key, b"") == other.covers(key, b"")
        assert one.covers(key, b"b\xff") == other.covers(key, b"b\xff")
