"""What a failing script is cut down to."""

from __future__ import annotations

from collections.abc import Sequence

from integration.etcd.conformance.shrink import shrink


def test_only_the_steps_that_it_takes_are_left() -> None:
    """Two that lie far apart, of five hundred."""
    found = shrink(range(500), lambda part: 100 in part and 400 in part, tries_max=1000)
    assert found == [100, 400]


def test_the_number_of_tries_is_bounded() -> None:
    """And what is left then still fails."""
    tries = 0

    def fails(part: Sequence[int]) -> bool:
        nonlocal tries
        tries += 1
        return set(part) >= set(range(0, 500, 50))

    found = shrink(range(500), fails, tries_max=20)
    assert tries == 20
    assert fails(found)
