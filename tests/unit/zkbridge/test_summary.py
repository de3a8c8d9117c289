from zkbridge.summary import Summary


def test_it_has_bounds_count_and_sum_of_what_was_noted() -> None:
    summary = Summary()
    for value in (5, 2, 9):
        summary.note(value)
    assert summary.shown("x") == {"avg_x": 16 / 3, "min_x": 2, "max_x": 9, "cnt_x": 3, "sum_x": 16}


def test_before_anything_is_noted_all_is_zero() -> None:
    assert set(Summary().shown("x").values()) == {0}


def test_a_zero_is_a_lowest_value_too() -> None:
    summary = Summary()
    summary.note(0)
    summary.note(3)
    assert (summary.lowest, summary.highest) == (0, 3)
