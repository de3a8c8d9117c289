"""The peers themselves: what the suites stand on starts, answers and stops."""

from __future__ import annotations

import re
from pathlib import Path

from integration.peers import machine
from integration.peers.process import ask_four_letters
from integration.peers.servers import RealZooKeeper, ZooKeeperServer


def test_real_zookeeper_starts_answers_and_keeps_its_port_over_a_restart(real_zookeeper: RealZooKeeper) -> None:
    """The oracle of all comparisons is really ZooKeeper 3.9."""
    assert "Zookeeper version: 3.9." in ask_four_letters(real_zookeeper.port, "srvr")
    real_zookeeper.kill()
    real_zookeeper.start()
    assert ask_four_letters(real_zookeeper.port, "ruok") == "imok"


def test_the_target_stops_on_sigterm_and_starts_again_on_its_data(server: ZooKeeperServer, tmp_path: Path) -> None:
    """A stop and a start on the same data, as an operator does it."""
    server.stop()
    assert not server.child.is_running()
    server.start()
    assert ask_four_letters(server.port, "ruok") == "imok"


def test_make_installs_every_program_that_a_test_asks_for() -> None:
    """On a machine with nothing but Python, make and git, as root."""
    root = Path(__file__).parents[2]
    asked = {
        name
        for path in (root / "integration").rglob("*.py")
        for name in re.findall(r'require_program\("([a-z0-9-]+)"', path.read_text())
    }
    assert {"curl", "openssl", "java"} <= asked
    line = next(line for line in (root / "Makefile").read_text().splitlines() if "machine.py java" in line)
    installed = line.partition("machine.py")[2].split()
    named = {"mvn": "maven", "go": "golang", "docker": "docker", "debootstrap": "docker"}
    assert {named.get(name, name) for name in asked} <= set(installed)
    assert set(installed) <= machine.PACKAGES.keys()
