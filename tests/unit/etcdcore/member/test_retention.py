"""History is cut by age and by count, and never sooner than promised."""

from etcdcore.member.retention import SAMPLES_MAX, RevisionRetention


def test_a_revision_is_given_up_once_it_is_older_than_the_retention() -> None:
    retention = RevisionRetention(retention_ms=60_000, revisions_max=0)
    assert retention.target(0, 5, 0) == 0
    assert retention.target(30_000, 9, 0) == 0
    assert retention.target(59_999, 12, 0) == 0
    assert retention.target(60_000, 12, 0) == 5
    assert retention.target(90_000, 12, 5) == 9


def test_nothing_is_proposed_that_has_been_compacted_already() -> None:
    retention = RevisionRetention(retention_ms=60_000, revisions_max=0)
    retention.target(0, 5, 0)
    assert retention.target(60_000, 5, 5) == 0
    assert retention.target(200_000, 5, 5) == 0


def test_samples_are_bounded_however_often_it_is_asked() -> None:
    retention = RevisionRetention(retention_ms=3_600_000, revisions_max=0)
    for second in range(20_000):
        retention.target(second * 1000, second, 0)
        assert len(retention._samples) <= SAMPLES_MAX + 1


def test_more_revisions_than_the_bound_and_a_tenth_are_cut_to_the_bound() -> None:
    retention = RevisionRetention(retention_ms=0, revisions_max=1000)
    assert retention.target(0, 1100, 0) == 0
    assert retention.target(0, 1101, 0) == 101
    assert retention.target(0, 1201, 101) == 0


def test_with_both_bounds_off_history_is_kept_for_ever() -> None:
    retention = RevisionRetention(retention_ms=0, revisions_max=0)
    assert retention.target(10**12, 10**12, 0) == 0
