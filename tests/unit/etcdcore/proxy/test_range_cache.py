from etcdcore.pb import rpc_pb2
from etcdcore.proxy.counts import ProxyCounts
from etcdcore.proxy.range_cache import ENTRIES_MAX, ENTRY_BYTES_MAX, RangeCache


def _request(key: bytes, range_end: bytes = b"", **options: int) -> rpc_pb2.RangeRequest:
    return rpc_pb2.RangeRequest(key=key, range_end=range_end, **options)  # type: ignore[arg-type]  # options by name


def _cache() -> RangeCache:
    return RangeCache(ProxyCounts())


def test_the_same_question_has_the_same_answer_serializable_or_not() -> None:
    cache = _cache()
    cache.keep("", _request(b"k"), b"answer", cache.epoch)
    assert cache.get("", rpc_pb2.RangeRequest(key=b"k", serializable=True)) == b"answer"
    assert cache.get("", _request(b"k", limit=1)) is None


def test_answers_of_one_user_are_not_for_another() -> None:
    cache = _cache()
    cache.keep("alice", _request(b"k"), b"answer", cache.epoch)
    assert cache.get("bob", _request(b"k")) is None


def test_a_write_forgets_what_it_touches_and_nothing_else() -> None:
    for key, range_end, is_touched in (
        (b"b", b"", True),
        (b"a", b"", False),
        (b"d", b"", False),
        (b"a", b"b", False),
        (b"a", b"c", True),
        (b"c", b"\0", True),
        (b"e", b"\0", False),
        (b"\0", b"\0", True),
    ):
        cache = _cache()
        cache.keep("", _request(b"b", b"d"), b"answer", cache.epoch)
        cache.forget(key, range_end)
        assert (cache.get("", _request(b"b", b"d")) is None) == is_touched, (key, range_end)


def test_an_answer_asked_for_before_a_write_is_not_kept_after_it() -> None:
    cache = _cache()
    epoch = cache.epoch
    cache.forget(b"k", b"")
    cache.keep("", _request(b"k"), b"old", epoch)
    assert cache.get("", _request(b"k")) is None


def test_the_answer_read_longest_ago_goes_first_and_huge_ones_are_not_kept() -> None:
    cache = _cache()
    for number in range(ENTRIES_MAX):
        cache.keep("", _request(b"%d" % number), b"answer", cache.epoch)
    assert cache.get("", _request(b"0")) == b"answer"
    cache.keep("", _request(b"one more"), b"answer", cache.epoch)
    assert cache.get("", _request(b"1")) is None
    assert cache.get("", _request(b"0")) == b"answer"
    cache.keep("", _request(b"huge"), b"v" * (ENTRY_BYTES_MAX + 1), cache.epoch)
    assert cache.get("", _request(b"huge")) is None
