"""Periodic work is due once a period, and a stall is not made up for."""

from etcdcore.member.clock import Interval


def test_it_is_due_once_a_period_without_drift() -> None:
    interval = Interval(0.125, 0.0)
    assert [interval.is_due(now) for now in (0.0625, 0.125, 0.25, 0.3125, 0.375)] == [False, True, True, False, True]


def test_a_stall_counts_as_one_period() -> None:
    interval = Interval(0.125, 0.0)
    assert interval.is_due(10.0)
    assert not interval.is_due(10.0)
    assert not interval.is_due(10.0625)
    assert interval.is_due(10.125)
