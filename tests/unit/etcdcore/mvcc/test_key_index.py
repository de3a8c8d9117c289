import gc

import pytest

from etcdcore.mvcc.key_index import NO_KEY, KeyIndex


def example() -> KeyIndex:
    """The worked example of the module: put (2,0), put (5,0), delete (7,1), put (9,0)."""
    entry = KeyIndex(2, 2, 0, 1, 0)
    for create, main, sub, version in ((2, 5, 0, 2), (0, 7, 1, 0), (9, 9, 0, 1)):
        entry.supersede()
        entry.create, entry.mod_main, entry.mod_sub, entry.version = create, main, sub, version
    return entry


def test_the_history_of_the_worked_example_grows_at_one_end_and_shrinks_at_the_other() -> None:
    entry = example()
    assert entry.items() == [(2, 0), (5, 0), (7, 3)]
    entry.forget_oldest()
    assert entry.items() == [(5, 0), (7, 3)] and entry.item(1) == (7, 3)
    entry.forget_oldest()
    entry.forget_oldest()
    assert entry.history is None and entry.items() == []


def test_the_garbage_collector_does_not_walk_histories() -> None:
    assert not gc.is_tracked(example().history)


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
    entry = KeyIndex(2, 2, 0, 1, 0)
    entry.supersede()
    entry.create, entry.mod_main, entry.version = 0, 7, 0
    assert (entry.find(8), entry.find(7), entry.find(6)) == (None, None, (2, 0))


def test_of_two_records_in_one_revision_the_later_counts() -> None:
    entry = KeyIndex(5, 5, 0, 1, 0)
    entry.supersede()
    entry.mod_sub, entry.version = 1, 0
    entry.supersede()
    entry.mod_main, entry.mod_sub, entry.version = 9, 0, 1
    assert entry.find(5) is None


def test_no_key_has_only_zeros() -> None:
    assert (NO_KEY.version, NO_KEY.create, NO_KEY.lease, NO_KEY.find(100)) == (0, 0, 0, None)
