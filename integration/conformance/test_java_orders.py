"""The orders of `zkbridge.tree.java_order` are those of a Java that runs here, over 10,000 random histories."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from integration.peers import maven
from integration.peers.requirements import require_java
from integration.peers.servers import ZOOKEEPER_JARS
from zkbridge.tree.java_order import JavaHashSet, concurrent_order, id_hash

SET_HISTORIES = 8_000
ID_HISTORIES = 2_000
NEW_CLONES = 19
"""From this Java on a clone's table is smaller where the set filled three quarters of a power of two."""

_ALPHABETS = ("0123456789", "abcdefghijklmnop/-_", "äßЖ中文", "😀😁🂡𐍈a")


def _name(source: random.Random) -> str:
    if source.random() < 0.3:
        return f"/locks/lock-{source.randrange(40):010d}"
    alphabet = source.choice(_ALPHABETS)
    return "/" + "".join(source.choice(alphabet) for _ in range(source.randrange(1, 12)))


def _set_history(source: random.Random, clones_are_old: bool) -> tuple[list[str], list[str]]:
    """Steps for Java, and the order at the end here."""
    names = [_name(source) for _ in range(source.choice((3, 10, 30, 200)))]
    items = JavaHashSet()
    steps: list[str] = []
    for _ in range(source.randrange(1, 2 * len(names))):
        kind = source.random()
        name = source.choice(names)
        if kind < 0.65:
            items.add(name)
            steps.append(f"+{name}")
        elif kind < 0.97:
            items.discard(name)
            steps.append(f"-{name}")
        elif clones_are_old or not _fills_three_quarters(len(items)):
            items = items.clone()
            steps.append("clone")
    return steps, items.ordered()


def _fills_three_quarters(count: int) -> bool:
    third = count // 3
    return count % 3 == 0 and third & (third - 1) == 0 and count > 0


def _id_history(source: random.Random) -> tuple[list[str], list[str]]:
    added: list[tuple[str, str]] = []
    for _ in range(source.randrange(1, source.choice((4, 12, 60)))):
        entry = (source.choice(("digest", "digest", "ip", "super")), _name(source)[1:])
        if entry not in added:
            added.append(entry)
    order = concurrent_order([id_hash(scheme, id) for scheme, id in added])
    steps = [text for entry in added for text in entry]
    return ["ids", *steps], [":".join(added[place]) for place in order]


def _ask_java(lines: list[str]) -> list[str]:
    classpath = maven.classpath(maven.install_jars("zookeeper", ZOOKEEPER_JARS))
    program = Path(__file__).with_name("JavaOrders.java")
    ran = subprocess.run(
        [require_java(), "-cp", classpath, str(program)],
        input="\n".join(lines) + "\n",
        capture_output=True,
        encoding="utf-8",
        timeout=240,
        check=True,
    )
    return ran.stdout.splitlines()


@pytest.mark.timeout(300)
def test_sets_and_ids_come_in_the_order_of_a_real_java() -> None:
    """HashSet with adds, removes and clones; a set over ConcurrentHashMap of ZooKeeper's own Id class."""
    source = random.Random(5)
    clones_are_old = int(_ask_java([])[0]) < NEW_CLONES
    histories = [_set_history(source, clones_are_old) for _ in range(SET_HISTORIES)]
    histories += [_id_history(source) for _ in range(ID_HISTORIES)]
    answers = _ask_java(["\t".join(steps) for steps, _ in histories])[1:]
    assert len(answers) == len(histories)
    for (steps, ours), real in zip(histories, answers, strict=True):
        assert "\t".join(ours) == real, steps
