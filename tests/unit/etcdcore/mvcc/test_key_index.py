from array import array

import pytest

from etcdcore.mvcc.key_index import NO_KEY, KeyIndex


def example() -> KeyIndex:
    """The worked example of the module: put (2,0), put (5,0), delete (7,1), put (9,0)."""
    entry = KeyIndex(9, 9, 0, 1, 0)
    entry.history = array("q", (2, 0, 5, 0, 7, 3))
    return entry


@pytest.mark.parametrize(
    ("revision", "found"),
    [
        (1, None),
        (2, (2, 0)),
        (4, (2, 0)),
        (5, (5, 0)),
        (6, (5, 0)),
        (7, None),
        (8, None),
        (9, (9, 0)),
        (99, (9, 0)),
    ],
)
def test_the_record_at_each_revision_of_the_worked_example(revision: int, found: tuple[int, int] | None) -> None:
    assert example().find(revision) == found


def test_a_deleted_key_is_not_found_now_but_before() -> None:
    entry = KeyIndex(0, 7, 0, 0, 0)
    entry.history = array("q", (2, 0))
    assert (entry.find(8), entry.find(7), entry.find(6)) == (None, None, (2, 0))


def test_of_two_records_in_one_revision_the_later_counts() -> None:
    entry = KeyIndex(9, 9, 0, 1, 0)
    entry.history = array("q", (5, 0, 5, 3))
    assert entry.find(5) is None


def test_no_key_has_only_zeros() -> None:
    assert (NO_KEY.version, NO_KEY.create, NO_KEY.lease, NO_KEY.find(100)) == (0, 0, 0, None)
