from etcdcore.statistics import SLOW_APPLY_S, Histogram, MemberCounts, exponential_bounds


def test_a_bound_belongs_to_its_class_and_what_is_above_all_bounds_to_the_last() -> None:
    histogram = Histogram((1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 2.0, 9.0):
        histogram.observe(value)
    assert histogram.counts == [2, 2, 1]
    assert histogram.sum == 14.0
    assert (histogram.count, histogram.lowest, histogram.highest) == (5, 0.5, 9.0)


def test_bounds_grow_by_their_factor() -> None:
    assert exponential_bounds(0.001, 2.0, 4) == (0.001, 0.002, 0.004, 0.008)


def test_only_what_took_too_long_is_a_slow_apply() -> None:
    counts = MemberCounts()
    counts.observe_apply(SLOW_APPLY_S)
    counts.observe_apply(SLOW_APPLY_S * 2)
    assert counts.slow_apply_count == 1
    assert sum(counts.apply_s.counts) == 2
