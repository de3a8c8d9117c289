"""What the types' own functions promise."""

import pytest

from etcdcore.types import prefix_end


@pytest.mark.parametrize(
    ("prefix", "end"),
    [(b"a", b"b"), (b"a/", b"a0"), (b"/zk/", b"/zk0"), (b"a\xff", b"b"), (b"\xff\xff", b"\0"), (b"", b"\0")],
)
def test_the_end_of_a_prefix_is_the_first_key_behind_it(prefix: bytes, end: bytes) -> None:
    """Source: etcd clientv3.GetPrefixRangeEnd."""
    assert prefix_end(prefix) == end
