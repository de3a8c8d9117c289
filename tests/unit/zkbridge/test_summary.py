from zkbridge.summary import Summary


def facts_of(summary: Summary) -> tuple[float, int, int, int, int]:
    """As mntr shows them: average, bounds, count, sum."""
    return (
        summary.average,
        summary.lowest,
        summary.highest,
        summary.count_since_reset,
        summary.total_since_reset,
    )


def test_it_has_bounds_count_and_sum_of_what_was_noted() -> None:
    summary = Summary()
    for value in (5, 2, 9):
        summary.note(value)
    assert facts_of(summary) == (16 / 3, 2, 9, 3, 16)


def test_before_anything_is_noted_all_is_zero() -> None:
    assert facts_of(Summary()) == (0.0, 0, 0, 0, 0)
    assert Summary().quantiles([0.5, 0.99]) == [0, 0]


def test_a_zero_is_a_lowest_value_too() -> None:
    summary = Summary()
    summary.note(0)
    summary.note(3)
    assert (summary.lowest, summary.highest) == (0, 3)


def test_the_last_values_are_kept_and_only_those() -> None:
    summary = Summary(2)
    for value in (5, 2, 9):
        summary.note(value)
    assert sorted(summary.recent) == [2, 9]


def test_after_a_reset_it_is_as_new_but_count_and_total_go_on() -> None:
    """What Prometheus counts with must not go back."""
    summary = Summary()
    summary.note(5)
    summary.note(7)
    summary.reset()
    assert facts_of(summary) == (0.0, 0, 0, 0, 0) and summary.recent == []
    summary.note(4)
    assert facts_of(summary) == (4.0, 4, 4, 1, 4)
    assert (summary.count, summary.total) == (3, 16)


def test_many_alike_count_as_if_noted_one_by_one() -> None:
    one_by_one, at_once = Summary(3), Summary(3)
    for summary in (one_by_one, at_once):
        summary.note(9)
    for _ in range(5):
        one_by_one.note(1)
    at_once.note_many(1, 5)
    at_once.note_many(1, 0)
    assert facts_of(one_by_one) == facts_of(at_once)
    assert one_by_one.recent == at_once.recent == [1, 1, 1]


def test_quantiles_lie_between_values_as_in_zookeepers_histogram() -> None:
    summary = Summary()
    for value in range(1, 101):
        summary.note(value)
    # UniformSnapshot takes the value at share * (n + 1), here 50.5, 95.95, 99.99 and 100.899.
    assert summary.quantiles([0.5, 0.95, 0.99, 0.999]) == [51, 96, 100, 100]


def test_runs_of_equal_values_are_kept_as_the_values_themselves() -> None:
    """Between them the ring of runs goes round more than once."""
    summary = Summary(4)
    noted: list[int] = []
    for value, length in ((1, 3), (2, 1), (3, 9), (4, 1), (5, 1), (6, 1), (7, 2), (8, 1)):
        summary.note_many(value, length)
        noted += [value] * length
        assert sorted(summary.recent) == sorted(noted[-4:])
        assert facts_of(summary) == (sum(noted) / len(noted), 1, value, len(noted), sum(noted))


def test_after_a_reset_the_same_value_begins_anew() -> None:
    summary = Summary()
    summary.note(5)
    summary.reset()
    summary.note(5)
    assert facts_of(summary) == (5.0, 5, 5, 1, 5) and summary.recent == [5]
    assert (summary.count, summary.total) == (2, 10)
