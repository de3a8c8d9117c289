"""The whole server under faults, from seeds: nothing acknowledged is lost, and every promise to a session holds."""

from __future__ import annotations

import pytest

from tests.simulation.system.planted import PLANTED
from tests.simulation.system.run import be_quiet
from tests.simulation.system.scenario import Scenario

SEEDS = 300
CHUNKS = 12
SEARCHED = 100
"""Seeds within which each planted bug must be found; so far the first ten have done."""


def _catches(name: str, seed: int) -> bool:
    be_quiet()
    with PLANTED[name]():
        try:
            Scenario(seed).run()
        except Exception:
            return True
    return False


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_no_seed_breaks_a_promise(chunk: int) -> None:
    """Each has four clients and some faults; a failing one tells its story and how to run it again."""
    be_quiet()
    faults = 0
    for seed in range(1 + chunk * SEEDS // CHUNKS, 1 + (chunk + 1) * SEEDS // CHUNKS):
        faults += len(Scenario(seed).run().faults)
    assert faults > SEEDS // CHUNKS, "faults take effect"


def test_a_seed_replays_exactly() -> None:
    """The same events at the same times, in one process or another."""
    be_quiet()
    first, second = Scenario(7).run(), Scenario(7).run()
    assert first == second
    assert Scenario(8).run().digest != first.digest


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_bug_is_caught(name: str) -> None:
    """And without it the same seed passes: what is caught is the bug."""
    seed = next((seed for seed in range(1, SEARCHED + 1) if _catches(name, seed)), None)
    assert seed is not None, f"{SEARCHED} seeds did not find it"
    be_quiet()
    Scenario(seed).run()
