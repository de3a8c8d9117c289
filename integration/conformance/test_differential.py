"""Same answers: one seeded random script on the bridge and on ZooKeeper 3.9, none of the answers different (issue 3).

A failing seed is printed; `pytest integration/conformance/test_differential.py --seed N` replays it on fresh servers.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from integration.conformance.player import Entry, Player
from integration.conformance.script import SUPER_DIGEST, ScriptMaker, Step
from integration.peers.servers import RealZooKeeper, ZooKeeperServer, target_class

OPERATIONS = 50_000
OPERATIONS_PER_SCRIPT = 500
DIFFERING_SCRIPTS_MAX = 5
SETTINGS = {"DigestAuthenticationProvider.superDigest": SUPER_DIGEST, "znode.container.checkIntervalMs": "3600000"}


@dataclass(frozen=True, slots=True)
class Variant:
    """A configuration of both servers, and its share of the operations."""

    name: str
    settings: dict[str, str]
    first_seed: int
    share: float


VARIANTS = [
    Variant("extended-types", {"extendedTypesEnabled": "true"}, 1000, 0.9),
    Variant("no-extended-types", {"extendedTypesEnabled": "false"}, 9000, 0.1),
]


def first_difference(script: Sequence[Step], real: Sequence[Entry], ours: Sequence[Entry]) -> str | None:
    """The first entry that differs, with what was asked and seen just before."""
    for number in range(max(len(real), len(ours))):
        expected = real[number] if number < len(real) else None
        found = ours[number] if number < len(ours) else None
        if expected == found:
            continue
        at = expected or found
        assert at is not None
        step = script[at.step].describe() if at.step < len(script) else "the end of the script"
        asked = asked_by(script, at)
        before = "\n".join(f"    {entry.step} {entry.who} {entry.text}" for entry in real[max(0, number - 8) : number])
        answers = f"  asked:     {asked}\n  ZooKeeper: {expected}\n  ours:      {found}"
        return f"step {at.step}, {step}\n  before:\n{before}\n{answers}"
    return None


def asked_by(script: Sequence[Step], entry: Entry) -> str:
    """The request that an entry answers; an event has none."""
    number = entry.text.split(" ", 1)[0]
    if entry.step >= len(script) or not number.isdigit() or int(number) >= len(script[entry.step].requests):
        return "nothing in particular"
    return script[entry.step].requests[int(number)].text


def play_both(real: Player, ours: Player, seed: int, operation_count: int) -> str | None:
    """Play one script on both servers; the first difference, if there is one."""
    script = ScriptMaker(seed).script(operation_count)
    with ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(player.play, script) for player in (real, ours)]
        difference = first_difference(script, answers[0].result(), answers[1].result())
    if difference is None and real.labels.order_of_zxids() != ours.labels.order_of_zxids():
        pairs = zip(real.labels.order_of_zxids(), ours.labels.order_of_zxids(), strict=False)
        return f"zxids are in another order, first at {next(pair for pair in pairs if pair[0] != pair[1])}"
    return difference


@pytest.mark.timeout(900)
@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_the_same_script_gets_the_same_answers_from_both_servers(
    variant: Variant, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """Error codes, data, Stat fields and the order of events are ZooKeeper's, zxids by their order."""
    seed_asked: int | None = pytestconfig.getoption("--seed", None)
    operations: int = pytestconfig.getoption("--operations", None) or OPERATIONS
    script_count = max(1, int(operations * variant.share) // OPERATIONS_PER_SCRIPT)
    seeds = [seed_asked] if seed_asked is not None else [variant.first_seed + n for n in range(script_count)]
    settings = {**SETTINGS, **variant.settings}
    real: ZooKeeperServer = RealZooKeeper(tmp_path / "zookeeper", settings)
    ours = target_class()(tmp_path / "target", settings)
    differences: list[str] = []
    with real, ours:
        real_player, our_player = Player(real.port), Player(ours.port)
        for seed in seeds:
            difference = play_both(real_player, our_player, seed, OPERATIONS_PER_SCRIPT)
            if difference is not None:
                differences.append(f"--seed {seed} ({variant.name}): {difference}")
                # Labels of the two no longer match: go on with fresh ones, in the hope of finding other differences.
                real_player, our_player = Player(real.port), Player(ours.port)
            if len(differences) >= (pytestconfig.getoption("--differences", None) or DIFFERING_SCRIPTS_MAX):
                break
    assert not differences, "\n\n".join(differences)
