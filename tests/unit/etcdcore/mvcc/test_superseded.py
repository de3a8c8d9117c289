from etcdcore.mvcc.key_index import KeyIndex
from etcdcore.mvcc.superseded import Superseded


def test_what_was_taken_leaves_once_it_is_half_of_all() -> None:
    superseded = Superseded()
    keys = [KeyIndex(number, number, 0, 1, 0) for number in range(5)]
    superseded.keys.extend(keys)
    superseded.take(2)
    assert (superseded.taken_count, superseded.keys) == (2, keys)
    superseded.take(1)
    assert (superseded.taken_count, superseded.keys) == (0, keys[3:])
    superseded.keys.append(keys[0])
    superseded.take(3)
    assert (superseded.taken_count, superseded.keys) == (0, [])
