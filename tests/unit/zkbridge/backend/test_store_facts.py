from zkbridge.backend.store_facts import SPREAD_VALUES, TimesSinceReset, histogram, number, spread_ms

BOUNDS_S = (0.001, 0.002, 0.004)


def test_values_lie_in_the_classes_as_the_observations_do() -> None:
    values = spread_ms(BOUNDS_S, [3, 0, 1, 0], 0.0035)
    assert values.count(0) == 3 * SPREAD_VALUES // 4
    assert {value for value in values if value} == {2, 3}, "never above the highest that was seen"


def test_one_slow_time_among_thousands_is_not_lost() -> None:
    assert max(spread_ms(BOUNDS_S, [100_000, 0, 0, 1], 0.5)) >= 200


def test_nothing_observed_gives_nothing() -> None:
    assert spread_ms(BOUNDS_S, [0, 0, 0, 0], 0.0) == []


def test_after_a_reset_only_what_came_since_counts() -> None:
    times = TimesSinceReset()
    summary = times.summary_ms(BOUNDS_S, [4, 0, 1, 0], 0.0052, 0.0003, 0.003)
    assert (summary.count_since_reset, summary.total_since_reset, summary.lowest, summary.highest) == (5, 5, 0, 3)
    times.reset([4, 0, 1, 0])
    summary = times.summary_ms(BOUNDS_S, [4, 0, 1, 0], 0.0052, 0.0, 0.0)
    assert (summary.count_since_reset, summary.total_since_reset, summary.recent) == (0, 0, [])
    summary = times.summary_ms(BOUNDS_S, [4, 2, 1, 0], 0.0082, 0.0015, 0.0015)
    assert (summary.count_since_reset, summary.total_since_reset, set(summary.recent)) == (2, 3, {1})
    assert (summary.count, summary.total) == (7, 8), "for Prometheus nothing goes back"


def test_families_are_numbers_as_text() -> None:
    assert number("n", "gauge", "N.", 3.0) == ("n", "gauge", "N.", [("", "3")])
    assert histogram("h", "H.", (0.5,), [1, 2], 2.25) == (
        "h",
        "histogram",
        "H.",
        [('_bucket{le="0.5"}', "1"), ('_bucket{le="+Inf"}', "3"), ("_sum", "2.25"), ("_count", "3")],
    )
