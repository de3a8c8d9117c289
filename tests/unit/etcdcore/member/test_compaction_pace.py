"""A compaction's share of the loop, alone and beside others."""

import pytest

from etcdcore.member.compaction_pace import FULL_SHARE_AFTER_S, SHARE_MIN, STEP_S, CompactionPace

PAUSE_S_MIN = 0.0005


def pause_after(pace: CompactionPace, now_s: float, used_by_others: float, step_s: float = STEP_S) -> float:
    """One pause of 10 ms, of which others use a part, and a step: the pause that follows it."""
    pace.step_ends(now_s - 0.01, 100.0)
    pace.step_begins(now_s, 100.0 + 0.01 * used_by_others)
    return pace.step_ends(now_s + step_s, 100.0 + 0.01 * used_by_others + step_s)


def test_alone_it_only_makes_room_between_its_steps() -> None:
    pace = CompactionPace(PAUSE_S_MIN)
    pace.begin(50.0)
    assert pause_after(pace, 50.0, 0.1) == PAUSE_S_MIN


def test_beside_others_it_takes_a_tenth_at_first_and_more_with_time() -> None:
    pace = CompactionPace(PAUSE_S_MIN)
    pace.begin(50.0)
    assert pause_after(pace, 50.0, 0.9) == pytest.approx(STEP_S * (1 / SHARE_MIN - 1), rel=0.01)
    assert pause_after(pace, 50.0, 0.9, 0.004) == pytest.approx(0.004 * (1 / SHARE_MIN - 1), rel=0.01)
    half = 50.0 + FULL_SHARE_AFTER_S / 2
    assert pause_after(pace, half, 0.9) == pytest.approx(STEP_S * (1 / 0.55 - 1), rel=0.01)
    for much_later in (50.0 + FULL_SHARE_AFTER_S, 5000.0):
        assert pause_after(pace, much_later, 0.9) == PAUSE_S_MIN


def test_it_holds_back_again_for_what_becomes_due_later() -> None:
    pace = CompactionPace(PAUSE_S_MIN)
    pace.begin(50.0)
    pause_after(pace, 5000.0, 0.9)
    pace.begin(5000.0)
    assert pause_after(pace, 5000.0, 0.9) == pytest.approx(STEP_S * (1 / SHARE_MIN - 1), rel=0.01)


def test_until_it_knows_better_it_is_not_alone() -> None:
    pace = CompactionPace(PAUSE_S_MIN)
    pace.begin(50.0)
    pace.step_begins(50.0, 7.0)
    assert pace.step_ends(50.0 + STEP_S, 7.0) == pytest.approx(STEP_S * (1 / SHARE_MIN - 1), rel=0.01)


def test_a_step_is_over_when_its_time_is() -> None:
    pace = CompactionPace(PAUSE_S_MIN)
    pace.begin(50.0)
    pace.step_begins(50.0, 7.0)
    assert not pace.is_step_over(50.0 + STEP_S * 0.9)
    assert pace.is_step_over(50.0 + STEP_S * 1.1)


def test_what_is_awaited_is_not_held_back() -> None:
    pace = CompactionPace(PAUSE_S_MIN)
    pace.begin(50.0)
    pace.step_ends(50.0, 100.0)
    pace.step_begins(50.01, 100.009, True)
    assert not pace.is_step_over(50.11)
    assert pace.step_ends(50.11, 100.109) == PAUSE_S_MIN


def test_a_long_least_pause_makes_longer_steps_and_in_the_end_only_their_records_bound_them() -> None:
    """Else what is to be removed could grow without end: 1 ms in 11 would be all there ever is."""
    pace = CompactionPace(0.01)
    pace.begin(50.0)
    pause_after(pace, 50.0 + FULL_SHARE_AFTER_S / 2, 0.9)
    step_s = 0.01 * 0.55 / 0.45
    assert not pace.is_step_over(50.0 + FULL_SHARE_AFTER_S / 2 + step_s * 0.95)
    assert pace.is_step_over(50.0 + FULL_SHARE_AFTER_S / 2 + step_s * 1.05)
    for now_s, used_by_others in ((51.0, 0.1), (50.0 + FULL_SHARE_AFTER_S, 0.9)):
        pause_after(pace, now_s, used_by_others)
        assert not pace.is_step_over(now_s + 1.0)
